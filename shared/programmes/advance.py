"""How the steps of a programme stand: by what was held and made, or by the people on them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from shared.programmes.model import Programme
from shared.programmes.workflow import Step

State = Literal["not_begun", "going_on", "done"]


@dataclass(frozen=True, slots=True)
class Held:
    """The sessions of an activity: how many, the first and the last day."""

    sessions: int
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Made:
    """How far a product is, and since when."""

    state: Literal["begun", "finished"]
    day: date


@dataclass(frozen=True, slots=True)
class People:
    """Participations, each with one partner: how many ever entered a step, are on it, are away from it."""

    entered: int = 0
    on: int = 0
    paused: int = 0


def step_rows(
    programme: Programme, held: Mapping[str, Held], made: Mapping[str, Made], people: Mapping[str, People]
) -> list[dict[str, Any]]:
    """The steps in the file's order, as the report and the project's page show them; `held` is by activity.

    `participations` only of individual steps, the other members only of those that nobody is on. `state` null: the
    programme does not say by what the step advances.
    """
    return [
        _people(step, people) if step.level == "individual" else _row(programme, step, held, made)
        for step in programme.steps
    ]


def _people(step: Step, people: Mapping[str, People]) -> dict[str, Any]:
    of = people.get(step.key, People())
    left = of.entered - of.on - of.paused
    counts = {"entered": of.entered, "on": of.on, "paused": of.paused, "left": left}
    return {"step": step.key, "level": step.level, "participations": counts}


def _row(programme: Programme, step: Step, held: Mapping[str, Held], made: Mapping[str, Made]) -> dict[str, Any]:
    told = [held[activity] for activity in step.advanced_by if activity in held]
    own = [product.key for product in programme.products if product.step == step.key]
    states = [made[key].state if key in made else None for key in own]
    state = _state(told, states) if step.advanced_by or own else None
    return {
        "step": step.key,
        "level": step.level,
        "state": state,
        "sessions": sum(one.sessions for one in told) if step.advanced_by else None,
        "first": min((one.first.isoformat() for one in told), default=None),
        "last": max((one.last.isoformat() for one in told), default=None),
        "products": [
            {"product": key, "state": made[key].state, "on": made[key].day.isoformat()}
            if key in made
            else {"product": key, "state": None, "on": None}
            for key in own
        ],
    }


def _state(told: Iterable[Held], products: Sequence[str | None]) -> State:
    if products and all(state == "finished" for state in products):
        return "done"
    return "going_on" if any(products) or any(one.sessions for one in told) else "not_begun"
