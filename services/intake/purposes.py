"""Use cases of purposes: who was informed, what ends when a consent is withdrawn, somebody asks, or its time is over.

Which purpose has which basis, and how long it is kept, says the programme file (`shared/programmes/purposes.py`).
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from services.intake import eura, exit_store, identity_store, rights_store, start_store, store, text_store
from services.intake.domain import check_evidence
from services.intake.operations import Vault
from services.intake.previewing import refuse_unseen
from services.intake.records import KEPT_OF_THE_RECORD, LEFT, has_record, purposes_of
from shared.contracts.catalogue import StandingReached
from shared.contracts.errors import InvalidInput, KeptByLaw, UnknownPerson
from shared.contracts.purpose_facts import PersonInformed, PurposeEnded
from shared.contracts.purposes import PURPOSES
from shared.journal import Journal, Unit, holding
from shared.journal.erasing import NO_ENDING, ended_elsewhere, purpose_digest
from shared.journal.reading import kinds_about
from shared.journal.unit import new_id
from shared.ops.clock import today_in_helsinki, wire_time
from shared.programmes import Programme
from shared.storage import snapshot
from shared.storage.once import Results, each_once
from shared.storage.restricting import restricted_among, withdrawn_since

_EVIDENCE = ("form_version", "form_kept")

First = Callable[[Unit, str, str], None]


@dataclass(frozen=True, slots=True)
class NewInformed:
    """A person who was informed, to be recorded."""

    key: str
    subject: str
    notice: int
    language: str
    date: date
    consents: tuple[str, ...]


def record_informed(
    journal: Journal,
    programme: str,
    items: Sequence[NewInformed],
    *,
    by: str,
    now: datetime,
    skip_bad: bool = False,
    listed: bool = False,
) -> tuple[Results, int | None]:
    """Record who was informed, in order, up to the first that is refused (`skip_bad`: all that are not);
    ``{"informed", "new"}`` or ``{"error"}``. `listed`: a list says so, and nobody who was there."""
    with journal.unit(now, right=True) as unit:
        connection, today = unit.connection, today_in_helsinki(now)
        definition = store.shelf.get(connection, programme)
        here = exit_store.stays(connection, programme, (new.subject for new in items))  # locked, as erasing locks them

        def take(new: NewInformed) -> str:
            if new.subject not in here:
                raise UnknownPerson(field="participant", programme=programme)
            check_evidence("date", new.date, definition, today)
            for purpose in new.consents:
                if definition.purpose_by_key[purpose].basis != "consent":
                    raise InvalidInput(field="consents", reason=f"{purpose} is no matter of consent")
            refuse_withdrawn(withdrawn_since(connection, new.subject), new, listed=listed)
            made = new_id()
            said: dict[str, Any] = {"programme": programme, "notice": new.notice, "language": new.language}
            consents = list(new.consents)
            unit.record(
                PersonInformed(new.subject, **said, consents=consents or None, occurred_on=new.date.isoformat())
            )
            columns = said | {"subject": bytes.fromhex(new.subject), "consents": " ".join(consents)}
            rights_store.add_informed(connection, made, **columns, occurred_on=new.date)
            return made

        results, fresh = each_once(
            connection, store.keys, programme, items, take, what="informed", field="key", skip_bad=skip_bad, right=True
        )
        if fresh:
            unit.audit(by, "record_informed", programme=programme, people=len(fresh))
    return results, unit.pos


def refuse_withdrawn(since: Mapping[str, str], new: NewInformed, *, listed: bool) -> None:
    """Refuse a consent of before it was withdrawn: whoever finds the paper later, or imports it, gives none anew. Which
    of two on one day was first, a worker knows and a list does not."""
    for purpose in new.consents:
        if listed and new.date.isoformat() == since.get(purpose):
            reason = f"{purpose} was withdrawn on this day: who agreed again afterwards is recorded by hand"
            raise InvalidInput(field="consents", reason=reason)
        if new.date.isoformat() < since.get(purpose, ""):
            raise InvalidInput(field="consents", reason=f"{purpose} was withdrawn on {since[purpose]}, after this day")


def end_purpose(
    journal: Journal,
    keys: Vault,
    programme: str,
    subject: str,
    purpose: str,
    why: str,
    *,
    by: str,
    now: datetime,
    first: First,
    seen: int | None = None,
) -> tuple[str | None, int | None]:
    """Erase what is recorded about a person for a purpose; the ending (None: nothing was left) and the position.

    `first`: what is done before referrals go. Raises `UnknownPerson`; `InvalidInput` if what is withdrawn is no
    consent; `KeptByLaw` while the law wants it kept; `ChangedMeanwhile` (`refuse_unseen`).
    """
    with journal.unit(now, right=True) as unit:
        refuse_unseen(unit, programme, subject, seen)
        definition = store.shelf.get(unit.connection, programme)
        row = store.locked_participation(unit.connection, programme, subject)
        if row is None:
            raise UnknownPerson(field="person", programme=programme)
        check_may_end(definition, row, purpose, why, today_in_helsinki(now))
        ending = end(unit, keys, programme, subject, purpose, why, first=first)
        if ending is not None:
            unit.audit(by, "end_purpose", programme=programme, subject=subject, purpose=purpose, why=why)
    return ending, unit.pos


def check_may_end(definition: Programme, row: Any, purpose: str, why: str, today: date) -> None:
    """Refuse what is no consent, or kept by law; `row` is of `store.locked_participation`. Of who is no participant and
    has no start the law wants nothing kept: answers alone are no record of the fund."""
    rule = definition.purpose_by_key[purpose]
    if why == "withdrawn" and rule.basis != "consent":
        raise InvalidInput(field="purpose", reason=f"its basis is {rule.basis}: only a consent can be withdrawn")
    if purpose == "esf_record" and row.started_on is None and row.standing != "esf_participant":
        return
    if until := rule.kept_by_law(today):
        raise KeptByLaw(field="purpose", purpose=purpose, until=until.isoformat(), law=rule.law)


def end_again(journal: Journal, keys: Vault, now: datetime, first: First) -> int | None:
    """End again what had ended after the backup that this home was restored from; the position, None: nothing.

    What it had recorded of it is among the lines that it has lost and a lead has shown. Each is ended once, under an id
    that follows from the lost one: what is recorded for the purpose afterwards stays. Of what ended after a stream was
    sealed a lead has no line, and says it by digests.
    """
    pos = None
    with snapshot(journal.engine) as connection:
        due = [*_of_lost_lines(connection, journal.home), *_of_sealed(connection, journal.home)]
        due = [one for one in due if not rights_store.is_ending(connection, one.again)]
    for one in due:
        with journal.unit(now, right=True) as unit:
            here = store.locked_participation(unit.connection, one.programme, one.subject)
            if here is None or rights_store.is_ending(unit.connection, one.again):
                continue  # the person was not in the backup, or is erased; or another process was first
            end(unit, keys, one.programme, one.subject, one.purpose, one.why, first=first, ending=one.again)
            said = {"purpose": one.purpose, "why": one.why}
            unit.audit("restore", "end_purpose", programme=one.programme, subject=one.subject, **said)
        pos = unit.pos or pos
    return pos


@dataclass(frozen=True, slots=True)
class _Lost:
    """An ending of before a restore, that is due again under the id `again`."""

    programme: str
    subject: str
    purpose: str
    why: str
    again: str


def _of_lost_lines(connection: Connection, home: str) -> Iterator[_Lost]:
    for line in holding.lost_lines(connection, home, PurposeEnded.kind):
        said, programme = line.body, line.stream.partition("/")[2]
        yield _Lost(programme, str(line.subject), said["purpose"], said["why"], _again(said["ending"]))


def _of_sealed(connection: Connection, home: str) -> Iterator[_Lost]:
    """Of people who are here: a digest tells neither whose it is nor why it ended."""
    for programme, digests in ended_elsewhere(connection, home).items():
        for subject in store.subjects_of(connection, programme):
            for purpose in PURPOSES:
                if (digest := purpose_digest(subject, purpose, NO_ENDING).hex()) in digests:
                    rule = store.shelf.get(connection, programme).purpose_by_key[purpose]
                    why = "withdrawn" if rule.basis == "consent" else "asked"
                    yield _Lost(programme, subject, purpose, why, _again(digest))


def _again(ending: str) -> str:
    return sha256(b"polku-ending-again-1" + bytes.fromhex(ending)).hexdigest()[:32]


def end(
    unit: Unit,
    keys: Vault,
    programme: str,
    subject: str,
    purpose: str,
    why: str,
    *,
    first: First,
    ending: str | None = None,
) -> str | None:
    """The state and the facts of a purpose that ends; None if there was nothing of it. Raises `UnknownPerson`.

    With an `ending` already given it ends whether anything is left of it or not.
    """
    connection, raw = unit.connection, bytes.fromhex(subject)
    row = store.locked_participation(connection, programme, subject)
    if row is None:
        raise UnknownPerson(field="person", programme=programme)
    agreed = why == "withdrawn" and purpose not in restricted_among(connection, [subject]).get(subject, ())
    answered = purpose == "esf_record" and has_record(row)
    if ending is None and not agreed and purpose not in held(connection, row):
        return None
    if purpose == "support":
        first(unit, programme, subject)
    rows, today = rights_store.clear_own(connection, raw, purpose), today_in_helsinki(unit.now)
    ending = ending or new_id()
    said = {"ending": ending, "purpose": purpose, "why": why, "occurred_on": today.isoformat()}
    unit.record(PurposeEnded(subject, **said), programme)
    if answered:
        _forget_record(unit, keys, programme, row)
        rows += 1
    columns = {"subject": raw, "programme": programme, "purpose": purpose, "why": why, "occurred_on": today}
    rights_store.add_ending(connection, ending, **columns)
    if "intake" in rights_store.HOLDERS[purpose]:
        rights_store.add_receipt(connection, ending, "intake", rows, wire_time(unit.now))
    return ending


def _forget_record(unit: Unit, keys: Vault, programme: str, row: Any) -> None:
    """The person stays without a start record: who was a participant as a client, others with the standing they had;
    who was away stays so, without day and reason."""
    standing = "client" if row.standing == "esf_participant" else row.standing
    kept = {name: value for name, value in json.loads(row.record).items() if name in KEPT_OF_THE_RECORD}
    with eura.recounting(unit, programme):
        away = row.end_reason if row.end_reason in (None, "died") else LEFT
        rights_store.no_participant(unit.connection, row.subject, standing, kept, away)
        start_store.forget_exit_form(unit.connection, programme, row.subject.hex())
    identity = store.open_identity(keys.vault, row.person, row.wrapped_key, row.box)
    if any(name in identity for name in _EVIDENCE):
        rest = {name: value for name, value in identity.items() if name not in _EVIDENCE}
        identity_store.set_identity(unit.connection, keys.vault, row, rest)
    if row.started_on is not None or row.standing == "esf_participant":
        unit.record(StandingReached(row.subject.hex(), standing=standing), programme)


def held(connection: Connection, row: Any) -> set[str]:
    """For which purposes something is recorded about the person of `locked_participation`'s row."""
    return purposes_of(
        row, kinds_about(connection, row.subject), texts=bool(text_store.texts_of(connection, row.subject))
    )


def check_may_erase(unit: Unit, programme: str, subject: str) -> None:
    """Refuse to erase a person of whom something is kept by law: `KeptByLaw` says what, and until when."""
    row = store.locked_participation(unit.connection, programme, subject)
    if row is None:
        return
    definition, today = store.shelf.get(unit.connection, programme), today_in_helsinki(unit.now)
    for purpose in sorted(held(unit.connection, row)):
        check_may_end(definition, row, purpose, "asked", today)
