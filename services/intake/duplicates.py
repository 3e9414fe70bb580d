"""Two people who may be one: found by scored comparison, judged by a person, linked and never merged (decision 0208).

`score` and `candidates` are rules; the rest are use cases.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import combinations
from typing import Any

from services.intake import queries, rights_store, store
from services.intake.domain import normalised_name
from services.intake.operations import Vault
from shared import hetu
from shared.contracts.errors import ChangedMeanwhile, InvalidInput, UnknownPerson
from shared.contracts.rights_facts import NotSamePerson, SamePerson
from shared.journal import Journal
from shared.ops.clock import today_in_helsinki
from shared.storage import snapshot
from shared.storage.restricting import refuse_restricted, restricted_among

LISTED, LIKELY = 60, 85
"""From which score of 100 a pair is listed, and from which it is likely."""
FAMILY, GIVEN, BORN = 30, 25, 45
"""What each part of an identity is worth if it is the same."""
OTHER_BIRTH_DATE_AT_MOST = 55
MOST_IN_A_BLOCK = 100
"""People who share one mark (a birth date, a beginning of a name) and are compared each with each."""


@dataclass(frozen=True, slots=True)
class Known:
    """A person as they are compared."""

    subject: bytes
    family: str
    given: str
    born: str
    code: str
    token: str

    def __repr__(self) -> str:
        return "Known(…)"  # never a name in a log


def known(subject: bytes, identity: Mapping[str, Any]) -> Known:
    """The parts of an identity that are compared; names without case, marks and spaces, a code only if it is one."""
    code = hetu.normalise(identity.get("identity_code") or "")
    born = identity.get("birth_date") or ""
    if hetu.is_valid(code):
        born = born or str(hetu.birth_date(code))
    else:
        code = ""
    family, given, token = (
        normalised_name(identity.get(name) or "") for name in ("family_name", "given_name", "token")
    )
    return Known(subject, family, given, born, code, token)


def score(one: Known, other: Known) -> int:
    """How likely two people are one, 0 to 100.

    The same identity code is 100, two different ones 0. Else: names by how many letters have to be changed (the two
    may stand the wrong way round), the birth date if it is the same, or half of it if day and month are swapped or one
    digit differs. A birth date that is missing says little, another one speaks against; so do other given names of
    people with one family name (twins). Without names the same token is just enough to be looked at.
    """
    if one.code and other.code:
        return 100 if one.code == other.code else 0
    if not (one.family or one.given) or not (other.family or other.given):
        return LISTED if one.token and one.token == other.token else 0
    points = max(_names(one, other), _swapped(one, other))
    if not one.born or not other.born:
        return points + 10
    if one.born == other.born:
        return points + BORN
    if _near(one.born, other.born):
        return points + BORN // 2
    return min(points, OTHER_BIRTH_DATE_AT_MOST)


def speaking(one: Known, other: Known) -> tuple[list[str], list[str]]:
    """What speaks for two people being one and what against it, as codes: the parts that `score` weighs."""
    pro, contra = list[str](), list[str]()

    def said(part: str, *, speaks_for: bool) -> None:
        (pro if speaks_for else contra).append(part)

    if one.code and other.code:
        said("code", speaks_for=one.code == other.code)
    if (one.family or one.given) and (other.family or other.given):
        straight, swapped = _names(one, other), _swapped(one, other)
        if (one.family, one.given) == (other.family, other.given):
            pro.append("names")
        elif max(straight, swapped) * 2 >= FAMILY + GIVEN:
            pro.append("names_swapped" if swapped > straight else "names_near")
        else:
            contra.append("given" if one.family == other.family else "names")
    if one.token and one.token == other.token:
        pro.append("token")
    if one.born and other.born:
        near = one.born != other.born and _near(one.born, other.born)
        said("born_near" if near else "born", speaks_for=near or one.born == other.born)
    return pro, contra


def _names(one: Known, other: Known) -> int:
    families, givens = _alike(one.family, other.family), _alike(one.given, other.given)
    apart = 20 if families > 0.9 and one.given and other.given and givens < 0.5 else 0
    return max(round(FAMILY * families + GIVEN * givens) - apart, 0)


def _swapped(one: Known, other: Known) -> int:
    """The same, if somebody has written one of the two the wrong way round."""
    alike = _alike(one.family, other.given) + _alike(one.given, other.family)
    return max(round((FAMILY + GIVEN) * alike / 2) - 5, 0)


def _alike(one: str, other: str) -> float:
    """1 for the same, 0 if half of the letters or more are others; one that begins as the other (a nickname, the first
    of two names) counts 0.8."""
    if not one or not other:
        return 0.0
    longest = max(len(one), len(other))
    near = max(1 - 2 * edits(one, other) / longest, 0.0)
    short, long = sorted((one, other), key=len)
    return max(near, 0.8 if len(short) >= 3 and long.startswith(short) else 0.0) if one != other else 1.0


def edits(one: str, other: str) -> int:
    """How many letters have to be added, left out, changed, or swapped with the next to make one of the other."""
    one, other = one[:80], other[:80]  # longer names differ or do not by then
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]


def _near(one: str, other: str) -> bool:
    year, month, day = one.split("-")
    return other == f"{year}-{day}-{month}" or sum(a != b for a, b in zip(one, other, strict=False)) == 1


Both = tuple[bytes, bytes]
"""Two people, the lower subject first."""


def candidates(people: Iterable[Known], others_than: Collection[bytes] = ()) -> dict[Both, int]:
    """The pairs that score enough to be listed. Only people who share a mark are compared: a code, a token, a birth
    date, the beginnings of their names; each pair once, and none of which both are among `others_than`."""
    blocks: dict[tuple[str, ...], list[Known]] = defaultdict(list)
    for person in people:
        for mark in _marks(person):
            blocks[mark].append(person)
    found: dict[Both, int] = {}
    for block in blocks.values():
        for one, other in combinations(block[:MOST_IN_A_BLOCK], 2):
            both = (one.subject, other.subject) if one.subject < other.subject else (other.subject, one.subject)
            if both not in found and not (one.subject in others_than and other.subject in others_than):
                found[both] = score(one, other)
    return {both: points for both, points in found.items() if points >= LISTED}


class Compared:
    """The pairs of a programme's people, kept from one look to the next: who has changed since is compared again, and
    nobody else. Kept are subjects, points, and a digest of each identity as it is encrypted; in memory alone."""

    def __init__(self) -> None:
        self._seen: dict[bytes, bytes] = {}
        self._found: dict[Both, int] = {}

    def pairs(self, rows: Mapping[bytes, Any], opened: Callable[[Any], Known]) -> dict[Both, int]:
        """The pairs of these people, each with its closed identity (`box`); none is opened if none has changed."""
        now = {subject: sha256(row.box).digest() for subject, row in rows.items()}
        same = {subject for subject, digest in now.items() if self._seen.get(subject) == digest}
        found = {both: points for both, points in self._found.items() if same.issuperset(both)}
        if len(same) < len(now):
            found |= candidates((opened(row) for row in rows.values()), same)
        self._seen, self._found = now, found
        return dict(found)


_compared: dict[tuple[str, str], Compared] = defaultdict(Compared)
"""By home and programme."""


def _marks(person: Known) -> Iterator[tuple[str, ...]]:
    for kind in ("code", "token", "born"):
        if value := getattr(person, kind):
            yield kind, value
    if person.family and person.given:
        yield ("names", *sorted((person.family[:3], person.given[:3])))


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
