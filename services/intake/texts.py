"""Free text: notes and agreed actions of every service, kept here alone. Others hold a `text_ref` (architecture §1).

A text of a person is encrypted with that person's key, so that it goes when the key goes. A text of no person (the note
of a session) is encrypted with a key of the programme, which goes when the programme's records are due to go.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from services.intake import exit_store, store, text_store, worker_store
from services.intake.operations import Vault
from shared.contracts.errors import UnknownPerson
from shared.journal import Journal
from shared.journal.closing import refuse_final
from shared.journal.unit import new_id
from shared.storage.once import Results, each_once
from shared.storage.restricting import refuse_restricted, restricted_among


@dataclass(frozen=True, slots=True)
class NewText:
    """A text to be kept, in clear; `subject` is None for one of no person."""

    key: str
    subject: str | None
    text: str

    def __repr__(self) -> str:
        return "NewText(…)"  # never a text in a log


def keep_texts(
    journal: Journal, keys: Vault, programme: str, texts: Sequence[NewText], *, by: str, now: datetime
) -> Results:
    """Keep texts, in order, up to the first that is refused.

    Returns a result per item, ``{"text_ref", "new"}`` or ``{"error"}``. No line comes of it: a text is told of by the
    fact that names its `text_ref`.
    """
    with journal.unit(now) as unit:
        connection = unit.connection
        store.shelf.get(connection, programme)
        refuse_final(connection, journal.home, programme)
        # Locked: whoever restricts or erases one of them meanwhile waits, and finds the text that is kept here.
        exit_store.stays(connection, programme, (new.subject for new in texts if new.subject))
        owners = store.owners(connection, programme, (new.subject for new in texts if new.subject))
        restricted = restricted_among(connection, (new.subject for new in texts))

        def take(new: NewText) -> str:
            # No line comes of a text: nobody else would refuse it.
            refuse_restricted(restricted, new.subject, "support", "intake", "subject")
            return _keep(connection, keys.vault, programme, new, owners)

        results, fresh = each_once(
            connection,
            store.keys,
            programme,
            texts,
            take,
            what="text_ref",
            field="text",
            skip_bad=False,
            digester=keys,
            right=True,  # `take` refuses: a text supports a person, whatever else of intake serves
            content=lambda new: json.dumps(["text", programme, new.subject, new.text]).encode(),
        )
        if fresh:
            unit.audit(by, "keep_texts", programme=programme, texts=len(fresh))
    return results


def _keep(
    connection: Connection,
    vault_keys: Mapping[int, bytes],
    programme: str,
    new: NewText,
    owners: Mapping[str, store.Owner],
) -> str:
    ref = new_id()
    if new.subject is None:
        owner = text_store.programme_owner(connection, vault_keys, programme)
    elif new.subject in owners:
        owner = owners[new.subject]
    else:
        raise UnknownPerson(field="subject", programme=programme)
    text_store.add_text(connection, vault_keys, ref, programme, new.subject, owner, new.text)
    return ref


def read_texts(
    journal: Journal,
    keys: Vault,
    programme: str,
    refs: Sequence[str],
    *,
    by: str,
    now: datetime,
    own_only: bool = False,
) -> dict[str, str]:
    """The texts of this programme that are there, by `text_ref`, in clear; an erased one is not among them, nor, with
    `own_only`, one of a person whose worker is another than `by`.

    Who is about to read which texts of whom is written down first, in a transaction of its own. Raises
    `UnknownProgramme`.
    """
    with journal.unit(now) as unit:
        store.shelf.get(unit.connection, programme)
        found = text_store.find_texts(unit.connection, programme, refs)
        if own_only:
            whose = (row.subject.hex() for row in found if row.subject)
            mine = worker_store.visible_to(unit.connection, programme, whose, by)
            found = [row for row in found if row.subject is None or row.subject.hex() in mine]
        if found:
            subjects = sorted({row.subject.hex() for row in found if row.subject})
            texts = sorted(row.text_ref.hex() for row in found)
            unit.audit(by, "read_texts", programme=programme, texts=texts, subjects=subjects)
    return {row.text_ref.hex(): text_store.open_text(keys.vault, row) for row in found}
