"""Somebody's address becomes protected (turvakielto): what is on its way about them to other nodes, and has not left,
does not leave (decision 0224)."""

import json
from collections.abc import Mapping
from typing import Any

from services.intake import filled_store, referrals
from services.intake.domain import is_protected
from services.intake.peers import Desk
from shared.journal import Unit
from shared.journal.posting import take_back


def follow_protection(unit: Unit, desk: Desk, row: Any, after: Mapping[str, Any]) -> None:
    """The person of `row` (`store.locked_participation`, as it was) has the record `after` now.

    If their address is protected from now on, letters about them that no node has acknowledged are taken back, a
    question of ours with them, and a referral that may lie in one is withdrawn: the worker sees it, and may send it
    anew, with the mark. A letter that is with the other node already is not reached.
    """
    if is_protected(json.loads(row.record)) or not is_protected(after):
        return
    nodes = take_back(unit.connection, row.subject)
    filled_store.forget_unanswered(unit.connection, row.subject, nodes)
    referrals.withdraw_from(unit, desk, row.programme, row.subject.hex(), nodes)
