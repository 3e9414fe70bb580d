"""A controller's sample: the people behind lines of ours, with the evidence of their start and exit records."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from services.intake import exit_forms, starts, store
from services.intake.operations import Vault
from shared.contracts.catalogue import ParticipationStarted
from shared.contracts.errors import UnknownPerson
from shared.journal import Journal
from shared.journal.tables import journal_line
from shared.storage import snapshot


def show_sample(
    journal: Journal, keys: Vault, programme: str, lines: Sequence[int], *, by: str, now: datetime
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """For each of these lines of our stream, in order: what is coded of the person, and what the vault has.

    ``{"line", "state"}``: `found`, with `start` and `exit` as `show_start` and `show_exit` have them; `erased`: nothing
    of the person is kept; `unknown`: it is no start record of ours. Every read is logged first. Raises
    `UnknownProgramme`.
    """
    c = journal_line.c
    query = select(c.seq, c.kind, c.subject).where(c.stream == f"{journal.home}/{programme}", c.seq.in_(set(lines)))
    with snapshot(journal.engine) as connection:
        store.shelf.get(connection, programme)
        found = {row.seq: row for row in connection.execute(query.order_by(c.epoch))}  # the newest epoch holds
    with journal.unit(now) as unit:
        unit.audit(by, "show_sample", programme=programme, lines=len(lines))
    rows = []
    for line in lines:
        row = found.get(line)
        if row is None or row.kind not in (None, ParticipationStarted.kind):
            rows.append(({"line": line, "state": "unknown"}, dict[str, Any]()))
            continue
        try:
            if row.subject is None:
                raise UnknownPerson(field="person", programme=programme)
            who = (journal, keys, programme, row.subject.hex())
            start, named = starts.show_start(*who, by=by, now=now)
            end, kept = exit_forms.show_exit(*who, by=by, now=now)
        except UnknownPerson:
            rows.append(({"line": line, "state": "erased"}, dict[str, Any]()))
            continue
        told = {f"exit_{name}": kept.get(name) for name in ("form_version", "form_kept")}
        rows.append(({"line": line, "state": "found", "start": start, "exit": end}, named | told))
    return rows
