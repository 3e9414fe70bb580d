"""Use cases of measurement: one transaction each, state and facts together."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from services.measurement import store
from services.measurement.domain import Known, NewAssessment, as_kept, check_assessment, scores
from shared.contracts.catalogue import (
    AnonymousAnswersRecorded,
    AnonymousSheetRecorded,
    AnswersRecorded,
    ScoreComputed,
)
from shared.contracts.errors import ChangedMeanwhile
from shared.instruments import Instrument, find_instrument
from shared.journal import Journal, Unit
from shared.journal.unit import new_id
from shared.ops.clock import today_in_helsinki
from shared.ops.metrics import counter
from shared.storage.once import Results, each_once

assessments_total = counter("polku_measurement_assessments_total", "Assessments recorded, corrections included")


def record_assessments(
    journal: Journal,
    programme: str,
    assessments: Sequence[NewAssessment],
    *,
    by: str,
    now: datetime,
    skip_bad: bool = False,
    seen: Mapping[str, int] = MappingProxyType({}),
    revisions: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Results, int | None]:
    """Record filled-in forms and their scores, in order, up to the first that is refused (`skip_bad`: the others too).

    Returns a result per item, ``{"assessment", "new"}`` or ``{"error"}``, and the journal position. A correction
    answers with the id of what it corrects. `seen`, by the key of an item: how many forms of its person, instrument
    and occasion whoever writes has seen; of another number now it is refused, so that two workers do not ask twice.
    `revisions`, likewise: how whoever corrects has seen the form, so that the second is told of the first.
    """
    with journal.unit(now) as unit:
        definition = store.shelf.get(unit.connection, programme)
        today = today_in_helsinki(now)
        # Before anything else is read: who has waited here sees what was written meanwhile.
        watched = {*seen, *revisions}
        there = store.locked_forms(unit.connection, [new.subject for new in assessments if new.key in watched])
        known = Known(
            store.find_people(unit.connection, (new.subject for new in assessments)),
            store.find_sessions(unit.connection, (new.session for new in assessments)),
            store.find_assessments(unit.connection, (new.corrects for new in assessments)),
        )

        def take(new: NewAssessment) -> str:
            which = (new.subject, new.instrument, new.occasion)
            if new.key in seen and there[which] != seen[new.key]:
                raise ChangedMeanwhile(field="was")
            if new.key in revisions and _stands(known, new.corrects) not in (None, revisions[new.key]):
                raise ChangedMeanwhile(field="revision")
            check_assessment(new, definition, find_instrument(new.instrument, new.version), known, today)
            there[which] += new.corrects is None
            return new.corrects or new_id()

        where = (unit.connection, store.keys, programme)
        results, added = each_once(*where, assessments, take, what="assessment", field="sheet", skip_bad=skip_bad)
        last = {}
        for made, told in added:
            new = as_kept(told, known)
            instrument = find_instrument(new.instrument, new.version)
            computed = scores(instrument, new.answers)
            _record(unit, programme, made, new, instrument, computed)
            last[made] = new, instrument, computed
        store.put_assessments(unit.connection, programme, last)
        if added:
            unit.audit(by, "record_assessments", programme=programme, assessments=len(added))
    assessments_total.inc(len(added))
    return results, unit.pos


def _stands(known: Known, corrected: str | None) -> str | None:
    old = known.assessments.get(corrected or "")
    return old.revision if old else None


def _record(
    unit: Unit, programme: str, made: str, new: NewAssessment, instrument: Instrument, computed: dict[str, str | None]
) -> None:
    """The facts of one assessment: answers for the node, scores for the lead; of an anonymous form only that it is."""
    named = {"assessment": made, "instrument": new.instrument, "version": new.version}
    when = {"occasion": new.occasion, "occurred_on": new.occurred_on.isoformat()}
    pinned = named | {"definition": instrument.digest}
    answered = pinned | when | {"programme": programme, "session": new.session, "answers": dict(new.answers)}
    if new.subject is None:
        unit.record(AnonymousAnswersRecorded(None, **answered))
        unit.record(AnonymousSheetRecorded(None, **named, **when), programme)
        return
    unit.record(AnswersRecorded(new.subject, **answered))
    for scale, value in computed.items():
        unit.record(ScoreComputed(new.subject, **pinned, **when, scale=scale, score=value), programme)
