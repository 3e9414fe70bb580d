"""A stream is sealed: closed at the lead for ever, nothing more is taken, a restored home does not go unnoticed."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from services.intake import operations as intake
from services.intake import purposes
from services.node.complete import lines
from services.reporting import partner_queries, partners
from shared.contracts.closing_facts import ProgrammeClosed, StreamSealed
from shared.contracts.errors import StreamIsSealed
from shared.contracts.purpose_facts import LeadCleared
from shared.journal import Journal, closing, holding
from shared.journal.carry_tables import received_head, received_line, received_refused
from shared.journal.returning import Retriever, Returner, ended_here, erased_here, read_ended, write_erased
from shared.journal.segment import Reason
from shared.journal.sending import shipped
from shared.journal.tables import journal_head, journal_line
from shared.storage import snapshot, transaction
from tests.flows.house import STREAM, House, backup_of, joined, lines_of
from tests.journal.exchange_kit import append, public
from tests.services import kit
from tests.services.intake.kit import KEYS

LAST_DAY = "2017-06-15"


def close(house: House) -> None:
    """What pathways does when a programme is closed and its stream sealed."""
    with house.journal.unit(house.now) as unit:
        unit.record(ProgrammeClosed(left=0, final=True, occurred_on=LAST_DAY), kit.KEY)
    with house.journal.unit(house.now) as unit:
        unit.record(StreamSealed(occurred_on=LAST_DAY), kit.KEY)


@pytest.fixture
def house(migrated_file: Path, tmp_path: Path) -> Iterator[House]:
    """A node that has shipped one person."""
    with joined(migrated_file, tmp_path, "anna") as made:
        yield made


@pytest.fixture
def backup(house: House, migrated_file: Path, tmp_path: Path) -> Iterator[Engine]:
    """A copy of the node's database as it is now."""
    with backup_of(house.node, migrated_file, tmp_path / "backup", held=False) as made:
        yield made


def at_lead(house: House) -> dict[str, object]:
    (state,) = partner_queries.completeness(house.lead, kit.KEY, house.now)["streams"]
    return dict(state)


def reported(house: House) -> dict[str, object]:
    return next(row for row in house.report()["streams"] if row["node"] == kit.NODE)


def test_a_closed_stream_stays_complete_however_long_its_node_is_silent(house: House) -> None:
    close(house)
    house.work()
    house.now += timedelta(days=3650)
    state, report = at_lead(house), house.report()
    assert (state["state"], state["missing"], state["head"]) == ("closed", [], state["watermark"])
    assert (reported(house)["closed"], report["arrived"]) == (LAST_DAY, True)
    assert report["data_quality"]["refused_lines"] == 0, "that a node has closed is no fault of its lines"
    said = list(lines({"streams": [state]}))
    assert f"closed, complete through line {state['watermark']}" in said[0]
    with snapshot(house.node) as connection:
        assert shipped(connection, [STREAM])[0]["state"] == "closed"


def test_a_seal_that_has_not_arrived_is_missing_as_anything_is(house: House) -> None:
    close(house)
    house.courier.round([STREAM], house.now)
    for found in house.carrier.list_segments(STREAM):
        house.carrier.delete(STREAM, found.place.name)
    house.receiver.round(partner_queries.admitted_keys(house.lead, house.now), house.now)
    assert at_lead(house)["state"] == "missing"
    assert reported(house)["closed"] is None


def test_a_seal_that_a_release_before_took_is_one_when_the_receiver_starts(house: House) -> None:
    close(house)
    house.work()
    with transaction(house.lead) as connection:
        connection.execute(update(received_head).values(state="open"))
    assert at_lead(house)["state"] == "complete"
    house.restart()
    house.work()
    assert at_lead(house)["state"] == "closed"


def test_the_lead_takes_nothing_more_of_a_sealed_stream_and_counts_it(house: House, backup: Engine) -> None:
    """A copy of the home from before the seal goes on by itself, as no restored one may."""
    close(house)
    house.work()
    before = at_lead(house)
    house.put_back(backup)
    append(backup, 5, STREAM)
    house.carrier.delete(STREAM, "receipt")
    for _ in range(2):
        house.courier.round([STREAM], house.now)
        house.receiver.round(partner_queries.admitted_keys(house.lead, house.now), house.now)
        house.later()
    after = at_lead(house)
    assert (after["state"], after["watermark"]) == ("closed", before["watermark"])
    with snapshot(house.lead) as connection:
        reasons = connection.execute(select(received_refused.c.reason)).scalars().all()
        assert set(reasons) == {Reason.SEALED.value}
        head = connection.execute(select(received_head).where(received_head.c.stream == STREAM)).one()
    assert (head.state, head.head_seq, head.head_epoch) == ("sealed", head.seq, head.epoch)
    assert after["refused"] == len(reasons) > 0


def test_who_is_erased_after_the_seal_is_erased_at_the_lead_without_a_line(house: House) -> None:
    (bertta,) = house.register("bertta")
    close(house)
    house.work()
    before = at_lead(house)
    assert house.erase(bertta)
    house.follow()
    with snapshot(house.node) as connection:
        digests = erased_here(connection, STREAM)
    partners.erase_received(house.lead, STREAM, set(digests))
    house.work()
    with snapshot(house.lead) as connection:
        raw = bytes.fromhex(bertta)
        assert connection.execute(select(received_line.c.seq).where(received_line.c.subject == raw)).all() == []
    assert at_lead(house) == before | {"manifest_age_seconds": at_lead(house)["manifest_age_seconds"]} | {
        "manifest_at": at_lead(house)["manifest_at"]
    }
    house.assert_whole()


def test_a_purpose_that_ends_after_the_seal_ends_at_the_lead_too(house: House) -> None:
    (bertta,) = house.register("bertta")
    house.attend("first", bertta)
    close(house)
    house.work()
    raw, before = bytes.fromhex(bertta), kit.heads(house.node)[STREAM]
    who = house.journal, KEYS, kit.KEY, bertta
    purposes.end_purpose(*who, "support", "asked", by="worker", now=house.now, first=lambda *_: None)
    house.follow()
    assert kit.heads(house.node)[STREAM] == before
    with snapshot(house.node) as connection:
        told = ended_here(connection, kit.NODE, kit.KEY)
    assert house.lead_receiving.public is not None
    item = write_erased(STREAM, [], house.now, house.node_key, house.lead_receiving.public, told)
    opens = {house.lead_receiving.id: house.lead_receiving.secret()}
    ended = read_ended(item, STREAM, public(house.node_key), opens)
    assert [one.purpose for one in ended] == ["support"]
    assert read_ended(item, STREAM, public(house.lead_key), opens) == ()
    assert [end_at_lead(house), end_at_lead(house)] == [1, 0]
    (said,) = [line for line in kit.lines(house.lead) if line.kind == LeadCleared.kind]
    assert (said.body["ending"], said.body["rows"]) == (ended[0].ending.hex(), 1), "the receipt that is waited for"
    with snapshot(house.lead) as connection:
        left = select(received_line.c.kind).where(received_line.c.subject == raw)
        assert "activities.attendance_recorded" not in connection.execute(left).scalars().all()
    assert house.report()["people"]["range"] == [0, 0]
    house.assert_whole()


def restore(house: House, backup: Engine) -> None:
    """The node goes on from this copy, once its lead has answered."""
    with transaction(backup) as connection:
        holding.hold(connection, "2026-11-22T09:15:02.123456Z", kit.NODE)
    house.put_back(backup)
    assert house.node_receiving.public is not None
    opens = {house.node_receiving.id: house.node_receiving.secret()}
    asks = Retriever(backup, house.carrier, house.node_key, opens)
    answers = Returner(house.lead, house.carrier, house.lead_key, public(house.node_key), house.node_receiving.public)
    leads, own = public(house.lead_key), public(house.node_key)
    for _ in range(8):
        house.courier.listen([STREAM], house.now)
        house.receiver.round(partner_queries.admitted_keys(house.lead, house.now), house.now)
        answers.round(STREAM, house.now)
        house.later()
        if holding.go_on(backup, [STREAM], lambda stream: asks.round(stream, stream, leads, own, house.now)):
            break
    with snapshot(backup) as connection:
        assert not holding.is_held(connection)


def end_at_lead(house: House) -> int:
    """The lead hears by the item `erased` what has ended, and gives its receipts; how many."""
    with snapshot(house.node) as connection:
        told = ended_here(connection, kit.NODE, kit.KEY)
    return partners.end_received(Journal(house.lead, "lead"), STREAM, told, house.now)


def test_what_was_erased_after_the_seal_is_erased_again_by_a_home_restored_from_between(
    house: House, migrated_file: Path, tmp_path: Path
) -> None:
    bertta, cecilia = house.register("bertta", "cecilia")
    house.attend("first", bertta, cecilia)
    close(house)
    house.work()
    with backup_of(house.node, migrated_file, tmp_path / "between", held=False) as between:
        house.erase(bertta)
        who = house.journal, KEYS, kit.KEY, cecilia
        purposes.end_purpose(*who, "support", "asked", by="worker", now=house.now, first=lambda *_: None)
        house.follow()
        with snapshot(house.node) as connection:
            digests = erased_here(connection, STREAM)
        partners.erase_received(house.lead, STREAM, set(digests))
        end_at_lead(house)
        restore(house, between)
        house.follow()
        with snapshot(between) as connection:
            assert closing.state_of(connection, kit.NODE, kit.KEY) == closing.SEALED
            assert (
                connection.execute(select(journal_head.c.epoch).where(journal_head.c.name == STREAM)).scalar_one() == 1
            )
        intake.erase_again(house.journal, house.now)
        assert purposes.end_again(house.journal, KEYS, house.now, lambda *_: None)
        assert purposes.end_again(house.journal, KEYS, house.now, lambda *_: None) is None, "once"
        house.follow()
        assert lines_of(between, journal_line, bertta)[:-1] == []
        assert b"attendance" not in b"".join(lines_of(between, journal_line, cecilia))
        assert end_at_lead(house) == 1, "the new ending gets its receipt"


def test_a_home_restored_from_before_the_seal_records_nothing_and_says_so(house: House, backup: Engine) -> None:
    close(house)
    house.work()
    lead_at = at_lead(house)["watermark"]
    restore(house, backup)
    with snapshot(backup) as connection:
        assert closing.state_of(connection, kit.NODE, kit.KEY) == closing.SEALED
        assert connection.execute(select(journal_head.c.epoch).where(journal_head.c.name == STREAM)).scalar_one() == 1
    with pytest.raises(StreamIsSealed):
        house.register("cecilia")
    house.courier.round([STREAM], house.now)
    with snapshot(backup) as connection:
        (row,) = shipped(connection, [STREAM])
        assert [one["kind"] for one in holding.lost(connection, kit.NODE)][-1] == StreamSealed.kind
    assert row["state"] == "restored"
    house.receiver.round(partner_queries.admitted_keys(house.lead, house.now), house.now)
    assert (at_lead(house)["state"], at_lead(house)["watermark"]) == ("closed", lead_at)
