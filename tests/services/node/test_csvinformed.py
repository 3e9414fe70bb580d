"""informed.csv: as an archive writes it, so the import takes it."""

from pathlib import Path

import pytest

from services.node.csvarchive import informed_rows, write_csv
from services.node.csvrows import COLUMNS
from services.node.csvrows import INFORMED as FILE
from services.node.csvset import check_set
from tests.services.node.sets import INFORMED, OWN, PERSON, PROGRAMMES, write_set


def test_what_an_archive_has_written_is_read_with_the_persons_programme(tmp_path: Path) -> None:
    told = {"notice": 3, "language": "so", "occurred_on": "2016-03-01", "informed": "a0"}
    people = {"x": {"informed": [told | {"consents": "measurement"}, told | {"consents": "", "informed": "b0"}]}}
    write_set(tmp_path)
    write_csv(tmp_path / FILE, COLUMNS[FILE], informed_rows({"x": "p1"}, people))
    checked = check_set(tmp_path, PROGRAMMES, {"lahde-mukaan": OWN})
    assert checked.problem_lines() == []
    first, second = checked.rows("informed.csv")
    assert (first.notice, first.language, first.consents, second.consents) == (3, "so", ("measurement",), ())
    assert {(row.programme, row.partner) for row in (first, second)} == {("lahde-mukaan", OWN)}
    assert first.participant_key == next(checked.participants()).key
    assert first.key != second.key
    assert (checked.taken[FILE], repr(first)) == (2, "<InformedRow of line 2>")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ref": "p9"}, "column ref: no row of participants.csv has this ref"),
        ({"consents": "support"}, "column consents: support is no matter of consent"),
        ({"consents": "luck"}, 'column consents: "luck" is none of esf_record, support, measurement'),
        ({"notice": ""}, "column notice: is missing"),
        ({"occurred_on": "2001-01-01"}, 'column occurred_on: "2001-01-01" lies more than a year before'),
    ],
)
def test_a_row_that_cannot_be_is_a_problem(tmp_path: Path, change: dict[str, str], says: str) -> None:
    checked = check_set(write_set(tmp_path, [PERSON], informed=[INFORMED | change]), PROGRAMMES)
    (line,) = checked.problem_lines()
    assert line.startswith(f"informed.csv, line 2, {says}")
    assert list(checked.rows("informed.csv")) == []
