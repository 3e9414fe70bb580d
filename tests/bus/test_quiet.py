"""Libraries' log records end in `shared.bus.quiet`."""

import logging

import pytest

from shared.bus import quiet

MARKER = "Maija-Marker-010190-999X"


def raised() -> BaseException:
    try:
        raise ValueError(MARKER)
    except ValueError as error:
        return error


@pytest.mark.parametrize(
    "name", ["kombu.mixins", "nameko.containers", "nameko.rpc", "amqp", "eventlet.wsgi", "kombu.x.y"]
)
def test_a_librarys_warning_is_passed_on_without_its_words(name: str, caplog: pytest.LogCaptureFixture) -> None:
    quiet.install()
    caplog.set_level(logging.DEBUG)
    logging.getLogger(name).error("Can't decode %r", MARKER, exc_info=raised())
    logging.getLogger(name).warning(f"retrying {MARKER}")
    logging.getLogger(name).debug("body %s", MARKER)
    assert MARKER not in caplog.text
    assert [record.name for record in caplog.records] == [name, name]
    assert "(ValueError at tests/bus/test_quiet.py:" in caplog.messages[0]


def test_installing_twice_does_not_report_twice(caplog: pytest.LogCaptureFixture) -> None:
    quiet.install()
    quiet.install()
    logging.getLogger("kombu").error("x")
    assert len(caplog.messages) == 1


def test_a_failure_is_reported_with_type_place_and_reference(caplog: pytest.LogCaptureFixture) -> None:
    reference = quiet.report_failure("a worker", raised())
    assert caplog.messages[0].startswith("a worker failed: ValueError at tests/bus/test_quiet.py:")
    assert caplog.messages[0].endswith(reference)
    assert MARKER not in caplog.text
