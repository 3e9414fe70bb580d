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

ASKING = {"followup": {"after_days": 180}}
PROGRAMMES = {"lahde-mukaan": parse(LAHDE | ASKING)}
"""Programme 3, asking people after they left."""

STEPPED = (
    copy.deepcopy(LAHDE)
    | ASKING
    | {
        "steps": [
            {"key": "outreach", "name": {"fi": "Etsivä työ"}, "level": "individual"},
            {"key": "network", "name": {"fi": "Verkosto"}, "level": "service_system"},
        ]
    }
)
"""Programme 3 with a step that people enter and one that nobody does."""

PERSON = {"ref": "p1", "programme": "lahde-mukaan", "partner": OWN, "standing": "client"}
SESSION = {"ref": "s1", "programme": "lahde-mukaan", "partner": OWN, "activity": "kaapeli", "date": "2016-03-01"}
EVENT = SESSION | {"ref": "e1", "activity": "public_event"}
ANSWER = {
    **{"participant": "p1", "sheet": "f1", "instrument": "three_items", "version": "1", "occasion": "baseline"},
    **{"date": "2016-03-01", "item": "work_ability", "value": "7"},
}
ATTENDANCE = {"session": "s1", "participant": "p1", "role": "participant"}
STEP = {"participant": "p1", "programme": "lahde-mukaan", "step": "outreach", "from": "2016-03-01"}
PAUSE = STEP | {"from": "2016-03-10"}
EXIT = {"participant": "p1", "programme": "lahde-mukaan", "date": "2016-09-01", "reason": "completed"}
FOLLOWUP = {
    **{"participant": "p1", "programme": "lahde-mukaan", "due": "2017-03-01", "date": "2017-03-02"},
    "status": "reached",
}
ENCOUNTER = {
    **{"ref": "c1", "programme": "lahde-mukaan", "partner": OWN, "date": "2016-03-01", "time": "19:30"},
    **{"location": "sampola_meeting_place", "area": "sampola", "staff": "2", "people_new": "3", "people_known": "5"},
    **{"women": "4", "languages": "fi;ar", "topics": "finances;health", "token": "Nalle;sinikettu 7"},
}
WORKER = {"participant": "p1", "programme": "lahde-mukaan", "worker": "anna.k"}
CONTACT = {"participant": "p1", "programme": "lahde-mukaan", "phone": "040 111-2223", "contact_way": "call"}
START = {"participant": "p1", "programme": "lahde-mukaan", "start_date": "2016-03-01", "form_signed_on": "2016-03-01"}
EXIT_FORM = {"participant": "p1", "programme": "lahde-mukaan", "form_signed_on": "2016-09-01", "may_call": "yes"}
ATTEMPT = {
    **{"participant": "p1", "programme": "lahde-mukaan", "record": "exit", "status": "refused", "date": "2016-09-01"},
}
PLAN = {
    **{"participant": "p1", "programme": "lahde-mukaan", "what": "action", "text": "Soitetaan", "state": "open"},
    **{"who": "worker", "day": "2016-04-01", "shown": "yes"},
}
INFORMED = {"ref": "p1", "notice": "3", "language": "so", "consents": "measurement", "occurred_on": "2016-03-01"}
OUTCOME = {"participant": "p1", "programme": "lahde-mukaan", "date": "2016-08-15", "outcome": "education"}


def write_set(
    folder: Path,
    participants: Sequence[Mapping[str, str]] = (PERSON,),
    sessions: Sequence[Mapping[str, str]] = (SESSION,),
    attendance: Sequence[Mapping[str, str]] = (ATTENDANCE,),
    steps: Sequence[Mapping[str, str]] = (),
    outcomes: Sequence[Mapping[str, str]] = (),
    **others: Sequence[Mapping[str, str]],
) -> Path:
    """Write the three files, steps and outcomes if there are any, and others by the first word of their name; a column
    that is not named stays empty."""
    files = {"participants": participants, "sessions": sessions, "attendance": attendance, **others}
    files |= {name: rows for name, rows in (("steps", steps), ("outcomes", outcomes)) if rows}
    for name, rows in files.items():
        file, columns = f"{name}.csv", COLUMNS[f"{name}.csv"]
        with (folder / file).open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    return folder


def read(folder: Path, file: str) -> list[dict[str, str]]:
    """The rows of one file as text."""
    with (folder / file).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))
