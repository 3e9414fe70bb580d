"""Is this a programme? Three sieves, each finding every problem it can: the reader, the JSON Schema, our own rules.

The schema (`deploy/programmes/programme.schema.json`) says which words there are and what shape values have; the rules
here say what no schema can: references that point somewhere, codes that stand once, dates in order. A rule looks only
at parts whose shape is right, so that one mistake gives one problem.
"""

import difflib
import json
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path as FilePath
from typing import Any

from shared.programmes.model import Programme, build
from shared.programmes.problems import Problem, ProgrammeRefused
from shared.programmes.reading import MAX_DEPTH, Path, Reading, read_yaml, show_path

SCHEMA_FILE = FilePath(__file__).resolve().parents[2] / "deploy" / "programmes" / "programme.schema.json"

_Found = Iterator[tuple[Path, str]]


def parse(document: Mapping[str, Any]) -> Programme:
    """The programme a document describes. Raises `ProgrammeRefused` (an `InvalidProgramme`) with every problem."""
    problems = check_document(document)
    if problems:
        raise ProgrammeRefused(problems)
    return build(document)


def check_document(document: Any) -> list[Problem]:
    """Every problem of a document that did not come from a file; lines are 0."""
    return [Problem(0, show_path(path), reason) for path, reason in _find(document)]


def load_file(path: FilePath) -> dict[str, Any]:
    """The document in a programme file. Raises `ProgrammeRefused` with every problem and its line."""
    reading = _check(FilePath(path))
    if reading.problems:
        raise ProgrammeRefused(reading.problems)
    document: dict[str, Any] = reading.data
    return document


def check_file(path: FilePath) -> list[Problem]:
    """Every problem of a programme file with its line, in the order of the file; empty if it may be loaded."""
    return sorted(set(_check(FilePath(path)).problems))


def _check(path: FilePath) -> Reading:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Reading(problems=[Problem(1, "", "there is no such file")])
    except IsADirectoryError:
        return Reading(problems=[Problem(1, "", "is a folder, not a file")])
    except OSError as error:
        return Reading(problems=[Problem(1, "", f"cannot be read: {error.strerror}")])
    reading = read_yaml(raw)
    if reading.data is None and reading.problems:
        return reading
    for place, reason in _find(reading.data):
        reading.problems.append(Problem(reading.line(place), show_path(place), reason))
    key = reading.data.get("key") if isinstance(reading.data, dict) else None
    if isinstance(key, str) and path.name != f"{key}.yaml":
        reason = f'the file must be called like its key: "{_short(key)}.yaml", or the key "{_short(path.stem)}"'
        reading.problems.append(Problem(reading.line(("key",)), "key", reason))
    return reading


def _find(document: Any) -> _Found:
    if not isinstance(document, dict):
        yield (), "a programme file is a mapping (key: value) at the top"
        return
    if unfit := _unfit(document):
        yield (), unfit
        return
    yield from _against_schema(document)
    yield from _rules(document)


def _unfit(document: Any) -> str | None:
    """What would break checking itself, or what no text may hold; None if there is nothing."""
    level, depth = [document], 0
    while level:
        if depth > MAX_DEPTH:
            return f"nested deeper than {MAX_DEPTH} levels"
        deeper: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                if not all(isinstance(key, str) for key in value):
                    return "a key is not a word"
                deeper += [*value.values(), *value]
            elif isinstance(value, list):
                deeper += value
            elif isinstance(value, str):
                if any(unicodedata.category(c) in ("Cc", "Cs") for c in value):
                    return "a text holds a control character or half a character"
            elif not (value is None or (isinstance(value, int) and abs(value) < 10**18)):
                return "a value is neither text, a whole number of usual size, true nor false"
        level, depth = deeper, depth + 1
    return None


# --- the schema -------------------------------------------------------------------------------------------------------


@cache
def _validator() -> Any:
    # jsonschema is imported when first used: it costs time and memory that a node's other processes need not pay.
    from jsonschema import Draft202012Validator, FormatChecker

    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker(["date"]))


def _against_schema(document: dict[str, Any]) -> _Found:
    for error in _validator().iter_errors(document):
        path: Path = tuple(error.absolute_path)
        if error.validator == "additionalProperties":
            known = list(error.schema["properties"])
            for word in error.instance:
                if word not in known:
                    yield (*path, word), f'unknown key "{_short(word)}"' + _hint(word, known)
        elif error.validator == "required":
            for word in error.validator_value:
                # jsonschema gives one error for each missing word, naming it only in its message.
                if word not in error.instance and error.message.startswith(repr(word)):
                    yield path, f'the key "{word}" is missing'
        else:
            yield path, _reason(error)


def _reason(error: Any) -> str:
    value, wanted = error.instance, error.validator_value
    match error.validator:
        case "type":
            return f"must be {_TYPES[wanted]}, not {_kind(value)}"
        case "enum":
            hint = _hint(value, wanted) if isinstance(value, str) else ""
            return f"must be one of {', '.join(wanted)}, not {_kind(value)}{hint}"
        case "not":
            return f'"{_short(value)}" is taken for something else'
        case "pattern":
            return f"{_kind(value)} is not allowed here: {_PATTERNS.get(wanted, wanted)}"
        case "format":
            return f"{_kind(value)} is no day of the calendar"
        case "minLength" | "minItems" | "minProperties":
            return "must not be empty"
        case "maxLength" | "maxItems":
            return f"must have at most {wanted} {'characters' if error.validator == 'maxLength' else 'items'}"
        case "minimum" | "maximum":
            return f"must be {'at least' if error.validator == 'minimum' else 'at most'} {wanted}"
        case "uniqueItems":
            return "the same value stands here twice"
    return f"breaks the schema's rule {error.validator}"


_TYPES = {
    "object": "a mapping (key: value)",
    "array": "a list (- item)",
    "string": "text",
    "integer": "a whole number",
}

_PATTERNS = {
    "^[a-z0-9_]{1,40}$": "a code has a-z, 0-9 and _ only, at most 40",
    "^[a-z0-9-]{1,40}$": "a programme's key has a-z, 0-9 and - only, at most 40",
    "^\\S(.*\\S)?$": "no spaces at the ends, one line",
    "^[0-9]{3}$": "three digits",
    "^[A-Z][0-9]{5}$": "one capital letter and five digits",
    "^(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}$": "a day is written YYYY-MM-DD",
}


def _kind(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int():
            return f"the number {value} (in quotes it is text)"
        case str():
            return f'"{_short(value)}"'
        case dict():
            return "a mapping"
        case _:
            return "a list"


def _short(text: str) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return shown if len(shown) <= 40 else shown[:39] + "…"


def _hint(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


# --- what the schema cannot say ---------------------------------------------------------------------------------------


def _items(document: dict[str, Any], *path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    found: Any = document
    for word in path:
        found = found.get(word) if isinstance(found, dict) else None
    for index, item in enumerate(found if isinstance(found, list) else ()):
        if isinstance(item, dict):
            yield index, item


def _codes(document: dict[str, Any], part: str) -> set[str]:
    return {item["key"] for _, item in _items(document, part) if isinstance(item.get("key"), str)}


def _rules(document: dict[str, Any]) -> _Found:
    for part in ("partners", "areas", "locations", "target_groups", "groups", "activities"):
        yield from _codes_stand_once(document, part)
    yield from _references(document)
    yield from _one_lead(document)
    yield from _dates_in_order(document)
    yield from _standing_fits_counting(document)
    yield from _figures_fit(document)


def _codes_stand_once(document: dict[str, Any], part: str) -> _Found:
    seen: set[str] = set()
    for index, item in _items(document, part):
        key = item.get("key")
        if isinstance(key, str):
            if key in seen:
                yield (part, index, "key"), f'the code "{_short(key)}" stands in this list twice'
            seen.add(key)


def _references(document: dict[str, Any]) -> _Found:
    for part, word, target in (("activities", "group", "groups"), ("locations", "area", "areas")):
        known = _codes(document, target)
        for index, item in _items(document, part):
            yield from _points_at((part, index, word), item.get(word), target, known)
    groups = _codes(document, "groups")
    for index, item in _items(document, "figures", "groups"):
        yield from _points_at(("figures", "groups", index, "group"), item.get("group"), "groups", groups)
    synthetic = document.get("synthetic")
    listed = synthetic.get("partners") if isinstance(synthetic, dict) else None
    for index, key in enumerate(listed if isinstance(listed, list) else ()):
        yield from _points_at(("synthetic", "partners", index), key, "partners", _codes(document, "partners"))


def _points_at(path: Path, key: Any, target: str, known: set[str]) -> _Found:
    if isinstance(key, str) and key not in known:
        yield path, f'"{_short(key)}" is no key in {target}' + _hint(key, sorted(known))


def _one_lead(document: dict[str, Any]) -> _Found:
    roles = [(index, item.get("role")) for index, item in _items(document, "partners")]
    leads = [index for index, role in roles if role == "lead"]
    if roles and not leads and all(role == "partner" for _, role in roles):
        yield ("partners",), "no partner has the role lead"
    for index in leads[1:]:
        yield ("partners", index, "role"), "a second lead: a project has exactly one"


def _dates_in_order(document: dict[str, Any]) -> _Found:
    period = document.get("period")
    if not isinstance(period, dict):
        return
    try:
        start, end = (date.fromisoformat(period[word]) for word in ("start", "end"))
    except (KeyError, TypeError, ValueError):
        return
    if end < start:
        yield ("period", "end"), "the period ends before it starts"


def _standing_fits_counting(document: dict[str, Any]) -> _Found:
    counts = {item.get("key"): item.get("counts") for _, item in _items(document, "groups") if _plain(item.get("key"))}
    for index, item in _items(document, "activities"):
        counted = counts.get(item["group"]) if _plain(item.get("group")) else None
        path, standing = ("activities", index, "standing"), item.get("standing")
        if counted == "heads" and standing in ("visitor", "client", "esf_participant"):
            yield path, "the group counts heads: nobody is registered, so the standing is met"
        elif counted == "people" and standing == "met":
            yield path, "the group counts people: ask at least visitor"


def _figures_fit(document: dict[str, Any]) -> _Found:
    counts = {item.get("key"): item.get("counts") for _, item in _items(document, "groups") if _plain(item.get("key"))}
    offered = {item.get("group") for _, item in _items(document, "activities") if _plain(item.get("group"))}
    seen: set[str] = set()
    for index, item in _items(document, "figures", "groups"):
        path, group = ("figures", "groups", index), item.get("group")
        if not isinstance(group, str) or group not in counts:
            continue
        if group in seen:
            yield (*path, "group"), f'the group "{_short(group)}" has figures already'
        seen.add(group)
        if group not in offered:
            yield (*path, "group"), f'no activity belongs to the group "{_short(group)}"'
        right, wrong = ("participants", "heads") if counts[group] == "people" else ("heads", "participants")
        if wrong in item:
            yield (*path, wrong), f"the group counts {counts[group]}: give {right} instead"
        elif right not in item:
            yield path, f'the key "{right}" is missing: the group counts {counts[group]}'
        elif right == "heads" and _less(item.get("heads"), item.get("sessions")):
            yield (*path, "heads"), "fewer heads than sessions"


def _plain(value: Any) -> bool:
    return isinstance(value, str)


def _less(one: Any, other: Any) -> bool:
    return isinstance(one, int) and isinstance(other, int) and one < other
