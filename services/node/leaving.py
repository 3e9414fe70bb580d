"""`polku node leave PROGRAMME`: a lead is gone for good; nothing more goes to it, and a restored home waits for it no
longer. See decision 0242."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from services.node.opening import open_database
from services.node.rounds import one_round
from shared.contracts.errors import InvalidInput, NotFound
from shared.journal import Journal
from shared.journal.holding import AHEAD, came_back_at, go_on_in_another_epoch, held_streams
from shared.journal.sending import shipped
from shared.ops.clock import wire_time
from shared.ops.settings import Home, Joined, load_home
from shared.storage import snapshot

ON_ITS_WAY = timedelta(days=1)
"""What a restored home has lost counts as on its way back from a lead until nothing of it has come for so long. A lead
that comes by a stick is away for longer: whoever leaves is told."""


def preview(home: Home, programme: str, now: datetime) -> Iterator[str]:
    """What leaving would mean. Raises as `leave`."""
    place, engine = _place(home, programme), open_database(home)
    try:
        state, held, ahead = _state(home, place, engine, now)
    finally:
        engine.dispose()
    yield f"{programme}: nothing more is sent to its lead or comes from it; letters to and from its nodes stop."
    yield "What is recorded here stays and can be worked with. Only a new home can join the programme again."
    for first, last in state["missing"]:
        yield f"lines {first}–{last} have no receipt here and will not reach the lead; its reports do not contain them"
    if ahead:
        yield f"Its lead has answered and has lines that this home has lost; nothing of them has come since {ahead}."
        yield "They are lost here for good, those that have come too. If the lead is only away, wait for it."
    if held:
        yield "This home was restored: what the lead has of after the backup does not come back, and whoever was erased"
        yield "after it is here again: erase them again. If the lead may come back, wait for it."
    yield "If the lead still works, ask it for `polku lead expel`: else its reports wait for this node and say so."


def leave(home: Home, programme: str, by: str, now: datetime) -> dict[str, Any]:
    """Note in home.toml that the programme is left; the state of its stream. If the home is held, the stream goes on in
    another epoch: the lead may have lines of other content under the next numbers.

    Raises `NotFound` if it has not been joined, `InvalidInput` if it has been left, the lead has expelled this node, or
    has answered after a restore: then its lines are on their way, until none has come for a day.
    """
    engine = open_database(home)
    try:
        with one_round(home):  # the courier writes home.toml too
            home = load_home(home.path)
            place = _place(home, programme)
            state, held, _ = _state(home, place, engine, now)
            with Journal(engine, home.name).unit(now) as unit:
                if held:
                    go_on_in_another_epoch(unit.connection, state["stream"])
                receipted = {"head": state["head"], "receipted": state["watermark"], "held": held}
                unit.audit(by, "leave_programme", programme=programme, **receipted)
            home.with_programme(replace(place, left_at=wire_time(now))).save()
    finally:
        engine.dispose()
    return state


def _place(home: Home, programme: str) -> Joined:
    place = next((place for place in home.joined if place.programme == programme), None)
    if place is None:
        raise NotFound(what=f"joined programme {programme}")
    if place.gone_at:
        reason = "left" if place.left_at else "expelled by its lead"
        raise InvalidInput(field="PROGRAMME", reason=f"{reason} on {place.gone_at}: nothing is sent to it any more")
    return place


def _state(home: Home, place: Joined, engine: Engine, now: datetime) -> tuple[dict[str, Any], bool, str | None]:
    """Of its stream; whether the home is held; and since when nothing has come of what the lead has and it has lost."""
    stream = f"{home.name}/{place.programme}"
    reasons = held_streams(engine, [f"{home.name}/{one.programme}" for one in home.joined if not one.gone_at])
    since = came_back_at(engine, stream, now) if reasons.get(stream) == AHEAD else None
    if since is not None and now - since < ON_ITS_WAY:
        reason = "its lead has answered: what this home has lost is on its way back, and ends the waiting"
        raise InvalidInput(field="PROGRAMME", reason=reason)
    with snapshot(engine) as connection:
        (state,) = shipped(connection, [stream])
    return state, bool(reasons), wire_time(since) if since else None
