"""Items that must not be taken: a stranger's, and those of a node whose memory or software is out of order.

What such a node signs has a true header (stream, range, chains), so that it claims nothing that is not so.
"""

import zstandard

from shared.journal import crypto
from shared.journal.carrier import MANIFEST, Place
from shared.journal.lines import chain_start
from shared.journal.segment import MAGIC, MAX_SEGMENT, Header, Item, build
from shared.journal.statements import Manifest, write_manifest
from tests.simulator.world import Node, World

_TOO_LARGE = b"POLKU1\n" + bytes(MAX_SEGMENT)
_BOMB = zstandard.compress(b"\n" * 9_000_000)

CRAFTS = (
    "stranger",
    "wrong recipient",
    "unknown stream",
    "oversized",
    "no segment",
    "long header",
    "no header",
    "sealed badly",
    "packed badly",
    "bomb",
    "other lines",
    "no lines",
    "bad signature",
    "other payload",
    "strange manifest",
    "foreign manifest",
    "other epoch",
)


def craft(world: World, what: str, which: int, where: int) -> bool:
    """Put one of `CRAFTS` at the lead's end; False if there is nothing yet to make it of."""
    node, stream = world.stream_at(which)
    link = world.link
    if what in ("strange manifest", "foreign manifest"):
        signer = world.keys.stranger if what == "strange manifest" else node.key
        _, other = world.stream_at(which + 1)
        claimed = stream if what == "strange manifest" else other
        manifest = Manifest(claimed, 1, 0, chain_start(claimed), world.now, f"{where:032x}")
        link.put(link.far, stream, MANIFEST, write_manifest(manifest, signer))
        return True
    if what in ("oversized", "no segment", "long header", "no header"):
        data = {
            "oversized": _TOO_LARGE,
            "no segment": b"GARBAGE" * 40,
            "long header": MAGIC + b"\xff\xff" + bytes(200),
            "no header": MAGIC + b"\x00\x20" + b"x" * 200,
        }[what]
        link.put(link.far, stream, Place(1, 1 + where, 3 + where).name, data)
        return True
    made = _segment(world, node, stream, what, where)
    if made is None:
        return False
    place, data = made
    link.put(link.far, stream, place.name, data)
    return True


def _segment(world: World, node: Node, stream: str, what: str, where: int) -> tuple[Place, bytes] | None:
    """A segment of lines that the node has, spoilt as `what` says."""
    rows = node.database.rows(
        f"SELECT seq, digest, line FROM journal_line WHERE stream = '{stream}' AND epoch = 1 ORDER BY seq"
    )
    if not rows:
        return None
    start = where % len(rows)
    chosen = rows[start : start + world.setting.max_lines]
    items = [Item(bytes(digest), None if line is None else bytes(line)) for _, digest, line in chosen]
    before = _chain_before(stream, rows, start)
    signer = world.keys.stranger if what == "stranger" else node.key
    recipient = world.keys.other_receiving if what == "wrong recipient" else world.keys.lead_receiving
    assert recipient.public is not None
    built = build(
        items,
        stream="other-00000009/programme-0" if what == "unknown stream" else stream,
        epoch=2 if what == "other epoch" else 1,
        first=start + 1,
        before=before,
        signer=signer,
        sealed_to=recipient.public,
        time=world.now + node.skew,
    )
    header = built.header
    place = Place(1, header.first, header.last)
    if what == "other epoch":
        node.forked = True  # whoever accepts it makes the stream differ from the node's
        return Place(2, header.first, header.last), built.data
    if what in ("stranger", "wrong recipient", "unknown stream"):
        return place, built.data
    if what == "bad signature":
        end = len(MAGIC) + 2 + len(header.encode()) + 40
        return place, built.data[:end] + bytes([built.data[end] ^ 1]) + built.data[end + 1 :]
    if what == "other payload":
        return place, built.data[:-1] + bytes([built.data[-1] ^ 1])
    return place, _assembled(world, header, what, items, node)


def _assembled(world: World, header: Header, what: str, items: list[Item], node: Node) -> bytes:
    """A rightly signed segment with this header, but another payload."""
    encoded, public = header.encode(), world.keys.lead_receiving.public
    assert public is not None
    if what == "sealed badly":
        payload = crypto.seal(public, b"another header", b"anything")
    else:
        plain = {
            "packed badly": b"not compressed",
            "bomb": _BOMB,
            "no lines": zstandard.compress(b"\n".join([b"{}"] * len(items))),
            "other lines": zstandard.compress(b"\n".join([b"#" + b"0" * 64] * len(items))),
        }[what]
        payload = crypto.seal(public, encoded, plain)
    digest = crypto.sha256(payload).digest()
    signature = crypto.sign(node.key.secret(), crypto.SEGMENT_CONTEXT, encoded + digest)
    return b"".join((MAGIC, len(encoded).to_bytes(2, "big"), encoded, digest, signature, payload))


def _chain_before(stream: str, rows: list[tuple[object, ...]], count: int) -> bytes:
    from shared.journal.lines import chain_next

    chain = chain_start(stream)
    for _, digest, _ in rows[:count]:
        chain = chain_next(chain, bytes(digest))  # type: ignore[call-overload]
    return chain
