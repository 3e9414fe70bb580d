"""Phrases in three languages without a gap; numbers, days and times as people write them."""

import re
import string
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import portal
from services.node import archivewords
from services.portal import formats, words, words_copy
from services.portal.words import LANGS, in_language


def test_no_phrase_is_blank_and_all_languages_take_the_same_values() -> None:
    for key in words.known_keys():
        taken = []
        for lang in LANGS:
            phrase = words._TABLE[key][LANGS.index(lang)]
            assert phrase.strip() == phrase
            assert phrase
            taken.append({name for _, name, _, _ in string.Formatter().parse(phrase) if name})
        assert taken[0] == taken[1] == taken[2], key


def test_every_phrase_of_the_templates_is_in_the_table() -> None:
    folder = Path(portal.__file__).parent
    used = set()
    for file in folder.glob("templates/*.html"):
        used |= set(re.findall(r"""\bt\(["'](\w+)["']""", file.read_text(encoding="utf-8")))
    assert len(used) > 50
    assert used <= words.known_keys()


def texts_of(found: object) -> list[str]:
    """Every text in nested tuples, lists and values of mappings."""
    if isinstance(found, str):
        return [found]
    if isinstance(found, Mapping):
        return texts_of(list(found.values()))
    return [text for each in found for text in texts_of(each)] if isinstance(found, tuple | list) else []


def test_words_people_never_see() -> None:
    copied = (words_copy.TABLES, words_copy.FIELDS, words_copy.VALUES, words_copy.KINDS, words_copy.READS)
    archived = [found for name, found in vars(archivewords).items() if re.fullmatch("_[A-Z_]+", name)]
    assert len(archived) > 4
    everything = " ".join(texts_of([words._TABLE, *copied, archived])).lower()
    for word in (  # the glossary's, and words that stood beside another word for the same thing
        *("ohjelma", "solmu", r"\bnod(en|er|erna|ens)?\b", "vaikutus", "asiakasjury", "kutsumanim", "pääluk"),
        *("askel", "jakso", "kumppan", "varmenteine", "rahaston", "aloituslomake", "lopetuslomake"),
        *("arbetstagar", "människ", "fondens", "lagringstid", r"\bcertifikat", "startblankett", "slutblankett"),
        *("kamratstödjare", "utgångsuppgift", r"\bhen\b", "övergiven"),
    ):
        assert not re.search(word, everything), word


def test_no_phrase_stands_in_two_tables() -> None:
    tables = [found for name, found in vars(words).items() if name.endswith("_WORDS") or name == "RECORDING"]
    assert len(tables) > 20
    assert Counter(key for table in tables for key in table).most_common(1)[0][1] == 1


@given(st.dictionaries(st.sampled_from(["fi", "sv", "en", "se"]), st.sampled_from(["", " ", "Nimi"])))
def test_a_name_is_never_blank(names: dict[str, str]) -> None:
    for lang in LANGS:
        text, found = in_language(names, lang, "code")
        assert text.strip()
        assert (text == "code") == (found is None)
        if names.get(lang) == "Nimi":
            assert found == lang


@pytest.mark.parametrize(
    ("value", "fi", "en"),
    [
        (0, "0", "0"),
        (2369, "2\u00a0369", "2,369"),
        (1234567, "1\u00a0234\u00a0567", "1,234,567"),
        (4.7, "4,7", "4.7"),
        (30.0, "30", "30"),
        (100, "100", "100"),
        ("1000.50", "1\u00a0000,5", "1,000.5"),
        (Decimal("-3.25"), "−3,25", "−3.25"),
    ],
)
def test_numbers(value: int, fi: str, en: str) -> None:
    assert formats.number(value, "fi") == formats.number(value, "sv") == fi
    assert formats.number(value, "en") == en


def test_days_and_times_are_of_finland() -> None:
    assert [formats.day(date(2017, 5, 4), lang) for lang in LANGS] == ["4.5.2017", "4.5.2017", "2017-05-04"]
    late = datetime(2017, 12, 31, 22, 30, tzinfo=UTC)
    assert formats.moment(late, "fi") == "1.1.2018 klo\u00a00.30"
    assert formats.moment(late, "sv") == "1.1.2018 kl.\u00a00.30"
    assert formats.moment(late, "en") == "2018-01-01 00:30"
    assert formats.clock("09:05", "fi") == "9.05"


@pytest.mark.parametrize(
    ("span", "said"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (86400, "1 pv"), (-5, "0 s")],
)
def test_ages_are_in_their_largest_unit(span: int, said: str) -> None:
    assert formats.age(timedelta(seconds=span), "fi") == said.replace(" ", "\u00a0")
