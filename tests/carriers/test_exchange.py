"""A courier and a receiver over every carrier, over one that loses everything, and over one that is exchanged."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from services.node.uplink import LeadCarrier
from shared.journal import httpcarrier
from shared.journal.amqpcarrier import PREFETCH, AmqpCarrier
from shared.journal.carrier import MANIFEST, POST, RECEIPT, Place, channel_to
from shared.journal.carry_tables import received_conflict, received_refused
from shared.journal.filecarrier import FileCarrier
from shared.testing.wait import until
from tests.carriers.conftest import ends_of
from tests.carriers.kit import NODE_KEY, Ends
from tests.journal.exchange_kit import STREAM, World, append, held, kept


def world_over(ends: Ends) -> World:
    return World(carrier=ends.node, lead_end=ends.lead, node_key=NODE_KEY)


def settle(world: World, rounds: int = 200) -> int:
    """Rounds of both, a second apart, until the lead has all that the node has, and the node a receipt; how many."""
    for number in range(1, rounds):
        world.courier()
        world.receiver()
        world.later(1)
        sent = world.courier()[STREAM]
        # A receipt alone says nothing of a lead that has just lost what it had.
        if sent.receipt == sent.head and not sent.failed and held(world.lead) == kept(world.node):
            return number
    raise AssertionError("it did not settle")


def assert_whole(world: World) -> None:
    assert held(world.lead) == kept(world.node)
    with world.lead.connect() as connection:
        for table in (received_conflict, received_refused):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0


def test_all_lines_arrive_once(ends: Ends) -> None:
    world = world_over(ends)
    append(world.node, 100)
    settle(world)
    append(world.node, 7)
    settle(world)
    assert_whole(world)


def test_both_ends_may_be_restarted_between_any_two_rounds(ends: Ends) -> None:
    world = world_over(ends)
    for _ in range(8):
        append(world.node, 9)
        world.courier()
        world.restart()
        world.receiver()
        world.restart()
        if isinstance(ends.node, AmqpCarrier) and isinstance(ends.lead, AmqpCarrier):
            ends.node.close()
            ends.lead.close()
    settle(world)
    assert_whole(world)


def test_a_receiver_that_holds_nothing_is_sent_everything_again(ends: Ends) -> None:
    from tests.journal.exchange_kit import new_engine

    world = world_over(ends)
    append(world.node, 20)
    settle(world)
    world.lead = new_engine()
    world.restart()
    world.later(121)
    settle(world)
    assert_whole(world)


def test_a_listing_that_is_too_long_stops_no_writer_and_is_never_read_in_part(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httpcarrier, "MAX_LISTING", 200)  # two segments
    with ends_of("https", request, tmp_path) as ends:
        world, back = world_over(ends), channel_to(*STREAM.split("/"))
        for number in range(1, 8):  # the lead's receiver is away, its portal is not
            append(world.node, 1)
            assert not world.courier()[STREAM].failed
            ends.lead.write(back, Place(1, number, number).name, b"x")
        settle(world, 10)
        assert_whole(world)
        assert ends.node.list_segments(STREAM) == []
        with pytest.raises(OSError, match="too long"):
            ends.node.list_segments(back)


@pytest.fixture
def all_ways(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[World, dict[str, Ends]]]:
    """One lead that is reached by all carriers at once."""
    with ends_of("https", request, tmp_path) as https, ends_of("amqp", request, tmp_path) as amqp:
        assert https.inbox is not None
        assert isinstance(amqp.lead, AmqpCarrier)
        folder = Ends("file", FileCarrier(https.inbox), FileCarrier(https.inbox))
        lead = LeadCarrier(FileCarrier(https.inbox), amqp.lead)
        world = World(carrier=folder.node, lead_end=lead, node_key=NODE_KEY)
        yield world, {"file": folder, "https": https, "amqp": amqp}


def change(world: World, ends: Ends) -> None:
    """Another uplink in home.toml: a new courier, the same tables."""
    world.carrier = ends.node
    world._courier = None


def test_changing_the_carrier_in_mid_stream_loses_and_repeats_nothing(
    all_ways: tuple[World, dict[str, Ends]],
) -> None:
    world, ways = all_ways
    for way in ("file", "https", "amqp", "https", "file", "amqp", "file"):
        change(world, ways[way])
        append(world.node, 11)
        settle(world)
    assert_whole(world)


def test_what_was_under_way_when_the_carrier_was_changed_is_sent_by_the_new_one(
    all_ways: tuple[World, dict[str, Ends]],
) -> None:
    world, ways = all_ways
    for way in ("file", "amqp", "https", "amqp", "file", "https"):
        change(world, ways[way])
        append(world.node, 11)
        world.courier()  # and nobody at the lead looks
    settle(world)
    assert_whole(world)


@pytest.mark.parametrize("before", [[], ["file"]])
def test_more_than_a_box_holds_may_come_before_the_manifest_by_which_the_lead_knows_where_a_node_speaks(
    all_ways: tuple[World, dict[str, Ends]], before: list[str]
) -> None:
    world, ways = all_ways
    for way in before:
        change(world, ways[way])
        append(world.node, 11)
        settle(world)
    change(world, ways["amqp"])
    append(world.node, 3 * (PREFETCH + 5))  # three lines a segment
    settle(world)
    assert_whole(world)


def test_a_broker_that_is_away_holds_up_nobody_who_comes_by_the_folder(
    all_ways: tuple[World, dict[str, Ends]], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, ways = all_ways
    lead = ways["amqp"].lead
    assert isinstance(lead, AmqpCarrier)

    def away(*_: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(lead, "_take", away)
    append(world.node, 11)
    settle(world)
    assert_whole(world)


def test_only_the_courier_is_told_that_a_node_speaks_by_another_carrier(
    all_ways: tuple[World, dict[str, Ends]],
) -> None:
    world, ways = all_ways
    assert world.lead_end is not None
    lead, channel = world.lead_end, channel_to(*STREAM.split("/"))
    change(world, ways["amqp"])
    append(world.node, 1)
    world.courier()
    until(lambda: lead.read(STREAM, MANIFEST, 4096), 10)
    assert lead.read(channel, POST, 1) is None
    with pytest.raises(OSError, match="another carrier"):
        lead.read(channel, RECEIPT, 1)
    assert lead.read(channel, RECEIPT, 1) is None
