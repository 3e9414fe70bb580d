"""Use cases of who works with whom: taking people on, handing them over (decision 0221).

A restriction of a person (decision 0205) does not stand in the way: nothing is recorded about the person but who
answers to them, and somebody has to when a worker has left.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from services.intake import exit_store, store, worker_store
from services.intake.domain import HandOver, check_hand_over
from shared.contracts.errors import ChangedMeanwhile, InvalidInput, NotFound, UnknownPerson
from shared.contracts.worker_facts import WorkerChanged
from shared.journal import Journal, Unit
from shared.ops.clock import today_in_helsinki
from shared.storage.once import Results, each_once


@dataclass(frozen=True, slots=True)
class NewWorker:
    """A person's worker, to be recorded."""

    key: str
    subject: str
    worker: str


def take_on(unit: Unit, programme: str, subjects: Sequence[str], name: str | None) -> None:
    """These people, who have just come in, have this worker; None: nobody in particular."""
    if name is None or not subjects:
        return
    who, day = worker_store.worker_id(unit.connection, name), today_in_helsinki(unit.now)
    _give(unit, programme, subjects, who, None, day, None)


def assign_workers(
    journal: Journal,
    programme: str,
    items: Sequence[NewWorker],
    was: Mapping[str, str | None] = MappingProxyType({}),
    *,
    by: str,
    now: datetime,
    skip_bad: bool = False,
) -> tuple[Results, int | None]:
    """Give people a worker, in order, up to the first that is refused; ``{"subject", "new"}`` or ``{"error"}``.

    Who has this worker already keeps them, and no line comes of it. `was`, by key: whom the person had when this one
    was chosen; if a colleague was first, it is refused. Raises `UnknownProgramme`.
    """
    with journal.unit(now, right=True) as unit:
        connection, day = unit.connection, today_in_helsinki(now)
        store.shelf.get(connection, programme)
        here = exit_store.stays(connection, programme, (new.subject for new in items))  # locked, as erasing locks them
        has = {row.subject.hex(): row.worker for row in worker_store.locked(connection, people=[*here])}

        def take(new: NewWorker) -> str:
            if new.subject not in here:
                raise UnknownPerson(field="subject", programme=programme)
            who = _known(connection, new.worker)
            if who is None or has.get(new.subject) != who:
                if new.key in was and has.get(new.subject) != _known(connection, was[new.key]):
                    raise ChangedMeanwhile(field="worker")
                who = who or worker_store.worker_id(connection, new.worker)
                _give(unit, programme, [new.subject], who, has.get(new.subject), day, None)
                has[new.subject] = who
            return new.subject

        results, fresh = each_once(
            connection, store.keys, programme, items, take, what="subject", field="key", skip_bad=skip_bad, right=True
        )
        if fresh:
            unit.audit(by, "assign_workers", programme=programme, subjects=[subject for subject, _ in fresh])
    return results, unit.pos


def _known(connection: Connection, name: str | None) -> bytes | None:
    return worker_store.known_worker(connection, name) if name else None


def hand_over(
    journal: Journal, wanted: HandOver, day: date | None, *, by: str, now: datetime, dry_run: bool = False
) -> tuple[dict[str, int], int | None]:
    """Hand people over: how many in each programme, and the journal position; all of them or nobody.

    `day`: since when, None: today. Raises `InvalidInput`; `NotFound` if the worker has never had anybody.
    """
    today = today_in_helsinki(now)
    check_hand_over(wanted, day or today, today)
    with journal.unit(now, right=True) as unit:
        connection = unit.connection
        if wanted.programme is not None:
            store.shelf.get(connection, wanted.programme)
        giver = worker_store.known_worker(connection, wanted.worker)
        if giver is None:
            raise NotFound(what=f"worker {wanted.worker}")
        taker = worker_store.known_worker(connection, wanted.to)
        if wanted.back and taker is None:
            return {}, None
        chosen: dict[str, Any] = {
            "programme": wanted.programme,
            "people": wanted.people,
            "before": taker if wanted.back else None,
        }
        rows = worker_store.locked(connection, of=None if wanted.people else giver, **chosen)
        if wanted.people:
            _check_people(wanted.people, rows, giver, taker)
            rows = [row for row in rows if row.worker == giver]
        counts = Counter[str](row.programme for row in rows)
        if dry_run or not rows:
            return dict(sorted(counts.items())), None
        taker = taker or worker_store.worker_id(connection, wanted.to)
        for programme in sorted(counts):
            theirs = [row.subject.hex() for row in rows if row.programme == programme]
            _give(unit, programme, theirs, taker, giver, day or today, wanted.reason)
        told = {"reason": wanted.reason, "worker": giver.hex(), "to": taker.hex()}
        unit.audit(by, "hand_over", **told, subjects=[row.subject.hex() for row in rows])
    return dict(sorted(counts.items())), unit.pos


def _check_people(people: Sequence[str], rows: Sequence[Any], giver: bytes, taker: bytes | None) -> None:
    """All of these people are the giver's, or have gone to the taker already. Raises `InvalidInput`."""
    if len(rows) < len({*people}) or any(row.worker not in (giver, taker) for row in rows):
        raise InvalidInput(field="people", reason="somebody of these is not this worker's (any more)")


def _give(
    unit: Unit,
    programme: str,
    subjects: Sequence[str],
    who: bytes,
    before: bytes | None,
    day: date,
    reason: str | None,
) -> None:
    worker_store.put(unit.connection, programme, [bytes.fromhex(s) for s in subjects], who, before, day)
    said = {"programme": programme, "worker": who.hex(), "reason": reason, "occurred_on": day.isoformat()}
    for subject in subjects:
        unit.record(WorkerChanged(subject, **said))
