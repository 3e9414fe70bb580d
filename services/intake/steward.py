"""The tag key on its way: the steward's node makes it and hands it to confirmed nodes, which take it from nobody else.

The steward is the partner that the programme file names. Letters: ``{"kind": "tag_key", "key_no", "basis", "key"}`` and
``{"kind": "retire_tags", "key_no"}``, as JSON.
"""

import json
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from services.intake import store
from services.intake.domain import next_tag_key_no
from services.intake.peers import Desk, confirmed_members, write
from services.intake.tags import Also, retire_tags, take_tag_key
from shared.contracts.errors import InvalidInput
from shared.journal import Journal, Unit
from shared.journal.crypto import read_secret
from shared.journal.directory import Member, member
from shared.journal.post import LetterRefused
from shared.storage import snapshot

TAG_KEY, RETIRE = "tag_key", "retire_tags"
KINDS = (TAG_KEY, RETIRE)
BASES = ("name_birth_date", "identity_code")
_KEY = re.compile(r"[0-9a-f]{64}")


def renew_tag_key(journal: Journal, desk: Desk, programme: str, *, by: str, now: datetime) -> tuple[int, int | None]:
    """Make the programme's next tag key, use it, and hand it to every confirmed node; its number and the position.

    Raises `InvalidInput` if the programme has no tags, this node is not its steward's, or a key was made a moment ago.
    """
    with snapshot(journal.engine) as connection:
        basis = _as_steward(connection, desk, programme)
        known = store.tag_keys(connection, programme)
    key, key_no = os.urandom(32), next_tag_key_no(known[-1].key_no if known else 0, now)

    def hand_out(unit: Unit) -> None:
        for to in confirmed_members(unit.connection, programme).values():
            write(unit, desk, programme, to, _letter(key_no, basis, key))

    place = desk.directory, programme
    return key_no, take_tag_key(journal, *place, key_no, basis, key, by=by, now=now, also=hand_out)


def hand_tag_key(journal: Journal, desk: Desk, programme: str, node: str, now: datetime) -> bool:
    """Hand a confirmed node the newest tag key, if this is the steward's node and has one; whether it was handed."""
    with journal.unit(now) as unit:
        connection = unit.connection
        keys, to = store.tag_keys(connection, programme), confirmed_members(connection, programme).get(node)
        try:
            _as_steward(connection, desk, programme)
        except InvalidInput:
            return False
        if to is None or not keys:
            return False
        newest = keys[-1]
        key = read_secret(desk.directory, "tag", newest.number)
        write(unit, desk, programme, to, _letter(newest.key_no, newest.basis, key))
        unit.audit("steward", "hand_tag_key", programme=programme, node=node, key_no=newest.key_no)
    return True


def retire_tag_key(journal: Journal, desk: Desk, programme: str, key_no: int, *, by: str, now: datetime) -> int | None:
    """Retire an older tag key here and, by letter, at every confirmed node. Raises as `retire_tags`."""
    with snapshot(journal.engine) as connection:
        _as_steward(connection, desk, programme)

    def tell(unit: Unit) -> None:
        for to in confirmed_members(unit.connection, programme).values():
            write(unit, desk, programme, to, json.dumps({"kind": RETIRE, "key_no": key_no}).encode())

    pos, number = retire_tags(journal, programme, key_no, by=by, now=now, also=tell)
    _discard(desk.directory, number)
    return pos


def take(
    journal: Journal, desk: Desk, programme: str, sender: Member, said: dict[str, Any], now: datetime, taken: Also
) -> int | None:
    """The effect of a steward's letter, `taken` in the same unit of work; the position.

    Raises `LetterRefused`, `AlreadyRecordedDiffers` or `NotFound` if it can never have one; `InvalidInput`: not yet.
    """
    common: dict[str, Any] = {"by": f"post:{sender.node}", "now": now, "also": taken}
    key_no = _key_no(said)
    with snapshot(journal.engine) as connection:
        definition = store.shelf.get(connection, programme)
    if definition.tag is None or definition.tag.steward != sender.partner:
        raise LetterRefused("not_the_steward")
    if said["kind"] == TAG_KEY:
        key = bytes.fromhex(said["key"])
        return take_tag_key(journal, desk.directory, programme, key_no, said["basis"], key, **common)
    pos, number = retire_tags(journal, programme, key_no, **common)
    _discard(desk.directory, number)
    return pos


def _as_steward(connection: Connection, desk: Desk, programme: str) -> str:
    """The basis; raises `InvalidInput` if this is not the node of the programme's steward."""
    definition = store.shelf.get(connection, programme)
    if definition.tag is None:
        raise InvalidInput(field="programme", reason="its file does not say that people are counted once (tag)")
    own = member(connection, programme, desk.node)
    if own is None or own.partner != definition.tag.steward:
        raise InvalidInput(field="programme", reason=f"its steward is the partner {definition.tag.steward}")
    return definition.tag.basis


def _letter(key_no: int, basis: str, key: bytes) -> bytes:
    return json.dumps({"kind": TAG_KEY, "key_no": key_no, "basis": basis, "key": key.hex()}).encode()


def _key_no(said: dict[str, Any]) -> int:
    """The key's number of a letter in which everything is as it must be."""
    try:
        right = type(said["key_no"]) is int and 1 <= said["key_no"] <= 999_999
        if said["kind"] == TAG_KEY:
            right = right and said["basis"] in BASES and bool(_KEY.fullmatch(said["key"]))
        if right:
            return int(said["key_no"])
    except (KeyError, TypeError):
        pass
    raise LetterRefused("malformed")


def _discard(directory: Path, number: int) -> None:
    """Delete the file of a tag key that is needed no longer."""
    (directory / f"tag-{number}").unlink(missing_ok=True)
