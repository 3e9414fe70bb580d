"""How long the items of a channel may be (see `carrier`): what is longer is cut or refused before it is read whole."""

from shared.journal.carrier import ERASED, EXPELLED, JOIN, KEYS, MANIFEST, POST, PROOF, RECEIPT, place_named
from shared.journal.expelling import MAX_EXPELLED
from shared.journal.joining import MAX_JOIN
from shared.journal.post import MAX_POST
from shared.journal.renewing import MAX_KEYS
from shared.journal.returning import MAX_ERASED, MAX_PROOF
from shared.journal.segment import MAX_SEGMENT
from shared.journal.statements import MAX_STATEMENT

_LIMITS = {
    MANIFEST: MAX_STATEMENT,
    RECEIPT: MAX_STATEMENT,
    JOIN: MAX_JOIN,
    PROOF: MAX_PROOF,
    ERASED: MAX_ERASED,
    POST: MAX_POST,
    KEYS: MAX_KEYS,
    EXPELLED: MAX_EXPELLED,
}
MAX_ITEM = max(MAX_SEGMENT, *_LIMITS.values())
"""The longest that any item may be, in bytes."""


def limit_of(name: str) -> int | None:
    """How long an item of this name may be, in bytes; None: there is no such item."""
    return MAX_SEGMENT if place_named(name) else _LIMITS.get(name)
