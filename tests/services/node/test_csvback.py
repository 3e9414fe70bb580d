"""What an archive's CSV set holds is what was brought in, and an empty node takes it back with all its evidence."""

import re
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select

from services.intake.store import participation
from services.node.archiving import archive
from services.node.csvrows import COLUMNS, ORDER, PARTICIPANTS
from services.node.csvset import check_set
from services.node.importing import Import
from services.node.opening import open_database, recorded_to
from services.node.reaching import services_of
from services.pathways import versions
from shared.journal import Journal
from shared.journal.crypto import load_keys
from shared.ops.settings import Home
from shared.programmes import parse
from tests.flows.kit import free_port_triple
from tests.services import kit
from tests.services.node import sets
from tests.services.node.made import new_home
from tests.services.node.sets import STEPPED, read, write_set

FORM = {"form_version": "esf_2014_2020", "form_kept": "=kaappi 3", "form_language": "sv", "form_help": "with_help"}
ANSWERS = {
    **{"gender": "f", "labour_status": "unemployed", "unemployed_months": "7", "education": "3", "minority": "refused"},
    **{"target_group": "unemployed", "paid_by_project": "no", "form_signed_on": "2016-03-01"},
}
PEOPLE = [
    sets.PERSON
    | {"standing": "esf_participant", "given_name": "Testi", "family_name": "-Testinen", "birth_date": "1981-02-03"}
    | {"start_date": "2016-03-01", "service_language": "so", "interpreter": "yes", "eura_on": "2016-03-03"}
    | {"identity_code": "030281-999N", "eura_by": "worker", **ANSWERS, **FORM},
    sets.PERSON | {"ref": "p2", "given_name": "Toinen", "family_name": "Testinen", "gender": "f"},
    *(
        sets.PERSON
        | {"ref": ref, "given_name": "Testi", "family_name": "Testinen", "start_date": day}
        | {"standing": "esf_participant", "birth_date": "1970-01-01"}
        | ANSWERS
        | FORM
        for ref, day in (("p3", "2016-05-01"), ("p4", "2016-05-02"))
    ),
]
P2, P3, P4 = ({"participant": ref, "programme": "lahde-mukaan"} for ref in ("p2", "p3", "p4"))
ASKED = sets.FOLLOWUP | {"due": "2016-12-01", "status": "not_reached"}
HELD = [sets.SESSION | {"minutes": "90"}, sets.EVENT, sets.SESSION | {"ref": "s2", "activity": "duuniin"}]
CAME = [sets.ATTENDANCE, sets.ATTENDANCE | {"session": "s2"}, sets.ATTENDANCE | {"session": "s2", "participant": "p2"}]
SET: dict[str, list[dict[str, str]]] = {
    "starts": [P2 | {"start_date": "2016-04-01", "birth_date": "1990-01-01", **ANSWERS, **FORM}],
    "steps": [sets.STEP | {"to": "2016-05-01"}, sets.STEP | P2, sets.STEP | P3 | {"from": "2016-09-01"}],
    "pauses": [sets.PAUSE | {"to": "2016-03-20"}],
    "outcomes": [sets.OUTCOME],
    "exits": [
        sets.EXIT | {"results": "qualification;employment", "next": "education"},
        sets.EXIT | P2 | {"reason": "moved", "back": "2016-10-01"},
        sets.EXIT | P3 | {"date": "2016-06-01", "back": "2016-07-15"},
        sets.EXIT | P3 | {"date": "2016-07-20", "back": "2016-08-01"},
        sets.EXIT | P4 | {"date": "2016-06-01"},
        sets.EXIT | P4 | {"date": "2016-11-01", "reason": "moved"},
    ],
    "followups": [
        sets.FOLLOWUP | {"results": "employment"},
        ASKED | P3 | {"date": "2016-07-01"},
        ASKED | P3 | {"date": "2016-07-25"},
        ASKED | P4 | {"date": "2016-10-01"},
        ASKED | P4 | {"date": "2016-12-02"},
    ],
    "encounters": [{name: value for name, value in sets.ENCOUNTER.items() if name != "token"}],
    "assessments": [sets.ANSWER],
    "informed": [sets.INFORMED | {"consents": ""}, sets.INFORMED | {"ref": "p2", "consents": "", "notice": "1"}],
    "exitforms": [
        sets.EXIT_FORM | FORM | {"eura_on": "2016-09-05", "eura_by": "self", "may_call": "no"},
        sets.EXIT_FORM | P4,
    ],
    "plans": [sets.PLAN, P2 | {"what": "strength", "code": "ideas"}],
    "attempts": [
        sets.ATTEMPT | {"status": "not_reached"},
        sets.ATTEMPT | P2 | {"record": "start", "date": "2016-03-09"},
    ],
}


def node(path: Path) -> Home:
    home = new_home(path, "node", "pori", free_port_triple())
    versions.load_programme(Journal(open_database(home), home.name), STEPPED, "boss", kit.NOW)
    return home


def brought_in(home: Home, folder: Path) -> tuple[int, dict[str, int]]:
    """How many rows were new, and by file how many were there already."""
    checked = check_set(folder, {"lahde-mukaan": parse(STEPPED)})
    assert checked.problem_lines() == []
    bus_key = load_keys(home.keys).newest("bus").public
    assert bus_key
    with services_of(home) as rpc:
        work = Import(rpc, bus_key, after=recorded_to(home))
        work.run(checked)
    return sum(work.new.values()), {file: number for file, number in work.known.items() if number}


def came_back(home: Home, started: date, day: str) -> None:
    """Whoever began on this day is back since that one."""
    with open_database(home).connect() as connection:
        subject = connection.execute(select(participation.c.subject).where(participation.c.started_on == started))
        who = subject.scalar_one().hex()
    with services_of(home) as rpc:
        asked = {"programme": "lahde-mukaan", "subject": who, "date": day, "by": "boss"}
        assert rpc.call("intake", "resume_participation", **asked)["new"]


def texts(folder: Path) -> dict[str, str]:
    """The lists about people; ids, of which another node makes others, by the order in which they come."""
    ids: dict[str, str] = {}
    files = [folder / "csv" / name for name in ORDER if (folder / "csv" / name).exists()]
    return {
        file.name: re.sub(
            r"\b[0-9a-f]{32}\b", lambda found: ids.setdefault(found[0], f"id{len(ids)}"), file.read_text("utf-8")
        )
        for file in [*files, folder / "evidence.csv"]
    }


def test_an_archive_read_back_into_an_empty_node_is_the_same_archive(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    folder = write_set(tmp_path / "set", PEOPLE, HELD, CAME, **SET)
    first, second = node(tmp_path / "first"), node(tmp_path / "second")
    new, _ = brought_in(first, folder)
    assert new == len([*PEOPLE, *HELD, *CAME]) + sum(map(len, SET.values()))
    assert brought_in(first, folder)[0] == 0, "bringing it in again adds nothing"
    came_back(first, date(2016, 5, 2), "2017-01-01")
    archive(first, "lahde-mukaan", tmp_path / "one")
    made = tmp_path / "one" / "personal" / "csv"
    at_last = {"exits": [*SET["exits"][:-1], SET["exits"][-1] | {"back": "2017-01-01"}]}
    at_last["exitforms"] = SET["exitforms"][:1]  # the other is of an exit that is no more
    for name in ("exitforms", "attempts", "informed", "steps", "pauses", "followups", "outcomes", "exits"):
        assert read(made, f"{name}.csv") == [_row(f"{name}.csv", row) for row in (SET | at_last)[name]], name
    one, two, *_ = read(made, PARTICIPANTS)
    given = ANSWERS | FORM | {"form_kept": "'=kaappi 3"}
    assert {name: (one[name], two[name]) for name in given} == {name: (said, said) for name, said in given.items()}
    assert (one["eura_on"], one["eura_by"], two["standing"]) == ("2016-03-03", "worker", "esf_participant")
    brought_in(second, made)
    assert brought_in(second, made)[0] == 0
    archive(second, "lahde-mukaan", tmp_path / "two")
    assert texts(tmp_path / "two" / "personal") == texts(tmp_path / "one" / "personal")


def _row(file: str, row: dict[str, Any]) -> dict[str, str]:
    """A row of the set as an archive writes it: what would be a formula has an apostrophe before it."""
    return {name: f"'{row[name]}" if row.get(name, "").startswith("=") else row.get(name, "") for name in COLUMNS[file]}
