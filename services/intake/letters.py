"""Letters that have come from confirmed nodes: opened, and given to what they are for.

A letter that cannot be used for good (damaged, not of the steward, of a referral that is closed) is taken and told in
the audit log; one that may become usable (of a newer release, too early) waits.
"""

import json
from collections import Counter
from datetime import datetime
from typing import Any

from services.intake import filled, referrals, steward, store
from services.intake.operations import Vault
from services.intake.peers import Desk, confirmed_members
from shared.contracts.errors import (
    AlreadyRecordedDiffers,
    ClosingIsFinal,
    InvalidInput,
    NotFound,
    ProgrammeIsClosed,
    StreamIsSealed,
)
from shared.journal import Journal, Unit
from shared.journal.directory import Member
from shared.journal.holding import is_held
from shared.journal.post import LetterRefused, open_letter
from shared.journal.posting import letters_to_take, note_taken
from shared.storage import snapshot

MOST_QUESTIONS = 10
"""Of one node in one round: for each everybody's identity is opened, and whoever works here waits meanwhile."""
CLOSED = (ProgrammeIsClosed, ClosingIsFinal, StreamIsSealed)
"""A letter for a programme that this node has closed comes too late."""


def take_letters(journal: Journal, desk: Desk, keys: Vault, now: datetime) -> int | None:
    """Take what has come from confirmed nodes; the last position committed. Each letter is a unit of its own."""
    with snapshot(journal.engine) as connection:
        if is_held(connection):
            return None
        programmes = {programme for programme, _ in store.peers(connection)}
        senders = {(p, node): m for p in programmes for node, m in confirmed_members(connection, p).items()}
        waiting = letters_to_take(connection, list(senders))
    last, asked = None, Counter[str]()
    for row in waiting:
        pos = _take(journal, desk, keys, row, senders[row.programme, row.sender], asked, now)
        last = pos or last
    return last


def _take(
    journal: Journal, desk: Desk, keys: Vault, row: Any, sender: Member, asked: Counter[str], now: datetime
) -> int | None:
    def taken(unit: Unit) -> None:
        note_taken(unit.connection, row.id)

    try:
        kind, said = _read(open_letter(row.letter, desk.opens))
        if kind in steward.KINDS:
            return steward.take(journal, desk, row.programme, sender, said, now, taken)
        asked[sender.node] += kind == filled.QUESTION
        if kind == filled.QUESTION and asked[sender.node] > MOST_QUESTIONS:
            return None  # it is answered in the next round
        if kind in filled.KINDS:
            place = referrals.Place(journal, desk, keys, row.programme)
            return filled.take(place, sender, said, now, taken)
        if kind not in referrals.KINDS:
            return None  # of a newer release: it waits
        with journal.unit(now) as unit:
            taken(unit)
            referrals.take(unit, desk, keys, row.programme, sender, said)
    except (LetterRefused, AlreadyRecordedDiffers, NotFound, *CLOSED) as error:
        reason = error.reason if isinstance(error, LetterRefused) else error.code
        with journal.unit(now) as unit:
            taken(unit)
            unit.audit("post", "refuse_letter", programme=row.programme, node=sender.node, reason=reason)
        return None
    except InvalidInput:
        return None  # people are still being tagged with the newer key: it waits
    return unit.pos


def _read(plain: bytes) -> tuple[str, dict[str, Any]]:
    try:
        said = json.loads(plain)
        return str(said["kind"]), said
    except (ValueError, KeyError, TypeError, RecursionError):
        raise LetterRefused("malformed") from None
