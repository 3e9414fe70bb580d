"""Totals of a programme that were published, or stand for such: what `polku synth` makes people for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class FigureGroup:
    """A group's totals: `participants` for a group that counts people, `heads` for one that counts heads."""

    group: str
    sessions: int
    participants: int | None
    heads: int | None
    women: int | None = None
    """Of the participants; None: nobody has said."""
    illustrative: tuple[str, ...] = ()
    """Which of these numbers nobody published."""


@dataclass(frozen=True)
class FigureOutcome:
    """How many different people had an outcome."""

    outcome: str
    people: int


@dataclass(frozen=True)
class FigureEncounters:
    """How many encounters there were, and heads over all of them."""

    encounters: int
    people_new: int
    people_known: int


@dataclass(frozen=True)
class Figures:
    """The totals `polku synth` reproduces."""

    basis: Literal["published", "illustrative"]
    groups: tuple[FigureGroup, ...]
    outcomes: tuple[FigureOutcome, ...] = ()
    encounters: FigureEncounters | None = None
    funding: Mapping[str, int] = field(default_factory=dict)
    """Euros realised by source, if they were published."""


def read_figures(told: Mapping[str, Any]) -> Figures:
    """The `figures` of a checked document."""
    return Figures(
        basis=told["basis"],
        groups=tuple(
            FigureGroup(
                g["group"],
                g["sessions"],
                g.get("participants"),
                g.get("heads"),
                g.get("women"),
                tuple(g.get("illustrative", ())),
            )
            for g in told["groups"]
        ),
        outcomes=tuple(FigureOutcome(o["outcome"], o["people"]) for o in told.get("outcomes", ())),
        encounters=FigureEncounters(**told["encounters"]) if "encounters" in told else None,
        funding={row["source"]: row["realised"] for row in told.get("funding", ()) if told["basis"] == "published"},
    )
