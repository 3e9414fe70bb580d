"""The read side of reporting: a report is one snapshot, figures and watermarks alike."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, case, func, select

from services.reporting import encounters, eura, funding, indicators, outcomes, people, proving, steps, store
from services.reporting.domain import Attendances, GroupFigures, Heads, StreamState, arrived, check_days
from services.reporting.people import Activities, Attended, OnePerson
from shared.journal import epochs, received
from shared.journal.amqpcarrier import box_of
from shared.journal.carry_tables import received_conflict, received_erased, received_head, received_line
from shared.journal.crypto import key_id
from shared.journal.erasing import A_PURPOSE
from shared.journal.lines import chain_start
from shared.ops.clock import parse_wire_time, wire_time
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
            "from": start.isoformat() if start else None,
            "to": end.isoformat() if end else None,
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
                **eura.entered(connection, store.streams_of(connection, programme)),
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
    streams = store.streams_of(connection, definition.key)
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
    node, cursor, head = store.node, store.cursor, received_head
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
    streams = store.streams_of(connection, programme)
    query = select(func.count()).where(store.aside.c.stream.in_(streams), store.aside.c.reason != "newer")
    return int(connection.execute(query).scalar_one())


def _void(connection: Connection, programme: str) -> int:
    """Lines that a restored node had lost: they are kept, and in no figure."""
    streams = store.streams_of(connection, programme)
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


def silence_limits(engine: Engine) -> dict[str, float]:
    """Per admitted stream the days that its programme lets the node be silent."""
    with snapshot(engine) as connection:
        limits = {programme.key: programme.silence_limit_days for programme in store.shelf.all(connection)}
        members = select(store.node.c.stream, store.node.c.programme).where(store.node.c.expelled_at.is_(None))
        rows = connection.execute(members)
        return {row.stream: limits[row.programme] for row in rows if row.programme in limits}


def _erased(connection: Connection, programme: str) -> dict[str, int]:
    """How many people were erased since, and lines that had been received of them and count no more."""
    c = received_erased.c
    here = c.stream.in_(store.streams_of(connection, programme)) & (c.key_no.is_(None) | (c.key_no == A_PURPOSE))
    whole = func.sum(case((c.key_no.is_(None), 1), else_=0))
    query = select(func.coalesce(whole, 0), func.coalesce(func.sum(c.lines), 0)).where(here)
    people, lines = connection.execute(query).one()
    return {"erased_people": int(people), "erased_lines": int(lines)}


def _restricted(connection: Connection, programme: str) -> int:
    """How many people have had the processing restricted; they are in the figures (decision 0205)."""
    here = store.restricted.c.stream.in_(store.streams_of(connection, programme))
    return int(connection.execute(select(func.count()).select_from(store.restricted).where(here)).scalar_one())


@dataclass(frozen=True, slots=True)
class AdmittedNode:
    """A node that the lead's stream goes to, and its keys: raw public halves; the signing keys are those taken now."""

    programme: str
    node: str
    signing_keys: tuple[bytes, ...]
    receiving_key: bytes

    @property
    def signing(self) -> dict[str, bytes]:
        """Its signing keys by id."""
        return {key_id(key): key for key in self.signing_keys}


def admitted_nodes(engine: Engine, now: datetime) -> list[AdmittedNode]:
    """The member nodes of every programme, by stream."""
    c = store.node.c
    query = select(c.stream, c.programme, c.node, c.receiving_key).where(c.expelled_at.is_(None))
    with snapshot(engine) as connection:
        keys = store.signing_keys(connection, wire_time(now))
        rows = connection.execute(query.order_by(c.stream))
        return [AdmittedNode(row.programme, row.node, keys[row.stream], row.receiving_key) for row in rows]


def admitted_keys(engine: Engine, now: datetime) -> dict[str, dict[str, bytes]]:
    """The admitted streams, each with its node's signing keys that are taken now, by id, as the receiver needs them."""
    return {f"{node.node}/{node.programme}": node.signing for node in admitted_nodes(engine, now)}


def conflicts(engine: Engine) -> list[dict[str, Any]]:
    """Two histories of one stream: where ours and the one its node signed part. Chains are hex, times UTC."""
    c = received_conflict.c
    query = select(c.stream, c.epoch, c.seq, c.ours, c.theirs, c.received_at, received_head.c.state)
    query = query.join_from(received_conflict, received_head, received_head.c.stream == c.stream)
    with snapshot(engine) as connection:
        rows = connection.execute(query.order_by(c.stream, c.received_at, c.seq)).all()
    return [row._asdict() | {"ours": row.ours.hex(), "theirs": row.theirs.hex()} for row in rows]


def expelled_nodes(engine: Engine) -> dict[str, tuple[str, str]]:
    """The streams of nodes that were expelled, each with its partner, and when (wire form)."""
    c = store.node.c
    query = select(c.stream, c.partner, c.expelled_at).where(c.expelled_at.is_not(None)).order_by(c.stream)
    with snapshot(engine) as connection:
        return {row.stream: (row.partner, row.expelled_at) for row in connection.execute(query)}


def boxes(engine: Engine) -> tuple[dict[str, str], set[str]]:
    """The partner of each admitted stream; and the boxes (`amqpcarrier`) of all partners that were ever invited."""
    invite, node = store.invite.c, store.node.c
    with snapshot(engine) as connection:
        partners = {
            row.stream: row.partner
            for row in connection.execute(select(node.stream, node.partner).where(node.expelled_at.is_(None)))
        }
        invited = connection.execute(select(invite.programme, invite.partner).distinct())
        return partners, {box_of(row.programme, row.partner) for row in invited}


def may_carry(engine: Engine, node: str, programme: str, token_digest: str | None, now: datetime) -> dict[str, Any]:
    """The signing keys (hex) of a node's stream, none if it never was admitted; whether it is `expelled`; and whether
    the invite with this token digest is open: given out for the programme, not expired, not used by another node."""
    with snapshot(engine) as connection:
        admitted = store.find_stream(connection, f"{node}/{programme}")
        invite = store.find_invite(connection, bytes.fromhex(token_digest)) if token_digest else None
        taken = store.signing_keys(connection, wire_time(now)).get(f"{node}/{programme}", ())
    invited = (
        invite is not None
        and invite.programme == programme
        and invite.used_by in (None, node)
        and invite.expires_at.replace(tzinfo=now.tzinfo) >= now
    )
    expelled = admitted is not None and admitted.expelled_at is not None
    return {"signing_keys": [key.hex() for key in taken], "invited": invited, "expelled": expelled}


def completeness(engine: Engine, programme: str | None, now: datetime) -> dict[str, Any]:
    """What can be said about the streams of one programme, or of all; one snapshot. Raises `UnknownProgramme`."""
    with snapshot(engine) as connection:
        known = [store.shelf.get(connection, programme)] if programme else store.shelf.all(connection)
        limits = {p.key: p.silence_limit_days for p in known}
        members = select(store.node).where(store.node.c.programme.in_(limits), store.node.c.expelled_at.is_(None))
        partners = {row.stream: row.partner for row in connection.execute(members)}
        states = [s for s in received.completeness(connection, now, limits, partners) if s.stream in partners]
    return {
        "complete": all(state.state in ("complete", "closed") for state in states),
        "streams": [
            {
                "stream": state.stream,
                "node": state.stream.partition("/")[0],
                "programme": state.stream.partition("/")[2],
                "partner": partners[state.stream],
                "epoch": state.epoch,
                "head": state.head,
                "watermark": state.watermark,
                "same_chain": state.same_chain,
                "manifest_at": wire_time(state.manifest_at) if state.manifest_at else None,
                "manifest_age_seconds": state.manifest_age_seconds,
                "state": state.state,
                "missing": [list(gap) for gap in state.missing],
                "refused": state.refused,
            }
            for state in states
        ],
    }
