"""One person, one count: people whom several partners met, against a slow model that looks at every pair."""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from services.reporting import partner_store, rebuilding, store
from services.reporting import people as one_by_one
from services.reporting.domain import CountedPeople, Person, count_people, doubtful, join_equal, one_record
from services.reporting.queries import report
from shared.contracts.catalogue import (
    OutcomeRecorded,
    ParticipationStarted,
    PersonTagged,
    StandingReached,
    SubjectErased,
    TagsRetired,
)
from shared.contracts.facts import Fact
from shared.contracts.rights_facts import SamePerson
from shared.journal.carry_tables import received_line
from shared.storage import snapshot, transaction
from tests.services import kit
from tests.services.kit import KEY, NOW
from tests.services.reporting.kit import (
    RECEIVING,
    SIGNING,
    attendance,
    derive_all,
    forget_everything,
    hex_id,
    lead,
    receive,
    session,
)

NAMES = {"fi": "Yhdistys"}
PARTNERS = ["one", "two", "three"]
STREAMS = {partner: f"{partner}-0000000{n}/{KEY}" for n, partner in enumerate(PARTNERS)}
DOCUMENT = kit.changed(
    partners=[{"key": key, "name": NAMES, "role": "lead" if key == "one" else "partner"} for key in PARTNERS],
    synthetic={"partners": ["one"], "home_municipalities": ["609"]},
    tag={"basis": "name_birth_date", "steward": "two"},
)
DAYS = ["2016-03-01", "2016-03-02", "2016-03-03"]
SESSIONS = [
    session(0, "duuniin", DAYS[0], 60),
    session(1, "kaapeli", DAYS[1], 60),
    session(2, "duuniin", DAYS[2], 60),
]
OUTCOMES = ["education", "work_trial"]


def tagged(person: object, key_no: int, human: object) -> Fact:
    """The person (as one node knows them) is this human."""
    return PersonTagged(hex_id("person", person), tag=hex_id(key_no, human) * 2, key_no=key_no)


def outcome(name: object, person: object, code: str, day: str) -> Fact:
    ids = {"outcome_id": hex_id("outcome", name)}
    return OutcomeRecorded(hex_id("person", person), **ids, activity="duuniin", outcome=code, occurred_on=day)


def erased(person: object) -> Fact:
    return SubjectErased(hex_id("person", person))


def continuing(person: object, before: object | None) -> Fact:
    """The person came in, referred by another partner who knew them as `before`; None: by nobody."""
    known = {} if before is None else {"continues": hex_id("person", before)}
    return StandingReached(hex_id("person", person), standing="client", **known)


def a_lead(engine: Engine, document: dict[str, Any] = DOCUMENT) -> None:
    """A lead whose three partners have joined."""
    lead(engine, document)
    with transaction(engine) as connection:
        for partner, stream in STREAMS.items():
            row = {"stream": stream, "programme": KEY, "partner": partner, "node": stream.partition("/")[0]}
            partner_store.add_node(connection, row | {"signing_key": SIGNING, "receiving_key": RECEIVING})


def made(engine: Engine, streams: Mapping[str, Sequence[Fact]], end: date | None = None) -> dict[str, Any]:
    """The report when these facts have come, by partner."""
    for partner, facts in streams.items():
        receive(engine, STREAMS[partner], [*SESSIONS, *facts])
    derive_all(engine)
    return report(engine, KEY, None, end, NOW)


# --- the model


def expected(streams: Mapping[str, Sequence[Fact]], end: date | None) -> dict[str, Any]:
    """People by looking at every pair."""
    inside = {s["session"] for s in SESSIONS if end is None or s["occurred_on"] <= end.isoformat()}
    activity = {s["session"]: s["activity"] for s in SESSIONS}
    tags: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
    at: dict[tuple[str, str], tuple[str, str]] = {}
    claims: list[tuple[tuple[str, str], str]] = []
    came_in: set[tuple[str, str]] = set()
    became: dict[tuple[str, str], tuple[str, str, str]] = {}
    for partner, facts in streams.items():
        gone = {fact.subject for fact in facts if isinstance(fact, SubjectErased)}
        for fact in facts:
            who = (partner, str(fact.subject))
            if isinstance(fact, TagsRetired):
                for theirs in [theirs for (place, _), theirs in tags.items() if place == partner]:
                    theirs.pop(fact["key_no"], None)
            elif fact.subject in gone:
                continue
            elif isinstance(fact, PersonTagged):
                tags[who][fact["key_no"]] = fact["tag"]
            elif isinstance(fact, StandingReached):
                came_in.add(who)
                claims.append((who, fact["continues"]))
            elif isinstance(fact, OutcomeRecorded):
                became[partner, fact["outcome_id"]] = (who[1], fact["outcome"], fact["occurred_on"])
            else:
                at[partner, fact["attendance"]] = (who[1], fact["session"])
    everybody = {(partner, who) for (partner, _), (who, _) in at.items()} | set(tags)
    everybody |= {(partner, who) for (partner, _), (who, _, _) in became.items()} | came_in
    said = {who: dict(theirs) for who, theirs in tags.items()}
    for a, b in combinations(sorted(said), 2):  # nobody here is found to be one by their own node
        for key_no in said[a].keys() & said[b].keys() if a[0] == b[0] else ():
            if said[a][key_no] == said[b][key_no]:
                for twin in (a, b):
                    tags[twin].pop(key_no, None)
    one = {person: {person} for person in everybody}
    for a, b in combinations(sorted(everybody), 2):
        common = tags[a].keys() & tags[b].keys()
        equal = bool(common) and tags[a][max(common)] == tags[b][max(common)]
        if equal and one[a] is not one[b]:
            one[a] |= one[b]
            for person in one[a]:
                one[person] = one[a]
    for a, before in sorted(claims, key=lambda claim: (claim[0], claim[1] or "")):
        for b in sorted(came_in):
            if b[0] == a[0] or b[1] != before or one[a] is one[b]:
                continue
            if any(x[0] == y[0] and _differ(said.get(x, {}), said.get(y, {})) for x in one[a] for y in one[b]):
                continue
            one[a] |= one[b]
            for person in one[a]:
                one[person] = one[a]

    def there(activities: set[str]) -> set[tuple[str, str]]:
        return {(p, who) for (p, _), (who, s) in at.items() if s in inside and activity[s] in activities}

    def different(people: set[tuple[str, str]]) -> set[frozenset[tuple[str, str]]]:
        return {frozenset(one[person]) for person in people}

    present = there({"duuniin", "kaapeli"})
    comparable = {p for p in present if _comparable(p, present, tags)}
    once = len(different(comparable))
    most = len(different(present))
    at_one = [len({frozenset(one[p]) for p in present if p[0] == partner}) for partner in PARTNERS]
    had = []
    for people in different(there({"duuniin"})):
        records = []
        for partner, who in people:
            came = [(day, code) for (place, _), (w, code, day) in became.items() if (place, w) == (partner, who)]
            records.append([(day, code) for day, code in came if end is None or day <= end.isoformat()])
        last = max((day for record in records for day, _ in record), default=None)
        had.append({code for record in records if last in [day for day, _ in record] for _, code in record})
    return {
        "people": {"counted_once_by_tag": once, "not_comparable": most - once, "range": [max(once, *at_one), most]},
        "participants": [len(different(there({a}))) for a in ("kaapeli", "duuniin")],
        "outcomes": {code: sum(code in each for each in had) for code in OUTCOMES},
        "unknown": sum(not each for each in had),
    }


def _differ(ours: Mapping[int, str], theirs: Mapping[int, str]) -> bool:
    common = ours.keys() & theirs.keys()
    return bool(common) and ours[max(common)] != theirs[max(common)]


def _comparable(person: tuple[str, str], present: set[tuple[str, str]], tags: Mapping[Any, Mapping[int, str]]) -> bool:
    others = [other for other in present if other[0] != person[0]]
    if not others:
        return True
    return bool(tags[person]) and all(tags[person].keys() & tags[o].keys() for o in others if tags[o])


def shown(report_: Mapping[str, Any]) -> dict[str, Any]:
    groups = {row["group"]: row["participants"] for row in report_["activities"]}
    (became,) = report_["outcomes"]
    assert became["participants"] == groups["individual_coaching"]
    return {
        "people": report_["people"],
        "participants": [groups["community_coaching"], groups["individual_coaching"]],
        "outcomes": {code: became["outcomes"][code] for code in OUTCOMES},
        "unknown": became["unknown"],
    }


PEOPLE = st.integers(0, 4)


@st.composite
def a_partner(draw: st.DrawFn, partner: str) -> list[Fact]:
    """What one partner recorded: of five people at most, some of them the same human, some without a tag."""
    facts: list[Fact] = []
    keys = draw(st.sampled_from([[1], [1], [1, 2], [2], []]))
    for person in range(draw(PEOPLE)):
        human = draw(st.integers(0, 3))
        if draw(st.integers(0, 3)):
            facts += [tagged((partner, person), key_no, human) for key_no in keys]
        if draw(st.integers(0, 9)) == 0:  # somebody wrote the birth date down anew between the two keys
            facts += [tagged((partner, person), key_no, 4) for key_no in keys[:1]]
        before = draw(st.none() | st.none() | st.tuples(st.sampled_from(PARTNERS), PEOPLE))
        facts.append(continuing((partner, person), before))
        for number in draw(st.sets(st.integers(0, 2))):
            facts.append(attendance((person, number), number, (partner, person), "participant"))
        for number in range(draw(st.integers(0, 2))):
            code, day = draw(st.sampled_from(OUTCOMES)), draw(st.sampled_from(DAYS))
            facts.append(outcome((person, number), (partner, person), code, day))
    if draw(st.booleans()) and len(keys) == 2:
        facts.append(TagsRetired(key_no=1))
    facts += [erased((partner, person)) for person in draw(st.sets(PEOPLE, max_size=1))]
    return facts


STATE = st.fixed_dictionaries({partner: a_partner(partner) for partner in PARTNERS})


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STATE, st.sampled_from([None, date(2016, 3, 2)]))
def test_people_are_those_of_the_model(sqlite_engine: Engine, streams: dict[str, list[Fact]], end: date | None) -> None:
    if not kit.rows(sqlite_engine, partner_store.node):
        a_lead(sqlite_engine)
    forget_everything(sqlite_engine)
    assert shown(made(sqlite_engine, streams, end)) == expected(streams, end)
    assert rebuilding.check(sqlite_engine)["equal"]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STATE)
def test_people_are_those_of_the_model_on_postgresql(postgres_engine: Engine, streams: dict[str, list[Fact]]) -> None:
    if not kit.rows(postgres_engine, partner_store.node):
        a_lead(postgres_engine)
    forget_everything(postgres_engine)
    assert shown(made(postgres_engine, streams)) == expected(streams, None)


# --- one by one


def at(partner: str, person: object, human: object | None, number: int = 0, key_no: int = 1) -> list[Fact]:
    """A person at a session of Duuniin, with a tag or without."""
    facts = [] if human is None else [tagged((partner, person), key_no, human)]
    return [
        continuing((partner, person), None),
        *facts,
        attendance((person, number), number, (partner, person), "participant"),
    ]


def test_the_same_person_at_two_partners_counts_once(engine: Engine) -> None:
    a_lead(engine)
    found = made(engine, {"one": at("one", 0, "anna") + at("one", 1, "bertta"), "two": at("two", 0, "anna")})
    assert found["people"] == {"counted_once_by_tag": 2, "not_comparable": 0, "range": [2, 2]}
    assert shown(found)["participants"] == [0, 2]
    assert found["activities"][4]["attendances"] == 3


def test_two_of_one_partner_with_one_name_and_birth_date_are_two_until_their_node_says_otherwise(
    engine: Engine,
) -> None:
    a_lead(engine)
    found = made(engine, {"one": at("one", 0, "anna") + at("one", 1, "anna"), "two": at("two", 0, "anna")})
    assert found["people"] == {"counted_once_by_tag": 1, "not_comparable": 2, "range": [2, 3]}
    assert shown(found)["participants"] == [0, 3]
    first, second = (hex_id("person", ("one", n)) for n in (0, 1))
    receive(engine, STREAMS["one"], [SamePerson(second, **SamePerson.example | {"same_as": first})])
    derive_all(engine)
    assert report(engine, KEY, None, None, NOW)["people"]["range"] == [1, 1]


def test_who_cannot_be_compared_is_counted_apart_and_the_total_is_a_range(engine: Engine) -> None:
    a_lead(engine)
    streams = {"one": at("one", 0, "anna") + at("one", 1, None), "two": at("two", 0, "anna") + at("two", 1, None)}
    assert made(engine, streams)["people"] == {"counted_once_by_tag": 1, "not_comparable": 2, "range": [2, 3]}


@pytest.mark.parametrize("tags", [True, False])
def test_who_was_referred_and_taken_is_one_person(engine: Engine, tags: bool) -> None:
    """Also where the programme has no tags, or where one of the two has none, or another."""
    a_lead(engine, DOCUMENT if tags else {name: value for name, value in DOCUMENT.items() if name != "tag"})
    theirs = [
        *at("two", 0, "anna", 2),
        continuing(("two", 0), ("one", 0)),
        outcome(0, ("two", 0), "education", DAYS[2]),
    ]
    start = ParticipationStarted(
        hex_id("person", ("three", 0)), occurred_on=DAYS[0], gender="f", continues=hex_id("person", ("two", 0))
    )
    streams = {"one": at("one", 0, "another"), "two": theirs, "three": [*at("three", 0, None), start]}
    found = made(engine, streams)
    assert shown(found)["participants"] == [0, 1]
    assert found["people"]["range"] == [1, 1]
    assert found["people"]["counted_once_by_tag"] == (1 if tags else None)
    (row,) = found["outcomes"]
    assert (row["participants"], row["outcomes"]["education"], row["unknown"]) == (1, 1, 0)
    assert rebuilding.check(engine)["equal"]


def test_a_claim_about_somebody_elses_person_changes_nothing_of_theirs(engine: Engine) -> None:
    a_lead(engine)
    receive(engine, STREAMS["one"], [*SESSIONS, *at("one", 0, "anna"), continuing(("one", 1), "nobody there")])
    derive_all(engine)
    before = [kit.rows(engine, table) for table in store.DERIVED]
    claims = [continuing(("two", 0), ("one", 0)), continuing(("two", 1), ("two", 0)), continuing("x", "x")]
    receive(engine, STREAMS["two"], claims)
    derive_all(engine)
    for table, rows in zip(store.DERIVED, before, strict=True):
        assert [row for row in kit.rows(engine, table) if row["stream"] == STREAMS["one"]] == rows
    assert report(engine, KEY, None, None, NOW)["people"]["range"] == [1, 1]


def test_no_claim_makes_two_people_of_another_partner_one(engine: Engine) -> None:
    """Whoever holds the tag key and was once referred somebody would else fold all others of that partner into one."""
    a_lead(engine)
    theirs = [fact for n in range(5) for fact in at("one", n, f"human {n}")]
    claims = [fact for n in range(5) for fact in (*at("two", n, f"human {n}", 2), continuing(("two", n), ("one", 0)))]
    found = made(engine, {"one": theirs, "two": claims})
    assert found["people"] == {"counted_once_by_tag": 5, "not_comparable": 0, "range": [5, 5]}
    assert shown(found)["participants"] == [0, 5]


@pytest.mark.parametrize("gone", ["one", "two"])
def test_erasing_either_end_of_a_referral_takes_the_link_away(engine: Engine, gone: str) -> None:
    a_lead(engine)
    streams = {"one": at("one", 0, None), "two": [*at("two", 0, None), continuing(("two", 0), ("one", 0))]}
    assert made(engine, streams)["people"]["range"] == [1, 1]
    receive(engine, STREAMS[gone], [erased((gone, 0))])
    derive_all(engine)
    left = report(engine, KEY, None, None, NOW)
    assert (left["people"]["range"], shown(left)["participants"]) == ([1, 1], [0, 1])
    with snapshot(engine) as connection:
        one = one_by_one.find_equal(connection, list(STREAMS.values()), by_tag=True)
        present = one_by_one.participants(one_by_one.held(list(STREAMS.values()), ["duuniin"], None, None))
        assert [len(members) for members in one_by_one.among(connection, present, one).values()] in ([], [1])
    assert rebuilding.check(engine)["equal"]


def test_erasing_one_of_two_leaves_the_other(engine: Engine) -> None:
    a_lead(engine)
    streams = {"one": at("one", 0, "anna"), "two": [*at("two", 0, "anna"), erased(("two", 0))]}
    found = made(engine, streams)
    assert found["people"] == {"counted_once_by_tag": 1, "not_comparable": 0, "range": [1, 1]}
    assert [row["stream"] for row in kit.rows(engine, store.tag)] == [STREAMS["one"]]


def test_the_later_of_two_records_says_what_became_of_a_person(engine: Engine) -> None:
    a_lead(engine)
    ours = [*at("one", 0, "anna"), outcome(0, ("one", 0), "education", DAYS[0])]
    theirs = [*at("two", 0, "anna"), outcome(0, ("two", 0), "work_trial", DAYS[2])]
    found = made(engine, {"one": ours, "two": theirs})["outcomes"][0]
    assert {code: n for code, n in found["outcomes"].items() if n} == {"work_trial": 1}
    assert (found["participants"], found["unknown"]) == (1, 0)


def test_only_the_newest_key_that_both_have_is_compared(engine: Engine) -> None:
    a_lead(engine)
    both = [tagged(("one", 0), 1, "anna"), *at("one", 0, "another", key_no=2)]
    old = at("two", 0, "anna", key_no=1)
    new = at("three", 0, "anna", key_no=2)
    found = made(engine, {"one": both, "two": old, "three": new})
    # one and two are joined by key 1; three differs from one by key 2, and cannot be compared with two.
    assert found["people"] == {"counted_once_by_tag": 1, "not_comparable": 1, "range": [1, 2]}


def test_a_programme_that_does_not_count_once_says_so_and_joins_nobody(engine: Engine) -> None:
    a_lead(engine, {name: value for name, value in DOCUMENT.items() if name != "tag"})
    found = made(engine, {"one": at("one", 0, "anna"), "two": at("two", 0, "anna")})
    assert found["people"] == {"counted_once_by_tag": None, "not_comparable": 2, "range": [1, 2]}


def test_a_report_shows_neither_tags_nor_subjects(engine: Engine) -> None:
    a_lead(engine)
    streams = {"one": at("one", 0, "anna"), "two": at("two", 0, "anna")}
    text = json.dumps(made(engine, streams), default=repr)
    for row in kit.rows(engine, store.tag):
        assert row["tag"].hex() not in text
        assert row["subject"].hex() not in text


def test_retired_tags_are_gone_from_lines_and_tables_and_nobody_was_erased(engine: Engine) -> None:
    a_lead(engine)
    facts = [tagged(("one", 0), 1, "anna"), tagged(("one", 0), 2, "anna"), TagsRetired(key_no=1)]
    found = made(engine, {"one": [*facts, attendance(0, 0, ("one", 0), "participant")]})
    assert [row["key_no"] for row in kit.rows(engine, store.tag)] == [2]
    with snapshot(engine) as connection:
        kept = connection.execute(select(received_line.c.kind, received_line.c.line).order_by("seq")).all()
    assert [row.kind for row in kept[3:6]] == [None, PersonTagged.kind, TagsRetired.kind]
    assert hex_id(1, "anna").encode() not in b"".join(row.line or b"" for row in kept)
    assert (found["data_quality"]["erased_people"], found["data_quality"]["erased_lines"]) == (0, 0)
    assert rebuilding.check(engine)["equal"]


@pytest.mark.parametrize(
    ("known", "joined", "once", "apart", "least", "most"),
    [
        ({}, [], 0, 0, 0, 0),
        ({("a", 0): 5}, [], 5, 0, 5, 5),
        ({("a", 1): 5, ("b", 1): 5}, [], 10, 0, 10, 10),
        ({("a", 1): 5, ("b", 1): 5}, [[("a", 1), ("b", 1)]], 9, 0, 9, 9),
        ({("a", 1): 5, ("b", 0): 3}, [], 5, 3, 5, 8),
        ({("a", 1): 2, ("b", 0): 3}, [], 2, 3, 3, 5),
        ({("a", 1): 2, ("b", 2): 3}, [], 0, 5, 3, 5),
        ({("a", 3): 2, ("b", 1): 3, ("c", 2): 4}, [], 2, 7, 4, 9),
    ],
)
def test_what_is_sure_and_what_is_not(
    known: dict[tuple[str, int], int], joined: Any, once: int, apart: int, least: int, most: int
) -> None:
    assert count_people(known, joined) == CountedPeople(once, apart, least, most)


MEMBERS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([0, 0, 1])), max_size=6)


@given(MEMBERS, st.booleans())
def test_the_least_number_is_that_of_the_best_way_in_which_people_could_be_one(
    members: list[tuple[str, int]], joins: bool
) -> None:
    """Tried one after another: of one partner, and with two different tags, they are two; joined ones are one."""
    tagged_at = {stream: n for n, (stream, keys) in enumerate(members) if keys}
    together = sorted(tagged_at.values()) if joins and len(tagged_at) > 1 else []

    def apart(one: int, other: int) -> bool:
        both = {one, other} <= set(together)
        return not both and (members[one][0] == members[other][0] or members[one][1] & members[other][1] > 0)

    def least(number: int, groups: list[list[int]]) -> int:
        if number == len(members):
            return len(groups)
        ways = [group for group in groups if not any(apart(number, other) for other in group)]
        if number in together[1:]:
            ways = [group for group in ways if together[0] in group]
        found = [least(number + 1, [[*g, number] if g is group else g for g in groups]) for group in ways]
        alone = [] if number in together[1:] else [least(number + 1, [*groups, [number]])]
        return min(found + alone, default=len(members) + 1)

    joined = [[members[n] for n in together]] if together else []
    assert count_people(Counter(members), joined).least == least(0, [])


def test_who_equals_somebody_is_one_with_all_of_theirs() -> None:
    a, b, c, d = (("s", bytes([n])) for n in range(4))
    tags = [(a, 1, b"x"), (b, 1, b"x"), (b, 2, b"y"), (c, 2, b"y"), (d, 2, b"z")]
    assert join_equal(tags) == {a: a, b: a, c: a}


TAGGED = [(f"s{number % 3}", bytes([number])) for number in range(8)]


@given(
    st.dictionaries(st.tuples(st.sampled_from(TAGGED), st.integers(1, 5)), st.sampled_from([b"x", b"y"]), max_size=30)
)
def test_tags_join_whom_comparing_each_with_each_joins(tags: dict[tuple[Person, int], bytes]) -> None:
    of: dict[Person, dict[int, bytes]] = defaultdict(dict)
    for (person, key_no), tag in tags.items():
        of[person][key_no] = tag
    groups = {person: {person} for person in of}
    for one, other in combinations(of, 2):
        common = of[one].keys() & of[other].keys()
        if common and of[one][max(common)] == of[other][max(common)]:
            groups |= dict.fromkeys(both := groups[one] | groups[other], both)
    rows = [(person, key_no, tag) for (person, key_no), tag in tags.items()]
    assert join_equal(rows) == {person: min(group) for person, group in groups.items() if len(group) > 1}


def test_a_partner_whose_people_all_have_other_keys_keeps_no_report_waiting() -> None:
    """Each with each they would be 50 million comparisons, in every report."""
    people = [("s", number.to_bytes(4)) for number in range(10_000)]
    own = [(person, number + 3, person[1]) for number, person in enumerate(people)]
    alike = [(person, 1, b"x") for person in people]
    began = time.process_time()
    assert set(join_equal([*own, *alike]).values()) == {people[0]}
    assert join_equal([*own, *alike, *((person, 2, person[1]) for person in people)]) == {}, "a newer one that differs"
    join_equal(own, [(person, ("t", b"z")) for person in people])
    assert doubtful(own, [(people[0], person) for person in people]) == set(), "each is said to be the first one"
    assert time.process_time() - began < 15.0


def test_a_link_joins_no_records_by_the_thousand() -> None:
    ours = [[("s", bytes([side, number])) for number in range(200)] for side in range(2)]
    tags = [(person, 1 + side, b"x") for side in range(2) for person in ours[side]]
    tags += [(person, 10 + number, person[1]) for number, person in enumerate([*ours[0], *ours[1]])]
    link = [(ours[0][0], ("t", b"z")), (ours[1][0], ("t", b"z"))]
    joined = join_equal(tags, link)
    assert joined[ours[0][0]] != joined[ours[1][0]]


def test_no_link_makes_two_of_one_partner_one_whose_tags_differ_though_others_have_one_of_them() -> None:
    a, b, c, far = ("s", b"1"), ("s", b"2"), ("s", b"3"), ("t", b"1")
    tags = [(a, 1, b"x"), (b, 1, b"x"), (c, 1, b"y")]
    assert doubtful(tags) == {(a, 1), (b, 1)}
    assert join_equal(tags, [(far, a), (far, c)], unsure=doubtful(tags)) == {a: a, far: a}


def test_of_two_records_with_the_same_last_day_both_hold() -> None:
    early, late = date(2016, 3, 1), date(2016, 3, 2)
    assert one_record([{"a": early, "b": late}, {"c": late}, {"d": early}, {}]) == {"a", "b", "c"}
    assert one_record([{}, {}]) == set()
