"""What the checks know: every line that was ever recorded, and the counters of a run.

A stream's **tree** holds every (seq, chain) that a node ever had, with the line before it. It has one branch, unless a
node was put back to an older state and went on from there.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields

from shared.journal.lines import chain_next, chain_start

MUST_BE_ZERO = (
    "lost",
    "duplicated_effect",
    "unexpected",
    "undetected_gap",
    "false_complete",
    "false_echo",
    "stale_believed",
)


@dataclass
class Counters:
    """The words of reliability.md §5.2; lines, unless another unit is named."""

    attempted: int = 0
    committed: int = 0
    delivered: int = 0
    """Items that the receiver read."""
    applied: int = 0
    lost: int = 0
    duplicated_effect: int = 0
    unexpected: int = 0
    undetected_gap: int = 0
    false_complete: int = 0
    """Statements (the lead's completeness, a receipt, what a node believes) that say more than is held."""
    false_echo: int = 0
    """Receipts that say "examined" of a segment that lay there and was not looked at (decision 0012)."""
    stale_believed: int = 0
    """Receipts that a courier believed after a newer one, of the same lead or of the one that took its place."""
    conflicted: int = 0
    """Streams that have stopped."""
    quarantined: int = 0
    """Contents that were refused."""

    def add(self, other: "Counters") -> None:
        """Add another run's."""
        for counter in fields(self):
            setattr(self, counter.name, getattr(self, counter.name) + getattr(other, counter.name))

    def failed(self) -> dict[str, int]:
        """Those that should be zero and are not."""
        return {name: count for name, count in asdict(self).items() if name in MUST_BE_ZERO and count}


@dataclass
class Coverage:
    """What happened at least once, by name."""

    faults: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Coverage") -> None:
        """Add another run's."""
        self.faults += other.faults
        self.outcomes += other.outcomes
        self.reasons += other.reasons
        self.states += other.states


@dataclass
class Tree:
    """All histories of one stream."""

    stream: str
    at: tuple[int, bytes] = (0, b"")
    """Where the node stands now."""
    before: dict[tuple[int, bytes], bytes] = field(default_factory=dict)
    """The chain before each (seq, chain)."""

    def __post_init__(self) -> None:
        self.at = (0, chain_start(self.stream))

    def grow(self, digests: Iterable[bytes]) -> int:
        """The node has recorded these after where it stands."""
        count = 0
        for digest in digests:
            seq, chain = self.at
            self.at = seq + 1, chain_next(chain, digest)
            self.before[self.at] = chain
            count += 1
        return count

    def leads_through(self, seq: int, chain: bytes) -> bool:
        """Whether the node's present history has this chain at a line where it is or has been."""
        at = self.at
        while at[0] > seq:
            at = at[0] - 1, self.before[at]
        return at == (seq, chain)

    def holds(self, seq: int, chain: bytes) -> bool:
        """Whether the node ever stood there."""
        return (seq, chain) in self.before or (seq, chain) == (0, chain_start(self.stream))
