"""Whatever carrier, processes and bystanders do, in whichever order: the lead ends with the node's lines.

The simulator's world, but on real databases with real transactions, real keys and real sealing. Hypothesis draws what
happens, and makes what fails short. The model is the list of lines of each stream. After every step the lead holds
a prefix of it and claims no more; when everything works again, it holds all.
"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from shared.storage import open_engine
from shared.testing.postgres import new_database
from tests.journal.exchange_kit import make_key
from tests.simulator.checks import check_end
from tests.simulator.schedule import heal
from tests.simulator.standins import LEAD_TABLES, NODE_TABLES, Database, installed, lead_owned
from tests.simulator.steps import do
from tests.simulator.world import Keys, Setting, Step, World

KEYS = Keys(
    (make_key("signing"),),
    (make_key("signing"),),
    make_key("receiving"),
    make_key("signing"),
    make_key("receiving"),
    make_key("signing"),
    make_key("receiving"),
)

which = st.integers(0, 30)
side = st.integers(0, 1)
rounds: st.SearchStrategy[Step] = st.sampled_from([("courier", 0), ("receiver",)])
inner: st.SearchStrategy[Step] = st.one_of(
    st.sampled_from([("courier", 0), ("receiver",), ("second_courier", 0), ("second_receiver",), ("sync",)]),
    st.tuples(st.just("record"), side, st.integers(1, 3)),
    st.tuples(st.just("deliver"), st.integers(1, 4095)),
    st.tuples(st.just("lose"), which, side),
)


class Exchange(RuleBasedStateMachine):
    """A node with two streams, a lead, and what may happen between them."""

    def __init__(self, lead: Database, node: Database) -> None:
        super().__init__()
        self.world = World(Setting((2,), max_lines=3, early_limit=4), [node], lead, KEYS, note)
        self.model: dict[str, list[bytes]] = {stream: [] for _, stream in self.world.streams()}

    def happen(self, *step: Any) -> None:
        """Let it happen; what it recorded is in the model from now on."""
        do(self.world, step)
        for stream, lines in self.model.items():
            digests = f"SELECT digest FROM journal_line WHERE stream = '{stream}' ORDER BY seq"
            recorded = [bytes(row[0]) for row in self.world.nodes[0].database.rows(digests)]
            assert recorded[: len(lines)] == lines or self.world.nodes[0].branched
            self.model[stream] = recorded

    @rule(stream=side, count=st.integers(1, 8))
    def record(self, stream: int, count: int) -> None:
        self.happen("record", stream, count)

    @rule(whom=which)
    def erase(self, whom: int) -> None:
        self.happen("erase", 0, whom)

    @rule(step=rounds)
    def a_round(self, step: Step) -> None:
        self.happen(*step)

    @rule()
    def a_turn(self) -> None:
        for step in (("courier", 0), ("sync",), ("receiver",), ("sync",), ("courier", 0)):
            self.happen(*step)

    @rule(step=rounds, at=st.integers(0, 16))
    def killed(self, step: Step, at: int) -> None:
        self.happen("killed", step, at)

    @rule(step=rounds, at=st.integers(0, 8), times=st.integers(1, 3), what=st.sampled_from(["", "list", "write"]))
    def failing(self, step: Step, at: int, times: int, what: str) -> None:
        self.happen("failing", step, at, times, what)

    @rule(step=rounds, at=st.integers(0, 14), meanwhile=inner)
    def meanwhile(self, step: Step, at: int, meanwhile: Step) -> None:
        self.happen("meanwhile", step, at, meanwhile)

    @rule(seconds=st.sampled_from([1, 130, 3600, 400000]))
    def later(self, seconds: int) -> None:
        self.happen("later", seconds)

    @rule(home=side, minutes=st.sampled_from([-1500, 0, 0, 3, 3000]))
    def clock(self, home: int, minutes: int) -> None:
        self.happen("clock", home, minutes)

    @rule(process=side)
    def restart(self, process: int) -> None:
        self.happen("restart", process)

    @rule(items=st.integers(1, 4095))
    def deliver(self, items: int) -> None:
        self.happen("deliver", items)

    @rule()
    def sync(self) -> None:
        self.happen("sync")

    @rule(item=which, at=side)
    def lose(self, item: int, at: int) -> None:
        self.happen("lose", item, at)

    @rule(at=side)
    def purge(self, at: int) -> None:
        self.happen("purge", at)

    @rule(item=which, at=side, position=st.integers(0, 2000), how=st.sampled_from(["change", "truncate"]))
    def damage(self, item: int, at: int, position: int, how: str) -> None:
        self.happen(how, item, at, position)

    @rule(item=which, how=st.sampled_from(["repeat", "old_manifest", "old_receipt"]))
    def put_back(self, item: int, how: str) -> None:
        self.happen(how, item)

    @rule(item=which, place=st.integers(0, 8))
    def misplace(self, item: int, place: int) -> None:
        self.happen("misplace", item, place)

    @rule(what=st.integers(0, 15), stream=side, where=st.integers(0, 8))
    def crafted(self, what: int, stream: int, where: int) -> None:
        self.happen("crafted", what, stream, where)

    @rule(what=st.sampled_from(["lead_backup", "lead_restore", "lead_copied", "new_lead"]))
    def the_leads_database(self, what: str) -> None:
        self.happen(what)

    @rule()
    @precondition(lambda self: len(self.world.link.written) > 6)
    def a_node_is_backed_up(self) -> None:
        self.happen("node_backup", 0)

    @rule(back=side)
    @precondition(lambda self: self.world.nodes[0].backups)
    def a_node_is_restored(self, back: int) -> None:
        self.happen("node_restore", 0, back)

    @rule()
    @precondition(lambda self: self.world.nodes[0].restored)
    def a_history_is_accepted(self) -> None:
        self.happen("accept", 0)

    @rule()
    def a_node_signs_with_a_new_key(self) -> None:
        self.happen("rotate", 0)

    @rule(only=side)
    def the_lead_hears_of_its_keys(self, only: int) -> None:
        self.happen("learn_keys", 0, only)

    @invariant()
    def the_lead_holds_a_prefix_and_claims_no_more(self) -> None:
        assert self.world.counters.failed() == {}
        if not self.world.nodes[0].branched:
            for stream, lines in self.model.items():
                digests = f"SELECT digest FROM received_line WHERE stream = '{stream}' ORDER BY seq"
                held = [bytes(row[0]) for row in self.world.lead.rows(digests)]
                assert held == lines[: len(held)]

    def teardown(self) -> None:
        heal(self.world)
        check_end(self.world)
        assert self.world.counters.failed() == {}
        assert not self.world.counters.conflicted


def machine(lead: Database, node: Database) -> Callable[[], Exchange]:
    return lambda: Exchange(lead, node)


def explore(lead: Database, node: Database, examples: int) -> None:
    quiet = settings(
        max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
    )
    with installed(hashes=False):
        run_state_machine_as_test(machine(lead, node), settings=quiet)


@pytest.mark.slow
def test_any_order_ends_with_the_nodes_lines_on_sqlite() -> None:
    lead, node = Database(open_engine("sqlite://"), LEAD_TABLES), Database(open_engine("sqlite://"), NODE_TABLES)
    explore(lead_owned(lead), node, 120)
    lead.engine.dispose()
    node.engine.dispose()


@pytest.mark.slow
def test_any_order_ends_with_the_nodes_lines_on_postgresql(postgres: int, postgres_url: str) -> None:
    lead = Database(open_engine(new_database(postgres)), LEAD_TABLES)
    node = Database(open_engine(postgres_url), NODE_TABLES)
    explore(lead_owned(lead), node, 12)
    lead.engine.dispose()
    node.engine.dispose()
