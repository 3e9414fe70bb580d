# green:
"""Every command and question with every member wrong in every way: refused by name, nothing written, nothing said.

A new command is tried as soon as its contract is there. If its example is not taken, the failure says what to add.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from marshmallow import Schema

from shared.contracts.commands import Sealed
from shared.contracts.describing import command_classes, methods_of
from shared.contracts.fields import Code, EntityId, NodeName, ProgrammeKey, SubjectRef
from shared.journal.sealed import REPLY_INFO
from tests.badinput import judging
from tests.badinput.examples import NOT_REACHED, NoExample, example, other_values
from tests.badinput.judging import ask, problem
from tests.badinput.mutations import LONG, SECRET, Place, is_there, mutations, objects, places, put, without
from tests.badinput.rules import days, rules
from tests.badinput.world import World
from tests.badinput.world import world as a_world
from tests.contracts import samples

COMMANDS = command_classes()
FIRST: dict[str, type[Schema]] = {}
"""The first command that has a member, by its declaration."""
for _command in COMMANDS:
    for _place in places(_command()):
        FIRST.setdefault(_place.declared, _command)
EACH = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with a_world(tmp_path_factory.mktemp("world"), raw=True) as made:
        yield made


def _method(command: type[Schema]) -> tuple[str, str]:
    """The method that takes it, the first of several."""
    return _methods(command)[0]


def _methods(command: type[Schema]) -> list[tuple[str, str]]:
    """The methods that take it; of what every service takes, intake's."""
    return [("intake" if service == "*" else service, method) for service, method in methods_of(command)]


def _example(world: World, command: type[Schema], **how: bool) -> dict[str, Any]:
    try:
        return example(world, command, **how)
    except NoExample as lacking:
        where = "`special` in tests/badinput/examples.py"
        pytest.fail(f'{lacking}: add "{command.__name__}": {{"path.of.member": value}} to {where}', pytrace=False)


def _bad_bodies(world: World, command: type[Schema], body: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What is wrong, at which member, and the body."""
    for place in places(command()):
        for what, value in _wrong_values(command, place):
            yield what, place.name, put(body, place.path, value)
        if place.field.required and is_there(body, place.path[:-1]):
            yield "missing", place.name, without(body, place.path)
        if isinstance(place.field, Sealed):
            yield from _bad_contents(world, place, body)
    for at in objects(command()):
        if is_there(body, at):
            yield "unknown member", ".".join(map(str, (*at, "nickname"))), put(body, (*at, "nickname"), SECRET)
            for name in (SECRET, LONG, "a\nb", ""):
                yield "unknown member without a name", ".".join(map(str, (*at, "?"))), put(body, (*at, name), 1)


def _wrong_values(command: type[Schema], place: Place) -> list[tuple[str, Any]]:
    """All that is wrong for a member, at the first command that declares it so. Others that declare it alike (`by`,
    `programme`, `limit`) have it checked by the same code: each tries three, another three each, so none is unchecked.
    """
    found = list(mutations(place.field).items())
    if FIRST[place.declared] is command:
        return found
    at = COMMANDS.index(command)
    return [found[(3 * at + n) % len(found)] for n in range(3)]


def _bad_contents(world: World, place: Place, body: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What may be wrong inside a sealed member, and with its sealing."""
    schema = place.field.inside
    other = world.sealed({}, key=b"\x09" + bytes(31))
    for what, sealed in {
        "sealed to another key": other,
        "sealed for another purpose": world.sealed({}, info=REPLY_INFO),
        "no JSON inside": world.sealed(SECRET.encode()),
        "no UTF-8 inside": world.sealed(b"\xff\xfe"),
        "a list inside": world.sealed([SECRET]),
        "a number inside": world.sealed(7),
        "not a number inside": world.sealed(b"NaN"),
        "nested without end": world.sealed(b"[" * 8_000),
    }.items():
        yield what, place.name, put(body, place.path, sealed)
    whole = samples.body_of(schema())
    longest = next(rule.max for rule in place.field.validators if hasattr(rule, "max"))
    for inner in places(schema()):
        name = f"{place.name}.{inner.name}"
        for what, value in mutations(inner.field).items():
            sealed = world.sealed(put(whole, inner.path, value))
            # What is sealed has an end of its own, before anything is opened.
            yield what, name if len(sealed) <= longest else place.name, put(body, place.path, sealed)
        if inner.field.required:
            yield "missing", name, put(body, place.path, world.sealed(without(whole, inner.path)))
    yield "unknown member", f"{place.name}.nickname", put(body, place.path, world.sealed(whole | {"nickname": SECRET}))


@EACH
def test_what_breaks_the_contract_is_refused_by_member_and_changes_nothing(world: World, command: type[Schema]) -> None:
    service, method = _method(command)
    body = _example(world, command, nested=True)
    before, wrong = world.content(), []
    tried = 0
    for what, member, bad in _bad_bodies(world, command, body):
        tried += 1
        if said := problem(ask(world, service, method, bad), member):
            wrong.append(f"{member}, {what}: {said}")
    assert tried > 8 or not command().fields
    assert not wrong, f"{service}.{method}:\n  " + "\n  ".join(wrong)
    assert judging.written(world, before) == []
    assert judging.leaked(world) == ""


def _optional(name: str) -> str:
    return f'put a value this home knows into `values` (by the member\'s name) or `special` ("{name}": …)'


def _put(world: World, command: type[Schema], place: Place, value: Any) -> dict[str, Any]:
    """The example with another value; an object that it may have, and this is a member of, is there then."""
    body = _example(world, command)
    if not is_there(body, place.path[:-1]):
        body = _example(world, command, nested=True)
    changed: dict[str, Any] = put(body, place.path, value)
    return changed


NOWHERE: dict[type, str] = {
    EntityId: "ff" * 16,
    SubjectRef: "ff" * 16,
    NodeName: "nobody-ffffffff",
    ProgrammeKey: "no-such-programme",
    Code: "zz_no_such_code",
}
"""Well-formed names of what is not there."""
MAY_BE_ANYTHING: dict[tuple[str, str], str] = {
    ("DropParked", "reason"): "the operator's own word",
    ("ListPeople", "people"): "who is not there is not listed: they may just have been erased",
    ("ListDue", "people"): "who is not there is due for nothing: they may just have been erased",
    ("ListSessions", "activities"): "keys of earlier versions are behind a figure too; of others there are no sessions",
    ("ShowWording", "instrument"): "of an instrument that this release lacks nobody has loaded any words",
    ("ShowWording", "version"): "of a version that this release lacks nobody has loaded any words",
    ("ReadTexts", "refs"): "a text that is gone is answered with null",
    ("ListCounters", "counter"): "one that is not there is not listed",
    ("AskMayCarry", "node"): "that is what is asked",
    ("AskMayCarry", "programme"): "that is what is asked",
    ("ListReferrals", "referral"): "one that is not there is not listed",
    ("ListEncounters", "encounter"): "one that is not there is not listed",
    ("ListDoors", "encounter"): "one that is not there is not listed",
    ("RemoveEncounter", "encounter"): "nothing of one that was removed is kept: again, and one never made, look alike",
    ("RemoveOutcome", "outcome_id"): "as of an encounter: again, and one never made, look alike",
    ("RemoveFollowUp", "follow_up"): "as of an encounter: again, and one never made, look alike",
    ("RemoveAttempt", "attempt"): "as of an encounter: again, and one never made, look alike",
    ("RemoveStep", "stay"): "as of an encounter: again, and one never made, look alike",
    ("RemovePause", "pause"): "as of an encounter: again, and one never made, look alike",
    ("RemoveAssessment", "assessment"): "as of an encounter: again, and one never made, look alike",
    ("PersonShare", "subject"): "a service keeps nothing about who it has not heard of; intake, asked first, refuses",
    ("ShowSample", "node"): "the lead's sample names other partners' nodes too; of those nobody is shown",
    ("ListTasks", "worker"): "a worker whom pathways has not heard of has nobody: all tasks are others'",
    ("CloseTask", "worker"): "asked with own_only alone; a worker whom pathways has not heard of has nobody",
    ("TasksOf", "worker"): "a worker whom pathways has not heard of has no tasks",
    ("ReadContacts", "people"): "who is not there cannot be reached: they may just have been erased",
    ("SeesPeople", "people"): "who is not there is seen by nobody",
    ("SeesPeople", "programme"): "nobody of a programme that is not there is seen",
    ("RecordPlans", "items.0.entries.0.text_ref"): "only intake knows its texts",
    ("RecordConversation", "items.0.text_ref"): "only intake knows its texts",
    ("RecordConversation", "items.0.actions.0.text_ref"): "only intake knows its texts",
}
"""Members that name nothing which this home would have to know: why."""


@EACH
def test_what_names_nothing_that_is_there_is_refused_by_member(world: World, command: type[Schema]) -> None:
    before, wrong = world.content(), []
    for place in places(command()):
        inner = getattr(place.field, "inner", place.field)
        nowhere = NOWHERE.get(type(inner))
        if nowhere is None or any(hasattr(rule, "choices") for rule in inner.validators):
            continue
        if (command.__name__, place.name) in MAY_BE_ANYTHING:
            continue
        value = nowhere if inner is place.field else [nowhere]
        for service, method in _methods(command):
            answer = ask(world, service, method, _put(world, command, place, value))
            if said := problem(answer, place.name, exactly=False, given=nowhere):
                wrong.append(f"{service}.{method}, {place.name}: {said}")
    assert not wrong, "\n  ".join(["", *wrong, _WHERE])
    assert judging.written(world, before) == []


_WHERE = "A service refuses what is not there by its member; if it may be anything, say why in MAY_BE_ANYTHING."


@EACH
def test_a_day_of_another_time_is_refused_by_member(world: World, command: type[Schema]) -> None:
    service, method = _method(command)
    before, wrong = world.content(), []
    for place, day in days(command):
        answer = ask(world, service, method, _put(world, command, place, day))
        if said := problem(answer, place.name, exactly=False):
            wrong.append(f"{place.name} {day}: {said}")
    where = "If it may be any day, or lie ahead, say so and why in tests/badinput/rules.py."
    assert not wrong, f"{service}.{method}:\n  " + "\n  ".join(wrong) + f"\n{where}"
    assert judging.written(world, before) == []


def test_what_cannot_be_is_refused_by_member_and_reason(world: World) -> None:
    before, wrong = world.content(), []
    named = {command.__name__: command for command in COMMANDS}
    for rule in rules(world):
        command = named[rule.command]
        service, method = _method(command)
        body = _example(world, command)
        for path, value in rule.change.items():
            steps = tuple(int(step) if step.isdigit() else step for step in path.split("."))
            body = without(body, steps) if value is None else put(body, steps, value)
        if rule.sealed:
            (place,) = (place for place in places(command()) if isinstance(place.field, Sealed))
            body = put(body, place.path, world.sealed(rule.sealed))
        answer = ask(world, service, method, body)
        said = problem(answer, rule.names, exactly=False)
        if said or rule.says not in str(answer.error):
            wrong.append(f"{rule.command}, {rule.names} ({rule.says}): {said or answer.error}")
    assert not wrong, "\n  ".join(["", *wrong])
    assert judging.written(world, before) == []


@EACH
def test_the_example_itself_is_taken(world: World, command: type[Schema]) -> None:
    """Last: it may change the home. Without it the others would prove nothing."""
    service, method = _method(command)
    world.follow()
    answer = ask(world, service, method, _example(world, command))
    wanted = NOT_REACHED.get(command.__name__, (None, ""))[0]
    assert (answer.error.code if answer.error else None) == wanted, (
        f"{command.__name__} ({service}.{method}): the example is refused: {answer.error}. In "
        f'tests/badinput/examples.py {_optional("member")}, under "{command.__name__}"; what must be there before the '
        "command can be done is made in tests/badinput/world.py."
    )
    again = ask(world, service, method, _example(world, command))
    assert again.error is None or problem(again) == "", "asked twice it fails"


def _keyed(command: type[Schema]) -> Place | None:
    """Where its key is; None also where the key has no content beside it, and names what another command made."""
    key = next((place for place in places(command()) if place.path[-1] == "key" and "held" not in place.path), None)
    return key if key and any(_beside(key)(place) for place in places(command())) else None


def _beside(key: Place) -> Callable[[Place], bool]:
    around = ("key", "programme", "by", "after")
    return lambda place: place.path[:-1] == key.path[:-1] and place.path[-1] not in around


@pytest.mark.parametrize(
    "command", [command for command in COMMANDS if _keyed(command)], ids=lambda command: command.__name__
)
def test_the_same_key_is_the_same_once_more_and_never_something_else(world: World, command: type[Schema]) -> None:
    """Again it writes nothing, and with other content it is refused."""
    service, method = _method(command)
    body = _example(world, command)
    assert ask(world, service, method, body).error is None
    world.follow()
    before = world.content()
    assert ask(world, service, method, body).error is None
    key = _keyed(command)
    assert key is not None
    at = key.path[:-1]
    other = next(
        put(body, place.path, value)
        for place in filter(_beside(key), places(command()))
        for value in other_values(world, place.field)
        if put(body, place.path, value) != body
    )
    said = ask(world, service, method, other).error
    assert said is not None
    assert "already recorded with other content" in str(said) or "somebody else has changed" in str(said)
    if at:
        twice = put(body, (at[0],), [*body[str(at[0])], *other[str(at[0])]])
        assert ask(world, service, method, twice).error is not None
    assert judging.written(world, before) == []
