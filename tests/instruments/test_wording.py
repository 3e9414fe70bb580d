"""Wording files: an organisation's own questions, checked with lines, and of an instrument that there is."""

from pathlib import Path

import pytest

from shared.contracts.errors import InvalidInstrument
from shared.instruments.wording import check_wording, parse_wording, read_wording

GOOD = """instrument: three_items
version: "1"
items:
  - {key: work_ability, text: {fi: "Keksitty kysymys?", sv: "En påhittad fråga?"}}
  - {key: functioning, text: {en: "An invented question?"}}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "words.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_gives_questions_by_item_and_language(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    assert check_wording(path) == []
    assert parse_wording(read_wording(path)) == {
        "work_ability": {"fi": "Keksitty kysymys?", "sv": "En påhittad fråga?"},
        "functioning": {"en": "An invented question?"},
    }


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "reason"),
    [
        ("three_items", "four_items", 1, "instrument", "no such instrument"),
        ('"1"', "1", 2, "version", "in quotes it is text"),
        ("key: functioning", "key: pain", 5, "items[1].key", "no key in items of the instrument"),
        ("key: functioning", "key: work_ability", 5, "items[1].key", "twice"),
        ('en: "An', 'de: "An', 5, "items[1].text.de", "unknown key"),
        ("Keksitty kysymys?", "x" * 1001, 4, "items[0].text.fi", "at most 1000"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, path: str, reason: str
) -> None:
    assert old in GOOD
    file = written(tmp_path, GOOD.replace(old, new, 1))
    found = check_wording(file)
    assert [(p.line, p.path) for p in found if reason in p.reason] == [(line, path)], found
    with pytest.raises(InvalidInstrument):
        read_wording(file)
