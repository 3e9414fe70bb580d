"""Logs are JSON, a line each, and hold no exception's text, however it was handed over."""

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from shared.ops.logging import setup_logging

SECRET = "Matti Meikäläinen 020190-900X"


class Leak(Exception):
    """An error that quotes what a person typed."""


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the process writes to stderr after `setup_logging`."""
    stream = io.StringIO()
    root = logging.root
    before = root.handlers[:], root.level, logging.raiseExceptions, sys.excepthook, threading.excepthook
    monkeypatch.setattr(sys, "stderr", stream)
    setup_logging("node")
    yield stream
    root.handlers[:], root.level, logging.raiseExceptions, sys.excepthook, threading.excepthook = before
    logging.captureWarnings(False)


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def _raise() -> None:
    raise Leak(SECRET)


def test_a_record_is_one_line_of_json_with_its_fields(logged: io.StringIO) -> None:
    logging.getLogger("shared.x").warning("%s lines\nof %d", "seven", 9, extra={"service": "intake", "pos": 3})
    (line,) = _lines(logged)
    time = line.pop("time")
    assert time.endswith("+00:00")
    assert line == {
        "level": "warning",
        "process": "node",
        "logger": "shared.x",
        "message": "seven lines\nof 9",
        "service": "intake",
        "pos": 3,
    }
    assert logged.getvalue().count("\n") == 1


def test_of_an_exception_only_type_and_place_are_written(logged: io.StringIO) -> None:
    try:
        _raise()
    except Leak:
        logging.getLogger("x").exception("a handler failed")
    (line,) = _lines(logged)
    assert line["error"] == "Leak"
    assert line["at"].startswith(__file__)
    assert SECRET not in logged.getvalue()


def test_an_exception_as_message_argument_or_field_leaves_only_its_type(logged: io.StringIO) -> None:
    log, error = logging.getLogger("x"), Leak(SECRET)
    log.error(error)
    log.error("failed: %s", error)
    log.error("failed: %r of %d", error, 3)
    log.error("failed: %(why)s", {"why": error})
    log.error("failed", extra={"why": error, "all": [error]})
    log.error("failed", exc_info=error)
    assert [line["message"] for line in _lines(logged)] == [
        "Leak",
        "failed: Leak",
        "failed: 'Leak' of 3",
        "failed: Leak",
        "failed",
        "failed",
    ]
    assert _lines(logged)[4]["why"] == "Leak"
    assert "Matti" not in logged.getvalue()


def test_a_record_that_cannot_be_written_is_not_shown_with_its_arguments(logged: io.StringIO) -> None:
    logging.getLogger("x").error("%d people", SECRET)
    assert "Matti" not in logged.getvalue()


def test_a_field_does_not_take_the_place_of_time_or_level(logged: io.StringIO) -> None:
    logging.getLogger("x").warning("hello", extra={"level": "none", "time": "never"})
    (line,) = _lines(logged)
    assert line["level"] == "warning"
    assert line["time"] != "never"


def test_what_nobody_caught_ends_a_thread_or_process_without_its_text(logged: io.StringIO) -> None:
    thread = threading.Thread(target=_raise)
    thread.start()
    thread.join()
    try:
        _raise()
    except Leak:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    assert [line["error"] for line in _lines(logged)] == ["Leak", "Leak"]
    assert "Matti" not in logged.getvalue()
