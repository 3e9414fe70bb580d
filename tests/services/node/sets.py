"""What the tests of sets share: programme 3, one of two partners, and writing a set by columns."""

import copy
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from services.node.csvrows import COLUMNS
from shared.programmes import load_file, parse
from shared.programmes.checking import SCHEMA_FILE

LAHDE: dict[str, Any] = load_file(SCHEMA_FILE.parent / "lahde-mukaan.yaml")
OWN, OTHER = "leader_association", "university_of_applied_sciences"

LAHDE_OF_TWO: dict[str, Any] = copy.deepcopy(LAHDE)
"""Programme 3 with synthetic records divided among both partners."""
LAHDE_OF_TWO["synthetic"]["partners"] = [OWN, OTHER]

PROGRAMMES = {"lahde-mukaan": parse(LAHDE)}

PERSON = {"ref": "p1", "programme": "lahde-mukaan", "partner": OWN, "standing": "client"}
SESSION = {"ref": "s1", "programme": "lahde-mukaan", "partner": OWN, "activity": "kaapeli", "date": "2016-03-01"}
EVENT = SESSION | {"ref": "e1", "activity": "public_event"}
ATTENDANCE = {"session": "s1", "participant": "p1", "role": "participant"}


def write_set(
    folder: Path,
    participants: Sequence[Mapping[str, str]] = (PERSON,),
    sessions: Sequence[Mapping[str, str]] = (SESSION,),
    attendance: Sequence[Mapping[str, str]] = (ATTENDANCE,),
) -> Path:
    """Write the three files; a column that is not named stays empty."""
    for (file, columns), rows in zip(COLUMNS.items(), (participants, sessions, attendance), strict=True):
        with (folder / file).open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    return folder


def read(folder: Path, file: str) -> list[dict[str, str]]:
    """The rows of one file as text."""
    with (folder / file).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))
