"""The CSV set of a programme on a node, as it was recorded: what `polku import` reads, made from the lines and, of who
people are, from intake."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.node.csvcells import FORMULA
from services.node.csvrows import (
    ASSESSMENTS,
    ATTEMPTS,
    ATTENDANCE,
    COLUMNS,
    ENCOUNTERS,
    EXIT_FORMS,
    EXITS,
    FOLLOWUPS,
    INFORMED,
    OUTCOMES,
    PARTICIPANTS,
    PAUSES,
    SESSIONS,
    STEPS,
)
from shared.contracts.facts import Fact
from shared.programmes import Programme
from shared.programmes.workflow import MappedList

Row = list[Any]


@dataclass
class CsvArchive:
    """Takes a programme's facts in the order of their lines, then its people; `write` makes the files.

    Keys that a later version of the programme file has left out stand as what they have become in `definition`.
    """

    definition: Programme
    partner: str
    people: dict[str, str] = field(default_factory=dict)
    """The `ref` of each person, by subject."""
    _of: dict[str, dict[str, Fact]] = field(default_factory=dict)
    _steps: list[tuple[str, str, str, str | None]] = field(default_factory=list)
    _left: dict[str, list[tuple[Fact, str | None]]] = field(default_factory=dict)
    """Of each person the exits, and when they were back from each; None: not said, or it was corrected."""
    _pauses: list[tuple[str, str, str, str | None]] = field(default_factory=list)

    @property
    def programme(self) -> str:
        """The programme's key."""
        return self.definition.key

    def _now(self, part: MappedList, key: str | None) -> str | None:
        return key and self.definition.now(part, key)

    def take(self, fact: Fact) -> None:
        """A correction takes the place of what it corrects; what was taken back is gone."""
        kind = fact.kind.partition(".")[2]
        if kind in ("step_entered", "step_left"):
            self._span(self._steps, fact, ends=kind == "step_left")
        elif kind in ("step_paused", "step_resumed"):
            self._span(self._pauses, fact, ends=kind == "step_resumed")
        elif kind == "step_removed":
            self._unspan(self._steps, fact, fact["entered_on"], fact["left_on"])
        elif kind == "pause_removed":
            self._unspan(self._pauses, fact, fact["paused_on"], fact["resumed_on"])
        elif kind == "participation_ended":
            left = self._left.setdefault(str(fact.subject), [])
            if left and (left[-1][1] or "") > fact["occurred_on"]:
                left.pop()  # that return was taken back
            left.append((fact, None))
        elif kind == "participation_resumed":
            if left := self._left.get(str(fact.subject), []):
                left[-1] = (left[-1][0], fact["occurred_on"])
        elif kind in _KEPT:
            self._of.setdefault(kind, {})[fact[_KEPT[kind]]] = fact
        elif kind in _GONE:
            what, member = _GONE[kind]
            self._of.get(what, {}).pop(fact[member], None)

    def _span(self, spans: list[tuple[str, str, str, str | None]], fact: Fact, *, ends: bool) -> None:
        """A time on a step, or away from it, begins or ends."""
        who, step, day = str(fact.subject), self.definition.now("steps", fact["step"]), fact["occurred_on"]
        if not ends:
            spans.append((who, step, day, None))
            return
        for at in range(len(spans) - 1, -1, -1):
            if spans[at][:2] == (who, step) and spans[at][3] is None:
                spans[at] = (*spans[at][:3], day)
                return

    def _unspan(self, spans: list[tuple[str, str, str, str | None]], fact: Fact, first: str, last: str | None) -> None:
        """There was no such time; of equal ones the last is gone."""
        gone = str(fact.subject), self.definition.now("steps", fact["step"]), first, last
        if gone in spans:
            del spans[len(spans) - 1 - spans[::-1].index(gone)]

    def write(self, folder: Path, people: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the files of the set; `people` is what intake has of each, by subject."""
        asked: dict[str, list[Fact]] = {subject: [] for subject in people}
        for fact in self._all("follow_up_recorded"):
            asked.get(str(fact.subject), []).append(fact)
        rows = {
            PARTICIPANTS: [self._participant(subject, said) for subject, said in people.items()],
            SESSIONS: [self._session(fact) for fact in self._all("session_held")],
            ATTENDANCE: [self._attendance(fact) for fact in self._all("attendance_recorded") if self._known(fact)],
            ASSESSMENTS: [row for kind in _ANSWERS for fact in self._all(kind) for row in self._answers(fact)],
            STEPS: [self._stay(*stay) for stay in self._steps if stay[0] in self.people],
            PAUSES: [self._stay(*pause) for pause in self._pauses if pause[0] in self.people],
            OUTCOMES: [
                [self._ref(fact), self.programme, fact["occurred_on"], self._now("outcomes", fact["outcome"])]
                for fact in self._all("outcome_recorded")
                if self._known(fact)
            ],
            EXITS: [row for subject, said in people.items() for row in self._exits(subject, said, asked[subject])],
            FOLLOWUPS: [self._follow_up(fact) for tries in asked.values() for fact in tries],
            ENCOUNTERS: [self._encounter(fact) for fact in self._all("encounter_recorded")],
            INFORMED: informed_rows(self.people, people),
            EXIT_FORMS: [row for subject, said in people.items() if (row := self._exit_form(subject, said))],
            ATTEMPTS: [row for subject, said in people.items() for row in self._attempts(subject, said)],
        }
        # No workers.csv: who worked with whom is of the home and its users, and goes with it. No contacts.csv: how
        # somebody was reached proves nothing. No starts.csv: participants.csv has each start record whole. No
        # plans.csv: what was typed goes with the person (decision 0227).
        for name, found in rows.items():
            write_csv(folder / name, COLUMNS[name], found)

    def _all(self, kind: str) -> Iterable[Fact]:
        return self._of.get(kind, {}).values()

    def _known(self, fact: Fact) -> bool:
        return fact.subject in self.people

    def _ref(self, fact: Fact) -> str:
        return self.people[str(fact.subject)]

    def _participant(self, subject: str, said: Mapping[str, Any]) -> Row:
        known = {**said, "ref": self.people[subject], "programme": self.programme, "partner": self.partner}
        known |= {"start_date": said.get("started_on"), "area": self._now("areas", said.get("area"))}
        if said.get("standing") == "visitor" and not any(said.get(name) for name in _NAMING):
            known["token"] = self.people[subject]  # who left their history behind: a row names somebody, or is refused
        return [known.get(column) for column in COLUMNS[PARTICIPANTS]]

    def _session(self, fact: Fact) -> Row:
        heads = self._of.get("heads_counted", {}).get(fact["session"])
        counted = [heads[name] for name in ("heads", "women", "basis")] if heads else [None] * 3
        when = [fact[name] for name in ("occurred_on", "start", "minutes", "location")]
        what = [self._now("activities", fact["activity"]), *when, self._now("areas", fact["area"]), fact["languages"]]
        return [fact["session"], self.programme, self.partner, *what, *counted]

    def _attendance(self, fact: Fact) -> Row:
        return [fact["session"], self._ref(fact), fact["role"], fact["minutes"]]

    def _answers(self, fact: Fact) -> Iterable[Row]:
        if fact.subject is not None and fact.subject not in self.people:
            return
        who = self.people.get(str(fact.subject), "")
        form = [fact[name] for name in ("session", "assessment", "instrument", "version", "occasion", "occurred_on")]
        for item, value in fact["answers"].items():
            yield [who, *form, item, value]

    def _stay(self, subject: str, step: str, entered: str, left: str | None) -> Row:
        return [self.people[subject], self.programme, step, entered, left]

    def _exits(self, subject: str, said: Mapping[str, Any], tries: Iterable[Fact]) -> list[Row]:
        """A person's exits in their order: from each they came back, or were asked after it, until the one that holds.
        Of a corrected one nobody was asked."""
        told, holds = self._left.get(subject, []), self._exit(subject, said)
        rows, until = ([holds], said["ended_on"]) if holds else ([], "")
        asked = [min(fact["due"], fact["occurred_on"]) for fact in tries]
        for fact, back in reversed(told[:-1] if holds else told):
            day = fact["occurred_on"]
            if back or any(day <= when < until for when in asked):
                rows, until = [self._earlier_exit(fact, back), *rows], day
        return rows

    def _exit(self, subject: str, said: Mapping[str, Any]) -> Row | None:
        if not said.get("ended_on"):
            return None
        results = (said["end_results"] or "").split()
        following = ";".join(filter(None, (self._now("outcomes", said.get(n)) for n in ("end_next", "end_planned"))))
        return [self.people[subject], self.programme, said["ended_on"], said["end_reason"], results, following, None]

    def _exit_form(self, subject: str, said: Mapping[str, Any]) -> Row | None:
        told = [said.get(f"exit_{column}") for column in COLUMNS[EXIT_FORMS][2:]]
        return [self.people[subject], self.programme, *told] if any(told) else None

    def _attempts(self, subject: str, said: Mapping[str, Any]) -> Iterable[Row]:
        for one in said.get("attempt") or ():
            yield [self.people[subject], self.programme, one["record"], one["status"], one["occurred_on"]]

    def _earlier_exit(self, fact: Fact, back: str | None) -> Row:
        """An exit before the one that holds, which is all that intake has."""
        following = ";".join(filter(None, (self._now("outcomes", fact[name]) for name in ("next", "planned"))))
        said = [fact[name] for name in ("occurred_on", "reason", "results")]
        return [self._ref(fact), self.programme, *said, following, back]

    def _follow_up(self, fact: Fact) -> Row:
        said = [fact[name] for name in ("due", "occurred_on", "status", "results")]
        return [self._ref(fact), self.programme, *said]

    def _encounter(self, fact: Fact) -> Row:
        where = [*(fact[name] for name in ("occurred_on", "start", "location")), self._now("areas", fact["area"])]
        members = ("staff", "people_new", "people_known", "women", "languages", "topics", "guided_to")
        what = [*where, *(fact[name] for name in members)]
        return [fact["encounter"], self.programme, self.partner, *what, None]


_NAMING = ("token", "given_name", "family_name")
_ANSWERS = ("answers_recorded", "anonymous_answers_recorded")
_KEPT = {
    **{"session_held": "session", "heads_counted": "session", "attendance_recorded": "attendance"},
    **{"outcome_recorded": "outcome_id", "follow_up_recorded": "follow_up", "encounter_recorded": "encounter"},
    **dict.fromkeys(_ANSWERS, "assessment"),
}
"""What the set is made of, and by which id the last one of it holds."""
_GONE = {
    **{"session_removed": ("session_held", "session"), "attendance_removed": ("attendance_recorded", "attendance")},
    **{"encounter_removed": ("encounter_recorded", "encounter")},
    **{"outcome_removed": ("outcome_recorded", "outcome_id"), "follow_up_removed": ("follow_up_recorded", "follow_up")},
    "assessment_removed": (_ANSWERS[0], "assessment"),
    "anonymous_sheet_removed": (_ANSWERS[1], "assessment"),
}


def informed_rows(refs: Mapping[str, str], people: Mapping[str, Mapping[str, Any]]) -> Iterator[list[Any]]:
    """Who was informed of the processing and when: by which version of the notice, in which language, and to which
    purposes the person agreed. Whoever was not informed has no row."""
    for subject, said in people.items():
        for one in sorted(said.get("informed") or (), key=lambda told: (told["occurred_on"], told["informed"])):
            told = [one[name] for name in ("notice", "language")]
            yield [refs[subject], *told, one["consents"].split(), one["occurred_on"]]


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A file as the command line reads it; lists are parted by semicolons. What would be a formula in a spreadsheet
    gets an apostrophe before it: names are typed by people."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(value) for value in row] for row in rows)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ";".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA) else text
