"""Is this a programme? How files are checked at all is in `shared.documents`.

The schema (`deploy/programmes/programme.schema.json`) says which words there are and what shape values have; the rules
here say what no schema can: references that point somewhere, codes that stand once, dates in order.
"""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path as FilePath
from typing import Any

from shared.documents.checking import Found, Kind, codes, codes_stand_once, items, points_at, short
from shared.documents.reading import Reading
from shared.instruments import has_instrument
from shared.programmes.model import Programme, build
from shared.programmes.plan_checks import plan_rules
from shared.programmes.problems import Problem, ProgrammeRefused
from shared.programmes.purposes import purpose_rules
from shared.programmes.workflow_checks import workflow_rules

SCHEMA_FILE = FilePath(__file__).resolve().parents[2] / "deploy" / "programmes" / "programme.schema.json"


def parse(document: Mapping[str, Any]) -> Programme:
    """The programme a document describes. Raises `ProgrammeRefused` (an `InvalidProgramme`) with every problem."""
    problems = check_document(document)
    if problems:
        raise ProgrammeRefused(problems)
    return build(document)


def check_document(document: Any) -> list[Problem]:
    """Every problem of a document that did not come from a file; lines are 0."""
    return _KIND.problems(document)


def load_file(path: FilePath) -> dict[str, Any]:
    """The document in a programme file. Raises `ProgrammeRefused` with every problem and its line."""
    reading = _check(FilePath(path))
    if reading.problems:
        raise ProgrammeRefused(reading.problems)
    document: dict[str, Any] = reading.data
    return document


def read_file(path: FilePath) -> Reading:
    """A programme file's data, with every problem and the line of each value."""
    return _check(FilePath(path))


def line_of(reading: Reading, shown: str) -> int:
    """The line of what a problem's path shows (`mapping[2].key`)."""
    parts = re.findall(r"[^.\[\]]+", shown)
    return reading.line(tuple(int(part) if part.isdigit() else part for part in parts))


def check_file(path: FilePath) -> list[Problem]:
    """Every problem of a programme file with its line, in the order of the file; empty if it may be loaded."""
    return sorted(set(_check(FilePath(path)).problems))


def _check(path: FilePath) -> Reading:
    reading = _KIND.read(path)
    key = reading.data.get("key") if isinstance(reading.data, dict) else None
    if isinstance(key, str) and path.name != f"{key}.yaml":
        reason = f'the file must be called like its key: "{short(key)}.yaml", or the key "{short(path.stem)}"'
        reading.problems.append(Problem(reading.line(("key",)), "key", reason))
    # Only a file is held against what this release ships: a document may come from a lead of another release.
    for index, item in items(reading.data if isinstance(reading.data, dict) else {}, "instruments"):
        key, version = item.get("key"), item.get("version")
        if isinstance(key, str) and isinstance(version, str) and not has_instrument(key, version):
            place = ("instruments", index, "key")
            reason = "this release has no such instrument in that version (deploy/instruments)"
            reading.problems.append(Problem(reading.line(place), f"instruments[{index}].key", reason))
    # Nor is a document refused for this, which homes of earlier releases may have in use.
    for index, item in items(reading.data if isinstance(reading.data, dict) else {}, "activities"):
        if item.get("kind") in ("info_session", "public_event") and item.get("standing") == "esf_participant":
            place = ("activities", index, "standing")
            reason = f"nobody is an ESF participant by coming to {item['kind']}: ask at most client"
            reading.problems.append(Problem(reading.line(place), f"activities[{index}].standing", reason))
    return reading


# --- what the schema cannot say ---------------------------------------------------------------------------------------


def _rules(document: dict[str, Any]) -> Found:
    for part in ("partners", "areas", "locations", "target_groups", "groups", "activities", "topics", "services"):
        yield from codes_stand_once(document, part)
    yield from _references(document)
    yield from _one_lead(document)
    yield from _tags_can_be_made(document)
    yield from _dates_in_order(document)
    yield from _standing_fits_counting(document)
    yield from _figures_fit(document)
    yield from _encounters_have_heads(document)
    yield from _instruments_stand_once(document)
    yield from workflow_rules(document)
    yield from plan_rules(document)
    yield from purpose_rules(document)


def _references(document: dict[str, Any]) -> Found:
    for part, word, target in (("activities", "group", "groups"), ("locations", "area", "areas")):
        known = codes(document, target)
        for index, item in items(document, part):
            yield from points_at((part, index, word), item.get(word), target, known)
    groups = codes(document, "groups")
    for index, item in items(document, "figures", "groups"):
        yield from points_at(("figures", "groups", index, "group"), item.get("group"), "groups", groups)
    synthetic = document.get("synthetic")
    listed = synthetic.get("partners") if isinstance(synthetic, dict) else None
    for index, key in enumerate(listed if isinstance(listed, list) else ()):
        yield from points_at(("synthetic", "partners", index), key, "partners", codes(document, "partners"))


def _one_lead(document: dict[str, Any]) -> Found:
    roles = [(index, item.get("role")) for index, item in items(document, "partners")]
    leads = [index for index, role in roles if role == "lead"]
    if roles and not leads and all(role == "partner" for _, role in roles):
        yield ("partners",), "no partner has the role lead"
    for index in leads[1:]:
        yield ("partners", index, "role"), "a second lead: a project has exactly one"


def _tags_can_be_made(document: dict[str, Any]) -> Found:
    tag = document.get("tag")
    steward = tag.get("steward") if isinstance(tag, dict) else None
    yield from points_at(("tag", "steward"), steward, "partners", codes(document, "partners"))
    roles = [item.get("role") for _, item in items(document, "partners") if item.get("key") == steward]
    if steward is not None and "lead" in roles:
        reason = "the lead organisation counts the people, so another partner must keep the key that recognises them"
        yield ("tag", "steward"), reason
    if isinstance(tag, dict) and (tag.get("basis"), document.get("identity_code")) == ("identity_code", "not_asked"):
        yield ("tag", "basis"), "people are recognised by a code that is not asked"


def _dates_in_order(document: dict[str, Any]) -> Found:
    period = document.get("period")
    if not isinstance(period, dict):
        return
    try:
        start, end = (date.fromisoformat(period[word]) for word in ("start", "end"))
    except (KeyError, TypeError, ValueError):
        return
    if end < start:
        yield ("period", "end"), "the period ends before it starts"


def _standing_fits_counting(document: dict[str, Any]) -> Found:
    counts = {item.get("key"): item.get("counts") for _, item in items(document, "groups") if _plain(item.get("key"))}
    for index, item in items(document, "activities"):
        counted = counts.get(item["group"]) if _plain(item.get("group")) else None
        path, standing = ("activities", index, "standing"), item.get("standing")
        if counted == "heads" and standing in ("visitor", "client", "esf_participant"):
            yield path, "the group counts heads: nobody is registered, so the standing is met"
        elif counted == "people" and standing == "met":
            yield path, "the group counts people: ask at least visitor"


def _figures_fit(document: dict[str, Any]) -> Found:
    counts = {item.get("key"): item.get("counts") for _, item in items(document, "groups") if _plain(item.get("key"))}
    offered = {item.get("group") for _, item in items(document, "activities") if _plain(item.get("group"))}
    seen: set[str] = set()
    for index, item in items(document, "figures", "groups"):
        path, group = ("figures", "groups", index), item.get("group")
        if not isinstance(group, str) or group not in counts:
            continue
        if group in seen:
            yield (*path, "group"), f'the group "{short(group)}" has figures already'
        seen.add(group)
        if group not in offered:
            yield (*path, "group"), f'no activity belongs to the group "{short(group)}"'
        right, wrong = ("participants", "heads") if counts[group] == "people" else ("heads", "participants")
        if wrong in item:
            yield (*path, wrong), f"the group counts {counts[group]}: give {right} instead"
        elif right not in item:
            yield path, f'the key "{right}" is missing: the group counts {counts[group]}'
        elif right == "heads" and _less(item.get("heads"), item.get("sessions")):
            yield (*path, "heads"), "fewer heads than sessions"


def _encounters_have_heads(document: dict[str, Any]) -> Found:
    figures = document.get("figures")
    told = figures.get("encounters") if isinstance(figures, dict) else None
    if isinstance(told, dict):
        heads = [told.get(word) for word in ("people_new", "people_known")]
        if all(isinstance(number, int) for number in heads) and _less(sum(heads), told.get("encounters")):
            yield ("figures", "encounters", "encounters"), "more encounters than people who were met"


def _plain(value: Any) -> bool:
    return isinstance(value, str)


def _less(one: Any, other: Any) -> bool:
    return isinstance(one, int) and isinstance(other, int) and one < other


def _instruments_stand_once(document: dict[str, Any]) -> Found:
    seen: set[tuple[Any, Any]] = set()
    for index, item in items(document, "instruments"):
        key, version = item.get("key"), item.get("version")
        if not (isinstance(key, str) and isinstance(version, str)):
            continue
        if (key, version) in seen:
            yield ("instruments", index, "key"), f'version "{short(version)}" of it stands in this list twice'
        seen.add((key, version))


_KIND = Kind("a programme file", SCHEMA_FILE, _rules)
