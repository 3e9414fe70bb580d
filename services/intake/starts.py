"""Use cases of start records of people who are known: completed, corrected, shown; and tries to get a form.

Rules are in `records.py` and `domain.py`, the statements in `start_store.py`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from services.intake import eura, exit_store, exits, start_store, store
from services.intake.correcting import change_identity, completed, differences, keep_correction
from services.intake.domain import Arrival, Before, with_birth_date, without_contact
from services.intake.operations import Vault, log_identity_read
from services.intake.peers import Desk
from services.intake.protecting import follow_protection
from services.intake.records import (
    KEPT_OF_THE_RECORD,
    check_attempt,
    check_start,
    misfits,
    missing_evidence,
    record_lacks,
    start_fact,
)
from shared.contracts.catalogue import StandingReached
from shared.contracts.errors import AlreadyRecordedDiffers, ChangedMeanwhile, InvalidInput, UnknownPerson
from shared.contracts.mistake_facts import AttemptRemoved
from shared.contracts.start_facts import RecordAttempted
from shared.journal import Journal, Unit
from shared.journal.unit import new_id
from shared.ops.clock import iso_day, today_in_helsinki
from shared.programmes import Programme
from shared.storage import snapshot
from shared.storage.once import Results, each_once

_UNANSWERED = ("unknown", "not_asked")
"""Answers that say that nobody has answered: a list may tell more."""
IN_VAULT = ("birth_date", "form_version", "form_kept")
"""Of the identity what a start record has."""
_ONCE = ("given_name", "family_name", "identity_code")
"""What it may tell where nobody knows it yet."""


@dataclass(frozen=True, slots=True)
class NewStart:
    """The start record of somebody known here, to be recorded; `was`: the revision that whoever writes has seen. None:
    it is a list's, which tells only what is not known yet."""

    key: str
    subject: str
    was: str | None
    start_date: date
    record: dict[str, Any]
    content: dict[str, Any]

    def __repr__(self) -> str:
        return "NewStart(…)"  # never a birth date in a log


@dataclass(frozen=True, slots=True)
class NewAttempt:
    """A try to get a form, in vain, to be recorded."""

    key: str
    subject: str
    record: str
    status: str
    date: date


def record_starts(
    journal: Journal,
    keys: Vault,
    programme: str,
    items: Sequence[NewStart],
    *,
    desk: Desk,
    by: str,
    now: datetime,
    skip_bad: bool = False,
) -> tuple[Results, int | None]:
    """Record people's start records, in order, up to the first that is refused (`skip_bad`: all that are not).

    Returns a result per item, ``{"subject", "new", "lacks", "missing", "misfits"}`` or ``{"error"}``, and the journal
    position. Whoever was a client is an ESF participant with it; a visitor registers first (decision 0202). A record
    that lacks something is taken: it counts in the grand total, and `lacks` says what the indicators need.
    """
    with journal.unit(now) as unit:
        definition = store.shelf.get(unit.connection, programme)
        exit_store.stays(unit.connection, programme, (new.subject for new in items))  # in one order, locked

        def take(new: NewStart) -> str:
            _record_start(unit, keys, desk, definition, new, by)
            return new.subject

        with eura.recounting(unit, programme):
            results, fresh = each_once(
                unit.connection,
                store.keys,
                programme,
                items,
                take,
                what="subject",
                field="key",
                skip_bad=skip_bad,
                digester=keys,
                content=lambda new: json.dumps(_said(programme, new), sort_keys=True).encode(),
            )
        for result in results:
            if "subject" in result:
                result |= _state(_of(unit, programme, result["subject"]), definition)
        if fresh:
            unit.audit(by, "record_starts", programme=programme, subjects=sorted({subject for subject, _ in fresh}))
    return results, unit.pos


def _record_start(unit: Unit, keys: Vault, desk: Desk, definition: Programme, new: NewStart, by: str) -> None:
    programme, today = definition.key, today_in_helsinki(unit.now)
    row = _of(unit, programme, new.subject)
    stay = exit_store.stay_of(row)
    if row.standing == "visitor":
        raise InvalidInput(
            field="standing", reason="a visitor registers first: whether the history goes along is asked"
        )
    identity = store.open_identity(keys.vault, row.person, row.wrapped_key, row.box)
    before = json.loads(row.record)
    listed = new.was is None
    if listed:
        new = _completing(new, row, before, identity)
    elif new.was != _revision(keys, row, identity):
        raise ChangedMeanwhile(field="was")
    record = {name: before[name] for name in KEPT_OF_THE_RECORD if before.get(name)} | new.record
    told = {name: value for name, value in new.content.items() if value}
    known = without_contact(identity, record)
    kept = {name: value for name, value in known.items() if name not in IN_VAULT}
    arrival = Arrival(new.key, "esf_participant", new.start_date, record, kept | told)
    check_start(arrival, Before(row.standing, identity), stay, definition, today)
    arrival = with_birth_date(arrival, today)
    there = row.standing == arrival.standing and row.started_on == new.start_date
    if listed and there and not differences(identity | before, arrival.identity | {"age": before.get("age")} | record):
        return
    fact = start_fact(new.subject, arrival, definition)  # first: refused, it leaves nothing half written
    start_store.put_start(unit.connection, row, arrival)
    change_identity(unit, keys, row, identity, arrival.identity)
    follow_protection(unit, desk, row, record)
    if change := _corrected(row, known | before, new, arrival):
        keep_correction(unit, keys, row, change, by)
    day = new.start_date.isoformat()
    with exits.beginning(unit, programme, new.subject, stay, new.start_date):
        if row.standing != arrival.standing:
            unit.record(StandingReached(new.subject, standing=arrival.standing, occurred_on=day), programme)
        unit.record(fact, programme)
    if (record.get("eura_on"), record.get("eura_by")) != (before.get("eura_on"), before.get("eura_by")):
        eura.tell(unit, programme, new.subject, "start", record.get("eura_on"), record.get("eura_by"))


def _completing(new: NewStart, row: Any, before: dict[str, Any], identity: Mapping[str, Any]) -> NewStart:
    """The whole record, of what is recorded and of what a list tells. Raises `AlreadyRecordedDiffers`."""
    if row.started_on not in (None, new.start_date):
        raise AlreadyRecordedDiffers(field="start_date")
    recorded = {name: value for name, value in before.items() if name != "age"}
    content = completed({name: identity.get(name) for name in (*_ONCE, *IN_VAULT)}, new.content, ())
    record = {"gender": "unknown"} | completed(recorded, new.record, _UNANSWERED)  # erased with a record of before
    return replace(new, record=record, content=content)


def _corrected(row: Any, before: dict[str, Any], new: NewStart, arrival: Arrival) -> dict[str, list[Any]]:
    """What another answer stood for before, or in a record that was there already, none. `age` follows from others."""
    start = {"start_date": iso_day(row.started_on)}, {"start_date": new.start_date.isoformat()}
    found = differences(before | start[0] | {"age": None}, arrival.identity | arrival.record | start[1])
    if row.standing == "esf_participant" and row.started_on is not None:
        return found
    return {name: change for name, change in found.items() if change[0] not in (None, "unknown")}


def show_start(
    journal: Journal, keys: Vault, programme: str, subject: str, *, by: str, now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A person's start record: what is coded, and of the identity what the page shows; the read is logged first.

    Raises `UnknownPerson`; of nobody there is nothing to log.
    """
    log_identity_read(journal, programme, subject, by=by, now=now)
    with snapshot(journal.engine) as connection:
        definition = store.shelf.get(connection, programme)
        row = store.find_participation(connection, programme, subject)
        if row is None:
            raise UnknownPerson(field="person", programme=programme)
        tries = start_store.attempts(connection, row.subject)
    identity = store.open_identity(keys.vault, row.person, row.wrapped_key, row.box)
    coded = {
        "person": subject,
        "standing": row.standing,
        "started_on": iso_day(row.started_on),
        "ended_on": iso_day(row.ended_on),
        "record": {name: value for name, value in json.loads(row.record).items() if value is not None},
        "revision": _revision(keys, row, identity),
        "attempts": tries,
        "lacks_code": definition.identity_code == "required" and not identity.get("identity_code"),
        **_state(row, definition),
    }
    return coded, {name: identity.get(name) for name in ("given_name", "family_name", "token", *IN_VAULT)}


def record_attempts(
    journal: Journal, programme: str, items: Sequence[NewAttempt], *, by: str, now: datetime, skip_bad: bool = False
) -> tuple[Results, int | None]:
    """Record tries to get a form that were in vain; results are ``{"attempt", "new"}`` or ``{"error"}``."""
    with journal.unit(now) as unit:
        definition = store.shelf.get(unit.connection, programme)
        today, stays = today_in_helsinki(now), exit_store.stays(unit.connection, programme, (n.subject for n in items))

        def take(new: NewAttempt) -> str:
            if new.subject not in stays:
                raise UnknownPerson(field="person", programme=programme)
            check_attempt(new.record, new.date, stays[new.subject], definition, today)
            made = new_id()
            body = {"record": new.record, "status": new.status, "occurred_on": new.date.isoformat()}
            unit.record(RecordAttempted(new.subject, attempt=made, programme=programme, **body))
            return made

        results, fresh = each_once(
            unit.connection, store.keys, programme, items, take, what="attempt", field="key", skip_bad=skip_bad
        )
        made = [(ref, new.subject, new.record, new.status, new.date) for ref, new in fresh]
        start_store.add_attempts(unit.connection, programme, made)
        if fresh:
            unit.audit(by, "record_attempts", programme=programme, people=len(fresh))
    return results, unit.pos


def remove_attempt(
    journal: Journal, programme: str, subject: str, attempt: str, *, by: str, now: datetime
) -> tuple[bool, int | None]:
    """Take back a try in vain that was recorded by mistake: it is no evidence any more (decision 0249).

    Returns whether it was there, and the journal position. Raises `UnknownProgramme` or `UnknownPerson`.
    """
    with journal.unit(now) as unit:
        store.shelf.get(unit.connection, programme)
        if subject not in exit_store.stays(unit.connection, programme, [subject]):
            raise UnknownPerson(field="person", programme=programme)
        if not start_store.remove_attempt(unit.connection, subject, attempt):
            return False, None
        unit.record(AttemptRemoved(subject, attempt=attempt, programme=programme))
        unit.audit(by, "remove_attempt", programme=programme, subject=subject)
    return True, unit.pos


def _of(unit: Unit, programme: str, subject: str) -> Any:
    row = store.find_participation(unit.connection, programme, subject)
    if row is None:
        raise UnknownPerson(field="person", programme=programme)
    return row


def _state(row: Any, definition: Programme) -> dict[str, list[str]]:
    """What a participant's record lacks, which evidence is missing, and where the person does not fit."""
    if row.standing != "esf_participant" or row.started_on is None:
        return {"lacks": [], "missing": [], "misfits": []}
    record = json.loads(row.record)
    return {
        "lacks": record_lacks(record, row.started_on, definition),
        "missing": missing_evidence(record, row.started_on, definition),
        "misfits": misfits(record, definition),
    }


def _revision(keys: Vault, row: Any, identity: Mapping[str, Any]) -> str:
    """What a change must have seen: keyed, for it goes out to a page and holds a birth date."""
    who = (identity.get(name) for name in ("identity_code", *IN_VAULT))
    shown = [row.standing, iso_day(row.started_on), row.record, *who]
    return keys.digest(json.dumps(shown).encode()).hex()


def _said(programme: str, new: NewStart) -> list[Any]:
    return [programme, new.subject, new.was, new.start_date.isoformat(), new.record, new.content]
