"""A node in two programmes of two leads: neither lead's home nor folder holds anything of the other's."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from services.node.admitting import join
from services.node.courier import CourierRounds
from services.node.opening import open_database
from services.node.receiver import ReceiverRounds
from services.reporting import operations, partner_queries, versions
from shared.contracts.catalogue import StandingReached
from shared.journal import Journal, segment
from shared.journal.crypto import load_keys
from shared.journal.holding import hold, is_held
from shared.journal.joining import Invite, token_digest
from shared.journal.tables import journal_line
from shared.journal.unit import new_id
from shared.ops.clock import utcnow, wire_time
from shared.ops.settings import Home
from shared.storage import snapshot, transaction
from tests.services import kit
from tests.services.kit import KEY, OWN
from tests.services.node.made import new_home

OTHER_KEY = "toinen-hanke"
PROGRAMMES = {"a": KEY, "b": OTHER_KEY}


@dataclass
class Land:
    """A node and two leads that know nothing of each other."""

    folder: Path
    leads: dict[str, Home] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now = utcnow()
        self.node = new_home(self.folder / "node", "node", "pori", 18401)
        for name, programme in PROGRAMMES.items():
            lead = self.leads[name] = new_home(self.folder / name, "lead", port=18400)
            journal = Journal(open_database(lead), "lead")
            versions.load_programme(journal, kit.changed(key=programme), "boss", self.now)
            token, valid = name * 64, timedelta(days=1)
            digest = token_digest(token)
            until = operations.admit_partner(journal, programme, OWN, digest, valid=valid, by="boss", now=self.now)
            keys, file = load_keys(lead.keys).pair(), self.folder / f"invite-{name}"
            file.write_text(Invite(programme, OWN, f"file:{lead.inbox}", *keys, token, until).to_json())
            self.node = join(self.node, file)
        self.engine = open_database(self.node)
        self.courier = CourierRounds(self.node, self.engine)
        self.receivers = {name: ReceiverRounds(lead, open_database(lead)) for name, lead in self.leads.items()}

    def record(self, programme: str, count: int) -> list[str]:
        subjects = [new_id() for _ in range(count)]
        with Journal(self.engine, self.node.name).unit(self.now) as unit:
            for subject in subjects:
                unit.record(StandingReached(subject, standing="client", occurred_on="2016-03-01"), programme)
        return subjects

    def go(self) -> None:
        for _ in range(5):
            self.now += timedelta(seconds=5)
            self.courier.round(self.now)
            for receiver in self.receivers.values():
                receiver.round(self.now)

    def seen_by(self, name: str) -> bytes:
        """All names and bytes of a lead's home: database with its log, inbox, keys; and what its keys open of it."""
        lead, seen = self.leads[name], bytearray()
        admitted, opens = (
            partner_queries.admitted_keys(open_database(lead), self.now),
            load_keys(lead.keys).privates("receiving"),
        )
        for path in sorted(lead.path.rglob("*")):
            seen += str(path.relative_to(lead.path)).encode() + b"\n"
            if path.is_file():
                data = path.read_bytes()
                seen += data
                if path.suffix == ".seg" and "back" not in path.parts and path.parts[-4:-3] != ("lead",):
                    opened = segment.open_lines(segment.verify(data, admitted, opens), opens)
                    seen += b"\n".join(line.line or line.digest for line in opened)
        return bytes(seen)


@pytest.fixture
def land(tmp_path: Path) -> Iterator[Land]:
    made = Land(tmp_path)
    yield made
    made.engine.dispose()


DAMAGED = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def test_a_lead_that_the_home_lacks_what_it_needs_to_reach_holds_up_no_other(
    land: Land, caplog: pytest.LogCaptureFixture
) -> None:
    (good,) = (place for place in land.node.joined if place.programme == OTHER_KEY)
    stream = f"{land.node.name}/{OTHER_KEY}"
    for bad, why in (
        (replace(good, uplink="https://localhost:9", authority=DAMAGED), "is no certificate"),
        (replace(good, uplink="https://localhost:84000"), "leads nowhere"),
        (replace(good, uplink="amqps://yhdistys@localhost/polku"), f"keys/broker.{OTHER_KEY}"),
    ):
        land.node.with_programme(bad).save()
        land.record(KEY, 1)
        land.go()
        assert partner_queries.completeness(open_database(land.leads["a"]), None, land.now)["complete"]
        assert stream in str(land.courier.check())
        assert KEY not in str(land.courier.check())
        assert why in " ".join(str(getattr(record, "why", "")) for record in caplog.records)
    with transaction(land.engine) as connection:
        hold(connection, wire_time(land.now), land.node.name)
    land.go()
    with snapshot(land.engine) as connection:
        assert is_held(connection), "a held home waits for this lead, too"
    land.node.with_programme(good).save()
    land.go()
    with snapshot(land.engine) as connection:
        assert not is_held(connection)
    assert land.courier.check() is None


def needles(land: Land, programme: str, subjects: list[str]) -> set[bytes]:
    """What would tell of a programme's stream: its name, its lines, the people in it, digests of its lines."""
    stream = f"{land.node.name}/{programme}"
    with snapshot(land.engine) as connection:
        c = journal_line.c
        rows = connection.execute(select(c.line, c.digest).where(c.stream == stream)).all()
    assert len(rows) == len(subjects)
    found = {stream.encode(), programme.encode()}
    for row in rows:
        found |= {row.line, row.digest, row.digest.hex().encode()}
    return found | {s.encode() for s in subjects} | {bytes.fromhex(s) for s in subjects}


def test_neither_lead_holds_a_line_or_a_stream_name_of_the_other(land: Land) -> None:
    land.go()
    subjects = {name: land.record(programme, 3) for name, programme in PROGRAMMES.items()}
    looked_for = {name: needles(land, programme, subjects[name]) for name, programme in PROGRAMMES.items()}
    land.courier.round(land.now)  # once with the segments under way, once with everything taken in
    for moment in ("under way", "arrived"):
        for own, other in (("a", "b"), ("b", "a")):
            seen = land.seen_by(own)
            lines = {needle for needle in looked_for[own] if needle.startswith(b"{")}
            assert len(lines) == 3
            assert all(needle in seen for needle in lines), f"{moment}: the search finds what is there"
            assert [needle for needle in looked_for[other] if needle in seen] == [], moment
        land.go()
    for name, programme in PROGRAMMES.items():
        state = partner_queries.completeness(open_database(land.leads[name]), None, land.now)
        assert state["complete"]
        assert [row["stream"] for row in state["streams"]] == [f"{land.node.name}/{programme}"]
