"""What is true of the broker only: rights, confirms, acks, and a broker that forgets everything."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import amqp
import pytest
from prometheus_client import REGISTRY

from shared.journal import brokerlink
from shared.journal.amqpcarrier import PREFETCH, WINDOW, AmqpCarrier, _In, _Out, definitions, down, up
from shared.journal.brokerlink import BrokerFailed
from shared.journal.carrier import EXPELLED, JOIN, MANIFEST, RECEIPT, Place, channel_to
from shared.journal.segment import MAX_SEGMENT
from shared.journal.sending import MANIFEST_EVERY
from shared.testing.broker import Broker
from shared.testing.wait import until
from tests.carriers.kit import BOX, OTHER_BOX, Ends, as_broker, broker_ends
from tests.carriers.test_exchange import assert_whole, settle, world_over
from tests.journal.exchange_kit import OTHER, STREAM, append, held, kept

PLACE = Place(1, 1, 3)

NO_LEADER = (
    ", ra:start_server(quorum_queues, Name, Id, "
    "{module, rabbit_fifo, #{name => Name, queue_resource => amqqueue:get_name(Q)}}, [Id])"
)
"""What RabbitMQ 3.10 does at its start with a queue that it finds in no directory: a server that nobody elects."""


@pytest.fixture
def by_broker(rabbitmq: Broker) -> Iterator[Ends]:
    with broker_ends(rabbitmq) as made:
        yield made


def depth(rabbitmq: Broker, ends: Ends, queue: str) -> int:
    return rabbitmq.depths(ends.url)[queue][0]


def carriers(ends: Ends) -> tuple[AmqpCarrier, AmqpCarrier]:
    assert isinstance(ends.node, AmqpCarrier)
    assert isinstance(ends.lead, AmqpCarrier)
    return ends.node, ends.lead


def refused(reason: str) -> float:
    return REGISTRY.get_sample_value("polku_carrier_refused_total", {"reason": reason}) or 0.0


@pytest.mark.parametrize(
    "forbidden",
    [
        lambda channel: channel.basic_consume(f"{BOX}.up"),
        lambda channel: channel.basic_consume(f"{OTHER_BOX}.down"),
        lambda channel: channel.basic_get(f"{OTHER_BOX}.up"),
        lambda channel: channel.queue_declare("mine"),
        lambda channel: channel.exchange_declare("mine", "fanout"),
        lambda channel: channel.queue_delete(f"{BOX}.down"),
        lambda channel: channel.queue_purge(f"{BOX}.up"),
        lambda channel: channel.queue_bind(f"{BOX}.down", OTHER_BOX),
        lambda channel: _publish(channel, OTHER_BOX),
        lambda channel: _publish(channel, ""),
        lambda channel: _publish(channel, "amq.fanout"),
    ],
)
def test_a_partner_may_write_its_exchange_and_read_its_queue_and_nothing_else(by_broker: Ends, forbidden: Any) -> None:
    node, _ = carriers(by_broker)
    connection = node._out._broker.connect(0)
    with pytest.raises(amqp.exceptions.AccessRefused):
        forbidden(connection.channel())
    connection.collect()


def _publish(channel: amqp.Channel, exchange: str) -> None:
    channel.confirm_select()
    channel.basic_publish(amqp.Message(b"x"), exchange=exchange, routing_key=f"{OTHER_BOX}.up")
    channel.connection.drain_events(timeout=10)


@pytest.mark.parametrize("queue", [up(BOX), down(BOX)])
@pytest.mark.parametrize(
    "more",
    [
        {"x-single-active-consumer": False},
        {"x-expires": 60_000},
        {"x-message-ttl": 60_000},
        {"x-max-length": 9},
        {"x-max-length-bytes": 9},
        {"x-dead-letter-exchange": "amq.fanout"},
        {"x-delivery-limit": 3},
    ],
    ids=lambda more: next(iter(more)),
)
def test_queues_are_quorum_queues_with_one_reader_and_no_limit_or_other_way_out(
    by_broker: Ends, queue: str, more: dict[str, Any]
) -> None:
    """The broker refuses to declare a queue again with any argument that it was not made with."""
    _, lead = carriers(by_broker)
    connection = lead._in._broker.connect(0)
    as_made = {"x-queue-type": "quorum", "x-single-active-consumer": True}
    connection.channel().queue_declare(queue, durable=True, auto_delete=False, arguments=as_made)
    with pytest.raises(amqp.exceptions.PreconditionFailed):
        connection.channel().queue_declare(queue, durable=True, auto_delete=False, arguments=as_made | more)
    connection.collect()


def test_what_is_decided_is_acked_and_what_is_not_comes_again(by_broker: Ends, rabbitmq: Broker) -> None:
    node, lead = carriers(by_broker)
    for first in (1, 4):
        node.write(STREAM, Place(1, first, first + 2).name, b"segment")
    first, _ = by_broker.listed(lead, STREAM, 2)
    lead.decided(STREAM, first)
    until(lambda: depth(rabbitmq, by_broker, f"{BOX}.up") == 1)
    lead.close()
    assert [found.place.first for found in by_broker.listed(lead, STREAM, 1)] == [4]


def test_a_statement_stays_until_a_newer_one_comes(by_broker: Ends, rabbitmq: Broker) -> None:
    node, lead = carriers(by_broker)
    for number in range(3):
        node.write(STREAM, MANIFEST, b"%d" % number)
    by_broker.arrives(STREAM, MANIFEST, b"2")
    until(lambda: depth(rabbitmq, by_broker, f"{BOX}.up") == 1)
    lead.close()
    by_broker.arrives(STREAM, MANIFEST, b"2")


def test_what_the_broker_cannot_route_is_a_doubt(by_broker: Ends) -> None:
    node, lead = carriers(by_broker)
    lead._in.channel.queue_delete(f"{BOX}.up")
    with pytest.raises(BrokerFailed):
        node.write(STREAM, MANIFEST, b"x")
    assert node._out.fileno() is None


def test_a_broker_that_refuses_is_a_doubt(by_broker: Ends) -> None:
    node, lead = carriers(by_broker)
    lead._in.channel.exchange_delete(BOX)
    with pytest.raises(BrokerFailed):
        node.write(STREAM, MANIFEST, b"x")


@pytest.mark.parametrize(
    "answers", [[(1, False, True)], [(2, False, False)], [(3, False, True)], [(2, False, True), (2, False, True)]]
)
def test_only_the_answer_to_this_very_message_confirms_it(
    by_broker: Ends, monkeypatch: pytest.MonkeyPatch, answers: list[tuple[int, bool, bool]]
) -> None:
    node, _ = carriers(by_broker)
    node.write(STREAM, MANIFEST, b"one")
    real = node._out.channel.basic_publish

    def answered(*given: Any, **named: Any) -> None:
        real(*given, **named)
        node._out._answers[:] = answers

    monkeypatch.setattr(node._out.channel, "basic_publish", answered)
    with pytest.raises(BrokerFailed, match="did not take"):
        node.write(STREAM, MANIFEST, b"two")
    assert node._out.fileno() is None


@pytest.mark.parametrize(
    ("answers", "sound", "left"),
    [
        ([(2, False, True), (1, False, True)], True, {3}),
        ([(2, True, True)], True, {3}),
        ([(3, True, True)], True, set()),
        ([(4, True, True)], False, None),
        ([(3, True, True), (2, False, True)], False, None),
        ([(1, False, True), (3, True, False)], False, None),
    ],
)
def test_confirms_of_several_messages_are_matched_by_tag(
    answers: list[tuple[int, bool, bool]], sound: bool, left: set[int] | None
) -> None:
    out = _Out(as_broker("amqp://user:secret@127.0.0.1/v"))
    out._open, out._answers, out._returned = {1, 2, 3}, answers, False
    assert out._take_answers() is sound
    assert left is None or out._open == left


def test_a_manifest_waits_for_all_segments_before_it_and_raises_if_one_of_them_was_refused(by_broker: Ends) -> None:
    node, _ = carriers(by_broker)
    for first in (1, 2):
        node.write(STREAM, Place(1, first, first).name, b"segment")
    node.write(STREAM, MANIFEST, b"one")
    assert node._out._open == set()
    node.write(STREAM, Place(1, 3, 3).name, b"segment")
    node._out._answers[:] = [(4, False, False)]
    with pytest.raises(BrokerFailed, match="did not take"):
        node.write(STREAM, MANIFEST, b"two")
    assert node._out.fileno() is None


def test_no_more_than_a_window_of_segments_is_unconfirmed(by_broker: Ends) -> None:
    node, _ = carriers(by_broker)
    for first in range(1, 2 * WINDOW):
        node.write(STREAM, Place(1, first, first).name, b"segment")
        assert len(node._out._open) <= WINDOW


def test_a_confirm_that_does_not_come_in_time_is_a_doubt(by_broker: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    node, _ = carriers(by_broker)
    node.write(STREAM, MANIFEST, b"one")
    monkeypatch.setattr("shared.journal.brokerlink.SECONDS", 0.0)
    with pytest.raises(BrokerFailed):
        node.write(STREAM, MANIFEST, b"two")


def test_a_lost_connection_is_said_once_even_if_it_was_idle(by_broker: Ends, rabbitmq: Broker) -> None:
    node, _ = carriers(by_broker)
    node.read(STREAM, RECEIPT, 100)
    rabbitmq.restart()

    def lost() -> bool:
        try:
            node.read(STREAM, RECEIPT, 100)
        except BrokerFailed:
            return True
        return False

    until(lost)
    until(lambda: not lost())


def test_a_broker_that_forgot_everything_heals_without_anybodys_help(by_broker: Ends, rabbitmq: Broker) -> None:
    world = world_over(by_broker)
    append(world.node, 20)
    settle(world)
    append(world.node, 40)
    world.courier()  # confirmed, and then gone with the vhost; its users and their rights are there again
    wipe(rabbitmq, by_broker)
    before = world.now

    def healed() -> bool:
        world.courier()
        world.receiver()
        world.later(1)
        return held(world.lead) == kept(world.node)

    until(healed, 60)
    assert world.now - before < MANIFEST_EVERY
    assert_whole(world)


@pytest.mark.parametrize(("queue", "came_back"), [(up(BOX), ""), (down(BOX), NO_LEADER)])
def test_a_queue_with_nothing_behind_its_name_is_made_anew(
    by_broker: Ends, rabbitmq: Broker, monkeypatch: pytest.MonkeyPatch, queue: str, came_back: str
) -> None:
    monkeypatch.setattr(brokerlink, "SECONDS", 1.0)
    world = world_over(by_broker)
    append(world.node, 20)
    settle(world)
    name = f'rabbit_misc:r(<<"{by_broker.url.rsplit("/", 1)[1]}">>, queue, <<"{queue}">>)'
    rabbitmq.erlang(
        f"{{ok, Q}} = rabbit_amqqueue:lookup({name}), {{Name, _}} = amqqueue:get_pid(Q), Id = {{Name, node()}}, "
        f"ra:force_delete_server(quorum_queues, Id){came_back}."
    )
    append(world.node, 40)
    for carrier in carriers(by_broker):
        carrier.close()

    def healed() -> bool:
        world.courier()
        world.receiver()
        world.later(5)
        return held(world.lead) == kept(world.node)

    until(healed, 60)
    assert_whole(world)


def wipe(rabbitmq: Broker, ends: Ends) -> None:
    """Delete the vhost with all that is in it, and make it anew as an operator does."""
    node, _ = carriers(ends)
    user, vhost = urlsplit(node._out._broker.url).username, ends.url.rsplit("/", 1)[1]
    rights = definitions(BOX, vhost, "-")["permissions"][0]
    rabbitmq.drop_vhost(ends.url)
    rabbitmq.new_vhost(vhost)
    patterns = ", ".join(
        '<<"' + rights[right].replace("\\", "\\\\") + '">>' for right in ("configure", "write", "read")
    )
    rabbitmq.erlang(
        f'rabbit_auth_backend_internal:set_permissions(<<"{user}">>, <<"{vhost}">>, {patterns}, <<"tests">>).'
    )


def test_items_for_another_partners_channel_are_turned_away(by_broker: Ends, rabbitmq: Broker) -> None:
    node, lead = carriers(by_broker)
    before = refused("foreign")
    for item in (
        f"{OTHER}/{MANIFEST}",
        f"{OTHER}/{PLACE.name}",
        f"{STREAM}/{RECEIPT}",
        f"lead/lahde/pori-0a1b2c3d/{MANIFEST}",
    ):
        node._out.publish(BOX, "", item, b"x")
    until(lambda: lead.list_segments(STREAM) == [] and refused("foreign") == before + 4)
    assert lead.read(OTHER, MANIFEST, 100) is None
    assert depth(rabbitmq, by_broker, f"{BOX}.up") == 0


@pytest.mark.parametrize("item", ["", "x", f"{STREAM}/secret", f"{STREAM}/../{MANIFEST}", "a/b/c/d/e/manifest"])
def test_what_is_no_item_is_turned_away(by_broker: Ends, rabbitmq: Broker, item: str) -> None:
    node, lead = carriers(by_broker)
    before = refused("name")
    node._out.publish(BOX, "", item, b"x")
    until(lambda: lead.list_segments(STREAM) == [] and refused("name") == before + 1)
    until(lambda: depth(rabbitmq, by_broker, f"{BOX}.up") == 0)


@pytest.mark.parametrize("where", ["message_id", "content_type", "reply_to", "routing_key"])
def test_texts_that_are_no_utf_8_stop_nobody(by_broker: Ends, rabbitmq: Broker, where: str) -> None:
    node, _ = carriers(by_broker)
    node.write(STREAM, MANIFEST, b"before")
    message, mark = amqp.Message(b"x", message_id=f"{STREAM}/{PLACE.name}"), "MARKMARK"
    if where != "routing_key":
        message.properties[where] = mark
    raw = node._out
    assert raw.connection is not None
    transport = raw.connection.transport
    send = transport._write
    transport._write = lambda data: send(bytes(data).replace(mark.encode(), b"\xff" * len(mark)))
    raw.channel.basic_publish(message, exchange=BOX, routing_key=mark if where == "routing_key" else "")
    raw.connection.drain_events(timeout=10)
    raw.drop()
    node.write(STREAM, MANIFEST, b"after")
    by_broker.arrives(STREAM, MANIFEST, b"after")


def test_an_overlong_message_is_cut_to_where_it_is_seen_to_be_too_long(by_broker: Ends) -> None:
    node, lead = carriers(by_broker)
    node._out.publish(BOX, "", f"{STREAM}/{PLACE.name}", b"x" * 17 * 1024 * 1024)
    (found,) = by_broker.listed(lead, STREAM, 1)
    assert found.size == MAX_SEGMENT + 1


def test_a_join_gets_through_a_box_full_of_what_nobody_can_decide(by_broker: Ends) -> None:
    node, lead = carriers(by_broker)
    lead.serve({OTHER: OTHER_BOX}, {BOX})  # the partner is invited, no node of its is admitted
    for first in range(1, 2 * PREFETCH):
        node.write(STREAM, Place(1, first, first).name, b"segment")
    node.write(STREAM, JOIN, b"sealed")
    until(lambda: lead.read_joins(100) == [b"sealed"])


def test_no_password_is_in_what_is_said_of_a_broker() -> None:
    assert "geheim" not in repr(as_broker("amqp://user:geheim@127.0.0.1/v"))


def test_a_node_that_was_expelled_is_still_reached_with_the_leads_last_word(by_broker: Ends) -> None:
    assert isinstance(by_broker.lead, AmqpCarrier)
    channel = channel_to(*STREAM.split("/"))
    by_broker.lead.serve({}, {BOX})  # nobody is a member any more
    with pytest.raises(BrokerFailed):
        by_broker.lead.write(channel, EXPELLED, b"for members alone")
    by_broker.lead.tell(BOX, channel, EXPELLED, b"the last word")
    by_broker.arrives(channel, EXPELLED, b"the last word")


def test_a_heartbeat_of_an_idle_broker_is_no_message_to_wait_for(
    rabbitmq: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_In, "heartbeat", 2)  # the broker sends one every second
    monkeypatch.setattr(brokerlink, "SECONDS", 3.0)
    with broker_ends(rabbitmq) as ends:
        _, lead = carriers(ends)
        assert lead.read(STREAM, MANIFEST, 9) is None
        while lead._in.readable():
            assert lead.read(STREAM, MANIFEST, 9) is None
        until(lead._in.readable, 5)
        assert lead.read(STREAM, MANIFEST, 9) is None
        assert lead._in.number == 1, "the connection is the first one still"
