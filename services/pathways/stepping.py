"""Use cases of steps: times on them, times away, what follows from conditions, products.

Whoever changes steps holds the cursor of pathways first, as the follower does, which completes steps: so two of them
never decide about one person at the same time.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from services.pathways import leaving_store, step_store, store
from services.pathways.conditions import Met, completed, of_stays, unmet
from services.pathways.domain import (
    NewPause,
    NewStay,
    Pause,
    Pauses,
    Stay,
    check_pause,
    check_product_day,
    check_stay,
    lasted,
)
from services.pathways.rules import Event
from services.pathways.store import shelf
from shared.contracts.catalogue import StepEntered, StepLeft
from shared.contracts.errors import InvalidInput
from shared.contracts.mistake_facts import PauseRemoved, StepRemoved
from shared.contracts.step_facts import ProductRecorded, StepPaused, StepResumed
from shared.journal import Journal, Unit
from shared.journal.follow import lock_cursor
from shared.journal.unit import new_id
from shared.ops.clock import iso_day, today_in_helsinki
from shared.programmes import Condition, Programme, Step
from shared.storage.once import Results, each_once


def record_steps(
    journal: Journal, programme: str, items: Sequence[NewStay], *, by: str, now: datetime, skip_bad: bool = False
) -> tuple[Results, int | None]:
    """Record people's times on steps, in order, up to the first that is refused (`skip_bad`: all that are not).

    Returns a result per item, ``{"stay", "new"}`` or ``{"error"}``, and the journal position. An item that ends a time
    that is open, because it began on the same day, that says how one has ended already, or that the person had left
    the step before leaving has ended it, answers with that one's id. Entering a step ends the times on steps that are
    completed by this, as the programme says.
    """
    with journal.unit(now) as unit:
        lock_cursor(unit.connection, "pathways")
        definition, today = shelf.get(unit.connection, programme), today_in_helsinki(now)
        subjects = {new.subject for new in items}
        people, stays = store.find_people(unit.connection, subjects), store.find_stays(unit.connection, subjects)
        pauses = step_store.find_pauses(unit.connection, subjects)
        away = leaving_store.days(unit.connection, subjects)
        met = step_store.find_met(unit.connection, programme, subjects) if _acts(definition) else defaultdict(list)
        changed: dict[tuple[str, str], list[Stay]] = {}

        def take(new: NewStay) -> str:
            place = (new.subject, new.step)
            ends = _completed_by(definition, new, stays, pauses, met[new.subject])
            after = {**stays, **{(new.subject, step): _with(stays[new.subject, step], stay) for step, stay in ends}}
            ended = check_stay(new, definition, people, after, today, pauses, away.get(new.subject))
            if ended is not None and ended.left_on == new.left_on:
                return ended.stay
            if ended is not None and ended.left_on is not None:
                pauses[place] = _untell(unit, programme, place, ended, pauses.get(place, ()))
            if ended is None:
                _check_conditions(definition.step_by_key[new.step], new, after, met[new.subject])
                for step, stay in ends:
                    leave(unit, programme, (new.subject, step), stay, pauses)
                    stays[new.subject, step] = changed[new.subject, step] = list(after[new.subject, step])
                made = Stay(new_id(), new.entered_on, new.left_on)
                unit.record(StepEntered(new.subject, step=new.step, occurred_on=iso_day(new.entered_on)), programme)
            else:
                made = replace(ended, left_on=new.left_on)
                stays[place].remove(ended)
            if new.left_on is not None:
                leave(unit, programme, place, made, pauses)
            stays[place].append(made)
            changed[place] = stays[place]
            return made.stay

        results, fresh = each_once(
            unit.connection, store.keys, programme, items, take, what="stay", field="key", skip_bad=skip_bad
        )
        store.put_stays(unit.connection, programme, changed)
        if fresh:
            unit.audit(by, "record_steps", programme=programme, steps=len(fresh))
    return results, unit.pos


def _acts(definition: Programme) -> bool:
    """Whether any condition of a step is more than told."""
    return any(step.entry == "conditional" or step.completion == "automatic" for step in definition.steps)


def _completed_by(
    definition: Programme, new: NewStay, stays: dict[tuple[str, str], list[Stay]], pauses: Pauses, met: Sequence[Met]
) -> list[tuple[str, Stay]]:
    """The times on other steps that entering this one ends, as they are then."""
    entered = Met("step_entered", {"step": new.step}, new.entered_on)
    facts = [*met, *of_stays(new.subject, stays), entered]
    found = completed(definition, new.subject, stays, facts)
    return [
        (step.key, replace(stay, left_on=_last_day(day, definition, stay, pauses.get((new.subject, step.key), ()))))
        for step, stay, day in found
        if step.completion == "automatic" and step.key != new.step and stay.entered_on <= new.entered_on
    ]


def _last_day(day: date, definition: Programme, stay: Stay, pauses: Sequence[Pause]) -> date:
    """The day on which a time on a step ends by itself: not after the programme, whose steps they are, and not before
    it began, or the person last went away or came back."""
    began = [p.resumed_on or p.paused_on for p in pauses if p.paused_on >= stay.entered_on]
    return max([min(day, definition.period.end), stay.entered_on, *began])


def _with(stays: Sequence[Stay], changed: Stay) -> list[Stay]:
    return [changed if stay.stay == changed.stay else stay for stay in stays]


def _check_conditions(step: Step, new: NewStay, stays: dict[tuple[str, str], list[Stay]], met: Sequence[Met]) -> None:
    if step.entry != "conditional":
        return
    lacking = unmet(step.enter_when, [*met, *of_stays(new.subject, stays)], new.entered_on)
    if lacking:
        said = "; ".join(_in_words(condition) for condition in lacking)
        raise InvalidInput(field="step", reason=f"may not be entered on that day without: {said}")


def _in_words(condition: Condition) -> str:
    return " ".join((condition.on, *condition.codes.values()))


def leave(
    unit: Unit, programme: str, place: tuple[str, str], stay: Stay, pauses: dict[tuple[str, str], list[Pause]]
) -> None:
    """Record that the person left; whoever was away then is away no longer."""
    (subject, step), day = place, stay.left_on
    for pause in [p for p in pauses.get(place, ()) if p.resumed_on is None and p.paused_on >= stay.entered_on]:
        back = replace(pause, resumed_on=day)
        pauses[place] = [back if p.pause == back.pause else p for p in pauses[place]]
        step_store.put_pauses(unit.connection, programme, {place: [back]})
        unit.record(StepResumed(subject, step=step, occurred_on=iso_day(day)), programme)
    unit.record(StepLeft(subject, step=step, occurred_on=iso_day(day)), programme)


def _untell(unit: Unit, programme: str, place: tuple[str, str], stay: Stay, pauses: Sequence[Pause]) -> list[Pause]:
    """Take back how leaving the programme has ended a time on a step, and tell that it is open; with it a time away
    that lasted until then. Returns the times away as they are then."""
    (subject, step), until = place, iso_day(stay.left_on)
    cut = [pause for pause in pauses if lasted(pause, stay)]
    for pause in cut:
        days = {"paused_on": iso_day(pause.paused_on), "resumed_on": until}
        unit.record(PauseRemoved(subject, step=step, **days), programme)
    entered = iso_day(stay.entered_on)
    unit.record(StepRemoved(subject, step=step, entered_on=entered, left_on=until), programme)
    unit.record(StepEntered(subject, step=step, occurred_on=entered), programme)
    for pause in cut:
        unit.record(StepPaused(subject, step=step, occurred_on=iso_day(pause.paused_on)), programme)
    return [replace(pause, resumed_on=None) if pause in cut else pause for pause in pauses]


def end_stays(unit: Unit, definition: Programme, subject: str, day: date) -> None:
    """Whoever left the programme on `day` is on no step any more: one line each. Times that began, or times away that
    changed, after that day end when they did so; none is longer than the programme."""
    stays, pauses = store.find_stays(unit.connection, [subject]), step_store.find_pauses(unit.connection, [subject])
    for (_, step), several in sorted(stays.items()):
        for stay in several:
            if stay.left_on is None:
                last = _last_day(day, definition, stay, pauses.get((subject, step), ()))
                step_store.end_stay(unit.connection, stay.stay, last)
                leave(unit, definition.key, (subject, step), replace(stay, left_on=last), pauses)


def record_pauses(
    journal: Journal, programme: str, items: Sequence[NewPause], *, by: str, now: datetime, skip_bad: bool = False
) -> tuple[Results, int | None]:
    """Record people's times away from steps; refusals and results as in `record_steps`, with ``{"pause", "new"}``."""
    with journal.unit(now) as unit:
        lock_cursor(unit.connection, "pathways")
        definition, today = shelf.get(unit.connection, programme), today_in_helsinki(now)
        subjects = {new.subject for new in items}
        people, stays = store.find_people(unit.connection, subjects), store.find_stays(unit.connection, subjects)
        pauses = step_store.find_pauses(unit.connection, subjects)
        changed: dict[tuple[str, str], list[Pause]] = {}

        def take(new: NewPause) -> str:
            place = (new.subject, new.step)
            ended = check_pause(new, definition, people, stays, pauses, today)
            if ended is not None and ended.resumed_on == new.resumed_on:
                return ended.pause
            if ended is None:
                made = Pause(new_id(), new.paused_on, new.resumed_on)
                unit.record(StepPaused(new.subject, step=new.step, occurred_on=iso_day(new.paused_on)), programme)
            else:
                made = replace(ended, resumed_on=new.resumed_on)
                pauses[place].remove(ended)
            if new.resumed_on is not None:
                unit.record(StepResumed(new.subject, step=new.step, occurred_on=iso_day(new.resumed_on)), programme)
            pauses[place].append(made)
            changed[place] = pauses[place]
            return made.pause

        results, fresh = each_once(
            unit.connection, store.keys, programme, items, take, what="pause", field="key", skip_bad=skip_bad
        )
        step_store.put_pauses(unit.connection, programme, changed)
        if fresh:
            unit.audit(by, "record_pauses", programme=programme, pauses=len(fresh))
    return results, unit.pos


def record_product(
    journal: Journal, programme: str, product: str, state: str, day: date, *, by: str, now: datetime
) -> tuple[bool, int | None]:
    """Record how far a product is, since `day`; what is recorded already adds no line.

    Returns whether it was new, and the journal position. Raises `UnknownCode` or `InvalidInput`.
    """
    with journal.unit(now) as unit:
        lock_cursor(unit.connection, "pathways")
        definition = shelf.get(unit.connection, programme)
        check_product_day(product, day, definition, today_in_helsinki(now))
        known = step_store.find_product(unit.connection, programme, product)
        if known is not None and (known.state, known.occurred_on) == (state, day):
            return False, None
        step_store.put_product(unit.connection, programme, product, state, day)
        unit.record(ProductRecorded(product=product, state=state, occurred_on=day.isoformat()), programme)
        unit.audit(by, "record_product", programme=programme, product=product, state=state)
    return True, unit.pos


def waited_for(definition: Programme, on: str) -> bool:
    """Whether a step completes itself by such facts."""
    steps = [step for step in definition.steps if step.completion == "automatic"]
    return (bool(steps) and on == "step_entered") or any(c.on == on for step in steps for c in step.complete_when)


def note(unit: Unit, programme: str, definition: Programme | None, subject: str, event: Event) -> None:
    """Keep what steps may wait for, and end the person's times on steps that are completed by it."""
    if event.on in step_store.CODE_OF:
        word = step_store.CODE_OF[event.on]
        day = min(event.day, event.heard)  # a meeting is planned on the day that says so, not on its own
        step_store.see(unit.connection, programme, subject, event.on, event.codes.get(word) if word else None, day)
    if definition is None or not waited_for(definition, event.on):
        return  # `waited_for` holds for entering a step that completes itself: what it waits for may be there already
    stays = store.find_stays(unit.connection, [subject])
    met = step_store.find_met(unit.connection, programme, [subject]).get(subject, [])
    pauses = step_store.find_pauses(unit.connection, [subject])
    for step, stay, day in completed(definition, subject, stays, [*met, *of_stays(subject, stays)]):
        if step.completion == "automatic":
            last = _last_day(day, definition, stay, pauses.get((subject, step.key), ()))
            step_store.end_stay(unit.connection, stay.stay, last)
            leave(unit, programme, (subject, step.key), replace(stay, left_on=last), pauses)
