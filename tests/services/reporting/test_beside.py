"""The receiver's two loops at work together."""

import pytest
from sqlalchemy import Engine

from services.reporting import operations, store
from services.reporting.beside import take_and_derive
from tests.services import kit
from tests.services.kit import OWN
from tests.services.reporting.kit import STREAMS, admit, lead, receive, session


def test_what_has_come_is_derived_whatever_is_taken_meanwhile(engine: Engine) -> None:
    lead(engine)
    admit(engine, OWN)
    batches = [[session(n, "kaapeli", "2016-03-01", 60)] for n in range(3)]

    def take() -> bool:
        if batches:
            receive(engine, STREAMS[OWN], batches.pop())
            return True
        return False

    while take_and_derive(engine, take):
        pass
    assert len(kit.rows(engine, store.session)) == 3


def test_the_failure_of_either_loop_is_the_rounds(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bool:
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        take_and_derive(engine, broken)
    monkeypatch.setattr(operations, "derive", broken)
    with pytest.raises(OSError, match="broken"):
        take_and_derive(engine, lambda: False)
