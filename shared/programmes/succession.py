"""From one version of a programme to the next: which keys are gone, who was written down with them, what they become.

No fact is ever changed. Readers ask `Programme.now` under which key of this version an old one counts; so a version may
drop a key that stands in recorded lines only if its `mapping` says what it became.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from shared.documents.reading import show_path
from shared.programmes.problems import Problem
from shared.programmes.step_checks import LISTS, check_successors

_MEMBERS = {"step": "steps", "activity": "activities", "outcome": "outcomes", "area": "areas"}
_MEMBERS |= {"next": "outcomes", "planned": "outcomes"}
"""The members of facts that hold such a key, and its list; they are called so in every fact."""
_CODE = re.compile(rb'"(step|activity|outcome|area|next|planned)":"([a-z0-9_]{1,40})"')

Key = tuple[str, str]
"""A list of the programme file and a key of it."""


@dataclass(frozen=True, slots=True)
class Move:
    """A key that is gone and in use: what it becomes (None: nobody said), in how many lines it stands and of how many
    people; `now`: how many are on that step at this moment (None: it is no step)."""

    list: str
    key: str
    becomes: str | None
    lines: int
    people: int
    now: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As commands answer it."""
        return asdict(self)


def gone(new: Mapping[str, Any], old: Mapping[str, Any]) -> dict[Key, str | None]:
    """The keys that the old version had, or had mapped, and the new one has not; each with what it becomes."""
    said = {(row["list"], row["key"]): row["becomes"] for row in new.get("mapping", ())}
    had = [(part, item["key"]) for part in LISTS for item in old.get(part, ())]
    had += [(row["list"], row["key"]) for row in old.get("mapping", ())]
    has = {(part, item["key"]) for part in LISTS for item in new.get(part, ())}
    return {key: said.get(key) for key in dict.fromkeys(had) if key not in has}


def in_use(lines: Iterable[tuple[bytes | None, bytes]], keys: Mapping[Key, str | None]) -> list[Move]:
    """Those of the keys that stand in these lines (subject and bytes of each), in the order of `keys`."""
    count, people = defaultdict[Key, int](int), defaultdict[Key, set[bytes]](set)
    for subject, line in lines:
        for member, code in set(_CODE.findall(line)):
            key = (_MEMBERS[member.decode()], code.decode())
            if key in keys:
                count[key] += 1
                if subject is not None:
                    people[key].add(subject)
    return [Move(*key, becomes, count[key], len(people[key])) for key, becomes in keys.items() if key in count]


def problems(new: Mapping[str, Any], old: Mapping[str, Any], moves: Sequence[Move]) -> list[Problem]:
    """Why the new version may not follow the old one; lines are 0."""
    found = []
    for move in moves:
        if move.becomes is None:
            path = move.list if move.list in new else "key"
            reason = f'"{move.key}" is gone, but {move.lines} lines have it: say in mapping what it becomes'
            found.append(Problem(0, path, reason))
    return found + [Problem(0, show_path(at), reason) for at, reason in check_successors(new, old)]
