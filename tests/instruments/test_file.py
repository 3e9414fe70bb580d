"""Instrument files: those that are shipped are pinned, and every way one can be wrong is told with its line."""

from pathlib import Path

import pytest

from shared.contracts.errors import InvalidInstrument, UnknownInstrument
from shared.documents.problems import Problem
from shared.instruments import check_file, find_instrument, has_instrument, load_file
from shared.instruments.files import DIRECTORY
from shared.programmes import check_file as check_programme
from shared.programmes.files import programme_file

RELEASED = {
    "three_items.1.yaml": "b5d97c1325858467844b5e39ce818e2f19378e12b37044f75dc2800ff1646724",
}
"""Digests of what has been released: facts hold them for ever. A change is a new version and a new line here."""

GOOD = """key: test
version: "2"
name: {fi: Mittari, sv: Mätare, en: Instrument}
items:
  - {key: a, name: {fi: A, sv: A, en: A}, low: 1, high: 5}
  - {key: b, name: {fi: B, sv: B, en: B}, low: 1, high: 5}
  - {key: c, name: {fi: C, sv: C, en: C}, low: 0, high: 5}
scales:
  - key: total
    name: {fi: Summa, sv: Summa, en: Sum}
    items: [a, b]
    reversed: [b]
    rule: sum
    max_missing: 1
    decimals: 1
    better: lower
"""


def check(folder: Path, text: str, name: str = "test.2.yaml") -> list[Problem]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return check_file(path)


def test_every_shipped_instrument_is_right_and_says_what_it_said_when_it_was_released() -> None:
    shipped = sorted(DIRECTORY.glob("*.yaml"))
    assert [p for path in shipped for p in check_file(path)] == []
    assert {path.name: load_file(path).digest for path in shipped} == RELEASED


def test_the_three_items_are_three_scales_of_one_item_from_0_to_10() -> None:
    found = find_instrument("three_items", "1")
    assert [(i.key, i.low, i.high) for i in found.items] == [
        (key, 0, 10) for key in ("work_ability", "functioning", "life_satisfaction")
    ]
    assert [(s.key, s.items, s.max_missing, s.better) for s in found.scales] == [
        (i.key, (i.key,), 0, "higher") for i in found.items
    ]
    for named in (found, *found.items, *found.scales):
        assert sorted(named.name) == ["en", "fi", "sv"]


def test_a_good_file_has_no_problem_and_is_read(tmp_path: Path) -> None:
    assert check(tmp_path, GOOD) == []
    (scale,) = load_file(tmp_path / "test.2.yaml").scales
    assert (scale.rule, scale.reversed, scale.max_missing, scale.decimals) == ("sum", {"b"}, 1, 1)


BROKEN = {
    # what: (text replaced, by, line, path, part of the reason)
    "version as a number": ('"2"', "2", 2, "version", "in quotes it is text"),
    "a language missing": ("sv: Mätare, ", "", 3, "name", '"sv" is missing'),
    "item twice": ("key: b", "key: a", 6, "items[1].key", "twice"),
    "range without width": ("low: 0, high: 5", "low: 5, high: 5", 7, "items[2].high", "not above low"),
    "answers below 0": ("low: 0", "low: -1", 7, "items[2].low", "at least 0"),
    "item that is not there": ("items: [a, b]", "items: [a, d]", 11, "scales[0].items[1]", "no key in items"),
    "reversed item of no scale": ("reversed: [b]", "reversed: [c]", 12, "scales[0].reversed[0]", "no item of this"),
    "ranges that differ": ("items: [a, b]", "items: [a, b, c]", 11, "scales[0].items", "ranges differ"),
    "nothing need be answered": ("max_missing: 1", "max_missing: 2", 14, "scales[0].max_missing", "at least one"),
    "no missing rule": ("    max_missing: 1\n", "", 9, "scales[0]", '"max_missing" is missing'),
    "unknown rule": ("rule: sum", "rule: median", 13, "scales[0].rule", "must be one of mean, sum"),
    "too many decimals": ("decimals: 1", "decimals: 5", 15, "scales[0].decimals", "at most 4"),
    "question text": ("low: 0", "question: Q, low: 0", 7, "items[2].question", "unknown key"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_file_gives_its_problem_with_the_line(what: str, tmp_path: Path) -> None:
    old, new, line, path, reason = BROKEN[what]
    assert old in GOOD
    found = check(tmp_path, GOOD.replace(old, new, 1))
    assert [(p.line, p.path) for p in found if reason in p.reason] == [(line, path)], found


def test_file_must_be_called_by_key_and_version(tmp_path: Path) -> None:
    assert [p.path for p in check(tmp_path, GOOD, "test.yaml")] == ["key"]


def test_loading_a_broken_file_names_the_first_problem(tmp_path: Path) -> None:
    check(tmp_path, GOOD.replace("rule: sum", "rule: median"))
    with pytest.raises(InvalidInstrument, match=r"test\.2\.yaml has 1 problem.*line 13: scales\[0\]\.rule"):
        load_file(tmp_path / "test.2.yaml")


@pytest.mark.parametrize(("key", "version"), [("three_items", "2"), ("../programmes/x", "1"), ("", ""), ("four", "1")])
def test_an_instrument_that_is_not_shipped_is_not_found(key: str, version: str) -> None:
    assert not has_instrument(key, version)
    with pytest.raises(UnknownInstrument):
        find_instrument(key, version)


# --- in a programme file


USES = 'instruments:\n  - key: three_items\n    version: "1"\n'


@pytest.mark.parametrize(
    ("new", "path", "reason"),
    [
        ('instruments:\n  - {key: three_itms, version: "1"}\n', "instruments[0].key", "no such instrument"),
        ('instruments:\n  - {key: three_items, version: "7"}\n', "instruments[0].key", "no such instrument"),
        ("instruments:\n  - {key: three_items, version: 1}\n", "instruments[0].version", "in quotes it is text"),
        ("instruments:\n  - {key: three_items}\n", "instruments[0]", '"version" is missing'),
        (USES + '  - {key: three_items, version: "1"}\n', "instruments[1].key", "twice"),
        (USES + "    occasions: [begin]\n", "instruments[0].occasions[0]", "must be one of baseline"),
    ],
)
def test_a_programme_names_instruments_in_versions_that_there_are(
    new: str, path: str, reason: str, tmp_path: Path
) -> None:
    text = programme_file("lahde-mukaan").read_text(encoding="utf-8")
    assert text.count(USES) == 1
    file = tmp_path / "lahde-mukaan.yaml"
    file.write_text(text.replace(USES, new), encoding="utf-8")
    (problem,) = check_programme(file)
    assert problem.path == path
    assert reason in problem.reason
