"""What a fact's lines promise is committed; within a version only optional members may be added."""

import copy
import json
from typing import Any

import pytest

from shared.contracts.catalogue import FACTS
from shared.contracts.errors import FactNotWritable
from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import Day, EntityId, Number
from tests.contracts.samples import subject_for
from tests.contracts.shape import DIRECTORY, breaks, committed, path_of, shape_of

EACH = pytest.mark.parametrize("fact", FACTS.values(), ids=lambda fact: f"{fact.kind}.v{fact.v}")


@EACH
def test_the_code_has_the_committed_shape(fact: type[Fact]) -> None:
    shape = committed(fact)
    shape.pop("bodies")
    assert shape_of(fact) == shape, "python -m tests.contracts.shape"
    assert list(shape_of(fact)["members"]) == list(shape["members"])


def test_every_committed_shape_is_still_a_fact() -> None:
    assert {path.name for path in DIRECTORY.glob("*.json")} == {path_of(fact).name for fact in FACTS.values()}


@EACH
def test_what_was_valid_when_the_shape_was_committed_is_read_now(fact: type[Fact]) -> None:
    for body in committed(fact)["bodies"]:
        assert fact.read(subject_for(fact), body).body == body


@EACH
def test_a_member_of_a_newer_release_is_passed_over_when_read(fact: type[Fact]) -> None:
    for body in committed(fact)["bodies"]:
        newer = {**body, "added_later": {"anything": [1, None]}}
        assert fact.read(subject_for(fact), newer).body == body


@EACH
def test_a_member_nobody_declared_cannot_be_written(fact: type[Fact]) -> None:
    with pytest.raises(FactNotWritable, match="added_later"):
        fact(subject_for(fact), **fact.example, added_later=1)


@EACH
def test_the_example_is_valid_and_is_read_as_it_was_written(fact: type[Fact]) -> None:
    written = fact(subject_for(fact), **fact.example)
    assert json.loads(json.dumps(written.body)) == fact.example
    assert fact.read(written.subject, written.body).body == written.body


@EACH
def test_a_body_is_written_in_the_order_of_the_declaration(fact: type[Fact]) -> None:
    shuffled = dict(reversed(fact.example.items()))
    assert list(fact(subject_for(fact), **shuffled).body) == [name for name in fact.members if name in fact.example]


@EACH
def test_each_required_member_is_demanded(fact: type[Fact]) -> None:
    for name in (name for name, member in committed(fact)["members"].items() if member["required"]):
        lacking = {key: value for key, value in committed(fact)["bodies"][0].items() if key != name}
        with pytest.raises(FactNotWritable, match=name):
            fact(subject_for(fact), **lacking)
        with pytest.raises(FactNotWritable, match=name):
            fact.read(subject_for(fact), lacking)


class Old(Fact):
    """As first released."""

    kind, v, reach, about = "tests.happened", 1, Reach.LEAD, About.NOBODY
    thing = EntityId()
    minutes = Number(1, 1440, allow_none=True)
    example = {"thing": "0" * 32}


def _old() -> dict[str, Any]:
    return copy.deepcopy(shape_of(Old))


class Grown(Fact):
    """With one optional member more."""

    kind, v, reach, about = "tests.happened", 1, Reach.LEAD, About.NOBODY
    thing = EntityId()
    minutes = Number(1, 1440, allow_none=True)
    occurred_on = Day(allow_none=True)
    example = {"thing": "0" * 32}


def test_an_optional_member_may_be_added_and_both_releases_read_both() -> None:
    assert breaks(_old(), shape_of(Grown)) == []
    new = Grown(thing="1" * 32, occurred_on="2026-01-01")
    assert Old.read(None, new.body)["thing"] == "1" * 32
    assert Grown.read(None, Old(thing="2" * 32).body)["occurred_on"] is None


class Demanding(Fact):
    """With one required member more."""

    kind, v, reach, about = "tests.happened", 1, Reach.LEAD, About.NOBODY
    thing = EntityId()
    minutes = Number(1, 1440, allow_none=True)
    occurred_on = Day()
    example = {"thing": "0" * 32, "occurred_on": "2026-01-01"}


def test_a_required_member_cannot_be_added_because_old_lines_could_not_be_read() -> None:
    assert breaks(_old(), shape_of(Demanding)) == ["occurred_on: added, but required"]
    with pytest.raises(FactNotWritable):
        Demanding.read(None, Old(thing="2" * 32).body)


def test_nothing_else_of_a_shape_may_change() -> None:
    for change in (
        lambda shape: shape["members"].pop("minutes"),
        lambda shape: shape["members"]["thing"].update(required=False),
        lambda shape: shape["members"]["minutes"].update(required=True),
        lambda shape: shape["members"]["minutes"].update(high=60),
        lambda shape: shape["members"]["thing"].update(type="Digest"),
        lambda shape: shape.update(reach="node"),
        lambda shape: shape.update(about="somebody"),
        lambda shape: shape.update(members=dict(reversed(shape["members"].items()))),
    ):
        changed = _old()
        change(changed)
        assert breaks(_old(), changed) != []
