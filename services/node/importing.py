"""`polku import`: a CSV set through the services' own commands, in batches, as often as it is asked for.

The files are checked first, alone (`csvset`); nothing is written if any row is bad. Every row goes with the key of its
identity, so a row that is there already answers with what it made then: an import that was interrupted is begun again
from the start and only adds what is missing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, islice
from typing import Any

from services.node.actor import actor
from services.node.control import Rpc
from services.node.csvcontacts import ContactRow
from services.node.csvencounters import EncounterRow
from services.node.csvexits import ExitRow, FollowUpRow
from services.node.csvforms import AttemptRow, ExitFormRow
from services.node.csvinformed import InformedRow
from services.node.csvpeople import StartRow
from services.node.csvplans import PlanLine, PlanRow
from services.node.csvrows import (
    ASSESSMENTS,
    ATTEMPTS,
    ATTENDANCE,
    CONTACTS,
    ENCOUNTERS,
    EXIT_FORMS,
    EXITS,
    FOLLOWUPS,
    INFORMED,
    ORDER,
    OUTCOMES,
    PARTICIPANTS,
    PAUSES,
    PLANS,
    SESSIONS,
    STARTS,
    STEPS,
    WORKERS,
    AssessmentRow,
    AttendanceRow,
    OutcomeRow,
    ParticipantRow,
    SessionRow,
)
from services.node.csvset import CheckedSet, Row
from services.node.csvspans import SpanRow
from services.node.csvworkers import WorkerRow
from services.node.importcourse import Leaving, courses
from shared.contracts.commands import MAX_ITEMS
from shared.contracts.errors import AlreadyRecordedDiffers, PolkuError, UnknownPerson
from shared.contracts.plan_facts import ENTRIES
from shared.journal.sealed import seal_command
from shared.ops.clock import iso_day

SECONDS = 60.0
"""A batch may take this long: on a slow disk, behind a service that has much to catch up with."""

_OPEN = (
    *("standing", "gender", "service_language", "contact_language", "interpreter", "municipality", "area"),
    *("target_group", "labour_status", "unemployed_months", "education", "foreign_background", "minority"),
    *("disability", "other_disadvantage", "homeless", "rural", "protected_address", "paid_by_project"),
    *("form_language", "form_help", "eura_by"),
)
_SEALED = ("identity_code", "given_name", "family_name", "form_version", "form_kept")
_MET = ("location", "area", "staff", "people_new", "people_known", "women")
_SPAN = {STEPS: ("entered_on", "left_on"), PAUSES: ("paused_on", "resumed_on")}
_KEYED = ("activity", "minutes", "location", "area", "headcount", "headcount_women", "headcount_basis")


class RowRefused(PolkuError):
    """{file}, line {line}: {reason}

    A service refused this row. Running the import again goes on from there.
    """


@dataclass(slots=True)
class Import:
    """One import into the services behind `rpc`; `bus_key` is intake's public key, `progress` is told of each batch."""

    rpc: Rpc
    bus_key: bytes
    skip_bad: bool = False
    progress: Callable[[str, int], None] = lambda _file, _rows: None
    after: int = 0
    by: str = field(default_factory=actor)
    new: dict[str, int] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    refused: list[RowRefused] = field(default_factory=list)
    _made: dict[bytes, str] = field(default_factory=dict)

    def run(self, checked: CheckedSet) -> None:
        """Import a checked set. Raises `RowRefused` at the first refused row, unless bad ones are skipped."""
        self.new, self.known = dict.fromkeys(ORDER, 0), dict.fromkeys(ORDER, 0)
        course = courses(checked)

        def send(
            file: str,
            service: str,
            method: str,
            made: str,
            item: Callable[[Any], dict[str, Any] | None],
            most: int = MAX_ITEMS,
        ) -> None:
            self._send(checked.rows(file), file, service, method, made, item, most)

        send(PARTICIPANTS, "intake", "register_participants", "subject", self._person)
        send(STARTS, "intake", "add_starts", "subject", self._start)
        send(SESSIONS, "activities", "record_sessions", "session", self._session)
        send(ATTENDANCE, "activities", "record_attendance", "attendance", self._attendance)
        send(ASSESSMENTS, "measurement", "record_assessments", "assessment", self._assessment)
        self._leavings(course.until_back)
        send(STEPS, "pathways", "record_steps", "stay", self._span)
        send(PAUSES, "pathways", "record_pauses", "pause", self._span)
        send(OUTCOMES, "pathways", "record_outcomes", "outcome", self._outcome)
        self._leavings(course.since)
        self._exits(course.others(checked, EXITS, ExitRow))
        self._followups(course.others(checked, FOLLOWUPS, FollowUpRow))
        send(ENCOUNTERS, "intake", "record_encounters", "encounter", self._encounter)
        send(WORKERS, "intake", "assign_workers", "subject", self._worker)
        send(CONTACTS, "intake", "add_contacts", "subject", self._contact)
        send(INFORMED, "intake", "add_informed", "informed", self._informed)
        send(EXIT_FORMS, "intake", "add_exit_forms", "subject", self._exit_form)
        send(ATTEMPTS, "intake", "record_attempts", "attempt", self._attempt)
        send(PLANS, "pathways", "record_plans", "subject", self._plan, most=1)

    def _leavings(self, rounds: Sequence[Sequence[Leaving]]) -> None:
        """Of each person the exits in their order. Who was asked before they came back has left first: their row is
        sent without the return, and then whole."""
        for several in rounds:
            asked = [one.exit for one in several if one.asked and one.exit.back]
            self._exits((replace(row, back=None) for row in asked), counted=False)
            known = {id(row) for row in asked}
            self._exits(one.exit for one in several if id(one.exit) not in known)
            self._followups(row for one in several for row in one.asked)
            self._exits(asked)

    def _exits(self, rows: Iterable[ExitRow], *, counted: bool = True) -> None:
        self._send(rows, EXITS, "intake", "record_exits", "subject", self._exit, counted=counted)

    def _followups(self, rows: Iterable[FollowUpRow]) -> None:
        self._send(rows, FOLLOWUPS, "intake", "record_follow_ups", "follow_up", self._followup)

    def _send(
        self,
        rows: Iterable[Any],
        file: str,
        service: str,
        method: str,
        made: str,
        item: Callable[[Any], dict[str, Any] | None],
        most: int = MAX_ITEMS,
        counted: bool = True,
    ) -> None:
        """Send a file's rows, at most `most` at once: one, if to make an item of a row does something already. Not
        `counted`: they are sent once more, and what is wrong with them is said then."""
        for programme, group in groupby(rows, key=lambda row: row.programme):
            while batch := list(islice(group, most)):
                sent = [(row, content) for row in batch if (content := item(row)) is not None]
                if sent:
                    self._batch(file, programme, sent, service, method, made, counted)
                if counted:
                    self.progress(file, len(batch))

    def _batch(
        self,
        file: str,
        programme: str,
        sent: list[tuple[Row, dict[str, Any]]],
        service: str,
        method: str,
        made: str,
        counted: bool,
    ) -> None:
        answer = self.rpc.call(
            service,
            method,
            timeout=SECONDS,
            by=self.by,
            after=self.after,
            programme=programme,
            items=[content for _, content in sent],
            skip_bad=self.skip_bad,
        )
        if answer["pos"] is not None:
            self.after = answer["pos"]
        for (row, _), result in zip(sent, answer["results"], strict=False):
            if not counted and (self.skip_bad or "error" not in result):
                continue
            if "error" in result:
                self._refuse(file, row.line, result["error"])
                continue
            counts = self.new if result["new"] else self.known
            counts[file] += 1
            if file in (PARTICIPANTS, SESSIONS):
                self._made[bytes.fromhex(row.key)] = result[made]

    def _person(self, row: ParticipantRow) -> dict[str, Any]:
        identity = {name: getattr(row, name) for name in _SEALED}
        identity["token"] = ";".join(row.token) or None
        identity["birth_date"] = iso_day(row.birth_date)
        dates = {
            "start_date": iso_day(row.start_date),
            "form_signed_on": iso_day(row.form_signed_on),
            "eura_on": iso_day(row.eura_on),
        }
        plain = {name: getattr(row, name) for name in _OPEN} | dates
        return _present({"key": row.key, "sealed": self._sealed(_present(identity)), **plain})

    def _session(self, row: SessionRow) -> dict[str, Any]:
        plain = {name: getattr(row, name) for name in _KEYED}
        when = {"date": row.date.isoformat(), "start": row.start.strftime("%H:%M") if row.start else None}
        return _present({"key": row.key, "languages": list(row.languages) or None, **plain, **when})

    def _attendance(self, row: AttendanceRow) -> dict[str, Any] | None:
        session = self._made.get(bytes.fromhex(row.session_key))
        subject = self._made.get(bytes.fromhex(row.participant_key))
        if session is None or subject is None:
            return None  # what it refers to was refused and skipped
        people = {"session": session, "subject": subject, "role": row.role, "minutes": row.minutes}
        return _present({"key": row.key, **people})

    def _assessment(self, row: AssessmentRow) -> dict[str, Any] | None:
        who, at = row.participant_key, row.session_key
        subject, session = (self._made.get(bytes.fromhex(key)) if key else None for key in (who, at))
        if (who and subject is None) or (at and session is None):
            return None  # what it refers to was refused and skipped
        named = {"subject": subject, "session": session, "instrument": row.instrument, "version": row.version}
        when = {"occasion": row.occasion, "date": row.date.isoformat()}
        return _present({"key": row.key, **named, **when, "answers": row.answers})

    def _start(self, row: StartRow) -> dict[str, Any] | None:
        subject = self._made.get(bytes.fromhex(row.participant_key))
        if subject is None:
            return None
        told = {"sealed": self._sealed(row.kept), "start_date": row.start_date.isoformat(), **row.told}
        return {"key": row.key, "subject": subject, **told}

    def _span(self, row: SpanRow) -> dict[str, Any] | None:
        subject = self._made.get(bytes.fromhex(row.participant_key))
        if subject is None:
            return None
        since, until = _SPAN[row.file]
        days = {since: row.since.isoformat(), until: iso_day(row.until)}
        return _present({"key": row.key, "subject": subject, "step": row.step, **days})

    def _outcome(self, row: OutcomeRow) -> dict[str, Any] | None:
        subject = self._made.get(bytes.fromhex(row.participant_key))
        if subject is None:
            return None
        return {"key": row.key, "subject": subject, "outcome": row.outcome, "date": row.date.isoformat()}

    def _exit(self, row: ExitRow) -> dict[str, Any] | None:
        subject = self._made.get(bytes.fromhex(row.participant_key))
        if subject is None:
            return None
        codes = {"reason": row.reason, "results": list(row.results) or None, "next": row.next}
        codes |= {"planned": row.planned, "resumed_on": iso_day(row.back)}
        return _present({"key": row.key, "subject": subject, "date": row.date.isoformat(), **codes})

    def _followup(self, row: FollowUpRow) -> dict[str, Any] | None:
        subject = self._made.get(bytes.fromhex(row.participant_key))
        if subject is None:
            return None
        days = {"due": row.due.isoformat(), "date": row.date.isoformat()}
        codes = {"status": row.status, "results": list(row.results) or None}
        return _present({"key": row.key, "subject": subject, **days, **codes})

    def _worker(self, row: WorkerRow) -> dict[str, Any] | None:
        subject = self._made.get(bytes.fromhex(row.participant_key))
        return None if subject is None else {"key": row.key, "subject": subject, "worker": row.worker}

    def _contact(self, row: ContactRow) -> dict[str, Any] | None:
        subject = self._made.get(bytes.fromhex(row.participant_key))
        if subject is None:
            return None
        how = _present({"phone": row.phone, "email": row.email, "contact_way": row.contact_way})
        return {"key": row.key, "subject": subject, "sealed": self._sealed(how)}

    def _informed(self, row: InformedRow) -> dict[str, Any] | None:
        subject = self._made.get(bytes.fromhex(row.participant_key))
        if subject is None:
            return None
        told = {"notice": row.notice, "language": row.language, "consents": list(row.consents)}
        return {"key": row.key, "subject": subject, **told, "date": row.date.isoformat()}

    def _exit_form(self, row: ExitFormRow) -> dict[str, Any] | None:
        subject = self._made.get(bytes.fromhex(row.participant_key))
        if subject is None:
            return None
        return {"key": row.key, "subject": subject, "sealed": self._sealed(row.kept), **row.told}

    def _attempt(self, row: AttemptRow) -> dict[str, Any] | None:
        subject = self._made.get(bytes.fromhex(row.participant_key))
        if subject is None:
            return None
        what = {"record": row.record, "status": row.status, "date": row.date.isoformat()}
        return {"key": row.key, "subject": subject, **what}

    def _plan(self, row: PlanRow) -> dict[str, Any] | None:
        """Its texts are kept first. Whoever has a plan keeps it: then no text is, which no plan would name."""
        subject = self._made.get(bytes.fromhex(row.participant_key))
        if subject is None:
            return None
        if self._has_plan(row.programme, subject):
            self.known[PLANS] += 1
            return None
        refs = self._texts(row, subject)
        if refs is None:
            return None
        codes = {one.what: one.code for one in row.lines}
        whole: dict[str, Any] = {"strengths": [one.code for one in row.lines if one.what == "strength"]}
        whole |= {"next": codes.get("ready") or codes.get("next"), "ready": "ready" in codes}
        entries = [_entry(one, refs.get(place)) for place, one in enumerate(row.lines) if one.what in ENTRIES]
        return {"key": row.key, "subject": subject, "was": 0, "entries": entries, **whole}

    def _has_plan(self, programme: str, subject: str) -> bool:
        try:
            plan = self.rpc.call("pathways", "show_plan", programme=programme, subject=subject)
        except UnknownPerson:
            return False  # pathways has not heard of them yet
        return bool(plan["revision"])

    def _texts(self, row: PlanRow, subject: str) -> dict[int, str] | None:
        """The ids of a plan's texts by the places of their rows; None: one was refused and skipped.

        Where another text was kept at a place before (the list was mended since), this one is kept beside it. A digest
        of the text in the key would do that too, but a short text could be guessed from it.
        """
        told = {place: line.text for place, line in enumerate(row.lines) if line.text}
        before = dict.fromkeys(told, 0)
        while told:
            items = [
                {"key": row.text_key(place, before[place]), "subject": subject, "sealed": self._sealed({"text": text})}
                for place, text in told.items()
            ]
            what: dict[str, Any] = {"by": self.by, "programme": row.programme, "items": items}
            results = self.rpc.call("intake", "keep_texts", timeout=SECONDS, **what)["results"]
            kept = dict(zip(told, results, strict=False))
            place = next((place for place, result in kept.items() if "error" in result), None)
            if place is None:
                return {place: result["text_ref"] for place, result in kept.items()}
            if kept[place]["error"]["code"] != AlreadyRecordedDiffers.code:
                self._refuse(PLANS, row.lines[place].line, kept[place]["error"])
                return None
            before[place] += 1
        return {}

    def _refuse(self, file: str, line: int, error: dict[str, Any]) -> None:
        refused = RowRefused(file=file, line=line, reason=str(PolkuError.from_wire(error)))
        if not self.skip_bad:
            raise refused
        self.refused.append(refused)

    def _encounter(self, row: EncounterRow) -> dict[str, Any]:
        plain = {name: getattr(row, name) for name in _MET}
        when = {"date": row.date.isoformat(), "start": row.time.strftime("%H:%M") if row.time else None}
        several = {name: list(getattr(row, name)) or None for name in ("languages", "topics", "guided_to")}
        sealed = self._sealed({"tokens": list(row.token)}) if row.token else None
        return _present({"key": row.key, "sealed": sealed, **plain, **when, **several})

    def _sealed(self, content: Mapping[str, Any]) -> str:
        return seal_command(self.bus_key, content)


def _entry(line: PlanLine, text_ref: str | None) -> dict[str, Any]:
    """A row of a plan as its entry. As on the page, the person sees goals and actions, unless the list says no."""
    shown = line.shown == "yes" if line.shown else line.what in ("goal", "action")
    told = {"what": line.what, "state": line.state or ("done" if line.what == "review" else "open"), "shown": shown}
    told |= {"text_ref": text_ref, "who": line.who, "day": iso_day(line.day)}
    return _present(told | {"barrier": line.code, "solutions": list(line.solutions)})


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    """What was recorded: a member left out says "not recorded"."""
    return {name: value for name, value in values.items() if value is not None}
