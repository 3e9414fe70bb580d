"""Certified files, right ones and wrong ones, from keys made here."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from shared.journal import certificate, crypto
from shared.journal.certificate import Form, Proof, SegmentWord, StreamProof
from shared.journal.lines import chain_start
from shared.journal.segment import Header
from shared.journal.statements import Manifest, write_manifest
from tests.journal.exchange_kit import make_key

TIME = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PROGRAMME = "lahde-mukaan"
LEAD, NODE_KEY, OTHER_KEY = make_key("signing"), make_key("signing"), make_key("signing")
PORI, RAUMA, EURA = "pori-0a1b2c3d", "rauma-0a1b2c3e", "eura-0a1b2c3f"

BODIES: dict[Form, str] = {
    "json": '{\n  "programme": "lahde-mukaan",\n  "figure": 51\n}\n',
    "html": "<!doctype html>\n<p>51 ihmistä</p>\n",
    "csv": 'Raportti\nosallistujia,51\n"a ""b""",0\n',
}


def chain(name: str, seq: int) -> bytes:
    """Some chain of a stream at a line."""
    return sha256(f"{name} {seq}".encode()).digest()


def manifest(node: str = PORI, seq: int = 7, key: crypto.Key = NODE_KEY, **changes: Any) -> bytes:
    """The node's word that its stream ends at this line."""
    stream = f"{node}/{PROGRAMME}"
    word = Manifest(stream, 1, seq, chain(node, seq), TIME - timedelta(minutes=2), "ab" * 16)
    return write_manifest(replace(word, **changes), key)


def segment(node: str = PORI, last: int = 7, key: crypto.Key = NODE_KEY, **changes: Any) -> SegmentWord:
    """What is kept of a segment that ends at this line."""
    before = chain(node, last - 3)
    header = Header(f"{node}/{PROGRAMME}", 1, last - 2, last, before, chain(node, last), key.id, "cd" * 16, TIME)
    encoded, payload = replace(header, **changes).encode(), sha256(b"payload").digest()
    return SegmentWord(encoded, payload, crypto.sign(key.secret(), crypto.SEGMENT_CONTEXT, encoded + payload))


def stream(**changes: Any) -> StreamProof:
    """A partner whose lines are all in the figures."""
    assert NODE_KEY.public is not None
    whole = StreamProof("leader_association", "joined", PORI, 1, 7, chain(PORI, 7), (NODE_KEY.public,), manifest())
    return replace(whole, **changes)


def silent() -> StreamProof:
    """A partner that has joined and said nothing but that it has nothing."""
    assert OTHER_KEY.public is not None
    start = chain_start(f"{RAUMA}/{PROGRAMME}")
    nothing = manifest(RAUMA, 0, OTHER_KEY, chain=start)
    return StreamProof("university", "joined", RAUMA, 1, 0, start, (OTHER_KEY.public,), nothing)


def proof(*streams: StreamProof, arrived: bool | None = True) -> Proof:
    """What stands behind a report of these streams."""
    used = (("three_items", "1", "ef" * 32),)
    return Proof(PROGRAMME, "ab" * 32, used, "leader_association", arrived, TIME, streams)


def certified(form: Form, what: Proof, body: str = "", signer: crypto.Key = LEAD) -> bytes:
    """A file with its certificate."""
    before, after = certificate.frame(form, body or BODIES[form])
    assert signer.public is not None
    own = {signer.id: signer.public}
    digest = certificate.digest_of(before, after)
    made = certificate.certify(certificate.write_proof(what, signer), digest, signer, own)
    return before + made.hex().encode() + after
