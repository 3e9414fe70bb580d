"""Use cases of what is written down beside an exit: the form and its evidence, wishes, whether one may call; and who is
due to be asked afterwards.

Rules are in `records.py`, the statements in `start_store.py` and `exit_store.py`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from services.intake import eura, exit_store, exits, start_store, store, text_store
from services.intake.correcting import completed
from services.intake.operations import Vault, log_identity_read
from services.intake.records import NewExit, Stay, check_exit_form
from shared.contracts.errors import ChangedMeanwhile, InvalidInput, UnknownPerson, unless_refused
from shared.contracts.start_facts import ExitFormRecorded
from shared.journal import Journal, Unit
from shared.ops.clock import iso_day, today_in_helsinki
from shared.storage import snapshot
from shared.storage.once import Results, each_once


@dataclass(frozen=True, slots=True)
class NewExitForm:
    """What is to be written down beside an exit; `content` is for the vault. `was` None: it is a list's, which tells
    only what is not known yet."""

    key: str
    subject: str
    was: str | None
    told: dict[str, Any]
    content: dict[str, Any]

    def __repr__(self) -> str:
        return "NewExitForm(…)"  # never where somebody's paper is in a log


def record_exit_forms(
    journal: Journal,
    keys: Vault,
    programme: str,
    items: Sequence[NewExitForm],
    *,
    by: str,
    now: datetime,
    skip_bad: bool = False,
) -> tuple[Results, int | None]:
    """Write down people's exit forms, in order, up to the first that is refused (`skip_bad`: all that are not).

    Returns a result per item, ``{"subject", "new"}`` or ``{"error"}``, and the journal position.
    """
    with journal.unit(now) as unit:
        results = write_down(unit, keys, programme, items, by=by, skip_bad=skip_bad)
    return results, unit.pos


def write_down(
    unit: Unit,
    keys: Vault,
    programme: str,
    items: Sequence[NewExitForm],
    *,
    by: str,
    skip_bad: bool = False,
    before: str | None = None,
) -> Results:
    """The same within a unit of work; `before`: the revision at its beginning, of whom has left in it."""
    store.shelf.get(unit.connection, programme)
    today = today_in_helsinki(unit.now)
    stays = exit_store.stays(unit.connection, programme, (new.subject for new in items))

    def take(new: NewExitForm) -> str:
        _record(unit, keys, programme, new, stays, today, before)
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
            content=lambda new: json.dumps(
                [programme, new.subject, new.was, new.told, new.content], sort_keys=True
            ).encode(),
        )
    if fresh:
        subjects = sorted({subject for subject, _ in fresh})
        unit.audit(by, "record_exit_forms", programme=programme, subjects=subjects)
    return results


def record_leaving(
    journal: Journal, keys: Vault, programme: str, leaving: NewExit, form: NewExitForm, *, by: str, now: datetime
) -> tuple[bool, int | None]:
    """Somebody's exit and its form, both or neither; whether anything is new, and the journal position.

    Raises what either is refused with.
    """
    if leaving.subject != form.subject:
        raise InvalidInput(field="form.subject", reason="is somebody else than who leaves")
    with journal.unit(now) as unit:
        exit_store.stays(unit.connection, programme, [form.subject])  # locked, before it is looked at
        row = store.find_participation(unit.connection, programme, form.subject)
        before = None if row is None else _revision_of(unit.connection, keys, row)
        left = unless_refused(*exits.leave(unit, programme, [leaving], by=by))
        _refuse_without_effect(unit, programme, leaving, left)
        written = unless_refused(*write_down(unit, keys, programme, [form], by=by, before=before))
    return left["new"] or written["new"], unit.pos


def record_client_leaving(
    journal: Journal, keys: Vault, programme: str, leaving: NewExit, was: str, *, by: str, now: datetime
) -> tuple[bool, int | None]:
    """The leaving of a client without a start, who has no form; `was`: the revision that whoever writes has seen.

    Returns as above. Raises what it is refused with; `ChangedMeanwhile` also of who has a start by now.
    """
    with journal.unit(now) as unit:
        row = store.locked_participation(unit.connection, programme, leaving.subject)
        before = None if row is None else _revision_of(unit.connection, keys, row)
        left = unless_refused(*exits.leave(unit, programme, [leaving], by=by))
        has_started = row is not None and row.started_on is not None
        if has_started or (left["new"] and was != before):
            raise ChangedMeanwhile(field="was")
        _refuse_without_effect(unit, programme, leaving, left)
    return left["new"], unit.pos


def _refuse_without_effect(unit: Unit, programme: str, leaving: NewExit, left: Mapping[str, Any]) -> None:
    """Refuse an exit of before a return: a list's is taken and changes nothing, but somebody who types it means it."""
    stay = exit_store.stays(unit.connection, programme, [leaving.subject])[leaving.subject]
    if left["new"] and stay.ended_on is None:
        raise InvalidInput(field="exit.resumed_on", reason="later than this exit: was the return a mistake?")


def _record(
    unit: Unit,
    keys: Vault,
    programme: str,
    new: NewExitForm,
    stays: Mapping[str, Stay],
    today: date,
    revision: str | None,
) -> None:
    connection = unit.connection
    row = store.find_participation(connection, programme, new.subject)
    if row is None:
        raise UnknownPerson(field="person", programme=programme)
    before, kept = _form_of(connection, keys, row)
    if new.was is None:
        told, content = completed(before, new.told, ("not_asked",)), completed(kept, new.content, ())
        if (told, content) == (before, kept):
            return
        new = replace(new, told={"may_call": "not_asked"} | told, content=content)
    elif new.was != (revision or _revision_of(connection, keys, row)):
        raise ChangedMeanwhile(field="was")
    check_exit_form(new.told, before, stays[new.subject], today)
    ref = new.told.get("wishes_ref")
    theirs = [text.subject for text in text_store.find_texts(connection, programme, [ref] if ref else [])]
    if ref is not None and theirs != [row.subject]:
        raise InvalidInput(field="wishes_ref", reason="is no text of this person")
    if before.get("wishes_ref") not in (None, ref):
        text_store.drop_text(connection, before["wishes_ref"], new.subject)
    start_store.put_exit_form(connection, keys.vault, programme, row, new.told, new.content)
    body = {"may_call": new.told["may_call"], "signed_on": new.told.get("form_signed_on"), "text_ref": ref}
    unit.record(ExitFormRecorded(new.subject, programme=programme, **body))
    entered = new.told.get("eura_on"), new.told.get("eura_by")
    if entered != (before.get("eura_on"), before.get("eura_by")):
        eura.tell(unit, programme, new.subject, "exit", *entered)


def show_exit(
    journal: Journal, keys: Vault, programme: str, subject: str, *, by: str, now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A person's exit with all that belongs to it: what is coded, and what the vault has; the read is logged first.

    Raises `UnknownPerson`; of nobody there is nothing to log.
    """
    log_identity_read(journal, programme, subject, by=by, now=now)
    with snapshot(journal.engine) as connection:
        row = store.find_participation(connection, programme, subject)
        if row is None:
            raise UnknownPerson(field="person", programme=programme)
        form, kept = _form_of(connection, keys, row)
        tries, asked = start_store.attempts(connection, row.subject), exit_store.follow_ups_of(connection, row.subject)
    identity, ended = store.open_identity(keys.vault, row.person, row.wrapped_key, row.box), _ended(row)
    coded = {
        **{"person": subject, "standing": row.standing, "started_on": iso_day(row.started_on)},
        **{"resumed_on": iso_day(row.resumed_on), "ended": ended, "form": form},
        "away": row.end_reason,
        **{"service_language": json.loads(row.record).get("service_language")},
        **{"revision": _revision(keys, ended, form, kept), "attempts": tries, "follow_ups": asked},
    }
    return coded, {name: identity.get(name) for name in ("given_name", "family_name", "token")} | kept


def _ended(row: Any) -> dict[str, Any] | None:
    """The exit that holds, of a row of `participation`; None: the person has not left."""
    return row.ended_on and {
        **{"date": row.ended_on.isoformat(), "reason": row.end_reason},
        **{"results": None if row.end_results is None else row.end_results.split()},
        **{"next": row.end_next, "planned": row.end_planned},
    }


def _revision_of(connection: Connection, keys: Vault, row: Any) -> str:
    return _revision(keys, _ended(row), *_form_of(connection, keys, row))


def _form_of(connection: Connection, keys: Vault, row: Any) -> tuple[dict[str, str], dict[str, str]]:
    """The form beside the exit that holds: what is coded, and what the vault has. Who came back has none, though the
    one of the exit before is kept (`returns`)."""
    if row.ended_on is None:
        return {}, {}
    form = start_store.exit_form_of(connection, row.subject.hex())
    return form, start_store.open_exit_form(connection, keys.vault, row)


def _revision(keys: Vault, ended: Mapping[str, Any] | None, form: Mapping[str, Any], kept: Mapping[str, Any]) -> str:
    """What a change must have seen: the exit, the form beside it, and where that is kept."""
    return keys.digest(json.dumps([ended, form, kept], sort_keys=True).encode()).hex()
