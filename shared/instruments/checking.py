"""Is this an instrument? How files are checked at all is in `shared.documents`; here is what no schema can say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.contracts.errors import InvalidInstrument
from shared.documents.checking import Found, Kind, codes, codes_stand_once, items, points_at
from shared.documents.problems import Problem
from shared.documents.reading import Reading
from shared.instruments.model import Instrument, build

SCHEMA_FILE = Path(__file__).resolve().parents[2] / "deploy" / "instruments" / "instrument.schema.json"


def parse(document: Mapping[str, Any]) -> Instrument:
    """The instrument a document describes. Raises `InvalidInstrument` with the first problem."""
    refuse("document", sorted(_KIND.problems(document)))
    return build(document)


def load_file(path: Path) -> Instrument:
    """The instrument in a file. Raises `InvalidInstrument` with the first problem and its line."""
    reading = _check(path)
    refuse(path.name, sorted(set(reading.problems)))
    return build(reading.data)


def check_file(path: Path) -> list[Problem]:
    """Every problem of an instrument file with its line, in the order of the file; empty if it may be used."""
    return sorted(set(_check(path).problems))


def refuse(file: str, problems: list[Problem]) -> None:
    """Raises `InvalidInstrument` with the first problem, if there is one."""
    if problems:
        first = problems[0]
        reason = f"{first.path}: {first.reason}" if first.path else first.reason
        raise InvalidInstrument(file=file, count=len(problems), line=first.line, reason=reason)


def _check(path: Path) -> Reading:
    reading = _KIND.read(path)
    data = reading.data if isinstance(reading.data, dict) else {}
    key, version = data.get("key"), data.get("version")
    if isinstance(key, str) and isinstance(version, str) and path.name != f"{key}.{version}.yaml":
        reason = "the file must be called KEY.VERSION.yaml, by what it says itself"
        reading.problems.append(Problem(reading.line(("key",)), "key", reason))
    return reading


def _rules(document: dict[str, Any]) -> Found:
    yield from codes_stand_once(document, "items")
    yield from codes_stand_once(document, "scales")
    for index, item in items(document, "items"):
        low, high = item.get("low"), item.get("high")
        if isinstance(low, int) and isinstance(high, int) and high <= low:
            yield ("items", index, "high"), "not above low"
    for index, scale in items(document, "scales"):
        yield from _scale(document, index, scale)


def _scale(document: dict[str, Any], index: int, scale: dict[str, Any]) -> Found:
    path, known, used = ("scales", index), codes(document, "items"), _words(scale.get("items"))
    for place, key in enumerate(used):
        yield from points_at((*path, "items", place), key, "items", known)
    for place, key in enumerate(_words(scale.get("reversed"))):
        if key not in used:
            yield (*path, "reversed", place), "is no item of this scale"
    ranges = {(item.get("low"), item.get("high")) for _, item in items(document, "items") if item.get("key") in used}
    if len(ranges) > 1:
        yield (*path, "items"), "their ranges differ: neither their sum nor their mean would mean anything"
    missing = scale.get("max_missing")
    if used and isinstance(missing, int) and missing >= len(used):
        yield (*path, "max_missing"), "at least one item must be answered"


def _words(value: Any) -> list[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


_KIND = Kind("an instrument file", SCHEMA_FILE, _rules)
