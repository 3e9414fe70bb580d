"""A programme file: what is right, and every way it can be wrong with the line that says so."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.errors import InvalidProgramme, PolkuError
from shared.programmes import Problem, ProgrammeRefused, check_file, load_file
from shared.programmes.checking import SCHEMA_FILE

FOLDER = SCHEMA_FILE.parent
LAHDE = FOLDER / "lahde-mukaan.yaml"
GOOD = LAHDE.read_text(encoding="utf-8")


def check(tmp_path: Path, text: str | bytes, name: str = "lahde-mukaan.yaml") -> list[Problem]:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return check_file(path)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_delivered_programme_file_has_no_problem(path: Path) -> None:
    assert check_file(path) == []


_FIT = "      - {question: labour_status, answers: [unemployed]}"
_FITS = "target_groups[1].fits[0]"

BROKEN = {
    # what: (text taken out, text put in, text in the line blamed, which of such lines, path, part of the reason)
    "unknown key": ("project_code: S20250", "projectcode: S20250", "projectcode", "projectcode", "project_code?"),
    "fits no question": (_FIT, _FIT.replace("labour", "labor"), "labor", f"{_FITS}.question", "did you mean labour"),
    "fits no answer": (_FIT, _FIT.replace("[un", "[on"), "onemployed", f"{_FITS}.answers[0]", "no answer"),
    "fits by a number": (_FIT, _FIT.replace("answers: [unemployed]", "low: 3"), "low: 3", _FITS, "name the answers"),
    "fits by nothing": (_FIT, "      - {question: age}", "question: age", _FITS, "say low or high"),
    "fits nobody": (_FIT, "      - {question: age, low: 30, high: 20}", "high: 20", f"{_FITS}.high", "less than low"),
    "unknown key deep inside": ("    area: pihlava\n", "    aera: pihlava\n", "aera", "locations[1].aera", "area?"),
    "missing key": ("funding_programme: esf_2014_2020\n", "", "key: lahde", "", '"funding_programme" is missing'),
    "missing key in an item": (
        "    role: partner\n",
        "",
        "- key: university_of",
        "partners[1]",
        '"role" is missing',
    ),
    "word not in the list": ("esf_2014_2020", "esf_2014", "esf_2014", "funding_programme", "must be one of"),
    "number instead of text": ('municipality: "609"', "municipality: 609", ": 609", "areas[0].municipality", "text"),
    "code with capitals": ("  - key: reeraa", "  - key: Reeraa", "Reeraa", "activities[2].key", "a-z"),
    "day that does not exist": ("2017-05-31", "2017-05-32", "2017-05-32", "period.end", "calendar"),
    "day written the Finnish way": ("2017-05-31", "31.5.2017", "31.5.2017", "period.end", "YYYY-MM-DD"),
    "end before start": ("2017-05-31", "2015-04-30", "2015-04-30", "period.end", "before it starts"),
    "key twice": ("languages: [fi]", "languages: [fi]\nname: {fi: X}", "name: {fi: X}", "name", "second time"),
    "code twice": ("  - key: pihlava\n", "  - key: sampola\n", "- key: sampola", "areas[1].key", "twice"),
    "unknown group": ("group: public_events\n", "group: pub\n", "group: pub", "activities[7].group", "no key"),
    "area that is not there": ("    area: pihlava\n", "    area: pihlva\n", "pihlva", "locations[1].area", "pihlava?"),
    "figure of no group": ("{group: info_", "{group: inof_", "inof_", "figures.groups[1].group", "info_sessions?"),
    "partner that is not there": ("[leader_ass", "[laeder_ass", "laeder", "synthetic.partners[0]", "no key in"),
    "no lead": ("role: lead", "role: partner", "partners:", "partners", "no partner has the role lead"),
    "two leads": ("role: partner", "role: lead", "role: lead", "partners[1].role", "exactly one"),
    "name without a language": ("    name: {fi: Pihlava}", "    name: {}", "name: {}", "areas[1].name", "empty"),
    "name in an unknown language": ("{fi: Pihlava}", "{de: Pihlava}", "{de:", "areas[1].name.de", "unknown key"),
    "blank name": ("{fi: Pihlava}", '{fi: " "}', '{fi: " "}', "areas[1].name.fi", "no spaces at the ends"),
    "number as a key": ("{fi: Pihlava}", "{1: Pihlava}", "{1:", "areas[1].name.1", "unknown key"),
    "nothing as a value": ("languages: [fi]", "languages:", "languages:", "languages", "not nothing"),
    "heads with a standing": ("standing: met", "standing: client", "", "activities[3].standing", "counts heads"),
    "people nobody knows": ("standing: client", "standing: met", "", "activities[0].standing", "counts people"),
    "heads for people": ("participants: 74", "heads: 74", "heads: 74", "figures.groups[0].heads", "counts people"),
    "fewer heads than sessions": ("heads: 214", "heads: 14", "heads: 14", "figures.groups[1].heads", "fewer heads"),
    "block text": ("project_code: S20250", "project_code: |\n  S20250", "_code: |", "project_code", "block text"),
    "text over two lines": ("{fi: Pihlava}", '{fi: "Pih\n      lava"}', '{fi: "Pih', "areas[1].name.fi", "one line"),
    "anchor": ("{fi: Pihlava}", "&a {fi: Pihlava}", "&a", "areas[1].name", "anchors"),
    "tag": ("S20250", "!!str S20250", "!!str", "project_code", "tags"),
    "silence limit 0": ("silence_limit_days: 3", "silence_limit_days: 0", "days: 0", "silence_limit_days", "least"),
    "language twice": ("languages: [fi]", "languages: [fi, fi]", "languages:", "languages", "twice"),
    "taken key": ("key: lahde-mukaan", "key: local", "key: local", "key", "taken"),
    "tab": ("  start: 2015", "\tstart: 2015", "\tstart", "", "tab"),
    "unclosed bracket": ("languages: [fi]", "languages: [fi", "silence_limit_days", "", "not YAML"),
    "topic twice": ("  - key: substance_use\n", "  - key: health\n", "- key: health", "topics[4].key", "twice"),
    "topic without a name": ("{fi: Kieli, sv: Språk, en: Language}", "{}", "{}", "topics[6].name", "empty"),
    "second document": ("languages: [fi]", "languages: [fi]\n---\n", "---", "", "second document"),
    "alias": ("{fi: Pihlava}", "*a", "*a", "areas[1].name", "aliases"),
    "mapping as a key": ("{fi: Pihlava}", "{{a: b}: c}", "{{a", "areas[1].name", "one plain word"),
    "merge key": ("{fi: Pihlava}", "{<<: {fi: Pihlava}}", "<<", "areas[1].name.<<", "unknown key"),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_broken_file_gives_its_problem_with_the_line(what: str, tmp_path: Path) -> None:
    old, new, blamed, path, reason = BROKEN[what]
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    problems = check(tmp_path, text)
    lines = text.splitlines()
    match = [p for p in problems if p.path == path and reason in p.reason]
    assert match, problems
    assert blamed in lines[match[0].line - 1]
    if not blamed:  # the replaced word stands in several lines; the first is the one
        assert new in lines[match[0].line - 1]


def test_every_problem_is_found_at_once(tmp_path: Path) -> None:
    text = GOOD
    for what in ("unknown key", "code with capitals", "day that does not exist", "key twice", "area that is not there"):
        text = text.replace(BROKEN[what][0], BROKEN[what][1], 1)
    problems = check(tmp_path, text)
    assert {p.path for p in problems} == {
        "projectcode", "activities[2].key", "period.end", "name", "locations[1].area"
    }  # fmt: skip
    assert [p.line for p in problems] == sorted(p.line for p in problems)


@pytest.mark.parametrize(
    ("raw", "line", "reason"),
    [
        (b"", 1, "empty"),
        (b"\xef\xbb\xbf  \n", 1, "empty"),
        (GOOD.encode("latin-1"), 5, "not UTF-8"),
        (GOOD.encode("utf-16"), 1, "UTF-16"),
        (GOOD.encode("utf-16-le"), 1, "NUL"),
        (b"key: x\nname: \x07\n", 2, "a character"),
        (b"- a\n- b\n", 1, "a mapping"),
        (b"just words\n", 1, "a mapping"),
        (b"# only a comment\n", 1, "a mapping"),
        (b"key: " + b"[" * 100_000, 1, "nested deeper"),
        (b"{" * 20_000, 1, "one plain word"),
        (b"x" * 600_000, 1, "larger than"),
    ],
    ids=lambda value: value[:12].decode("ascii", "replace") if isinstance(value, bytes) else None,
)
def test_file_that_cannot_be_read_says_why(raw: bytes, line: int, reason: str, tmp_path: Path) -> None:
    (problem,) = check(tmp_path, raw)
    assert problem.line == line
    assert reason in problem.reason


def test_alias_bomb_is_refused_before_it_is_expanded(tmp_path: Path) -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    problems = check(tmp_path, bomb)
    assert any("aliases" in p.reason and p.line == 2 for p in problems)


def test_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lahde-mukaan.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_file(path) == load_file(LAHDE)


def test_decomposed_letters_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lahde-mukaan.yaml"
    path.write_text(GOOD.replace("ä", "a\u0308"), encoding="utf-8")
    assert load_file(path) == load_file(LAHDE)


def test_words_that_yaml_takes_for_something_else_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "lahde-mukaan.yaml"
    path.write_text(GOOD.replace("{fi: Pihlava}", "{fi: no, sv: 0609, en: 12:30}"), encoding="utf-8")
    assert load_file(path)["areas"][1]["name"] == {"fi": "no", "sv": "0609", "en": "12:30"}


def test_file_must_be_called_like_its_key(tmp_path: Path) -> None:
    (problem,) = check(tmp_path, GOOD, "other.yaml")
    assert (problem.line, problem.path) == (3, "key")


@pytest.mark.parametrize("path", ["absent.yaml", "."])
def test_absent_file_and_folder_are_problems(path: str, tmp_path: Path) -> None:
    assert len(check_file(tmp_path / path)) == 1


def test_loading_a_broken_file_raises_every_problem(tmp_path: Path) -> None:
    path = tmp_path / "lahde-mukaan.yaml"
    path.write_text(GOOD.replace("role: lead", "role: boss"), encoding="utf-8")
    with pytest.raises(ProgrammeRefused) as refused:
        load_file(path)
    assert list(refused.value.problems) == check_file(path)
    assert type(PolkuError.from_wire(refused.value.to_wire())) is InvalidProgramme
    assert "partners[0].role" in str(refused.value)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_mutation_of_the_file_makes_a_traceback(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    raw = bytearray(GOOD.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(raw)))
        put = data.draw(
            st.sampled_from([b"", b":", b"- ", b"&a ", b"*a", b"{", b"]", b"\t", b"\n", b"'", b"\xff", b"|", b"? "])
        )
        raw[start : start + data.draw(st.integers(0, 30))] = put
    path = tmp_path_factory.getbasetemp() / "lahde-mukaan.yaml"
    path.write_bytes(raw)
    assert all(problem.line >= 1 and problem.reason for problem in check_file(path))
