"""`polku complete`: on a lead what it can prove of each partner's stream, on a node what the leads have confirmed; and
of how many people something is due to be erased."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import ProgrammingError

from services.intake import retention
from services.node.opening import NOT_ALLOWED, open_database
from services.node.reaching import services_of
from services.node.terms import strange_keys
from shared.journal.crypto import load_keys
from shared.journal.sending import shipped
from shared.ops.clock import parse_wire_time, today_in_helsinki, utcnow
from shared.ops.settings import Home
from shared.storage import snapshot

_STATES = {
    "complete": "complete",
    "closed": "closed, complete through line {watermark}",
    "restored": "closed and sealed; this home was restored from a backup of before, the lead holds the rest",
    "missing": "lines are missing",
    "differs": "the node's history differs from ours; its stream has stopped",
    "not_known_since": "not known: the node has been silent too long",
    "waiting": "lines without receipt",
    "expelled": "expelled by the lead on {expelled}",
    "left": "left on {left}; the lead gets nothing more",
    "stopped": "stopped: the lead's history differs from ours",
}
_CHAINS = {True: "same chain", False: "another chain", None: "chain not known"}
_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def lead_state(home: Home) -> dict[str, Any]:
    """The state of every admitted stream."""
    with services_of(home) as rpc:
        state: dict[str, Any] = rpc.call("reporting", "completeness")
    return state


def node_state(home: Home) -> dict[str, Any]:
    """The state of this node's shipped streams: head, what the lead has receipted, oldest line without receipt."""
    engine, now = open_database(home), utcnow()
    partners = {f"{home.name}/{place.programme}": place.partner for place in home.joined}
    with snapshot(engine) as connection:
        rows = shipped(connection, sorted(partners))
        keys = load_keys(home.keys)
        strange = {
            f"{home.name}/{place.programme}": strange_keys(connection, home.name, place.programme, keys, now)
            for place in home.joined
        }
    streams = [{"partner": partners[row["stream"]], **row, "manifest_age_seconds": _age(row, now)} for row in rows]
    gone = {f"{home.name}/{place.programme}": place for place in home.joined if place.gone_at}
    for row in streams:
        row["strange_keys"] = strange[row["stream"]]
        if (place := gone.get(row["stream"])) is not None:  # what the lead has not got it will not take, or get
            state = "expelled" if place.expelled_at else "left"
            row |= {"state": state, state: place.gone_at}
    return {
        "complete": all(_is_complete(row) for row in streams),
        "streams": streams,
        "retention_due": _retention_due(engine, now),
    }


def _retention_due(engine: Engine, now: datetime) -> dict[str, int]:
    """Of how many people something is kept too long, by programme; nothing where this role may not look at people (the
    courier's, if each process has its own): there intake's metric says it."""
    try:
        with snapshot(engine) as connection:
            return retention.counts(connection, today_in_helsinki(now))
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != NOT_ALLOWED:
            raise
        return {}


def _is_complete(row: dict[str, Any]) -> bool:
    return row["state"] in ("complete", "closed") or (row["state"] in ("expelled", "left") and not row["missing"])


def _age(row: dict[str, Any], now: datetime) -> int | None:
    written = row["manifest_at"]
    return None if written is None else max(0, int((now - parse_wire_time(written)).total_seconds()))


def lines(state: dict[str, Any]) -> Iterator[str]:
    """The state in words, a line per stream."""
    for row in state["streams"]:
        missing = ", ".join(f"{first}–{last}" for first, last in row["missing"])
        at = f"{row['watermark']} of {row['head'] if row['head'] is not None else '?'}"
        since = f"; oldest line without receipt {row['oldest']}" if row.get("oldest") else ""
        words = _STATES[row["state"]].format_map(row)
        words += f": {missing}" if missing else ""
        if row.get("refused"):
            words += f"; {row['refused']} refused that came afterwards"
        proof = f"{_CHAINS[row['same_chain']]}; {_manifest(row['manifest_age_seconds'])}"
        yield f"{row['partner']}  {row['stream']}  {at}  {words}{since}  ({proof})"
        if strange := row.get("strange_keys"):
            yield f"  the lead takes keys as this node's that are not in its key files: {', '.join(strange)}"
            yield "  after a restore this passes in 60 days; else they are a thief's: have the lead expel this node"
    if not state["streams"]:
        yield "no programme has been joined yet"
    for programme, people in state.get("retention_due", {}).items():
        if people:
            yield f"{programme}: something about {people} people is kept longer than the programme says"
            yield "  see who and what: polku retention --dry-run; erase it: polku retention"


def _manifest(seconds: int | None) -> str:
    if seconds is None:
        return "no manifest"
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds >= size), _UNITS[-1])
    return f"newest manifest {seconds // size} {unit} old"
