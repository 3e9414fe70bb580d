"""A controller's sample: what lines of ours say, and the people behind them with the evidence of their start and exit
records."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.intake import encounter_store, exit_forms, starts, store
from services.intake.operations import Vault
from shared.contracts.catalogue import OutcomeRecorded, ParticipationStarted, StepEntered
from shared.contracts.encounter_facts import EncounterRecorded
from shared.contracts.errors import UnknownPerson
from shared.journal import Journal, Line
from shared.journal.lines import parse
from shared.journal.reading import numbered_rows
from shared.storage import snapshot

_DRAWN = tuple(fact.kind for fact in (ParticipationStarted, OutcomeRecorded, StepEntered, EncounterRecorded))
"""What stands behind the figures of which a lead draws rows."""


def show_sample(
    journal: Journal, keys: Vault, programme: str, lines: Sequence[int], *, by: str, now: datetime
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """For each of these lines of our stream, in order: what is coded of the person, and what the vault has.

    ``{"line", "state"}``: `found`, with the line's `kind`, `recorded_at` and `body`, and of a person `start` and `exit`
    as `show_start` and `show_exit` have them; `erased`: nothing of the person is kept, or the encounter is no more;
    `unknown`: a sample draws no such line of ours. Every read is logged first. Raises `UnknownProgramme`.
    """
    with snapshot(journal.engine) as connection:
        store.shelf.get(connection, programme)
        rows = numbered_rows(connection, f"{journal.home}/{programme}", set(lines))
        found = {row.seq: row for row in rows}  # the newest epoch holds
        said = {seq: parse(row.line) for seq, row in found.items() if row.line is not None}
        met = [line.body["encounter"] for line in said.values() if _met(line)]
        present = encounter_store.those_there(connection, met)
    with journal.unit(now) as unit:
        unit.audit(by, "show_sample", programme=programme, lines=len(lines))
    shown = list[tuple[dict[str, Any], dict[str, Any]]]()
    for number in lines:
        row, line = found.get(number), said.get(number)
        if row is None or row.kind not in (None, *_DRAWN):
            shown.append(({"line": number, "state": "unknown"}, {}))
        elif line is None or (_met(line) and line.body["encounter"] not in present):
            shown.append(({"line": number, "state": "erased"}, {}))
        else:
            shown.append(_shown(journal, keys, programme, line, by, now))
    return shown


def _met(line: Line) -> bool:
    return line.kind == EncounterRecorded.kind


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
