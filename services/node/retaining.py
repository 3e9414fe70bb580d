"""`polku retention`: what falls due by the programmes' rules, and having it erased by the service that keeps people."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.node.control import Rpc
from services.node.erasing import SECONDS
from shared.contracts.commands import MAX_ITEMS


def due(rpc: Rpc, programme: str) -> list[dict[str, Any]]:
    """Who and what of the programme falls due today, each with the programme."""
    rows: list[dict[str, Any]] = []
    while True:
        page = {"limit": MAX_ITEMS, "offset": len(rows)}
        found = rpc.call("intake", "list_due", timeout=SECONDS, programme=programme, **page)
        rows += ({"programme": programme, **row} for row in found["due"])
        if len(rows) >= found["total"] or not found["due"]:
            return rows


def apply(rpc: Rpc, programme: str, by: str) -> dict[str, int]:
    """Erase it, some people at a time; how many people were erased and how many purposes ended."""
    done = {"erased": 0, "ended": 0}
    while True:
        some = rpc.call("intake", "apply_retention", timeout=SECONDS, programme=programme, by=by)
        done = {name: done[name] + some[name] for name in done}
        if not some["more"]:
            return done


def lines(found: Sequence[Mapping[str, Any]], done: Mapping[str, Mapping[str, int]], *, dry_run: bool) -> Iterator[str]:
    """The same in words."""
    for row in found:
        what = "all" if row["whole"] else ", ".join(one["purpose"] for one in row["purposes"])
        why = ", ".join(f"{one['purpose']} is kept until {one['kept_until']}" for one in row["purposes"])
        held = "; held back: processing restricted" if row["held_back"] else ""
        yield f"{row['programme']}  {row['person']}  {what} ({why}){held}"
    if dry_run:
        yield f"{len(found)} due, nothing erased"
    for programme, counts in done.items():
        yield f"{programme}: erased {counts['erased']} people, ended {counts['ended']} purposes of others"
