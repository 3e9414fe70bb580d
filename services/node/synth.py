"""Synthetic people and sessions whose totals are exactly a programme's figures, as a set of CSV files.

Everybody is marked: names say so, and identity codes are numbered 900-999 with signs that no code had when the projects
ran. The same document, seed and scale give the same bytes.
"""

import csv
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

from services.node.csvrows import ATTENDANCE, COLUMNS, ENCOUNTERS, OUTCOMES, PARTICIPANTS, SESSIONS
from services.node.synthencounters import encounter_rows
from services.node.synthshares import even, shares
from shared import hetu
from shared.contracts.errors import InvalidInput
from shared.forms import find_form
from shared.forms.records import QUESTIONS, age_on
from shared.programmes import Activity, FigureGroup, FigureOutcome, Programme, parse

MAX_SCALE = 10_000
"""People of one birth date have 500 synthetic codes; this many of them is far from using those up."""

GROUP_SIZE = 7
"""How many people come to a session where people are counted, on average."""

_WINDOW = 2 * GROUP_SIZE
"""How many people are on their way through a group at any time; about half of them come to each session."""

_STARTS = (time(9), time(10), time(12, 30), time(13), time(14), time(17))


_UNASKED = 0.04
"""Share of the participants who were not asked whether the project pays them: it is missing evidence."""


@dataclass
class _Session:
    ref: str
    partner: str
    activity: Activity
    day: date
    start: time
    minutes: int
    area: str
    location: str
    languages: str
    heads: tuple[int, int | None, str] | None = None


@dataclass
class _Person:
    ref: str
    partner: str
    sessions: dict[str, tuple[str, int | None]] = field(default_factory=dict)  # session's ref to role and minutes
    first: date = date.max
    last: date = date.min
    group: str = ""
    woman: bool | None = None
    """None: drawn by lot."""
    registered: bool = False
    """An activity asks the fund's start form."""


def synthesize(programme_document: Mapping[str, Any], out: Path, seed: int = 1, scale: int = 1) -> None:
    """Write participants.csv, sessions.csv, attendance.csv and, if there are figures for it, outcomes.csv and
    encounters.csv into `out`.

    Totals are the document's `figures` times `scale` (1–10,000): sessions, different people (of which women, where the
    file says so), heads, by group, and people by outcome. Nobody is in two groups. The folder is made if it is not
    there. Raises `InvalidProgramme` for a document with problems, `InvalidInput` for one without figures or a scale out
    of range.
    """
    programme = parse(programme_document)
    if programme.figures is None:
        raise InvalidInput(field="programme", reason="has no figures to make synthetic people from")
    if not 1 <= scale <= MAX_SCALE:
        raise InvalidInput(field="scale", reason=f"must be between 1 and {MAX_SCALE}")
    name = f"{programme.key}/{seed}/{scale}"
    # What came later is drawn apart, so that everything else is what it was without it.
    maker = _Maker(programme, random.Random(name), random.Random(f"{name}/paid"))
    for figure in programme.figures.groups:
        maker.add(figure, scale)
    maker.add_outcomes(programme.figures.outcomes, scale)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    _write(out / PARTICIPANTS, COLUMNS[PARTICIPANTS], maker.participant_rows())
    _write(out / SESSIONS, COLUMNS[SESSIONS], maker.session_rows())
    _write(out / ATTENDANCE, COLUMNS[ATTENDANCE], maker.attendance_rows())
    if maker.outcomes:
        _write(out / OUTCOMES, COLUMNS[OUTCOMES], maker.outcomes)
    if programme.figures.encounters:
        drawn = random.Random(f"{name}/encounters")
        rows = encounter_rows(programme, programme.figures.encounters, scale, drawn)
        _write(out / ENCOUNTERS, COLUMNS[ENCOUNTERS], rows)


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


class _Maker:
    """Makes sessions and people group by group; rows come out in the order they were made."""

    def __init__(self, programme: Programme, chance: random.Random, asking: random.Random) -> None:
        self.programme, self.chance, self.asking = programme, chance, asking
        self.sessions: list[_Session] = []
        self.people: list[_Person] = []
        self.codes: set[str] = set()
        self.outcomes: list[Sequence[Any]] = []
        period = programme.period
        days = (period.start + timedelta(days=n) for n in range((period.end - period.start).days + 1))
        self.weekdays = [day for day in days if day.weekday() < 5] or [period.start]

    def add(self, figure: FigureGroup, scale: int) -> None:
        """One group's sessions, and its people or heads."""
        activities = [a for a in self.programme.activities if a.group == figure.group]
        people = (figure.participants or 0) * scale
        partners = self.programme.synthetic_partners[: min(figure.sessions * scale, people or figure.sessions * scale)]
        made = [
            self._held(partner, activities, count)
            for partner, count in zip(partners, even(figure.sessions * scale, len(partners)), strict=True)
        ]
        if figure.participants:
            for partner, sessions, count in zip(partners, made, even(people, len(partners)), strict=True):
                attend = self._meet if all(a.kind == "individual" for a in activities) else self._attend
                attend(partner, sessions, count)
                for person in self.people[-count:]:
                    person.group = figure.group
                    person.registered = any(a.standing == "esf_participant" for a in activities)
            self._tell_women(figure, scale)
        else:
            sessions = [session for part in made for session in part]
            self._count_heads(sessions, (figure.heads or 0) * scale)

    def _tell_women(self, figure: FigureGroup, scale: int) -> None:
        """Exactly as many women as the figure says, over everybody of the group."""
        if figure.women is not None:
            theirs = [person for person in self.people if person.group == figure.group]
            women = {person.ref for person in self.chance.sample(theirs, figure.women * scale)}
            for person in theirs:
                person.woman = person.ref in women

    def _held(self, partner: str, activities: list[Activity], count: int) -> list[_Session]:
        """`count` sessions of one partner over the period, the activities one after another."""
        chance, programme = self.chance, self.programme
        days = sorted(chance.choice(self.weekdays) for _ in range(count))
        made = []
        for place, day in enumerate(days):
            location = chance.choice(programme.locations) if programme.locations else None
            area = location.area if location else None
            if area is None and programme.areas:
                area = chance.choice(programme.areas).key
            made.append(
                _Session(
                    ref=f"s{len(self.sessions) + place + 1:05}",
                    partner=partner,
                    activity=activities[place * len(activities) // count],
                    day=day,
                    start=chance.choice(_STARTS),
                    minutes=chance.choice((60, 90, 120, 150, 180)),
                    area=area or "",
                    location=location.key if location else "",
                    languages=";".join(programme.languages),
                )
            )
        self.sessions += made
        return made

    def _attend(self, partner: str, sessions: list[_Session], count: int) -> None:
        """`count` people, each sure to come once and likely to come on for a while.

        Half a window of people begins together, then beginnings are spread evenly; each is on the way for as many
        sessions as keep `_WINDOW` people about.
        """
        chance = self.chance
        window = max(1, _WINDOW * len(sessions) // count)
        for number in range(count):
            first = max(0, number * (len(sessions) + window // 2) // count - window // 2)
            person = _Person(f"p{len(self.people) + 1:05}", partner, first=sessions[first].day)
            person.sessions[sessions[first].ref] = ("participant", sessions[first].minutes)
            for session in sessions[first + 1 : first + window]:
                if chance.random() < 0.5:
                    role = "peer_instructor" if chance.random() < 0.03 else "participant"
                    stayed = chance.choice((session.minutes, session.minutes, session.minutes // 2, None))
                    person.sessions[session.ref] = (role, stayed)
                    person.last = session.day
            person.last = max(person.first, person.last)
            self.people.append(person)

    def _meet(self, partner: str, sessions: list[_Session], count: int) -> None:
        """`count` people, each session with one of them: everybody has a run of sessions of nearly the same length."""
        first = 0
        for number in even(len(sessions), count):
            theirs = sessions[first : first + number]
            first += number
            person = _Person(f"p{len(self.people) + 1:05}", partner, first=theirs[0].day, last=theirs[-1].day)
            person.sessions = {session.ref: ("participant", session.minutes) for session in theirs}
            self.people.append(person)

    def add_outcomes(self, figures: Iterable[FigureOutcome], scale: int) -> None:
        """One outcome for as many people as each figure says, some time after their last session; nobody has two."""
        chance, programme = self.chance, self.programme
        waiting: dict[str, list[_Person]] = {}
        for figure in figures:
            group = programme.activity_by_key[programme.outcome_by_key[figure.outcome].activity].group
            if group not in waiting:
                waiting[group] = [person for person in self.people if person.group == group]
                chance.shuffle(waiting[group])
            for _ in range(figure.people * scale):
                person = waiting[group].pop()
                day = min(person.last + timedelta(days=chance.randrange(1, 120)), programme.period.end)
                self.outcomes.append((person.ref, programme.key, day.isoformat(), figure.outcome))

    def _count_heads(self, sessions: list[_Session], heads: int) -> None:
        """Exactly `heads` over the sessions, at least one each."""
        chance = self.chance
        weights = [chance.lognormvariate(0, 0.5) for _ in sessions]
        for session, extra in zip(sessions, shares(heads - len(sessions), weights), strict=True):
            count = extra + 1
            women = round(count * chance.uniform(0.35, 0.75)) if chance.random() < 0.8 else None
            session.heads = (count, women, "estimated" if count >= 100 else "counted")

    def session_rows(self) -> Iterator[Sequence[Any]]:
        for s in self.sessions:
            held = (s.day.isoformat(), f"{s.start:%H:%M}", s.minutes, s.location, s.area, s.languages)
            yield (s.ref, self.programme.key, s.partner, s.activity.key, *held, *(s.heads or ("", "", "")))

    def attendance_rows(self) -> Iterator[Sequence[Any]]:
        for person in self.people:
            for session, (role, minutes) in person.sessions.items():
                yield session, person.ref, role, minutes

    def participant_rows(self) -> Iterator[Sequence[Any]]:
        for number, person in enumerate(self.people, 1):
            yield self._person_row(number, person)

    def _tells_code(self, esf: bool) -> bool:
        rule = self.programme.identity_code
        return esf and (self.chance.random() < 0.9 or rule == "required") and rule != "not_asked"

    def _person_row(self, number: int, person: _Person) -> Sequence[Any]:
        chance, programme = self.chance, self.programme
        esf = chance.random() < 0.6 or person.registered
        start = max(programme.period.start, person.first - timedelta(days=chance.randrange(15)))
        while start.weekday() > 4 and start > programme.period.start:
            start -= timedelta(days=1)
        born = _birthday(start, chance)
        status = chance.choices(("unemployed", "inactive", "inactive_in_education", "employed"), (70, 22, 5, 3))[0]
        local = bool(programme.areas) and chance.random() < 0.85
        home = programme.home_municipalities
        record: dict[str, Any] = {
            "ref": person.ref,
            "programme": programme.key,
            "partner": person.partner,
            "standing": "esf_participant" if esf else "client",
            "token": f"synteettinen-{number:04}" if chance.random() < 0.1 else "",
            "identity_code": self._code(born) if self._tells_code(esf) else "",
            "given_name": f"Synteettinen-{number:04}",
            "family_name": f"Henkilö-{number:04}",
            "birth_date": born.isoformat(),
            "gender": _gender(person, chance.choices(("f", "m", "x", "unknown"), (52, 45, 1, 2))[0]),
            "service_language": chance.choices(("fi", "sv", "en"), (94, 2, 4))[0],
            "contact_language": chance.choices(("fi", "sv", "en", "ar", "ru", ""), (88, 2, 3, 2, 3, 2))[0],
            "interpreter": chance.choices(("no", "yes", ""), (85, 3, 12))[0],
            "municipality": (home[0] if local else chance.choice(home)) if home else "",
            "area": chance.choice(programme.areas).key if local else "",
            "target_group": chance.choice(programme.target_groups).key if programme.target_groups else "",
            "start_date": start.isoformat(),
            "labour_status": status,
            "unemployed_months": chance.randrange(1, 120) if status == "unemployed" else "",
            "education": chance.choices(range(9), (2, 4, 26, 40, 12, 4, 8, 3, 1))[0],
            "foreign_background": _answer(chance, 8),
            "minority": _answer(chance, 4),
            "disability": _answer(chance, 18),
            "other_disadvantage": _answer(chance, 30),
            "homeless": _answer(chance, 3),
            "rural": _answer(chance, 6),
        }
        if esf and self.asking.random() >= _UNASKED:
            record["paid_by_project"] = "no"  # who is paid by the project is not its participant
        if programme.target_groups:
            record["target_group"] = self._fitting(record["target_group"], record | {"age": age_on(born, start)})
        if esf and programme.funding_programme == "esf_2014_2020":
            signed = start + timedelta(days=chance.randrange(8))
            if signed.weekday() > 4 or signed > programme.period.end:
                signed = start
            record |= {"form_version": "esf_2014_2020", "form_signed_on": signed.isoformat()}
            record["form_kept"] = f"Synteettinen kansio {number // 50 + 1}"
        elif esf and programme.esf_record == "here":
            record["form_signed_on"] = start.isoformat()
        asked = find_form(programme.funding_programme).question_by_key if programme.esf_record == "here" else {"gender"}
        told = {column: value for column, value in record.items() if column in asked or column not in QUESTIONS}
        return [told.get(column, "") for column in COLUMNS[PARTICIPANTS]]

    def _fitting(self, drawn: str, answers: Mapping[str, Any]) -> str:
        """The group that was drawn, or the next one of the file that is for people with these answers."""
        groups = self.programme.target_groups
        place = next(n for n, group in enumerate(groups) if group.key == drawn)
        for group in (*groups[place:], *groups[:place]):
            if all(fit.holds(answers[fit.question]) for fit in group.fits):
                return group.key
        return drawn

    def _code(self, born: date) -> str:
        """A code nobody in the set has yet."""
        while True:
            code = hetu.synthetic(born, self.chance.randrange(900, 1000), self.chance.randrange(5))
            if code not in self.codes:
                self.codes.add(code)
                return code


def _birthday(start: date, chance: random.Random) -> date:
    """A birth date that makes somebody 18 to 64 on `start`."""
    youngest = date(start.year - 18, start.month, min(start.day, 28))
    oldest = date(start.year - 65, start.month, min(start.day, 28)) + timedelta(days=1)
    return youngest - timedelta(days=chance.randrange((youngest - oldest).days))


def _gender(person: _Person, drawn: str) -> str:
    """What was drawn, unless a published figure says whether the person is a woman."""
    if person.woman is None:
        return drawn
    return "f" if person.woman else "m" if drawn == "f" else drawn


def _answer(chance: random.Random, yes: int) -> str:
    """An answer to a question that may be refused; `yes` in percent of those who answer."""
    asked = chance.choices(("answered", "refused", "not_asked", ""), (86, 6, 5, 3))[0]
    if asked != "answered":
        return asked
    return "yes" if chance.random() * 100 < yes else "no"
