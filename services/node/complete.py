"""`polku complete`: on a lead what it can prove of each partner's stream, on a node what the leads have confirmed."""

from collections.abc import Iterator
from typing import Any

from services.node.opening import open_database
from services.node.reaching import services_of
from shared.journal.sending import shipped
from shared.ops.settings import Home
from shared.storage import snapshot

_STATES = {
    "complete": "complete",
    "missing": "lines are missing",
    "differs": "the node's history differs from ours; its stream has stopped",
    "not_known_since": "not known: the node has been silent too long",
    "waiting": "lines without receipt",
    "stopped": "stopped: the lead's history differs from ours",
}


def lead_state(home: Home) -> dict[str, Any]:
    """The state of every admitted stream."""
    with services_of(home) as rpc:
        state: dict[str, Any] = rpc.call("reporting", "completeness")
    return state


def node_state(home: Home) -> dict[str, Any]:
    """The state of this node's shipped streams: head, what the lead has receipted, oldest line without receipt."""
    engine = open_database(home)
    partners = {f"{home.name}/{place.programme}": place.partner for place in home.joined}
    with snapshot(engine) as connection:
        streams = [{"partner": partners[row["stream"]], **row} for row in shipped(connection, sorted(partners))]
    return {"complete": all(row["state"] == "complete" for row in streams), "streams": streams}


def lines(state: dict[str, Any]) -> Iterator[str]:
    """The state in words, a line per stream."""
    for row in state["streams"]:
        missing = ", ".join(f"{first}–{last}" for first, last in row["missing"])
        at = f"{row['watermark']} of {row['head'] if row['head'] is not None else '?'}"
        since = f"; oldest line without receipt {row['oldest']}" if row.get("oldest") else ""
        words = _STATES[row["state"]] + (f": {missing}" if missing else "")
        yield f"{row['partner']}  {row['stream']}  {at}  {words}{since}"
    if not state["streams"]:
        yield "no programme has been joined yet"
