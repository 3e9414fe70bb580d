"""Names and figures as pages show them: a name knows its language, a missing number says why in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.portal import formats
from services.portal.words import Lang, in_language, words

Names = Mapping[str, Mapping[str, str]]
"""Names by key of the programme file, each by language."""

STATED = ("unknown", "refused", "not_asked", "not_set", "not_due", "not_arrived")
"""Why there is no number, where that is known; null is "not recorded"."""


@dataclass(frozen=True)
class Label:
    """A name and the language it is in, if that is not the page's: screen readers need to be told."""

    text: str
    lang: str | None


@dataclass(frozen=True)
class Figure:
    """One cell: a number, or in words why there is none."""

    text: str
    words: str | None


def label_of(names: Mapping[str, str], lang: Lang, fallback: str) -> Label:
    """A name in `lang` or another language, never blank; the code is the last resort."""
    text, found = in_language(names, lang, fallback)
    return Label(text, None if found == lang else found)


def figure(value: object, lang: Lang) -> Figure:
    """A cell of the five values: a number as it is (0 too), a stated reason in words, null as a dash with words.

    Raises ValueError for anything else: a cell is never guessed.
    """
    say = words(lang)
    if value is None:
        return Figure("–", say("value_none"))
    if value in STATED:
        return Figure(say(f"value_{value}"), None)
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        return Figure(formats.number(value, lang), None)
    raise ValueError("a figure is neither a number nor one of the stated values")
