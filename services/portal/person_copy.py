"""The copy that a participant is given of everything kept about them, as a document in their language.

Made of the JSON copy alone (`copying.py` gathers it) and of the programme's names.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from services.portal import formats
from services.portal.labels import Label, label_of
from services.portal.names import ProgrammeNames
from services.portal.publicity import publicity
from services.portal.rendering import render
from services.portal.words import LANGS, Lang, words
from services.portal.words_copy import FIELDS, KINDS, READS, TABLES, TECHNICAL, VALUES, Three

_PLACES = {"fi": 0, "sv": 1, "en": 2}
_LISTS = {  # where the programme file names what a field's code means
    **{"activity": "activities", "location": "locations", "area": "areas", "target_group": "target_groups"},
    **{"step": "steps", "outcome": "outcomes", "next": "outcomes", "end_next": "outcomes", "topics": "topics"},
    **{"partner": "partners"},
}

_SEVERAL = ("languages", "results", "topics", "end_results", "strengths", "solutions")
"""Columns that hold several codes, parted by spaces."""


@dataclass(frozen=True)
class Entry:
    """One row: fields with their words, and what stands in them."""

    fields: list[tuple[str, str]]
    title: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Section:
    """A heading and its entries."""

    title: str
    entries: list[Entry] = field(default_factory=list)


def language_of(copy: Mapping[str, Any]) -> Lang | None:
    """The person's own language, if the document can be in it."""
    record = copy["intake"]["participation"]
    asked = (record.get(name) for name in ("contact_language", "service_language", "form_language"))
    return next((lang for name in asked for lang in LANGS if lang == name), None)


def render_copy(copy: Mapping[str, Any], names: ProgrammeNames, lang: Lang) -> str:
    """The document: one self-contained file."""
    told = _Teller(copy, names, lang)
    identity, say = copy["intake"]["identity"], words(lang)
    name = " ".join(filter(None, (identity.get("given_name"), identity.get("family_name")))) or identity.get("token")
    restriction = copy["intake"].get("restriction")
    day = formats.day(date.fromisoformat(copy["made_on"]), lang)
    programme = label_of(names.name, lang, names.key).text
    return render(
        "person_copy.html",
        lang,
        None,
        title=say("copy_title", name=name or ""),
        intro=say("copy_intro", node=copy["node"], programme=programme, day=day),
        restricted=restriction
        and say(
            "copy_restricted",
            day=told.value("since", restriction["since"]),
            ground=told.word(VALUES, restriction["ground"]),
        ),
        sections=list(told.sections()),
        history=Section(say("copy_history"), list(told.history())),
        reads=Section(say("copy_reads"), list(told.reads())),
        publicity=publicity(names.funding, names.logos, lang),
    )


@dataclass(frozen=True)
class _Teller:
    copy: Mapping[str, Any]
    names: ProgrammeNames
    lang: Lang

    def sections(self) -> Iterator[Section]:
        """What it is kept for, and what is kept, table by table."""
        say = words(self.lang)
        yield Section(say("copy_purposes"), [Entry(self._fields(purpose)) for purpose in self.copy["purposes"]])
        for place in TABLES:
            service, _, table = place.partition(".")
            kept = self.copy[service].get(table)
            if kept:
                rows = kept if isinstance(kept, list) else [kept]
                yield Section(self.word(TABLES, place), [Entry(self._fields(row)) for row in rows])

    def history(self) -> Iterator[Entry]:
        """Every line, as it was recorded."""
        for line in self.copy["history"]:
            when = self._moment(line["recorded_at"])
            mark = words(self.lang)("copy_to_lead") if line["to_lead"] else ""
            yield Entry(self._fields(line["body"]), f"{when}: {self.word(KINDS, line['kind'])}", mark)

    def reads(self) -> Iterator[Entry]:
        """What was done with the person's data, and when."""
        for entry in self.copy["reads"]:
            yield Entry([], f"{self._moment(entry['at'])}: {self.word(READS, entry['action'])}")

    def _fields(self, row: Mapping[str, Any]) -> list[tuple[str, str]]:
        held = self._session(row.get("session"))
        shown = {name: value for name, value in {**held, **row}.items() if name not in TECHNICAL}
        return [(self.word(FIELDS, name), self.value(name, value)) for name, value in shown.items() if _is_said(value)]

    def _session(self, session: Any) -> Mapping[str, Any]:
        held = (s for s in self.copy["activities"].get("session", ()) if s["session"] == session)
        return {name: value for name, value in next(held, {}).items() if name != "session"}

    def value(self, name: str, value: Any) -> str:
        """What stands in a field, in words."""
        say = words(self.lang)
        if name in ("text_ref", "wishes_ref"):
            text = self.copy["texts"].get(value)
            return say("copy_text_gone") if text is None else str(text)
        if name == "changed":
            return "; ".join(self._change(member, *change) for member, change in value.items())
        if name in _SEVERAL and isinstance(value, str):
            return ", ".join(self._one(name, one) for one in value.split())
        if name == "receipts":
            return "; ".join(f"{self._one('holder', r['holder'])} {self._moment(r['received_at'])}" for r in value)
        if isinstance(value, Mapping):
            return ", ".join(f"{key}: {'–' if one is None else one}" for key, one in value.items())
        if isinstance(value, list):
            return ", ".join(self.value(name, one) for one in value)
        return self._one(name, value) if isinstance(value, str) else str(value)

    def _one(self, name: str, value: str) -> str:
        if named := self._named(name, value):
            return named
        if name in ("changed_at", "corrected_at"):
            return self._moment(value)
        try:
            return formats.day(date.fromisoformat(value), self.lang) if len(value) == 10 else self._code(name, value)
        except ValueError:
            return self._code(name, value)

    def _change(self, member: str, before: Any, after: Any) -> str:
        was, now = ("–" if one is None else self.value(member, one) for one in (before, after))
        return f"{self.word(FIELDS, member)}: {was} → {now}"

    def _code(self, name: str, value: str) -> str:
        if name in ("given_name", "family_name", "token", "form_kept", "form_version", "identity_code"):
            return value
        return self.word(VALUES, f"{name}.{value}" if f"{name}.{value}" in VALUES else value)

    def _named(self, name: str, code: str) -> str:
        listed = self.names.document.get(_LISTS.get(name, ""), ())
        known = next((item for item in listed if item["key"] == code), None)
        label = label_of(known["name"], self.lang, code) if known else Label("", None)
        return label.text

    def word(self, table: Mapping[str, Three], key: str) -> str:
        """The word of a key; the key itself if a newer release has recorded it."""
        return table[key][_PLACES[self.lang]] if key in table else key

    def _moment(self, wire: str) -> str:
        return formats.moment(datetime.fromisoformat(wire), self.lang)


def _is_said(value: Any) -> bool:
    return value is not None and value not in ("", [], {})
