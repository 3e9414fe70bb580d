"""Errors cross processes as code and parameters, and say nothing but what their class says."""

import json
import string

import pytest

from shared.contracts import errors
from shared.contracts.errors import PolkuError, RemoteError

ERRORS = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, PolkuError) and e is not PolkuError]
EACH = pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)

SHOWN = {
    *("field", "reason", "what", "service", "method", "seconds", "reference", "programme", "partner", "home", "kind"),
    *("revision", "count", "line", "remote_code", "value", "file", "instrument", "version", "state"),
    *("asked", "standing", "purpose", "until", "law"),
}
"""What a message may show: codes, names of our own, numbers. `value` is a code that the contract has checked, `law`
what the programme file says."""


def _parameters(error: type[PolkuError]) -> dict[str, str | int]:
    first = (error.__doc__ or "").strip().splitlines()[0]
    names = [name for _, name, _, _ in string.Formatter().parse(first) if name]
    return {name: f"{name}_value" if position % 2 else position + 7 for position, name in enumerate(names)}


@EACH
def test_an_error_is_the_same_class_with_the_same_message_at_the_caller(error: type[PolkuError]) -> None:
    raised = error(**_parameters(error))
    rebuilt = PolkuError.from_wire(json.loads(json.dumps(raised.to_wire())))
    assert type(rebuilt) is error
    assert (rebuilt.params, str(rebuilt)) == (raised.params, str(raised))


@EACH
def test_the_message_is_the_first_line_of_the_class_with_every_parameter(error: type[PolkuError]) -> None:
    message = str(error(**_parameters(error)))
    assert message
    assert "{" not in message
    assert "?" not in message
    assert all(str(value) in message for value in _parameters(error).values())


@EACH
def test_a_message_shows_only_what_is_known_to_be_harmless(error: type[PolkuError]) -> None:
    assert _parameters(error).keys() <= SHOWN


@EACH
def test_parameters_that_the_class_does_not_name_are_never_shown(error: type[PolkuError]) -> None:
    raised = error(**_parameters(error), token="a-secret", identity="Matti Meikäläinen")
    for shown in (str(raised), repr(raised), str(raised.args)):
        assert "a-secret" not in shown
        assert "Matti" not in shown


@EACH
def test_a_parameter_that_is_missing_does_not_hide_the_error(error: type[PolkuError]) -> None:
    assert isinstance(PolkuError.from_wire({"code": error.code}), error)


def test_every_code_is_one_errors_own() -> None:
    codes = [error.code for error in ERRORS]
    assert len(codes) == len(set(codes))
    assert errors.UnknownProgramme.code == "unknown_programme"
    assert errors.RpcTimeout.code == "rpc_timeout"


def test_the_same_code_twice_cannot_be_declared() -> None:
    with pytest.raises(TypeError, match="NotFound"):
        type("NotFound", (PolkuError,), {"__doc__": "Another."})


@pytest.mark.parametrize("wire", [{"code": "from_the_future", "params": {"field": "a"}}, {"code": "from_the_future"}])
def test_a_code_of_a_newer_release_is_a_remote_error(wire: dict[str, object]) -> None:
    error = PolkuError.from_wire(wire)
    assert isinstance(error, RemoteError)
    assert "from_the_future" in str(error)
    assert PolkuError.from_wire(error.to_wire()).params == error.params


@pytest.mark.parametrize(
    "params", [{"self": "x", "field": "a"}, {"field": ["a"]}, {"field": {"x": 1}}, None, [], "x", {"": 1}, {"cls": 1}]
)
def test_odd_parameters_from_the_wire_raise_nothing_else(params: object) -> None:
    assert isinstance(PolkuError.from_wire({"code": "invalid_input", "params": params}), errors.InvalidInput)


def test_braces_in_a_parameter_are_only_text() -> None:
    assert str(errors.InvalidInput(field="{reason}", reason="{0.__class__}")) == "{reason}: {0.__class__}"
