"""What programmes and instruments have in common as values: an address made of their content, and names for people."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


def canonical(document: Mapping[str, Any]) -> bytes:
    """The one byte form of a document: JSON, keys sorted, no white space, UTF-8.

    Numbers in it are whole numbers (the schema has no other), so two writers cannot differ.
    """
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical bytes, 64 lower-case hex digits."""
    return hashlib.sha256(canonical(document)).hexdigest()


@dataclass(frozen=True)
class Named:
    """Something with a code and a name for people: `name` by language, at least one of fi, sv, en."""

    key: str
    name: Mapping[str, str]
