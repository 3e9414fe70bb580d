"""A controller's sample: what lines of ours say, and the people behind them with the evidence of their start and exit
records."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from services.intake import encounter_store, exit_forms, starts, store
from services.intake.operations import Vault
from shared.contracts.catalogue import OutcomeRecorded, ParticipationStarted, StepEntered
from shared.contracts.encounter_facts import EncounterRecorded
from shared.contracts.errors import UnknownPerson
from shared.contracts.mistake_facts import OutcomeRemoved
from shared.journal import Journal, Line
from shared.journal.lines import parse
from shared.journal.tables import journal_line
from shared.storage import snapshot

_DRAWN = tuple(fact.kind for fact in (ParticipationStarted, OutcomeRecorded, StepEntered, EncounterRecorded))
"""What stands behind the figures of which a lead draws rows."""


def show_sample(
    journal: Journal, keys: Vault, programme: str, lines: Sequence[int], *, by: str, now: datetime
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """For each of these lines of our stream, in order: what is coded of the person, and what the vault has.

    ``{"line", "state"}``: `found`, with the line's `kind`, `recorded_at` and `body`, and of a person `start` and `exit`
    as `show_start` and `show_exit` have them; `erased`: nothing of the person is kept, or the encounter is no more;
    `removed`: it was taken back as a mistake since; `unknown`: a sample draws no such line of ours. Every read is
    logged first. Raises `UnknownProgramme`.
    """
    c, stream = journal_line.c, f"{journal.home}/{programme}"
    query = select(c.seq, c.kind, c.line).where(c.stream == stream, c.seq.in_(set(lines)))
    with snapshot(journal.engine) as connection:
        store.shelf.get(connection, programme)
        found = {row.seq: row for row in connection.execute(query.order_by(c.epoch))}  # the newest epoch holds
        said = {seq: parse(row.line) for seq, row in found.items() if row.line is not None}
        met = [line.body["encounter"] for line in said.values() if _met(line)]
        present = encounter_store.those_there(connection, met)
        removed = {seq for seq, line in said.items() if _is_removed(connection, stream, line)}
    with journal.unit(now) as unit:
        unit.audit(by, "show_sample", programme=programme, lines=len(lines))
    rows = []
    for number in lines:
        row, line = found.get(number), said.get(number)
        if row is None or row.kind not in (None, *_DRAWN):
            rows.append(({"line": number, "state": "unknown"}, dict[str, Any]()))
        elif line is None or (_met(line) and line.body["encounter"] not in present):
            rows.append(({"line": number, "state": "erased"}, dict[str, Any]()))
        elif number in removed:
            rows.append(({"line": number, "state": "removed"}, dict[str, Any]()))
        else:
            rows.append(_shown(journal, keys, programme, line, by, now))
    return rows


def _met(line: Line) -> bool:
    return line.kind == EncounterRecorded.kind


def _is_removed(connection: Connection, stream: str, line: Line) -> bool:
    """Whether a later line of the person says that an outcome was a mistake."""
    if line.kind != OutcomeRecorded.kind or line.subject is None:
        return False
    c = journal_line.c
    query = select(c.line).where(c.subject == bytes.fromhex(line.subject), c.stream == stream, c.seq > line.seq)
    later = connection.execute(query.where(c.kind == OutcomeRemoved.kind)).scalars()
    return any(parse(row).body["outcome_id"] == line.body["outcome_id"] for row in later if row is not None)


def _shown(
    journal: Journal, keys: Vault, programme: str, line: Line, by: str, now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    coded = {"line": line.seq, "state": "found", "kind": line.kind}
    coded |= {"recorded_at": line.recorded_at, "body": line.body}
    if line.subject is None:
        return coded, {}
    try:
        who = (journal, keys, programme, line.subject)
        start, named = starts.show_start(*who, by=by, now=now)
        end, kept = exit_forms.show_exit(*who, by=by, now=now)
    except UnknownPerson:
        return {"line": line.seq, "state": "erased"}, {}
    told = {f"exit_{name}": kept.get(name) for name in ("form_version", "form_kept")}
    return coded | {"start": start, "exit": end}, named | told
