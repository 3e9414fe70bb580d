"""What somebody hostile puts on a carrier: nothing is applied, each thing is counted by its reason, none is logged.

What the carrier itself turns away is counted there (`polku_carrier_refused_total`), the rest by the receiver; which of
them it is differs by carrier, and stands in the table.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256

import pytest
import zstandard
from prometheus_client import REGISTRY
from sqlalchemy import func, select

from shared.journal import crypto
from shared.journal.amqpcarrier import AmqpCarrier
from shared.journal.carrier import MANIFEST, Place
from shared.journal.carry_tables import received_line
from shared.journal.httpcarrier import HttpCarrier, HttpFailed
from shared.journal.lines import chain_start
from shared.journal.segment import MAGIC, MAX_INFLATED, Header, build
from shared.journal.statements import Manifest, write_manifest
from shared.testing.wait import until
from tests.carriers.kit import BOX, NODE_KEY, OTHER_KEY, Ends
from tests.carriers.test_exchange import settle, world_over
from tests.journal.exchange_kit import OTHER, START, STREAM, World, append, held, kept, make_key, some_items

PLACE = Place(1, 1, 3)
STRANGER = make_key("signing")


@pytest.fixture
def world(ends: Ends) -> World:
    """A node and a lead that also admits `OTHER`, which has a key of its own."""

    class Both(World):
        @property
        def admitted(self) -> dict[str, dict[str, bytes]]:
            found = {}
            for stream, key in ((STREAM, NODE_KEY), (OTHER, OTHER_KEY)):
                assert key.public is not None
                found[stream] = {key.id: key.public}
            return found

    ends.directory.keys[OTHER] = OTHER_KEY
    made = world_over(ends)
    made.__class__ = Both
    return made


def put(ends: Ends, name: str, data: bytes) -> str | None:
    """What a node can do at the worst: bytes of its choice under a name of its channel. The status if it is refused."""
    try:
        if isinstance(ends.node, AmqpCarrier):
            ends.node._out.publish(BOX, "", f"{STREAM}/{name}", data)
        else:
            ends.node.write(STREAM, name, data)
    except HttpFailed as error:
        return str(error.status)
    return None


def good(world: World, *, signer: crypto.Key = NODE_KEY, stream: str = STREAM, sealed_to: bytes | None = None) -> bytes:
    to = sealed_to or world.lead_receiving.public
    assert to is not None
    items = some_items(1, 3, stream)
    return build(
        items, stream=stream, epoch=1, first=1, before=chain_start(stream), signer=signer, sealed_to=to, time=START
    ).data


def raw(world: World, compressed: bytes, last: int = 3) -> bytes:
    """A segment rightly signed by the node around any payload."""
    to = world.lead_receiving
    assert to.public is not None
    start = chain_start(STREAM)
    header = Header(STREAM, 1, 1, last, start, start, NODE_KEY.id, to.id, START).encode()
    payload = crypto.seal(to.public, header, compressed)
    digest = sha256(payload).digest()
    signature = crypto.sign(NODE_KEY.secret(), crypto.SEGMENT_CONTEXT, header + digest)
    return b"".join((MAGIC, len(header).to_bytes(2, "big"), header, digest, signature, payload))


def changed(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def signature_at(data: bytes) -> int:
    return len(MAGIC) + 2 + int.from_bytes(data[7:9], "big") + 32


HOSTILE: dict[str, tuple[str, Callable[[World], bytes]]] = {
    "forged": ("unknown_key", lambda world: good(world, signer=STRANGER)),
    "signed with another partner's key": ("unknown_key", lambda world: good(world, signer=OTHER_KEY)),
    "foreign": ("wrong_place", lambda world: good(world, signer=OTHER_KEY, stream=OTHER)),
    "of a stream nobody knows": ("unknown_stream", lambda world: good(world, stream="nobody-0a0b0c0d/lahde")),
    "truncated": ("truncated", lambda world: good(world)[:60]),
    "cut in its payload": ("payload_mismatch", lambda world: good(world)[:-20]),
    "changed in its payload": ("payload_mismatch", lambda world: changed(good(world), -5)),
    "changed in its signature": ("bad_signature", lambda world: changed(data := good(world), signature_at(data))),
    "sealed to another": ("wrong_recipient", lambda world: good(world, sealed_to=make_key("receiving").public)),
    "inflated": ("inflated", lambda world: raw(world, zstandard.compress(b"\0" * (MAX_INFLATED + 1)))),
    "no zstd": ("bad_compression", lambda world: raw(world, b"not compressed at all")),
    "of other lines": ("bad_lines", lambda world: raw(world, zstandard.compress(b"{}\n{}\n{}"))),
    "no segment": ("bad_magic", lambda world: b"Matti Meikalainen" * 20),
    "empty": ("truncated", lambda world: b""),
}


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def counted(reason: str) -> float:
    return REGISTRY.get_sample_value("polku_receiver_refused_total", {"reason": reason}) or 0.0


def turned_away(reason: str) -> float:
    return REGISTRY.get_sample_value("polku_carrier_refused_total", {"reason": reason}) or 0.0


def duplicates() -> float:
    return REGISTRY.get_sample_value("polku_receiver_segments_total", {"outcome": "duplicate"}) or 0.0


def applied(world: World) -> int:
    with world.lead.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(received_line)).scalar_one())


def look(world: World, until_: Callable[[], bool]) -> None:
    """Rounds of the receiver until something is so."""
    for _ in range(400):
        world.receiver()
        world.later(1)
        if until_():
            return
    raise AssertionError("the receiver did not see it")


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_segment_is_not_applied_but_counted(
    ends: Ends, world: World, logged: pytest.LogCaptureFixture, what: str
) -> None:
    reason, make = HOSTILE[what]
    data, before = make(world), counted(reason)
    assert put(ends, PLACE.name, data) is None
    look(world, lambda: counted(reason) == before + 1)
    world.receiver()
    assert (applied(world), counted(reason)) == (0, before + 1)
    assert_not_logged(logged, data)


def assert_not_logged(logged: pytest.LogCaptureFixture, data: bytes) -> None:
    text = "".join(f"{record.getMessage()} {record.__dict__}" for record in logged.records)
    for piece in (data[-40:], data[:40], data[100:140]):
        if len(piece) >= 8:
            assert piece.hex() not in text
            assert piece.decode("latin-1") not in text
            assert repr(piece)[2:-1] not in text


def test_a_segment_whose_header_says_another_range_is_counted(
    ends: Ends, world: World, logged: pytest.LogCaptureFixture
) -> None:
    before, data = counted("wrong_place"), good(world)
    put(ends, Place(1, 1, 4).name, data)
    look(world, lambda: counted("wrong_place") == before + 1)
    assert applied(world) == 0
    assert_not_logged(logged, data)


def test_seventeen_mebibytes_are_refused_and_counted(
    ends: Ends, world: World, logged: pytest.LogCaptureFixture
) -> None:
    data = b"Matti Meikalainen" * (1024 * 1024)
    before, before_reading = turned_away("oversized"), counted("oversized")
    refused = put(ends, PLACE.name, data)
    if isinstance(ends.node, HttpCarrier):
        assert refused is not None
        until(lambda: turned_away("oversized") == before + 1)
    else:
        look(world, lambda: counted("oversized") == before_reading + 1)
    assert applied(world) == 0
    assert_not_logged(logged, data)


def test_a_replayed_segment_changes_nothing_and_is_counted(
    ends: Ends, world: World, logged: pytest.LogCaptureFixture
) -> None:
    append(world.node, 3)
    settle(world)
    old = good(world)
    append(world.node, 3)
    settle(world)
    whole, before = held(world.lead), duplicates()
    for number in range(1, 4):
        put(ends, PLACE.name, old)
        put(ends, Place(1, 4, 6).name, old)
        look(world, lambda number=number: duplicates() >= before + number)
    assert held(world.lead) == whole == kept(world.node)
    assert_not_logged(logged, old)


def test_a_replayed_manifest_hides_nothing(ends: Ends, world: World) -> None:
    old = write_manifest(Manifest(STREAM, 1, 0, chain_start(STREAM), START, "0" * 32), NODE_KEY)
    append(world.node, 6)
    world.courier()
    look(world, lambda: applied(world) == 6)
    put(ends, MANIFEST, old)
    for _ in range(5):
        world.receiver()
    world.later(121)
    settle(world)
    assert held(world.lead) == kept(world.node)


@pytest.mark.parametrize("what", ["forged", "foreign", "garbage", "of the future"])
def test_a_hostile_manifest_is_counted_and_says_nothing(
    ends: Ends, world: World, logged: pytest.LogCaptureFixture, what: str
) -> None:
    made = Manifest(STREAM, 1, 99, b"\1" * 32, START, "1" * 32)
    other = Manifest(OTHER, 1, 99, b"\1" * 32, START, "1" * 32)
    future = Manifest(STREAM, 1, 99, b"\1" * 32, START + timedelta(days=3), "1" * 32)
    reason, data = {
        "forged": ("unknown_key", write_manifest(made, STRANGER)),
        "foreign": ("unknown_key", write_manifest(other, OTHER_KEY)),
        "garbage": ("bad_statement", b"\n\n\n"),
        "of the future": ("from_the_future", write_manifest(future, NODE_KEY)),
    }[what]
    before = counted(reason)
    put(ends, MANIFEST, data)
    look(world, lambda: counted(reason) == before + 1)
    assert_not_logged(logged, data)
    append(world.node, 6)
    settle(world)
    assert held(world.lead) == kept(world.node)


def test_a_stream_goes_on_after_everything_hostile(ends: Ends, world: World) -> None:
    append(world.node, 3)
    for number, (_, make) in enumerate(HOSTILE.values()):
        put(ends, Place(1, 10 + number, 10 + number).name, make(world))
    settle(world)
    assert held(world.lead) == kept(world.node)
