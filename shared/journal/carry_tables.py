"""The tables of the two ends of a stream's way. Times are text as in lines, chains are 32 raw bytes.

In `courier_*`, `stream` is the channel (see `carrier`): the lead's stream goes to several nodes, each at its own place.
"""

from sqlalchemy import Boolean, Column, Integer, LargeBinary, String, Table

from shared.journal.tables import BIG
from shared.storage import metadata

courier_receipt = Table(
    "courier_receipt",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("seq", BIG, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Column("incarnation", String(32), nullable=False),
    Column("manifest", BIG, nullable=False),
    Column("time", String(32), nullable=False),
    Column("conflict", String(40)),
    Column("stated", BIG, nullable=False, server_default="0"),
)
"""The newest receipt that was believed, per stream: where the lead is. `manifest` is the number of the manifest it
echoes (0: one we do not know), `conflict` why the stream has stopped, if it has. `stated`: the newest manifest written
when the first receipt of this `incarnation` was believed."""

courier_manifest = Table(
    "courier_manifest",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("number", BIG, primary_key=True, autoincrement=False),
    Column("nonce", String(32), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("seq", BIG, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Column("time", String(32), nullable=False),
)
"""Manifests written, numbered from 1, from the last one echoed on: which nonce came after which segments."""

courier_segment = Table(
    "courier_segment",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("first", BIG, primary_key=True, autoincrement=False),
    Column("epoch", Integer, nullable=False),
    Column("last", BIG, nullable=False),
    Column("before", LargeBinary, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Column("manifest", BIG, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("time", String(32), nullable=False),
)
"""Segments written and not yet covered by a receipt. `manifest` is the number of the first manifest after it,
`attempt` how often these lines had been refused before."""

received_incarnation = Table(
    "received_incarnation",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("incarnation", String(32), nullable=False),
)
"""One row: the random name of this database."""

received_line = Table(
    "received_line",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("seq", BIG, primary_key=True, autoincrement=False),
    Column("epoch", Integer, nullable=False),
    Column("kind", String(80)),
    Column("v", Integer),
    Column("subject", LargeBinary),
    Column("digest", LargeBinary, nullable=False),
    Column("line", LargeBinary),
)
"""The lines of others, without a hole from 1 to the watermark. An erased line has only stream, seq, epoch, digest.
Nothing here depends on when or in which order things arrived."""

received_head = Table(
    "received_head",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("node", String(40), nullable=False),
    Column("programme", String(40), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("seq", BIG, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Column("head_epoch", Integer, nullable=False),
    Column("head_seq", BIG, nullable=False),
    Column("head_chain", LargeBinary, nullable=False),
    Column("manifest_at", String(32)),
    Column("echo", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("manifest", LargeBinary),
    Column("accepted_at", String(32)),
    Column("next_epoch", Integer, nullable=False, server_default="0"),
    Column("next_seq", BIG, nullable=False, server_default="0"),
    Column("next_chain", LargeBinary),
    Column("next_at", String(32)),
    Column("spoke_at", String(32)),
    Column("accepted_after", String(32)),
    Column("kept_at", String(32)),
)
"""Per stream the watermark (`epoch`, `seq`, `chain`: everything up to there is applied; the row is the stream's
lock), the furthest head its node has signed, the time of the newest word from it, the nonce of the last manifest
before which everything has been examined, `state`: "open", or "stopped" by a conflict, and the bytes of the newest
manifest that agreed with all we hold: what a report's certificate shows of the node. `accepted_at`: when somebody last
said which of its histories counts (`epochs.accept`). `next_seq`, `next_chain`: how far the node has signed that it goes
in a later epoch `next_epoch`, by its newest manifest, of `next_at`, and the segments signed since; 0: nothing.
`spoke_at`: the latest time that it has signed, by its own clock; `accepted_after`: what that was at `accepted_at`, or
when the node was put back to what is void here.
`kept_at`: when its newest manifest of our epoch, or of one before, was signed; or came, if its clock was ahead."""

received_segment = Table(
    "received_segment",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("last", BIG, primary_key=True, autoincrement=False),
    Column("first", BIG, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Column("header", LargeBinary, nullable=False),
    Column("payload_digest", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("received_at", String(32), nullable=False),
)
"""The proof, kept for ever: header, SHA-256 of the payload and signature of every segment that was applied."""

received_epoch = Table(
    "received_epoch",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("seq", BIG, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Column("statement", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("claimed_at", String(32), nullable=False),
)
"""Epochs that a node has opened after line `seq`, where our chain is `chain`, with the signed bytes that say so (a
segment's header and payload digest, or a manifest); see `epochs`."""

received_void = Table(
    "received_void",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("seq", BIG, primary_key=True, autoincrement=False),
    Column("kind", String(80)),
    Column("v", Integer),
    Column("subject", LargeBinary),
    Column("digest", LargeBinary, nullable=False),
    Column("line", LargeBinary),
)
"""Lines that a restored node has lost: kept and shown, in no figure; see `epochs`."""

received_void_segment = Table(
    "received_void_segment",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("last", BIG, primary_key=True, autoincrement=False),
    Column("first", BIG, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Column("header", LargeBinary, nullable=False),
    Column("payload_digest", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("received_at", String(32), nullable=False),
)
"""The proofs of segments of which at least the last line is void."""

received_early = Table(
    "received_early",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("first", BIG, primary_key=True, autoincrement=False),
    Column("last", BIG, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
    Column("received_at", String(32), nullable=False),
)
"""Segments ahead of a gap, whole and sealed, until it closes."""

received_claim = Table(
    "received_claim",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("seq", BIG, primary_key=True, autoincrement=False),
    Column("chain", LargeBinary, nullable=False),
)
"""The chains that a node has signed, in a manifest or a segment's header, for lines between the watermark and the
furthest head of the stream, until the watermark has passed them."""

received_refused = Table(
    "received_refused",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("stream", String(80), nullable=False),
    Column("name", String(80), nullable=False),
    Column("size", Integer, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("received_at", String(32), nullable=False),
)
"""What was quarantined, by the SHA-256 of its bytes, each content once: where it lay and why it was refused. The
bytes themselves are not kept: the node has the lines and is asked again."""

received_conflict = Table(
    "received_conflict",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("seq", BIG, nullable=False),
    Column("ours", LargeBinary, nullable=False),
    Column("theirs", LargeBinary, nullable=False),
    Column("statement", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("received_at", String(32), nullable=False),
)
"""A node signed another chain at `seq` than the one we hold: both chains, and the signed bytes that say so (a
segment's header and payload digest, or a manifest), by their SHA-256."""

received_erased = Table(
    "received_erased",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("seq", BIG, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("scrubbed", Boolean, nullable=False),
    Column("key_no", Integer),
)
"""The subjects of a stream that were erased, by `erasing.subject_digest`, and the tag keys (`key_no`) whose tags were;
`seq` is the line that said so, `lines` how
many received lines became digests then, that one too. Only by
them can somebody whom a restored backup brings back be recognised, without keeping anybody's subject."""


post_out = Table(
    "post_out",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("recipient", String(40), nullable=False),
    Column("subject", LargeBinary),
    Column("letter", LargeBinary, nullable=False),
    Column("queued_at", String(32), nullable=False),
)
"""Letters to other nodes, sealed, until their recipients have acknowledged them. `subject`: who is meant inside."""

post_in = Table(
    "post_in",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("programme", String(40), nullable=False),
    Column("sender", String(40), nullable=False),
    Column("letter", LargeBinary),
    Column("received_at", String(32), nullable=False),
)
"""Letters from other nodes, sealed as they came, until a service has taken them; then only that they came."""
