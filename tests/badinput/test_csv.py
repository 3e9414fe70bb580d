"""Every column of every CSV file with every kind of flaw: told by file, line, column and reason; nothing is written.

A new column is tried as soon as it stands in `COLUMNS`; a new file needs a valid row in `ROWS`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.node import csvset
from services.node.csvrows import COLUMNS, ORDER
from services.node.csvset import CORE, check_set
from shared.programmes import parse
from tests.badinput.mutations import LONG, SECRET
from tests.services.node import sets
from tests.services.node.sets import OWN, STEPPED, write_set

PROGRAMMES = {"lahde-mukaan": parse(STEPPED)}
WHOLE = sets.PERSON | {
    **{"standing": "esf_participant", "given_name": "Testi", "family_name": "Testinen", "birth_date": "1981-02-03"},
    **{"start_date": "2016-03-01", "labour_status": "unemployed", "unemployed_months": "7"},
}
ROWS = {
    "participants.csv": WHOLE,
    "sessions.csv": sets.EVENT | {"headcount": "7", "headcount_basis": "counted", "minutes": "90", "start": "09:30"},
    "attendance.csv": sets.ATTENDANCE | {"minutes": "60"},
    "assessments.csv": sets.ANSWER,
    "steps.csv": sets.STEP | {"to": "2016-04-01"},
    "pauses.csv": sets.PAUSE | {"to": "2016-03-20"},
    "outcomes.csv": sets.OUTCOME,
    "exits.csv": sets.EXIT | {"results": "employment", "back": "2016-10-01"},
    "followups.csv": sets.FOLLOWUP | {"results": "employment"},
    "encounters.csv": sets.ENCOUNTER,
    "workers.csv": sets.WORKER,
    "contacts.csv": sets.CONTACT | {"email": "aino@example.org"},
    "informed.csv": sets.INFORMED,
    "starts.csv": sets.START
    | {"labour_status": "unemployed", "unemployed_months": "7", "eura_on": "2016-03-02"}
    | {"eura_by": "self", "form_help": "with_help", "paid_by_project": "no"},
    "exitforms.csv": sets.EXIT_FORM | {"eura_on": "2016-09-02", "eura_by": "worker"},
    "attempts.csv": sets.ATTEMPT,
    "plans.csv": sets.PLAN,
}
"""A valid row of each file; what is in it may be spoilt."""
FREE = {"ref", "token", "given_name", "family_name", "form_kept", "sheet", "text"}
"""Columns in which any text may stand."""
MAY_BE_EMPTY = {
    "participants.csv": {"given_name", "family_name", "birth_date", "labour_status", "unemployed_months"},
    "sessions.csv": {"start", "minutes", "headcount"},
    "attendance.csv": {"minutes"},
    "assessments.csv": {"participant", "sheet", "value"},
    "steps.csv": {"to"},
    "pauses.csv": {"to"},
    "exits.csv": {"results", "back"},
    "followups.csv": {"results"},
    "contacts.csv": {"phone", "email", "contact_way"},
    "informed.csv": {"consents"},
    "starts.csv": {"labour_status", "unemployed_months", "form_signed_on", "form_help", "paid_by_project"},
    "exitforms.csv": {"form_signed_on", "may_call"},
    "plans.csv": {"state", "who", "day", "shown"},
    "encounters.csv": {*sets.ENCOUNTER} - {"ref", "programme", "partner", "date"},
}
DAYS = {"date", "day", "due", "from", "to", "birth_date", "start_date", "form_signed_on", "back", "occurred_on"}
DAYS |= {"eura_on"}
NUMBERS = {"minutes", "headcount", "headcount_women", "unemployed_months", "education", "value", "notice"}
ANYWHERE = {
    "10,000 characters": LONG,
    "a tab": "a\tb",
    "an escape": "\x1b[2J",
    "delete": "\x7f",
    "a line separator": "a\u2028b",
    "turned around": "\u202eabc",
    "a byte order mark": "\ufeffabc",
    "spaces behind": "abc ",
    "a hard space before": "\u00a0abc",
}
NO_DAY = ("1.3.2016", "2016-02-30", "2016-3-1", "20160301", "2016-03-01T10:00", "\u0662\u0660\u0661\u0666-03-01")
NEVER = ("2999-12-31", "9999-12-31", "0001-01-01", "1066-10-14", "0000-00-00")
NO_NUMBER = ("-1", "1.5", "1,5", "1e3", "9999999999", "\u0663", "0x10", "NaN", "1 000", "+1")


def flaws(file: str, column: str) -> Iterator[tuple[str, str]]:
    """What may be wrong with a cell of the column, and the cell."""
    yield from ANYWHERE.items()
    if column not in FREE:
        yield "a text", SECRET
        if column not in ("form_version", "worker"):  # a worker is told to be none by whoever knows the users
            yield "no code", "zz_no_such_code"
    if column in ROWS[file] and column not in MAY_BE_EMPTY.get(file, ()):
        yield "empty", ""
    if column in DAYS:
        yield from ((f"the day {cell}", cell) for cell in (*NO_DAY, *NEVER))
    if column in NUMBERS:
        yield from ((f"the number {cell}", cell) for cell in NO_NUMBER)


def whole_set(folder: Path) -> Path:
    """A set without a flaw: what every row refers to."""
    held = sets.SESSION | {"minutes": "90"}
    more = {name.removesuffix(".csv"): [ROWS[name]] for name in ORDER if name in ROWS and name not in CORE}
    return write_set(folder, [WHOLE], [held, sets.EVENT], [ROWS["attendance.csv"]], **more)


@pytest.mark.parametrize("file", ORDER)
def test_every_flaw_of_every_column_is_told_by_line_and_column(
    tmp_path: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csvset, "SHOWN_PROBLEMS", 10_000)
    assert file in ROWS, f"{file} is new: give it a valid row in ROWS of tests/badinput/test_csv.py"
    assert check_set(whole_set(tmp_path), PROGRAMMES, {"lahde-mukaan": OWN}).ok
    lines = (tmp_path / file).read_text("utf-8").splitlines()
    tried: list[tuple[int, str, str]] = []
    for column in COLUMNS[file]:
        for what, cell in flaws(file, column):
            row = ROWS[file] | ({"ref": f"bad{len(tried)}"} if "ref" in COLUMNS[file] else {}) | {column: cell}
            lines.append(",".join(f'"{row.get(name, "")}"' for name in COLUMNS[file]))
            tried.append((len(lines), column, what))
    (tmp_path / file).write_bytes("\n".join(lines).encode() + b"\n")
    checked = check_set(tmp_path, PROGRAMMES, {"lahde-mukaan": OWN})
    told = {(problem.line, problem.column) for problem in checked.problems if problem.file == file}
    missing = [f"{column}, {what}" for line, column, what in tried if (line, column) not in told]
    assert not missing, f"{file}: taken, or told of another column:\n  " + "\n  ".join(missing)
    assert checked.taken[file] <= len(lines) - 1 - len(tried)
    assert not any(len(line) > 400 for line in checked.problem_lines())
    if file == "participants.csv":
        assert not any(part in line for line in checked.problem_lines() for part in ("Meik", "020190"))
