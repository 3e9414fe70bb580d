"""What no schema can say of the workflow parts: references, levels, dates, and rules that would never rest.

Each function yields (path, reason). It looks only at what has the right shape; the schema has told of the rest.
"""

from datetime import date
from typing import Any

from shared.documents.checking import Found, codes, codes_stand_once, items, points_at, reached, short
from shared.documents.reading import Path
from shared.programmes.step_checks import step_rules
from shared.programmes.workflow import FILTERS, OF_LEAVING, ONE_EACH, TASKS_ALONE

_TARGETS = {
    **{"target_group": "target_groups", "activity": "activities", "step": "steps", "outcome": "outcomes"},
    "instrument": "instruments",
}
"""The list that each word of a condition points into."""


def workflow_rules(document: dict[str, Any]) -> Found:
    """Every problem of work areas, steps, outcomes, periods, tasks and the figures that rest on them."""
    for part in ("work_areas", "steps", "outcomes", "periods", "tasks", "products"):
        yield from codes_stand_once(document, part)
    for index, item in items(document, "steps"):
        yield from _points_at(document, ("steps", index, "work_area"), item.get("work_area"), "work_areas")
        yield from _step(document, index, item)
    yield from _steps_in_a_ring(document)
    yield from step_rules(document)
    yield from _outcomes(document)
    yield from _periods(document)
    for index, item in items(document, "tasks"):
        yield from _task(document, index, item)
    yield from _individual_figures(document)
    yield from _figure_outcomes(document)


def _by_key(document: dict[str, Any], part: str) -> dict[str, dict[str, Any]]:
    return {item["key"]: item for _, item in items(document, part) if isinstance(item.get("key"), str)}


def _points_at(document: dict[str, Any], path: Path, key: Any, part: str) -> Found:
    return points_at(path, key, part, codes(document, part))


def _group_of(document: dict[str, Any], activity: Any) -> dict[str, Any]:
    found = _by_key(document, "activities").get(activity) if isinstance(activity, str) else None
    group = found.get("group") if found else None
    return _by_key(document, "groups").get(group, {}) if isinstance(group, str) else {}


def _outcomes(document: dict[str, Any]) -> Found:
    for index, item in items(document, "outcomes"):
        path = ("outcomes", index, "activity")
        yield from _points_at(document, path, item.get("activity"), "activities")
        if _group_of(document, item.get("activity")).get("counts") == "heads":
            yield path, "the activity counts heads: of people nobody knows no outcome can be told"


def _step(document: dict[str, Any], index: int, item: dict[str, Any]) -> Found:
    """People are on individual steps only, so only those can say anything about people."""
    level, key = item.get("level"), item.get("key")
    for word in ("alone", "enter_when", "entry", "complete_when", "completion"):
        if word in item and level in ("community", "service_system"):
            yield ("steps", index, word), f"a {level} step is never entered by people"
    for word in ("enter_when", "complete_when"):
        for place, condition in items(item, word):
            path = ("steps", index, word, place)
            yield from _condition(document, path, condition)
            if isinstance(key, str) and condition.get("step") == key:
                yield (*path, "step"), "the step would wait for itself"
            if condition.get("on") in TASKS_ALONE:
                yield (*path, "on"), f"{condition['on']}: only a task may wait for it"


def _steps_in_a_ring(document: dict[str, Any]) -> Found:
    """Steps of which each waits until somebody has been on another one of them; the first of them is told."""
    before = {
        key: [c["step"] for _, c in items(step, "enter_when") if isinstance(c.get("step"), str) and c["step"] != key]
        for key, step in _by_key(document, "steps").items()
    }
    for index, item in items(document, "steps"):
        if isinstance(item.get("key"), str) and item["key"] in reached(before, item["key"]):
            yield ("steps", index, "enter_when"), "waits for steps that wait for this one"
            return


def _day(part: Any, word: str) -> date | None:
    try:
        return date.fromisoformat(part[word])
    except (KeyError, TypeError, ValueError):
        return None


def _periods(document: dict[str, Any]) -> Found:
    first, last = (_day(document.get("period"), word) for word in ("start", "end"))
    for index, item in items(document, "periods"):
        start, end = _day(item, "start"), _day(item, "end")
        if start and end and end < start:
            yield ("periods", index, "end"), "the period ends before it starts"
        if start and first and start < first:
            yield ("periods", index, "start"), "before the project's first day"
        if end and last and end > last:
            yield ("periods", index, "end"), "after the project's last day"


def _task(document: dict[str, Any], index: int, item: dict[str, Any]) -> Found:
    path = ("tasks", index)
    opens, closes = item.get("opens"), item.get("closes")
    for word, condition in (("opens", opens), ("closes", closes)):
        if isinstance(condition, dict):
            yield from _condition(document, (*path, word), condition)
    on = opens.get("on") if isinstance(opens, dict) else None
    if on in ONE_EACH and "repeats_days" in item:
        yield (*path, "repeats_days"), f"{on}: each has a task of its own, which cannot repeat"
    if on == "participation_ended" and "repeats_days" in item:
        yield (*path, "repeats_days"), "somebody leaves once: what follows is not asked for again and again"
    of_leaving = isinstance(opens, dict) and (on in OF_LEAVING or opens.get("record") == "exit")
    if of_leaving and "after_leaving" in item:
        yield (*path, "after_leaving"), "what leaving opens is asked of who has left anyway: leave it out"
    if on in ("action_agreed", "plan_action") and "closes" in item:
        yield (*path, "closes"), "only a worker can say that an agreed action is done: leave closes out"
    if isinstance(opens, dict) and isinstance(closes, dict) and _one_fact_does_both(opens, closes):
        reason = "the same fact would close the task and open the next, for ever: use repeats_days"
        yield (*path, "closes"), reason


def _one_fact_does_both(opens: dict[str, Any], closes: dict[str, Any]) -> bool:
    if not isinstance(opens.get("on"), str) or opens["on"] != closes.get("on"):
        return False
    return all(opens[word] == closes[word] for word in opens.keys() & closes.keys())


def _condition(document: dict[str, Any], path: Path, condition: dict[str, Any]) -> Found:
    on = condition.get("on")
    known = FILTERS.get(on, ()) if isinstance(on, str) else ()
    for word, value in condition.items():
        if word == "on" or not isinstance(on, str) or on not in FILTERS:
            continue
        if word not in known:
            allowed = f"only by {' and '.join(known)}" if known else "by nothing"
            yield (*path, word), f"{on} can be narrowed {allowed}"
        elif word in _TARGETS:
            yield from _points_at(document, (*path, word), value, _TARGETS[word])
    if on == "record_attempted" and condition.get("status") == "reached":
        yield (*path, "status"), "a form is asked for in vain: refused or not_reached"
    step = condition.get("step")
    found = _by_key(document, "steps").get(step) if isinstance(step, str) else None
    if found and found.get("level") in ("community", "service_system"):
        yield (*path, "step"), f"a {found['level']} step is never entered by people"
    if on == "attendance_recorded" and _group_of(document, condition.get("activity")).get("counts") == "heads":
        yield (*path, "activity"), "the activity counts heads: nobody's attendance is recorded"
    told, outcome = condition.get("activity"), condition.get("outcome")
    about = _by_key(document, "outcomes").get(outcome, {}).get("activity") if isinstance(outcome, str) else None
    if isinstance(told, str) and isinstance(about, str) and told != about:
        yield (*path, "outcome"), f"is an outcome of {short(about)}"


def _individual_figures(document: dict[str, Any]) -> Found:
    for index, item in items(document, "figures", "groups"):
        kinds = [a.get("kind") for _, a in items(document, "activities") if a.get("group") == item.get("group")]
        sessions, people = item.get("sessions"), item.get("participants")
        if (
            kinds
            and all(kind == "individual" for kind in kinds)
            and isinstance(sessions, int)
            and isinstance(people, int)
            and sessions < people
        ):
            yield ("figures", "groups", index, "sessions"), "fewer than participants, but each is with one person"
        for place, word in enumerate(
            item.get("illustrative") or () if isinstance(item.get("illustrative"), list) else ()
        ):
            if isinstance(word, str) and word not in item:
                yield ("figures", "groups", index, "illustrative", place), f"there is no {short(word)} here"


def _figure_outcomes(document: dict[str, Any]) -> Found:
    outcomes, seen = _by_key(document, "outcomes"), set[str]()
    left = {
        g["group"]: g["participants"]
        for _, g in items(document, "figures", "groups")
        if isinstance(g.get("group"), str) and isinstance(g.get("participants"), int)
    }
    for index, item in items(document, "figures", "outcomes"):
        path, key = ("figures", "outcomes", index), item.get("outcome")
        yield from _points_at(document, (*path, "outcome"), key, "outcomes")
        if not isinstance(key, str) or key not in outcomes:
            continue
        if key in seen:
            yield (*path, "outcome"), f'the outcome "{short(key)}" has a figure already'
        seen.add(key)
        group = _group_of(document, outcomes[key].get("activity")).get("key")
        members = [a for _, a in items(document, "activities") if a.get("group") == group]
        if len(members) > 1:
            yield (
                (*path, "outcome"),
                "its activity is not the only one of its group: nobody knows whose outcomes these are",
            )
        elif group not in left:
            yield (*path, "outcome"), "the group of its activity has no participants in the figures"
        elif isinstance(item.get("people"), int):
            left[group] -= item["people"]
            if left[group] < 0:
                yield (*path, "people"), "more people with outcomes than participants"
