"""How an organisation asks an instrument's items, word for word (decision 0233). Theirs, never a part of a release."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.documents.checking import Found, Kind, codes_stand_once, items, points_at
from shared.documents.problems import Problem
from shared.instruments.checking import SCHEMA_FILE, refuse
from shared.instruments.files import find_instrument, has_instrument

Wording = Mapping[str, Mapping[str, str]]
"""Questions by item and language."""


def check_wording(path: Path) -> list[Problem]:
    """Every problem of a wording file with its line, in the order of the file; empty if it may be used."""
    return sorted(set(_KIND.read(path).problems))


def read_wording(path: Path) -> dict[str, Any]:
    """The document in a file. Raises `InvalidInstrument` with the first problem and its line."""
    reading = _KIND.read(path)
    refuse(path.name, sorted(set(reading.problems)))
    return dict(reading.data)


def parse_wording(document: Mapping[str, Any]) -> Wording:
    """The questions of a document. Raises `InvalidInstrument` with the first problem."""
    refuse("document", sorted(_KIND.problems(document)))
    return {item["key"]: dict(item["text"]) for item in document["items"]}


def _rules(document: dict[str, Any]) -> Found:
    yield from codes_stand_once(document, "items")
    key, version = document.get("instrument"), document.get("version")
    if not isinstance(key, str) or not isinstance(version, str):
        return
    if not has_instrument(key, version):
        yield ("instrument",), "this release has no such instrument in that version (deploy/instruments)"
        return
    known = set(find_instrument(key, version).item_by_key)
    for index, item in items(document, "items"):
        yield from points_at(("items", index, "key"), item.get("key"), "items of the instrument", known)


_KIND = Kind("a wording file", SCHEMA_FILE.with_name("wording.schema.json"), _rules)
