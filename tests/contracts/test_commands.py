"""What arrives at a service is checked member by member; an error names the member and the reason, never a value."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema, fields

from shared.contracts.commands import MAX_ITEMS, load
from shared.contracts.describing import command_classes
from shared.contracts.errors import InvalidInput
from shared.contracts.fields import Number
from shared.contracts.people import ListPeople, PersonIdentity, PersonQuery, RegisterParticipants
from shared.contracts.sessions import RecordSessions
from shared.contracts.talks import FreeText, TextContent
from tests.contracts.samples import body_of, value_of

COMMANDS: list[type[Schema]] = [*command_classes(), PersonIdentity, PersonQuery, TextContent]
"""What arrives, and what is sealed inside it; items of a list are mutated within their commands."""
EACH = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
SECRET = "Meikäläinen 020190-900X"


def _refused(command: type[Schema], body: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as raised:
        load(command, body)
    assert SECRET not in str(raised.value.to_wire())
    return raised.value


def _leaves(schema: Schema, path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    """Every member with its path; items of a list by their first."""
    found: list[tuple[tuple[Any, ...], Any]] = []
    for name, field in schema.fields.items():
        found.append(((*path, name), field))
        if isinstance(field, fields.List) and isinstance(field.inner, fields.Nested):
            found += _leaves(field.inner.schema, (*path, name, 0))
    return found


LEAVES = [(command, path, field) for command in COMMANDS for path, field in _leaves(command())]


def _with(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of `body` with the value at `path`."""
    if not path:
        return value
    copied = list(body) if isinstance(body, list) else dict(body)
    copied[path[0]] = _with(copied[path[0]], path[1:], value)
    return copied


def _named(path: tuple[Any, ...]) -> str:
    return ".".join(map(str, path))


@EACH
def test_a_full_body_is_taken(command: type[Schema]) -> None:
    body = body_of(command())
    assert load(command, body) == body


@EACH
def test_each_missing_member_is_named(command: type[Schema]) -> None:
    body = body_of(command())
    for name, field in command().fields.items():
        if field.required:
            error = _refused(command, {key: value for key, value in body.items() if key != name})
            assert error.params["field"] == name


@EACH
def test_an_unknown_member_is_named(command: type[Schema]) -> None:
    error = _refused(command, {**body_of(command()), "nickname": SECRET})
    assert error.params["field"] == "nickname"


@EACH
def test_an_unknown_member_that_is_itself_a_secret_is_not_repeated(command: type[Schema]) -> None:
    for name in (SECRET, "a\nb", "x" * 500, ""):
        assert _refused(command, {**body_of(command()), name: 1}).params["field"] == "?"


@EACH
@pytest.mark.parametrize("body", [None, [], "x", 7])
def test_what_is_no_object_is_refused_as_a_whole(command: type[Schema], body: object) -> None:
    assert _refused(command, body).params["field"] == "body"


def test_text_that_is_too_long_or_has_control_characters_is_refused_everywhere() -> None:
    for command, path, field in LEAVES:
        if isinstance(field, fields.Dict):
            continue
        of_one_line = () if isinstance(field, FreeText) else (SECRET + "\n", "\u2028" + SECRET)
        for text in (SECRET * 2000, "a\x00" + SECRET, "\ud800" + SECRET, *of_one_line):
            value = [text] if isinstance(field, fields.List) else text
            error = _refused(command, _with(body_of(command()), path, value))
            assert str(error.params["field"]).startswith(_named(path))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(SECRET),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(LEAVES), JSON)
@settings(max_examples=400)
def test_any_value_anywhere_is_taken_or_refused_by_name(place: tuple[type[Schema], Any, Any], value: Any) -> None:
    command, path, _field = place
    refused = None
    try:
        load(command, _with(body_of(command()), path, value))
    except InvalidInput as error:
        refused = error
    if refused is not None:
        assert str(refused.params["field"]).startswith(_named(path))
        assert SECRET not in str(refused.to_wire())


def test_numbers_are_kept_within_their_bounds() -> None:
    for command, path, field in LEAVES:
        if isinstance(field, Number):
            for wrong in (field.low - 1, field.high + 1, float(field.low), str(field.low), True):
                error = _refused(command, _with(body_of(command()), path, wrong))
                assert error.params["field"] == _named(path)


@pytest.mark.parametrize("wrong", ["yes", "true", 1, 0, None, []])
def test_true_is_true_and_nothing_that_looks_like_it(wrong: object) -> None:
    body = body_of(RegisterParticipants())
    assert _refused(RegisterParticipants, {**body, "skip_bad": wrong}).params["field"] == "skip_bad"


def test_a_list_has_one_to_500_items() -> None:
    body = body_of(RecordSessions())
    item = body["items"][0]
    assert len(load(RecordSessions, {**body, "items": [item] * MAX_ITEMS})["items"]) == MAX_ITEMS
    for items in ([], [item] * (MAX_ITEMS + 1)):
        assert _refused(RecordSessions, {**body, "items": items}).params["field"] == "items"


def test_of_several_bad_items_the_first_is_named() -> None:
    body = body_of(RecordSessions())
    items = [dict(body["items"][0]) for _ in range(12)]
    for number in (10, 2, 11):
        items[number]["minutes"] = 0
    assert _refused(RecordSessions, {**body, "items": items}).params["field"] == "items.2.minutes"


def test_what_may_be_left_out_has_its_default() -> None:
    least = {name: value_of(field) for name, field in ListPeople().fields.items() if field.required}
    assert load(ListPeople, least) == {
        **least,
        **{"after": 0, "limit": 100, "offset": 0, "own_only": False, "worker": None},
    }
