"""Somebody is referred from one partner to another: what each end holds, what the letter tells, and that both agree."""

import hmac
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, update

from services.intake import (
    letters,
    operations,
    peers,
    queries,
    referral_listing,
    referral_store,
    referrals,
    store,
    text_store,
    workers,
)
from services.intake.referrals import NewReferral
from services.intake.referrals import Place as Referring
from services.intake.workers import NewWorker
from shared.contracts.catalogue import ParticipationStarted, StandingReached
from shared.contracts.client_facts import ClientLeft
from shared.contracts.errors import (
    AlreadyRecordedDiffers,
    InvalidInput,
    NodeNotConfirmed,
    NotFound,
    PolkuError,
    ReferralClosed,
    UnknownPerson,
)
from shared.contracts.record_facts import ParticipationEnded
from shared.contracts.referral_facts import (
    ReferralAccepted,
    ReferralAnswered,
    ReferralDeclined,
    ReferralFollowedUp,
    ReferralRecalled,
    ReferralReceived,
    ReferralSent,
    ReferralWithdrawn,
)
from shared.journal import crypto, erasing
from shared.journal.carry_tables import post_out
from shared.journal.lines import Line, parse
from shared.journal.tables import journal_line
from shared.ops.clock import today_in_helsinki
from shared.storage import snapshot, transaction
from shared.testing.wait import until
from tests.flows.test_lead_alone import digests, messages
from tests.services import kit
from tests.services.intake.kit import IDENTITY, KEYS, RECORD
from tests.services.intake.test_steward import Land, Place, all_confirm, directory_of
from tests.services.intake.test_steward import land as land
from tests.services.kit import KEY, OTHER, key_of
from tests.storage.test_overtaken import waiting

REASON = "Haluaa ryhmään; soita vasta kahden jälkeen"
WHO = [IDENTITY[name] for name in ("given_name", "family_name", "birth_date", "identity_code", "token", "form_kept")]


def at(place: Place) -> Referring:
    return Referring(place.journal, place.desk, KEYS, KEY)


def send(
    place: Place, subject: str, partner: str = "third", key: str = "send", text: str | None = REASON, **more: Any
) -> str:
    agreed = more.pop("agreed", ("name", "birth_date"))
    new = NewReferral(key_of(key), subject, partner, agreed, text)
    return referrals.send(at(place), new, by="worker", now=place.now)[0]


def accept(place: Place, number: str, standing: str = "client", start: date | None = None) -> str:
    return referrals.accept(at(place), number, standing, start, by="worker", now=place.now)[0]


def decline(place: Place, number: str, reason: str = "no_places") -> None:
    referrals.decline(at(place), number, reason, by="worker", now=place.now)


def withdraw(place: Place, number: str) -> None:
    referrals.withdraw(at(place), number, by="worker", now=place.now)


def follow_up(place: Place, number: str, became: str, outcome: str | None = None) -> None:
    referrals.follow_up(at(place), number, became, outcome, by="worker", now=place.now)


def erase(place: Place, subject: str) -> None:
    def first(unit: Any, programme: str, who: str) -> None:
        referrals.recall(unit, place.desk, programme, who)

    operations.erase_person(place.journal, KEY, subject, by="worker", now=place.now, first=first)


def seen(place: Place) -> list[dict[str, Any]]:
    """What the page shows, the newest change first."""
    _, found = referral_listing.listed(at(place), 100, 0, by="reader", now=place.now)
    return [shown.coded | shown.named for shown in found]


def incoming(place: Place) -> str:
    (row,) = [row for row in seen(place) if row["direction"] == "in"]
    return str(row["referral"])


def facts(place: Place, *kinds: Any) -> list[Line]:
    wanted = {kind.kind for kind in kinds}
    return [parse(row["line"]) for row in _journal(place) if row["kind"] in wanted]


def boxes(place: Place) -> list[Any]:
    return [row["box"] for row in kit.rows(place.engine, referral_store.referral)]


def test_a_protected_address_goes_along_whatever_was_agreed(land: Land) -> None:
    first, _, third = all_confirm(land)
    anna = first.register("anna")[0]
    with transaction(first.engine) as connection:
        this = store.participation.c.subject == bytes.fromhex(anna)
        protected = json.dumps({"gender": "f", "protected_address": "yes"})
        connection.execute(update(store.participation).where(this).values(record=protected))
    send(first, anna, agreed=("name",))
    land.work()
    (came,) = seen(third)
    assert (came["protected"], came["given_name"], came["birth_date"], came["text"]) == (True, None, None, None)
    total, (one,) = referral_listing.listed(at(third), 10, 0, number=came["referral"], by="worker", now=third.now)
    assert (total, one.named["given_name"]) == (1, IDENTITY["given_name"]), "who asks for this one alone"
    taken = accept(third, came["referral"])
    here = kit.rows(third.engine, store.participation)
    assert [json.loads(row["record"]) for row in here if row["subject"].hex() == taken] == [
        {"gender": "unknown", "protected_address": "yes", "age": None}
    ]


def test_a_person_is_referred_taken_and_what_became_of_them_comes_back(land: Land) -> None:
    first, _, third = all_confirm(land)
    anna = first.register("anna")[0]
    sent = send(first, anna, agreed=("name", "birth_date", "start_record"))
    land.work()
    (came,) = seen(third)
    assert (came["direction"], came["state"], came["partner"], came["text"]) == ("in", "received", OTHER, REASON)
    assert (came["given_name"], came["birth_date"]) == (IDENTITY["given_name"], IDENTITY["birth_date"])
    taken = accept(third, came["referral"], "esf_participant", date(2016, 11, 1))
    assert taken != anna
    land.work()
    (ours,) = seen(first)
    assert (ours["referral"], ours["state"], ours["person"]) == (sent, "accepted", anna)
    (started,) = facts(third, ParticipationStarted)
    assert (started.subject, started.body["continues"], started.body["gender"]) == (taken, anna, RECORD["gender"])
    assert [line.body.get("continues") for line in facts(third, StandingReached)] == [None]
    (ended,) = facts(first, ParticipationEnded)
    assert (ended.subject, ended.body["reason"], ended.stream) == (anna, "transferred", f"{first.name}/{KEY}")
    for became, outcome in (("started", None), ("outcome", "education")):
        follow_up(third, came["referral"], became, outcome)
    land.work()
    (ours,) = seen(first)
    assert (ours["became"], ours["outcome"]) == ("outcome", "education")
    told = [line.body.get("outcome") or line.body["became"] for line in facts(first, ReferralFollowedUp)]
    assert told[-1] == "education"
    assert [kit.rows(place.engine, post_out) for place in land.places.values()] == [[], [], []]
    assert land.places["pori-00000002"].engine is not third.engine
    assert seen(land.places["pori-00000002"]) == [], "nobody else hears of it"


def test_the_letter_tells_only_what_was_agreed_to(land: Land) -> None:
    first, _, third = all_confirm(land)
    send(first, first.register("anna")[0], agreed=("name",), text=None)
    land.work()
    (row,) = kit.rows(third.engine, referral_store.referral)
    with transaction(third.engine) as connection:
        told = referral_store.open_referred(connection, KEYS.vault, _Row(row))
    assert told["identity"] == {name: IDENTITY[name] for name in ("given_name", "family_name")}
    assert (told["record"], told["text"]) == (None, None)
    (fact,) = facts(first, ReferralSent)
    assert fact.body["agreed"] == ["name"]


class _Row:
    def __init__(self, row: dict[str, Any]) -> None:
        self.__dict__ |= row


def test_who_has_agreed_to_nothing_is_not_referred(land: Land) -> None:
    first, _, _ = all_confirm(land)
    with pytest.raises(InvalidInput, match="agreed"):
        send(first, first.register("anna")[0], agreed=("birth_date",))
    assert kit.rows(first.engine, post_out) == []
    assert facts(first, ReferralSent) == []


def test_nobody_is_referred_to_or_taken_from_a_node_that_was_not_confirmed(land: Land) -> None:
    first, _, third = land.places.values()
    anna = first.register("anna")[0]
    with pytest.raises(NodeNotConfirmed, match="third"):
        send(first, anna)
    first.confirm(third)
    send(first, anna)
    land.work()
    assert seen(third) == []
    third.confirm(first)
    land.work()
    assert [row["state"] for row in seen(third)] == ["received"]


def test_a_declined_persons_identity_is_not_kept_and_the_reason_comes_back(land: Land) -> None:
    first, _, third = all_confirm(land)
    send(first, first.register("anna")[0])
    land.work()
    assert all(boxes(third))
    decline(third, incoming(third), "not_suitable")
    assert boxes(third) == [None]
    land.work()
    assert [(row["state"], row["reason"]) for row in seen(first)] == [("declined", "not_suitable")]
    assert seen(third)[0]["given_name"] is None
    assert facts(first, ParticipationEnded) == []
    assert [line.body["reason"] for line in facts(third, ReferralDeclined)] == ["not_suitable"]
    assert [line.body["answer"] for line in facts(first, ReferralAnswered)] == ["declined"]
    with pytest.raises(ReferralClosed, match="declined"):
        accept(third, incoming(third))


def test_a_withdrawn_referral_is_gone_at_the_receiver(land: Land) -> None:
    first, _, third = all_confirm(land)
    sent = send(first, first.register("anna")[0])
    land.work()
    withdraw(first, sent)
    land.work()
    assert [row["state"] for place in (first, third) for row in seen(place)] == ["withdrawn"] * 2
    assert boxes(third) == [None]
    assert (len(facts(first, ReferralWithdrawn)), len(facts(third, ReferralRecalled))) == (1, 1)
    with pytest.raises(ReferralClosed, match="withdrawn"):
        accept(third, incoming(third))


def test_withdrawn_while_it_was_being_accepted_the_receivers_decision_holds(land: Land) -> None:
    first, _, third = all_confirm(land)
    sent = send(first, first.register("anna", standing="client")[0])
    land.work()
    withdraw(first, sent)
    taken = accept(third, incoming(third))
    assert seen(first)[0]["state"] == "withdrawn"
    land.work()
    assert [row["state"] for place in (first, third) for row in seen(place)] == ["accepted"] * 2
    assert [line.subject for line in facts(third, ReferralAccepted)] == [taken]
    assert [line.body["reason"] for line in facts(first, ClientLeft)] == ["transferred"]
    assert facts(first, ParticipationEnded) == [], "the lead hears of no exit of who has no start"


def test_doing_it_again_does_it_once(land: Land) -> None:
    first, _, third = all_confirm(land)
    anna = first.register("anna")[0]
    assert send(first, anna) == send(first, anna)
    with pytest.raises(AlreadyRecordedDiffers):
        send(first, anna, text="jotain muuta")
    with pytest.raises(InvalidInput, match="waits for its answer"):
        send(first, anna, key="again")
    land.work()
    number = incoming(third)
    assert accept(third, number) == accept(third, number)
    follow_up(third, number, "started")
    follow_up(third, number, "started")
    land.work()
    assert len(kit.rows(third.engine, store.participation)) == 1
    assert len(facts(third, ReferralFollowedUp)) == len(facts(first, ReferralFollowedUp)) == 1
    assert len(facts(third, ReferralReceived)) == 1


def test_a_sending_is_known_again_after_the_index_key_was_rotated(land: Land) -> None:
    first, _, third = all_confirm(land)
    sent = send(first, anna := first.register("anna")[0])
    rotated = replace(KEYS, index=b"n" * 32, older_index=[KEYS.index])
    new = NewReferral(key_of("send"), anna, "third", ("name", "birth_date"), REASON)
    place = replace(at(first), keys=rotated)
    assert referrals.send(place, new, by="worker", now=first.now) == (sent, False, None)
    land.work()
    assert len(facts(third, ReferralReceived)) == 1


def test_what_cannot_be_is_refused(land: Land) -> None:
    first, _, third = all_confirm(land)
    anna = first.register("anna")[0]
    with pytest.raises(UnknownPerson):
        send(first, "0" * 32)
    with pytest.raises(NodeNotConfirmed):
        send(first, anna, OTHER)
    with pytest.raises(InvalidInput, match="longer"):
        send(first, anna, text="x" * 2001)
    sent = send(first, anna)
    with pytest.raises(NotFound):
        accept(first, sent)
    land.work()
    number = incoming(third)
    with pytest.raises(NotFound):
        withdraw(third, number)
    with pytest.raises(ReferralClosed, match="received"):
        follow_up(third, number, "started")
    with pytest.raises(InvalidInput, match="start_date"):
        accept(third, number, "esf_participant")
    accept(third, number)
    with pytest.raises(InvalidInput, match="outcome"):
        follow_up(third, number, "outcome")
    with pytest.raises(PolkuError, match="no outcome"):
        follow_up(third, number, "outcome", "no_such")
    with pytest.raises(ReferralClosed, match="accepted"):
        decline(third, number)


def test_erasing_a_person_takes_an_open_referral_back_and_leaves_nothing_of_it(land: Land) -> None:
    first, _, third = all_confirm(land)
    anna = first.register("anna")[0]
    send(first, anna)
    land.work()
    number = incoming(third)
    assert REASON in [row["text"] for row in seen(first)]
    (row,) = kit.rows(first.engine, referral_store.referral)
    # The audit log names a referral by its number in hex, as it names texts; no row and no line does any more.
    needles = [anna.encode(), bytes.fromhex(anna), bytes(row["referral"]), bytes(row["text_ref"])]
    with snapshot(first.engine) as connection:
        to = peers.confirmed_members(connection, KEY)[third.name]
    with first.journal.unit(first.now) as unit:
        peers.write(unit, first.desk, KEY, to, b"it waits", anna)
    needles.append(kit.rows(first.engine, post_out)[0]["letter"][:200])
    before = kit.stored_bytes(first.engine)
    assert all(needle in before for needle in needles), "the search would find it"
    erase(first, anna)
    assert kit.rows(first.engine, referral_store.referral) == kit.rows(first.engine, text_store.text) == []
    assert facts(first, ReferralSent) == []
    land.work()
    assert [row["state"] for row in seen(third)] == ["withdrawn"]
    assert boxes(third) == [None]
    with pytest.raises(ReferralClosed):
        accept(third, number)
    first.follow()
    erasing.finish(first.engine)
    assert erasing.scrub(first.engine)
    after = kit.stored_bytes(first.engine)
    assert [needle for needle in needles if needle in after] == []


def _journal(place: Place) -> list[dict[str, Any]]:
    return sorted(kit.rows(place.engine, journal_line), key=lambda row: int(row["pos"]))


def test_who_is_erased_before_the_letter_has_left_is_never_heard_of(land: Land) -> None:
    first, _, third = all_confirm(land)
    anna = first.register("anna")[0]
    send(first, anna)
    assert [row["subject"] is not None for row in kit.rows(first.engine, post_out)] == [True]
    erase(first, anna)
    assert [row["subject"] for row in kit.rows(first.engine, post_out)] == [None], "only the withdrawal is left"
    land.work()
    assert seen(third) == []
    assert boxes(third) == [None]


def test_an_accepted_persons_erasing_takes_the_receivers_record_too(land: Land) -> None:
    first, _, third = all_confirm(land)
    send(first, first.register("anna")[0])
    land.work()
    taken = accept(third, incoming(third))
    erase(third, taken)
    for table in (referral_store.referral, text_store.text, store.vault, store.person):
        assert kit.rows(third.engine, table) == [], table.name
    land.work()
    assert [row["state"] for row in seen(first)] == ["accepted"]


def test_neither_journal_nor_log_nor_lead_holds_who_it_is_or_why(land: Land, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    first, _, third = all_confirm(land)
    send(first, first.register("anna")[0], agreed=("name", "birth_date", "identity_code", "start_record"))
    land.work()
    follow_up_of = accept(third, incoming(third))
    assert follow_up_of
    land.work()
    for place in (first, third):
        held = kit.stored_bytes(place.engine) if place is first else b"".join(map(repr_of, _journal(place)))
        for text in (*WHO, REASON):
            assert text.encode() not in held
            assert json.dumps(text).encode() not in held
    assert b"polku_post" in land.seen
    for text in (*WHO, REASON):
        assert text.encode() not in land.seen
        assert text not in caplog.text
    own = [crypto.make_key(land.inbox.parent / "lead", kind) for kind in ("signing", "receiving")]
    leads = {key for one in own for key in (one.secret(), one.public or b"")}
    assert digests_in(land, leads) == 0
    land.seen += hmac.digest(own[1].secret(), IDENTITY["identity_code"].encode(), "sha256")
    assert digests_in(land, leads) == 1, "it would be found"
    assert "Haluaa" not in repr(NewReferral(key_of("a"), "0" * 32, "third", ("name",), REASON))


def digests_in(land: Land, leads: set[bytes]) -> int:
    """How many digests and HMACs of what is known of the person the letters hold that the lead had: under the `leads`
    own keys, the nodes' public ones, and every run of hex digits in the letters, as it is and as bytes."""
    runs = {run for run in re.findall(rb"[0-9a-f]{32,128}", land.seen) if len(run) % 2 == 0}
    keys = {b"", b"polku-tag-1", KEY.encode(), *leads, *runs, *(bytes.fromhex(run.decode()) for run in runs)}
    keys |= {key for place in land.places.values() for key in place.desk.keys.pair()}
    assert len(keys) > 20
    found = {digest for message in messages(IDENTITY) for digest in digests(message, keys)}
    return sum(digest in land.seen or digest.hex().encode() in land.seen for digest in found)


def repr_of(row: dict[str, Any]) -> bytes:
    return bytes(row["line"] or b"")


def test_who_reads_the_list_is_written_down_first(land: Land) -> None:
    first, _, _ = all_confirm(land)
    send(first, first.register("anna")[0])
    seen(first)
    (entry,) = [entry for entry in kit.audit(first.engine) if entry["action"] == "read_referrals"]
    assert (entry["by"], len(entry["referrals"]), len(entry["subjects"])) == ("reader", 1, 1)


def test_who_is_taken_as_a_participant_is_asked_whether_the_project_pays_them_or_that_is_missing(land: Land) -> None:
    first, _, third = all_confirm(land)
    common: dict[str, Any] = {"by": "worker", "now": third.now}
    given = ("esf_participant", date(2016, 11, 1))
    for number in range(3):
        send(first, first.register(f"anna{number}")[0], key=f"send{number}", agreed=("name", "birth_date"))
    land.work()
    one, two, three = [row["referral"] for row in seen(third)]
    with pytest.raises(InvalidInput) as refused:
        referrals.accept(at(third), one, *given, paid="yes", **common)
    assert refused.value.params["field"] == "paid_by_project"
    subjects = [
        referrals.accept(at(third), n, *given, paid=paid, **common)[0] for n, paid in ((two, "no"), (three, None))
    ]
    found = queries.missing_evidence(third.engine, KEY, KEYS.vault)
    lacks = {row["person"]: row["missing"] for row in found}
    assert ["paid_by_project" in lacks.get(subject, ()) for subject in subjects] == [False, True]


def test_where_each_sees_their_own_a_list_opens_nothing_of_anothers_person(land: Land) -> None:
    first, _, _ = all_confirm(land)
    subject = first.register("anna")[0]
    send(first, subject)
    items = [NewWorker(kit.key_of("w"), subject, "bertta")]
    workers.assign_workers(first.journal, KEY, items, by="worker", now=first.now)

    def named(by: str) -> set[Any]:
        _, (shown,) = referral_listing.listed(at(first), 10, 0, by=by, now=first.now, own_only=True)
        return {*shown.named.values()} - {None} if not shown.named.pop("left_out") else set()

    assert named("bertta")
    assert (named("reader"), kit.audit(first.engine)[-1]["subjects"]) == (set(), [])


def test_where_each_sees_their_own_anothers_person_is_not_decided_about_and_who_has_just_come_is_everybodys(
    land: Land,
) -> None:
    first, _, third = all_confirm(land)
    sent = send(first, first.register("anna")[0])
    land.work()
    number, common = incoming(third), {"now": third.now, "own_only": True}
    subject, _, _ = referrals.accept(at(third), number, "client", None, by="aino", worker="aino", **common)
    for end, row in ((first, sent), (third, number)):
        (whose,) = [entry["person"] for entry in seen(end) if entry["referral"] == row]
        workers.assign_workers(end.journal, KEY, [NewWorker(kit.key_of("w"), whose, "aino")], by="x", now=end.now)
    tries: list[Any] = [
        lambda by: referrals.withdraw(at(first), sent, by=by, **common),
        lambda by: referrals.accept(at(third), number, "client", None, by=by, worker=by, **common),
        lambda by: referrals.decline(at(third), number, "no_places", by=by, **common),
        lambda by: referrals.follow_up(at(third), number, "started", None, by=by, **common),
    ]
    before = kit.rows(third.engine, referral_store.referral), kit.rows(first.engine, referral_store.referral)
    for attempt in tries:
        with pytest.raises(NotFound):
            attempt("bertta")
    assert (kit.rows(third.engine, referral_store.referral), kit.rows(first.engine, referral_store.referral)) == before
    for by, others in (("bertta", True), ("aino", False)):
        _, (shown,) = referral_listing.listed(at(third), 10, 0, by=by, now=third.now, own_only=True)
        assert shown.coded["others"] is others
    assert tries[0]("aino"), "her own she may"
    assert (tries[1]("aino")[0], bool(tries[3]("aino"))) == (subject, True)
    with pytest.raises(ReferralClosed):
        tries[2]("aino")


@pytest.mark.parametrize(
    "letter",
    [
        {"kind": "referral"},
        {"kind": "referral", "referral": "0" * 32, "subject": "1" * 32, "identity": {}, "standing": "client"},
        {"kind": "referral", "referral": "x", "subject": "1" * 32, "identity": {"token": "a"}, "standing": "client"},
        {"kind": "referral_state", "referral": "0" * 32, "revision": 1, "state": "accepted", "on": "2016-02-01"},
        {"kind": "referral_state", "referral": "0" * 32, "revision": 1, "state": "sent", "on": "2016-02-01"},
        {"kind": "referral_withdrawal", "referral": 7},
    ],
)
def test_a_letter_that_can_never_be_used_is_taken_told_and_changes_nothing(land: Land, letter: Any) -> None:
    first, _, third = all_confirm(land)
    with snapshot(first.engine) as connection:
        to = peers.confirmed_members(connection, KEY)[third.name]
    with first.journal.unit(land.now) as unit:
        peers.write(unit, first.desk, KEY, to, json.dumps(letter).encode())
    land.work()
    assert kit.rows(third.engine, referral_store.referral) == []
    assert kit.rows(first.engine, post_out) == []
    assert [entry["node"] for entry in kit.audit(third.engine) if entry["action"] == "refuse_letter"] == [first.name]


def test_nobody_answers_a_referral_that_was_sent_to_another(land: Land) -> None:
    first, second, _ = all_confirm(land)
    sent = send(first, first.register("anna")[0])
    with snapshot(second.engine) as connection:
        to = peers.confirmed_members(connection, KEY)[first.name]
    letter = {"kind": "referral_state", "referral": sent, "revision": 9, "state": "accepted", "on": "2016-02-01"}
    with second.journal.unit(land.now) as unit:
        peers.write(unit, second.desk, KEY, to, json.dumps(letter).encode())
    land.work()
    assert [row["state"] for row in seen(first)] == ["sent"]


@pytest.mark.parametrize("said", ["1900-01-01", "2199-01-01"])
def test_a_participation_ends_neither_before_it_began_nor_in_the_future(land: Land, said: str) -> None:
    first, _, third = all_confirm(land)
    sent = send(first, first.register("anna")[0])
    with snapshot(third.engine) as connection:
        to = peers.confirmed_members(connection, KEY)[first.name]
    letter = {"kind": "referral_state", "referral": sent, "revision": 1, "state": "accepted", "on": said}
    with third.journal.unit(land.now) as unit:
        peers.write(unit, third.desk, KEY, to, json.dumps(letter).encode())
    land.work()
    (row,) = kit.rows(first.engine, store.participation)
    assert row["end_reason"] == "transferred"
    assert (row["started_on"] or date(2016, 1, 1)) <= row["ended_on"] <= today_in_helsinki(land.now)


def test_a_receiver_restored_from_before_its_decision_decides_anew_and_both_ends_have_that(land: Land) -> None:
    first, _, third = all_confirm(land)
    sent = send(first, first.register("anna")[0])
    land.work()
    number = incoming(third)
    (backup,) = kit.rows(third.engine, referral_store.referral)

    def restore() -> None:
        with transaction(third.engine) as connection:
            connection.execute(referral_store.referral.update().values(**backup))

    accept(third, number)
    follow_up(third, number, "started")
    land.work()
    restore()
    decline(third, number, "not_suitable")
    land.work()
    (ours,) = seen(first)
    assert (ours["referral"], ours["state"], ours["reason"], ours["became"]) == (sent, "undone", "not_suitable", None)
    (row,) = kit.rows(first.engine, store.participation)
    assert row["end_reason"] == "transferred", "it is told, and changes no figure by itself"
    restore()
    accept(third, number)
    follow_up(third, number, "did_not_come")
    land.work()
    (ours,) = seen(first)
    assert (ours["state"], ours["reason"], ours["became"]) == ("accepted", None, "did_not_come")
    assert [line.body["answer"] for line in facts(first, ReferralAnswered)] == ["accepted", "declined", "accepted"]
    assert len(facts(first, ParticipationEnded)) == 1
    assert [entry for entry in kit.audit(first.engine) if entry["action"] == "refuse_letter"] == []


@pytest.mark.parametrize(
    ("told", "kept", "left_out"),
    [
        ({"birth_date": "2199-01-01"}, None, ["birth_date"]),
        ({"birth_date": "1700-01-01"}, None, ["birth_date"]),
        ({"birth_date": "1981-02-03", "identity_code": "030281-9990"}, "1981-02-03", ["identity_code"]),
        ({"birth_date": "1981-02-04", "identity_code": "030281-999N"}, "1981-02-04", ["identity_code"]),
    ],
)
def test_what_nobody_can_have_of_a_told_identity_is_left_out_and_that_is_said(
    land: Land, told: dict[str, str], kept: str | None, left_out: list[str]
) -> None:
    first, _, third = all_confirm(land)
    letter = {"kind": "referral", "referral": "0" * 32, "subject": "1" * 32, "standing": "client"}
    letter["identity"] = {"given_name": "Anna"} | told
    with snapshot(first.engine) as connection:
        to = peers.confirmed_members(connection, KEY)[third.name]
    with first.journal.unit(land.now) as unit:
        peers.write(unit, first.desk, KEY, to, json.dumps(letter).encode())
    land.work()
    (row,) = seen(third)
    assert (row["given_name"], row["birth_date"], row["left_out"]) == ("Anna", kept, left_out)
    accept(third, row["referral"], "esf_participant", date(2016, 11, 1))
    (row,) = seen(third)
    assert (row["given_name"], row["birth_date"], row["left_out"]) == ("Anna", kept, [])


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_an_answer_that_meets_an_erasing_waits_for_it_without_holding_what_erasing_needs(land: Land) -> None:
    first, _, third = all_confirm(land)
    anna = third.register("anna")[0]
    send(third, anna, OTHER)
    land.work()
    accept(first, incoming(first))
    first.post.round(KEY, land.now)
    with snapshot(first.engine) as connection:
        land.lead.round(KEY, directory_of(connection, KEY), land.now)
    third.post.round(KEY, land.now)
    with ThreadPoolExecutor(1) as pool:
        with third.engine.begin() as erasing_:  # no transaction of ours: it waits inside
            assert store.locked_participation(erasing_, KEY, anna) is not None
            answer = pool.submit(letters.take_letters, third.journal, third.desk, KEYS, third.now)
            until(lambda: waiting(third.engine))
            assert erasing_.execute(select(referral_store.referral).with_for_update(nowait=True)).one().state == "sent"
        assert answer.result(30)
    assert [row["state"] for row in seen(third)] == ["accepted"]


def test_letters_that_wait_are_in_nobody_elses_way(land: Land) -> None:
    first, second, third = all_confirm(land)
    with snapshot(second.engine) as connection:
        to = peers.confirmed_members(connection, KEY)[third.name]
    with second.journal.unit(land.now) as unit:
        for number in range(60):
            peers.write(unit, second.desk, KEY, to, json.dumps({"kind": "later", "number": number}).encode())
    land.work()
    send(first, first.register("anna")[0])
    land.work()
    assert [row["state"] for row in seen(third)] == ["received"]
