"""A purpose that ended, at the lead: what is derived is what the lines that are left make, also of one batch."""

from sqlalchemy import Engine

from services.reporting import rebuilding, store
from shared.contracts.catalogue import ParticipationStarted, StandingReached
from shared.contracts.purpose_facts import PurposeEnded
from tests.services.kit import OWN, rows
from tests.services.reporting.kit import STREAMS, WHOLE, admit, attendance, derive_all, hex_id, lead, receive

MINE = STREAMS[OWN]
CAME = ParticipationStarted(
    hex_id("person", "a"), occurred_on="2016-03-01", **WHOLE | {"continues": hex_id("person", "theirs")}
)
CLIENT = StandingReached(hex_id("person", "b"), standing="client", continues=hex_id("person", "theirs"))


def ended(person: object, purpose: str) -> PurposeEnded:
    said = {"ending": hex_id("ending", person), "why": "asked", "occurred_on": "2016-09-01"}
    return PurposeEnded(hex_id("person", person), purpose=purpose, **said)


def test_the_link_to_another_partner_goes_with_the_record_in_every_derivation(sqlite_engine: Engine) -> None:
    lead(sqlite_engine)
    admit(sqlite_engine, OWN)
    receive(sqlite_engine, MINE, [CAME, CLIENT])
    derive_all(sqlite_engine)
    assert len(rows(sqlite_engine, store.continues)) == 2
    receive(sqlite_engine, MINE, [ended("a", "esf_record"), ended("b", "esf_record")])
    derive_all(sqlite_engine)
    assert rows(sqlite_engine, store.continues) == []
    assert rebuilding.check(sqlite_engine)["equal"]


def test_a_line_set_aside_in_the_batch_in_which_its_purpose_ends_is_not_said_to_be(sqlite_engine: Engine) -> None:
    lead(sqlite_engine)
    admit(sqlite_engine, OWN)
    receive(sqlite_engine, MINE, [attendance(1, 1, "a", "participant"), ended("a", "support")])
    derive_all(sqlite_engine)
    assert rows(sqlite_engine, store.aside) == []
    assert rebuilding.check(sqlite_engine)["equal"]
