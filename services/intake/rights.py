"""Use cases of a participant's rights: a copy, corrections, restriction; one transaction each (decision 0205)."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from services.intake import eura, exit_store, exits, rights_store, start_store, store, text_store
from services.intake.correcting import change_identity, differences, keep_correction
from services.intake.domain import (
    WHERE_PEOPLE_LIVE,
    Arrival,
    Before,
    check_arrival,
    is_protected,
    with_birth_date,
    without_contact,
)
from services.intake.encounters import remove_visits_left
from services.intake.operations import Vault, log_identity_read, record_start
from services.intake.peers import Desk
from services.intake.protecting import follow_protection
from services.intake.records import FACT_MEMBERS, check_first_start, proof_of
from shared.contracts.errors import ChangedMeanwhile, InvalidInput, UnknownPerson
from shared.contracts.rights_facts import PersonRestricted, RestrictionLifted
from shared.journal import Journal
from shared.journal.audit import entries_naming
from shared.journal.erasing import subject_digest
from shared.journal.reading import lines_about
from shared.ops.clock import iso_day, today_in_helsinki
from shared.storage import snapshot
from shared.storage.copying import rows_of_subject

_WHO = ("given_name", "family_name", "token", "birth_date", "identity_code")

_OWN_TABLES = (
    "intake_participation",
    "intake_correction",
    "intake_text",
    "intake_ending",
    "intake_receipt",
    "intake_restriction",
    "intake_pair",
)


def correct_person(
    journal: Journal,
    keys: Vault,
    programme: str,
    subject: str,
    identity_changes: Mapping[str, Any],
    record_changes: Mapping[str, Any],
    *,
    desk: Desk,
    by: str,
    now: datetime,
    was: str | None = None,
) -> tuple[list[str], int | None]:
    """Correct a person's identity and record; the members that are another now, and the journal position.

    None of a member takes it away. What comes of it is checked like somebody who comes in. `was`: the revision that
    whoever corrects has seen (`show_identity`). Raises `UnknownPerson`, `ChangedMeanwhile` if there is another now, and
    what `check_arrival` raises. A later start record corrects the lead's; an identity changes in the vault alone.
    """
    with journal.unit(now, right=True) as unit:
        connection = unit.connection
        row = store.locked_participation(connection, programme, subject)
        if row is None:
            raise UnknownPerson(field="person", programme=programme)
        definition = store.shelf.get(connection, programme)
        identity = store.open_identity(keys.vault, row.person, row.wrapped_key, row.box)
        if was not in (None, _revision(keys, row, identity)):
            raise ChangedMeanwhile(field="was")
        record = {name: value for name, value in json.loads(row.record).items() if name != "age"}
        changes = dict(record_changes)
        if is_protected(changes):
            changes = dict.fromkeys(WHERE_PEOPLE_LIVE) | changes
        before, identity = identity, without_contact(identity, changes)  # in no correction: it would be kept there
        start = date.fromisoformat(changes.pop("start_date")) if "start_date" in changes else row.started_on
        told = Arrival("", row.standing, start, _changed(record, changes), _changed(identity, identity_changes))
        today = today_in_helsinki(now)
        after = with_birth_date(told, today)
        old, new = identity | record, after.identity | after.record
        if start != row.started_on:
            old, new = old | {"start_date": iso_day(row.started_on)}, new | {"start_date": iso_day(start)}
        change = differences(old, new)
        if not change:
            return [], None
        check_arrival(told, definition, today, Before(row.standing, before))
        stay = exit_store.stay_of(row)
        check_first_start(start, stay)
        change_identity(unit, keys, row, before, after.identity)
        with eura.recounting(unit, programme):
            rights_store.set_record(connection, row.subject, start, after.record | {"age": after.age})
        follow_protection(unit, desk, row, after.record)
        keep_correction(unit, keys, row, change, by)
        to_tell = {"start_date", "birth_date", *FACT_MEMBERS} & {*change}
        proved = proof_of(record, definition) != proof_of(after.record, definition)
        if (to_tell or proved) and start is not None:
            with exits.beginning(unit, programme, subject, stay, start):
                record_start(unit, definition, subject, after, new_standing="start_date" in change)
    return sorted(change), unit.pos


def show_identity(
    journal: Journal, keys: Vault, programme: str, subject: str, *, by: str, now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Who a person is: what is coded, and the members of the identity that a correction may change.

    The read is logged first, in a transaction of its own. Raises `UnknownPerson`; of nobody there is nothing to log.
    """
    log_identity_read(journal, programme, subject, by=by, now=now)
    with snapshot(journal.engine) as connection:
        row = store.find_participation(connection, programme, subject)
    if row is None:
        raise UnknownPerson(field="person", programme=programme)
    identity, record = store.open_identity(keys.vault, row.person, row.wrapped_key, row.box), json.loads(row.record)
    coded = {name: record.get(name) for name in ("protected_address", "contact_language", "service_language")}
    coded |= {"person": subject, "standing": row.standing, "revision": _revision(keys, row, identity)}
    return coded, {name: identity.get(name) for name in _WHO}


def _revision(keys: Vault, row: Any, identity: Mapping[str, Any]) -> str:
    """What a correction must have seen: keyed, for it goes out to a page and holds an identity."""
    protected = json.loads(row.record).get("protected_address")
    shown = ["identity", row.subject.hex(), protected, *(identity.get(name) for name in _WHO)]
    return keys.digest(json.dumps(shown).encode()).hex()


def _changed(members: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**members, **changes}.items() if value is not None}


def restrict_person(
    journal: Journal, programme: str, subject: str, ground: str | None, *, lift: bool, by: str, now: datetime
) -> tuple[bool, int | None]:
    """Restrict the processing about a person, or lift that; whether it is new, and the journal position (None if a
    restriction has another ground now: that is told to nobody).

    Raises `UnknownPerson`, or `InvalidInput` if a restriction has no ground.
    """
    if ground is None and not lift:
        raise InvalidInput(field="ground", reason="a restriction has one")
    with journal.unit(now, right=True) as unit:
        if store.locked_participation(unit.connection, programme, subject) is None:
            raise UnknownPerson(field="person", programme=programme)
        known = rights_store.restriction_of(unit.connection, bytes.fromhex(subject))
        if (known is None) if lift else (known is not None and known.ground == ground):
            return False, None
        today = today_in_helsinki(now).isoformat()
        rights_store.set_ground(unit.connection, programme, bytes.fromhex(subject), None if lift else ground)
        if lift:
            unit.record(RestrictionLifted(subject, occurred_on=today), programme)
            remove_visits_left(unit, programme, subject)
        elif known is None:
            unit.record(PersonRestricted(subject, occurred_on=today), programme)
        unit.audit(by, "lift_restriction" if lift else "restrict_person", programme=programme, subject=subject)
    return True, unit.pos


def copy_person(
    journal: Journal, keys: Vault, programme: str, subject: str, *, by: str, now: datetime
) -> dict[str, Any]:
    """Everything that intake and the journal keep about a person, in clear; texts by their `text_ref`.

    That it was read is written down first, in a transaction of its own. Raises `UnknownPerson`.
    """
    with journal.unit(now) as unit:
        if store.locked_participation(unit.connection, programme, subject) is None:
            raise UnknownPerson(field="person", programme=programme)
        unit.audit(by, "copy_person", programme=programme, subject=subject)
    with journal.unit(now) as unit:
        connection, raw = unit.connection, bytes.fromhex(subject)
        row = store.locked_participation(connection, programme, subject)
        if row is None:
            raise UnknownPerson(field="person", programme=programme)
        kept: dict[str, Any] = dict(rows_of_subject(connection, "intake", subject, without=_OWN_TABLES))
        kept["identity"] = store.open_identity(keys.vault, row.person, row.wrapped_key, row.box)
        kept["participation"] = _participation(row)
        for form in kept.get("exit_form", ()):
            form |= start_store.open_exit_form(connection, keys.vault, row)
        kept["correction"] = rights_store.corrections_of(connection, keys.vault, raw)
        kept["ending"] = rights_store.endings_of(connection, programme, subject)
        kept["same_as"] = rights_store.same_as(connection, raw)
        kept["text"] = [text.hex() for text in text_store.texts_of(connection, raw)]
        if restriction := rights_store.restriction_of(connection, raw):
            kept["restriction"] = {"ground": restriction.ground, "since": restriction.since}
        return {"intake": kept, "history": _history(connection, subject), "reads": _reads(connection, subject)}


def _participation(row: Any) -> dict[str, Any]:
    days = {name: iso_day(getattr(row, name)) for name in ("started_on", "ended_on", "resumed_on")}
    ends = {name: getattr(row, name) for name in ("end_reason", "end_results", "end_next", "end_planned")}
    return {"standing": row.standing, **days, **ends, **json.loads(row.record)}


def _history(connection: Connection, subject: str) -> list[dict[str, Any]]:
    """Every line about the person: what was recorded when, and whether it travels to the lead."""
    return [
        {
            "recorded_at": line.recorded_at,
            "kind": line.kind,
            "to_lead": not line.stream.endswith("/local"),
            "body": line.body,
        }
        for line in lines_about(connection, [subject])
    ]


def _reads(connection: Connection, subject: str) -> list[dict[str, Any]]:
    """What the audit log says was done with the person: when and what. Not by whom: that is somebody else's data."""
    found = (json.loads(row.entry) for row in entries_naming(connection, subject_digest(subject)))
    return [{"at": said["at"], "action": said["action"]} for said in found]
