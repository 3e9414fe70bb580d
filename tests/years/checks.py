"""Holds what is stored against the models: tasks, times on steps, and how everybody stands with intake."""

from collections import Counter, defaultdict
from datetime import date

from services.pathways import queries, step_queries, store
from services.pathways.domain import Stay
from tests.services import kit
from tests.services.pathways.legal import Person, done, is_due, still_open
from tests.services.pathways.model import Entry, Expected, Key, Looked, Told, expected
from tests.years.home import Home, Known
from tests.years.lives import same_lives
from tests.years.must import ANYWHERE, MUST, must
from tests.years.programmes import KEYS
from tests.years.steps import person_of


def checked(home: Home) -> Counter[tuple[str, str]]:
    """Hold everything against the models; returns what was reached."""
    stored: dict[str, dict[Key, Expected]] = defaultdict(dict)
    hands = home.by_hand
    for row in kit.rows(home.engine, store.task):
        place: Key = (row["rule"], row["subject"].hex(), row["cause"], row["round"])
        said = (row[name] for name in ("opened_on", "due_on", "state", "closed_on", "reason"))
        stored[row["subject"].hex()][place] = Expected(*said)
    same_lives(home)
    for one in home.people.values():
        programme, mine = one.programme, stored.pop(one.subject, {})
        if one.gone:
            assert mine == {}
            continue
        history = _with_looks(one.heard, home.looks)
        assert mine == expected(history, programme.tasks, programme.period.end), (programme.key, one.subject)
        for key, task in mine.items():
            home.reached[programme.key, f"task {task.state}"] += 1
            home.reached[programme.key, "task repeated"] += key[3] > 0
        person = person_of(home, one)
        assert still_open(person, programme) == []
        _is_as_the_lines_say(one, person)
        left = [
            (step, stay) for step, stay in done(person, programme) if (one.subject, step, stay.entered_on) not in hands
        ]
        by_leaving = [ended for ended in left if _ended_by_leaving(*ended, one, person)]
        assert [s for s, stay in left if not is_due(s, stay, person, programme) and (s, stay) not in by_leaving] == []
        if person.left_on is not None:
            assert [stay for stays in person.stays.values() for stay in stays if stay.left_on is None] == []
        home.reached[programme.key, "step completed"] += len(left) - len(by_leaving)
        home.reached[programme.key, "step ended by leaving"] += len(by_leaving)
    assert not stored
    for name in home.programmes:
        home.reached[name, "proposed"] += step_queries.list_proposals(home.engine, name, 1, 0)["total"]
        shown = queries.list_tasks(home.engine, name, "open", 1, 0, home.now)["total"]
        assert shown == home.reached[name, "task open"]
    return home.reached


def _ended_by_leaving(step: str, stay: Stay, one: Known, person: Person) -> bool:
    """Whether an exit has ended this time on a step: on its day, or on the last one on which something of it began."""
    began = [p.resumed_on or p.paused_on for p in person.pauses.get(step, []) if p.paused_on >= stay.entered_on]
    began = [stay.entered_on, *(day for day in began if stay.left_on and day <= stay.left_on)]
    exits = [e.day for _, e in one.heard if isinstance(e, Told) and e.on == "participation_ended"]
    return any(max(min(day, one.programme.period.end), *began) == stay.left_on for day in exits)


def _with_looks(heard: list[tuple[int, Entry]], looks: list[tuple[int, Looked]]) -> list[Entry]:
    """One person's history, with the timer's looks between: of several in a row only the last, as time goes on."""
    merged = sorted([*heard, *looks], key=lambda numbered: numbered[0])
    entries = [entry for _, entry in merged]
    nexts: list[Entry | None] = [*entries[1:], None]
    return [
        e for e, after in zip(entries, nexts, strict=True) if not (isinstance(e, Looked) and isinstance(after, Looked))
    ]


def _is_as_the_lines_say(one: Known, person: Person) -> None:
    """Times on steps are what the lines of entering and leaving, and of taking back, add up to."""
    lines = [entry for _, entry in one.heard if isinstance(entry, Told) and entry.on.startswith("step_")]
    told = Counter((line.on, line.codes["step"], line.day) for line in lines if line.on != "step_removed")
    for line in lines:
        if line.on == "step_removed":
            for on, member in (("step_entered", "entered_on"), ("step_left", "left_on")):
                told[on, line.codes["step"], date.fromisoformat(str(line.codes[member]))] -= 1
    told = +told
    kept: Counter[tuple[str, str | None, date]] = Counter()
    for step, stays in person.stays.items():
        for stay in stays:
            kept["step_entered", step, stay.entered_on] += 1
            if stay.left_on is not None:
                kept["step_left", step, stay.left_on] += 1
    assert told == kept


def missing(reached: Counter[tuple[str, str]], *, each: bool) -> list[tuple[str, str]]:
    """What of `MUST` was not reached in `each` programme, or in none of them."""
    anywhere = {what for (_, what), times in reached.items() if times}
    wanted = [(key, what) for key in KEYS for what in must(key)] if each else []
    return [
        *(pair for pair in wanted if not reached[pair]),
        *(("", what) for what in ((*MUST, *ANYWHERE) if not each else ANYWHERE) if what not in anywhere),
    ]
