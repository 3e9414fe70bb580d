"""Use case of a higher standing: a visitor registers, a client becomes an ESF participant.

A visitor is asked whether their history goes along. On that wish the subject stays, and everything recorded under it is
theirs. Without it a new subject begins, and what led from the nickname to the old one is forgotten.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.intake import eura, rights_store, start_store, store, worker_store
from services.intake.correcting import change_identity
from services.intake.domain import Arrival, Before, check_arrival, is_protected, with_birth_date, without_contact
from services.intake.encounter_rules import Raise, check_raise, tokens_of
from services.intake.operations import Vault, record_start
from services.intake.peers import Desk
from services.intake.protecting import follow_protection
from services.intake.records import check_first_start
from services.intake.visitors import Visitors
from services.intake.workers import take_on
from shared.contracts.encounter_facts import HistoryAsked
from shared.contracts.errors import InvalidInput, UnknownPerson
from shared.forms import find_form
from shared.journal import Journal, Unit
from shared.journal.unit import new_id
from shared.ops.clock import today_in_helsinki
from shared.programmes import Programme
from shared.storage.once import Results, each_once


def raise_standing(
    journal: Journal,
    keys: Vault,
    programme: str,
    items: Sequence[Raise],
    *,
    desk: Desk,
    by: str,
    now: datetime,
    skip_bad: bool = False,
    worker: str | None = None,
) -> tuple[Results, int | None]:
    """Raise people's standing, in order, up to the first that is refused (`skip_bad`: all that are not).

    Returns a result per item, ``{"subject", "new"}`` or ``{"error"}``, and the journal position, None if nothing was
    new. The subject is another one where a visitor's history stays behind. `worker` works with those who have nobody.
    """
    with journal.unit(now) as unit:
        raising = _Raising(unit, keys, desk, store.shelf.get(unit.connection, programme))
        with eura.recounting(unit, programme):
            results, fresh = each_once(
                unit.connection,
                store.keys,
                programme,
                items,
                raising.take,
                what="subject",
                field="key",
                skip_bad=skip_bad,
                digester=keys,
            )
        has = worker_store.workers_of(unit.connection, (subject for subject, _ in fresh))
        take_on(unit, programme, [subject for subject, _ in fresh if subject not in has], worker)
        if fresh:
            unit.audit(by, "raise_standing", programme=programme, subjects=[subject for subject, _ in fresh])
    return results, unit.pos


class _Raising:
    def __init__(self, unit: Unit, keys: Vault, desk: Desk, definition: Programme) -> None:
        self.unit, self.keys, self.desk, self.definition = unit, keys, desk, definition
        self.today = today_in_helsinki(unit.now)

    def take(self, new: Raise) -> str:
        row = store.locked_participation(self.unit.connection, self.definition.key, new.subject)
        if row is None:
            raise UnknownPerson(field="subject", programme=self.definition.key)
        check_raise(new, row.standing)
        identity = store.open_identity(self.keys.vault, row.person, row.wrapped_key, row.box)
        if new.keeps_history is False:
            new = replace(new, arrival=_as_protected(new.arrival, row))
            check_arrival(new.arrival, self.definition, self.today)
            return self._begin(replace(new, arrival=with_birth_date(new.arrival, self.today)), row, identity)
        arrival = _together(new.arrival, row, identity, self.definition)
        check_arrival(arrival, self.definition, self.today, Before(row.standing, identity))
        check_first_start(arrival.start_date, row.ended_on, row.resumed_on)
        self._go_on(new, row, identity, with_birth_date(arrival, self.today))
        return new.subject

    def _go_on(self, new: Raise, row: Any, identity: dict[str, Any], arrival: Arrival) -> None:
        start_store.put_start(self.unit.connection, row, arrival)
        change_identity(self.unit, self.keys, row, identity, arrival.identity)
        follow_protection(self.unit, self.desk, row, arrival.record)
        record_start(self.unit, self.definition, new.subject, arrival)
        if new.keeps_history is not None:
            self._asked(new.subject, kept=True)

    def _begin(self, new: Raise, row: Any, identity: dict[str, Any]) -> str:
        """Somebody new; the visitor of before has neither nickname nor token any more, nor the tag of who begins."""
        unit, key, subject = self.unit, self.definition.key, new_id()
        visitors, tokens = Visitors(unit, self.keys, key), sorted(tokens_of(new.arrival.identity))
        if any(visitors.find(token, note=False) not in (None, new.subject) for token in tokens):  # nothing is done yet
            raise InvalidInput(field="token", reason="somebody else goes by one of these nicknames")
        change_identity(unit, self.keys, row, identity, {})
        rights_store.forget_corrections(unit.connection, row.subject)
        follow_protection(unit, self.desk, row, new.arrival.record)  # of the visitor they were, too
        store.add_people(unit.connection, self.keys.vault, key, [(new_id(), subject, new.arrival)])
        for token in tokens:
            visitors.remember(token, subject)
        record_start(unit, self.definition, subject, new.arrival)
        self._asked(subject, kept=False)
        return subject

    def _asked(self, subject: str, *, kept: bool) -> None:
        asked = {"programme": self.definition.key, "kept": kept, "occurred_on": self.today.isoformat()}
        self.unit.record(HistoryAsked(subject, **asked))


def _as_protected(new: Arrival, row: Any) -> Arrival:
    """A history stays behind, a protected address does not: nobody has taken it back."""
    if not is_protected(json.loads(row.record)):
        return new
    return replace(new, record={"protected_address": "yes"} | new.record)


def _together(new: Arrival, row: Any, identity: dict[str, Any], definition: Programme) -> Arrival:
    """What is told now, and what was known before of what is not told again and is still asked of them: months of
    unemployment go with the status (decision 0195)."""
    told = {name: value for name, value in new.identity.items() if value is not None}
    before = {name: value for name, value in json.loads(row.record).items() if name != "age" and value is not None}
    said = {name: value for name, value in new.record.items() if (name, value) != ("gender", "unknown")}
    record = {"gender": "unknown"} | before | said
    for question in find_form(definition.funding_programme).questions:
        if question.key in record and question.key not in said and not question.is_for(record):
            del record[question.key]
    return replace(
        new,
        identity=without_contact(identity, record) | told,
        record=record,
        start_date=new.start_date or row.started_on,
    )
