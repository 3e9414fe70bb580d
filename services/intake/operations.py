"""Use cases of intake: one transaction each, state and facts together."""

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime

from services.intake import eura, rights_store, store
from services.intake.domain import Arrival, check_arrival, with_birth_date
from services.intake.records import start_fact
from services.intake.workers import take_on
from shared.contracts.catalogue import StandingReached, SubjectErased
from shared.contracts.errors import UnknownPerson
from shared.journal import Journal, Unit
from shared.journal.erasing import erased_among, erased_elsewhere, subject_digest
from shared.journal.unit import new_id
from shared.ops.clock import iso_day, today_in_helsinki
from shared.programmes import Programme
from shared.storage import snapshot
from shared.storage.once import Results, each_once


@dataclass(frozen=True, slots=True)
class Vault:
    """The keys that intake needs: `vault` by number; `index` keys the digests of what holds identities, `older_index`
    are those before it."""

    vault: Mapping[int, bytes]
    index: bytes
    older_index: Sequence[bytes] = ()

    def digest(self, content: bytes) -> bytes:
        """A keyed digest: an unkeyed one of a name and a birth date, or of a short note, could be guessed."""
        return hmac.digest(self.index, content, "sha256")

    def digests(self, content: bytes) -> list[bytes]:
        """Its digest under the index key, then under those before it."""
        return [hmac.digest(key, content, "sha256") for key in (self.index, *self.older_index)]

    def is_digest(self, known: bytes, content: bytes) -> bool:
        """Whether `known` is the digest of `content` under the index key, or one before it."""
        return known in self.digests(content)


def register_participants(
    journal: Journal,
    keys: Vault,
    programme: str,
    arrivals: Sequence[Arrival],
    *,
    by: str,
    now: datetime,
    skip_bad: bool = False,
    worker: str | None = None,
) -> tuple[Results, int | None]:
    """Register people, in order, up to the first that is refused (`skip_bad`: all that are not); `worker` works with
    them.

    Returns a result per item, ``{"subject", "new"}`` or ``{"error"}``, and the journal position.
    """
    with journal.unit(now) as unit:
        definition, today = store.shelf.get(unit.connection, programme), today_in_helsinki(now)

        def take(arrival: Arrival) -> str:
            check_arrival(arrival, definition, today)
            subject = new_id()
            record_start(unit, definition, subject, with_birth_date(arrival, today))
            return subject

        results, added = each_once(
            unit.connection,
            store.keys,
            programme,
            arrivals,
            take,
            what="subject",
            field="ref",
            skip_bad=skip_bad,
            digester=keys,
            content=lambda arrival: _content(programme, arrival),
        )
        known_in_eura = any(arrival.record.get("eura_on") for _, arrival in added)
        with eura.recounting(unit, programme) if known_in_eura else nullcontext():
            # After their digests: a row is known again by what it says.
            people = [(new_id(), subject, with_birth_date(arrival, today)) for subject, arrival in added]
            store.add_people(unit.connection, keys.vault, programme, people)
        take_on(unit, programme, [subject for subject, _ in added], worker)
        if added:
            unit.audit(by, "register_participants", programme=programme, people=len(added))
    return results, unit.pos


def record_start(
    unit: Unit,
    programme: Programme,
    subject: str,
    arrival: Arrival,
    continues: str | None = None,
    *,
    new_standing: bool = True,
) -> None:
    """Record that somebody has come in; `continues`: under which subject another partner's node referred them.

    A correction that leaves standing and day as they are is no `new_standing`.
    """
    day = iso_day(arrival.start_date)
    participates = arrival.standing == "esf_participant" and day is not None
    linked = {} if participates or continues is None else {"continues": continues}
    if new_standing:
        unit.record(StandingReached(subject, standing=arrival.standing, occurred_on=day, **linked), programme.key)
    if participates:
        unit.record(start_fact(subject, arrival, programme, continues), programme.key)


def _content(programme: str, arrival: Arrival) -> bytes:
    """The whole row, to be digested."""
    content = [programme, arrival.standing, str(arrival.start_date), arrival.record, arrival.identity]
    return json.dumps(content, sort_keys=True).encode()


def log_identities_read(journal: Journal, subjects: Sequence[str], *, by: str, programme: str, now: datetime) -> None:
    """Write down who is about to see which people's identities; called before they are opened."""
    with journal.unit(now) as unit:
        unit.audit(by, "read_identities", programme=programme, subjects=list(subjects))


def log_identity_read(journal: Journal, programme: str, subject: str, *, by: str, now: datetime) -> None:
    """The same of one person. Raises `UnknownPerson`; of nobody there is nothing to log."""
    with journal.unit(now) as unit:
        if store.find_participation(unit.connection, programme, subject) is None:
            raise UnknownPerson(field="person", programme=programme)
        unit.audit(by, "read_identities", programme=programme, subjects=[subject])


First = Callable[[Unit, str, str], None]
"""What is done before somebody is erased, in the same unit of work: of a programme and a subject."""


def _nothing(_unit: Unit, _programme: str, _subject: str) -> None:
    pass


May = Callable[[Unit, str, str], None]
"""What raises why somebody may not be erased."""


def erase_person(
    journal: Journal,
    programme: str,
    subject: str,
    *,
    by: str,
    now: datetime,
    first: First = _nothing,
    may: May = _nothing,
) -> tuple[bool, int | None]:
    """Erase a person of a programme: vault, participation, every line. False if that was done before.

    `may` raises why not. Raises `UnknownPerson`. Recording the fact erases the journal's lines; other services and the
    lead hear it.
    """
    with journal.unit(now, right=True) as unit:
        may(unit, programme, subject)
        if not erase(unit, programme, subject, first):
            if erased_among(unit.connection, [subject]):
                return False, None
            raise UnknownPerson(field="person", programme=programme)
        unit.audit(by, "erase_person", programme=programme, subject=subject)
    return True, unit.pos


def erase(unit: Unit, programme: str, subject: str, first: First) -> bool:
    """Erase a person in this unit of work; False if they are not there."""
    first(unit, programme, subject)
    with eura.recounting(unit, programme):
        gone = store.forget_participation(unit.connection, programme, subject)
    if not gone:
        return False
    rights_store.forget_other(unit.connection, bytes.fromhex(subject))
    unit.record(SubjectErased(subject), programme)
    return True


def erase_again(journal: Journal, now: datetime, first: First = _nothing) -> int | None:
    """Erase whom a lead knows to be erased and a restore has brought back; the journal position, None: nobody."""
    pos = None
    with snapshot(journal.engine) as connection:
        due = [
            (programme, subject)
            for programme, digests in erased_elsewhere(connection, journal.home).items()
            for subject in store.subjects_of(connection, programme)
            if subject_digest(subject) in digests
        ]
    for programme, subject in due:
        _, pos = erase_person(journal, programme, subject, by="restore", now=now, first=first)
    return pos
