"""Is this a file of its kind? Three sieves, each finding every problem it can: the reader, the JSON Schema, own rules.

The schema says which words there are and what shape values have; the rules (of programmes, of instruments) say what no
schema can: references that point somewhere, codes that stand once, dates in order. A rule looks only at parts whose
shape is right, so that one mistake gives one problem.
"""

import difflib
import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path as FilePath
from typing import Any

from shared.documents.problems import Problem
from shared.documents.reading import MAX_DEPTH, Path, Reading, read_yaml, show_path

Found = Iterator[tuple[Path, str]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: what people call it, its schema, and what the schema cannot say."""

    called: str
    schema: FilePath
    rules: Callable[[dict[str, Any]], Found]

    def problems(self, document: Any) -> list[Problem]:
        """Every problem of a document that did not come from a file; lines are 0."""
        return [Problem(0, show_path(path), reason) for path, reason in self._find(document)]

    def read(self, path: FilePath) -> Reading:
        """A file's data with every problem and its line, in no order; never raises for what the file holds."""
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
        for place, reason in self._find(reading.data):
            reading.problems.append(Problem(reading.line(place), show_path(place), reason))
        return reading

    def _find(self, document: Any) -> Found:
        if not isinstance(document, dict):
            yield (), f"{self.called} is a mapping (key: value) at the top"
            return
        if unfit := _unfit(document):
            yield (), unfit
            return
        yield from _against_schema(document, self.schema)
        yield from self.rules(document)


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
def _validator(file: FilePath) -> Any:
    # jsonschema is imported when first used: it costs time and memory that a node's other processes need not pay.
    from jsonschema import Draft202012Validator, FormatChecker

    schema = json.loads(file.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker(["date"]))


def _against_schema(document: dict[str, Any], schema: FilePath) -> Found:
    for error in _validator(schema).iter_errors(document):
        path: Path = tuple(error.absolute_path)
        if error.validator == "additionalProperties":
            known = list(error.schema["properties"])
            for word in error.instance:
                if word not in known:
                    yield (*path, word), f'unknown key "{short(word)}"' + hint(word, known)
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
            near = hint(value, wanted) if isinstance(value, str) else ""
            return f"must be one of {', '.join(wanted)}, not {_kind(value)}{near}"
        case "not":
            return f'"{short(value)}" is taken for something else'
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
    "boolean": "true or false",
}

_PATTERNS = {
    "^[a-z0-9_]{1,40}$": "a code has a-z, 0-9 and _ only, at most 40",
    "^[a-z0-9-]{1,40}$": "a programme's key has a-z, 0-9 and - only, at most 40",
    "^\\S(.*\\S)?$": "no spaces at the ends, one line",
    "^[0-9]{3}$": "three digits",
    "^[0-9]{7}-[0-9]$": "seven digits, a dash and a check digit",
    "^[A-Z]{2,4}[0-9]{2}$": "two to four capital letters and two digits",
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
            return f'"{short(value)}"'
        case dict():
            return "a mapping"
        case _:
            return "a list"


def short(text: str) -> str:
    """At most 40 characters of `text`, none of them invisible."""
    shown = "".join(c if c.isprintable() else "?" for c in text)
    return shown if len(shown) <= 40 else shown[:39] + "…"


def hint(word: str, known: list[str]) -> str:
    """The known word that `word` is nearly like, as the end of a sentence; empty if there is none."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


# --- for rules --------------------------------------------------------------------------------------------------------


def items(document: dict[str, Any], *path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The mappings of the list at `path`, with their places; nothing if there is no such list."""
    found: Any = document
    for word in path:
        found = found.get(word) if isinstance(found, dict) else None
    for index, item in enumerate(found if isinstance(found, list) else ()):
        if isinstance(item, dict):
            yield index, item


def codes(document: dict[str, Any], part: str) -> set[str]:
    """The keys of the items of a list."""
    return {item["key"] for _, item in items(document, part) if isinstance(item.get("key"), str)}


def codes_stand_once(document: dict[str, Any], part: str) -> Found:
    """A problem for each key that stands in the list a second time."""
    seen: set[str] = set()
    for index, item in items(document, part):
        key = item.get("key")
        if isinstance(key, str):
            if key in seen:
                yield (part, index, "key"), f'the code "{short(key)}" stands in this list twice'
            seen.add(key)


def points_at(path: Path, key: Any, target: str, known: set[str]) -> Found:
    """A problem if `key` is a word, but none of the keys of `target`."""
    if isinstance(key, str) and key not in known:
        yield path, f'"{short(key)}" is no key in {target}' + hint(key, sorted(known))


def reached(leads: Mapping[str, Sequence[str]], start: str) -> set[str]:
    """Every key that one comes to from `start`; `start` itself only by a ring."""
    found: set[str] = set()
    left = list(leads.get(start, ()))
    while left:
        if (one := left.pop()) not in found:
            found.add(one)
            left += leads.get(one, ())
    return found
