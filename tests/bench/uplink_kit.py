"""Nodes with many lines and their lead, on PostgreSQL or SQLite, without the processes around them: what
`bench_uplink` and its neighbours measure."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count, islice

from sqlalchemy import Engine, insert

from services.reporting import partner_store, versions
from shared.contracts.catalogue import AttendanceRecorded, HeadsCounted, SessionHeld, StandingReached
from shared.contracts.facts import Fact
from shared.journal import Journal, crypto
from shared.journal.lines import Line, chain_next, chain_start, line_digest, serialise
from shared.journal.tables import journal_head, journal_line
from shared.journal.unit import prepare
from shared.programmes import load_file
from shared.programmes.files import programme_file
from shared.storage import open_engine, transaction
from shared.storage.migrate import migrate
from shared.storage.upsert import insert_many

PROGRAMME = "lahde-mukaan"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
BATCH = 1000
COLUMNS = ("pos", "stream", "epoch", "seq", "kind", "subject", "digest", "line")


def node_name(number: int) -> str:
    """The name of the node with this number."""
    return f"partner-{number:08x}"


def partner_key(number: int) -> str:
    """Whose node it is."""
    return f"partner_{number}"


def stream_name(number: int) -> str:
    """Its stream."""
    return f"{node_name(number)}/{PROGRAMME}"


def facts(node: int) -> Iterator[Fact]:
    """What a partner records, without end: sessions with the people, the head-count, and corrections of older lines.

    Per session 1 session, 12 attendances, 1 count, and 2 corrected attendances of 50 sessions ago; every eighth session
    meets a new person.
    """

    def an_id(*names: object) -> str:
        return hashlib.blake2b(repr((node, *names)).encode(), digest_size=16).hexdigest()

    def attended(number: int, n: int, minutes: int) -> Fact:
        ids = {"attendance": an_id("attendance", number, n), "session": an_id("session", number)}
        person = an_id("person", (number + n) % (number // 8 + 1))
        return AttendanceRecorded(person, **ids, role="participant", minutes=minutes, occurred_on=day_of(number))

    def day_of(number: int) -> str:
        return f"2016-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}"

    for number in count():
        day = day_of(number)
        if number % 8 == 0:
            yield StandingReached(an_id("person", number // 8), standing="client", occurred_on=day)
        held = {"session": an_id("session", number), "activity": "kaapeli"}
        yield SessionHeld(None, **held, occurred_on=day, minutes=60 + number % 60)
        yield from (attended(number, n, 60) for n in range(12))
        yield HeadsCounted(None, session=held["session"], heads=12 + number % 9, basis="counted")
        if number >= 50:
            yield from (attended(number - 50, n, 45) for n in range(2))


def new_home(url: str) -> Engine:
    """A migrated, empty database."""
    engine = open_engine(url)
    migrate(engine, prepare)
    return engine


def fill(engine: Engine, numbers: Sequence[int], lines: int) -> None:
    """Put the first `lines` facts of each node into an empty journal, as the units of work would, but faster.

    The journal is of several nodes only here: one database less per node, and no part of a courier's work.
    """
    pos = 0
    for number in numbers:
        stream, when = stream_name(number), "2026-11-22T08:15:02.123456Z"
        chain, seq, some = chain_start(stream), 0, facts(number)
        while seq < lines:
            rows = []
            for fact in islice(some, min(BATCH, lines - seq)):
                seq, pos = seq + 1, pos + 1
                salt = hashlib.blake2b(b"%d" % seq, digest_size=16).hexdigest()
                line = serialise(Line(stream, 1, seq, fact.kind, fact.v, when, fact.subject, salt, fact.body))
                digest = line_digest(line)
                chain = chain_next(chain, digest)
                subject = bytes.fromhex(fact.subject) if fact.subject else None
                rows.append((pos, stream, 1, seq, fact.kind, subject, digest, line))
            with transaction(engine) as connection:
                insert_many(connection, journal_line, COLUMNS, rows)
        with transaction(engine) as connection:
            connection.execute(insert(journal_head), {"name": stream, "epoch": 1, "seq": seq, "chain": chain})


def lead_with(engine: Engine, nodes: Mapping[int, crypto.Key]) -> None:
    """Load the programme at the lead and admit the nodes."""
    document = load_file(programme_file(PROGRAMME))
    versions.load_programme(Journal(engine, "lead"), document, "bench", NOW)
    with transaction(engine) as connection:
        for number, key in nodes.items():
            names = {"stream": stream_name(number), "programme": PROGRAMME, "partner": partner_key(number)}
            keys = {"signing_key": key.public, "receiving_key": b"r" * 32}
            partner_store.add_node(connection, names | keys | {"node": node_name(number)})
