"""A valid value for every type of field and a valid body for every declaration; what the contract tests begin with."""

from typing import Any

from marshmallow import Schema, fields

from shared.contracts import commands, partners, talks
from shared.contracts import fields as types
from shared.contracts.facts import About, Fact

SUBJECT = "0123456789abcdef" * 2

_VALUES: dict[type, Any] = {
    types.EntityId: "ab" * 16,
    types.SubjectRef: "cd" * 16,
    types.Digest: "ef" * 32,
    types.PublicKey: "01" * 32,
    types.ProgrammeKey: "lahde-2015-2017",
    types.NodeName: "pori-0a1b2c3d",
    types.Municipality: "609",
    types.Language: "fi",
    types.Day: "2016-02-29",
    types.Moment: "2016-02-29T09:15:02.123456Z",
    types.Signature: "03" * 64,
    types.TimeOfDay: "09:30",
    types.Flag: True,
    types.Score: "6.50",
    types.Answers: {"some_item": 7},
    types.ProgrammeText: '{"key":"ä"}',
    commands.HexBytes: "00ff",
    commands.Sealed: "c2VhbGVk",
    commands.PlainText: "Äiti O'Hara",
    commands.Actor: "cli:anna",
    commands.WorkerName: "anna.k",
    talks.FreeText: "Äiti soitti.\nHuomenna uudestaan.",
    partners.SixWords: "kalo-tuve-hame-noki-pilu-sota",
    fields.Dict: {"key": "a"},
}


def value_of(field: Any) -> Any:
    """A value that `field` takes."""
    if isinstance(field, types.Number):
        return field.low
    if isinstance(field, types.Code):
        return options_of(field)[0] if options_of(field) else "some_code"
    if isinstance(field, fields.List):
        return [value_of(field.inner)]
    if isinstance(field, fields.Nested):
        return body_of(field.schema)
    return _VALUES[type(field)]


def options_of(code: types.Code) -> list[str]:
    """The values a code of an enumeration may have; empty for a code of the programme file."""
    return [option for rule in code.validators for option in getattr(rule, "choices", ())]


def body_of(schema: Schema) -> dict[str, Any]:
    """A body with every member of `schema`."""
    return {name: value_of(field) for name, field in schema.fields.items()}


def full_body(fact: type[Fact]) -> dict[str, Any]:
    """A body with every member of `fact`."""
    return {name: value_of(field) for name, field in fact.members.items()}


def least_body(fact: type[Fact]) -> dict[str, Any]:
    """A body with the members that `fact` demands."""
    return {name: value_of(field) for name, field in fact.members.items() if field.required}


def subject_for(fact: type[Fact]) -> str | None:
    """A subject, if the fact is about somebody."""
    return SUBJECT if fact.about is About.SOMEBODY else None
