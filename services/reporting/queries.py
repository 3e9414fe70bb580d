"""The read side of reporting: a report is one snapshot, figures and watermarks alike."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, case, func, select

from services.reporting import (
    encounters,
    eura,
    funding,
    indicators,
    outcomes,
    partner_store,
    people,
    proving,
    steps,
    store,
)
from services.reporting.domain import Attendances, GroupFigures, Heads, StreamState, arrived, check_days
from services.reporting.people import Activities, Attended, OnePerson
from shared.journal import epochs, received
from shared.journal.carry_tables import received_erased, received_head, received_line
from shared.journal.erasing import A_PURPOSE
from shared.journal.lines import chain_start
from shared.ops.clock import iso_day, parse_wire_time, wire_time
from shared.programmes import Programme
from shared.storage import join_whole_tables, snapshot


def list_programmes(engine: Engine) -> list[dict[str, Any]]:
    """The programmes in use: key, names by language, and the whole document."""
    with snapshot(engine) as connection:
        documents = store.shelf.documents(connection)
    return [{"programme": d["key"], "name": d["name"], "document": d} for d in documents]


def report(engine: Engine, programme: str, start: date | None, end: date | None, now: datetime) -> dict[str, Any]:
    """The report as interfaces.md names it, of the days `start` to `end`, both included; exact figures. `proof` is the
    `Proof` of the streams that they were made from, out of the same snapshot.

    Raises `InvalidInput` and `UnknownProgramme`.
    """
    check_days(start, end)
    with snapshot(engine) as connection:
        join_whole_tables(connection)
        definition = store.shelf.get(connection, programme)
        streams = _streams(connection, definition)
        newer = _newer(connection, streams, programme)
        complete = arrived(streams, newer, now, timedelta(days=definition.silence_limit_days))
        figures, quality = _figures(connection, definition, start, end, now.date())
        return {
            "programme": programme,
            "from": iso_day(start),
            "to": iso_day(end),
            "audience": "funder",
            "as_of": wire_time(now),
            "release": None,
            "arrived": complete,
            "confirmed": outcomes.confirmed(connection, definition, [stream.partner for stream in streams]),
            "newer_facts": newer,
            "streams": [_stream_json(stream) for stream in streams],
            **figures,
            "data_quality": {
                "refused_lines": _refused(connection, programme),
                "void_lines": _void(connection, programme),
                **quality,
                **_erased(connection, programme),
                "restricted_people": _restricted(connection, programme),
                **eura.entered(connection, partner_store.streams_of(connection, programme)),
            },
            "proof": proving.proof(connection, definition, streams, complete, now),
        }


@dataclass(frozen=True, slots=True)
class _Of:
    """What all figures of one report are made from."""

    connection: Connection
    definition: Programme
    streams: Sequence[str]
    start: date | None
    end: date | None
    one: OnePerson
    attended: Mapping[Activities, Attended]

    def held(self, keys: Sequence[str]) -> Any:
        """Which sessions: of these activities."""
        return people.held(self.streams, keys, self.start, self.end)


def _figures(
    connection: Connection, definition: Programme, start: date | None, end: date | None, today: date
) -> tuple[dict[str, Any], dict[str, int]]:
    """What is counted, and how many start records count only in part, as `indicators.figures` says."""
    streams = partner_store.streams_of(connection, definition.key)
    one = people.find_equal(connection, streams, by_tag=definition.tag is not None)
    groups = [_keys(definition, group.key) for group in definition.groups if group.counts == "people"]
    wanted = {_all_people(definition), *groups, *outcomes.asked(definition)}
    found = people.attended(connection, streams, sorted(wanted), start, end)
    of = _Of(connection, definition, streams, start, end, one, found)
    what_became = outcomes.figures(connection, definition, streams, found, start, end, one)
    counted, quality = indicators.figures(connection, definition, start, end, one, today)
    figures = {
        "indicators": counted,
        "people": _people(of),
        "activities": [figures.to_json() for figures in _activities(of)],
        "outcomes": [figures.to_json() for figures in what_became],
        **encounters.figures(connection, definition, streams, start, end),
        "steps": steps.rows(connection, definition, streams, end),
        "funding": funding.rows(definition, end or today, whole=start is None and end is None),
    }
    return figures, quality


def _all_people(definition: Programme) -> Activities:
    return tuple(activity.key for activity in definition.activities if activity.counts == "people")


def _keys(definition: Programme, group: str) -> Activities:
    return tuple(activity.key for activity in definition.activities if activity.group == group)


def _people(of: _Of) -> dict[str, Any]:
    """Everybody who was a participant at a session on these days, of any activity that counts people."""
    keys = _all_people(of.definition)
    present = people.participants(of.held(keys))
    counted = people.counted(of.connection, of.attended[keys], present, of.one)
    return counted.to_json(of.definition.tag is not None)


def _activities(of: _Of) -> Iterator[GroupFigures]:
    session, heads = store.session, store.heads
    keys = [activity.key for activity in of.definition.activities]
    held = of.held(keys)
    count = select(session.c.activity, func.count(), func.sum(session.c.minutes)).where(held)
    sessions = {key: (n, minutes) for key, n, minutes in of.connection.execute(count.group_by(session.c.activity))}
    at = (heads.c.stream == session.c.stream) & (heads.c.session == session.c.session)
    total = select(session.c.activity, func.sum(heads.c.heads)).select_from(heads.join(session, at)).where(held)
    seen = {key: number for key, number in of.connection.execute(total.group_by(session.c.activity))}
    for group in of.definition.groups:
        keys_of = _keys(of.definition, group.key)
        number = sum(sessions[key][0] for key in keys_of if key in sessions)
        minutes = _recorded([sessions[key][1] for key in keys_of if key in sessions], number)
        different = attendances = headcount = None
        if group.counts == "people":
            found = of.attended[keys_of]
            different = people.count(of.connection, found, people.participants(of.held(keys_of)), of.one)
            attendances = Attendances(found.attendances)
        else:
            known = _recorded([seen[key] for key in keys_of if key in seen], number)
            headcount = None if known is None else Heads(known)
        yield GroupFigures(group.key, number, minutes, different, attendances, headcount)


def _recorded(totals: Iterable[int | None], sessions: int) -> int | None:
    """A sum over sessions: 0 if there were none, None if there were some and nothing was written down of any."""
    written = [int(total) for total in totals if total is not None]
    return None if sessions and not written else sum(written)


def _streams(connection: Connection, definition: Programme) -> list[StreamState]:
    """One state per partner of the programme, in the file's order, joined or not."""
    node, cursor, head = partner_store.node, store.cursor, received_head
    query = (
        select(
            node.c.stream,
            node.c.node,
            node.c.partner,
            node.c.expelled_at,
            cursor.c.epoch,
            cursor.c.seq,
            cursor.c.chain,
            head.c.head_seq,
            head.c.head_chain,
            head.c.manifest_at,
            head.c.state,
            head.c.epoch.label("accepted_epoch"),
            head.c.head_epoch,
        )
        .select_from(node)
        .outerjoin(cursor, cursor.c.stream == node.c.stream)
        .outerjoin(head, head.c.stream == node.c.stream)
        .where(node.c.programme == definition.key)
        .order_by(node.c.expelled_at.is_not(None), node.c.expelled_at, node.c.stream)
    )
    joined: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(query):
        joined[row.partner].append(row)
    states = []
    declared = [partner.key for partner in definition.partners]
    # A joined partner that a later version of the file leaves out still stands: its lines are in the figures. So does
    # an expelled node beside the one that took its place.
    for partner in [*declared, *sorted(set(joined) - set(declared))]:
        nodes = [_state(connection, row) for row in joined.get(partner, ())]
        states += nodes or [StreamState(None, partner, *(None,) * 6)]
    return states


def _state(connection: Connection, row: Any) -> StreamState:
    at: tuple[int | None, int | None, bytes | None] = (row.epoch, row.seq, row.chain)
    if row.seq is None and row.head_seq is not None:
        at = (1, 0, chain_start(row.stream))  # it has spoken, and nothing of it has been derived yet
    return StreamState(
        node=row.node,
        partner=row.partner,
        epoch=at[0],
        watermark=at[1],
        chain=at[2],
        head=row.head_seq,
        head_chain=row.head_chain,
        manifest_at=parse_wire_time(row.manifest_at) if row.manifest_at else None,
        # An epoch that nobody has accepted is a history that we do not have, like a conflict.
        stopped=row.state == "stopped" or row.head_epoch != row.accepted_epoch,
        expelled=row.expelled_at,
        closed=proving.sealed_on(connection, row.stream, row.seq) if row.state == received.SEALED else None,
    )


def _stream_json(stream: StreamState) -> dict[str, Any]:
    return {
        "node": stream.node,
        "partner": stream.partner,
        "epoch": stream.epoch,
        "watermark": stream.watermark,
        "head": stream.head,
        "chain": stream.chain.hex() if stream.chain else None,
        "manifest_at": wire_time(stream.manifest_at) if stream.manifest_at else None,
        "expelled": stream.expelled,
        "closed": stream.closed,
    }


def _newer(connection: Connection, streams: Sequence[StreamState], programme: str) -> int:
    """Lines that only a newer release can read."""
    names = [f"{stream.node}/{programme}" for stream in streams if stream.node]
    query = select(func.count()).where(store.aside.c.stream.in_(names), store.aside.c.reason == "newer")
    return int(connection.execute(query).scalar_one())


def _refused(connection: Connection, programme: str) -> int:
    """Lines that are kept but contradict their stream or the programme."""
    streams = partner_store.streams_of(connection, programme)
    query = select(func.count()).where(store.aside.c.stream.in_(streams), store.aside.c.reason != "newer")
    return int(connection.execute(query).scalar_one())


def _void(connection: Connection, programme: str) -> int:
    """Lines that a restored node had lost: they are kept, and in no figure."""
    streams = partner_store.streams_of(connection, programme)
    return sum(count for stream, count in epochs.void_lines(connection).items() if stream in streams)


def aside_counts(engine: Engine) -> dict[tuple[str, str], int]:
    """How many lines of each stream are kept but not in the figures, by reason."""
    aside = store.aside
    query = select(aside.c.stream, aside.c.reason, func.count()).group_by(aside.c.stream, aside.c.reason)
    with snapshot(engine) as connection:
        return {(row[0], row[1]): row[2] for row in connection.execute(query)}


def list_aside(engine: Engine) -> list[dict[str, Any]]:
    """Every line that is kept but not in the figures: where it is, what it is, and why."""
    aside, line = store.aside, received_line
    at = (line.c.stream == aside.c.stream) & (line.c.seq == aside.c.seq)
    query = select(aside.c.stream, aside.c.seq, line.c.kind, line.c.v, aside.c.reason).join_from(aside, line, at)
    with snapshot(engine) as connection:
        return [dict(row._mapping) for row in connection.execute(query.order_by(aside.c.stream, aside.c.seq))]


def _erased(connection: Connection, programme: str) -> dict[str, int]:
    """How many people were erased since, and lines that had been received of them and count no more."""
    c = received_erased.c
    people_or_purposes = c.key_no.is_(None) | (c.key_no == A_PURPOSE)
    here = c.stream.in_(partner_store.streams_of(connection, programme)) & people_or_purposes
    whole = func.sum(case((c.key_no.is_(None), 1), else_=0))
    query = select(func.coalesce(whole, 0), func.coalesce(func.sum(c.lines), 0)).where(here)
    people, lines = connection.execute(query).one()
    return {"erased_people": int(people), "erased_lines": int(lines)}


def _restricted(connection: Connection, programme: str) -> int:
    """How many people have had the processing restricted; they are in the figures (decision 0205)."""
    here = store.restricted.c.stream.in_(partner_store.streams_of(connection, programme))
    return int(connection.execute(select(func.count()).select_from(store.restricted).where(here)).scalar_one())
