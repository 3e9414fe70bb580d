"""A lead and a node on disk, joined for real, whose receiver and courier go round by round with a clock of ours."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from services.node.admitting import join
from services.node.courier import CourierRounds
from services.node.opening import open_database
from services.node.receiver import ReceiverRounds
from services.reporting import operations, partner_queries, versions
from shared.contracts.catalogue import FACTS, StandingReached
from shared.journal import Journal, crypto
from shared.journal.carry_tables import received_line, received_segment
from shared.journal.directory import Member, member
from shared.journal.joining import Invite, token_digest
from shared.journal.lines import parse
from shared.journal.tables import journal_line
from shared.journal.unit import new_id
from shared.ops.clock import utcnow
from shared.ops.settings import Home, load_home
from shared.storage import snapshot
from tests.services.kit import DOCUMENT, KEY, OWN
from tests.services.node.commands import run
from tests.services.node.made import new_home

TOKEN = "7" * 64


@dataclass
class Pair:
    """Both homes lie in `folder`; `restart` ends and begins the two processes."""

    folder: Path
    now: datetime = field(default_factory=utcnow)

    def __post_init__(self) -> None:
        self.lead = new_home(self.folder / "lead", "lead", port=18400)
        self.node = new_home(self.folder / "node", "node", "pori", 18401)
        self.open()
        versions.load_programme(self.lead_journal, DOCUMENT, "boss", self.now)
        self.join()
        self.go()

    def open(self) -> None:
        """The processes begin."""
        self.lead, self.node = load_home(self.folder / "lead"), load_home(self.folder / "node")
        self.lead_engine, self.node_engine = open_database(self.lead), open_database(self.node)
        self.courier = CourierRounds(self.node, self.node_engine)
        self.receiver = ReceiverRounds(self.lead, self.lead_engine)

    def close(self) -> None:
        """They end."""
        self.lead_engine.dispose()
        self.node_engine.dispose()

    def restart(self) -> None:
        self.close()
        self.open()

    def invite(self, token: str = TOKEN, partner: str = OWN) -> Path:
        """An invite of the lead, as a file."""
        valid = timedelta(days=1)
        expires = operations.admit_partner(
            self.lead_journal, KEY, partner, token_digest(token), valid=valid, by="boss", now=self.now
        )
        keys = crypto.load_keys(self.lead.keys).pair()
        file = self.folder / f"invite-{partner}"
        file.write_text(Invite(KEY, partner, f"file:{self.lead.inbox}", *keys, token, expires).to_json())
        return file

    def join(self) -> None:
        self.node = join(self.node, self.invite())

    @property
    def stream(self) -> str:
        return f"{self.node.name}/{KEY}"

    @property
    def lead_journal(self) -> Journal:
        return Journal(self.lead_engine, "lead")

    @property
    def node_journal(self) -> Journal:
        return Journal(self.node_engine, self.node.name)

    def record(self, count: int = 1) -> None:
        """So many units of one line each at the node."""
        for _ in range(count):
            with self.node_journal.unit(self.now) as unit:
                unit.record(StandingReached(new_id(), standing="client", occurred_on="2016-03-01"), KEY)

    def courier_round(self, seconds: float = 5) -> None:
        self.now += timedelta(seconds=seconds)
        self.courier.round(self.now)

    def receiver_round(self, seconds: float = 5) -> None:
        self.now += timedelta(seconds=seconds)
        self.receiver.round(self.now)

    def go(self, rounds: int = 5, seconds: float = 5) -> None:
        """Both, in turns."""
        for _ in range(rounds):
            self.courier_round(seconds)
            self.receiver_round(seconds)

    def lines(self) -> tuple[list[bytes], list[bytes]]:
        """The node's lines of the programme as it has them, and as the lead has them."""
        with snapshot(self.node_engine) as ours, snapshot(self.lead_engine) as theirs:
            found = [
                list(at.execute(select(t.c.line).where(t.c.stream == self.stream).order_by(t.c.seq)).scalars())
                for at, t in ((ours, journal_line), (theirs, received_line))
            ]
        return found[0], found[1]

    def assert_arrived(self, count: int) -> None:
        """The lead has all of them, each once, and says so."""
        ours, theirs = self.lines()
        assert ours == theirs
        assert len(theirs) == count
        assert self.state()["complete"] is True
        assert self.state()["streams"][0]["same_chain"] is True

    def state(self) -> dict[str, Any]:
        return partner_queries.completeness(self.lead_engine, KEY, self.now)

    def signers(self) -> list[str]:
        """By which keys the lead's stored proofs are signed, in order, each run once."""
        query = select(received_segment.c.header).where(received_segment.c.stream == self.stream)
        with snapshot(self.lead_engine) as connection:
            headers = connection.execute(query.order_by(received_segment.c.first)).scalars()
            ids = [json.loads(header)["signed_by"] for header in headers]
        return [key for n, key in enumerate(ids) if not n or ids[n - 1] != key]

    def listed(self, engine: Engine | None = None) -> Member:
        """The node in the directory, as the lead (or another home) sees it."""
        with snapshot(engine or self.lead_engine) as connection:
            found = member(connection, KEY, self.node.name)
        assert found is not None
        return found

    def facts(self, *kinds: str) -> list[dict[str, Any]]:
        """The bodies of the lead's own facts of these kinds."""
        query = select(journal_line.c.line).where(journal_line.c.kind.in_(kinds)).order_by(journal_line.c.pos)
        with snapshot(self.lead_engine) as connection:
            lines = [parse(line) for line in connection.execute(query).scalars()]
        assert all((line.kind, line.v) in FACTS for line in lines)
        return [dict(line.body) for line in lines]


def ids(home: Home, name: str) -> list[str]:
    """The ids of the home's keys of this name, oldest first."""
    return list(crypto.load_keys(home.keys).publics(name))


def rotate(home: Home, kind: str) -> None:
    """A new key of this kind, as an operator makes it."""
    done = run("keys", "rotate", kind, home=home.path)
    assert done.code == 0, done.err
