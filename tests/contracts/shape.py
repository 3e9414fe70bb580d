"""The shape of a fact: all that a line of it promises. One committed file per fact and version, in `shapes/`.

`python -m tests.contracts.shape` writes what is new; it refuses to overwrite a shape with one that would make lines
unreadable that nodes have written: such a fact needs a new version.
"""

import json
import sys
from pathlib import Path
from typing import Any

from shared.contracts.catalogue import FACTS
from shared.contracts.facts import Fact
from shared.contracts.fields import Code, Codes, Number
from tests.contracts.samples import full_body, least_body, options_of

DIRECTORY = Path(__file__).parent / "shapes"


def shape_of(fact: type[Fact]) -> dict[str, Any]:
    """Wire name, version, reach, about and every member with its type and limits."""
    return {
        "kind": fact.kind,
        "v": fact.v,
        "reach": fact.reach.value,
        "about": fact.about.value,
        "members": {name: _member(field) for name, field in fact.members.items()},
    }


def _member(field: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"type": type(field).__name__, "required": field.required}
    if isinstance(field, Number):
        found |= {"low": field.low, "high": field.high}
    if isinstance(field, Code) and options_of(field):
        found["options"] = options_of(field)
    if isinstance(field, Codes):
        found["each"] = _member(field.inner)
    return found


def breaks(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What makes lines of shape `old` unreadable by `new`, or lines of `new` by who knows only `old`."""
    found = [name for name in ("kind", "v", "reach", "about") if old[name] != new[name]]
    before, after = old["members"], new["members"]
    found += [f"{name}: removed" for name in before if name not in after]
    found += [f"{name}: changed" for name in before if name in after and before[name] != after[name]]
    found += [f"{name}: added, but required" for name in after if name not in before and after[name]["required"]]
    if not found and [name for name in after if name in before] != list(before):
        found.append("the order of members")
    return found


def path_of(fact: type[Fact]) -> Path:
    """Where the fact's shape is committed."""
    return DIRECTORY / f"{fact.kind}.v{fact.v}.json"


def committed(fact: type[Fact]) -> dict[str, Any]:
    """The committed shape, with `bodies` that were valid when it was committed."""
    found: dict[str, Any] = json.loads(path_of(fact).read_text(encoding="utf-8"))
    return found


def main() -> int:
    """Write the shapes that are new or have grown; 1 if one has changed otherwise."""
    for fact in FACTS.values():
        bodies: list[dict[str, Any]] = []
        if path_of(fact).exists():
            old = committed(fact)
            bodies = old.pop("bodies")
            if wrong := breaks(old, shape_of(fact)):
                sys.stderr.write(f"{fact.kind} v{fact.v}: give it a new version ({'; '.join(wrong)})\n")
                return 1
        bodies += [body for body in (least_body(fact), full_body(fact)) if body not in bodies]
        text = json.dumps(shape_of(fact) | {"bodies": bodies}, indent=2, ensure_ascii=False)
        path_of(fact).write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
