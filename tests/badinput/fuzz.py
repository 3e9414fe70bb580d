"""Random bad input without end: commands with several members wrong at once, values of any shape, lists of any order.

What must hold of whatever comes: an answer or a refusal by name, never a failure; what was refused has written nothing;
nothing that was given is in an error or a log.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from marshmallow import Schema

from shared.contracts.commands import Sealed
from shared.contracts.describing import command_classes, methods_of
from shared.contracts.fields import Day
from tests.badinput import judging
from tests.badinput.examples import example
from tests.badinput.mutations import SECRET, is_there, mutations, places, put, without
from tests.badinput.world import World, world

ROUND = 400
"""Calls against one world; then a new one, so that what was taken does not pile up."""

_TEXT = st.text(max_size=30) | st.just(SECRET) | st.text(alphabet="\0\x1b\u202e\ud800{}%'\";-_/. ", max_size=8)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@dataclass
class Fuzzed:
    """What came of it; `failures` are what must not be, with the seed that shows it again."""

    seed: int
    calls: int = 0
    seconds: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def fuzz(seconds: float, first: int, progress: Callable[[str], None]) -> Fuzzed:
    """Rounds with the seeds from `first` on, until the time is over; at least one."""
    found, began = Fuzzed(first), time.monotonic()
    number = first
    while number == first or time.monotonic() - began < seconds:
        with tempfile.TemporaryDirectory() as folder, world(Path(folder), raw=True) as made:
            try:
                _round(made, number, found)
            except AssertionError as failed:
                found.failures.append(f"seed {number}: {failed}")
        number += 1
        progress(f"{found.calls} calls, {len(found.failures)} failures")
    found.seconds = time.monotonic() - began
    return found


def _round(made: World, number: int, found: Fuzzed) -> None:
    commands = [(command, *_method(command)) for command in command_classes() if command().fields]
    before = made.content()

    @seed(number)
    @settings(
        max_examples=ROUND,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(commands), st.data())
    def tried(command: tuple[type[Schema], str, str], data: st.DataObject) -> None:
        nonlocal before
        contract, service, method = command
        body = _spoilt(made, contract, data)
        answer = judging.ask(made, service, method, body)
        found.calls += 1
        found.answers[answer.error.code if answer.error else "taken"] += 1
        if answer.error is None or answer.item:  # the items before a wrong one are taken
            made.follow()
            before = made.content()
            return
        said = judging.problem(answer)
        assert not said, f"{service}.{method}: {said}"
        wrote = judging.written(made, before)
        assert not wrote, f"{service}.{method} refused ({answer.error}) and wrote to {', '.join(wrote)}"
        assert not judging.leaked(made), f"{service}.{method}: what was given is in the log"

    tried()


def _method(command: type[Schema]) -> tuple[str, str]:
    service, method = methods_of(command)[0]
    return ("intake" if service == "*" else service), method


def _spoilt(made: World, contract: type[Schema], data: st.DataObject) -> dict[str, Any]:
    """An example with one to three members wrong, left out, or with days and lists of any kind."""
    body = example(made, contract)
    there = list(places(contract()))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from([place for place in there if _leads_to(body, place.path)]))
        how = data.draw(st.sampled_from(("known", "any", "day", "gone", "more")))
        if how == "known":
            body = put(body, place.path, data.draw(st.sampled_from(list(mutations(place.field).values()))))
        elif how == "day" and isinstance(place.field, Day):
            body = put(body, place.path, data.draw(st.dates()).isoformat())
        elif how == "any" and isinstance(place.field, Sealed):
            body = put(body, place.path, made.sealed(data.draw(_JSON)))
        elif how == "any":
            body = put(body, place.path, data.draw(_JSON))
        elif how == "gone" and is_there(body, place.path):
            body = without(body, place.path)
        elif how == "more" and isinstance(body.get("items"), list):
            body = body | {"items": body["items"] * data.draw(st.integers(2, 4))}
    return body


def _leads_to(body: Any, path: tuple[str | int, ...]) -> bool:
    """Whether the way there is still one of objects and lists, perhaps not all there."""
    for step in path:
        if body is None:
            return True
        if isinstance(step, int):
            if not isinstance(body, list):
                return False
            body = body[step] if step < len(body) else None
        elif isinstance(body, dict):
            body = body.get(step)
        else:
            return False
    return True
