"""What no schema can say of partners' legal entities, publicity, registers, targets, funding, forms and schedules.

Each function yields (path, reason). It looks only at what has the right shape; the schema has told of the rest. Rules
here are about words that no release before them knew: what homes have in use is never refused by a newer release.
"""

from datetime import date
from typing import Any

from shared.contracts.catalogue import OCCASIONS
from shared.documents.checking import Found, codes, codes_stand_once, items, points_at, reached, short
from shared.forms import find_form
from shared.programmes.plan import in_force, is_business_id

_TARGETS, _BUDGET = ("targets", "indicator", "indicators"), ("budget", "source", "funding")


def plan_rules(document: dict[str, Any]) -> Found:
    """Every problem of these parts."""
    for part in ("strengths", "solutions", "barriers", "forms", "indicators", "funding"):
        yield from codes_stand_once(document, part)
    yield from _organisations(document)
    yield from _lists_of_keys(document)
    yield from _solutions_solve(document)
    for rows in (_TARGETS, _BUDGET):
        yield from _planned(document, *rows)
    yield from _women(document)
    yield from _totals(document)
    yield from _published(document)
    if document.get("funding_programme") == "esf_plus_2021_2027" and document.get("forms"):
        yield ("forms",), "esf_plus_2021_2027 has no forms: participants enter their own data"
    yield from _schedules(document)
    yield from _fits(document)
    if document.get("exit_needs_next") and all(item.get("is_plan") for _, item in items(document, "outcomes")):
        yield ("exit_needs_next",), "there is no outcome that is a service"


def _words(value: Any) -> list[tuple[int, str]]:
    """The words of a list, with their places."""
    return [(n, word) for n, word in enumerate(value if isinstance(value, list) else ()) if isinstance(word, str)]


def _organisations(document: dict[str, Any]) -> Found:
    names: dict[str, Any] = {}
    for index, item in items(document, "partners"):
        organisation = item.get("organisation")
        if not isinstance(organisation, dict) or not isinstance(organisation.get("business_id"), str):
            continue
        path, code = ("partners", index, "organisation", "business_id"), organisation["business_id"]
        name = organisation.get("name", item.get("name"))
        if not is_business_id(code):
            yield path, f'"{short(code)}" has a wrong check digit'
        elif names.setdefault(code, name) != name:
            yield path, "another partner has this business id with another name: one legal entity has one name"


def _lists_of_keys(document: dict[str, Any]) -> Found:
    publicity = document.get("publicity")
    for place, key in _words(publicity.get("logos") if isinstance(publicity, dict) else None):
        yield from points_at(("publicity", "logos", place), key, "partners", codes(document, "partners"))
    for part, word, target in (("barriers", "solutions", "solutions"), ("funding", "includes", "funding")):
        for index, item in items(document, part):
            for place, key in _words(item.get(word)):
                yield from points_at((part, index, word, place), key, target, codes(document, target))


def _solutions_solve(document: dict[str, Any]) -> Found:
    used = {key for _, barrier in items(document, "barriers") for _, key in _words(barrier.get("solutions"))}
    for index, item in items(document, "solutions"):
        if isinstance(item.get("key"), str) and item["key"] not in used:
            yield ("solutions", index, "key"), "answers no barrier"


def _planned(document: dict[str, Any], part: str, word: str, target: str) -> Found:
    period, seen = document.get("period"), set[tuple[str, str]]()
    last = period.get("end") if isinstance(period, dict) else None
    for index, item in items(document, part):
        key, day = item.get(word), item.get("valid_from")
        yield from points_at((part, index, word), key, target, codes(document, target))
        if not (isinstance(key, str) and isinstance(day, str)):
            continue
        if (key, day) in seen:
            yield (part, index, "valid_from"), f'"{short(key)}" has another row from the same day'
        seen.add((key, day))
        if isinstance(last, str) and day > last:
            yield (part, index, "valid_from"), "after the project's last day"


def _women(document: dict[str, Any]) -> Found:
    places = (
        (("targets",), "planned"),
        (("figures", "indicators"), "realised"),
        (("figures", "groups"), "participants"),
    )
    for path, whole in places:
        for index, item in items(document, *path):
            women, all_ = item.get("women"), item.get(whole)
            if isinstance(women, int) and isinstance(all_, int) and women > all_:
                yield (*path, index, "women"), f"more women than {whole}"
            elif path == ("figures", "groups") and "women" in item and "participants" not in item:
                yield (*path, index, "women"), "only of participants is known who they are"


def _totals(document: dict[str, Any]) -> Found:
    """A total holds what it includes, whenever one of the sums changes; and no source includes itself."""
    parts = {
        i["key"]: [k for _, k in _words(i.get("includes"))]
        for _, i in items(document, "funding")
        if isinstance(i.get("key"), str)
    }
    for index, item in items(document, "funding"):
        if isinstance(item.get("key"), str) and item["key"] in reached(parts, item["key"]):
            yield ("funding", index, "includes"), "includes itself"
            return
    rows = [(index, row) for index, row in items(document, "budget") if _is_row(row)]
    told = [row for _, row in rows]
    for index, row in rows:
        day = date.fromisoformat(row["valid_from"])
        for total in {row["source"], *(key for key, inside in parts.items() if row["source"] in inside)}:
            whole = in_force(told, "source", total, day)
            inside = [found for key in parts.get(total, ()) if (found := in_force(told, "source", key, day))]
            if whole and sum(part["planned"] for part in inside) > whole["planned"]:
                yield ("budget", index, "planned"), f'from this day "{short(total)}" is less than what it includes'


def _is_row(row: dict[str, Any]) -> bool:
    try:
        date.fromisoformat(row["valid_from"])
    except (KeyError, TypeError, ValueError):
        return False
    return isinstance(row.get("source"), str) and isinstance(row.get("planned"), int)


def _published(document: dict[str, Any]) -> Found:
    for part, word in (("indicators", "indicator"), ("funding", "source")):
        seen: set[str] = set()
        for index, item in items(document, "figures", part):
            path, key = ("figures", part, index, word), item.get(word)
            yield from points_at(path, key, part, codes(document, part))
            if isinstance(key, str) and key in seen:
                yield path, f'"{short(key)}" has a figure already'
            elif isinstance(key, str):
                seen.add(key)


def _schedules(document: dict[str, Any]) -> Found:
    for index, item in items(document, "instruments"):
        allowed = [word for _, word in _words(item.get("occasions", list(OCCASIONS)))]
        schedule = item.get("schedule")
        seen: set[tuple[Any, Any]] = set()
        for place, due in enumerate(schedule if isinstance(schedule, list) else ()):
            if not isinstance(due, dict) or not isinstance(due.get("occasion"), str):
                continue
            path, when = ("instruments", index, "schedule", place), due["occasion"]
            if when in OCCASIONS and when not in allowed:
                yield (*path, "occasion"), "is none of its occasions"
            day = due.get("days") if when == "interim" and isinstance(due.get("days"), int) else None
            if (when, day) in seen:
                yield (*path, "occasion"), "stands in this schedule already"
            seen.add((when, day))


def _fits(document: dict[str, Any]) -> Found:
    """What is said of a target group is asked by the form of the funding period, and can be answered so."""
    period = document.get("funding_programme")
    if period not in ("esf_2007_2013", "esf_2014_2020", "esf_plus_2021_2027"):
        return
    questions = find_form(period).question_by_key
    for index, group in items(document, "target_groups"):
        fits = group.get("fits")
        for place, fit in enumerate(fits if isinstance(fits, list) else ()):
            path = ("target_groups", index, "fits", place)
            key = fit.get("question") if isinstance(fit, dict) else None
            if not isinstance(key, str):
                continue
            yield from points_at((*path, "question"), key, f"the questions of the form {period}", set(questions))
            if key not in questions:
                continue
            known, low, high = questions[key].answers, fit.get("low"), fit.get("high")
            for n, answer in _words(fit.get("answers")):
                if answer not in known:
                    yield (*path, "answers", n), f'"{short(answer)}" is no answer to "{key}"'
            if known and not fit.get("answers"):
                yield path, "name the answers that fit"
            elif not known and "answers" in fit:
                yield (*path, "answers"), f'"{key}" is answered by a number: say low or high'
            elif not known and low is None and high is None:
                yield path, "say low or high"
            elif known and (low is not None or high is not None):
                yield path, f'"{key}" is no number'
            elif isinstance(low, int) and isinstance(high, int) and low > high:
                yield (*path, "high"), "less than low"
