"""The documents that are made from declarations (`make docs`): a test fails when a committed one is not current."""

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from marshmallow import Schema, fields

from services.node.asyncapi import asyncapi
from shared.contracts import errors
from shared.contracts.catalogue import FACTS
from shared.contracts.describing import command_classes, in_words, methods_of, words_of
from shared.contracts.errors import PolkuError
from shared.contracts.facts import About, Fact, Reach
from shared.ops.metrics import DECLARED, LABELS

ROOT = Path(__file__).parents[2]
MADE = "<!-- Made by `make docs` from the declarations; do not edit. -->"
_DECLARES = re.compile(r"^from shared\.ops(\.metrics)? import .*\b(counter|gauge|histogram|metrics)\b", re.MULTILINE)
PARTS = {
    "bus": "every process that serves or calls RPC",
    "carrier": "whoever stands at a carrier: the lead's portal; over a broker, courier and receiver",
    "courier": "a node's courier",
    "home": "the process of `polku up`",
    "intake": "the service intake",
    "journal": "the services that follow the journal",
    "measurement": "the service measurement",
    "pathways": "the service pathways",
    "plain": "courier and receiver",
    "portal": "the portal",
    "post": "courier and receiver",
    "receiver": "the lead's receiver",
    "reporting": "the lead's receiver, which derives the figures",
}
"""Whose metrics ``polku_<part>_…`` are."""


def generate() -> dict[str, str]:
    """Every document: its file name under ``docs/``, and what must stand in it."""
    return {"contracts.md": contracts(), "asyncapi.yaml": asyncapi(), "metrics.md": metrics()}


def error_classes() -> list[type[PolkuError]]:
    """Every error that crosses a process, in the order they are declared."""
    found = vars(errors).values()
    return [e for e in found if isinstance(e, type) and issubclass(e, PolkuError) and e is not PolkuError]


def contracts() -> str:
    """Facts, commands and errors in Markdown."""
    return "\n".join(_contracts()) + "\n"


def _contracts() -> Iterator[str]:
    yield f"# Contracts\n\n{MADE}\n"
    yield "Everything that crosses a process, as declared in `shared/contracts`. As AsyncAPI: `asyncapi.yaml`.\n"
    yield "## Facts\n"
    for fact in sorted(FACTS.values(), key=lambda fact: (fact.kind.split(".")[0], fact.kind, fact.v)):
        yield from _fact(fact)
    yield "## Commands\n\nRPC, by service and method. An error names the field and the reason.\n"
    for command in command_classes():
        yield from _command(command)
    yield "## Errors\n\n| code | message |\n| --- | --- |"
    for error in error_classes():
        yield f"| `{error.code}` | {_cell((error.__doc__ or '').strip().splitlines()[0])} |"


def _fact(fact: type[Fact]) -> Iterator[str]:
    yield f"### `{fact.kind}` v{fact.v}\n"
    reach = "travels to the programme's lead" if fact.reach is Reach.LEAD else "stays on the node"
    about = "about a person (subject)" if fact.about is About.SOMEBODY else "about nobody"
    yield f"{words_of(fact)}\n\n*{reach[0].upper()}{reach[1:]}; {about}.*\n"
    yield from _members(dict(fact.members))
    yield f"```json\n{json.dumps(fact.example, ensure_ascii=False)}\n```\n"


def _command(command: type[Schema]) -> Iterator[str]:
    yield f"### {', '.join(f'`{service}.{method}`' for service, method in methods_of(command))}\n"
    yield f"{words_of(command)}\n"
    members = command().fields
    yield from _members(members)
    for name, field in members.items():
        if isinstance(field, fields.List) and isinstance(field.inner, fields.Nested):
            yield f"Each of `{name}`: {words_of(type(field.inner.schema))}\n"
            yield from _members(field.inner.schema.fields)


def _members(members: "dict[str, fields.Field[Any]]") -> Iterator[str]:
    if members:
        yield "| member | type | |\n| --- | --- | --- |"
        for name, field in members.items():
            yield f"| `{name}` | {_cell(in_words(field))} | {'' if field.required else 'may be left out'} |"
        yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def metrics() -> str:
    """The metrics in Markdown."""
    return "\n".join(_metrics()) + "\n"


def _metrics() -> Iterator[str]:
    declare_all()
    yield f"# Metrics\n\n{MADE}\n"
    yield "`/metrics` of the home answers on the portal's port + 1000, of its courier or receiver on + 2000: on"
    yield "loopback, or on POLKU_HEALTH_HOST."
    yield "Rules, dashboard and runbooks: `deploy/prometheus/`, `deploy/grafana/`, `deploy/runbooks/`.\n"
    by_part: dict[str, list[str]] = {}
    for name in sorted(DECLARED):
        by_part.setdefault(name.split("_")[1], []).append(name)
    for part, names in by_part.items():
        yield f"## {part}\n\nSet by: {PARTS[part]}.\n"
        yield "| metric | kind | labels | meaning |\n| --- | --- | --- | --- |"
        for name in names:
            said = DECLARED[name]
            labels = ", ".join(f"`{label}`" for label in said.labels)
            yield f"| `{name}` | {said.kind} | {labels} | {_cell(said.meaning)} |"
        yield ""
    yield "## Labels\n\nThere are no others, and none is about a person.\n\n| label | values |\n| --- | --- |"
    for label in sorted({label for said in DECLARED.values() for label in said.labels}):
        yield f"| `{label}` | {LABELS[label]} |"


def declare_all() -> None:
    """Import every module that declares metrics."""
    for folder in ("shared", "services"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if _DECLARES.search(path.read_text(encoding="utf-8")):
                importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
