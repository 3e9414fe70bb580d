"""Who is invited, and which node answers: once, in time, with a token of this lead."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import Engine

from services.reporting import operations, partner_store
from shared.contracts.errors import InvalidInvite, PartnerAlreadyJoined, UnknownCode, UnknownProgramme
from shared.journal import Journal
from shared.journal.joining import Join
from tests.services import kit
from tests.services.kit import KEY, NOW, OTHER, OWN
from tests.services.reporting.kit import NODES, STREAMS, lead

STREAM = STREAMS[OWN]
TOKEN = sha256(b"token").digest()
JOIN = Join(KEY, OWN, NODES[OWN], b"s" * 32, b"r" * 32, TOKEN)
WEEK = timedelta(days=7)


def invited(engine: Engine, partner: str = OWN, token: bytes = TOKEN) -> Journal:
    journal = lead(engine)
    operations.admit_partner(journal, KEY, partner, token, valid=WEEK, by="boss", now=NOW)
    return journal


def refused(journal: Journal, join: Join, now: Any = NOW) -> str:
    """The reason, after checking that nothing changed."""
    before = [
        kit.heads(journal.engine),
        kit.rows(journal.engine, partner_store.node),
        kit.rows(journal.engine, partner_store.invite),
    ]
    with pytest.raises((InvalidInvite, PartnerAlreadyJoined)) as caught:
        operations.accept_join(journal, join, now)
    after = [
        kit.heads(journal.engine),
        kit.rows(journal.engine, partner_store.node),
        kit.rows(journal.engine, partner_store.invite),
    ]
    assert after == before
    return str(caught.value.params.get("reason", caught.value.code))


def test_the_node_that_answers_an_invite_is_admitted_on_the_leads_stream(engine: Engine) -> None:
    journal = invited(engine)
    assert operations.accept_join(journal, JOIN, NOW) is True
    line = kit.lines(engine)[-1]
    assert (line.stream, line.kind, line.subject) == (f"lead/{KEY}", "reporting.node_admitted", None)
    assert line.body == {
        "partner": OWN,
        "node": NODES[OWN],
        "signing_key": (b"s" * 32).hex(),
        "receiving_key": (b"r" * 32).hex(),
    }
    assert kit.audit(engine)[-1]["action"] == "admit_node"
    (node,) = kit.rows(engine, partner_store.node)
    assert (node["stream"], node["partner"]) == (STREAM, OWN)


def test_no_token_is_kept_in_clear(engine: Engine) -> None:
    invited(engine, token=sha256(b"very-secret-token").digest())
    assert b"very-secret-token" not in kit.stored_bytes(engine)


def test_the_same_answer_again_is_known_and_adds_nothing(engine: Engine) -> None:
    journal = invited(engine)
    operations.accept_join(journal, JOIN, NOW)
    before = kit.heads(engine)
    assert operations.accept_join(journal, JOIN, NOW + 2 * WEEK) is False
    assert kit.heads(engine) == before


@pytest.mark.parametrize("changes", [{"token_digest": b"x" * 32}, {"partner": OTHER}, {"programme": "toinen"}])
def test_an_answer_that_fits_no_invite_is_refused(engine: Engine, changes: dict[str, Any]) -> None:
    assert "not given out" in refused(invited(engine), replace(JOIN, **changes))


def test_an_invite_ends(engine: Engine) -> None:
    journal = invited(engine)
    assert "expired" in refused(journal, JOIN, NOW + WEEK + timedelta(microseconds=1))
    assert operations.accept_join(journal, JOIN, NOW + WEEK)


@pytest.mark.parametrize("changes", [{"node": "toinen-00000001"}, {"signing_key": b"x" * 32}])
def test_a_second_node_cannot_use_an_invite_again(engine: Engine, changes: dict[str, Any]) -> None:
    journal = invited(engine)
    operations.accept_join(journal, JOIN, NOW)
    assert refused(journal, replace(JOIN, **changes)) == "partner_already_joined"


def test_a_used_invite_stays_used_whoever_is_a_partner_now(engine: Engine) -> None:
    journal = invited(engine)
    operations.accept_join(journal, JOIN, NOW)
    kit.empty(engine, partner_store.node)  # as when a partner is expelled
    assert refused(journal, JOIN) == "it has been used"


def test_a_second_open_invite_of_a_joined_partner_is_worth_nothing(engine: Engine) -> None:
    journal, second = invited(engine), sha256(b"second").digest()
    operations.admit_partner(journal, KEY, OWN, second, valid=WEEK, by="boss", now=NOW)
    operations.accept_join(journal, JOIN, NOW)
    assert refused(journal, replace(JOIN, node="toinen-00000001", token_digest=second)) == "partner_already_joined"


def test_one_node_is_not_two_partners_of_a_programme(engine: Engine) -> None:
    """Nor can a partner take the name, and so the stream, of another's node."""
    journal, second = invited(engine), sha256(b"second").digest()
    operations.admit_partner(journal, KEY, OTHER, second, valid=WEEK, by="boss", now=NOW)
    operations.accept_join(journal, JOIN, NOW)
    for key in (JOIN.signing_key, b"x" * 32):
        join = replace(JOIN, partner=OTHER, token_digest=second, signing_key=key)
        assert refused(journal, join) == "partner_already_joined"


def test_only_partners_of_a_loaded_programme_are_invited_and_each_once(engine: Engine) -> None:
    journal = invited(engine)
    with pytest.raises(UnknownCode):
        operations.admit_partner(journal, KEY, "kuu", b"2" * 32, valid=WEEK, by="boss", now=NOW)
    with pytest.raises(UnknownProgramme):
        operations.admit_partner(journal, "toinen", OWN, b"2" * 32, valid=WEEK, by="boss", now=NOW)
    operations.accept_join(journal, JOIN, NOW)
    with pytest.raises(PartnerAlreadyJoined):
        operations.admit_partner(journal, KEY, OWN, b"2" * 32, valid=WEEK, by="boss", now=NOW)
    assert len(kit.rows(engine, partner_store.invite)) == 1
