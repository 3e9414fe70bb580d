"""What the declarations say, as JSON Schema and in words: what the documents under `docs/` are made of."""

import inspect
import re
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from marshmallow import Schema, fields, missing, validate

from shared import contracts
from shared.contracts.facts import Fact
from shared.contracts.fields import CODE, Answers, Flag, Number

_METHOD = re.compile(r"`(\*|[a-z]+)\.([a-z_]+)`")


def words_of(declaration: type) -> str:
    """A declaration's docstring, unwrapped to a paragraph a line."""
    return "\n\n".join(" ".join(part.split()) for part in (inspect.getdoc(declaration) or "").split("\n\n"))


def methods_of(command: type[Schema]) -> list[tuple[str, str]]:
    """The (service, method) pairs that take this command, as its docstring names them; service ``*``: several."""
    return _METHOD.findall(inspect.getdoc(command) or "")


def command_classes() -> list[type[Schema]]:
    """The commands and questions that an RPC method takes, of every module here, in the order they are declared."""
    modules = (import_module(f"{contracts.__name__}.{found.name}") for found in iter_modules(contracts.__path__))
    found = (value for module in modules for value in vars(module).values())
    schemas = (value for value in found if isinstance(value, type) and issubclass(value, Schema))
    return list(dict.fromkeys(schema for schema in schemas if methods_of(schema)))


def body_schema(fact: type[Fact]) -> dict[str, Any]:
    """A fact's body as JSON Schema; a member that is no longer known is passed over when read."""
    return _object({name: field for name, field in fact.members.items()}, closed=False)


def command_schema(command: type[Schema]) -> dict[str, Any]:
    """A command's arguments as JSON Schema."""
    return _object(command().fields, closed=True)


def _object(members: "dict[str, fields.Field[Any]]", *, closed: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "object", "properties": {name: of_field(f, closed) for name, f in members.items()}}
    if required := [name for name, field in members.items() if field.required]:
        found["required"] = required
    return found | ({"additionalProperties": False} if closed else {})


def of_field(field: "fields.Field[Any]", null: bool) -> dict[str, Any]:
    """A member as JSON Schema. `null`: whether leaving it out may also be written as null. Raises TypeError for a
    type that has no form here: give it one."""
    found = _plain(field)
    if isinstance(field.load_default, str | int | bool):
        found["default"] = field.load_default
    if null and field.allow_none and field.load_default in (missing, None):
        return {"anyOf": [found, {"type": "null"}]}
    return found


def _plain(field: "fields.Field[Any]") -> dict[str, Any]:
    if isinstance(field, Number):
        return {"type": "integer", "minimum": field.low, "maximum": field.high}
    if isinstance(field, Answers):
        answer = {"type": "integer", "minimum": 0, "maximum": 1000}
        codes = {"propertyNames": {"pattern": f"^{CODE.pattern}$"}, "additionalProperties": answer}
        return {"type": "object", "maxProperties": 200} | codes
    if isinstance(field, Flag | fields.Boolean):
        return {"type": "boolean"}
    if isinstance(field, fields.Nested):
        return _object(field.schema.fields, closed=True)
    if isinstance(field, fields.List):
        return {"type": "array", "items": of_field(field.inner, False)} | _limits(field, "Items")
    if isinstance(field, fields.Dict):
        return {"type": "object"}
    if isinstance(field, fields.String):
        return {"type": "string"} | _pattern(field) | _limits(field, "Length")
    raise TypeError(f"{type(field).__name__} has no form in JSON Schema yet")


def _pattern(field: Any) -> dict[str, Any]:
    for rule in field.validators:
        if isinstance(rule, validate.OneOf):
            return {"enum": list(rule.choices)}
        if isinstance(rule, validate.Regexp):
            return {"pattern": f"^{_ecma(str(rule.regex.pattern))}".removesuffix("$") + "$"}
    found = getattr(field, "pattern", None)
    return {"pattern": f"^(?:{_ecma(found.pattern)})$"} if found is not None else {}


def _ecma(pattern: str) -> str:
    return pattern.replace(r"\Z", "$")


def _limits(field: Any, what: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for rule in field.validators:
        if isinstance(rule, validate.Length):
            limits = {f"min{what}": rule.min, f"max{what}": rule.max}
            found |= {name: limit for name, limit in limits.items() if limit is not None}
    return found


def in_words(field: "fields.Field[Any]") -> str:
    """A member's type for a table: its name here and what bounds it."""
    if isinstance(field, fields.List):
        return f"list of {in_words(field.inner)}"
    if isinstance(field, fields.Nested):
        return type(field.schema).__name__
    schema = _plain(field)
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    bounds = f" {schema['minimum']}–{schema['maximum']}" if "minimum" in schema else ""
    return type(field).__name__ + bounds
