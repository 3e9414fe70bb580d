"""The judge: the ledger against the nodes' journals, and these against the lead's lines and derived rows.

It knows each fact by its mark (`marks`), reads the tables itself and asks no code of the product what they mean.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, select

from services.reporting import store
from shared.journal.carry_tables import received_conflict, received_line, received_refused
from shared.journal.segment import Reason
from shared.journal.tables import journal_line
from tests.faults.bench import marks

ZERO = ("lost", "duplicated_effect", "unexpected", "undetected_gap", "false_complete")
OURS = "intake.subject_erased"
"""The one kind of line that comes from no mark: an erasure of the ledger."""


@dataclass
class Verdict:
    """The counters, and for each that should be zero what was found, a few of it."""

    counters: Counter[str] = field(default_factory=Counter)
    found: dict[str, list[str]] = field(default_factory=dict)

    def count(self, counter: str, what: str, number: int = 1) -> None:
        """Something that should not be."""
        self.counters[counter] += number
        shown = self.found.setdefault(counter, [])
        if len(shown) < 20:
            shown.append(what)


@dataclass
class Claims:
    """What the ledger says of one partner."""

    attempted: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    who: dict[str, str] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)


@dataclass
class Found:
    """The facts of one place by mark: a list of contents for each, so that what is there twice shows."""

    facts: dict[str, list[Any]] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)

    def add(self, mark: str, content: Any) -> None:
        """A fact with this mark."""
        self.facts.setdefault(mark, []).append(content)


def claims(entries: Iterable[dict[str, Any]]) -> dict[str, Claims]:
    """The ledger by partner."""
    found: dict[str, Claims] = {}
    for entry in entries:
        if "partner" not in entry:
            continue
        of = found.setdefault(entry["partner"], Claims())
        if entry["do"] == "attempt":
            of.attempted |= set(entry["marks"])
            of.who |= _who(entry)
        elif entry["do"] == "answer":
            of.answered |= set(entry["marks"])
            of.who |= _who(entry)
            of.refused |= entry["refused"]
        elif entry["do"] == "erase":
            of.erased.add(entry["subject"])
    return found


def _who(entry: Mapping[str, Any]) -> dict[str, str]:
    """Whom each mark is about, where the entry says so."""
    return dict(zip(entry["marks"], entry["who"], strict=True)) if "who" in entry else {}


def judge(
    ledger: Mapping[str, Claims],
    nodes: Sequence[tuple[str, str, Connection]],
    lead: Connection,
    said: Mapping[str, dict[str, Any]],
    quarantine: Mapping[bytes, Reason],
    seen: Mapping[bytes, str],
) -> Verdict:
    """Compare everything; `nodes` are partner, stream and database, `said` the lead's statement by stream, `quarantine`
    what had to be refused and `seen` what was seen to be (before the lead was restored)."""
    verdict = Verdict()
    for partner, stream, node in nodes:
        of = ledger.get(partner, Claims())
        ours, theirs = _lines(node, journal_line, stream), _lines(lead, received_line, stream)
        _compare_lines(verdict, stream, ours, theirs, said[stream])
        recorded = in_lines({seq: line for seq, (_, line) in ours.items()})
        _compare_facts(verdict, stream, of, recorded, derived(lead, stream), len(theirs))
        if (aside := len(lead.execute(select(store.aside).where(store.aside.c.stream == stream)).all())) > 0:
            verdict.count("unexpected", f"{stream}: {aside} lines were set aside", aside)
    verdict.counters["conflicted"] = len(lead.execute(select(received_conflict)).all())
    refused = {bytes(row.digest): row.reason for row in lead.execute(select(received_refused))} | dict(seen)
    verdict.counters["quarantined"] = len(refused)
    for digest in refused.keys() | quarantine.keys():
        if refused.get(digest) != quarantine.get(digest):
            verdict.count("unexpected", f"refused as {refused.get(digest)}, expected {quarantine.get(digest)}")
    return verdict


def _lines(connection: Connection, table: Any, stream: str) -> dict[int, tuple[bytes, bytes | None]]:
    query = select(table.c.seq, table.c.digest, table.c.line).where(table.c.stream == stream)
    return {row.seq: (bytes(row.digest), row.line) for row in connection.execute(query)}


def _compare_lines(
    verdict: Verdict,
    stream: str,
    ours: Mapping[int, tuple[bytes, bytes | None]],
    theirs: Mapping[int, tuple[bytes, bytes | None]],
    said: dict[str, Any],
) -> None:
    """The lead's lines are the node's, to the byte, and what lacks is what the lead says it lacks."""
    known = {seq for first, last in said["missing"] for seq in range(first, last + 1)}
    for seq in ours.keys() - theirs.keys():
        if seq not in known:
            verdict.count("undetected_gap", f"{stream} line {seq}; the lead says {said['state']}")
    if said["state"] == "complete" and ours.keys() - theirs.keys():
        verdict.count("false_complete", f"{stream}: complete without {len(ours.keys() - theirs.keys())} lines")
    for seq, (digest, line) in theirs.items():
        if ours.get(seq) != (digest, line):
            verdict.count("unexpected", f"{stream} line {seq} is not the node's")
        elif line is not None and sha256(line).digest() != digest:
            verdict.count("unexpected", f"{stream} line {seq} does not have its digest")
    if sorted(ours) != list(range(1, len(ours) + 1)):
        verdict.count("lost", f"{stream}: the node's own numbers have a hole")


def _compare_facts(verdict: Verdict, stream: str, of: Claims, recorded: Found, applied: Found, delivered: int) -> None:
    counters = verdict.counters
    gone = {mark for mark, subject in of.who.items() if subject in of.erased}
    counters["attempted"] += len(of.attempted)
    counters["committed"] += len(recorded.facts)
    counters["delivered"] += delivered
    counters["applied"] += len(applied.facts)
    counters["erased"] += len(gone & of.answered)
    counters["refused"] += len(of.refused)
    for mark in of.refused.keys() - gone:
        verdict.count("unexpected", f"{stream} {mark}: refused as {of.refused[mark]}, and nobody was erased")
    for mark in of.answered - gone - recorded.facts.keys():
        verdict.count("lost", f"{stream} {mark}: answered, and not in the node's journal")
    for mark in recorded.facts.keys() - applied.facts.keys() - gone:
        verdict.count("lost", f"{stream} {mark}: in the journal, and not in the lead's figures")
    for place, there in (("journal", recorded), ("figures", applied)):
        for mark, contents in there.facts.items():
            if len(contents) > 1:
                verdict.count("duplicated_effect", f"{stream} {mark}: {len(contents)} times in the {place}")
            if mark not in of.attempted:
                verdict.count("unexpected", f"{stream} {mark}: in the {place}, never attempted")
        for what in there.strange:
            verdict.count("unexpected", f"{stream} {what}: in the {place}, from no attempt")
    for mark in applied.facts.keys() - recorded.facts.keys():
        verdict.count("unexpected", f"{stream} {mark}: in the figures, and not in the journal")
    for mark, contents in applied.facts.items():
        if recorded.facts.get(mark, contents) != contents:
            verdict.count("unexpected", f"{stream} {mark}: the figures say something else than the journal")


def in_lines(lines: Mapping[int, bytes | None]) -> Found:
    """The facts of a stream's lines."""
    found, sessions = Found(), {}
    for seq in sorted(lines):
        text = lines[seq]
        if text is None:
            continue
        line = json.loads(text)
        kind, body, subject = line["kind"], line["body"], line["subject"]
        if kind == "intake.standing_reached":
            day = date.fromisoformat(body["occurred_on"])
            found.add(f"p{(day - marks.START).days}", (subject, body["standing"], day))
        elif kind == "activities.session_held":
            day = date.fromisoformat(body["occurred_on"])
            number = sessions[body["session"]] = marks.session_number(day, body.get("minutes"))
            found.add(f"s{number}", (body["session"], body["activity"], day, body["minutes"]))
        elif kind == "activities.heads_counted":
            found.add(f"h{body['heads']}", (body["session"], body["heads"]))
        elif kind == "activities.attendance_recorded":
            mark = f"a{sessions.get(body['session'], -1)}.{body['minutes'] - 1}"
            found.add(mark, (body["attendance"], body["session"], subject, body["minutes"]))
        elif kind != OURS:
            found.strange.append(f"{kind} at {seq}")
    return found


def derived(lead: Connection, stream: str) -> Found:
    """The facts of the lead's derived tables."""
    found, sessions = Found(), {}

    def rows(table: Any) -> Iterable[Any]:
        return lead.execute(select(table).where(table.c.stream == stream)).all()

    for row in rows(store.person):
        number = (row.since - marks.START).days if row.since else -1
        found.add(f"p{number}", (row.subject.hex(), row.standing, row.since))
    for row in rows(store.session):
        number = sessions[row.session] = marks.session_number(row.occurred_on, row.minutes)
        found.add(f"s{number}", (row.session.hex(), row.activity, row.occurred_on, row.minutes))
    for row in rows(store.heads):
        found.add(f"h{row.heads}", (row.session.hex(), row.heads))
    for row in rows(store.attendance):
        mark = f"a{sessions.get(row.session, -1)}.{(row.minutes or 0) - 1}"
        found.add(mark, (row.attendance.hex(), row.session.hex(), row.subject.hex(), row.minutes))
    return found
