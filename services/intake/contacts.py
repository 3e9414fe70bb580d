"""Use cases of how a person is reached: phone, e-mail, which they prefer, and in which language (decision 0223).

They are members of the identity, in the vault; the language is one of the record. Of whom has a protected address
nothing of it is kept.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.intake import exit_store, identity_store, rights_store, store, worker_store
from services.intake.domain import check_contact, is_protected
from services.intake.operations import Vault
from shared.contracts.contacts import SPOKEN
from shared.contracts.errors import AlreadyRecordedDiffers, ChangedMeanwhile, UnknownPerson
from shared.contracts.people import CONTACT
from shared.journal import Journal, Unit
from shared.storage.once import Results, each_once
from shared.storage.restricting import EVERYTHING, refuse_restricted, restricted_among


def set_contact(
    journal: Journal,
    keys: Vault,
    programme: str,
    subject: str,
    was: Mapping[str, str | None],
    told: Mapping[str, str | None],
    language: str | None,
    *,
    by: str,
    now: datetime,
) -> list[str]:
    """Keep how a person is reached; the members that are another now. `was`: what whoever writes has seen.

    No line comes of it. Raises `UnknownPerson`, `ChangedMeanwhile`, `ProcessingRestricted`, or `InvalidInput` naming
    the member.
    """
    with journal.unit(now) as unit:
        connection, row = unit.connection, _to_change(unit, programme, subject)
        identity = store.open_identity(keys.vault, row.person, row.wrapped_key, row.box)
        record = json.loads(row.record)
        before = {name: identity.get(name) for name in CONTACT}
        if before != {name: was.get(name) for name in CONTACT}:
            raise ChangedMeanwhile(field="was")
        after = {name: told.get(name) for name in CONTACT}
        rest = {name: value for name, value in identity.items() if name not in CONTACT}
        identity = rest | {name: value for name, value in after.items() if value}
        check_contact(identity, record)
        changed = [name for name in CONTACT if before[name] != after[name]]
        if changed:
            identity_store.set_identity(connection, keys.vault, row, identity)
        if language != record.get("contact_language"):
            changed.append("contact_language")
            rights_store.set_record(connection, row.subject, row.started_on, record | {"contact_language": language})
        if changed:
            unit.audit(by, "set_contact", programme=programme, subject=subject, changed=changed)
    return changed


def _to_change(unit: Unit, programme: str, subject: str) -> Any:
    """The person's row, locked. Raises `UnknownPerson`, `ProcessingRestricted`."""
    store.shelf.get(unit.connection, programme)
    row = store.locked_participation(unit.connection, programme, subject)
    if row is None:
        raise UnknownPerson(field="subject", programme=programme)
    refuse_restricted(restricted_among(unit.connection, [subject]), subject, None, "intake", "subject")
    return row


def set_languages(
    journal: Journal,
    programme: str,
    subject: str,
    was: Mapping[str, str | None],
    told: Mapping[str, str | None],
    *,
    by: str,
    now: datetime,
) -> list[str]:
    """Keep in which language a person is served, also of who has a protected address; the members that are another now.

    No line comes of it. Raises `UnknownPerson`, `ChangedMeanwhile` if it is not any more as `was` says, or
    `ProcessingRestricted`.
    """
    with journal.unit(now) as unit:
        connection, row = unit.connection, _to_change(unit, programme, subject)
        record = json.loads(row.record)
        before, after = ({name: said.get(name) for name in SPOKEN} for said in (record, told))
        if before != {name: was.get(name) for name in SPOKEN}:
            raise ChangedMeanwhile(field="was")
        changed = [name for name in SPOKEN if before[name] != after[name]]
        if changed:
            rights_store.set_record(connection, row.subject, row.started_on, record | after)
            unit.audit(by, "set_languages", programme=programme, subject=subject, changed=changed)
    return changed


@dataclass(frozen=True, slots=True)
class NewContact:
    """How one person is reached, to be kept."""

    key: str
    subject: str
    how: dict[str, str | None]

    def __repr__(self) -> str:
        return "NewContact(…)"  # never a number in a log


def add_contacts(
    journal: Journal,
    keys: Vault,
    programme: str,
    items: Sequence[NewContact],
    *,
    by: str,
    now: datetime,
    skip_bad: bool = False,
) -> Results:
    """Keep how people are reached of whom nothing is kept yet, in order, up to the first that is refused (`skip_bad`:
    all that are not); ``{"subject", "new"}`` or ``{"error"}``. No line comes of it."""
    with journal.unit(now) as unit:
        connection = unit.connection
        store.shelf.get(connection, programme)
        subjects = [new.subject for new in items]
        exit_store.stays(connection, programme, subjects)  # locked in one order, as erasing locks them
        restricted = restricted_among(connection, subjects)

        def take(new: NewContact) -> str:
            row = store.find_participation(connection, programme, new.subject)
            if row is None:
                raise UnknownPerson(field="participant", programme=programme)
            refuse_restricted(restricted, new.subject, None, "intake", "participant")
            identity = store.open_identity(keys.vault, row.person, row.wrapped_key, row.box)
            before, after = ({name: who[name] for name in CONTACT if who.get(name)} for who in (identity, new.how))
            if before and before != after:
                raise AlreadyRecordedDiffers(field="participant")
            check_contact(identity | after, json.loads(row.record))
            identity_store.set_identity(connection, keys.vault, row, identity | after)
            return new.subject

        results, fresh = each_once(
            connection,
            store.keys,
            programme,
            items,
            take,
            what="subject",
            field="participant",
            skip_bad=skip_bad,
            digester=keys,
            right=True,  # who is restricted is refused above
        )
        if fresh:
            unit.audit(by, "set_contact", programme=programme, subjects=sorted(subject for subject, _ in fresh))
    return results


def read_contacts(
    journal: Journal,
    keys: Vault,
    programme: str,
    subjects: Sequence[str],
    *,
    by: str,
    now: datetime,
    own_only: bool = False,
) -> dict[str, tuple[dict[str, Any], dict[str, str | None]]]:
    """How these people are reached, by subject: what is coded, and what is not.

    Left out is who is not here, whose processing is restricted, who has a protected address, and with `own_only` whose
    worker is another than `by`. Who is about to read of whom is written down first, in a transaction of its own.
    """
    with journal.unit(now) as unit:
        connection = unit.connection
        store.shelf.get(connection, programme)
        found = store.people_of(connection, programme, [bytes.fromhex(subject) for subject in {*subjects}])
        rows = {raw.hex(): row for raw, row in found.items()}
        restricted = restricted_among(connection, rows)
        seen = worker_store.visible_to(connection, programme, rows, by) if own_only else {*rows}
        rows = {
            subject: row
            for subject, row in rows.items()
            if subject in seen
            and EVERYTHING not in restricted.get(subject, ())
            and not is_protected(json.loads(row.record))
        }
        if rows:
            unit.audit(by, "read_contacts", programme=programme, subjects=sorted(rows))
    answer = {}
    for subject, row in rows.items():
        identity = store.open_identity(keys.vault, row.person, row.wrapped_key, row.box)
        record = json.loads(row.record)
        coded = {name: record.get(name) for name in ("contact_language", "service_language")}
        answer[subject] = (coded, {name: identity.get(name) for name in CONTACT})
    return answer
