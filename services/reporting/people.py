"""The read side of reporting, of who is one person: different people across partners, by their tags and by referrals.

Nearly everybody is known to one partner alone. So the database counts subjects, and only the few whose tag somebody
else has too, or who were referred from one partner to another, are looked at one by one. Neither tags nor subjects
leave this module's callers.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, Subquery, case, func, select, union

from services.reporting import store
from services.reporting.domain import CountedPeople, Known, People, Person, count_people, doubtful, join_equal

Activities = tuple[str, ...]
"""Keys of activities that are counted together."""

MOST_KEYS = 60
"""Tag keys that a set of bits holds; older ones are not compared. A programme has one, for some days two."""


def held(streams: Sequence[str], activities: Sequence[str], start: date | None, end: date | None) -> Any:
    """Which sessions: of these activities, of days `start` to `end`, both included."""
    session = store.session
    here = session.c.stream.in_(streams) & session.c.activity.in_(activities)
    if start:
        here &= session.c.occurred_on >= start
    if end:
        here &= session.c.occurred_on <= end
    return here


def participants(here: Any) -> Subquery:
    """The distinct `stream`, `subject` of who was a participant at these sessions."""
    session, attendance = store.session, store.attendance
    at = (attendance.c.stream == session.c.stream) & (attendance.c.session == session.c.session)
    there = select(attendance.c.stream, attendance.c.subject).select_from(attendance.join(session, at))
    return there.where(here, attendance.c.role == "participant").distinct().subquery()


@dataclass(slots=True)
class Attended:
    """Participants of some activities as the database counts them, a subject of a stream once, and how often they
    came."""

    people: Counter[str] = field(default_factory=Counter)
    attendances: int = 0


def attended(
    connection: Connection,
    streams: Sequence[str],
    wanted: Iterable[Activities],
    start: date | None,
    end: date | None,
) -> dict[Activities, Attended]:
    """For each of `wanted`, some activities: who was a participant at their sessions on these days.

    One way through the attendances answers for all: a report asks for a dozen, and there may be millions.
    """
    found = {keys: Attended() for keys in wanted}
    if not found:
        return found
    session, attendance = store.session, store.attendance
    at = (attendance.c.stream == session.c.stream) & (attendance.c.session == session.c.session)
    here = held(streams, sorted(set().union(*found)), start, end) & (attendance.c.role == "participant")
    by = (attendance.c.stream, attendance.c.subject, session.c.activity)
    each = select(*by, func.count().label("n")).select_from(attendance.join(session, at))
    each_activity = each.where(here).group_by(*by).subquery()
    times = [
        func.sum(case((each_activity.c.activity.in_(keys), each_activity.c.n), else_=0)).label(f"n{number}")
        for number, keys in enumerate(found)
    ]
    who = each_activity.c.stream, each_activity.c.subject
    person = select(*who, *times).group_by(*who).subquery()
    often = [person.c[f"n{number}"] for number in range(len(found))]
    came = [case((n > 0, 1), else_=0).label(f"c{number}") for number, n in enumerate(often)]
    alike = select(person.c.stream, *came, func.count(), *map(func.sum, often)).group_by(
        "stream", *(c.name for c in came)
    )
    for stream, *row in connection.execute(alike):
        there, number, times_came = row[: len(found)], row[len(found)], row[len(found) + 1 :]
        for of, was_there, n in zip(found.values(), there, times_came, strict=True):
            of.people[stream] += number * was_there
            of.attendances += int(n)
    return found


@dataclass(frozen=True, slots=True)
class OnePerson:
    """Who is one person; `shared` is everybody whose tag somebody else has too, and both ends of referrals. Tags of the
    `streams` were compared; `doubtful` are people's keys whose tags were not (`domain.doubtful`)."""

    streams: Sequence[str]
    shared: Subquery
    stands_for: Mapping[Person, Person]
    key_nos: Mapping[Person, frozenset[int]]
    doubtful: Mapping[Person, frozenset[int]]


def find_equal(connection: Connection, streams: Sequence[str], *, by_tag: bool) -> OnePerson:
    """Join who is one person in these streams of one programme: by a referral, because their node has found it, and
    `by_tag` by equal tags.

    Whom somebody continues is a subject of another stream; the line does not say which. Where there is none (not
    arrived yet, or erased) nobody is joined.
    """
    tag, link, there = store.tag, store.continues, store.person
    tagging = list(streams) if by_tag else []
    here = tag.c.stream.in_(tagging)
    several = select(tag.c.key_no, tag.c.tag).where(here).group_by(tag.c.key_no, tag.c.tag)
    equal = several.having(func.count() > 1).subquery()
    same = (tag.c.key_no == equal.c.key_no) & (tag.c.tag == equal.c.tag)
    continuing = link.c.stream.in_(streams) & there.c.stream.in_(streams) & (there.c.stream != link.c.stream)
    pairs = select(link.c.stream, link.c.subject, there.c.stream.label("before"), link.c.continues)
    links = pairs.join_from(link, there, there.c.subject == link.c.continues).where(continuing)
    ends = links.subquery()
    twin = store.same
    here_too = (there.c.stream == twin.c.stream) & (there.c.subject == twin.c.same_as)
    twins = select(twin.c.stream, twin.c.subject, twin.c.same_as).join_from(twin, there, here_too)
    both = twins.where(twin.c.stream.in_(streams)).subquery()
    shared = union(
        select(both.c.stream, both.c.subject),
        select(both.c.stream, both.c.same_as),
        select(tag.c.stream, tag.c.subject).join_from(tag, equal, same).where(here),
        select(ends.c.stream, ends.c.subject),
        select(ends.c.before, ends.c.continues),
    ).subquery()
    theirs = (tag.c.stream == shared.c.stream) & (tag.c.subject == shared.c.subject)
    query = select(tag).join(shared, theirs).where(here)
    rows = [((row.stream, bytes(row.subject)), row.key_no, bytes(row.tag)) for row in connection.execute(query)]
    linked = [((r.stream, bytes(r.subject)), (r.before, bytes(r.continues))) for r in connection.execute(links)]
    found_one = connection.execute(select(both))
    twins_found = [((row.stream, bytes(row.subject)), (row.stream, bytes(row.same_as))) for row in found_one]
    unsure = doubtful(rows, twins_found)
    sure = [row for row in rows if row[:2] not in unsure]
    equal_ones = join_equal(rows, linked, twins_found, unsure)
    return OnePerson(tagging, shared, equal_ones, _keys(row[:2] for row in sure), _keys(unsure))


def _keys(pairs: Iterable[tuple[Person, int]]) -> dict[Person, frozenset[int]]:
    found: dict[Person, set[int]] = defaultdict(set)
    for person, key_no in pairs:
        found[person].add(key_no)
    return {person: frozenset(keys) for person, keys in found.items()}


def count(connection: Connection, found: Attended, present: Subquery, one: OnePerson) -> People:
    """How many different people the distinct `stream`, `subject` of `present`, counted as `found`, are."""
    joined = among(connection, present, one)
    return People(found.people.total() - sum(len(members) - 1 for members in joined.values()))


def among(connection: Connection, present: Subquery, one: OnePerson) -> dict[Person, list[Person]]:
    """Those of `present` who may be somebody else too, by the person who stands for them."""
    found: dict[Person, list[Person]] = defaultdict(list)
    if one.key_nos or one.doubtful or one.stands_for:
        both = (present.c.stream == one.shared.c.stream) & (present.c.subject == one.shared.c.subject)
        for row in connection.execute(select(present.c.stream, present.c.subject).join_from(present, one.shared, both)):
            person = (row.stream, bytes(row.subject))
            found[one.stands_for.get(person, person)].append(person)
    return found


def counted(connection: Connection, found: Attended, present: Subquery, one: OnePerson) -> CountedPeople:
    """The same with what could not be compared, and the range in which the truth lies."""
    tag = store.tag
    keys = connection.execute(select(tag.c.key_no).where(tag.c.stream.in_(one.streams)).distinct()).scalars()
    bits = {key_no: 1 << n for n, key_no in enumerate(sorted(keys)[-MOST_KEYS:])}
    known: dict[Known, int] = {(stream, 0): number for stream, number in found.people.items() if number}
    if bits:
        bit: Any = case(bits, value=tag.c.key_no, else_=0)
        of = (tag.c.stream == present.c.stream) & (tag.c.subject == present.c.subject)
        each = (
            select(present.c.stream, func.sum(bit).label("keys"))
            .join_from(present, tag, of, isouter=True)
            .group_by(present.c.stream, present.c.subject)
            .subquery()
        )
        query = select(each.c.stream, each.c["keys"], func.count().label("n")).group_by(each.c.stream, each.c["keys"])
        known = {(stream, int(keys or 0)): n for stream, keys, n in connection.execute(query)}
    said = Counter(known)

    def as_compared(person: Person) -> Known:
        sure = sum(bits.get(key_no, 0) for key_no in one.key_nos.get(person, ()))
        if both := sum(bits.get(key_no, 0) for key_no in one.doubtful.get(person, ())):
            said[person[0], sure + both] -= 1
            said[person[0], sure] += 1
        return person[0], sure

    joined = [[as_compared(person) for person in members] for members in among(connection, present, one).values()]
    return count_people(+said, joined)
