"""The tag key on its way: the steward's node makes it and hands it to confirmed nodes, which take it from nobody else.

The steward is the partner that the programme file names. Letters: ``{"kind": "tag_key", "key_no", "basis", "key"}`` and
``{"kind": "retire_tags", "key_no"}``, as JSON. A letter that cannot be used for good (damaged, not of the steward) is
taken and told in the audit log; one that may become usable (of a newer release, too early) waits.
"""

import json
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from services.intake import store
from services.intake.peers import Desk, confirmed_members, write
from services.intake.tags import retire_tags, take_tag_key
from shared.contracts.errors import AlreadyRecordedDiffers, InvalidInput, NotFound
from shared.journal import Journal, Unit
from shared.journal.crypto import read_secret
from shared.journal.directory import Member, member
from shared.journal.holding import is_held
from shared.journal.post import LetterRefused, open_letter
from shared.journal.posting import letters_to_take, note_taken
from shared.storage import snapshot

TAG_KEY, RETIRE = "tag_key", "retire_tags"
BASES = ("name_birth_date", "identity_code")
_KEY = re.compile(r"[0-9a-f]{64}")


def renew_tag_key(journal: Journal, desk: Desk, programme: str, *, by: str, now: datetime) -> tuple[int, int | None]:
    """Make the programme's next tag key, use it, and hand it to every confirmed node; its number and the position.

    Raises `InvalidInput` if the programme has no tags or this node is not its steward's.
    """
    with snapshot(journal.engine) as connection:
        basis = _as_steward(connection, desk, programme)
        known = store.tag_keys(connection, programme)
    key, key_no = os.urandom(32), known[-1].key_no + 1 if known else 1

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


def take_letters(journal: Journal, desk: Desk, now: datetime) -> int | None:
    """Take what has come from confirmed nodes; the last position committed. Each letter is a unit of its own."""
    with snapshot(journal.engine) as connection:
        if is_held(connection):
            return None
        programmes = {programme for programme, _ in store.peers(connection)}
        senders = {(p, node): m for p in programmes for node, m in confirmed_members(connection, p).items()}
        waiting = letters_to_take(connection, list(senders))
    last = None
    for row in waiting:
        pos = _take(journal, desk, row, senders[row.programme, row.sender], now)
        last = pos or last
    return last


def _take(journal: Journal, desk: Desk, row: Any, sender: Member, now: datetime) -> int | None:
    def taken(unit: Unit) -> None:
        note_taken(unit.connection, row.id)

    common: dict[str, Any] = {"by": f"post:{sender.node}", "now": now, "also": taken}
    try:
        kind, key_no, said = _read(open_letter(row.letter, desk.opens))
        if kind not in (TAG_KEY, RETIRE):
            return None  # of a newer release: it waits
        with snapshot(journal.engine) as connection:
            definition = store.shelf.get(connection, row.programme)
        if definition.tag is None or definition.tag.steward != sender.partner:
            raise LetterRefused("not_the_steward")
        if kind == TAG_KEY:
            key = bytes.fromhex(said["key"])
            return take_tag_key(journal, desk.directory, row.programme, key_no, said["basis"], key, **common)
        pos, number = retire_tags(journal, row.programme, key_no, **common)
        _discard(desk.directory, number)
    except (LetterRefused, AlreadyRecordedDiffers, NotFound) as error:
        reason = error.reason if isinstance(error, LetterRefused) else error.code
        with journal.unit(now) as unit:
            taken(unit)
            unit.audit("post", "refuse_letter", programme=row.programme, node=sender.node, reason=reason)
        return None
    except InvalidInput:
        return None  # people are still being tagged with the newer key: it waits
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


def _read(plain: bytes) -> tuple[str, int, dict[str, Any]]:
    """Kind, key number and the whole; of a kind we know, checked."""
    try:
        said = json.loads(plain)
        kind = str(said["kind"])
        if kind not in (TAG_KEY, RETIRE):
            return kind, 0, said
        right = type(said["key_no"]) is int and 1 <= said["key_no"] <= 999_999
        if kind == TAG_KEY:
            right = right and said["basis"] in BASES and bool(_KEY.fullmatch(said["key"]))
        if right:
            return kind, said["key_no"], said
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise LetterRefused("malformed")


def _discard(directory: Path, number: int) -> None:
    """Delete the file of a tag key that is needed no longer."""
    (directory / f"tag-{number}").unlink(missing_ok=True)
