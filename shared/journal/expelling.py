"""A lead's last word to a node that it has expelled: JSON {stream, time, key}, a line feed, its signature in hex.

It is the item `expelled` of the channel to the node. The lead's stream goes to members alone, so the node cannot learn
it from there. The signature is the lead's, over "polku-expelled-1" ‖ JSON: nobody on the way can silence a node.
"""

from collections.abc import Mapping

from shared.journal import crypto
from shared.journal.segment import HEX32, decode_object, encode_object, text
from shared.ops.clock import parse_wire_time

CONTEXT = b"polku-expelled-1"
MAX_EXPELLED = 1024


def write_expelled(stream: str, at: str, signer: crypto.Key) -> bytes:
    """The word about the node's stream, expelled at `at` (wire form)."""
    encoded = encode_object({"stream": stream, "time": at, "key": signer.id})
    return encoded + b"\n" + crypto.sign(signer.secret(), CONTEXT, encoded).hex().encode() + b"\n"


def read_expelled(data: bytes, stream: str, keys: Mapping[str, bytes]) -> str | None:
    """When the node of this stream was expelled, if one of `keys` (by id) says so; None for anything else."""
    try:
        encoded, signature, rest = data.split(b"\n")
        said = decode_object(encoded, ("stream", "time", "key"))
        time, key = text(said["time"]), keys[text(said["key"], HEX32)]
        parse_wire_time(time)
        good = said["stream"] == stream and not rest
        return time if good and crypto.verify(key, bytes.fromhex(signature.decode()), CONTEXT, encoded) else None
    except (ValueError, KeyError, RecursionError):
        return None
