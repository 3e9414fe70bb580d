"""When a step may be entered and when it is done, by the facts that the programme file names. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.pathways.domain import Stay
from shared.programmes import Condition, Programme, Step


@dataclass(frozen=True, slots=True)
class Met:
    """That there is a fact about a person, with these codes, of this day."""

    on: str
    codes: Mapping[str, str | None]
    day: date


Stays = Mapping[tuple[str, str], Sequence[Stay]]
"""Times on steps by (person, step)."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A step that a person may enter (`what` is enter) or that is done for them (complete), since when; `stay` is the
    time on it that is to end."""

    subject: str
    step: str
    what: str
    since: date
    stay: str | None = None


def unmet(conditions: Iterable[Condition], met: Sequence[Met], day: date) -> list[Condition]:
    """Those of the conditions that no fact of the day or before meets."""
    return [c for c in conditions if not any(m.day <= day and c.holds(m.on, m.codes) for m in met)]


def met_since(conditions: Iterable[Condition], met: Sequence[Met], since: date | None) -> date | None:
    """The day on which the last of the conditions was met, by facts of `since` or later; None while one is not."""
    days = []
    for condition in conditions:
        found = [m.day for m in met if condition.holds(m.on, m.codes) and (since is None or m.day >= since)]
        if not found:
            return None
        days.append(min(found))
    return max(days, default=None)


def of_stays(subject: str, stays: Stays) -> list[Met]:
    """What a person's times on steps say as facts."""
    found = []
    for (person, step), several in stays.items():
        for stay in several if person == subject else ():
            found.append(Met("step_entered", {"step": step}, stay.entered_on))
            if stay.left_on is not None:
                found.append(Met("step_left", {"step": step}, stay.left_on))
    return found


def completed(programme: Programme, subject: str, stays: Stays, met: Sequence[Met]) -> list[tuple[Step, Stay, date]]:
    """The person's open times on steps whose conditions are met since they entered, and since when."""
    found = []
    for step in programme.steps:
        for stay in stays.get((subject, step.key), ()) if step.complete_when else ():
            day = met_since(step.complete_when, met, stay.entered_on) if stay.left_on is None else None
            if day is not None:
                found.append((step, stay, day))
    return found


def proposals(programme: Programme, subject: str, stays: Stays, met: Sequence[Met]) -> list[Proposal]:
    """What is proposed to a worker about one person; whoever was on a step once is not proposed for it again."""
    facts = [*met, *of_stays(subject, stays)]
    found = []
    for step in programme.steps:
        if step.enter_when and not stays.get((subject, step.key)):
            since = met_since(step.enter_when, facts, None)
            found += [Proposal(subject, step.key, "enter", since)] if since else []
    done = completed(programme, subject, stays, facts)
    return found + [Proposal(subject, step.key, "complete", since, stay.stay) for step, stay, since in done]
