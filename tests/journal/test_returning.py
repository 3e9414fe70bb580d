"""A restored node gets back what it has lost, to be shown; its stream goes on in a new epoch once the lead accepts."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from services.intake.operations import erase_again
from services.reporting import operations as reporting
from services.reporting import partner_queries, partners
from shared.contracts.errors import NotFound
from shared.journal import Journal, received, returning
from shared.journal.carrier import RECEIPT, back_of
from shared.journal.carry_tables import received_erased, received_head, received_void
from shared.journal.certificate import certify, check, digest_of, frame, write_proof
from shared.journal.holding import NOT_ACCEPTED, go_on, held_streams, is_held, lost
from shared.journal.returning import ASK_EVERY, MAX_ERASED, Retriever, Returner, read_erased, write_erased
from shared.journal.sending import MANIFEST_EVERY
from shared.journal.tables import journal_erased, journal_head
from shared.storage import snapshot, transaction
from tests.flows.house import STREAM, House, backup_of, joined
from tests.journal.exchange_kit import make_key, public
from tests.journal.journal_kit import Killed, killed_at
from tests.services import kit


def talk(house: House, rounds: int = 8) -> bool:
    """Rounds of the held courier and of the lead's receiver, each as a new process; whether the hold has ended."""
    for _ in range(rounds):
        house.courier.listen([STREAM], house.now)
        if node_round(house):
            return True
        lead_round(house)
        house.later()
    return False


def node_round(house: House) -> bool:
    opens = {house.node_receiving.id: house.node_receiving.secret()}
    retriever = Retriever(house.node, house.carrier, house.node_key, opens)
    leads, own = public(house.lead_key), public(house.node_key)
    over = go_on(house.node, [STREAM], lambda stream: retriever.round(stream, stream, leads, own, house.now))
    if over:
        retriever.thank(STREAM)
    return over


def lead_round(house: House) -> None:
    house.receiver.round(partner_queries.admitted_keys(house.lead, house.now), house.now)
    partners.apply_accepted(house.lead, house.now)
    while reporting.derive(house.lead, {}):
        pass
    assert house.node_receiving.public is not None
    keys = (public(house.node_key), house.node_receiving.public)
    Returner(house.lead, house.carrier, house.lead_key, *keys).round(STREAM, house.now)


def accept(house: House) -> list[dict[str, object]]:
    found, _ = partners.accept_epoch(Journal(house.lead, "lead"), kit.NODE, by="boss", now=house.now)
    return found


def epoch_of(engine: Engine) -> int:
    with snapshot(engine) as connection:
        return connection.execute(select(journal_head.c.epoch).where(journal_head.c.name == STREAM)).scalar_one()


def test_what_was_lost_is_shown_and_the_stream_goes_on_when_the_lead_accepts(house: House, backup: Engine) -> None:
    lines = kit.lines(house.node)
    house.register("bertta", "cecilia")
    new = [line for line in kit.lines(house.node)[len(lines) :] if line.stream == STREAM]
    house.work()
    before = house.report()["streams"][0]
    house.put_back(backup)
    assert talk(house)
    with snapshot(house.node) as connection:
        assert not is_held(connection)
        shown = lost(connection, kit.NODE)
    assert [(row["seq"], row["kind"], row["recorded_at"]) for row in shown] == [
        (line.seq, line.kind, line.recorded_at) for line in new
    ]
    assert epoch_of(house.node) == 2

    house.register("doris")
    house.work()
    stopped = house.report()["streams"][0]
    assert (stopped["watermark"], stopped["chain"]) == (before["watermark"], before["chain"]), "nothing is taken yet"
    assert house.report()["arrived"] is False
    (accepted,) = accept(house)
    assert (accepted["epoch"], accepted["seq"], accepted["void"]) == (2, new[0].seq - 1, len(new))
    lead_round(house)
    house.work()
    report = house.report()
    assert report["arrived"] is True
    assert report["streams"][0]["epoch"] == 2
    assert report["data_quality"]["void_lines"] == len(new)
    assert [row["seq"] for row in kit.rows(house.lead, received_void)] == [line.seq for line in new]
    house.assert_whole()
    with pytest.raises(NotFound):
        accept(house)


def test_nothing_asked_for_lies_on_the_carrier_afterwards(house: House, backup: Engine) -> None:
    house.register("bertta")
    house.work()
    house.put_back(backup)
    assert talk(house)
    lead_round(house)
    assert not [path for path in house.folder.rglob("back/*") if path.is_file()]


def test_a_person_erased_after_the_backup_is_erased_again(house: House, backup: Engine) -> None:
    (anna,) = (row["subject"].hex() for row in kit.rows(house.node, kit_participation()))
    house.erase(anna)
    house.work()
    house.put_back(backup)
    assert anna.encode() in kit.stored_bytes(house.node)
    assert talk(house)
    assert erase_again(house.journal, house.now) is not None
    assert erase_again(house.journal, house.now) is None
    house.work()
    accept(house)
    lead_round(house)
    house.work()
    assert kit.rows(house.node, kit_participation()) == []
    assert len(kit.rows(house.node, journal_erased)) == 1
    assert anna.encode() not in kit.stored_bytes(house.node)
    assert len(kit.rows(house.lead, received_erased)) == 1
    house.assert_whole()


def test_void_lines_of_a_person_who_is_erased_later_become_digests(house: House, backup: Engine) -> None:
    (anna,) = (row["subject"].hex() for row in kit.rows(house.node, kit_participation()))
    house.attend("after", anna)
    house.work()
    house.put_back(backup)
    assert talk(house)
    house.work()
    accept(house)
    lead_round(house)
    assert [row["subject"].hex() for row in kit.rows(house.lead, received_void) if row["subject"]] == [anna]
    house.erase(anna)
    house.work()
    assert anna.encode() not in kit.stored_bytes(house.lead)
    assert [row["line"] for row in kit.rows(house.lead, received_void) if row["subject"]] == []


def kit_participation() -> object:
    from services.intake.store import participation

    return participation


def test_killed_at_any_step_of_the_return_it_is_completed(house: House, backup: Engine) -> None:
    house.register("bertta")
    house.work()
    house.put_back(backup)
    for step in range(0, 400, 3):
        try:
            with killed_at(house.node, step), killed_at(house.lead, step):
                done = talk(house)
        except Killed:
            house.restart()
            with snapshot(house.node) as connection:
                if not is_held(connection):
                    break
            continue
        assert done
        break
    assert step > 10
    assert epoch_of(house.node) == 2
    house.work()
    accept(house)
    lead_round(house)
    house.register("doris")
    house.work()
    assert house.report()["arrived"] is True
    house.assert_whole()


def test_lines_that_the_node_has_not_signed_are_not_believed(house: House, backup: Engine) -> None:
    house.register("bertta")
    house.work()
    with transaction(house.lead) as connection:
        connection.exec_driver_sql("UPDATE received_segment SET signature = zeroblob(64)")
    house.put_back(backup)
    assert not talk(house)
    with snapshot(house.node) as connection:
        assert is_held(connection)


def test_sixty_thousand_who_were_erased_fit_into_one_item() -> None:
    signer, sealed = make_key("signing"), make_key("receiving")
    digests = [number.to_bytes(32) for number in range(60_000)]
    data = write_erased(STREAM, digests, datetime(2026, 1, 1, tzinfo=UTC), signer, sealed.public or b"")
    assert len(data) <= MAX_ERASED
    assert read_erased(data, STREAM, public(signer), {sealed.id: sealed.secret()}) == tuple(digests)


def test_who_was_erased_is_believed_only_of_the_lead_about_this_stream() -> None:
    signer, sealed = make_key("signing"), make_key("receiving")
    assert sealed.public is not None
    data = write_erased(STREAM, [b"d" * 32], datetime(2026, 1, 1, tzinfo=UTC), signer, sealed.public)
    opens = {sealed.id: sealed.secret()}
    assert read_erased(data, STREAM, public(signer), opens) == (b"d" * 32,)
    assert read_erased(data, "eura-00000002/lahde", public(signer), opens) is None
    assert read_erased(data, STREAM, public(make_key("signing")), opens) is None
    assert read_erased(data, STREAM, public(signer), {"x": make_key("receiving").secret()}) is None
    assert read_erased(data[:-1], STREAM, public(signer), opens) is None


def test_two_histories_stop_the_stream_until_the_lead_says_that_its_own_counts(
    house: House, backup: Engine, tmp_path: Path
) -> None:
    original = house.node
    with transaction(backup) as connection:
        connection.exec_driver_sql("DELETE FROM journal_hold")
    house.register("bertta")
    house.work()
    held = house.report()["streams"][0]
    house.node = backup  # a copy of the home runs beside it
    house.restart()
    house.register("cecilia", "doris")
    house.work()
    (conflict,) = partner_queries.conflicts(house.lead)
    assert conflict["state"] == received.STOPPED
    after = house.report()["streams"][0]
    assert (after["watermark"], after["chain"]) == (held["watermark"], held["chain"]), "nothing is overwritten"
    house.node = original  # the copy is stopped for good
    house.restart()
    house.work()
    assert house.report()["arrived"] is False
    accept(house)
    lead_round(house)
    house.register("eeva")
    house.work()
    assert house.report()["arrived"] is True
    assert partner_queries.conflicts(house.lead)[0]["state"] == received.OPEN


def test_a_home_gets_its_tail_back_whatever_segments_the_lead_makes_of_its_stream(
    migrated_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the home still has is in segments that it cannot check: it is asked for from where the backup ends."""
    monkeypatch.setattr(returning, "Courier", partial(returning.Courier, max_lines=3))
    with (
        joined(migrated_file, tmp_path, "anna", "britta", "cilla") as house,
        backup_of(house.node, migrated_file, tmp_path / "restored") as backup,
    ):
        house.register("doris")
        house.work()
        house.put_back(backup)
        assert talk(house, 20)


def accepted_and_whole(house: House) -> bool:
    accept(house)
    lead_round(house)
    house.work()
    house.assert_whole()
    assert_same_lines(house)
    return house.report()["arrived"] is True


def assert_same_lines(house: House) -> None:
    """The lead holds the node's stream, to the byte."""
    (head,) = kit.rows(house.lead, received_head)
    with snapshot(house.node) as connection:
        own = select(journal_head.c.seq, journal_head.c.chain).where(journal_head.c.name == STREAM)
        assert tuple(connection.execute(own).one()) == (head["seq"], head["chain"])


def state_of(house: House) -> tuple[str, int, int | None, object]:
    """What the lead says of the stream: state, watermark, head, and whether everything has arrived."""
    with snapshot(house.lead) as connection:
        (row,) = received.completeness(connection, house.now)
    return row.state, row.watermark, row.head, house.report()["arrived"]


def test_what_a_node_has_signed_of_an_epoch_is_missing_as_soon_as_that_is_accepted(
    house: House, backup: Engine
) -> None:
    house.register("bertta")
    house.work()
    house.put_back(backup)
    assert talk(house)
    house.register("doris", "eeva")
    house.work()  # the lead has read how far the new epoch goes, and refused its lines
    house.later()
    accept(house)
    partners.apply_accepted(house.lead, house.now)
    state, watermark, head, arrived = state_of(house)
    assert head is not None
    assert (state, head - watermark, arrived) == ("missing", 4, False)
    lead_round(house)  # the node is away, but what was refused lies there
    assert state_of(house)[:3] == ("not_known_since", head, head)
    house.later()
    house.work()
    state, watermark, head, arrived = state_of(house)
    assert (state, watermark, arrived) == ("complete", head, True)
    assert_same_lines(house)


def test_a_question_that_the_carrier_has_lost_is_put_again(house: House, backup: Engine) -> None:
    house.register("bertta")
    house.work()
    house.put_back(backup)
    opens = {house.node_receiving.id: house.node_receiving.secret()}
    retriever = Retriever(house.node, house.carrier, house.node_key, opens)

    def lies_there() -> bool:
        retriever.round(STREAM, STREAM, public(house.lead_key), public(house.node_key), house.now)
        return house.carrier.read(back_of(STREAM), RECEIPT, 1) is not None

    assert lies_there()
    house.carrier.delete(back_of(STREAM), RECEIPT)
    assert not lies_there()
    house.now += ASK_EVERY
    assert lies_there()


def test_an_epoch_that_a_node_has_given_up_is_forgotten_when_it_says_so(
    migrated_file: Path, tmp_path: Path, house: House, backup: Engine
) -> None:
    house.register("bertta")
    house.work()
    with backup_of(house.node, migrated_file, tmp_path / "newer") as newer:
        house.put_back(backup)
        assert talk(house)
        house.later()
        house.work()
        assert state_of(house)[0] == "differs", "it claims an epoch"
        house.put_back(newer)  # of which nothing is lost: it goes on where it was
        house.later()
        assert talk(house)
        house.later()
        house.work()
        house.now += MANIFEST_EVERY
        house.work()
        assert state_of(house)[0] == "complete", "it says so again"
        with pytest.raises(NotFound):
            accept(house)


def test_a_backup_of_an_epoch_that_nobody_has_accepted_is_held_until_somebody_does(
    migrated_file: Path, tmp_path: Path, house: House, backup: Engine
) -> None:
    house.register("bertta")
    house.work()
    house.put_back(backup)
    assert talk(house)
    house.register("doris")
    with backup_of(house.node, migrated_file, tmp_path / "two") as two:
        house.register("eeva")
        house.work()  # refused: of an epoch that is claimed
        house.put_back(two)
        assert not talk(house)
        assert held_streams(house.node, [STREAM]) == {STREAM: NOT_ACCEPTED}
        accept(house)
        assert talk(house), "and what had been refused has come back"
        with snapshot(house.node) as connection:
            assert len(lost(connection, kit.NODE)) == 2


def test_a_certificate_holds_while_a_node_whose_epoch_was_accepted_is_silent(
    migrated_file: Path, tmp_path: Path, house: House
) -> None:
    house.register("bertta")  # and then one more, in the same segment
    with backup_of(house.node, migrated_file, tmp_path / "one") as one:
        house.register("cilla")
        house.work()
        house.put_back(one)
        assert talk(house)
        house.courier.round([STREAM], house.now)
        lead_round(house)
        accept(house)
        partners.apply_accepted(house.lead, house.now)
        certified(house)
        lead_round(house)
        certified(house)


def certified(house: House) -> None:
    """The report can be certified, and whoever checks it finds it right."""
    report = house.report()
    statement = write_proof(report["proof"], house.lead_key)
    before, after = frame("json", '{\n  "figures": 1\n}\n')
    own = {house.lead_key.id: public(house.lead_key)[house.lead_key.id]}
    signed = certify(statement, digest_of(before, after), house.lead_key, own)
    check(before + signed.hex().encode() + after)
