"""What erasing somebody would erase, told before it is done: counts by kind of line (decision 0184)."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from services.intake import rights_store, store, text_store
from services.intake.records import has_record
from shared.contracts.errors import ChangedMeanwhile, UnknownPerson
from shared.contracts.purposes import PURPOSES, purpose_of
from shared.journal import Unit


def preview(connection: Connection, programme: str, subject: str) -> dict[str, Any]:
    """``{"seen", "purposes": [{"purpose", "kinds", "texts", "record"}], "other"}``; `other`: kinds of no purpose alone,
    which go with the person. A kind is ``{"kind", "lines", "to_lead"}``. Raises `UnknownPerson`."""
    row = store.find_participation(connection, programme, subject)
    if row is None:
        raise UnknownPerson(field="person", programme=programme)
    kinds: dict[str | None, list[dict[str, Any]]] = {purpose: [] for purpose in (*PURPOSES, None)}
    for kind, lines, to_lead in rights_store.lines_by_kind(connection, row.subject):
        kinds[purpose_of(kind)].append({"kind": kind, "lines": lines, "to_lead": int(to_lead)})
    texts, record = len(text_store.texts_of(connection, row.subject)), has_record(row)
    purposes = [
        {
            "purpose": purpose,
            "kinds": kinds[purpose],
            "texts": texts if purpose == "support" else 0,
            "record": record and purpose == "esf_record",
        }
        for purpose in PURPOSES
    ]
    return {"seen": rights_store.newest_line(connection, row.subject), "purposes": purposes, "other": kinds[None]}


def refuse_unseen(unit: Unit, programme: str, subject: str, seen: int | None) -> None:
    """Raise `ChangedMeanwhile` if a line about somebody who is here is newer than the preview that is confirmed; None:
    whatever is there is confirmed."""
    if seen is None or store.locked_participation(unit.connection, programme, subject) is None:
        return
    if rights_store.newest_line(unit.connection, bytes.fromhex(subject)) > seen:
        raise ChangedMeanwhile(field="seen")


def unless_unseen(may: Callable[[Unit, str, str], None], seen: int | None) -> Callable[[Unit, str, str], None]:
    """`may`, after `refuse_unseen`."""

    def check(unit: Unit, programme: str, subject: str) -> None:
        refuse_unseen(unit, programme, subject, seen)
        may(unit, programme, subject)

    return check
