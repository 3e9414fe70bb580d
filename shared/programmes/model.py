"""A checked programme as frozen values, and its address: the digest of its canonical bytes."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Literal

Counts = Literal["people", "heads"]
Standing = Literal["met", "visitor", "client", "esf_participant"]

STANDINGS: tuple[Standing, ...] = ("met", "visitor", "client", "esf_participant")
"""From the lightest to the fullest; a person may take part where theirs is at least the one asked."""

DEFAULT_SILENCE_LIMIT_DAYS = 3


def canonical(document: Mapping[str, Any]) -> bytes:
    """The one byte form of a programme document: JSON, keys sorted, no white space, UTF-8.

    Numbers in it are whole numbers (the schema has no other), so two writers cannot differ.
    """
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical bytes, 64 lower-case hex digits."""
    return hashlib.sha256(canonical(document)).hexdigest()


@dataclass(frozen=True)
class Named:
    """Something with a code and a name for people: `name` by language, at least one of fi, sv, en."""

    key: str
    name: Mapping[str, str]

    def name_in(self, language: str) -> str:
        """The name in `language`; where it has none, in Finnish, Swedish or English. Never blank."""
        for candidate in (language, "fi", "sv", "en"):
            if candidate in self.name:
                return self.name[candidate]
        return self.key


@dataclass(frozen=True)
class Partner(Named):
    """Who carries out a part; the key names the part, not the legal entity."""

    role: Literal["lead", "partner"]


@dataclass(frozen=True)
class Area(Named):
    """Where people live or sessions are held; `municipality` is a three-digit code or None."""

    municipality: str | None = None


@dataclass(frozen=True)
class Location(Named):
    """A place where sessions are held; `area` is an area's key or None."""

    area: str | None = None


@dataclass(frozen=True)
class TargetGroup(Named):
    """Whom the programme is for."""


@dataclass(frozen=True)
class Group(Named):
    """A row of the report's activity table, and the basis it is counted on."""

    counts: Counts


@dataclass(frozen=True)
class Activity(Named):
    """What is offered; `counts` is its group's."""

    group: str
    kind: str
    standing: Standing
    counts: Counts


@dataclass(frozen=True)
class Period:
    """First and last day, both included."""

    start: date
    end: date

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end


@dataclass(frozen=True)
class FigureGroup:
    """A group's totals: `participants` for a group that counts people, `heads` for one that counts heads."""

    group: str
    sessions: int
    participants: int | None
    heads: int | None


@dataclass(frozen=True)
class Figures:
    """The totals `polku synth` reproduces."""

    basis: Literal["published", "illustrative"]
    groups: tuple[FigureGroup, ...]


@dataclass(frozen=True)
class Programme(Named):
    """One version of a programme; `digest` addresses it."""

    digest: str
    funding_programme: str
    period: Period
    languages: tuple[str, ...]
    partners: tuple[Partner, ...]
    groups: tuple[Group, ...]
    activities: tuple[Activity, ...]
    project_code: str | None = None
    areas: tuple[Area, ...] = ()
    locations: tuple[Location, ...] = ()
    target_groups: tuple[TargetGroup, ...] = ()
    silence_limit_days: int = DEFAULT_SILENCE_LIMIT_DAYS
    figures: Figures | None = None
    synthetic_partners: tuple[str, ...] = ()
    home_municipalities: tuple[str, ...] = ()

    @property
    def lead(self) -> Partner:
        """The lead implementer; a checked programme has exactly one."""
        return next(partner for partner in self.partners if partner.role == "lead")

    @cached_property
    def partner_by_key(self) -> Mapping[str, Partner]:
        return {partner.key: partner for partner in self.partners}

    @cached_property
    def activity_by_key(self) -> Mapping[str, Activity]:
        return {activity.key: activity for activity in self.activities}

    @cached_property
    def group_by_key(self) -> Mapping[str, Group]:
        return {group.key: group for group in self.groups}

    @cached_property
    def area_by_key(self) -> Mapping[str, Area]:
        return {area.key: area for area in self.areas}

    @cached_property
    def location_by_key(self) -> Mapping[str, Location]:
        return {location.key: location for location in self.locations}

    @cached_property
    def target_group_by_key(self) -> Mapping[str, TargetGroup]:
        return {group.key: group for group in self.target_groups}


def build(document: Mapping[str, Any]) -> Programme:
    """A `Programme` from a document that has passed every check; anything else is a programming error."""
    figures, synthetic = document.get("figures"), document.get("synthetic", {})
    groups = tuple(Group(g["key"], dict(g["name"]), counts=g["counts"]) for g in document["groups"])
    counts = {group.key: group.counts for group in groups}
    areas = tuple(Area(a["key"], dict(a["name"]), a.get("municipality")) for a in document.get("areas", ()))
    return Programme(
        key=document["key"],
        name=dict(document["name"]),
        digest=digest(document),
        funding_programme=document["funding_programme"],
        period=Period(*(date.fromisoformat(document["period"][end]) for end in ("start", "end"))),
        languages=tuple(document["languages"]),
        partners=tuple(Partner(p["key"], dict(p["name"]), role=p["role"]) for p in document["partners"]),
        groups=groups,
        activities=tuple(
            Activity(
                a["key"],
                dict(a["name"]),
                group=a["group"],
                kind=a["kind"],
                standing=a["standing"],
                counts=counts[a["group"]],
            )
            for a in document["activities"]
        ),
        project_code=document.get("project_code"),
        areas=areas,
        locations=tuple(Location(x["key"], dict(x["name"]), x.get("area")) for x in document.get("locations", ())),
        target_groups=tuple(TargetGroup(t["key"], dict(t["name"])) for t in document.get("target_groups", ())),
        silence_limit_days=document.get("silence_limit_days", DEFAULT_SILENCE_LIMIT_DAYS),
        figures=figures and _figures(figures),
        synthetic_partners=tuple(synthetic.get("partners", ())) or tuple(p["key"] for p in document["partners"]),
        home_municipalities=tuple(synthetic.get("home_municipalities", ()))
        or tuple(dict.fromkeys(area.municipality for area in areas if area.municipality)),
    )


def _figures(figures: Mapping[str, Any]) -> Figures:
    return Figures(
        basis=figures["basis"],
        groups=tuple(
            FigureGroup(g["group"], g["sessions"], g.get("participants"), g.get("heads")) for g in figures["groups"]
        ),
    )
