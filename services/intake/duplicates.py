"""Use cases of two people who may be one: listed, judged by a person, linked and never merged (decision 0208)."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from services.intake import queries, rights_store, store
from services.intake.likeness import Compared, Known, known, speaking
from services.intake.operations import Vault
from shared.contracts.errors import ChangedMeanwhile, InvalidInput, UnknownPerson
from shared.contracts.rights_facts import NotSamePerson, SamePerson
from shared.journal import Journal
from shared.ops.clock import today_in_helsinki
from shared.storage import snapshot
from shared.storage.restricting import refuse_restricted, restricted_among

_compared: dict[tuple[str, str], Compared] = defaultdict(Compared)
"""By home and programme."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people, how likely they are one, and what somebody has said."""

    first: queries.PersonRow
    second: queries.PersonRow
    points: int
    verdict: str | None
    speaks: tuple[list[str], list[str]]
    """For, and against."""


def listed(
    journal: Journal, keys: Vault, programme: str, *, judged: bool, limit: int, offset: int, by: str, now: datetime
) -> tuple[int, list[Pair]]:
    """How many pairs there are, and some, the likeliest first. Who is new or has changed is compared, none but the
    listed shown; who is about to see whom is written down first. Pairs of other verdicts than "same" are judged ones
    too. Raises `UnknownProgramme`."""
    with snapshot(journal.engine) as connection:
        store.shelf.get(connection, programme)
    rows = {
        bytes.fromhex(row.subject): row for row in queries.everybody(journal.engine, programme) if not row.protected
    }

    def opened(row: queries.PersonRow) -> Known:
        identity = store.open_identity(keys.vault, row.person, row.wrapped_key, row.box)
        return known(bytes.fromhex(row.subject), identity)

    found = _compared[journal.home, programme].pairs(rows, opened)
    with journal.unit(now) as unit:
        verdicts = rights_store.judged(unit.connection, programme)
        for both in verdicts if judged else ():
            if both[0] in rows and both[1] in rows:
                found.setdefault(both, 0)
        ordered = sorted((-points, both) for both, points in found.items() if judged or both not in verdicts)
        page = [(both, -points) for points, both in ordered[offset : offset + limit]]
        if page:
            seen = sorted({subject.hex() for both, _ in page for subject in both})
            unit.audit(by, "list_duplicates", programme=programme, subjects=seen)
    shown = {raw: opened(rows[raw]) for both, _ in page for raw in both}
    return len(ordered), [
        Pair(rows[a], rows[b], points, verdicts.get((a, b)), speaking(shown[a], shown[b])) for (a, b), points in page
    ]


def judge(
    journal: Journal,
    programme: str,
    subject: str,
    same_as: str,
    verdict: str,
    *,
    by: str,
    now: datetime,
    was: str | None = None,
) -> tuple[bool, int | None]:
    """Note that two people are one, or two; whether that is new, and the position. `was`: the verdict that whoever
    judges has seen, "none" before any. Raises `UnknownPerson`, `ProcessingRestricted` if either of them is restricted,
    and `ChangedMeanwhile` if somebody has said otherwise since."""
    if subject == same_as:
        raise InvalidInput(field="same_as", reason="that is the same one")
    with journal.unit(now) as unit:
        low, high = sorted((bytes.fromhex(subject), bytes.fromhex(same_as)))
        # In one order everywhere: two who judge the same pair wait for each other, not in a circle.
        for raw in (low, high):
            if store.locked_participation(unit.connection, programme, raw.hex()) is None:
                field = "person" if raw.hex() == subject else "same_as"
                raise UnknownPerson(field=field, programme=programme)
        before = rights_store.judged(unit.connection, programme).get((low, high))
        if before == verdict:
            return False, None
        for person, field in ((subject, "person"), (same_as, "same_as")):
            refuse_restricted(restricted_among(unit.connection, [person]), person, None, "intake", field)
        if was not in (None, before or "none"):
            raise ChangedMeanwhile(field="was")
        today = today_in_helsinki(now)
        rights_store.put_verdict(unit.connection, programme, (low, high), verdict, today)
        said = {"same_as": high.hex(), "occurred_on": today.isoformat()}
        if verdict == "same":
            unit.record(SamePerson(low.hex(), **said), programme)
        elif before == "same":
            unit.record(NotSamePerson(low.hex(), **said), programme)
        unit.audit(by, "judge_pair", programme=programme, subjects=[low.hex(), high.hex()], verdict=verdict)
    return True, unit.pos
