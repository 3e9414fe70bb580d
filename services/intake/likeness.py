"""How likely two people are one (decision 0208): what is compared, what it is worth, who is compared with whom."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from typing import Any

from services.intake.domain import normalised_name
from shared import hetu

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


def _marks(person: Known) -> Iterator[tuple[str, ...]]:
    for kind in ("code", "token", "born"):
        if value := getattr(person, kind):
            yield kind, value
    if person.family and person.given:
        yield ("names", *sorted((person.family[:3], person.given[:3])))


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
