"""What a round of a real lead's receiver bears."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.node.opening import open_database
from services.node.receiver import ReceiverRounds
from services.node.rounds import Rounds
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
