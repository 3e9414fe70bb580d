"""The certificate of a report: who signed it, that it is unaltered, and what each node had signed. Pure: no I/O.

A **proof** is what the lead can say of the streams behind a report, out of the same snapshot as its figures: the
programme and the instruments by digest, and every partner with epoch, watermark, chain and the node's own signed words.
The lead signs it when it makes the figures ("polku-proof-1"). Whoever has written a file of them hands the proof back
with the file's digest and gets the **certificate** ("polku-certificate-1"): so figures may be rendered anywhere, while
only who holds the lead's key signs, and only proofs of its own. Both are a compact JSON object, members in this order,
a line feed, the Ed25519 signature in hex, a line feed; a certificate begins with the member `digest`.

    programme, definition, instruments, lead, arrived, time, streams, key

In a file the certificate stands at the very end, in lower-case hex digits and nothing else:

    JSON    the last member      ,\\n  "certificate": "HEX"\\n}\\n
    HTML    a comment            <!-- polku-certificate HEX -->\\n
    CSV     the last row         certificate,HEX\\n

`digest` is the SHA-256 of the file with these digits taken out: every byte outside them is covered. That the place is
fixed matters as much: digits moved elsewhere would leave the digest as it is.

What the node of a stream has signed is its newest manifest (how far it goes) and, where that names another line than
the watermark, the header of the segment that ends there. So the chain at the watermark is always signed by the node.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal, get_args

from shared.contracts.fields import CODE, NODE, PROGRAMME
from shared.journal import crypto
from shared.journal.lines import chain_start
from shared.journal.segment import (
    HEX64,
    MAX_EPOCH,
    MAX_SEQ,
    Refused,
    decode_object,
    encode_object,
    number,
    signed_header,
    text,
)
from shared.journal.statements import Manifest, read_manifest
from shared.ops.clock import parse_wire_time, wire_time

PROOF_CONTEXT, CONTEXT = b"polku-proof-1", b"polku-certificate-1"
MAX_CERTIFICATE = 4 * 1024 * 1024
"""Bytes of a certificate: some thousand partners."""

Form = Literal["json", "html", "csv"]
State = Literal["joined", "not_joined", "expelled", "closed"]
PLACES: Mapping[Form, tuple[bytes, bytes]] = {
    "json": (b',\n  "certificate": "', b'"\n}\n'),
    "html": (b"\n<!-- polku-certificate ", b" -->\n"),
    "csv": (b"\ncertificate,", b"\n"),
}
"""What stands before the digits and after them, to the end of the file."""
_ENDS: Mapping[Form, bytes] = {"json": b"\n}\n", "html": b"\n", "csv": b"\n"}
_DIGITS = re.compile(rb"[0-9a-f]+")
_LONG_RUN = re.compile(rb"(?<![0-9a-f])[0-9a-f]{400,}")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")
_MEMBERS = ("programme", "definition", "instruments", "lead", "arrived", "time", "streams", "key")
_STREAM = ("partner", "state", "node", "epoch", "watermark", "chain", "keys", "manifest", "segment")


class NoCertificate(ValueError):
    """There is no certificate in this file."""


class CertificateRefused(ValueError):
    """A certified file, or its certificate, is not what the lead signed; the text says in one line what differs."""


@dataclass(frozen=True, slots=True)
class SegmentWord:
    """What is kept for ever of a segment: enough to see that its node signed the chain at its last line."""

    header: bytes
    payload_digest: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class StreamProof:
    """A line of the proof: a partner's node. `keys` are the node's raw public signing keys as the lead admitted them; a
    partner that has not joined has only its name, one that has never spoken no numbers. A partner has a line for each
    of its nodes that were expelled, and at most one that is not of an expelled one."""

    partner: str
    state: State
    node: str | None = None
    epoch: int | None = None
    watermark: int | None = None
    chain: bytes | None = None
    keys: tuple[bytes, ...] = ()
    manifest: bytes | None = None
    segment: SegmentWord | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What stands behind a report. `definition` is the programme's digest (hex), `instruments` are key, version and
    digest of each; `lead` is the lead's key among the partners, `arrived` what the report says."""

    programme: str
    definition: str
    instruments: tuple[tuple[str, str, str], ...]
    lead: str
    arrived: bool | None
    time: datetime
    streams: tuple[StreamProof, ...]


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate whose signature holds; `key` is the lead's raw public key, `digest` the file's, 32 raw bytes."""

    digest: bytes
    proof: Proof
    key: bytes

    def manifest(self, stream: StreamProof) -> Manifest | None:
        """The node's newest signed word on how far it goes. Raises `CertificateRefused` if it is not the node's."""
        if stream.manifest is None:
            return None
        try:
            manifest = read_manifest(stream.manifest, _by_id(stream))
        except Refused as refused:
            raise CertificateRefused(f"{stream.partner}: the manifest does not hold ({refused.reason})") from None
        if manifest.stream != f"{stream.node}/{self.proof.programme}":
            raise CertificateRefused(f"{stream.partner}: the manifest is of another stream")
        return manifest


def write_proof(proof: Proof, signer: crypto.Key) -> bytes:
    """The proof, signed by the lead."""
    return _signed(_encoded(proof), signer, PROOF_CONTEXT)


def certify(proof: bytes, digest: bytes, signer: crypto.Key, own: Mapping[str, bytes]) -> bytes:
    """The certificate of the file with this digest, whose figures came with `proof`.

    Raises `CertificateRefused` if the proof is not signed by one of our `own` keys (public keys by id).
    """
    members, key = _opened(proof, _MEMBERS, PROOF_CONTEXT)
    if crypto.key_id(key) not in own:
        raise CertificateRefused("the proof is not of this lead")
    del members["key"]
    return _signed({"digest": digest.hex(), **members}, signer, CONTEXT)


def frame(form: Form, body: str) -> tuple[bytes, bytes]:
    """The bytes before and after the certificate of a report; `body` is the file without one, with its last line feed.

    The file is certified by its digest: SHA-256 of both.
    """
    (before, after), end = PLACES[form], _ENDS[form]
    encoded = body.encode()
    if not encoded.endswith(end):
        raise ValueError(f"not the end of a {form} report")
    return encoded.removesuffix(end) + before, after


def digest_of(before: bytes, after: bytes) -> bytes:
    """The digest that a certificate names."""
    hashed = sha256(before)
    hashed.update(after)
    return hashed.digest()


def find(data: bytes) -> tuple[Form, bytes, bytes, bytes]:
    """Form, bytes before, certificate and bytes after. Raises `NoCertificate`, or `CertificateRefused` if something
    like a certificate is there that is not one."""
    for form, (before, after) in PLACES.items():
        end = len(data) - len(after)
        start = data.rfind(before, max(0, end - 2 * MAX_CERTIFICATE), end) if data.endswith(after) else -1
        if start < 0:
            continue
        start += len(before)
        if _DIGITS.fullmatch(data, start, end) and (end - start) % 2 == 0:
            return form, data[:start], bytes.fromhex(data[start:end].decode()), data[end:]
        raise CertificateRefused("the certificate is not of lower-case hex digits alone")
    if _LONG_RUN.search(data):
        raise CertificateRefused("the certificate does not stand where it belongs, at the end of the file")
    raise NoCertificate("there is no certificate in it")


def check(data: bytes) -> tuple[Form, Certificate]:
    """Everything that can be checked of a certified file without a database or a network.

    The lead's signature, the file's digest, and of every node that its words are signed by the keys the lead names, are
    of this stream, and prove the chain at the watermark. Raises `NoCertificate` or `CertificateRefused`.
    """
    form, before, found, after = find(data)
    certificate = read_certificate(found)
    if digest_of(before, after) != certificate.digest:
        raise CertificateRefused("the file is not what was certified: it was changed, or the certificate is another's")
    for stream in certificate.proof.streams:
        _check_stream(certificate, stream)
    return form, certificate


def read_certificate(data: bytes) -> Certificate:
    """A certificate's content, if it is well formed and signed by the key it names. Raises `CertificateRefused`."""
    members, key = _opened(data, ("digest", *_MEMBERS), CONTEXT)
    try:
        return Certificate(bytes.fromhex(text(members["digest"], HEX64)), _decoded(members), key)
    except (ValueError, LookupError, TypeError):
        raise CertificateRefused("the certificate is malformed") from None


_COUNT = ("joined", "closed")
"""The states of streams that must have arrived."""


def _check_stream(certificate: Certificate, stream: StreamProof) -> None:
    manifest = certificate.manifest(stream)
    if stream.watermark is None or stream.chain is None:
        if manifest is not None or stream.segment is not None:
            raise CertificateRefused(f"{stream.partner}: the node has spoken, and the figures do not say how far")
        if certificate.proof.arrived and stream.state in _COUNT:
            raise CertificateRefused(f"{stream.partner}: never heard from, and yet everything is said to have arrived")
        return
    name = f"{stream.node}/{certificate.proof.programme}"
    ahead = manifest is not None and manifest.seq > stream.watermark
    if (certificate.proof.arrived or stream.state == "closed") and stream.state in _COUNT and ahead:
        raise CertificateRefused(f"{stream.partner}: lines are missing, and yet everything is said to have arrived")
    if stream.watermark == 0 and stream.chain == chain_start(name):
        return
    if stream.segment is not None:
        _check_segment(stream, stream.segment, name)
    elif manifest is None or manifest.seq != stream.watermark:
        older = manifest is not None and manifest.seq < stream.watermark
        what = "the manifest is older than the figures" if older else "nothing that the node signed ends there"
        raise CertificateRefused(f"{stream.partner}: line {stream.watermark} is not proved, {what}")
    if manifest is not None and manifest.seq == stream.watermark and manifest.chain != stream.chain:
        raise CertificateRefused(f"{stream.partner}: the node signed another chain at line {stream.watermark}")


def _check_segment(stream: StreamProof, word: SegmentWord, name: str) -> None:
    try:
        header = signed_header(word.header, word.payload_digest, word.signature, {name: _by_id(stream)})
    except Refused as refused:
        raise CertificateRefused(f"{stream.partner}: the segment's header does not hold ({refused.reason})") from None
    # At an epoch's beginning no segment ends that counts: the next one says by `before` what it goes on from.
    if (stream.watermark, stream.chain) not in ((header.last, header.chain), (header.first - 1, header.before)):
        raise CertificateRefused(f"{stream.partner}: the node signed another chain than that of the figures")


def _by_id(stream: StreamProof) -> dict[str, bytes]:
    return {crypto.key_id(key): key for key in stream.keys}


def _signed(members: dict[str, Any], signer: crypto.Key, context: bytes) -> bytes:
    assert signer.public is not None
    encoded = encode_object(members | {"key": signer.public.hex()})
    return encoded + b"\n" + crypto.sign(signer.secret(), context, encoded).hex().encode() + b"\n"


def _opened(data: bytes, names: tuple[str, ...], context: bytes) -> tuple[dict[str, Any], bytes]:
    """The members and the key that signed them; their types are the caller's to check."""
    try:
        encoded, signature, rest = data.split(b"\n")
        members = decode_object(encoded, names)
        signed = bytes.fromhex(text(signature.decode("ascii"), _SIGNATURE))
        key = bytes.fromhex(text(members["key"], HEX64))
        if rest or len(data) > MAX_CERTIFICATE or encode_object(members) != encoded:
            raise ValueError("not as we write it")
    except (ValueError, RecursionError):
        raise CertificateRefused("the certificate is malformed") from None
    if not crypto.verify(key, signed, context, encoded):
        raise CertificateRefused("the certificate is not signed by the key that it names")
    return members, key


def _encoded(proof: Proof) -> dict[str, Any]:
    return {
        "programme": proof.programme,
        "definition": proof.definition,
        "instruments": [list(each) for each in proof.instruments],
        "lead": proof.lead,
        "arrived": proof.arrived,
        "time": wire_time(proof.time),
        "streams": [_encoded_stream(stream) for stream in proof.streams],
    }


def _encoded_stream(stream: StreamProof) -> dict[str, Any]:
    word = stream.segment
    return {
        "partner": stream.partner,
        "state": stream.state,
        "node": stream.node,
        "epoch": stream.epoch,
        "watermark": stream.watermark,
        "chain": stream.chain.hex() if stream.chain is not None else None,
        "keys": [key.hex() for key in stream.keys],
        "manifest": stream.manifest.decode() if stream.manifest is not None else None,
        "segment": [word.header.decode(), word.payload_digest.hex(), word.signature.hex()] if word else None,
    }


def _decoded(members: dict[str, Any]) -> Proof:
    arrived, streams = members["arrived"], tuple(_decoded_stream(stream) for stream in members["streams"])
    if not (arrived is None or isinstance(arrived, bool)):
        raise ValueError("neither true, false nor null")
    members_now = [s.partner for s in streams if s.state != "expelled"]
    if len({(s.partner, s.node) for s in streams}) < len(streams) or len(set(members_now)) < len(members_now):
        raise ValueError("a node twice, or two nodes of a partner that are not expelled")
    return Proof(
        text(members["programme"], PROGRAMME),
        text(members["definition"], HEX64),
        tuple((text(k, CODE), text(v, CODE), text(d, HEX64)) for k, v, d in members["instruments"]),
        text(members["lead"], CODE),
        arrived,
        parse_wire_time(text(members["time"])),
        streams,
    )


def _decoded_stream(members: dict[str, Any]) -> StreamProof:
    if tuple(members) != _STREAM or members["state"] not in get_args(State):
        raise ValueError("not a stream's members")
    m = members
    joined = m["state"] != "not_joined"
    spoken = [m["epoch"] is not None, m["watermark"] is not None, m["chain"] is not None]
    if joined != (m["node"] is not None) or joined != bool(m["keys"]) or spoken != [spoken[0]] * 3:
        raise ValueError("some numbers of a stream without others")
    if not joined and (spoken[0] or m["manifest"] is not None or m["segment"] is not None):
        raise ValueError("numbers of a partner that has not joined")
    word = m["segment"]
    return StreamProof(
        text(m["partner"], CODE),
        m["state"],
        text(m["node"], NODE) if joined else None,
        number(m["epoch"], 1, MAX_EPOCH) if spoken[0] else None,
        number(m["watermark"], 0, MAX_SEQ) if spoken[0] else None,
        bytes.fromhex(text(m["chain"], HEX64)) if spoken[0] else None,
        tuple(bytes.fromhex(text(key, HEX64)) for key in m["keys"]),
        text(m["manifest"], _ANY).encode() if m["manifest"] is not None else None,
        SegmentWord(text(word[0]).encode(), _raw(word[1], HEX64), _raw(word[2], _SIGNATURE)) if word else None,
    )


_ANY = re.compile(r"[ -~\n]*")


def _raw(value: object, pattern: re.Pattern[str]) -> bytes:
    return bytes.fromhex(text(value, pattern))
