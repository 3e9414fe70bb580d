"""What no schema can say of how steps are entered, completed and advanced, of products, and of mapped keys.

Each function yields (path, reason). It looks only at what has the right shape; the schema has told of the rest. All of
it is about words that no release before them knew.
"""

from collections.abc import Mapping
from typing import Any

from shared.documents.checking import Found, codes, items, points_at, short

LISTS = ("steps", "activities", "outcomes", "areas")
"""The lists whose keys may be mapped."""


def step_rules(document: dict[str, Any]) -> Found:
    """Every problem of these parts."""
    levels = {s["key"]: s.get("level") for _, s in items(document, "steps") if isinstance(s.get("key"), str)}
    for index, item in items(document, "steps"):
        for word, needs in (("entry", "enter_when"), ("completion", "complete_when")):
            if item.get(word) in ("conditional", "automatic") and needs not in item:
                yield ("steps", index, word), f"there is no {needs}"
        listed = item.get("advanced_by")
        if listed is not None and item.get("level") == "individual":
            yield ("steps", index, "advanced_by"), "people enter and leave an individual step: nothing else advances it"
        for place, key in enumerate(listed if isinstance(listed, list) else ()):
            known = codes(document, "activities")
            yield from points_at(("steps", index, "advanced_by", place), key, "activities", known)
    for index, item in items(document, "products"):
        path, step = ("products", index, "step"), item.get("step")
        yield from points_at(path, step, "steps", codes(document, "steps"))
        if isinstance(step, str) and levels.get(step) == "individual":
            yield path, "people enter and leave an individual step: no product advances it"
    yield from _mapping(document)


def _mapping(document: dict[str, Any]) -> Found:
    seen: set[tuple[Any, Any]] = set()
    for index, row in items(document, "mapping"):
        part, key = row.get("list"), row.get("key")
        if part not in LISTS:
            continue
        known = codes(document, part)
        if isinstance(key, str) and key in known:
            yield ("mapping", index, "key"), f"stands in {part} still: nothing else may be counted under its name"
        if isinstance(key, str) and (part, key) in seen:
            yield ("mapping", index, "key"), f'"{short(key)}" of {part} is mapped already'
        seen.add((part, key))
        yield from points_at(("mapping", index, "becomes"), row.get("becomes"), part, known)


def check_successors(new: Mapping[str, Any], old: Mapping[str, Any]) -> Found:
    """What two checked versions together say wrong: old keys that become something of another kind."""
    moved = {row["key"]: row["becomes"] for row in new.get("mapping", ()) if row["list"] == "activities"}
    kinds = {part: (_kinds(old, part, moved), _kinds(new, part, {})) for part in LISTS}
    for index, row in enumerate(new.get("mapping", ())):
        before, now = kinds[row["list"]]
        was, becomes = before.get(row["key"]), now.get(row["becomes"])
        if was is not None and was != becomes:
            yield ("mapping", index, "becomes"), f"{row['key']} was {was}, {row['becomes']} is {becomes}"


def _kinds(document: Mapping[str, Any], part: str, moved: Mapping[str, str]) -> dict[str, str]:
    """Of what kind each key of a list is, activities by the names that they are `moved` to: only what is of one kind
    may become another."""
    if part == "steps":
        steps = document.get(part, ())
        return {s["key"]: "individual" if s["level"] == "individual" else "not individual" for s in steps}
    if part == "activities":
        counts = {g["key"]: g["counts"] for g in document["groups"]}
        return {a["key"]: f"counted as {counts[a['group']]}" for a in document["activities"]}
    if part == "outcomes":
        return {o["key"]: f"of {moved.get(o['activity'], o['activity'])}" for o in document.get(part, ())}
    return {}
