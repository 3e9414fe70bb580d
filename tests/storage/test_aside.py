"""Work that is done beside its caller: one thing at a time, and nothing of it is forgotten."""

import threading

import pytest

from shared.storage.aside import Aside


def where() -> int:
    return threading.get_ident()


def test_on_postgresql_work_is_done_beside_its_caller() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work() -> str:
        begun.set()
        assert go_on.wait(10)
        return "done"

    with Aside[str]("postgresql") as aside:
        aside.do(work)
        assert begun.wait(10)
        go_on.set()
        assert aside.wait() == "done"
        assert aside.wait() is None


@pytest.mark.parametrize(("dialect", "last"), [("sqlite", False), ("sqlite", True), ("postgresql", True)])
def test_on_sqlite_and_at_the_end_it_is_done_at_once(dialect: str, last: bool) -> None:
    with Aside[int](dialect) as aside:
        aside.do(where, last=last)
        assert aside.wait() == where()


def fail() -> None:
    raise LookupError


def test_what_has_failed_is_told_where_the_answer_is_asked_for() -> None:
    with Aside[None]("postgresql") as aside:
        aside.do(fail)
        with pytest.raises(LookupError):
            aside.wait()


def test_what_has_failed_is_told_at_the_end_if_nobody_asks() -> None:
    with pytest.raises(LookupError), Aside[None]("postgresql") as aside:
        aside.do(fail)


def test_whoever_fails_beside_it_knows_that_it_is_done() -> None:
    said, go_on = [], threading.Event()

    def work() -> None:
        assert go_on.wait(10)
        said.append("done")

    def begin_and_fail() -> None:
        with Aside[None]("postgresql") as aside:
            aside.do(work)
            go_on.set()
            fail()

    with pytest.raises(LookupError):
        begin_and_fail()
    assert said == ["done"]
