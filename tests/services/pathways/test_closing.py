"""Closing a programme on a node: what blocks it, what may be recorded afterwards, and that nothing follows a seal."""

import copy
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select

from services.pathways import closing, closing_store, operations
from services.pathways.closing import Left, close_programme, closing_state, leave_open, reopen_programme, seal_stream
from services.pathways.closing_store import left
from services.pathways.queries import list_tasks
from shared.contracts.catalogue import FACTS, OutcomeRecorded, ScoreComputed, SubjectErased
from shared.contracts.closing_facts import StreamSealed
from shared.contracts.errors import (
    ClosingBlocked,
    ClosingIsFinal,
    InvalidInput,
    ProgrammeIsClosed,
    StreamIsSealed,
    UnknownCode,
    UnknownPerson,
)
from shared.contracts.facts import Fact
from shared.contracts.purpose_facts import PurposeEnded
from shared.journal import Journal
from shared.journal.closing import ALWAYS, CORRECTIONS, RIGHTS, changed
from shared.journal.erasing import erased_among
from shared.journal.returning import erased_here
from shared.journal.tables import journal_line
from shared.storage import snapshot, transaction
from tests.services import kit
from tests.services.kit import KEY, NODE, key_of
from tests.services.pathways import kit as house
from tests.services.pathways.kit import ANNA, BERTTA, noon

AFTER = noon("2017-06-15")
"""When all periods are over."""
BY: dict[str, Any] = {"by": "worker", "now": AFTER}
NO_TASKS = copy.deepcopy(house.DOCUMENT) | {"tasks": []}


@pytest.fixture
def journal(engine: Engine) -> Journal:
    """A node that has met Anna."""
    made = house.known(engine, NO_TASKS)
    house.record(made, house.client())
    house.follow(made)
    return made


def confirm(journal: Journal, *periods: str) -> None:
    for period in periods:
        operations.confirm_period(journal, KEY, period, **BY)


def closed(journal: Journal) -> None:
    leave_open(journal, KEY, [Left("period", "whole_project", "not_over")], **BY)
    confirm(journal, "year")
    assert close_programme(journal, KEY, **BY)[1]
    house.follow(journal, AFTER)


def act(journal: Journal, fact: Fact) -> None:
    """Record it as somebody's act."""
    with journal.unit(AFTER) as unit:
        unit.record(fact, KEY)
        unit.audit("worker", "test")


def outcome() -> Fact:
    return OutcomeRecorded(ANNA, **OutcomeRecorded.example)


def state_of(journal: Journal) -> str:
    return str(closing_state(journal, KEY, AFTER)["state"])


def test_open_tasks_and_unconfirmed_periods_block_it_by_name(engine: Engine) -> None:
    journal = house.known(engine)
    house.record(journal, house.client())
    house.follow(journal)
    with pytest.raises(ClosingBlocked, match=r"tasks: 1 open"):
        close_programme(journal, KEY, **BY)
    task = closing_state(journal, KEY, AFTER)
    assert (task["tasks"], [one["period"] for one in task["periods"]]) == (1, ["year", "whole_project"])
    (row,) = list_tasks(engine, KEY, "open", 10, 0, AFTER)["tasks"]
    operations.close_task(journal, row["task"], "dismissed", "has_left", **BY)
    with pytest.raises(ClosingBlocked, match=r"periods: 2 open"):
        close_programme(journal, KEY, **BY)
    assert state_of(journal) == "open"


def test_closing_twice_is_closing_once(journal: Journal) -> None:
    closed(journal)
    day, pos = close_programme(journal, KEY, **BY)
    assert (str(day), pos, state_of(journal)) == ("2017-06-15", None, "closed")
    assert kit.kinds(journal.engine).count("pathways.programme_closed") == 1


def test_after_closing_what_is_there_is_corrected_and_nothing_new_comes(journal: Journal) -> None:
    closed(journal)
    before = kit.heads(journal.engine)
    for new in (house.client(BERTTA), house.session("s"), house.talk("t", "2016-03-01")):
        with pytest.raises(ProgrammeIsClosed, match="programme: "):
            act(journal, new)
    assert kit.heads(journal.engine) == before
    act(journal, outcome())
    house.record(journal, ScoreComputed(ANNA, **ScoreComputed.example))  # follows from what was there: nobody acts


@pytest.mark.parametrize("of_an_earlier_life", [False, True])
def test_a_closed_programme_opens_no_task(engine: Engine, of_an_earlier_life: bool) -> None:
    """Of a home that was restored from before the closing the stream's row alone says so."""
    journal = house.known(engine)
    closed(journal)
    if of_an_earlier_life:
        with transaction(engine) as connection:
            connection.execute(delete(closing_store.closed))
    house.record(journal, house.client(), now=AFTER)
    house.follow(journal, AFTER)
    assert closing_state(journal, KEY, AFTER)["tasks"] == 0


def test_when_the_last_period_is_confirmed_nothing_is_corrected_any_more(journal: Journal) -> None:
    closed(journal)
    confirm(journal, "whole_project")
    assert state_of(journal) == "final"
    with pytest.raises(ClosingIsFinal):
        act(journal, outcome())


def test_it_is_sealed_only_when_closed_confirmed_and_heard(journal: Journal) -> None:
    with pytest.raises(InvalidInput, match="is not closed"):
        seal_stream(journal, KEY, **BY)
    closed(journal)
    with pytest.raises(ClosingBlocked, match="periods: 1 open"):
        seal_stream(journal, KEY, **BY)
    confirm(journal, "whole_project")
    with pytest.raises(InvalidInput, match="pathways has not heard"):
        seal_stream(journal, KEY, **BY)
    house.follow(journal, AFTER)
    assert seal_stream(journal, KEY, **BY)[1]
    assert (state_of(journal), seal_stream(journal, KEY, **BY)[1]) == ("sealed", None)
    last = [line for line in kit.lines(journal.engine) if line.stream == f"{NODE}/{KEY}"][-1]
    assert last.kind == "pathways.stream_sealed"


def test_what_was_closed_by_mistake_goes_on_and_is_looked_at_anew_when_it_closes_again(journal: Journal) -> None:
    closed(journal)
    confirm(journal, "whole_project")
    day, pos = reopen_programme(journal, KEY, "mistake", **BY)
    assert (str(day), bool(pos), state_of(journal)) == ("2017-06-15", True, "open")
    act(journal, house.session("s"))
    house.follow(journal, AFTER)
    assert closing_state(journal, KEY, AFTER)["left"] == 0
    assert reopen_programme(journal, KEY, "mistake", **BY) == (None, None)
    assert close_programme(journal, KEY, **BY)[1]
    assert (state_of(journal), kit.kinds(journal.engine).count("pathways.programme_closed")) == ("final", 2)


def test_what_is_sealed_is_not_opened_again(journal: Journal) -> None:
    sealed(journal)
    with pytest.raises(StreamIsSealed):
        reopen_programme(journal, KEY, "extended", **BY)
    assert state_of(journal) == "sealed"


def sealed(journal: Journal) -> None:
    closed(journal)
    confirm(journal, "whole_project")
    house.follow(journal, AFTER)
    seal_stream(journal, KEY, **BY)


def test_what_may_follow_a_closing_is_named_as_it_is_declared() -> None:
    assert {kind for kind, _ in FACTS} >= CORRECTIONS > ALWAYS > RIGHTS


def test_nothing_follows_a_seal_whoever_records_it(journal: Journal) -> None:
    sealed(journal)
    before = kit.heads(journal.engine)
    for recording in (act, lambda journal, fact: house.record(journal, fact)):
        with pytest.raises(StreamIsSealed):
            recording(journal, outcome())
    assert kit.heads(journal.engine) == before
    with pytest.raises(ValueError, match="nothing follows the seal"):
        changed([("other", StreamSealed(occurred_on="2017-06-15")), ("other", outcome())], NODE)


def test_a_person_is_erased_after_the_seal_and_the_stream_stays_as_it_is(journal: Journal) -> None:
    sealed(journal)
    stream = f"{NODE}/{KEY}"
    before = kit.heads(journal.engine)[stream]
    with journal.unit(AFTER, right=True) as unit:
        unit.record(SubjectErased(ANNA), KEY)
        unit.audit("worker", "erase_person", programme=KEY)
    assert kit.heads(journal.engine)[stream] == before
    with snapshot(journal.engine) as connection:
        assert erased_among(connection, [ANNA]) == {ANNA}
        assert len(erased_here(connection, stream)) == 1, "the lead is told of the programme's stream"
        theirs = select(journal_line.c.stream).where(journal_line.c.subject == bytes.fromhex(ANNA))
        assert connection.execute(theirs).scalars().all() == [f"{NODE}/local"]


def test_what_is_left_open_names_people_and_periods_that_are(journal: Journal) -> None:
    for item, error in (
        (Left("evidence", BERTTA, "not_obtainable"), UnknownPerson),
        (Left("period", "spring", "not_over"), UnknownCode),
        (Left("receipts", "year", "on_its_way"), InvalidInput),
    ):
        with pytest.raises(error):
            leave_open(journal, KEY, [item], **BY)
    item = Left("evidence", ANNA, "not_obtainable")
    assert leave_open(journal, KEY, [item, item], **BY)[0] == 1
    assert leave_open(journal, KEY, [item], **BY) == (0, None)
    house.record(journal, ended("support"))
    house.follow(journal)
    assert [row["reason"] for row in kit.rows(journal.engine, left)] == ["not_obtainable"], "it is of the fund's record"
    house.record(journal, ended("esf_record"))
    house.follow(journal)
    assert kit.rows(journal.engine, left) == []
    house.record(journal, SubjectErased(ANNA))
    leave_open(journal, KEY, [Left("period", "year", "agreed_with_funder")], **BY)
    house.follow(journal)
    assert len(kit.rows(journal.engine, left)) == 1


def ended(purpose: str) -> Fact:
    return PurposeEnded(ANNA, **PurposeEnded.example | {"purpose": purpose, "ending": key_of(purpose)[:32]})


def test_whether_the_last_period_makes_it_final_is_looked_at_when_nobody_else_can_close(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else one confirms it, another closes, and neither sees what the other has not committed."""
    order: list[str] = []
    for name in ("lock", "days_of"):
        done = getattr(closing, name)
        monkeypatch.setattr(closing, name, lambda *given, done=done, name=name: order.append(name) or done(*given))
    confirm(journal, "year")
    assert order == ["lock", "days_of"]
