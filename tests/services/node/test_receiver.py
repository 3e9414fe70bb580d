"""What a round of a real lead's receiver bears."""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from services.node.opening import open_database
from services.node.receiver import ReceiverRounds
from services.node.rounds import RETRY_SECONDS, Rounds
from services.reporting.beside import Deriver, DerivingEnded
from shared.journal.carrier import JOIN
from shared.ops.clock import utcnow
from tests.services.kit import KEY
from tests.services.node.made import new_home


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[ReceiverRounds]:
    home = new_home(tmp_path / "lead", "lead", port=18400)
    engine = open_database(home)
    yield ReceiverRounds(home, engine)
    engine.dispose()


def test_a_directory_in_the_place_of_an_answer_to_an_invite_fails_no_round(
    receiver: ReceiverRounds, tmp_path: Path
) -> None:
    (tmp_path / "lead" / "inbox" / "kuu-00000000" / KEY / JOIN).mkdir(parents=True)
    state = Rounds("receiver", utcnow())
    state.run(receiver.round, utcnow())
    assert state.check() is None


def test_a_receiver_whose_deriver_is_gone_goes_on_and_is_not_ready_meanwhile(
    receiver: ReceiverRounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> bool:
        raise DerivingEnded("the process that derives is gone")

    monkeypatch.setattr(Deriver, "beside", gone)
    state = Rounds("receiver", utcnow())
    assert state.run(receiver.round, utcnow()) == RETRY_SECONDS
    assert state.check() is not None
    monkeypatch.undo()
    state.run(receiver.round, utcnow())
    assert state.check() is None


def test_after_a_round_that_failed_the_next_waits_its_time_whatever_lies_unread() -> None:
    def failing(_: datetime) -> float:
        raise OperationalError("", None, ConnectionRefusedError())

    state, (reader, writer) = Rounds("receiver", utcnow()), os.pipe()
    os.write(writer, b"x")
    state.run(failing, utcnow())
    assert state.wait(0.01, [], lambda: [reader]) == []
    state.run(lambda _: 5.0, utcnow())
    assert state.wait(5.0, [], lambda: [reader]) == [reader]
    os.close(reader)
    os.close(writer)
