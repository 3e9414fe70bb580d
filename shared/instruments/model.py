"""A checked instrument as frozen values, addressed by the digest of its canonical bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from shared.documents.values import Named, canonical, digest

Rule = Literal["sum", "mean"]
Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Item(Named):
    """One thing that is asked, answered by a whole number from `low` to `high`."""

    low: int
    high: int


@dataclass(frozen=True)
class Scale(Named):
    """How a score follows from items; `deploy/instruments/instrument.schema.json` tells what each member means."""

    items: tuple[str, ...]
    reversed: frozenset[str]
    rule: Rule
    max_missing: int
    decimals: int
    better: Better


@dataclass(frozen=True)
class Instrument(Named):
    """One version of an instrument; `digest` addresses its definition, `text` is that definition as canonical JSON."""

    version: str
    digest: str
    text: str
    items: tuple[Item, ...]
    scales: tuple[Scale, ...]

    @cached_property
    def item_by_key(self) -> Mapping[str, Item]:
        return {item.key: item for item in self.items}

    @cached_property
    def scale_by_key(self) -> Mapping[str, Scale]:
        return {scale.key: scale for scale in self.scales}


def build(document: Mapping[str, Any]) -> Instrument:
    """An `Instrument` from a document that has passed every check; anything else is a programming error."""
    return Instrument(
        key=document["key"],
        name=dict(document["name"]),
        version=document["version"],
        digest=digest(document),
        text=canonical(document).decode(),
        items=tuple(Item(i["key"], dict(i["name"]), i["low"], i["high"]) for i in document["items"]),
        scales=tuple(
            Scale(
                s["key"],
                dict(s["name"]),
                items=tuple(s["items"]),
                reversed=frozenset(s.get("reversed", ())),
                rule=s["rule"],
                max_missing=s["max_missing"],
                decimals=s["decimals"],
                better=s["better"],
            )
            for s in document["scales"]
        ),
    )
