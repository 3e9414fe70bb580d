"""The European Union's part as it is told on what is made for people: flag, statement, mark, implementers.

Marks and statements follow from the funding period and the page's language. In 2021-27 the flag stands with its
statement and with no other mark (Regulation (EU) 2021/1060, Annex IX).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from markupsafe import Markup

from services.portal.labels import Label, label_of
from services.portal.logos import Pictures, nobodys
from services.portal.words import Lang, known_keys, words

_HEIGHT, _WIDTH = 36.0, 54.0
_STARS = 12


@dataclass(frozen=True)
class Publicity:
    """What the foot of a page says, in `lang`, which may be another than the page's; `mark` is None where the period
    has none."""

    lang: Lang
    implementers: str
    statement: str
    mark: str | None
    logos: tuple["Shown", ...]

    @property
    def flag(self) -> Markup:
        """The flag."""
        return _flag()


@dataclass(frozen=True)
class Logo:
    """A partner's name by language, and the picture that stands for it, if there is one."""

    name: Mapping[str, str]
    picture: str | None = None


@dataclass(frozen=True)
class Shown:
    """The same in a language of the page."""

    name: Label
    picture: str | None


def publicity(funding: str, named: Sequence[Logo], lang: Lang) -> Publicity | None:
    """Of a funding programme and the implementers' names in order; None for one that is not known."""
    say = words(lang)
    if f"eu_{funding}" not in known_keys():
        return None
    mark = say(f"eu_mark_{funding}") if f"eu_mark_{funding}" in known_keys() else None
    shown = tuple(Shown(label_of(logo.name, lang, "–"), logo.picture) for logo in named)
    return Publicity(lang, say("implementers"), say(f"eu_{funding}"), mark, shown)


def logos(document: Mapping[str, Any], pictures: Pictures = nobodys) -> tuple[Logo, ...]:
    """The partners' logos in the order of the programme file, by legal names where there are."""
    partners = {partner["key"]: partner for partner in document.get("partners") or []}
    named = ((key, partners[key]) for key in in_order(document))
    return tuple(Logo(one.get("organisation", {}).get("name") or one["name"], pictures(key)) for key, one in named)


def in_order(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys of the partners whose logos stand, in the order of the programme file."""
    named = (document.get("publicity") or {}).get("logos")
    return tuple(named or (partner["key"] for partner in document.get("partners") or []))


@cache
def _flag() -> Markup:
    """Twelve upright stars like the hours of a clock: circle of a third of the height, stars of an eighteenth."""
    stars = "".join(
        _star(
            _WIDTH / 2 + _HEIGHT / 3 * math.sin(math.tau * hour / _STARS),
            _HEIGHT / 2 - _HEIGHT / 3 * math.cos(math.tau * hour / _STARS),
        )
        for hour in range(_STARS)
    )
    return Markup(
        '<svg class="eu-flag" viewBox="0 0 54 36" width="81" height="54" aria-hidden="true">'
        f'<rect width="54" height="36" fill="#003399"/><path fill="#ffcc00" d="{stars}"/></svg>'
    )


def _star(x: float, y: float) -> str:
    """A pentagram's outline: inner corners lie on a circle of 1/phi squared of the outer one's radius."""
    outer = _HEIGHT / 18
    inner = outer * (3 - math.sqrt(5)) / 2
    corners = []
    for turn in range(10):
        radius = inner if turn % 2 else outer
        angle = math.tau * turn / 10
        corners.append(f"{x + radius * math.sin(angle):.2f} {y - radius * math.cos(angle):.2f}")
    return f"M{'L'.join(corners)}Z"
