"""A node and its lead in one process, every part real but the bus: for what must hold at every step of a way."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from services.activities import store as activities
from services.intake import operations as intake
from services.intake import rights_store, tags
from services.intake import store as intake_store
from services.reporting import operations as reporting
from services.reporting import partner_queries, queries, versions
from shared.contracts.catalogue import ProgrammeLoaded, StandingReached, SubjectErased, TaggingDue
from shared.contracts.facts import Fact
from shared.contracts.purpose_facts import ActivitiesCleared, PurposeEnded
from shared.journal import Journal, Unit, audit, crypto, erasing, received
from shared.journal.carry_tables import received_head, received_line, received_segment
from shared.journal.filecarrier import FileCarrier
from shared.journal.follow import Follower, Handler
from shared.journal.holding import hold
from shared.journal.joining import Join, token_digest
from shared.journal.lines import Line, chain_next, chain_start, line_digest
from shared.journal.receiving import Receiver
from shared.journal.sending import Courier
from shared.journal.tables import journal_head, journal_line
from shared.programmes import canonical, parse
from shared.programmes.shelf import Shelf, pieces
from shared.storage import open_engine, snapshot, transaction
from shared.storage.dump import dump_rows, load_rows
from tests.journal.exchange_kit import make_key, public
from tests.services import kit
from tests.services.activities import kit as activities_kit
from tests.services.intake.kit import KEYS, arrival

STREAM = f"{kit.NODE}/{kit.KEY}"


def sent_by(key: crypto.Key) -> bytes:
    """The key's public half."""
    assert key.public is not None
    return key.public


@dataclass
class House:
    """A joined node and lead. `work` lets every process do what it has to do, until nothing is left."""

    node: Engine
    lead: Engine
    folder: Path
    now: datetime = kit.NOW
    node_key: crypto.Key = field(default_factory=lambda: make_key("signing"))
    lead_key: crypto.Key = field(default_factory=lambda: make_key("signing"))
    lead_receiving: crypto.Key = field(default_factory=lambda: make_key("receiving"))
    node_receiving: crypto.Key = field(default_factory=lambda: make_key("receiving"))

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Every process ends and starts again."""
        assert self.lead_receiving.public is not None
        carrier = self.carrier
        leads, opens = public(self.lead_key), {self.lead_receiving.id: self.lead_receiving.secret()}
        self.courier = Courier(self.node, carrier, self.node_key, leads, self.lead_receiving.public)
        self.receiver = Receiver(self.lead, carrier, self.lead_key, opens)
        shelves = {"intake": intake_store.shelf, "activities": activities.shelf}
        heard = {name: {(ProgrammeLoaded.kind, 1): put(shelf)} for name, shelf in shelves.items()}
        heard["intake"] |= {(StandingReached.kind, 1): self._tag_person, (TaggingDue.kind, 1): self._tag_those_due}
        heard["activities"] |= {(StandingReached.kind, 1): met, (SubjectErased.kind, 1): forgotten}
        heard["activities"] |= {(PurposeEnded.kind, 1): cleared}
        heard["intake"] |= {(ActivitiesCleared.kind, 1): receipt}
        self.followers = {name: Follower(self.journal, name, handlers) for name, handlers in heard.items()}

    def _tag_person(self, unit: Unit, line: Line, fact: Fact) -> None:
        tags.tag_person(unit, KEYS.vault, self._tag_key, line.stream.split("/")[1], str(fact.subject))

    def _tag_those_due(self, unit: Unit, _line: Line, fact: Fact) -> None:
        tags.tag_those_due(unit, KEYS.vault, self._tag_key, fact["programme"], fact["key_no"])

    def _tag_key(self, number: int) -> bytes:
        return crypto.read_secret(self.node_keys, "tag", number)

    @property
    def node_keys(self) -> Path:
        """Where the node's tag keys lie."""
        return self.folder.parent / "node-keys"

    def take_tag_key(self, key_no: int, key: bytes, basis: str = "name_birth_date") -> None:
        """A tag key comes to the node."""
        self.node_keys.mkdir(exist_ok=True)
        tags.take_tag_key(self.journal, self.node_keys, kit.KEY, key_no, basis, key, by="worker", now=self.now)
        self.follow()

    @property
    def carrier(self) -> FileCarrier:
        return FileCarrier(self.folder)

    def later(self) -> None:
        self.now += timedelta(seconds=5)

    @property
    def journal(self) -> Journal:
        return Journal(self.node, kit.NODE)

    def put_back(self, database: Engine) -> None:
        """The node is gone; what was restored takes its place."""
        self.node.dispose()
        self.node = database
        self.restart()

    def join(self) -> None:
        """The lead and the node know the programme and each other."""
        lead = Journal(self.lead, "lead")
        versions.load_programme(lead, kit.DOCUMENT, "boss", self.now)
        token = token_digest("t")
        reporting.admit_partner(lead, kit.KEY, kit.OWN, token, valid=timedelta(days=1), by="boss", now=self.now)
        keys = sent_by(self.node_key), sent_by(self.node_key)
        reporting.accept_join(lead, Join(kit.KEY, kit.OWN, kit.NODE, *keys, token), self.now)
        with self.journal.unit(self.now) as unit:
            for piece in pieces(ProgrammeLoaded, parse(kit.DOCUMENT), canonical(kit.DOCUMENT).decode()):
                unit.record(piece)
        self.follow()

    def register(self, *names: str) -> list[str]:
        """ESF participants with identities; their subjects."""
        results, _ = intake.register_participants(
            self.journal, KEYS, kit.KEY, [arrival(name) for name in names], by="worker", now=self.now
        )
        self.follow()
        return [result["subject"] for result in results]

    def attend(self, session: str, *subjects: str) -> list[dict[str, Any]]:
        """A session with these people; a result per person."""
        at, _ = activities_kit.record_sessions(self.journal, activities_kit.session(session))
        there = [activities_kit.attendance(at[0]["session"], f"{session}{s}", s) for s in subjects]
        results, _ = activities_kit.record_attendance(self.journal, *there)
        return results

    def erase(self, subject: str) -> bool:
        erased, _ = intake.erase_person(self.journal, kit.KEY, subject, by="worker", now=self.now)
        return erased

    def follow(self) -> None:
        for follower in self.followers.values():
            while follower.advance(self.now):
                pass

    def work(self) -> None:
        """Rounds of all processes until nothing changes."""
        for _ in range(4):
            self.follow()
            self.ship()
            self.now += timedelta(seconds=1)

    def ship(self) -> None:
        self.courier.round([STREAM], self.now)
        erasing.finish(self.node)
        erasing.scrub(self.node)
        self.receiver.round(partner_queries.admitted_keys(self.lead, self.now), self.now)
        while reporting.derive(self.lead, {}):
            pass
        reporting.answer_endings(Journal(self.lead, "lead"), self.now)
        erasing.scrub(self.lead)

    def taken(self) -> tuple[dict[str, dict[str, bytes]], set[str]]:
        """What the lead takes: signing keys by stream, and its own keys."""
        return {STREAM: public(self.node_key)}, {self.lead_receiving.id}

    def report(self) -> dict[str, Any]:
        return queries.report(self.lead, kit.KEY, None, None, self.now)

    def assert_whole(self) -> None:
        """Chains follow from what is stored to their heads, proofs verify, both logs are whole."""
        for engine in (self.node, self.lead):
            with snapshot(engine) as connection:
                assert audit.verify(connection) is None
                heads = connection.execute(select(journal_head).where(journal_head.c.name.contains("/"))).all()
                for head in heads:
                    rows = select(journal_line.c.digest, journal_line.c.line).where(journal_line.c.stream == head.name)
                    assert chained(head.name, connection.execute(rows.order_by(journal_line.c.seq))) == head.chain
        with snapshot(self.lead) as connection:
            head = connection.execute(select(received_head)).one()
            rows = select(received_line.c.digest, received_line.c.line).order_by(received_line.c.seq)
            assert chained(STREAM, connection.execute(rows)) == head.chain
            for proof in connection.execute(select(received_segment)):
                said = proof.header + proof.payload_digest
                assert crypto.verify(sent_by(self.node_key), proof.signature, crypto.SEGMENT_CONTEXT, said)
            assert received.completeness(connection, self.now)[0].state in ("complete", "closed")


def copied(template: Path, folder: Path) -> Engine:
    """A copy of a migrated database in a new folder."""
    folder.mkdir()
    return open_engine(f"sqlite:///{shutil.copy(template, folder / 'home.db')}")


@contextmanager
def joined(template: Path, folder: Path, *people: str) -> Iterator[House]:
    """A house on copies of a migrated database, whose node has shipped these people."""
    made = House(*(copied(template, folder / name) for name in ("node", "lead")), folder / "inbox")
    made.join()
    if people:
        made.register(*people)
        made.work()
    yield made
    made.node.dispose()
    made.lead.dispose()


@contextmanager
def backup_of(node: Engine, template: Path, folder: Path, *, held: bool = True) -> Iterator[Engine]:
    """A node's database as a backup taken now would bring it back, in a new folder."""
    made = copied(template, folder)
    with snapshot(node) as connection:
        records = list(dump_rows(connection))
    with transaction(made) as connection:
        load_rows(connection, iter(records))
        if held:
            hold(connection, "2026-11-22T09:15:02.123456Z", kit.NODE)
    yield made
    made.dispose()


# What the services' `@subscribes` methods do; service.py itself cannot be loaded here, it needs eventlet.


def put(shelf: Shelf) -> Handler:
    return lambda unit, _line, fact: shelf.put(unit.connection, fact)


def met(unit: Unit, line: Line, fact: Fact) -> None:
    activities.put_person(unit.connection, str(fact.subject), line.stream.partition("/")[2], fact["standing"])


def forgotten(unit: Unit, _line: Line, fact: Fact) -> None:
    activities.forget_person(unit.connection, str(fact.subject))


def cleared(unit: Unit, line: Line, fact: Fact) -> None:
    rows, programme = activities.clear_person(unit.connection, str(fact.subject)), fact["programme"]
    programme = programme or line.stream.partition("/")[2]
    unit.record(ActivitiesCleared(fact.subject, ending=fact["ending"], programme=programme, rows=rows))


def receipt(unit: Unit, line: Line, fact: Fact) -> None:
    rights_store.add_receipt(unit.connection, fact["ending"], "activities", fact["rows"], line.recorded_at)


def chained(stream: str, rows: Any) -> bytes:
    """The chain over rows of (digest, line); a line that is there has its digest."""
    chain = chain_start(stream)
    for digest, line in rows:
        assert line is None or line_digest(line) == digest
        chain = chain_next(chain, digest)
    return chain


def lines_of(engine: Engine, table: Any, subject: str) -> list[bytes]:
    """A person's lines, byte for byte."""
    with snapshot(engine) as connection:
        query = select(table.c.line).where(table.c.subject == bytes.fromhex(subject)).order_by(table.c.seq)
        return list(connection.execute(query).scalars())


def needles(subject: str, *ids: str) -> Iterator[bytes]:
    """What a byte search looks for: hex and raw."""
    for value in (subject, *ids):
        yield value.encode()
        yield bytes.fromhex(value)
