"""The contracts as an AsyncAPI 3.0 document (https://www.asyncapi.com/docs/reference/specification/v3.0.0).

Streams are channels: what is said on one is a line with a fact in it, and the operation is its owner's recording. RPC
is one channel per service, with a reply channel of its caller's.
"""

from importlib.metadata import version
from typing import Any

import yaml
from marshmallow import Schema

from shared.contracts import commands, encounters, errors, partners, referrals, talks
from shared.contracts.catalogue import FACTS
from shared.contracts.describing import body_schema, command_classes_of, command_schema, methods_of, words_of
from shared.contracts.errors import PolkuError
from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import HEX32

_HEX32 = f"^{HEX32.pattern}$"
_ID = "0123456789abcdef" * 2
_NODE = "pori-0a1b2c3d"
_PROGRAMME = "lahde-mukaan"
_DESCRIPTION = """What the processes of Polku say to each other. Facts are lines of streams
(docs/decisions/0002); streams travel in sealed, signed segments. Commands and answers are RPC over AMQP 0-9-1, or over
the same protocol within one process."""


def asyncapi() -> str:
    """The document in YAML."""
    head = "# Made by `make docs` from the declarations; do not edit.\n"
    return head + yaml.dump(document(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)


class _Plain(yaml.SafeDumper):
    """Writes a value that occurs twice twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def document() -> dict[str, Any]:
    """The document as data."""
    facts = sorted(FACTS.values(), key=lambda fact: (fact.kind, fact.v))
    methods = [
        (s, m, c)
        for c in command_classes_of(commands, partners, talks, referrals, encounters)
        for s, m in methods_of(c)
    ]
    found = vars(errors).values()
    codes = [e.code for e in found if isinstance(e, type) and issubclass(e, PolkuError) and e is not PolkuError]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Polku",
            "version": version("polku"),
            "description": " ".join(_DESCRIPTION.split()),
            "license": {"name": "EUPL-1.2"},
        },
        "defaultContentType": "application/json",
        "channels": _channels(facts, methods),
        "operations": {_fact_key(fact): _recording(fact) for fact in facts}
        | {f"{_service(s)}.{m}": _answering(s, m, c) for s, m, c in methods},
        "components": {
            "messages": {_fact_key(fact): _fact_message(fact) for fact in facts}
            | {f"{_service(s)}.{m}": _request(m, c) for s, m, c in methods}
            | {"result": _result(), "error": _error(codes), "wakeup": _wakeup()},
            "schemas": {"line": _line()},
        },
    }


def _service(name: str) -> str:
    return "any" if name == "*" else name


def _fact_key(fact: type[Fact]) -> str:
    return f"{fact.kind}.v{fact.v}"


def _channel_of(fact: type[Fact]) -> str:
    if fact.reach is Reach.NODE:
        return "local"
    return "lead" if fact.kind.startswith("reporting.") else "stream"


def _ref(*path: str) -> dict[str, str]:
    return {"$ref": "#/" + "/".join(path)}


def _channels(facts: list[type[Fact]], methods: list[tuple[str, str, type[Schema]]]) -> dict[str, Any]:
    node = {"node": {"description": "The node's name, as `polku init` made it.", "examples": [_NODE]}}
    programme = {"programme": {"description": "The programme's key.", "examples": [_PROGRAMME]}}
    streams = {
        "stream": ("{node}/{programme}", node | programme, "A node's stream of a programme, shipped to its lead."),
        "local": ("{node}/local", node, "What never leaves a node."),
        "lead": ("lead/{programme}", programme, "The lead's own stream of a programme."),
    }
    found: dict[str, Any] = {}
    for name, (address, parameters, words) in streams.items():
        here = [_fact_key(fact) for fact in facts if _channel_of(fact) == name]
        messages = {key: _ref("components", "messages", key) for key in here}
        found[name] = {"address": address, "description": words, "parameters": parameters, "messages": messages}
    found["wakeups"] = {
        "address": "journal",
        "description": "After a commit: everybody who follows the journal looks. May be lost.",
        "messages": {"wakeup": _ref("components", "messages", "wakeup")},
        "bindings": {"amqp": {"is": "routingKey", "exchange": {"name": "journal", "type": "fanout", "durable": True}}},
    }
    requests = [f"{_service(service)}.{method}" for service, method, _ in methods]
    services = sorted({service for service, _, _ in methods} - {"*"})
    found["rpc"] = {
        "address": "rpc-{service}",
        "description": "The queue of a service, bound to the exchange `polku-rpc` with its name as key. `any.…`: every "
        "service that follows the journal.",
        "parameters": {"service": {"description": "The service's name.", "examples": services}},
        "messages": {key: _ref("components", "messages", key) for key in requests},
        "bindings": {"amqp": {"is": "queue", "queue": {"durable": True, "exclusive": False, "autoDelete": True}}},
    }
    found["replies"] = {
        "address": None,
        "description": "The caller's own queue, named in the request's property `reply_to`.",
        "messages": {name: _ref("components", "messages", name) for name in ("result", "error")},
    }
    return found


def _recording(fact: type[Fact]) -> dict[str, Any]:
    channel, key = _channel_of(fact), _fact_key(fact)
    return {
        "action": "send",
        "summary": words_of(fact).split("\n")[0],
        "tags": [{"name": fact.kind.split(".")[0]}],
        "channel": _ref("channels", channel),
        "messages": [_ref("channels", channel, "messages", key)],
    }


def _answering(service: str, method: str, command: type[Schema]) -> dict[str, Any]:
    return {
        "action": "receive",
        "summary": words_of(command).split("\n")[0],
        "tags": [{"name": _service(service)}],
        "channel": _ref("channels", "rpc"),
        "messages": [_ref("channels", "rpc", "messages", f"{_service(service)}.{method}")],
        "reply": {
            "address": {"location": "$message.header#/reply_to"},
            "channel": _ref("channels", "replies"),
            "messages": [_ref("channels", "replies", "messages", name) for name in ("result", "error")],
        },
    }


def _line() -> dict[str, Any]:
    """A line: members in this order; see architecture §4."""
    number = {"type": "integer", "minimum": 1}
    text = {"type": "string"}
    members = {
        "stream": text,
        "epoch": number,
        "seq": number,
        "kind": text,
        "v": number,
        "recorded_at": {"type": "string", "format": "date-time"},
        "subject": {"anyOf": [{"type": "string", "pattern": _HEX32}, {"type": "null"}]},
        "salt": {"type": "string", "pattern": _HEX32},
        "body": {"type": "object"},
    }
    return {"type": "object", "properties": members, "required": list(members)}


def _fact_message(fact: type[Fact]) -> dict[str, Any]:
    subject = {"type": "string"} if fact.about is About.SOMEBODY else {"type": "null"}
    own = {"kind": {"const": fact.kind}, "v": {"const": fact.v}, "subject": subject, "body": body_schema(fact)}
    owner = {"stream": _NODE, "lead": "lead", "local": _NODE}[_channel_of(fact)]
    example = {
        "stream": f"{owner}/{'local' if fact.reach is Reach.NODE else _PROGRAMME}",
        "epoch": 1,
        "seq": 1,
        "kind": fact.kind,
        "v": fact.v,
        "recorded_at": "2026-11-22T09:15:02.123456Z",
        "subject": _ID if fact.about is About.SOMEBODY else None,
        "salt": _ID,
        "body": fact.example,
    }
    return {
        "name": fact.kind,
        "title": f"{fact.__name__} v{fact.v}",
        "description": words_of(fact),
        "payload": {"allOf": [_ref("components", "schemas", "line"), {"properties": own}]},
        "examples": [{"payload": example}],
    }


def _request(method: str, command: type[Schema]) -> dict[str, Any]:
    payload = {"method": {"const": method}, "kwargs": command_schema(command)}
    return {
        "name": method,
        "title": command.__name__,
        "description": words_of(command),
        "payload": {"type": "object", "properties": payload, "required": list(payload)},
    }


def _result() -> dict[str, Any]:
    return {"name": "result", "payload": {"type": "object", "properties": {"result": {}}, "required": ["result"]}}


def _error(codes: list[str]) -> dict[str, Any]:
    members = {"code": {"type": "string", "examples": codes}, "params": {"type": "object"}}
    error = {"type": "object", "properties": members, "required": list(members)}
    return {"name": "error", "payload": {"type": "object", "properties": {"error": error}, "required": ["error"]}}


def _wakeup() -> dict[str, Any]:
    pos = {"type": "integer", "minimum": 0}
    return {"name": "wakeup", "payload": {"type": "object", "properties": {"pos": pos}, "required": ["pos"]}}
