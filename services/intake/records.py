"""Rules of exit records: who can leave, come back and be asked when. What is counted of it is in `shared.forms`."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from services.intake.domain import Arrival, Before, check_arrival, check_evidence
from shared.contracts.catalogue import ParticipationStarted
from shared.contracts.errors import AlreadyRecordedDiffers, InvalidInput, UnknownCode
from shared.contracts.purposes import purpose_of
from shared.contracts.record_facts import GONE, MOST_TRIES
from shared.forms import find_form, records
from shared.forms.records import IN_EURA, NONE, QUESTIONS, End, Start, end_problems, lacks, not_asked, result_problems
from shared.programmes import Programme
from shared.programmes.leaving import next_problems

FACT_MEMBERS = tuple(
    name for name in ParticipationStarted.members if name not in ("occurred_on", "age", "continues", "proof")
)
"""What of the start form goes into the fact as it is; languages, interpreter and form details stay on the node."""
ASKS_NOBODY = "asks nobody after they left: its file has no followup"
LATEST_EXIT = timedelta(days=366)
"""After the programme's last day: a later exit is a slip of the pen, and `keep_months` would count from it."""
LONGEST_WAIT = timedelta(days=2 * 366)
"""After leaving: a follow-up that falls due later is a slip of the pen."""

KEPT_OF_THE_RECORD = ("service_language", "contact_language", "interpreter", "protected_address")
"""What serves the work with a person, and what protects them. No form of the fund asks it: it stays where a form says
nothing else, and when the fund's record goes."""

LEFT = "left"
"""As `end_reason` without a day: the fund's record of who had left is erased, and they are no less away (decision
0247). Of the dead it stays that they died: what protects persons' data is for the living (GDPR, recital 27)."""

_Day = date
"""A day, in a class that has a `date`."""


@dataclass(frozen=True)
class NewExit:
    """A person leaving, to be recorded; `results` None: nobody wrote them down."""

    key: str
    subject: str
    date: date
    reason: str
    results: tuple[str, ...] | None
    next: str | None
    corrects: bool = False

    @property
    def service(self) -> str | None:
        """The service that the person's ready plan names."""
        return None

    @property
    def resumed_on(self) -> _Day | None:
        """The day on which the person came back after this exit."""
        return None


@dataclass(frozen=True)
class PlannedExit(NewExit):
    """A person leaving with a ready plan. Apart from `NewExit`, so that what a key stands for is what it was before."""

    planned: str = ""

    @property
    def service(self) -> str | None:
        return self.planned or None


@dataclass(frozen=True)
class ReturnedExit(PlannedExit):
    """A person who left and came back. Apart from the others for the same reason."""

    back: _Day | None = None

    @property
    def resumed_on(self) -> _Day | None:
        return self.back


@dataclass(frozen=True, slots=True)
class NewFollowUp:
    """A try to reach a person who has left, to be recorded."""

    key: str
    subject: str
    due: date
    date: date
    status: str
    results: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Stay:
    """A person's participation as it stands: the first start, the exit that holds, since when they are back."""

    started_on: date | None
    resumed_on: date | None = None
    ended_on: date | None = None
    reason: str | None = None
    results: tuple[str, ...] | None = None
    next: str | None = None
    planned: str | None = None
    standing: str = ""

    def left(self, new: NewExit) -> "Stay":
        ended = replace(self, ended_on=new.date, reason=new.reason, results=new.results)
        return replace(ended, next=new.next, planned=new.service)

    def resumed(self, day: date) -> "Stay":
        """Back from the exit that holds; of a record that is erased nothing was interrupted."""
        since = day if self.ended_on is not None else self.resumed_on
        return Stay(self.started_on, resumed_on=since, standing=self.standing)

    @property
    def said(self) -> tuple[Any, ...]:
        """What the exit says."""
        return self.ended_on, self.reason, self.results, self.next, self.planned


def check_exit(
    new: NewExit, stay: Stay, programme: Programme, today: date, asked: Collection[date] = frozenset()
) -> None:
    """Refuse an exit that cannot be; `asked`: the days on which the person was asked how they fare. Raises
    `InvalidInput`, `UnknownCode` or `AlreadyRecordedDiffers`, by field."""
    if stay.started_on is None:
        _check_client(new, stay, programme)
    if new.date > today:
        raise InvalidInput(field="date", reason="in the future")
    if new.date > programme.period.end + LATEST_EXIT:
        raise InvalidInput(field="date", reason="more than a year after the programme's period")
    if new.next and new.next not in programme.outcome_by_key:
        raise UnknownCode(field="next", programme=programme.key, value=new.next)
    check_next(new, stay, programme)
    if stay.started_on is not None:
        if new.results and programme.esf_record == "eura_only":
            raise InvalidInput(field="results", reason=IN_EURA)
        form = find_form(programme.funding_programme)
        for field, reason in end_problems(form, stay.started_on, End(new.date, frozenset(new.results or ()))):
            raise InvalidInput(field=field, reason=reason)
    if new.corrects:
        if stay.ended_on is None:
            raise InvalidInput(field="corrects", reason="the person has not left: there is no exit to correct")
        if stay.resumed_on is not None and new.date < stay.resumed_on:
            raise InvalidInput(field="date", reason="before the person came back")
        if any(stay.ended_on <= day < new.date for day in asked):
            raise InvalidInput(field="date", reason="after a follow-up of this exit: the person had left by then")
    elif new.date == stay.ended_on and stay.left(new) != stay:
        raise AlreadyRecordedDiffers(field="date")
    if new.resumed_on is not None:
        _check_return(new.resumed_on, new.date, new.reason, today, "resumed_on")


def check_next(new: NewExit, stay: Stay, programme: Programme) -> None:
    """Refuse an exit into nothing, where the programme says that nobody leaves so; a plan that names no service; and
    another partner where there is none, but of whom an accepted referral has ended the participation."""
    if new.service is not None and new.service not in programme.outcome_by_key:
        raise UnknownCode(field="planned", programme=programme.key, value=new.service)
    for field, reason in next_problems(programme, new.reason, new.next, new.service):
        is_known = stay.reason == new.reason if field == "reason" else stay.started_on is None
        if not is_known:  # who has no start leaves into nothing of the programme's
            raise InvalidInput(field=field, reason=reason)


def _check_client(new: NewExit, stay: Stay, programme: Programme) -> None:
    """Refuse the leaving of somebody who has no start and is no client, and what only the fund's record has."""
    if stay.standing != "client":
        raise InvalidInput(field="participant", reason="has no start date: there is nothing to leave")
    for field, told in (("results", new.results), ("next", new.next), ("planned", new.service)):
        if told:
            raise InvalidInput(field=field, reason="is of the fund's record, and the person has no start date")
    if new.date < programme.period.start:
        raise InvalidInput(field="date", reason="before the programme's period")


def takes_effect(new: NewExit, stay: Stay) -> bool:
    """Whether this becomes the exit that holds: the last one does, or one that corrects it."""
    if new.corrects:
        return stay.left(new) != stay
    if stay.ended_on is not None:
        return new.date > stay.ended_on
    return stay.resumed_on is None or new.date >= stay.resumed_on


def check_resumed(day: date, stay: Stay, today: date) -> None:
    """Refuse a return of somebody who has not left, or before they did. Raises `InvalidInput`."""
    if stay.ended_on is None and stay.reason is not None:  # what is left of an erased exit: no day, nothing to correct
        if day > today:
            raise InvalidInput(field="date", reason="in the future")
        return
    if stay.ended_on is None:
        raise InvalidInput(field="person", reason="has not left")
    _check_return(day, stay.ended_on, stay.reason, today, "date")


def _check_return(day: date, ended_on: date, reason: str | None, today: date, field: str) -> None:
    if reason == "died":
        raise InvalidInput(field="person", reason="has died: correct the exit first")
    if day > today:
        raise InvalidInput(field=field, reason="in the future")
    if day < ended_on:
        raise InvalidInput(field=field, reason="before the exit")


def check_follow_up(new: NewFollowUp, stay: Stay, programme: Programme, today: date, tries: int) -> None:
    """Refuse a follow-up that cannot be; `tries` since the exit were in vain before. Raises `InvalidInput`."""
    if stay.started_on is None:
        raise InvalidInput(field="participant", reason="has no start date: follow-ups are of the fund's record")
    if stay.ended_on is None:
        raise InvalidInput(field="participant", reason="has not left")
    if programme.follow_up_days is None:
        raise InvalidInput(field="programme", reason=ASKS_NOBODY)
    if new.date > today:
        raise InvalidInput(field="date", reason="in the future")
    for field in ("due", "date"):
        if getattr(new, field) < stay.ended_on:
            raise InvalidInput(field=field, reason="before the exit")
    if new.status == "reached" and new.date < new.due:
        raise InvalidInput(field="date", reason="before due: nobody can say yet how they fare by then")
    if new.due > stay.ended_on + LONGEST_WAIT:
        raise InvalidInput(field="due", reason="more than two years after the exit")
    if new.status == "not_reached" and tries >= MOST_TRIES:
        raise InvalidInput(field="status", reason="was tried three times since the exit already: not reached")
    if new.results and new.status != "reached":
        raise InvalidInput(field="results", reason="nobody was reached who could have told them")
    if new.results and programme.esf_record == "eura_only":
        raise InvalidInput(field="results", reason=IN_EURA)
    for field, reason in result_problems(find_form(programme.funding_programme), new.results or ()):
        raise InvalidInput(field=field, reason=reason)


def check_first_start(start: date | None, stay: Stay) -> None:
    """Refuse a first start after the person left or came back: a record keeps the first one, whatever comes later
    (reference §1.2). Who had no start yet may begin after they left, unless they had died. Raises `InvalidInput`."""
    last = (stay.ended_on, stay.resumed_on)
    if stay.started_on is None:
        died = stay.reason == "died"
        if died and stay.ended_on is None and start is not None:
            raise InvalidInput(field="start_date", reason="the person has died")  # when, is erased
        last = (stay.ended_on if died else None, None)
    if start is not None and any(start > day for day in last if day is not None):
        raise InvalidInput(field="start_date", reason="after the person left or came back")


def check_start(arrival: Arrival, before: Before, stay: Stay, programme: Programme, today: date) -> None:
    """Refuse a start record of somebody who is known. Raises `InvalidInput` or `UnknownCode` naming the field."""
    check_arrival(arrival, programme, today, before)
    check_first_start(arrival.start_date, stay)
    for field in ("form_signed_on", "eura_on"):
        if date.fromisoformat(arrival.record.get(field, "0001-01-01")) > today:
            raise InvalidInput(field=field, reason="in the future")
    if "eura_on" in arrival.record and "eura_by" not in arrival.record:
        raise InvalidInput(field="eura_by", reason="say who keyed it in")


def start_fact(
    subject: str, arrival: Arrival, programme: Programme, continues: str | None = None
) -> ParticipationStarted:
    """The start record of an ESF participant, as the lead is told. Raises ValueError if there is no start day."""
    if arrival.start_date is None:
        raise ValueError("an ESF participant has a start day")
    body = {name: arrival.record.get(name) for name in FACT_MEMBERS} | {"age": arrival.age, "continues": continues}
    day, proof = arrival.start_date.isoformat(), proof_of(arrival.record, programme)
    return ParticipationStarted(subject, occurred_on=day, proof=proof, **body)


def proof_of(record: Mapping[str, Any], programme: Programme) -> str:
    """What confirms a start record, one of the catalogue's `PROOFS`."""
    return records.proof_of(find_form(programme.funding_programme), record, here=programme.esf_record == "here")


def _proofs(programme: Programme) -> tuple[str, ...]:
    return records.proving(find_form(programme.funding_programme), here=programme.esf_record == "here")


def record_lacks(record: Mapping[str, Any], started_on: date, programme: Programme) -> list[str]:
    """The proof, and the questions, without which the record counts only in the grand total; none: it is complete."""
    proof = proof_of(record, programme)
    if programme.esf_record == "eura_only":
        return ["proof"] if proof == NONE else []
    answers = {name: record[name] for name in QUESTIONS if record.get(name) is not None}
    return list(lacks(find_form(programme.funding_programme), Start(started_on, answers, proof=proof)))


def misfits(record: Mapping[str, Any], programme: Programme) -> list[str]:
    """The questions whose answers do not fit the person's target group; of what was not answered nothing is said."""
    group = programme.target_group_by_key.get(record.get("target_group") or "")
    questions = find_form(programme.funding_programme).question_by_key
    found = []
    for fit in group.fits if group else ():
        question, answer = questions.get(fit.question), record.get(fit.question)
        if question is not None and answer is not None and question.is_answer(answer) and not fit.holds(answer):
            found.append(fit.question)
    return found


def check_attempt(record: str, day: date, stay: Stay, programme: Programme, today: date) -> None:
    """Refuse a try that cannot have been. Raises `InvalidInput` naming the field."""
    check_evidence("date", day, programme, today)
    if record == "exit" and stay.started_on is not None and day < stay.started_on:
        raise InvalidInput(field="date", reason="before the start")


def check_entry(record: str, day: date, standing: str, stay: Stay, programme: Programme, today: date) -> None:
    """Refuse an entry in EURA, of the start or the exit (`record`), that cannot have been made. Raises `InvalidInput`
    naming the field."""
    if standing != "esf_participant":
        raise InvalidInput(field="person", reason="is no ESF participant")
    if record == "exit":
        if stay.ended_on is None:
            raise InvalidInput(field="person", reason="has not left")
        if day < stay.ended_on:
            raise InvalidInput(field="date", reason="before the exit")
    check_evidence("date", day, programme, today)


def check_exit_form(told: Mapping[str, Any], before: Mapping[str, Any], stay: Stay, today: date) -> None:
    """Refuse an exit form that cannot be. Raises `InvalidInput` naming the field. An entry in EURA that stands there
    from `before` may precede the exit: its day was corrected since, and the rest of the form can be written all the
    same."""
    if stay.started_on is None:
        raise InvalidInput(field="person", reason="has no start date: the form is of the fund's record")
    if stay.ended_on is None:
        raise InvalidInput(field="person", reason="has not left")
    for field in ("form_signed_on", "eura_on"):
        if told.get(field) and date.fromisoformat(told[field]) > today:
            raise InvalidInput(field=field, reason="in the future")
    if told.get("form_signed_on") and stay.started_on and date.fromisoformat(told["form_signed_on"]) < stay.started_on:
        raise InvalidInput(field="form_signed_on", reason="before the start")
    entered = told.get("eura_on")
    if entered and entered != before.get("eura_on") and date.fromisoformat(entered) < stay.ended_on:
        raise InvalidInput(field="eura_on", reason="before the exit")
    if bool(told.get("eura_on")) != bool(told.get("eura_by")):
        raise InvalidInput(field="eura_by", reason="stands with the day of the entry, and only then")


def missing_evidence(record: Mapping[str, Any], started_on: date, programme: Programme) -> list[str]:
    """What a participant's start record lacks: questions without an answer, special categories of which nothing says
    that they were asked, the target group, whether it was asked if the project pays them, and the proof itself
    (`form_signed_on`, or `eura_on`; in ESF+, which has no paper of its own, either)."""
    proofs = _proofs(programme)
    proof = next((name for name in proofs if record.get(name)), proofs[0])
    missing = [] if record.get(proof) else [proof]
    if programme.target_groups and not record.get("target_group"):
        missing.append("target_group")
    if not record.get("paid_by_project"):
        missing.append("paid_by_project")
    if programme.esf_record == "eura_only":
        return missing
    answers = {name: record[name] for name in QUESTIONS if record.get(name) is not None}
    form, start = find_form(programme.funding_programme), Start(started_on, answers, asked=proof in record)
    unanswered = [key for key in lacks(form, start) if key != "age" or "age" in record]  # an older release kept no age
    # Without the proof all of them are missing with it; one word says so.
    special = not_asked(form, start) if proof in record else ()
    return [*missing, *unanswered, *special]


_OF_THE_PAPER = ("form_version", "form_language", "form_help", "form_kept")


def unsaid(record: Mapping[str, Any], identity: Mapping[str, Any]) -> list[str]:
    """What was not written down about a signed start form: which version it is, in which language, who filled it in,
    where the paper is kept. Of a form that is not signed nothing: that it is missing says all."""
    if not record.get("form_signed_on"):
        return []
    return [name for name in _OF_THE_PAPER if not (record.get(name) or identity.get(name))]


def is_to_be_asked(tries: Sequence[str], may_call: str | None) -> bool:
    """Whether somebody who has left is to be asked (once more) how they are, after these tries: nobody who has told,
    has refused, or may not be called, and nobody for ever."""
    return set(tries) <= {"not_reached"} and len(tries) < MOST_TRIES and may_call != "no"


def missing_exit(reason: str, signed_on: date | None, eura_on: date | None, programme: Programme) -> list[str]:
    """What the exit of a participant lacks: the proof that it was told. The dead are asked for none, nor who goes on
    with another partner: that one has the exit."""
    if reason in GONE:
        return []
    told = {"form_signed_on": signed_on, "eura_on": eura_on}
    return [] if any(told[name] for name in _proofs(programme)) else ["exit_form"]


def has_record(row: Any) -> bool:
    """Whether a participation has anything of the fund's record: a start, or answers of its form, as a client may have
    given them before there is a start. Gender alone is none: the door counts women by it."""
    kept = (*KEPT_OF_THE_RECORD, "gender", "age")
    answered = any(value is not None and name not in kept for name, value in json.loads(row.record).items())
    return row.started_on is not None or row.standing == "esf_participant" or answered


def purposes_of(row: Any, kinds: Iterable[str], *, texts: bool) -> set[str]:
    """For which purposes something is recorded about the person of this participation: lines of these kinds, `texts`,
    and what the row has."""
    found = {purpose for kind in kinds if (purpose := purpose_of(kind))}
    if has_record(row):
        found.add("esf_record")
    if texts:
        found.add("support")
    return found
