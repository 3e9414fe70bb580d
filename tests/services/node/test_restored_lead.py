"""A restored lead takes back from its nodes what it had said after its backup, before it says anything new."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from services.node.leadstream import LeadCouriers
from services.reporting import operations, partner_queries, partners, store, versions
from shared.contracts.catalogue import EpochAccepted
from shared.contracts.errors import HomeHeld, NotFound
from shared.journal import Journal, crypto
from shared.journal.carrier import back_of, channel_to
from shared.journal.carry_tables import received_erased, received_head, received_line
from shared.journal.directory import lead_stream, members
from shared.journal.erasing import subject_digest
from shared.journal.filecarrier import FileCarrier
from shared.journal.holding import go_on_in_another_epoch, hold, is_held
from shared.journal.joining import Join, token_digest
from shared.journal.lines import chain_next, chain_start
from shared.journal.receiving import Receiver
from shared.journal.returning import Returner
from shared.journal.tables import journal_head, journal_line
from shared.storage import snapshot, transaction
from shared.storage.dump import dump_rows, load_rows
from tests.flows.house import copied, sent_by
from tests.journal.exchange_kit import make_key, public
from tests.journal.journal_kit import Killed, killed_at
from tests.services import kit
from tests.services.kit import KEY, NODE, NOW, OTHER, OWN
from tests.services.node.pairs import Pair
from tests.services.reporting.kit import derive_all, hex_id, receive, standing
from tests.services.reporting.releasing import Reporting

STREAM = lead_stream(KEY)


@dataclass
class Fed:
    """A lead and nodes that keep its stream, everything real but the processes."""

    lead: Engine
    nodes: dict[str, Engine]
    folder: Path
    now: datetime = NOW
    lead_key: crypto.Key = field(default_factory=lambda: make_key("signing"))
    lead_receiving: crypto.Key = field(default_factory=lambda: make_key("receiving"))
    node_key: crypto.Key = field(default_factory=lambda: make_key("signing"))
    node_receiving: crypto.Key = field(default_factory=lambda: make_key("receiving"))

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        opens = {self.lead_receiving.id: self.lead_receiving.secret()}
        keys = (self.lead_key, opens, public(self.lead_key))
        self.couriers = LeadCouriers(self.lead, FileCarrier(self.folder), *keys)

    @property
    def journal(self) -> Journal:
        return Journal(self.lead, "lead")

    def join(self, partner: str, node: str) -> None:
        token = token_digest(node)
        operations.admit_partner(self.journal, KEY, partner, token, valid=timedelta(days=1), by="boss", now=self.now)
        keys = sent_by(self.node_key), sent_by(self.node_receiving)
        operations.accept_join(self.journal, Join(KEY, partner, node, *keys, token), self.now)

    def load(self, **changed: object) -> str:
        return versions.load_programme(self.journal, kit.changed(**changed), "boss", self.now)[0].digest

    def round(self, *names: str) -> None:
        """The lead's process, then those of the nodes, each just started."""
        self.couriers.round(self.now)
        for name in names or self.nodes:
            self.node_round(name)
        self.now += timedelta(seconds=6)

    def node_round(self, name: str) -> None:
        channel, carrier = channel_to(name, KEY), FileCarrier(self.folder)
        opens = {self.node_receiving.id: self.node_receiving.secret()}
        receiver = Receiver(self.nodes[name], carrier, self.node_key, opens, lambda _stream: channel)
        receiver.round({STREAM: public(self.lead_key)}, self.now)
        keys = (public(self.lead_key), sent_by(self.lead_receiving))
        Returner(self.nodes[name], carrier, self.node_key, *keys).round(channel, self.now)

    def work(self, *names: str) -> None:
        for _ in range(5):
            self.round(*names)

    def held(self) -> bool:
        with snapshot(self.lead) as connection:
            return is_held(connection)

    def digest(self) -> str:
        with snapshot(self.lead) as connection:
            return store.shelf.get(connection, KEY).digest

    def assert_whole(self) -> None:
        """The lead's own chain follows from its lines, positions have no hole, every node holds the same."""
        with snapshot(self.lead) as connection:
            rows = connection.execute(select(journal_line).order_by(journal_line.c.pos)).all()
            heads = {row.name: (row.seq, row.chain) for row in connection.execute(select(journal_head))}
        assert [row.pos for row in rows] == list(range(1, len(rows) + 1))
        chain = chain_start(STREAM)
        for row in rows:
            chain = chain_next(chain, row.digest)
        assert heads[STREAM] == (len(rows), chain)
        assert heads[""][0] == len(rows)
        for engine in self.nodes.values():
            (head,) = kit.rows(engine, received_head)
            assert (head["seq"], head["chain"]) == heads[STREAM]


@pytest.fixture
def fed(migrated_file: Path, tmp_path: Path) -> Iterator[Fed]:
    nodes = {name: copied(migrated_file, tmp_path / name) for name in (NODE, "rauma-0a1b2c3e")}
    made = Fed(copied(migrated_file, tmp_path / "lead"), nodes, tmp_path / "inbox")
    made.load()
    made.join(OWN, NODE)
    made.join(OTHER, "rauma-0a1b2c3e")
    made.work()
    yield made
    for engine in (made.lead, *made.nodes.values()):
        engine.dispose()


@pytest.fixture
def backup(fed: Fed, migrated_file: Path, tmp_path: Path) -> Iterator[Engine]:
    with backup_of(fed, migrated_file, tmp_path) as database:
        yield database


@contextmanager
def backup_of(fed: Fed, migrated_file: Path, tmp_path: Path) -> Iterator[Engine]:
    restored = copied(migrated_file, tmp_path / "restored")
    with snapshot(fed.lead) as connection:
        records = list(dump_rows(connection))
    with transaction(restored) as connection:
        load_rows(connection, iter(records))
        hold(connection, "2026-11-22T09:15:02.123456Z", "lead")
    yield restored
    restored.dispose()


def restored(fed: Fed, database: Engine) -> None:
    fed.lead.dispose()
    fed.lead = database
    fed.restart()


def test_what_it_had_said_comes_back_with_its_effects_and_it_goes_on(fed: Fed, backup: Engine) -> None:
    digest = fed.load(silence_limit_days=5)
    partners.expel_partner(fed.journal, KEY, OTHER, by="boss", now=fed.now)
    with snapshot(fed.lead) as connection:
        directory = members(connection, KEY)
    fed.work()
    del fed.nodes["rauma-0a1b2c3e"]
    restored(fed, backup)
    with pytest.raises(HomeHeld):
        fed.load(silence_limit_days=9)
    fed.work()
    assert fed.digest() == digest
    assert not fed.held(), "the other one is no member any more, says what has come back"
    with snapshot(fed.lead) as connection:
        assert members(connection, KEY) == directory
    assert [node.node for node in partner_queries.admitted_nodes(fed.lead, fed.now)] == [NODE]
    fed.load(silence_limit_days=9)
    fed.work()
    fed.assert_whole()
    assert not [path for path in fed.folder.rglob("back/*") if path.is_file()]


def test_the_node_that_has_most_gives_most(fed: Fed, backup: Engine) -> None:
    fed.load(silence_limit_days=5)
    fed.work()
    digest = fed.load(silence_limit_days=6)
    fed.work(NODE)
    restored(fed, backup)
    for _ in range(4):
        fed.work()
    assert not fed.held()
    assert fed.digest() == digest
    fed.work()
    fed.assert_whole()


def test_a_lead_that_has_lost_nothing_goes_on_when_its_nodes_have_answered(fed: Fed, backup: Engine) -> None:
    restored(fed, backup)
    fed.work()
    assert not fed.held()
    fed.load(silence_limit_days=5)
    fed.work()
    fed.assert_whole()


def test_what_a_node_keeps_behind_a_gap_comes_back_before_it_goes_on(
    fed: Fed, migrated_file: Path, tmp_path: Path
) -> None:
    fed.load(silence_limit_days=5)
    fed.couriers.round(fed.now)
    with backup_of(fed, migrated_file, tmp_path) as database:
        fed.load(silence_limit_days=6)
        fed.now += timedelta(seconds=6)
        fed.couriers.round(fed.now)
        for channel in fed.folder.rglob("manifest"):
            early, *_ = sorted(channel.parent.glob("*.seg"))
            early.unlink()  # lost, and the next one is not
        for name in fed.nodes:
            fed.node_round(name)
        for late in fed.folder.rglob("*.seg"):
            late.unlink()
        restored(fed, database)
        fed.work()
        fed.work()
        assert not fed.held()
        fed.load(silence_limit_days=9)
        fed.work()
        fed.assert_whole()


def test_a_node_that_had_answered_and_is_away_is_waited_for_a_day(fed: Fed, backup: Engine) -> None:
    fed.load(silence_limit_days=5)
    fed.work("rauma-0a1b2c3e")
    for lost in fed.folder.rglob(f"{NODE}/*.seg"):
        lost.unlink()
    restored(fed, backup)
    fed.round()
    fed.round()
    fed.work("rauma-0a1b2c3e")
    fed.work("rauma-0a1b2c3e")
    assert fed.held(), "what the other one has brought back it has not yet"
    fed.now += timedelta(days=1)
    fed.work("rauma-0a1b2c3e")
    assert not fed.held()
    fed.work()
    fed.assert_whole()


def test_it_stays_held_while_a_member_node_is_silent(fed: Fed, backup: Engine) -> None:
    restored(fed, backup)
    fed.work(NODE)
    assert fed.held()


def test_a_node_cannot_make_it_say_what_it_has_not_said(fed: Fed, backup: Engine) -> None:
    fed.load(silence_limit_days=5)
    fed.work()
    with transaction(fed.nodes[NODE]) as connection:
        connection.exec_driver_sql("UPDATE received_segment SET signature = zeroblob(64)")
    before = kit.heads(backup)
    restored(fed, backup)
    for _ in range(3):
        fed.work(NODE)
    assert fed.held()
    assert kit.heads(fed.lead)[STREAM] == before[STREAM]


def test_killed_at_any_step_it_takes_back_all_once(fed: Fed, backup: Engine) -> None:
    digest = fed.load(silence_limit_days=5)
    fed.work()
    restored(fed, backup)
    for step in range(0, 2000, 7):
        try:
            with killed_at(fed.lead, step):
                fed.work()
        except Killed:
            fed.restart()
            continue
        break
    assert step > 50
    assert not fed.held()
    assert fed.digest() == digest
    fed.work()
    fed.assert_whole()
    assert back_of(channel_to(NODE, KEY)).endswith("/back")


def test_whom_a_node_knows_to_be_erased_is_erased_again_and_nobody_else(fed: Fed) -> None:
    stream = f"{NODE}/{KEY}"
    receive(fed.lead, stream, [standing("anna", "client"), standing("bertta", "client")])
    derive_all(fed.lead)
    anna = hex_id("person", "anna")
    digests = {bytes.fromhex(subject_digest(anna)), b"?" * 32}
    assert partners.erase_received(fed.lead, stream, digests) == 1
    assert partners.erase_received(fed.lead, stream, digests) == 0
    assert [row["line"] is None for row in kit.rows(fed.lead, received_line)] == [True, False]
    assert len(kit.rows(fed.lead, store.person)) == 1
    assert len(kit.rows(fed.lead, received_erased)) == 1


def test_an_accepted_epoch_waits_for_the_lines_before_it_and_for_its_node_to_claim_it(tmp_path: Path) -> None:
    """A lead that was restored from before knows its own word again sooner than the lines it is about; and its node may
    have been restored too, and gone on in the epoch before."""
    pair = Pair(tmp_path)
    pair.record()
    pair.go()
    with pair.lead_journal.unit(pair.now) as unit:
        unit.record(EpochAccepted(None, node=pair.node.name, epoch=2, seq=3), KEY)
    pair.receiver_round()
    (waiting,) = kit.rows(pair.lead_engine, received_head)
    pair.record(2)
    pair.courier_round()
    pair.receiver_round()
    (unclaimed,) = kit.rows(pair.lead_engine, received_head)
    with transaction(pair.node_engine) as connection:
        go_on_in_another_epoch(connection, unclaimed["stream"])
    pair.courier_round()
    pair.receiver_round()
    (applied,) = kit.rows(pair.lead_engine, received_head)
    pair.close()
    assert (waiting["epoch"], waiting["seq"]) == (1, 1)
    assert (unclaimed["epoch"], unclaimed["seq"]) == (1, 3)
    assert (applied["epoch"], applied["seq"]) == (2, 3)


def test_it_knows_of_releases_whose_documents_it_has_lost_and_takes_them_back_from_who_has_them(
    fed: Fed, backup: Engine
) -> None:
    before = Reporting.of(fed.lead, fed.lead_key, fed.now)
    release = before.release()
    document, digest = before.file(release), before.listed()[0]["digest"]
    fed.work()
    restored(fed, backup)
    fed.work()
    after = Reporting(fed.lead, before.keys, fed.now, before.made)
    assert [(row["release"], row["digest"], row["kept"]) for row in after.listed()] == [(release, digest, False)]
    with pytest.raises(NotFound, match=digest):
        after.file(release)
    assert after.make()[0] == digest
    assert after.file(release) == document
    fed.assert_whole()
