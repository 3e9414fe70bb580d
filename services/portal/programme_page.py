"""A project's own page: what its file says, in the words of the page's language, as lists and tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.portal import formats
from services.portal.instruments import instrument_title
from services.portal.labels import Label, figure, label_of
from services.portal.names import ProgrammeNames
from services.portal.publicity import publicity
from services.portal.releases import ReleaseRow
from services.portal.steps_now import step_rows
from services.portal.words import Lang, Words, words
from shared.programmes.plan import in_force

Cell = tuple[Label, ...]
_SAID = {"standing": "standing", "occasion": "occasion", "reason": "exit", "status": "status", "record": "eura"}
_SAID |= {"who": "plan_who"}
"""What narrows a fact by a code of ours, and how the words for it begin."""
_LISTS = {"target_group": "target_groups", "activity": "activities", "step": "steps", "outcome": "outcomes"}
"""The list that each word of a condition points into."""


@dataclass(frozen=True)
class Part:
    """One heading of the page with a table; `numbers` are the places of columns with numbers."""

    key: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    notes: tuple[str, ...] = ()
    numbers: frozenset[int] = frozenset()


def programme_values(
    names: ProgrammeNames,
    lang: Lang,
    stand: Sequence[Mapping[str, Any]] = (),
    released: Sequence[ReleaseRow] = (),
) -> dict[str, Any]:
    """What the template needs; `stand` is how the steps stand now, as the home's service answers; `released` are the
    reports that the lead has frozen."""
    page = _Page(names.document, words(lang), lang, stand)
    parts = (*page.parts(), page.releases(released))
    return {
        "title": label_of(names.name, lang, names.key),
        "facts": page.facts(names),
        "lists": [
            (word, [label_of(item["name"], lang, item["key"]) for item in names.document[word]])
            for word in ("target_groups", "areas", "work_areas", "strengths")
            if names.document.get(word)
        ],
        "parts_of_page": [part for part in parts if part.rows or part.notes],
        "publicity": publicity(names.funding, names.logos, lang),
    }


class _Page:
    """Reads one document; every table is empty where the file has none."""

    def __init__(
        self, document: Mapping[str, Any], say: Words, lang: Lang, stand: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        self.document, self.say, self.lang, self.stand = document, say, lang, stand

    def items(self, part: str) -> list[Any]:
        return self.document.get(part) or []

    def name(self, part: str, key: str) -> Label:
        found = {item["key"]: item["name"] for item in self.items(part)}
        return label_of(found.get(key, {}), self.lang, key)

    def text(self, word: str, **values: object) -> Cell:
        return (Label(self.say(word, **values), None),)

    def own(self, item: Mapping[str, Any]) -> Cell:
        return (label_of(item["name"], self.lang, item["key"]),)

    def day(self, value: str | None) -> Cell:
        """A day, or that it is not written down."""
        return (Label(formats.day(date.fromisoformat(value), self.lang), None),) if value else self.text("value_none")

    def number(self, value: object) -> Cell:
        shown = figure(value, self.lang)
        return (Label(shown.words or shown.text, None),)

    def facts(self, names: ProgrammeNames) -> list[tuple[str, str]]:
        found = []
        if names.period:
            found.append((self.say("period"), " – ".join(formats.day(edge, self.lang) for edge in names.period)))
        if names.funding:
            found.append((self.say("programme_funding"), self.say(f"funding_{names.funding}")))
        if self.document.get("project_code"):
            found.append((self.say("project_code"), self.document["project_code"]))
        return found

    def parts(self) -> Iterator[Part]:
        yield self._partners()
        yield self._steps()
        yield self._steps_now()
        yield self._activities()
        yield Part(
            "outcomes",
            ("activity", "outcome"),
            [((self.name("activities", item["activity"]),), self.own(item)) for item in self.items("outcomes")],
        )
        yield Part(
            "barriers",
            ("barrier", "solutions"),
            [
                (
                    self.own(item),
                    tuple(self.name("solutions", key) for key in item.get("solutions", ())) or self.text("none_yet"),
                )
                for item in self.items("barriers")
            ],
        )
        yield self._targets()
        yield self._funding()
        yield self._asked()
        yield self._tasks()
        yield Part(
            "reporting_periods",
            ("reporting_period", "first_day", "last_day"),
            [
                (self.own(item), self.day(item.get("start")), self.day(item.get("end")))
                for item in self.items("periods")
            ],
        )

    def releases(self, released: Sequence[ReleaseRow]) -> Part:
        rows: list[tuple[Cell, ...]] = []
        for row in released:
            told = (row.details if row.kept else (*row.details, self.say("release_gone")),)
            cells = ((row.made_on,), (row.period,), (row.audience,), *told)
            rows.append(tuple(tuple(Label(line, None) for line in cell) for cell in cells))
        notes = (self.say("releases_note"),) if rows else ()
        return Part("releases", ("released_on", "period", "audience", "release_digest"), rows, notes)

    def _partners(self) -> Part:
        rows = []
        for item in self.items("partners"):
            entity = item.get("organisation", {})
            lines = [label_of(entity["name"], self.lang, "")] if "name" in entity else []
            lines += [Label(entity["business_id"], None)] if "business_id" in entity else []
            rows.append((self.own(item), self.text(f"role_{item['role']}"), tuple(lines) or self.text("value_none")))
        return Part("implementers", ("partner", "role", "legal_entity"), rows)

    def _steps(self) -> Part:
        rows = []
        for item in self.items("steps"):
            people = item["level"] == "individual"
            together = ("together_no" if item.get("alone") else "together_yes") if people else "together_nobody"
            rows.append(
                (
                    self.own(item),
                    self.text(f"level_{item['level']}"),
                    self.text(together),
                    *(self._conditions(item.get(word)) for word in ("enter_when", "complete_when")),
                )
            )
        notes = (self.say("steps_note"),) if rows else ()
        return Part("steps", ("step", "level", "together", "enter_when", "complete_when"), rows, notes)

    def _steps_now(self) -> Part:
        rows = [
            ((row.step,), (Label(row.state, None),), tuple(Label(line, None) for line in row.details))
            for row in step_rows(self.stand, self.document, self.lang)
        ]
        return Part("steps_now", ("step", "state", "step_details"), rows, (self.say("steps_now_note"),) if rows else ())

    def _conditions(self, conditions: Iterable[Mapping[str, str]] | None) -> Cell:
        return tuple(self._condition(one) for one in conditions or ()) or self.text("no_condition")

    def _condition(self, one: Mapping[str, str]) -> Label:
        """A fact that is waited for, with the names that narrow it."""
        narrowed = [self.name(_LISTS[word], value).text for word, value in one.items() if word in _LISTS]
        narrowed += [self.say(f"{said}_{one[word]}") for word, said in _SAID.items() if word in one]
        if "instrument" in one:
            used = (item["version"] for item in self.items("instruments") if item["key"] == one["instrument"])
            narrowed.append(instrument_title(self.document, one["instrument"], next(used, ""), self.lang).text)
        said = self.say(f"on_{one['on']}")
        return Label(f"{said}: {', '.join(narrowed)}" if narrowed else said, None)

    def _activities(self) -> Part:
        counts = {item["key"]: item["counts"] for item in self.items("groups")}
        rows = [
            (
                self.own(item),
                (self.name("groups", item["group"]),),
                self.text(f"counted_{counts.get(item['group'], 'people')}"),
                self.text(f"standing_{item['standing']}") if "standing" in item else self.text("value_none"),
            )
            for item in self.items("activities")
        ]
        return Part("activities", ("activity", "activity_group", "counted_as", "at_least"), rows)

    def _published(self, part: str, word: str) -> dict[str, Any]:
        return {item[word]: item for item in (self.document.get("figures") or {}).get(part, ())}

    def _planned(self, part: str, word: str, key: str) -> list[tuple[Mapping[str, Any] | None, bool]]:
        """The rows of an indicator or a source, oldest first, and which of them held at the end; or none was set."""
        rows = [row for row in self.items(part) if row[word] == key]
        end = date.fromisoformat(self.document["period"]["end"])
        last = in_force(rows, word, key, end)
        return [(row, row is last) for row in sorted(rows, key=lambda row: str(row["valid_from"]))] or [(None, True)]

    def _when(self, row: Mapping[str, Any] | None) -> tuple[Cell, Cell]:
        """From which day it holds, and when that was decided."""
        if row is None:
            return self.text("value_not_set"), self.text("value_not_set")
        return self.day(row["valid_from"]), self.day(row.get("decided_on"))

    def _targets(self) -> Part:
        rows: list[tuple[Cell, ...]] = []
        published = self._published("indicators", "indicator")
        for item in self.items("indicators"):
            for row, last in self._planned("targets", "indicator", item["key"]):
                came = published.get(item["key"], {}) if last else {}
                planned = (row.get("planned"), row.get("women", "not_set")) if row else ("not_set", "not_set")
                when = self._when(row)
                seen = (self.number(came.get("realised")), self.number(came.get("women")))
                rows.append((self.own(item), *(self.number(value) for value in planned), *when, *seen))
        columns = ("indicator", "planned", "women", "valid_from", "decided_on", "published", "women")
        notes = (self.say("published_note"),) if published else ()
        return Part("targets", columns, rows, notes, frozenset({1, 2, 5, 6}))

    def _funding(self) -> Part:
        rows: list[tuple[Cell, ...]] = []
        published = self._published("funding", "source")
        for item in self.items("funding"):
            inside = ", ".join(self.name("funding", key).text for key in item.get("includes", ()))
            named = (*self.own(item), *(self.text("includes", what=inside) if inside else ()))
            for row, last in self._planned("budget", "source", item["key"]):
                came = published.get(item["key"], {}) if last else {}
                planned = self.number(row["planned"] if row else "not_set")
                when = self._when(row)
                rows.append((named, self.text(item["planned_is"]), planned, *when, self.number(came.get("realised"))))
        columns = ("source", "state", "planned", "valid_from", "decided_on", "published")
        return Part("funding", columns, rows, (), frozenset({2, 5}))

    def _asked(self) -> Part:
        rows: list[tuple[Cell, ...]] = [
            (self.own(item), self.text(f"when_{item['when']}")) for item in self.items("forms")
        ]
        for item in self.items("instruments"):
            due = item.get("schedule", ())
            told = [self._due(one["occasion"], one["days"]) for one in due]
            listed = {one["occasion"] for one in due}
            told += [Label(self.say(f"occasion_{o}"), None) for o in item.get("occasions", ()) if o not in listed]
            name = instrument_title(self.document, item["key"], item["version"], self.lang)
            rows.append(((name,), tuple(told) or self.text("value_none")))
        after = (self.document.get("followup") or {}).get("after_days")
        note = self.say("followup_on", n=after) if after else self.say("followup_off")
        return Part("asked", ("asked_what", "asked_when"), rows, (note,))

    def _due(self, occasion: str, days: int) -> Label:
        span = self.say("after_leaving" if occasion == "exit" else "after_start", n=days)
        return Label(f"{self.say(f'occasion_{occasion}')}: {span}", None)

    def _tasks(self) -> Part:
        rows = [
            (
                self.own(item),
                (self._condition(item["opens"]),),
                self.text("due_days", n=item["due_days"]),
                (self._condition(item["closes"]),) if "closes" in item else self.text("by_hand"),
                self.text(f"owner_{item.get('owner', 'case_worker')}"),
            )
            for item in self.items("tasks")
        ]
        return Part("tasks", ("task", "opens_when", "due_in", "closed_by", "owner"), rows)
