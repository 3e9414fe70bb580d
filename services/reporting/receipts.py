"""The lead's receipts of purposes that ended (0206): facts of its own stream, which every node gets and keeps."""

import logging
from collections.abc import Sequence

from services.reporting import receipt_store
from shared.contracts.purpose_facts import LeadCleared
from shared.journal.unit import Unit

log = logging.getLogger(__name__)

RECEIPTS_PER_STREAM = 30_000
"""10,000 people of one node, all three purposes one by one. Without an end, a member could fill every other node's
disk with the receipts of endings of people whom nobody knows."""


def give(unit: Unit, stream: str, cleared: Sequence[tuple[bytes, int]]) -> None:
    """Give the receipts of these endings of a stream, each with how many lines it cleared; none beyond so many."""
    left = RECEIPTS_PER_STREAM - receipt_store.count_answered(unit.connection, stream, RECEIPTS_PER_STREAM)
    if len(cleared) > left:
        log.warning("a node gets no more receipts of purposes that ended", extra={"stream": stream})
    for number, (ending, rows) in enumerate(cleared):
        if number < left:
            unit.record(LeadCleared(None, ending=ending.hex(), rows=rows), stream.partition("/")[2])
        receipt_store.note_answered(unit.connection, stream, ending)
