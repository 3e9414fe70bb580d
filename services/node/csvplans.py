"""plans.csv: people's own plans, a row for each thing that stands in one (decision 0213)."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.node.csvcells import CODE_WORD, Cells, person_of
from services.node.csvrows import PLANS, OfPerson, row_key
from services.pathways.planning import FARTHEST
from shared.contracts.plan_facts import DOERS, ENTRIES, STATES
from shared.contracts.plans import MOST_ENTRIES
from shared.ops.clock import today_in_helsinki, utcnow
from shared.programmes import Programme

Say = Callable[[str, str], None]
"""Takes column and reason."""
_OF_PLAN = ("strength", "next", "ready")
"""What is said of a plan as a whole: a strength; the service that comes next; that, and that the plan is ready."""
_HAS: Mapping[str, tuple[str, ...]] = {
    "strength": ("code",),
    "next": ("code",),
    "ready": ("code",),
    "goal": ("text", "state", "day", "shown"),
    "action": ("text", "state", "who", "day", "shown"),
    "barrier": ("code", "solutions", "state", "day", "shown"),
    "review": ("text", "state", "day", "shown"),
}
"""Which columns each of them may fill."""
_NEEDS: Mapping[str, str] = dict.fromkeys((*_OF_PLAN, "barrier"), "code") | {
    **{"goal": "text", "action": "text", "review": "day"},
}


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One row; the partner is the person's. `before` counts for nothing. `text` is for the vault alone."""

    line: int
    participant: str
    programme: str
    partner: str
    what: str
    code: str | None
    text: str | None
    state: str | None
    who: str | None
    day: date | None
    solutions: tuple[str, ...]
    shown: str | None
    before: int = 0

    def __repr__(self) -> str:
        return f"<PlanLine of line {self.line}>"


@dataclass(frozen=True, slots=True)
class PlanRow(OfPerson):
    """One person's plan, gathered from its rows; `line` is the first."""

    line: int
    participant: str
    programme: str
    partner: str
    lines: tuple[PlanLine, ...]

    def __repr__(self) -> str:
        return f"<PlanRow of line {self.line}>"

    @property
    def key(self) -> str:
        """Whose it is alone: who has a plan keeps it."""
        return row_key(self.programme, self.partner, PLANS, self.participant)

    def text_key(self, place: int, before: int) -> str:
        """The identity of the text of one of its rows, if so many others were kept there before."""
        return row_key(self.programme, self.partner, PLANS, self.participant, "text", str(place), str(before))


def gathered(lines: Iterable[PlanLine]) -> Iterator[PlanRow]:
    """The plans that these rows are of, in the order of their first rows."""
    found: dict[str, list[PlanLine]] = {}
    for line in lines:
        found.setdefault(line.participant, []).append(line)
    for theirs in found.values():
        first = theirs[0]
        yield PlanRow(first.line, first.participant, first.programme, first.partner, tuple(theirs))


def plan_line(line: int, raw: list[str], report: Say, programmes: Mapping[str, Programme]) -> PlanLine | None:
    """The row, its partner still blank, or None after reporting every bad cell."""
    cells = Cells(PLANS, raw, report)
    who, key, programme = person_of(cells, programmes)
    what = cells.one_of("what", (*ENTRIES, *_OF_PLAN), needed=True)
    known, named = _codes(programme, what)
    code = cells.key("code", known, named)
    solutions = cells.several("solutions", CODE_WORD, "is not a list of codes parted by semicolons")
    told: dict[str, Any] = {
        **{"code": code, "text": cells.normal("text"), "state": cells.one_of("state", STATES)},
        **{"who": cells.one_of("who", DOERS), "day": cells.day("day", ahead=True), "solutions": solutions},
        "shown": cells.one_of("shown", ("yes", "no")),
    }
    if what and cells.ok:
        for column, value in told.items():
            if value and column not in _HAS[what]:
                cells.bad(column, f"is given, but a {what} has none")
        if not told[_NEEDS[what]]:
            cells.bad(_NEEDS[what], f"is missing: a {what} has one")
    _day(cells, programme, what, told["day"])
    if programme and cells.ok and what == "barrier":
        fitting = next(barrier.solutions for barrier in programme.barriers if barrier.key == code)
        if strange := [one for one in solutions if one not in fitting]:
            cells.bad("solutions", "is no answer of the programme to this barrier", strange[0])
    if not cells.ok or who is None or key is None or what is None:
        return None
    return PlanLine(line, who, key, "", what, **told)


def _day(cells: Cells, programme: Programme | None, what: str | None, day: date | None) -> None:
    """What is agreed may lie ahead, what was reviewed may not."""
    today = today_in_helsinki(utcnow())
    if day and programme and day < programme.period.start:
        cells.bad("day", "lies before the programme's period", day.isoformat())
    elif day and day > today + FARTHEST:
        cells.bad("day", f"lies more than {FARTHEST.days} days ahead", day.isoformat())
    elif day and what == "review" and day > today:
        cells.bad("day", "lies ahead, but a review was held", day.isoformat())


def _codes(programme: Programme | None, what: str | None) -> tuple[Collection[str] | None, str]:
    """The keys that may stand in `code`; None: the programme is not known, or nothing stands there."""
    if programme is None or what is None:
        return None, ""
    if what in ("next", "ready"):
        services = {key for key, outcome in programme.outcome_by_key.items() if not outcome.is_plan}
        return services, "outcome of the programme that is no plan"
    if what == "strength":
        return {one.key for one in programme.strengths}, "strength of the programme"
    return ({one.key for one in programme.barriers} if what == "barrier" else ()), "barrier of the programme"


def flaw(lines: Sequence[PlanLine]) -> tuple[int, str, str] | None:
    """Line, column and reason of what cannot be of a plan as a whole; None: it can be."""
    seen: set[tuple[str, str | None]] = set()
    for one in lines:
        said = ("next" if one.what == "ready" else one.what, one.code if one.what in ("strength", "barrier") else None)
        if one.what in (*_OF_PLAN, "barrier") and said in seen:
            return one.line, "what", "stands in the plan already"
        seen.add(said)
    if sum(one.what in ENTRIES for one in lines) > MOST_ENTRIES:
        return lines[-1].line, "participant", f"has more than {MOST_ENTRIES} entries in the plan"
    return None
