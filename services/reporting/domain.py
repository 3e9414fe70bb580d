"""Rules of reporting: counting bases that cannot be mixed up, and what "arrived" means.

People, attendances and heads are counted in different ways and are therefore different types without any addition
between them: a sum of people and heads is a type error, not a figure. People of two groups are not added either,
because somebody may be in both; they are counted again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from shared.contracts.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class People:
    """Different people, each once."""

    count: int


@dataclass(frozen=True, slots=True)
class Attendances:
    """Times that somebody was at a session as a participant."""

    count: int


@dataclass(frozen=True, slots=True)
class Heads:
    """How many were seen; the same person may be in several counts."""

    count: int


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """One row of the report's activities; a basis that the group does not count on is None, never 0.

    So are `minutes` and `heads` if sessions were held and nobody wrote down how long, or how many came, at any of them.
    """

    group: str
    sessions: int
    minutes: int | None
    participants: People | None
    attendances: Attendances | None
    heads: Heads | None

    def to_json(self) -> dict[str, Any]:
        """The row as interfaces.md names it; `hours` with one decimal, halves up."""
        return {
            "group": self.group,
            "sessions": self.sessions,
            "participants": self.participants.count if self.participants else None,
            "attendances": self.attendances.count if self.attendances else None,
            "heads": self.heads.count if self.heads else None,
            "hours": None if self.minutes is None else (self.minutes + 3) // 6 / 10,
        }


@dataclass(frozen=True, slots=True)
class OutcomeFigures:
    """What became of an activity's participants: different people with each outcome, and those without any.

    Who had two outcomes stands under both, so the outcomes may add up to more than the people; `unknown` is exact.
    """

    activity: str
    participants: People
    outcomes: Mapping[str, People]
    unknown: People

    def to_json(self) -> dict[str, Any]:
        """The row as interfaces.md names it."""
        return {
            "activity": self.activity,
            "participants": self.participants.count,
            "outcomes": {outcome: people.count for outcome, people in self.outcomes.items()},
            "unknown": self.unknown.count,
        }


@dataclass(frozen=True, slots=True)
class StreamState:
    """Where the figures stand in one partner's stream, and how far the node has said that it is.

    `watermark` and `chain` are the last line that the figures contain; `head` and `head_chain` the newest that the
    node has signed as its head. A partner that has not joined has no node and no numbers. `expelled` is when (UTC, wire
    form) the node's membership ended.
    """

    node: str | None
    partner: str
    epoch: int | None
    watermark: int | None
    chain: bytes | None
    head: int | None
    head_chain: bytes | None
    manifest_at: datetime | None
    stopped: bool = False
    expelled: str | None = None


def check_days(start: date | None, end: date | None) -> None:
    """Refuse days that no session can lie between; raises `InvalidInput`."""
    if start is not None and end is not None and end < start:
        raise InvalidInput(field="to", reason="before from")


def arrived(streams: Sequence[StreamState], newer_facts: int, now: datetime, silence: timedelta) -> bool | None:
    """True: all that every joined node has signed as its head is in the figures, and no node has been silent too long.

    False: something is missing, differs or cannot be read by this release. None: not known since a node fell silent,
    or before any has spoken. Partners that have not joined or were expelled do not change it.
    """
    joined = [stream for stream in streams if stream.node is not None and stream.expelled is None]
    if newer_facts or any(_lacks(stream) for stream in joined):
        return False
    if not joined or any(stream.manifest_at is None or now - stream.manifest_at > silence for stream in joined):
        return None
    return True


def _lacks(stream: StreamState) -> bool:
    if stream.stopped:
        return True
    if stream.head is None or stream.watermark is None:
        return False  # it has not spoken yet: not known rather than missing
    return stream.watermark < stream.head or (stream.watermark == stream.head and stream.chain != stream.head_chain)
