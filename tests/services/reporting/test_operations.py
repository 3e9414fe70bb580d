"""Programmes in use, and deriving: idempotent, restartable at any line, the same in batches of any size."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text

from services.reporting import effects, operations, partner_store, store, versions
from services.reporting.effects import EFFECTS
from services.reporting.queries import report
from shared.contracts import catalogue
from shared.contracts.catalogue import NodeAdmitted, SessionHeld, StepEntered, StepLeft, SubjectErased
from shared.contracts.errors import InvalidProgramme
from shared.contracts.facts import Fact, Reach
from shared.contracts.mistake_facts import StepRemoved
from shared.journal import Journal
from shared.journal.carry_tables import received_erased, received_line
from shared.journal.lines import Line, chain_next, chain_start, serialise
from shared.programmes import digest
from shared.storage import LINES_AT_ONCE, snapshot, transaction
from shared.testing.wait import until
from tests.services import kit
from tests.services.kit import KEY, NOW, OTHER, OWN
from tests.services.reporting.kit import (
    NODES,
    STREAMS,
    admit,
    asides,
    assessment_removed,
    attendance,
    attendance_removed,
    derive_all,
    ended,
    forget_everything,
    heads,
    hex_id,
    lead,
    receive,
    resumed,
    score,
    session,
    session_removed,
    sheet,
    sheet_removed,
    standing,
    started,
)

STREAM = STREAMS[OWN]


def tables(engine: Engine) -> list[Any]:
    """The derived tables and the cursor, by content."""
    return [sorted(map(repr, kit.rows(engine, table))) for table in (*store.DERIVED, store.cursor)]


# --- programmes


def test_a_programme_is_recorded_on_the_leads_own_stream(engine: Engine) -> None:
    journal = lead(engine)
    assert {(line.stream, line.kind) for line in kit.lines(engine)} == {(f"lead/{KEY}", "reporting.programme_version")}
    before = kit.heads(engine)
    assert versions.load_programme(journal, kit.DOCUMENT, "boss", NOW)[1] is None
    assert kit.heads(engine) == before
    assert kit.audit(engine)[0]["digest"] == digest(kit.DOCUMENT)


def test_what_is_no_programme_is_refused(engine: Engine) -> None:
    with pytest.raises(InvalidProgramme):
        versions.load_programme(Journal(engine, "lead"), kit.changed(key="local"), "boss", NOW)
    assert kit.kinds(engine) == []


def test_a_new_version_derives_the_figures_anew_from_the_same_lines(engine: Engine) -> None:
    """An activity that the first version did not know; only this programme's streams are derived anew."""
    journal = lead(engine)
    admit(engine, OWN, OTHER)
    receive(engine, STREAM, [session(1, "uusi", "2016-03-01", 60), session(2, "kaapeli", "2016-03-01", 60)])
    derive_all(engine)
    assert asides(engine) == {1: "unknown_activity"}
    activities = [*kit.DOCUMENT["activities"], {**kit.DOCUMENT["activities"][0], "key": "uusi"}]
    versions.load_programme(journal, kit.changed(activities=activities), "boss", NOW)
    assert kit.rows(engine, store.session) == kit.rows(engine, store.cursor) == []
    assert report(engine, KEY, None, None, NOW)["arrived"] is False  # honest while it lasts
    derive_all(engine)
    assert asides(engine) == {}
    assert report(engine, KEY, None, None, NOW)["activities"][0]["sessions"] == 2


def test_another_programmes_figures_stay(engine: Engine) -> None:
    journal = lead(engine)
    versions.load_programme(journal, kit.changed(key="toinen"), "boss", NOW)
    admit(engine, OWN)
    admit(engine, OWN, programme="toinen")
    receive(engine, f"{NODES[OWN]}/toinen", [session(1, "kaapeli", "2016-03-01", 60)])
    derive_all(engine)
    versions.load_programme(journal, kit.changed(languages=["fi", "sv"]), "boss", NOW)
    assert len(kit.rows(engine, store.session)) == 1


def test_a_new_version_waits_for_the_derivation_that_is_under_way(
    postgres_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what that one derived by the old version would stay. It is the stream's first, so there is no cursor yet."""
    engine, journal = postgres_engine, lead(postgres_engine)
    admit(engine, OWN)
    receive(engine, STREAM, [session(1, "uusi", "2016-03-01", 60)])
    reached, go_on, set_cursor = threading.Event(), threading.Event(), store.set_cursor

    def slow(*given: Any) -> None:
        reached.set()
        assert go_on.wait(30)
        set_cursor(*given)

    monkeypatch.setattr(store, "set_cursor", slow)
    activities = [*kit.DOCUMENT["activities"], {**kit.DOCUMENT["activities"][0], "key": "uusi"}]
    newer = kit.changed(activities=activities)
    with ThreadPoolExecutor(2) as pool:
        deriving = pool.submit(operations.derive, engine, {})
        assert reached.wait(10)
        loading = pool.submit(versions.load_programme, journal, newer, "boss", NOW)
        try:
            until(lambda: _waiting_for_a_lock(engine))
        finally:
            go_on.set()
        assert deriving.result(10)
        assert loading.result(10)
    assert asides(engine) == {}
    derive_all(engine)
    assert len(kit.rows(engine, store.session)) == 1


def _waiting_for_a_lock(engine: Engine) -> bool:
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with engine.connect() as connection:
        return bool(connection.execute(query).scalar_one())


# --- deriving


def raw(seq: int, kind: str, v: int, body: dict[str, Any], subject: str | None = None) -> bytes:
    return serialise(Line(STREAM, 1, seq, kind, v, "2016-03-01T10:00:00.000000Z", subject, hex_id("salt"), body))


def test_lines_that_cannot_be_counted_are_set_aside_with_the_reason(engine: Engine) -> None:
    lead(engine)
    admit(engine, OWN, OTHER)
    receive(engine, STREAMS[OTHER], [session("theirs", "kaapeli", "2016-03-01", 60)])
    held = session(1, "kaapeli", "2016-03-01", 60)
    unmade = dict(held.body) | {"occurred_on": "2016-02-30"}
    keys = {"signing_key": "0" * 64, "receiving_key": "0" * 64}
    content: list[Fact | bytes | None] = [
        held,
        raw(2, "activities.booking_made", 1, {}),
        raw(3, SessionHeld.kind, 2, dict(held.body)),
        b"{}",
        b"\xff\x00 no line",
        raw(6, SessionHeld.kind, 1, {}),
        raw(7, SessionHeld.kind, 1, unmade),
        raw(8, SessionHeld.kind, 1, dict(held.body), subject=hex_id("somebody")),
        session(9, "kuu", "2016-03-01", 60),
        attendance(1, "theirs", "p", "participant"),
        heads("nobody's", 3),
        NodeAdmitted(None, partner=OTHER, node="turku-00000001", **keys),
        attendance(2, 1, "p", "participant"),
    ]
    receive(engine, STREAM, content)
    derive_all(engine)
    assert asides(engine) == {
        2: "newer",
        3: "newer",
        4: "bad_line",
        5: "bad_line",
        6: "bad_body",
        7: "bad_body",
        8: "bad_body",
        9: "unknown_activity",
        10: "foreign_session",
        11: "foreign_session",
        12: "foreign_kind",
    }
    made = report(engine, KEY, None, None, NOW)
    assert (made["newer_facts"], made["arrived"]) == (2, False)
    assert made["data_quality"] == {
        "refused_lines": 9,
        "void_lines": 0,
        "incomplete_records": 0,
        "unproved_records": 0,
        "erased_people": 0,
        "erased_lines": 0,
        "restricted_people": 0,
    }
    assert made["activities"][0]["sessions"] == 2  # theirs, and the first
    assert made["activities"][0]["attendances"] == 1


def test_what_was_removed_and_recorded_again_is_counted_once(engine: Engine) -> None:
    lead(engine)
    admit(engine, OWN)
    there = [session(1, "duuniin", "2016-03-01", 45), attendance(1, 1, "p", "participant")]
    receive(engine, STREAM, there)
    derive_all(engine)
    receive(engine, STREAM, [attendance_removed(1, 1, "p"), session_removed(1)])
    derive_all(engine)
    assert kit.rows(engine, store.session) == kit.rows(engine, store.attendance) == []
    receive(engine, STREAM, [attendance(1, 1, "p", "participant"), *there])
    derive_all(engine)
    assert asides(engine) == {5: "foreign_session"}
    row = report(engine, KEY, None, None, NOW)["activities"][4]
    assert (row["group"], row["sessions"], row["participants"], row["attendances"]) == ("individual_coaching", 1, 1, 1)


def test_an_erased_line_moves_the_watermark_and_counts_nothing(engine: Engine) -> None:
    lead(engine)
    admit(engine, OWN)
    chain = receive(engine, STREAM, [None, session(1, "kaapeli", "2016-03-01", 60), None])
    derive_all(engine)
    (cursor,) = kit.rows(engine, store.cursor)
    assert (cursor["seq"], cursor["chain"]) == (3, chain)
    assert asides(engine) == {}


def test_the_cursor_holds_the_chain_of_the_lines(engine: Engine) -> None:
    lead(engine)
    admit(engine, OWN)
    receive(engine, STREAM, [standing("p", "client"), session(1, "kaapeli", "2016-03-01", 60)])
    derive_all(engine)
    chain = chain_start(STREAM)
    with snapshot(engine) as connection:
        for found in connection.execute(select(received_line.c.digest).order_by("seq")).scalars():
            chain = chain_next(chain, found)
    assert kit.rows(engine, store.cursor)[0]["chain"] == chain


def test_deriving_again_does_nothing(engine: Engine) -> None:
    lead(engine)
    admit(engine, OWN)
    receive(engine, STREAM, [session(1, "kaapeli", "2016-03-01", 60)])
    assert operations.derive(engine, {}) is True
    before = tables(engine)
    assert operations.derive(engine, {}) is False
    assert tables(engine) == before


def on_a_step(what: type[Fact], person: object, day: str) -> Fact:
    return what(hex_id("person", person), step="outreach", occurred_on=day)


def step_removed(person: object, entered: str, left: str | None) -> Fact:
    return StepRemoved(hex_id("person", person), step="outreach", entered_on=entered, left_on=left)


PEOPLE, PLACES = st.integers(0, 3), st.integers(0, 3)
ACTIVITIES = st.sampled_from(["kaapeli", "reeraa", "public_event", "info_session", "kuu"])
DAYS = st.sampled_from(["2016-03-01", "2016-03-02", "2016-04-01"])
ROLES = st.sampled_from(["participant", "participant", "staff", "peer_instructor"])
FACTS = st.one_of(
    st.builds(session, PLACES, ACTIVITIES, DAYS, st.sampled_from([None, 15, 60])),
    st.builds(attendance, st.integers(0, 4), PLACES, PEOPLE, ROLES),
    st.builds(heads, PLACES, st.sampled_from([0, 3, 10])),
    st.builds(attendance_removed, st.integers(0, 4), PLACES, PEOPLE),
    st.builds(session_removed, PLACES),
    st.builds(standing, PEOPLE, st.sampled_from(["visitor", "client"])),
    st.builds(score, PLACES, PEOPLE, st.sampled_from([None, "0", "7"]), st.sampled_from(["functioning", "mood"])),
    st.builds(assessment_removed, PLACES, PEOPLE),
    st.builds(sheet, PLACES),
    st.builds(sheet_removed, PLACES),
    st.builds(on_a_step, st.sampled_from([StepEntered, StepLeft]), PEOPLE, DAYS),
    st.builds(step_removed, PEOPLE, DAYS, DAYS | st.none()),
    st.builds(started, PEOPLE),
    st.builds(ended, PEOPLE),
    st.builds(resumed, PEOPLE),
)
OR_ERASED = st.one_of(FACTS, st.builds(lambda person: SubjectErased(hex_id("person", person)), PEOPLE))


class Killed(BaseException):
    """The process ended here."""


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.lists(OR_ERASED, max_size=25), data=st.data())
def test_batches_of_any_size_and_deaths_at_any_line_give_the_same_tables(
    sqlite_engine: Engine, content: Sequence[Fact], data: st.DataObject
) -> None:
    assert_batches_do_not_matter(sqlite_engine, content, data)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.lists(OR_ERASED, min_size=8, max_size=25), data=st.data())
def test_so_it_is_where_they_are_stored_while_the_next_are_read(
    postgres_engine: Engine, content: Sequence[Fact], data: st.DataObject
) -> None:
    assert_batches_do_not_matter(postgres_engine, content, data)


def assert_batches_do_not_matter(engine: Engine, content: Sequence[Fact], data: st.DataObject) -> None:
    if not kit.rows(engine, partner_store.node):
        lead(engine)
        admit(engine, OWN)
    forget_everything(engine)
    receive(engine, STREAM, content)
    derive_all(engine)
    at_once, erased = tables(engine), what_is_erased(engine)
    forget_everything(engine)
    rest, set_cursor = list(content), store.set_cursor

    def die(*_: Any) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        while rest:
            take = data.draw(st.integers(1, len(rest)), label="lines that arrive")
            receive(engine, STREAM, rest[:take])
            rest = rest[take:]
            patch.setattr(
                operations, "DERIVE_BATCH", dict.fromkeys(LINES_AT_ONCE, data.draw(st.integers(1, 4), label="batch"))
            )
            patch.setattr(operations, "READ_AT_ONCE", data.draw(st.integers(1, 4), label="read at once"))
            for _ in range(data.draw(st.integers(0, 3), label="batches")):
                dies = data.draw(st.booleans(), label="dies")
                patch.setattr(store, "set_cursor", die if dies else set_cursor)
                before = tables(engine)
                try:
                    operations.derive(engine, {})
                except Killed:
                    assert tables(engine) == before
        patch.setattr(store, "set_cursor", set_cursor)
        derive_all(engine)
    assert tables(engine) == at_once
    assert what_is_erased(engine) == erased


def what_is_erased(engine: Engine) -> tuple[set[int], dict[bytes, tuple[int, int]]]:
    """Which lines are digests, and of whom which line said so, and how many they were."""
    gone = {row["seq"] for row in kit.rows(engine, received_line) if row["line"] is None and row["subject"] is None}
    return gone, {row["digest"]: (row["seq"], row["lines"]) for row in kit.rows(engine, received_erased)}


def test_whose_stream_has_erased_them_does_not_come_back_with_a_later_transaction(engine: Engine) -> None:
    """No node writes such lines; not even one that cannot be read stays."""
    lead(engine)
    admit(engine, OWN)
    anna = hex_id("person", "anna")
    receive(engine, STREAM, [session(1, "kaapeli", "2016-03-01", 60), SubjectErased(anna)])
    derive_all(engine)
    receive(
        engine, STREAM, [attendance(1, 1, "anna", "participant"), raw(4, "x.y", 1, {}, anna), standing("b", "client")]
    )
    derive_all(engine)
    assert kit.rows(engine, store.attendance) == kit.rows(engine, store.aside) == []
    assert what_is_erased(engine)[0] == {2, 3, 4}
    assert len(kit.rows(engine, store.person)) == 1


def test_a_line_whose_effect_fails_stops_its_stream_alone_until_it_is_mended(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead(engine)
    admit(engine, OWN, OTHER)
    poison, right = hex_id("session", "poison"), effects.EFFECTS[SessionHeld]

    def broken(derivation: effects.Derivation, fact: Fact) -> str | None:
        if fact["session"] == poison and derivation.stream == STREAM:
            raise KeyError(fact["session"])
        return right(derivation, fact)

    monkeypatch.setitem(effects.EFFECTS, SessionHeld, broken)
    failing = operations.Failing()
    for stream in STREAMS.values():
        receive(engine, stream, [session("poison", "kaapeli", "2016-03-01", 60)])
    derive_all(engine, failing)
    assert {row["stream"] for row in kit.rows(engine, store.session)} == {STREAMS[OTHER]}
    assert failing.keys() == {STREAM}
    receive(engine, STREAMS[OTHER], [session("more", "kaapeli", "2016-03-01", 60)])
    derive_all(engine, failing)
    assert len(kit.rows(engine, store.session)) == 2, "the others go on"
    monkeypatch.setitem(effects.EFFECTS, SessionHeld, right)
    failing[STREAM] = 0.0  # it is due
    derive_all(engine, failing)
    assert {row["stream"] for row in kit.rows(engine, store.session)} == set(STREAMS.values())
    assert not failing


def test_who_is_erased_stays_so_whatever_was_read_meanwhile(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """No node writes such lines; one that did would not bring a person back."""
    lead(engine)
    admit(engine, OWN)
    anna, there = hex_id("person", "anna"), [attendance(n, 1, "anna", "participant") for n in range(3)]
    receive(engine, STREAM, [session(1, "kaapeli", "2016-03-01", 60), there[0], SubjectErased(anna), *there[1:]])
    monkeypatch.setattr(operations, "READ_AT_ONCE", 1)
    derive_all(engine)
    assert kit.rows(engine, store.attendance) == []
    assert len(kit.rows(engine, store.session)) == 1


def test_two_streams_are_derived_apart(engine: Engine) -> None:
    """The same ids of two nodes are two entities."""
    lead(engine)
    admit(engine, OWN, OTHER)
    for stream in STREAMS.values():
        receive(engine, stream, [session(1, "kaapeli", "2016-03-01", 60), attendance(1, 1, "p", "participant")])
    derive_all(engine)
    assert {row["stream"] for row in kit.rows(engine, store.session)} == set(STREAMS.values())
    assert len(kit.rows(engine, store.attendance)) == 2


def test_a_line_that_says_who_was_erased_reaches_only_its_own_stream(engine: Engine) -> None:
    lead(engine)
    admit(engine, OWN, OTHER)
    ours, theirs = STREAMS[OWN], STREAMS[OTHER]
    for stream in (ours, theirs):
        held, anna = session("s", "kaapeli", "2016-03-01", 60), standing("anna", "client")
        receive(engine, stream, [held, anna, attendance("a", "s", "anna", "participant")])
    derive_all(engine)
    receive(engine, ours, [SubjectErased(hex_id("person", "anna"))])
    derive_all(engine)
    assert {row["stream"] for row in kit.rows(engine, store.attendance)} == {theirs}
    assert {row["stream"] for row in kit.rows(engine, store.person)} == {theirs}
    left = {(row["stream"], row["seq"]) for row in kit.rows(engine, received_line) if row["line"] is None}
    assert left == {(ours, 2), (ours, 3), (ours, 4)}


def test_erased_in_the_same_batch_as_everything_else_leaves_nothing(engine: Engine) -> None:
    lead(engine)
    admit(engine, OWN)
    anna, nobody = hex_id("person", "anna"), session("s", "kaapeli", "2016-03-01", 60)
    refused = attendance("x", "no such session", "anna", "participant")
    facts = [nobody, standing("anna", "client"), attendance("a", "s", "anna", "participant"), refused]
    receive(engine, STREAMS[OWN], [*facts, SubjectErased(anna)])
    derive_all(engine)
    made = {table.name: kit.rows(engine, table) for table in store.DERIVED}
    assert [name for name, found in made.items() if found] == ["reporting_session"]
    with transaction(engine) as connection:
        store.forget_derived(connection, [STREAMS[OWN]])
    derive_all(engine)
    assert {table.name: kit.rows(engine, table) for table in store.DERIVED} == made


def test_every_fact_that_nodes_send_has_an_effect_or_none_but_is_no_refused_line() -> None:
    sent = {
        known
        for known in catalogue.FACTS.values()
        if known.reach is Reach.LEAD and not known.kind.startswith("reporting.")
    }
    assert sent - {*EFFECTS} == set()
