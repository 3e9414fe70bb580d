"""The programme says which standing an activity asks of its participants; nobody below it is recorded as one."""

from typing import Any

import pytest

from services.activities import conversations, registers, store
from services.activities.domain import Presence, check_standing
from shared.contracts.catalogue import StandingReached
from shared.contracts.errors import PolkuError, StandingTooLow
from shared.journal import Journal
from shared.programmes import parse
from shared.programmes.model import STANDINGS
from shared.storage import transaction
from tests.services.activities.kit import SUBJECT, attendance, known, record_attendance, record_sessions, session
from tests.services.activities.test_conversations import talk
from tests.services.kit import DOCUMENT, KEY, NOW, key_of, kinds, put_programme


def put(journal: Journal, standing: str) -> None:
    with transaction(journal.engine) as connection:
        store.put_person(connection, SUBJECT, KEY, standing)


def attend(journal: Journal, name: str = "a", **changes: Any) -> Any:
    (held,), _ = record_sessions(journal, session())
    (result,), _ = record_attendance(journal, attendance(held["session"], name, **changes))
    return PolkuError.from_wire(result["error"]) if "error" in result else result["attendance"]


@pytest.mark.parametrize("asked", STANDINGS[1:])
@pytest.mark.parametrize("reached", [None, *STANDINGS[1:]])
@pytest.mark.parametrize("role", ["participant", "volunteer"])
def test_a_participant_has_at_least_the_standing_that_is_asked(asked: str, reached: str | None, role: str) -> None:
    activities = [a | {"standing": asked} if a["key"] == "kaapeli" else a for a in DOCUMENT["activities"]]
    programme = parse(DOCUMENT | {"activities": activities})
    refused = role == "participant" and reached is not None and STANDINGS.index(reached) < STANDINGS.index(asked)
    if refused:
        with pytest.raises(StandingTooLow) as caught:
            check_standing("participant", reached, role, "kaapeli", programme)
        assert caught.value.params == {"field": "participant", "asked": asked, "standing": reached}
    else:
        check_standing("participant", reached, role, "kaapeli", programme)


def test_a_visitor_is_no_participant_of_what_asks_clients_but_may_help(engine: Any) -> None:
    journal = known(engine)
    put(journal, "visitor")
    assert isinstance(attend(journal), StandingTooLow)
    assert isinstance(attend(journal, "b", role="volunteer"), str)
    put(journal, "client")
    assert isinstance(attend(journal), str)


def test_a_register_refuses_all_with_one_who_is_below_and_takes_them_later(engine: Any) -> None:
    journal = known(engine)
    put(journal, "visitor")
    there = [Presence(key_of("p"), SUBJECT, there=True, was=False)]
    common: dict[str, Any] = {"by": "worker", "now": NOW}
    with pytest.raises(StandingTooLow):
        registers.record_register(journal, KEY, session(), there, **common)
    assert kinds(engine) == []
    put(journal, "esf_participant")
    registers.record_register(journal, KEY, session(), there, **common)
    assert kinds(engine) == ["activities.session_held", "activities.attendance_recorded"]


def test_a_talk_asks_the_standing_of_its_activity(engine: Any) -> None:
    journal = known(engine)
    put(journal, "visitor")
    results, _ = conversations.record_conversation(journal, KEY, [talk()], by="worker", now=NOW)
    assert isinstance(PolkuError.from_wire(results[0]["error"]), StandingTooLow)
    visitors_too = [a | {"standing": "visitor"} if a["key"] == "duuniin" else a for a in DOCUMENT["activities"]]
    put_programme(engine, store.shelf, DOCUMENT | {"activities": visitors_too})
    results, _ = conversations.record_conversation(journal, KEY, [talk()], by="worker", now=NOW)
    assert results[0]["new"]


def test_a_standing_that_an_older_release_did_not_keep_is_read_from_the_journal(engine: Any) -> None:
    journal = known(engine)
    with journal.unit(NOW) as unit:
        for standing in ("client", "visitor"):  # the last one holds
            unit.record(StandingReached(SUBJECT, standing=standing), KEY)
        unit.connection.execute(store.person.update().values(standing=None))
    assert isinstance(attend(journal), StandingTooLow)
