"""Referrals as they are shown: who reads whom is written down first."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from services.intake import referral_store, store, text_store, worker_store
from services.intake.domain import is_protected
from services.intake.operations import Vault
from services.intake.referrals import Place


@dataclass(frozen=True, slots=True)
class Shown:
    """A referral to be shown: coded, and who and why in clear, which goes out only sealed."""

    coded: dict[str, Any]
    named: dict[str, Any]

    def __repr__(self) -> str:
        return "Shown(…)"  # never a name in a log


_CODED = ("direction", "partner", "node", "state", "reason", "became", "outcome")
_NAMED = ("given_name", "family_name", "token", "birth_date")


def listed(
    place: Place,
    limit: int,
    offset: int,
    *,
    number: str | None = None,
    by: str,
    now: datetime,
    own_only: bool = False,
) -> tuple[int, list[Shown]]:
    """How many referrals there are, and some, the newest change first (`number`: that one alone). Who reads whom is
    written down first.

    `own_only`: of a person of ours whose worker is another than `by` nothing is opened.
    """
    programme = place.programme
    with place.journal.unit(now) as unit:
        connection = unit.connection
        store.shelf.get(connection, programme)
        total, rows = referral_store.list_referrals(connection, programme, limit, offset, number)
        subjects = {row.subject.hex() for row in rows if row.subject}
        shown = worker_store.visible_to(connection, programme, subjects, by) if own_only else subjects
        if rows:
            numbers = sorted(row.referral.hex() for row in rows)
            unit.audit(by, "read_referrals", programme=programme, referrals=numbers, subjects=sorted(shown))
        people = store.people_of(connection, programme, [bytes.fromhex(subject) for subject in shown])
        told = (row for row in rows if row.subject is None or row.subject.hex() in shown)
        refs = [row.text_ref.hex() for row in told if row.text_ref]
        texts = {
            t.text_ref: text_store.open_text(place.keys.vault, t)
            for t in text_store.find_texts(connection, programme, refs)
        }
        found = [_shown(connection, place.keys, row, people, texts, in_list=number is None) for row in rows]
        for row, one in zip(rows, found, strict=True):
            one.coded["others"] = row.subject is not None and row.subject.hex() not in shown
        return total, found


def _shown(
    connection: Connection,
    keys: Vault,
    row: Any,
    people: dict[bytes, Any],
    texts: dict[bytes, str],
    *,
    in_list: bool,
) -> Shown:
    told: dict[str, Any] = {"identity": {}, "text": texts.get(row.text_ref)}
    if row.box is not None:
        told = referral_store.open_referred(connection, keys.vault, row)
    elif row.subject in people:
        person = people[row.subject]
        told["identity"] = store.open_identity(keys.vault, person.person, person.wrapped_key, person.box)
        told["record"] = json.loads(person.record)
    protected = is_protected(told.get("record") or {})
    if protected and in_list:  # nobody with a protected address has a name there, nor what would tell it
        told = {"identity": {"token": told["identity"].get("token")}, "text": None}
    coded = {name: getattr(row, name) for name in _CODED} | {"referral": row.referral.hex()}
    coded |= {"person": row.subject.hex() if row.subject else None, "changed_at": row.changed_at}
    coded["protected"] = protected
    named = {name: told["identity"].get(name) for name in _NAMED} | {"text": told.get("text")}
    named["left_out"] = told.get("left_out", [])
    return Shown(coded, named)
