"""Decision pages have one form, name what they change, and are named there and in the index."""

import re
from pathlib import Path

import pytest

from tests.deploy.compose import ROOT

FOLDER = ROOT / "docs/decisions"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
EACH = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
ANSWERS = {"Changes": "Changed", "Completes": "Completed", "Extends": "Extended"}
NUMBERS = r"\d{4}(?:, \d{4})*"
STATUS = re.compile(r"Status: decided \(issue \d\)\.( .+)?")
LATER = re.compile(rf"((Changed|Completed|Extended) by {NUMBERS}\. ?)+")


def links(line: str, joint: str, verbs: list[str]) -> set[tuple[str, str]]:
    """Verb and number of each page that the line names after one of the verbs."""
    found = re.findall(rf"\b({'|'.join(verbs)}){joint} ({NUMBERS})", line)
    return {(verb, number) for verb, numbers in found for number in numbers.split(", ")}


HEADS = {path.name[:4]: path.read_text(encoding="utf-8").split("\n")[:4] for path in PAGES}


@EACH
def test_a_page_begins_with_number_title_and_status(path: Path) -> None:
    title, blank, status, later = HEADS[path.name[:4]]
    assert re.fullmatch(rf"# {path.name[:4]}: \S.*", title)
    assert blank == ""
    assert STATUS.fullmatch(status)
    assert later == "" or LATER.fullmatch(later)


def test_what_a_page_changes_names_the_page_and_nothing_else() -> None:
    said = {
        (target, ANSWERS[verb], number)
        for number, (_, _, status, _) in HEADS.items()
        for verb, target in links(status, "", list(ANSWERS))
    }
    answered = {
        (number, verb, source)
        for number, (*_, later) in HEADS.items()
        for verb, source in links(later, " by", list(ANSWERS.values()))
    }
    assert answered == said


def test_the_index_has_each_page_once_by_its_title() -> None:
    listed = re.findall(r"^- \[(.+)\]\((.+)\)$", (FOLDER / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted((name, title) for title, name in listed) == [
        (path.name, HEADS[path.name[:4]][0].removeprefix("# ")) for path in PAGES
    ]
