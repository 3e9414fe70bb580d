"""A partner leaves: nothing more is taken of its node, what it has sent stays, another node may take its place."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from services.reporting import operations, partner_queries, partners, queries
from shared.contracts.catalogue import NodeExpelled
from shared.contracts.errors import InvalidInvite, NotFound, PartnerAlreadyJoined
from shared.journal import Journal
from shared.journal.directory import member
from shared.journal.joining import Join, token_digest
from shared.ops.clock import wire_time
from shared.storage import snapshot
from tests.services import kit as services
from tests.services.kit import KEY, NOW, OTHER, OWN
from tests.services.reporting import kit
from tests.services.reporting.kit import NODES, STREAMS, derive_all, heads, receive, session

SESSION = session("a", "open_event", "2016-03-01", 60)


@pytest.fixture
def journal(engine: Engine) -> Journal:
    journal = kit.lead(engine)
    kit.admit(engine, OWN, OTHER)
    for partner in (OWN, OTHER):
        receive(engine, STREAMS[partner], [SESSION, heads("a", 7)])
    derive_all(engine)
    return journal


def expel(journal: Journal, partner: str = OTHER) -> str:
    return partners.expel_partner(journal, KEY, partner, by="boss", now=NOW)[0]


def report(engine: Engine) -> dict[str, object]:
    return queries.report(engine, KEY, None, None, NOW)


def test_an_expelled_partners_last_watermark_and_figures_stay_and_it_does_not_change_arrived(
    engine: Engine, journal: Journal
) -> None:
    before = report(engine)
    receive(engine, STREAMS[OTHER], [], said=9)
    assert report(engine)["arrived"] is False
    assert expel(journal) == NODES[OTHER]
    after = report(engine)
    assert after["arrived"] is True
    assert after["activities"] == before["activities"]
    (row,) = [row for row in after["streams"] if row["partner"] == OTHER]  # type: ignore[attr-defined]
    assert (row["watermark"], row["expelled"]) == (2, wire_time(NOW))
    assert partner_queries.completeness(engine, KEY, NOW)["complete"] is True
    states = [(stream.partner, stream.state) for stream in after["proof"].streams]  # type: ignore[attr-defined]
    assert (OTHER, "expelled") in states


def test_nothing_more_is_taken_of_it_nor_sent_to_it(engine: Engine, journal: Journal) -> None:
    expel(journal)
    assert list(partner_queries.admitted_keys(engine, NOW)) == [STREAMS[OWN]]
    assert [node.node for node in partner_queries.admitted_nodes(engine, NOW)] == [NODES[OWN]]
    assert list(partner_queries.silence_limits(engine)) == [STREAMS[OWN]]


def test_it_is_a_line_of_the_leads_stream_and_stands_in_the_audit_log(engine: Engine, journal: Journal) -> None:
    expel(journal)
    assert services.lines(engine)[-1].kind == NodeExpelled.kind
    assert services.audit(engine)[-1]["action"] == "expel_partner"


def test_who_is_no_member_cannot_be_expelled(engine: Engine, journal: Journal) -> None:
    expel(journal)
    before = services.heads(engine)
    for partner in (OTHER, "kuu"):
        with pytest.raises(NotFound):
            expel(journal, partner)
    assert services.heads(engine) == before


def joins(journal: Journal, node: str, token: str) -> bool:
    digest = token_digest(token)
    operations.admit_partner(journal, KEY, OTHER, digest, valid=timedelta(days=1), by="boss", now=NOW)
    return operations.accept_join(journal, Join(KEY, OTHER, node, b"1" * 32, b"2" * 32, digest), NOW)


def test_the_partner_comes_back_with_another_node_and_both_stand_in_the_report(
    engine: Engine, journal: Journal
) -> None:
    expel(journal)
    with pytest.raises(PartnerAlreadyJoined):
        joins(journal, NODES[OTHER], "1")
    assert joins(journal, "rauma-0000000f", "2")
    rows = [row for row in report(engine)["streams"] if row["partner"] == OTHER]  # type: ignore[attr-defined]
    assert [(row["node"], row["expelled"] is None) for row in rows] == [
        ("rauma-0000000f", True),
        (NODES[OTHER], False),
    ]
    with snapshot(engine) as connection:
        found = member(connection, KEY, "rauma-0000000f")
    assert found is not None
    assert found.expelled is None


def test_an_invite_used_once_does_not_let_it_in_again(engine: Engine, journal: Journal) -> None:
    expel(journal)
    assert joins(journal, "rauma-0000000f", "2")
    expel(journal)
    with pytest.raises(InvalidInvite):
        operations.accept_join(
            journal, Join(KEY, OTHER, "rauma-0000000e", b"1" * 32, b"2" * 32, token_digest("2")), NOW
        )


def test_the_directory_says_since_when(engine: Engine, journal: Journal) -> None:
    expel(journal)
    joins(journal, "rauma-0000000f", "2")
    expel(journal)
    with snapshot(engine) as connection:
        found = member(connection, KEY, "rauma-0000000f")
    assert found is not None
    assert (found.partner, found.joined, found.expelled) == (OTHER, wire_time(NOW), wire_time(NOW))
