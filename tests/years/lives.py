"""How everybody stands with intake, and what its lines say, held against `comings.py`."""

import json
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import select

from services.intake import encounter_tables, exit_store, records, rights_store, start_store, store, worker_store
from shared.journal.tables import journal_line
from shared.storage import metadata, snapshot
from tests.services import kit
from tests.years.comings import EXIT, Act, Life
from tests.years.home import Home, Known


def same_lives(home: Home) -> None:
    """Every row and every line of intake about people is what was taken of them; of who is erased there is none."""
    rows = {row["subject"].hex(): row for row in kit.rows(home.engine, store.participation)}
    told = _lines(home)
    assert rows.keys() == {one.subject for one in home.people.values() if not one.gone}
    gone = {bytes.fromhex(one.subject) for one in home.people.values() if one.gone}
    for table in metadata.sorted_tables:
        if table.name.startswith("intake_") and "subject" in table.c:
            assert not gone & {row["subject"] for row in kit.rows(home.engine, table)}, table.name
    counts = {table: Counter(row["subject"].hex() for row in kit.rows(home.engine, table)) for table in _COUNTED}
    forms = {row["subject"].hex(): row for row in kit.rows(home.engine, start_store.exit_form)}
    names = {row["worker"]: row["name"] for row in kit.rows(home.engine, worker_store.worker)}
    has = {row["subject"].hex(): names[row["worker"]] for row in kit.rows(home.engine, worker_store.caseload)}
    for one in home.people.values():
        if one.gone:
            continue
        row, life = rows[one.subject], one.life
        assert _stands(row) == _must_stand(life), (life.programme.key, life.acts)
        says, must = told[one.subject], _lines_of(life)
        assert says == must, (life.programme.key, says - must, must - says, life.acts)
        taken = Counter(act.what for act in life.record)
        assert counts[exit_store.follow_up][one.subject] == taken["follow up"]
        assert counts[start_store.attempt][one.subject] == taken["attempt"]
        assert counts[encounter_tables.visit][one.subject] == life.visits.total()
        assert counts[rights_store.restriction][one.subject] == life.restricted
        assert has.get(one.subject) == life.worker
        # Who came back has none, though it is kept until the next exit: the return may have been a mistake.
        form, kept = life.exit_form, forms.get(one.subject) if life.leaving[0] else None
        assert (form and form["signed"]) == (kept and kept["signed_on"])
        _reached(home, one, _lacks(home, row))
    pairs = kit.rows(home.engine, rights_store.pair)
    judged = {frozenset((row["subject"].hex(), row["other"].hex())): row["verdict"] for row in pairs}
    assert judged == home.verdicts


_COUNTED = (exit_store.follow_up, start_store.attempt, encounter_tables.visit, rights_store.restriction)
_LEFT_OUT = ("same_person", "not_same_person", "purpose_cleared")
"""Of two people, or by chance of random ids of the one or the other."""


def _stands(row: dict[str, Any]) -> tuple[Any, ...]:
    results = None if row["end_results"] is None else tuple(row["end_results"].split())
    ended = (row["ended_on"], row["end_reason"], results, row["end_next"], row["end_planned"])
    return row["standing"], row["started_on"], row["resumed_on"], ended


def _must_stand(life: Life) -> tuple[Any, ...]:
    holds, back = life.leaving
    ended = (holds.day, *(holds[name] for name in EXIT)) if holds else (None, life.away, *(None,) * 3)
    return life.standing, life.start, back, ended


def _lines(home: Home) -> dict[str, Counter[str]]:
    """What intake's lines say of each person, by kind."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    query = select(journal_line.c.kind, journal_line.c.subject).where(journal_line.c.subject.is_not(None))
    with snapshot(home.engine) as connection:
        for kind, subject in connection.execute(query.where(journal_line.c.kind.startswith("intake."))):
            if (said := kind.removeprefix("intake.")) not in _LEFT_OUT:
                found[subject.hex()][said] += 1
    return found


def _lines_of(life: Life) -> Counter[str]:
    """The lines that must have come of what was taken; those of the fund's record go with it."""
    found: Counter[str] = Counter()
    forgotten = len(life.acts) - len(life.record)
    for number, act in enumerate(life.acts):
        told = _told(act, Life(life.programme, life.acts[:number]))
        found += Counter(kind for kind in told if number >= forgotten or not kind.startswith(OF_THE_RECORD))
    return found


OF_THE_RECORD = ("participation_", "follow_up_", "record_attempted", "eura_entered", "exit_form_recorded")
_ONE_EACH = {
    **{"follow up": "follow_up_recorded", "attempt": "record_attempted", "EURA": "eura_entered"},
    **{"exit form": "exit_form_recorded", "restrict": "person_restricted", "lift": "restriction_lifted"},
    **{"withdraw": "purpose_ended"},
}


def _told(act: Act, before: Life) -> list[str]:
    after = Life(before.programme, [*before.acts, act])
    if act.what == "restrict" and before.restricted:
        return []  # another ground is told to nobody
    if act.what in _ONE_EACH:
        return [_ONE_EACH[act.what]]
    if act.what in ("register", "meet", "raise", "start form", "correct start"):
        found = ["standing_reached"] if not before.acts or before.standing != after.standing else []
        found += ["visitor_met"] if act.what == "meet" else []
        participates = act.what != "meet" and after.standing == "esf_participant"
        if act.what == "correct start":
            same = before.start == after.start
            found, participates = ([], False) if same else (["standing_reached"], participates)
        found += ["participation_started"] if participates else []
        if before.start is None and after.start is not None and before.leaving[0]:
            found += ["participation_ended" if after.leaving[0] else "client_returned"]
        asked = act["kept"] is not None
        found += ["worker_changed"] if act["worker"] else []
        return found + (["history_asked"] if asked else [])
    if act.what == "door":
        return ["visit_removed" if act["how"] == "tile off" else "visitor_met"]
    if act.what == "exit":
        held, _ = now = Life(before.programme, [*before.acts, replace(act, told={**act.told, "back": None})]).leaving
        left = _says(*before.leaving) != _says(*now)
        back = act["back"] is not None and held is not None and held.day == act.day
        return [_who(before, "ended")] * left + [_who(before, "resumed")] * back
    if act.what == "return":
        return [_who(before, "resumed")]
    if act.what in ("worker", "hand over"):
        return ["worker_changed"] if before.worker != after.worker else []
    if act.what == "forget record":
        held = before.start is not None or bool(before.answers.keys() - {"gender"})
        held = held or any(kind.startswith(OF_THE_RECORD) for kind in _lines_of(before))
        again = held and before.start is None and before.leaving[0] is not None
        return ["purpose_ended"] * held + ["standing_reached"] * (before.start is not None) + ["client_left"] * again
    return []


def _says(holds: Act | None, back: date | None) -> tuple[Any, ...]:
    """The exit that holds, without who wrote it down and when; an exit that says the same again is told once."""
    return (holds and (holds.day, *(holds[name] for name in EXIT)), back)


def _who(life: Life, how: str) -> str:
    """By which fact somebody leaves or comes back."""
    if life.start is not None:
        return f"participation_{how}"
    return {"ended": "client_left", "resumed": "client_returned"}[how]


def _lacks(home: Home, row: dict[str, Any]) -> list[str]:
    if row["standing"] != "esf_participant":
        return []
    return records.record_lacks(json.loads(row["record"]), row["started_on"], home.programmes[row["programme"]])


def _reached(home: Home, one: Known, lacks: list[str]) -> None:
    """Whether the record is complete: all that is not sensitive is answered, and the form is signed."""
    life, key = one.life, one.programme.key
    if life.standing == "esf_participant":
        assert life.complete == (not lacks), (life.programme.key, lacks, life.answers)
        home.reached[key, "record complete" if life.complete else "record incomplete"] += 1
        home.reached[key, "record unproved"] += "proof" in lacks
    home.reached[key, f"stands as {life.standing}"] += 1
    home.reached[key, "has left" if life.leaving[0] else "is back" if life.leaving[1] else "is there"] += 1
