"""Both ends of a referral agree, whatever is done there and in whatever order letters come."""

import contextlib
import random
from datetime import timedelta
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake import letters, referral_store, store
from services.intake.domain import AT_RECEIVER, AT_SENDER, moved, next_revision
from shared.contracts.errors import NotFound, ReferralClosed, UnknownPerson
from shared.journal.carry_tables import post_in, post_out
from shared.storage import transaction
from tests.services import kit
from tests.services.intake.kit import KEYS
from tests.services.intake.test_referrals import accept, decline, erase, follow_up, incoming, seen, send, withdraw
from tests.services.intake.test_steward import Land, Place, all_confirm
from tests.services.intake.test_steward import land as land
from tests.services.kit import KEY, NOW

MOVES = st.lists(
    st.sampled_from(["withdraw", "accept", "decline", "tell", "erase", "to_receiver", "to_sender", "again"]),
    max_size=14,
)


RESTORED = st.lists(
    st.sampled_from(["withdraw", "accept", "decline", "tell", "erase", "to_receiver", "to_sender", "again", "restore"]),
    max_size=16,
)


@settings(max_examples=400)
@given(RESTORED, st.integers(0, 2**32))
def test_both_ends_agree_whatever_is_done_and_in_whatever_order_letters_come(moves: list[str], seed: int) -> None:
    """The tables alone, each end slow and obvious: letters are a bag, each taken once, in any order, old ones too. The
    receiver may be restored from before its decision."""
    chance = random.Random(seed)
    sender: str | None = moved(AT_SENDER, None, "send")
    receiver: str | None = None
    heard = revision = seconds = 0
    bags: dict[str, list[Any]] = {"to_receiver": ["referral"], "to_sender": []}

    def deliver(way: str, again: bool = False) -> None:
        nonlocal sender, receiver, heard
        letter = chance.choice(bags[way])
        if not again:
            bags[way].remove(letter)
        if way == "to_receiver":
            before, receiver = receiver, moved(AT_RECEIVER, receiver, letter)
            if letter == "withdrawal" and before in ("accepted", "declined"):
                bags["to_sender"].append((revision, before))
        elif sender is not None and letter[0] > heard:
            heard, sender = letter[0], moved(AT_SENDER, sender, letter[1])

    for move in moves:
        seconds += 10
        now = NOW + timedelta(seconds=seconds)
        if move == "restore":
            if receiver in ("accepted", "declined"):
                receiver, revision = "received", 0
            continue
        if move in ("to_receiver", "to_sender", "again"):
            way = chance.choice(["to_receiver", "to_sender"]) if move == "again" else move
            if bags[way]:
                deliver(way, again=move == "again")
        elif move == "erase" and sender is not None:
            if sender == "sent":
                bags["to_receiver"] = [letter for letter in bags["to_receiver"] if letter != "referral"]
                bags["to_receiver"].append("withdrawal")
            sender = None
        else:
            end, table = (sender, AT_SENDER) if move == "withdraw" else (receiver, AT_RECEIVER)
            if (end, move) not in table or end is None:
                continue
            after = moved(table, end, move)
            if move == "withdraw":
                sender = after
                bags["to_receiver"].append("withdrawal")
            else:
                receiver, revision = after, next_revision(revision, now)
                bags["to_sender"].append((revision, after))
    while any(bags.values()):
        deliver(chance.choice([way for way, bag in bags.items() if bag]))
    if receiver == "received" and sender != "sent":  # restored: it sees a referral that waits, and decides
        move, now = chance.choice(["accept", "decline"]), NOW + timedelta(seconds=seconds + 10)
        receiver, revision = moved(AT_RECEIVER, receiver, move), next_revision(revision, now)
        bags["to_sender"].append((revision, receiver))
        deliver("to_sender")
    if {"restore", "withdraw"} <= set(moves) and receiver == "withdrawn":
        return  # it does not know that it had decided; the sender, who withdrew, sees the answer and calls (0170)
    assert (sender, receiver) in {
        *(("sent", "received"), ("accepted", "accepted"), ("declined", "declined"), ("withdrawn", "withdrawn")),
        ("undone", "declined"),
        *((None, state) for state in ("withdrawn", "accepted", "declined")),
    }
    if sender == "accepted":
        assert heard == revision


def test_letters_that_come_in_the_other_order_end_the_same(land: Land) -> None:
    """With the code itself: everything that was ever sent, taken backwards."""
    first, _, third = all_confirm(land)
    one, two = first.register("anna")[0], first.register("bertta")[0]
    sent = [send(first, one), send(first, two, key="two")]
    first.now += timedelta(seconds=1)
    withdraw(first, sent[0])
    _carry(first, third)
    assert sorted(row["state"] for row in seen(third)) == ["received"], "the other was taken back before it came"
    number = incoming(third)
    accept(third, number)
    for became in ("started", "did_not_come"):
        third.now += timedelta(seconds=1)
        follow_up(third, number, became)
    _carry(third, first)
    assert {row["referral"]: (row["state"], row["became"]) for row in seen(first)} == {
        sent[0]: ("withdrawn", None),
        sent[1]: ("accepted", "did_not_come"),
    }


def _carry(sender: Place, to: Place) -> None:
    """Each waiting letter comes and is taken by itself, the newest first."""
    while rows := _waiting(sender):
        _bring(sender, to, rows[-1])


def _waiting(sender: Place) -> list[dict[str, Any]]:
    return sorted(kit.rows(sender.engine, post_out), key=lambda row: (row["queued_at"], row["id"]))


def _bring(sender: Place, to: Place, row: dict[str, Any]) -> None:
    """This letter comes, is taken, and is acknowledged."""
    with transaction(to.engine) as connection:
        came = {"id": row["id"], "programme": KEY, "sender": sender.name, "letter": row["letter"]}
        connection.execute(post_in.insert(), came | {"received_at": row["queued_at"]})
    letters.take_letters(to.journal, to.desk, KEYS, to.now)
    with transaction(sender.engine) as connection:
        connection.execute(post_out.delete().where(post_out.c.id == row["id"]))


def test_the_code_keeps_to_the_tables_whatever_is_done(land: Land) -> None:
    """Random moves with the code itself: what is refused changes nothing, and in the end both have the same."""
    first, _, third = all_confirm(land)
    numbers = count()

    @settings(max_examples=25, deadline=None)
    @given(MOVES, st.integers(0, 2**32))
    def run(moves: list[str], seed: int) -> None:
        chance = random.Random(seed)
        name = f"person {next(numbers)}"
        (anna,) = first.register(name)
        sent = send(first, anna, key=f"send {name}")
        ways = {"to_receiver": (first, third), "to_sender": (third, first)}

        def row_of(place: Place) -> dict[str, Any] | None:
            column = "referral" if place is first else "theirs"
            rows = kit.rows(place.engine, referral_store.referral)
            return next((row for row in rows if row[column] == bytes.fromhex(sent)), None)

        def deliver(way: str) -> None:
            if letters_ := _waiting(ways[way][0]):
                _bring(*ways[way], chance.choice(letters_))

        actions = {
            "withdraw": lambda _: withdraw(first, sent),
            "accept": lambda number: accept(third, number),
            "decline": lambda number: decline(third, number),
            "tell": lambda number: follow_up(third, number, chance.choice(["started", "did_not_come"])),
            "erase": lambda _: erase(first, anna),
        }
        for move in moves:
            if move in ways or move == "again":
                deliver(move if move in ways else chance.choice(list(ways)))
                continue
            theirs = row_of(third)
            with contextlib.suppress(ReferralClosed, NotFound, UnknownPerson):
                actions[move](theirs["referral"].hex() if theirs else "0" * 32)
        while any(_waiting(place) for place in (first, third)):
            deliver(chance.choice(list(ways)))
        ours, theirs = row_of(first), row_of(third)
        state = theirs["state"] if theirs else None
        assert (state == "received") == bool(theirs and theirs["box"])
        if ours is None:
            assert state != "received"
        elif ours["state"] == "sent":
            assert state == "received"
        else:
            assert theirs is not None
            assert [ours[n] for n in ("state", "became", "revision")] == [
                theirs[n] for n in ("state", "became", "revision")
            ]
        ended = {row["subject"]: row["end_reason"] for row in kit.rows(first.engine, store.participation)}
        assert ended.get(bytes.fromhex(anna)) == ("transferred" if ours and state == "accepted" else None)

    run()
