"""Tags: by what the lead counts a person once whom several partners met (architecture §4).

The steward's node makes the programme's tag key and hands it on; here it is kept as a key file, and noted in a row. A
person is tagged when the journal says that they came in, or when the key comes: a `TaggingDue` is heard after every
line that was committed before it, so nobody falls between the two. With a newer key everybody is tagged anew; the older
tags stay until `retire_tags`, so that nodes which have the new key already and those which do not yet can be compared.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from services.intake import store
from services.intake.domain import tag_of
from services.intake.store import TagKey
from shared.contracts.catalogue import PersonTagged, TaggingDue, TagsRetired
from shared.contracts.errors import AlreadyRecordedDiffers, InvalidInput, NotFound
from shared.journal import Journal, Unit
from shared.journal.closing import is_sealed
from shared.journal.crypto import keep_key

AT_ONCE = 200
"""People tagged in one transaction: on SQLite it stays under 50 ms."""

Also = Callable[[Unit], None]


def _nothing(_unit: Unit) -> None:
    pass


Secret = Callable[[int], bytes]
"""The tag key in the file with this number."""


def take_tag_key(
    journal: Journal,
    directory: Path,
    programme: str,
    key_no: int,
    basis: str,
    key: bytes,
    *,
    by: str,
    now: datetime,
    also: Also = _nothing,
) -> int | None:
    """Keep a tag key of the programme in `directory` and have its people tagged; the position, None: it was here.
    `also` is done in the same unit of work.

    Raises `AlreadyRecordedDiffers` if another key came with this number. A crash before the commit leaves a file that
    the next attempt finds.
    """
    number = keep_key(directory, "tag", key).number
    with journal.unit(now) as unit:
        also(unit)
        for known in store.tag_keys(unit.connection, programme):
            if known.key_no == key_no:
                if known == TagKey(key_no, number, basis):
                    return None
                raise AlreadyRecordedDiffers(field="key_no")
        store.add_tag_key(unit.connection, programme, TagKey(key_no, number, basis))
        unit.record(TaggingDue(programme=programme, key_no=key_no))
        unit.audit(by, "take_tag_key", programme=programme, key_no=key_no)
    return unit.pos


def tag_those_due(unit: Unit, vault: Mapping[int, bytes], secret: Secret, programme: str, key_no: int) -> None:
    """Tag the next people who have no tag under this key; says so if there may be more."""
    newest = _newest(unit, programme)
    if newest is None or newest.key_no != key_no or is_sealed(unit.connection, unit.home, programme):
        return  # a newer one has come meanwhile, and with it another `TaggingDue`
    rows = store.people_to_tag(unit.connection, programme, key_no, AT_ONCE)
    _tag(unit, vault, secret, programme, newest, rows)
    if len(rows) == AT_ONCE:
        unit.record(TaggingDue(programme=programme, key_no=key_no))


def tag_person(unit: Unit, vault: Mapping[int, bytes], secret: Secret, programme: str, subject: str) -> None:
    """Tag one person who has just come in, if the programme's tag key is here."""
    newest = _newest(unit, programme)
    if newest is not None and not is_sealed(unit.connection, unit.home, programme):
        rows = store.people_to_tag(unit.connection, programme, newest.key_no, 1, subject)
        _tag(unit, vault, secret, programme, newest, rows)


def retire_tags(
    journal: Journal, programme: str, key_no: int, *, by: str, now: datetime, also: Also = _nothing
) -> tuple[int | None, int]:
    """Turn the lines with tags under an older key into digests, when all nodes have the newer key.

    Returns the position and the number of the key file that is needed no longer. Raises `NotFound`, or `InvalidInput`
    if the key is the newest, or somebody has not been tagged with the newest yet.
    """
    with journal.unit(now) as unit:
        also(unit)
        keys = {key.key_no: key for key in store.tag_keys(unit.connection, programme)}
        if key_no not in keys:
            raise NotFound(what=f"tag key {key_no} of programme {programme}")
        newest = max(keys)
        if key_no == newest:
            raise InvalidInput(field="key_no", reason="it is the newest; people are recognised by it")
        if store.people_to_tag(unit.connection, programme, newest, 1):
            raise InvalidInput(field="key_no", reason="some people have not been tagged with the newest key yet")
        store.drop_tag_key(unit.connection, programme, key_no)
        unit.record(TagsRetired(None, key_no=key_no), programme)
        unit.audit(by, "retire_tags", programme=programme, key_no=key_no)
    return unit.pos, keys[key_no].number


def _newest(unit: Unit, programme: str) -> TagKey | None:
    keys = store.tag_keys(unit.connection, programme)
    return keys[-1] if keys else None


def _tag(
    unit: Unit, vault: Mapping[int, bytes], secret: Secret, programme: str, key: TagKey, rows: Sequence[Any]
) -> None:
    if not rows:
        return
    tag_key = secret(key.number)
    for row in rows:
        identity = store.open_identity(vault, row.person, row.wrapped_key, row.box)
        tag = tag_of(identity, key.basis, programme, tag_key)
        if tag is not None:
            unit.record(PersonTagged(row.subject.hex(), tag=tag, key_no=key.key_no), programme)
    store.note_tagged(unit.connection, [row.subject for row in rows], key.key_no)
