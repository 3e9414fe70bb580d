"""What follows when the identity or the record of a known person becomes another: one way for whoever corrects it
(decision 0205)."""

import secrets
from collections.abc import Collection, Mapping
from typing import Any

from services.intake import filled_store, identity_store, rights_store, store
from services.intake.domain import tag_of
from services.intake.operations import Vault
from services.intake.visitors import forget_tokens
from shared.contracts.catalogue import PersonTagged, TaggingDue
from shared.contracts.errors import AlreadyRecordedDiffers
from shared.journal import Unit
from shared.journal.unit import new_id
from shared.ops.clock import wire_time

Change = dict[str, list[Any]]
"""What was corrected: by member, what it was and what it is."""


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The members that are another now; None: there was none, or is none."""
    names = {*before, *after}
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}


def completed(recorded: Mapping[str, Any], told: Mapping[str, Any], unanswered: Collection[str]) -> dict[str, Any]:
    """What is recorded, with what a list tells beyond it; `unanswered`: answers that stand for none.

    Raises `AlreadyRecordedDiffers` naming what is recorded otherwise: a page is newer than any list.
    """
    none = (None, "", *unanswered)
    said = {name: value for name, value in told.items() if value not in none}
    for name, value in said.items():
        if recorded.get(name) not in (*none, value):
            raise AlreadyRecordedDiffers(field=name)
    return {**recorded, **said}


def change_identity(unit: Unit, keys: Vault, row: Any, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Store another identity of the person of `row` (`store.locked_participation`): what was made of the old one is
    forgotten, and they are recognised by what they are now."""
    if before == after:
        return
    forget_tokens(unit, keys, row.programme, before, after)
    identity_store.set_identity(unit.connection, keys.vault, row, after)
    _tag_anew(unit, row, before, after)


def keep_correction(unit: Unit, keys: Vault, row: Any, change: Change, by: str) -> None:
    """Keep what was corrected, and note who did it; the audit log has the members' names alone."""
    rights_store.add_correction(unit.connection, keys.vault, new_id(), row, wire_time(unit.now), change)
    unit.audit(by, "correct_person", programme=row.programme, subject=row.subject.hex(), changed=sorted(change))


def _tag_anew(unit: Unit, row: Any, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Have the person recognised by what they are now. Where a tag can be made of it no more, one of nobody takes the
    place of the wrong one: no line can take a tag back."""
    programme, known = row.programme, store.tag_keys(unit.connection, row.programme)
    for key in known:
        was, now_is = (tag_of(one, key.basis, programme, b"") for one in (before, after))
        if was != now_is:  # what others have answered is of somebody else
            filled_store.forget_asked(unit.connection, row.subject)
        if was is not None and now_is is None:
            unit.record(PersonTagged(row.subject.hex(), tag=secrets.token_hex(32), key_no=key.key_no), programme)
        elif was != now_is and key == known[-1]:
            identity_store.forget_tagged(unit.connection, row.subject)
            unit.record(TaggingDue(programme=programme, key_no=key.key_no))
