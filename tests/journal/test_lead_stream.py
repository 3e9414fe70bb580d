"""The lead's own stream at a node: it arrives, services follow it, the directory reads it."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, insert, select

from shared.contracts.catalogue import ProgrammeVersion
from shared.contracts.facts import Fact
from shared.journal import Line, Unit
from shared.journal.directory import member, members
from shared.journal.follow import Follower, LeadFollowers
from shared.journal.holding import hold, release
from shared.journal.segment import Reason
from shared.journal.unit import prepare
from shared.ops.clock import wire_time
from shared.storage import snapshot, transaction
from tests.journal.exchange_kit import new_engine
from tests.journal.journal_kit import NOW, Killed, heads, killed_at, rows_of
from tests.journal.lead_kit import NODE, PROGRAMME, Down, admitted, version

effect = Table("test_lead_effect", MetaData(), Column("part", Integer))
"""No key: an effect that happens twice stands here twice."""


@pytest.fixture
def down(engine: Engine, tmp_path: Path) -> Down:
    lead = new_engine()
    with transaction(lead) as connection:
        prepare(connection)
    effect.create(engine)
    return Down(lead, engine, tmp_path)


@dataclass
class Service:
    """Hears programme versions of its leads; answers each with a fact of its own."""

    down: Down
    fails: set[int] = field(default_factory=set)
    followers: dict[str, Follower] = field(default_factory=dict)
    told: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        hears = {(ProgrammeVersion.kind, 1): self._on}
        self.led = LeadFollowers(self.down.journal, "pathways", hears, self.followers, self.told.append)

    def _on(self, unit: Unit, line: Line, fact: Fact) -> None:
        unit.connection.execute(insert(effect), {"part": fact["part"]})
        unit.record(heads(fact["part"]), PROGRAMME)
        if fact["part"] in self.fails:
            raise ValueError

    def run(self) -> list[int]:
        """Follow as long as there is something to do; the effects since ever."""
        for _ in range(100):
            if not self.led.advance(NOW):
                with snapshot(self.down.node) as connection:
                    return list(connection.execute(select(effect.c.part)).scalars())
        raise AssertionError("it never ends")


def test_a_service_hears_what_its_lead_has_sent_once_and_in_order(down: Down) -> None:
    down.record(version(1), admitted(), version(2))
    down.ship()
    service = Service(down)
    assert service.run() == [1, 2]
    down.record(version(3))
    down.ship()
    assert service.run() == [1, 2, 3]
    assert Service(down).run() == [1, 2, 3]
    assert len(rows_of(down.node)) == 3


def test_it_is_told_after_the_commit_that_others_have_something_to_hear(down: Down) -> None:
    down.record(version(1), version(2), admitted())
    down.ship()
    service = Service(down)
    service.run()
    assert service.told == [2]


def test_two_leads_are_heard_each_with_a_cursor_of_its_own(down: Down) -> None:
    down.record(version(1))
    down.record(version(2), programme="kuntsari")
    down.ship()
    down.ship("kuntsari")
    service = Service(down)
    assert sorted(service.run()) == [1, 2]
    assert sorted(service.followers) == ["pathways lead/kuntsari", "pathways lead/lahde"]


def test_a_line_of_a_lead_that_fails_stops_that_lead_until_it_works(down: Down) -> None:
    down.record(version(1), version(2), version(3))
    down.record(version(4), programme="kuntsari")
    down.ship()
    down.ship("kuntsari")
    service = Service(down, fails={2})
    assert sorted(service.run()) == [1, 4]
    assert service.followers["pathways lead/lahde"].stuck_at == 2
    service.fails.clear()
    assert sorted(service.run()) == [1, 2, 3, 4]
    assert service.followers["pathways lead/lahde"].stuck_at is None


def test_a_held_home_does_not_follow_its_lead(down: Down) -> None:
    down.record(version(1))
    down.ship()
    with transaction(down.node) as connection:
        hold(connection, wire_time(NOW))
    assert Service(down).run() == []
    release(down.node)
    assert Service(down).run() == [1]


def test_killed_at_any_step_every_line_of_the_lead_takes_effect_once(down: Down) -> None:
    down.record(*(version(n) for n in range(1, 4)))
    down.ship()
    for step in range(100):
        try:
            with killed_at(down.node, step):
                Service(down).run()
        except Killed:
            continue
        break
    else:
        raise AssertionError("it never ends")
    assert step > 5
    assert Service(down).run() == [1, 2, 3]
    assert len(rows_of(down.node)) == 3


def test_the_nodes_receipt_tells_the_lead_how_far_it_is(down: Down) -> None:
    down.record(version(1), version(2))
    assert down.ship()[1].lines == 2
    sent, taken = down.ship()
    assert (sent.receipt, sent.head, taken.lines) == (2, 2, 0)


def test_lines_that_another_key_signed_are_not_the_leads(down: Down) -> None:
    down.record(version(1))
    _, taken = down.ship(signer=down.node_key)
    assert taken.refused == {Reason.UNKNOWN_KEY: 2}, "a segment and a manifest"
    assert Service(down).run() == []


def test_the_directory_is_the_same_at_the_lead_and_at_the_node(down: Down) -> None:
    down.record(admitted(), admitted("eura-00000002", "kunta", "3"))
    with snapshot(down.node) as connection:
        assert members(connection, PROGRAMME) == []
    down.ship()
    found = []
    for engine in (down.lead, down.node):
        with snapshot(engine) as connection:
            found.append(members(connection, PROGRAMME))
            assert member(connection, PROGRAMME, "eura-00000002") == found[-1][1]
            assert members(connection, "kuntsari") == []
    assert found[0] == found[1]
    first = found[0][0]
    assert (first.partner, first.node, first.expelled) == ("yhdistys", NODE, None)
    assert first.signing_keys == (bytes.fromhex("1" * 64),)
    assert list(first.signing("2026").values()) == [bytes.fromhex("1" * 64)]
