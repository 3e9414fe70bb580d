"""Rules of reporting: counting bases that cannot be mixed up, and what "arrived" means.

People, attendances and heads are counted in different ways and are therefore different types without any addition
between them: a sum of people and heads is a type error, not a figure. People of two groups are not added either,
because somebody may be in both; they are counted again.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import product
from typing import Any

from shared.contracts.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class People:
    """Different people, each once."""

    count: int


@dataclass(frozen=True, slots=True)
class Attendances:
    """Times that somebody was at a session as a participant."""

    count: int


@dataclass(frozen=True, slots=True)
class Heads:
    """How many were seen; the same person may be in several counts."""

    count: int


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """One row of the report's activities; a basis that the group does not count on is None, never 0.

    So are `minutes` and `heads` if sessions were held and nobody wrote down how long, or how many came, at any of them.
    """

    group: str
    sessions: int
    minutes: int | None
    participants: People | None
    attendances: Attendances | None
    heads: Heads | None

    def to_json(self) -> dict[str, Any]:
        """The row as interfaces.md names it; `hours` with one decimal, halves up."""
        return {
            "group": self.group,
            "sessions": self.sessions,
            "participants": self.participants.count if self.participants else None,
            "attendances": self.attendances.count if self.attendances else None,
            "heads": self.heads.count if self.heads else None,
            "hours": None if self.minutes is None else (self.minutes + 3) // 6 / 10,
        }


@dataclass(frozen=True, slots=True)
class OutcomeFigures:
    """What became of an activity's participants: different people with each outcome, and those without any.

    Who had two outcomes stands under both, so the outcomes may add up to more than the people; `unknown` is exact.
    Of a person whom several partners met, the outcomes of the record with the latest one count (`one_record`).
    """

    activity: str
    participants: People
    outcomes: Mapping[str, People]
    unknown: People

    def to_json(self) -> dict[str, Any]:
        """The row as interfaces.md names it."""
        return {
            "activity": self.activity,
            "participants": self.participants.count,
            "outcomes": {outcome: people.count for outcome, people in self.outcomes.items()},
            "unknown": self.unknown.count,
        }


def one_record(records: Iterable[Mapping[str, date]]) -> set[str]:
    """The outcomes that count of one person who has several records, each by outcome with the day it last came.

    One person is one record in a project, and a later result takes the place of an earlier one (reference §1.2): so
    the outcomes of the record with the latest outcome count; of two with the same latest day, both.
    """
    told = [record for record in records if record]
    latest = max((max(record.values()) for record in told), default=None)
    return {outcome for record in told if max(record.values()) == latest for outcome in record}


Person = tuple[str, bytes]
"""A person as one node knows them: stream and subject."""

Known = tuple[str, int]
"""What matters of a person for counting: the stream, and a set of tag keys as a number of bits; 0 is no tag."""


MOST_TAGS = 60
"""Of one person. A programme has one key, for some days two."""

MOST_PAIRS = 100
"""Of records with different tags, of one partner, that a link may join."""


@dataclass(slots=True)
class _Groups:
    """Who is one with whom: each stands for itself or, by others perhaps, for the least one of its group."""

    stands_for: dict[Person, Person] = field(default_factory=dict)

    def first(self, person: Person) -> Person:
        """Who stands for the group."""
        while (other := self.stands_for.get(person, person)) != person:
            self.stands_for[person] = self.stands_for.get(other, other)
            person = other
        return person

    def join(self, one: Person, other: Person) -> None:
        """The two are one, and so are their groups."""
        low, high = sorted((self.first(one), self.first(other)))
        self.stands_for[low] = low
        self.stands_for[high] = low


def join_equal(
    tags: Iterable[tuple[Person, int, bytes]],
    linked: Iterable[tuple[Person, Person]] = (),
    same: Iterable[tuple[Person, Person]] = (),
    unsure: Set[tuple[Person, int]] = frozenset(),
) -> dict[Person, Person]:
    """Who is one person: for each who has equals, the one who stands for them all. `tags`: person, key number, tag.

    Of two people only the tags under the newest key that both have are compared; of a person with more, the newest
    `MOST_TAGS`. `linked` were referred from one
    partner to the other, by name: they are one whatever their tags say, but no link makes two people of one partner
    one whose tags differ: it is only a claim about somebody else's person. `same` are two of one node whom it has
    itself found to be one, whatever their tags. Of those that are `unsure` (`doubtful`) none makes anybody one, but two
    that differ are of two people. Who is one with a second is one with the second's others too.
    """
    of: dict[Person, dict[int, bytes]] = defaultdict(dict)
    equal: dict[tuple[int, bytes], list[Person]] = defaultdict(list)
    for person, key_no, tag in tags:
        of[person][key_no] = tag
    for person, theirs in of.items():
        if len(theirs) > MOST_TAGS:
            for key_no in sorted(theirs)[:-MOST_TAGS]:
                del theirs[key_no]
        for key_no, tag in theirs.items():
            if (person, key_no) not in unsure:
                equal[key_no, tag].append(person)
    groups = _Groups()
    for pair in same:
        groups.join(*pair)
    for (key_no, _), people in equal.items():
        if len(people) == 1:
            continue
        alike: dict[frozenset[int], list[Person]] = defaultdict(list)
        for person in people:
            newer_ones = [other for other in of[person] if other > key_no and (person, other) not in unsure]
            alike[frozenset(newer_ones)].append(person)
        newer, together = list(alike), []
        if frozenset() in alike:  # whose newest key it is has no newer one in common with anybody
            together = [people]
        elif len(newer) > 1:
            parts = (part for part in _apart(newer) if len(part) > 1)
            together = [[person for place in part for person in alike[newer[place]]] for part in parts]
        for one, *others in together:
            for other in others:
                groups.join(one, other)
    known: dict[Person, _Tags] = defaultdict(lambda: defaultdict(set))
    for person, theirs in of.items():
        known[groups.first(person)][person[0]].add(frozenset(theirs.items()))
    for link in sorted(linked):
        low, high = sorted(map(groups.first, link))
        if low != high and not _two_of_a_partner(known[low], known[high]):
            groups.join(low, high)
            for stream, tags_there in known.pop(high).items():
                known[low][stream] |= tags_there
    return {person: groups.first(person) for person in list(groups.stands_for)}


def doubtful(
    tags: Iterable[tuple[Person, int, bytes]], same: Iterable[tuple[Person, Person]] = ()
) -> set[tuple[Person, int]]:
    """The tags that say nothing, as person and key number: two people of one partner have them, whom their node has
    not found to be one (`same`). Which of them somebody else with that tag would be, nobody can tell."""
    groups = _Groups()
    for pair in same:
        groups.join(*pair)
    holders: dict[tuple[str, int, bytes], list[Person]] = defaultdict(list)
    for person, key_no, tag in tags:
        holders[person[0], key_no, tag].append(person)
    return {
        (person, key_no)
        for (_, key_no, _), people in holders.items()
        if len({groups.first(person) for person in people}) > 1
        for person in people
    }


def _apart(sets: Sequence[Set[int]]) -> Iterator[list[int]]:
    """The places of `sets` in parts that hang together: two sets that have nothing in common are in one part.

    A partner may write thousands that differ: not each is compared with each. Who was not reached yet is one number, a
    bit for each place, and so are those who have what many have.
    """
    having: dict[int, list[int]] = defaultdict(list)
    for place, members in enumerate(sets):
        for member in members:
            having[member].append(place)
    often = {one: sum(1 << place for place in places) for one, places in having.items() if 64 * len(places) > len(sets)}
    left = (1 << len(sets)) - 1
    while left:
        part = [left.bit_length() - 1]
        left ^= 1 << part[0]
        for at in part:  # which grows
            reached, touching = left, set[int]()
            for member in sets[at]:
                if member in often:
                    reached &= ~often[member]
                else:
                    touching.update(having[member])
            while reached:
                place = reached.bit_length() - 1
                reached ^= 1 << place
                if place not in touching:
                    left ^= 1 << place
                    part.append(place)
        yield part


_Tags = dict[str, set[frozenset[tuple[int, bytes]]]]
"""By stream the different tags (key number and tag, of each person) of some people who are one."""


def _two_of_a_partner(ours: _Tags, theirs: _Tags) -> bool:
    """Whether one of ours and one of theirs are at the same partner and differ under the newest key that both have. So
    do some of more than `MOST_PAIRS`, without a look: nobody has that many records."""
    for stream in ours.keys() & theirs.keys():
        if len(ours[stream]) * len(theirs[stream]) > MOST_PAIRS:
            return True
        for one, other in product(map(dict, ours[stream]), map(dict, theirs[stream])):
            common = one.keys() & other.keys()
            if common and one[max(common)] != other[max(common)]:
                return True
    return False


@dataclass(frozen=True, slots=True)
class CountedPeople:
    """Different people: `once` were compared and are counted once each, of `not_comparable` nobody can say whether
    they are among the others. The truth lies between `least` and `most`."""

    once: int
    not_comparable: int
    least: int
    most: int

    def to_json(self, counts_once: bool) -> dict[str, Any]:
        """The report's `people`; null where the programme does not count people once across partners."""
        once = self.once if counts_once else None
        return {
            "counted_once_by_tag": once,
            "not_comparable": self.not_comparable,
            "range": [self.least, self.most],
        }


def count_people(known: Mapping[Known, int], joined: Sequence[Sequence[Known]]) -> CountedPeople:
    """How many different people there are: `known` counts them as the nodes know them, `joined` says which of these
    are one person.

    A person is comparable who shares a tag key with everybody tagged at other partners, or if nobody is counted at
    another. Two subjects of one node whose tags differ are two people. So the least number is that of the comparable,
    or of the people of the partner with most; the most, that nobody who could not be compared is anybody else.
    """
    alone = Counter(known)
    alone.subtract(member for members in joined for member in members)
    comparable = {member: _comparable(member, known) for member in known}
    once = sum(n for member, n in alone.items() if comparable[member])
    once += sum(any(comparable[member] for member in members) for members in joined)
    most = sum(alone.values()) + len(joined)
    at: Counter[str] = Counter()
    for (stream, _), n in alone.items():
        at[stream] += n
    for members in joined:
        at.update({stream for stream, _ in members})
    return CountedPeople(once, most - once, max(once, *at.values(), 0), most)


def _comparable(member: Known, known: Mapping[Known, int]) -> bool:
    stream, keys = member
    others = [theirs for other, theirs in known if other != stream]
    return not others or (keys > 0 and all(keys & theirs for theirs in others if theirs))


@dataclass(frozen=True, slots=True)
class StreamState:
    """Where the figures stand in one partner's stream, and how far the node has said that it is.

    `watermark` and `chain` are the last line that the figures contain; `head` and `head_chain` the newest that the
    node has signed as its head. A partner that has not joined has no node and no numbers. `expelled` is when (UTC, wire
    form) the node's membership ended, `closed` the day on which the node sealed its stream, if the figures contain it
    to its last line.
    """

    node: str | None
    partner: str
    epoch: int | None
    watermark: int | None
    chain: bytes | None
    head: int | None
    head_chain: bytes | None
    manifest_at: datetime | None
    stopped: bool = False
    expelled: str | None = None
    closed: str | None = None


def check_days(start: date | None, end: date | None) -> None:
    """Refuse days that no session can lie between; raises `InvalidInput`."""
    if start is not None and end is not None and end < start:
        raise InvalidInput(field="to", reason="before from")


def arrived(streams: Sequence[StreamState], newer_facts: int, now: datetime, silence: timedelta) -> bool | None:
    """True: all that every joined node has signed as its head is in the figures, and no node has been silent too long
    that had not closed the programme.

    False: something is missing, differs or cannot be read by this release. None: not known since a node fell silent,
    or before any has spoken. Partners that have not joined or were expelled do not change it.
    """
    joined = [stream for stream in streams if stream.node is not None and stream.expelled is None]
    if newer_facts or any(_lacks(stream) for stream in joined):
        return False
    waited_for = [stream for stream in joined if stream.closed is None]
    if not joined or any(stream.manifest_at is None or now - stream.manifest_at > silence for stream in waited_for):
        return None
    return True


def _lacks(stream: StreamState) -> bool:
    if stream.stopped:
        return True
    if stream.head is None or stream.watermark is None:
        return False  # it has not spoken yet: not known rather than missing
    return stream.watermark < stream.head or (stream.watermark == stream.head and stream.chain != stream.head_chain)
