"""The documents are what the declarations say, and the declarations are all there is."""

import ast
import copy
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from marshmallow import Schema, fields

from services.node.asyncapi import document
from services.node.documents import ROOT, declare_all, error_classes, generate
from shared.contracts.catalogue import FACTS
from shared.contracts.describing import body_schema, command_classes, command_schema, methods_of, of_field
from shared.contracts.facts import Fact
from shared.ops.metrics import DECLARED, LABELS
from tests.contracts.samples import body_of, full_body, least_body

USED = Draft202012Validator(yaml.safe_load((Path(__file__).parent / "asyncapi.schema.yaml").read_text()))
OURS = [path for folder in ("shared", "services") for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("name", ["contracts.md", "asyncapi.yaml", "metrics.md"])
def test_a_committed_document_is_current(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == generate()[name], "make docs"


def test_making_them_loads_no_eventlet() -> None:
    code = "import sys; from services.node.documents import generate; generate(); print('eventlet' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "False\n"


# --- all of it


def test_every_fact_command_and_error_stands_in_the_catalogue() -> None:
    text = generate()["contracts.md"]
    for fact in FACTS.values():
        assert f"### `{fact.kind}` v{fact.v}\n" in text
    for command in command_classes():
        for service, method in methods_of(command):
            assert f"`{service}.{method}`" in text
    for error in error_classes():
        assert f"| `{error.code}` |" in text


def _methods() -> Iterator[tuple[str, str]]:
    """The RPC methods that take a command, as the services' sources have them; those of a mixin belong to ``*``."""
    for path in OURS:
        of_service = path.name == "service.py" or path.name.endswith("_methods.py")
        if not of_service and path.parent.name != "bus":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            marks = [mark.id for mark in getattr(node, "decorator_list", ()) if isinstance(mark, ast.Name)]
            if isinstance(node, ast.FunctionDef) and "rpc" in marks and node.args.kwarg is not None:
                yield (path.parent.name if of_service else "*"), node.name


def test_every_method_that_takes_a_command_is_named_by_one_command_and_the_other_way_round() -> None:
    named = [pair for command in command_classes() for pair in methods_of(command)]
    assert sorted(named) == sorted(_methods())


def test_every_metric_in_the_sources_is_declared_with_labels_that_are_bounded_and_about_nobody() -> None:
    declare_all()
    made = re.compile(r"(?:counter|gauge|histogram)\(\s*\"(polku_[a-z_]+)\"")
    assert {name for path in OURS for name in made.findall(path.read_text(encoding="utf-8"))} == set(DECLARED)
    for metric in DECLARED.values():
        assert set(metric.labels) <= set(LABELS), metric.name
        assert (metric.kind == "counter") == metric.name.endswith("_total"), metric.name
    assert not {"subject", "person", "user", "name", "token", "value"} & set(LABELS)


def test_every_service_that_follows_the_journal_has_the_ways_out_for_parked_lines() -> None:
    for path in OURS:
        if path.name == "service.py" and "JournalFollower(" in (source := path.read_text()):
            assert re.search(r"^class \w+\([\w,\s]*ParkedLines\s*\):", source, re.MULTILINE), path


# --- JSON Schema


@pytest.mark.parametrize("fact", FACTS.values(), ids=lambda fact: fact.kind)
def test_a_facts_schema_takes_what_the_fact_takes_and_demands_what_it_demands(fact: type[Fact]) -> None:
    schema = Draft202012Validator(body_schema(fact))
    for body in (full_body(fact), least_body(fact), fact.example, {**full_body(fact), "newer": 1}):
        schema.validate(body)
    for name in least_body(fact):
        assert not schema.is_valid({key: value for key, value in full_body(fact).items() if key != name})
    for name in full_body(fact):
        assert not schema.is_valid({**full_body(fact), name: {"no": "such"}})


@pytest.mark.parametrize("command", command_classes(), ids=lambda command: command.__name__)
def test_a_commands_schema_takes_what_the_command_takes_and_nothing_else(command: type[Schema]) -> None:
    schema, body = Draft202012Validator(command_schema(command)), body_of(command())
    schema.validate(body)
    assert not schema.is_valid({**body, "nickname": "x"})
    for name, field in command().fields.items():
        lacking = {key: value for key, value in body.items() if key != name}
        assert schema.is_valid(lacking) != field.required


def test_a_field_that_has_no_form_is_an_error() -> None:
    with pytest.raises(TypeError, match="Raw"):
        of_field(fields.Raw(), False)


# --- AsyncAPI


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for member in value.values():
            yield from _references(member)
    elif isinstance(value, list):
        for member in value:
            yield from _references(member)


def test_the_document_is_asyncapi_as_far_as_we_use_it() -> None:
    USED.validate(yaml.safe_load((ROOT / "docs/asyncapi.yaml").read_text()))


def test_every_reference_leads_somewhere() -> None:
    made = document()
    for reference in _references(made):
        place: Any = made
        for part in reference.removeprefix("#/").split("/"):
            assert part in place, reference
            place = place[part]


def test_every_fact_is_recorded_on_a_stream_and_its_example_is_a_line_of_it() -> None:
    made = document()
    messages = made["components"]["messages"]
    for fact in FACTS.values():
        key = f"{fact.kind}.v{fact.v}"
        (reference,) = made["operations"][key]["messages"]
        assert key in made["channels"][reference["$ref"].split("/")[2]]["messages"]
        payload = {**messages[key]["payload"], "components": made["components"]}
        for example in messages[key]["examples"]:
            Draft202012Validator(payload).validate(example["payload"])
            assert not Draft202012Validator(payload).is_valid({**example["payload"], "kind": "other"})


@pytest.mark.parametrize(
    "damage",
    [
        lambda made: made.pop("info"),
        lambda made: made.update(asyncapi="2.6.0"),
        lambda made: made["channels"]["stream"].pop("address"),
        lambda made: made["operations"]["intake.standing_reached.v1"].update(action="publish"),
        lambda made: made["operations"]["intake.standing_reached.v1"].pop("channel"),
        lambda made: made["components"]["messages"]["result"].update(payloads={}),
        lambda made: made["channels"]["stream"]["messages"].update(x={"$ref": "#/components/schemas/line"}),
    ],
)
def test_a_damaged_document_is_found(damage: Callable[[dict[str, Any]], Any]) -> None:
    made = copy.deepcopy(document())
    damage(made)
    assert not USED.is_valid(made)
