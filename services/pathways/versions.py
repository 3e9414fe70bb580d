"""Use cases of programme versions on a node: taking one into use, or only looking at what that would do."""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from services.pathways import step_store, store
from services.pathways.domain import Pause, Stay, present
from services.pathways.stepping import leave
from services.pathways.store import shelf
from shared.contracts.catalogue import ProgrammeLoaded
from shared.contracts.errors import UnknownProgramme
from shared.contracts.facts import Fact
from shared.journal import Journal, Line, Unit
from shared.journal.closing import is_sealed
from shared.journal.directory import lead_stream
from shared.journal.follow import lock_cursor
from shared.journal.reading import rows_of
from shared.ops.clock import today_in_helsinki
from shared.programmes import InvalidProgramme, Programme, ProgrammeRefused, canonical, parse
from shared.programmes.shelf import pieces
from shared.programmes.succession import Move, gone, in_use, problems
from shared.storage import snapshot

log = logging.getLogger(__name__)


def load_programme(journal: Journal, document: dict[str, Any], by: str, now: datetime) -> tuple[Programme, int | None]:
    """Take a version of a programme file into use on this node; the version in use already adds no line.

    Returns the programme and the journal position, None if nothing was new. Raises `InvalidProgramme`, also if a key is
    gone that stands in lines and the version does not say what it becomes.
    """
    programme = parse(document)
    # What a version does to people's steps is nobody's act about a person: one who is restricted does not stop it.
    with journal.unit(now, right=True) as unit:
        lock_cursor(unit.connection, "pathways")
        if _digest_in_use(unit.connection, programme.key) == programme.digest:
            return programme, None
        if (before := _document_in_use(unit.connection, programme.key)) is not None:
            moves = _moves(unit.connection, journal.home, document, before)
            if found := problems(document, before, moves):
                raise ProgrammeRefused(found)
        for piece in pieces(ProgrammeLoaded, programme, canonical(document).decode()):
            shelf.put(unit.connection, piece)
            unit.record(piece)
        _move(unit, programme)
        unit.audit(by, "load_programme", programme=programme.key, digest=programme.digest)
    return programme, unit.pos


def rehearse(journal: Journal, document: dict[str, Any], now: datetime) -> dict[str, Any]:
    """What taking this version into use would do here: which keys move, how many lines and people, what forbids it.

    `apart`: how many people would then be on two steps of which one is `alone`; `merged`: on one step twice. Raises
    `InvalidProgramme` for a document that is no programme.
    """
    programme = parse(document)
    with snapshot(journal.engine) as connection:
        before = _document_in_use(connection, programme.key)
        told: dict[str, Any] = {"programme": programme.key, "digest": programme.digest}
        told["new"] = _digest_in_use(connection, programme.key) != programme.digest
        moves = _moves(connection, journal.home, document, before) if before else []
        stays = _moved(store.find_stays_of(connection, programme.key), programme)
        pauses = step_store.find_pauses(connection, {subject for subject, _ in stays})
    wrong = problems(document, before, moves) if before else []
    apart, merged = _collisions(programme, stays, pauses)
    told |= {"moves": [move.to_json() for move in moves], "apart": apart, "merged": merged}
    return told | {"problems": [{"path": problem.path, "reason": problem.reason} for problem in wrong]}


def take_version(unit: Unit, line: Line, piece: Fact) -> None:
    """Take a piece of a programme version that the lead has sent; the version in use already changes nothing.

    The last piece puts the version into use. Raises `InvalidProgramme` if this release cannot read it, because it has
    words of a newer one: the one in use stays, and the lead's stream waits here for the next release. A lead speaks of
    its own programme only. What this node has written with a key that is gone, and that the lead has not seen yet, is
    no reason to refuse it: it is said in the log, and the lead will say so too when the lines arrive.
    """
    key, digest = piece["programme"], piece["digest"]
    if line.stream != lead_stream(key):
        log.error("a lead has sent another's programme", extra={"stream": line.stream, "seq": line.seq})
        return
    if _digest_in_use(unit.connection, key) == digest:
        return
    loaded = ProgrammeLoaded(None, **piece.body)
    shelf.put(unit.connection, loaded)
    unit.record(loaded)
    if piece["part"] != piece["parts"]:
        return
    try:
        taken = shelf.get(unit.connection, key)
    except ProgrammeRefused as refused:
        first = refused.problems[0]
        log.error(
            "this release cannot read the version that the lead has sent: upgrade the node",
            extra={"stream": line.stream, "seq": line.seq, "at": first.path, "problems": len(refused.problems)},
        )
        raise
    if taken.digest != digest:
        raise InvalidProgramme(count=1, line=1, reason="the pieces do not make the version that their digest names")
    _move(unit, taken)


def _digest_in_use(connection: Connection, programme: str) -> str | None:
    try:
        return shelf.get(connection, programme).digest
    except UnknownProgramme:
        return None


def _document_in_use(connection: Connection, programme: str) -> dict[str, Any] | None:
    try:
        return shelf.document(connection, programme)
    except UnknownProgramme:
        return None


def _moves(connection: Connection, home: str, new: dict[str, Any], old: dict[str, Any]) -> list[Move]:
    """The keys that are gone and stand in lines of this node; nothing is read if none is gone."""
    keys = gone(new, old)
    if not keys:
        return []
    rows = rows_of(connection, (f"{home}/{new['key']}",))
    moves = in_use(((row.subject, row.line) for row in rows), keys)
    on = Counter(
        step
        for (_, step), stays in store.find_stays_of(connection, new["key"]).items()
        if any(stay.left_on is None for stay in stays)
    )
    return [replace(move, now=on[move.key]) if move.list == "steps" else move for move in moves]


def _moved(stays: Mapping[tuple[str, str], list[Stay]], programme: Programme) -> dict[tuple[str, str], list[Stay]]:
    """Times on steps by (person, step of this version)."""
    found: dict[tuple[str, str], list[Stay]] = {}
    for (subject, step), several in stays.items():
        found.setdefault((subject, programme.now("steps", step)), []).extend(several)
    return found


def _collisions(programme: Programme, stays: Any, pauses: Any) -> tuple[int, int]:
    """People on steps that exclude each other, and on one step twice, today."""
    here: dict[str, Counter[str]] = {}
    for (subject, step), several in stays.items():
        away = [
            p for (who, old), ps in pauses.items() if who == subject and programme.now("steps", old) == step for p in ps
        ]
        on = sum(any(end is None for _, end in present(stay, away)) for stay in several)
        if on:
            here.setdefault(subject, Counter())[step] = on
    alone = {step.key for step in programme.steps if step.alone}
    apart = sum(len(steps) > 1 and bool(alone & steps.keys()) for steps in here.values())
    return apart, sum(any(number > 1 for number in steps.values()) for steps in here.values())


def _move(unit: Unit, programme: Programme) -> None:
    """Read what pathways keeps under the keys of this version: its tables, not the facts.

    Who was on two steps that became one is on it once: the later time ends today, or with the programme, and its pause
    with it; these are facts of their own.
    """
    if not programme.mapping:
        return
    lock_cursor(unit.connection, "pathways")  # as whoever changes steps
    paused = _pauses_by_stay(unit.connection, programme.key)
    store.move(unit.connection, programme.key, programme.mapping)
    today = today_in_helsinki(unit.now)
    became = {key for (part, _), key in programme.mapping.items() if part == "steps"}
    for (subject, step), stays in store.find_stays_of(unit.connection, programme.key).items():
        still = sorted((s for s in stays if s.left_on is None), key=lambda s: (s.entered_on, s.stay))
        for stay in still[1:] if step in became else ():
            day = max(min(today, programme.period.end), stay.entered_on)
            step_store.end_stay(unit.connection, stay.stay, day)
            place = (subject, step)
            if not is_sealed(unit.connection, unit.home, programme.key):  # else its figures are what they were
                leave(unit, programme.key, place, replace(stay, left_on=day), {place: paused.get(stay.stay, [])})


def _pauses_by_stay(connection: Connection, programme: str) -> dict[str, list[Pause]]:
    """The times away that go on, by the time on a step that they belong to: told apart while steps still are."""
    stays = store.find_stays_of(connection, programme)
    pauses = step_store.find_pauses(connection, {subject for subject, _ in stays})
    return {
        stay.stay: [pause for pause in pauses.get(place, ()) if pause.resumed_on is None]
        for place, several in stays.items()
        for stay in several
        if stay.left_on is None
    }
