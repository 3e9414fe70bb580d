"""A checked programme as frozen values, and its address: the digest of its canonical bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Literal

from shared.contracts.catalogue import OCCASIONS
from shared.documents.values import Named, digest
from shared.programmes import workflow
from shared.programmes.figures import Figures, read_figures
from shared.programmes.purposes import Purpose, purposes
from shared.programmes.workflow import (
    MappedList,
    Outcome,
    Product,
    ReportingPeriod,
    Step,
    TaskRule,
    WorkArea,
)

Counts = Literal["people", "heads"]
Standing = Literal["met", "visitor", "client", "esf_participant"]

TagBasis = Literal["name_birth_date", "identity_code"]
IdentityCode = Literal["not_asked", "optional", "required"]

EsfRecord = Literal["here", "eura_only"]
"""Where start and exit records are: here, or in the fund's own system, into which people key them themselves."""

STANDINGS: tuple[Standing, ...] = ("met", "visitor", "client", "esf_participant")
"""From the lightest to the fullest; a person may take part where theirs is at least the one asked."""

DEFAULT_SILENCE_LIMIT_DAYS = 3


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
class Fit:
    """A question of the start form, and the answers or the numbers that fit."""

    question: str
    answers: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None

    def holds(self, answer: str | int) -> bool:
        if self.answers:
            return answer in self.answers
        return isinstance(answer, int) and (self.low or 0) <= answer <= (answer if self.high is None else self.high)


@dataclass(frozen=True)
class TargetGroup(Named):
    """Whom the programme is for; `fits`: what the answers of the start form must all be, where the file says it."""

    fits: tuple[Fit, ...] = ()


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
class Topic(Named):
    """What a talk with a person may be about."""


@dataclass(frozen=True)
class Service(Named):
    """Where people who are met are guided."""


@dataclass(frozen=True)
class Strength(Named):
    """What helps a person, in the project's words."""


@dataclass(frozen=True)
class Barrier(Named):
    """What keeps a person from work or taking part, and the keys of what the project does about it."""

    solutions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Period:
    """First and last day, both included."""

    start: date
    end: date

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end


@dataclass(frozen=True)
class Source:
    """A source of funding; `includes` are the sources that it is a total of, with others."""

    key: str
    planned_is: Literal["granted", "planned"]
    includes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asking:
    """When an instrument is due on an occasion: so many days from the person's start; of an exit, from leaving."""

    occasion: str
    days: int


@dataclass(frozen=True)
class InstrumentUse:
    """An instrument, in a version, that may be recorded on these occasions, and when it is due."""

    key: str
    version: str
    occasions: tuple[str, ...] = OCCASIONS
    schedule: tuple[Asking, ...] = ()


@dataclass(frozen=True)
class Tagging:
    """How people whom several partners met are recognised: by what of them, and who makes the key for it."""

    basis: TagBasis
    steward: str


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
    work_areas: tuple[WorkArea, ...] = ()
    steps: tuple[Step, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    periods: tuple[ReportingPeriod, ...] = ()
    tasks: tuple[TaskRule, ...] = ()
    silence_limit_days: int = DEFAULT_SILENCE_LIMIT_DAYS
    figures: Figures | None = None
    synthetic_partners: tuple[str, ...] = ()
    home_municipalities: tuple[str, ...] = ()
    instruments: tuple[InstrumentUse, ...] = ()
    topics: tuple[Topic, ...] = ()
    services: tuple[Service, ...] = ()
    tag: Tagging | None = None
    """None: people are counted per partner; nobody can say whether two of them are one."""
    esf_record: EsfRecord = "here"
    identity_code: IdentityCode = "optional"
    indicators: tuple[Named, ...] = ()
    targets: tuple[Mapping[str, Any], ...] = ()
    """Rows for `plan.in_force`, as those of `budget`."""
    funding: tuple[Source, ...] = ()
    budget: tuple[Mapping[str, Any], ...] = ()
    purposes: tuple[Purpose, ...] = ()
    products: tuple[Product, ...] = ()
    mapping: Mapping[tuple[MappedList, str], str] = field(default_factory=dict)
    """What became of keys of earlier versions."""
    strengths: tuple[Strength, ...] = ()
    barriers: tuple[Barrier, ...] = ()
    exit_needs_next: bool = False
    """Whether whoever leaves must be in a next service, or have a ready plan that names one."""
    follow_up_days: int | None = None
    """From leaving to the asking; None: nobody is asked."""

    def now(self, part: MappedList, key: str) -> str:
        """The key of this version that stands for what was written as `key`; itself if it was not mapped."""
        return self.mapping.get((part, key), key)

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
    def step_by_key(self) -> Mapping[str, Step]:
        return {step.key: step for step in self.steps}

    @cached_property
    def product_by_key(self) -> Mapping[str, Product]:
        return {product.key: product for product in self.products}

    @cached_property
    def outcome_by_key(self) -> Mapping[str, Outcome]:
        return {outcome.key: outcome for outcome in self.outcomes}

    @cached_property
    def period_by_key(self) -> Mapping[str, ReportingPeriod]:
        return {period.key: period for period in self.periods}

    @cached_property
    def task_by_key(self) -> Mapping[str, TaskRule]:
        return {rule.key: rule for rule in self.tasks}

    @cached_property
    def area_by_key(self) -> Mapping[str, Area]:
        return {area.key: area for area in self.areas}

    @cached_property
    def location_by_key(self) -> Mapping[str, Location]:
        return {location.key: location for location in self.locations}

    @cached_property
    def target_group_by_key(self) -> Mapping[str, TargetGroup]:
        return {group.key: group for group in self.target_groups}

    @cached_property
    def instrument_use(self) -> Mapping[tuple[str, str], InstrumentUse]:
        """By key and version."""
        return {(use.key, use.version): use for use in self.instruments}

    @cached_property
    def purpose_by_key(self) -> Mapping[str, Purpose]:
        """Every purpose of `PURPOSES`."""
        return {purpose.key: purpose for purpose in self.purposes}

    @cached_property
    def topic_by_key(self) -> Mapping[str, Topic]:
        return {topic.key: topic for topic in self.topics}

    @cached_property
    def service_by_key(self) -> Mapping[str, Service]:
        return {service.key: service for service in self.services}


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
        target_groups=tuple(
            TargetGroup(t["key"], dict(t["name"]), tuple(map(_fit, t.get("fits", ()))))
            for t in document.get("target_groups", ())
        ),
        work_areas=workflow.work_areas(document),
        steps=workflow.steps(document),
        outcomes=workflow.outcomes(document),
        periods=workflow.periods(document),
        tasks=workflow.tasks(document),
        silence_limit_days=document.get("silence_limit_days", DEFAULT_SILENCE_LIMIT_DAYS),
        figures=read_figures(figures) if figures else None,
        synthetic_partners=tuple(synthetic.get("partners", ())) or tuple(p["key"] for p in document["partners"]),
        home_municipalities=tuple(synthetic.get("home_municipalities", ()))
        or tuple(dict.fromkeys(area.municipality for area in areas if area.municipality)),
        instruments=tuple(
            InstrumentUse(
                *(i["key"], i["version"], tuple(i.get("occasions", OCCASIONS))),
                tuple(Asking(due["occasion"], due["days"]) for due in i.get("schedule", ())),
            )
            for i in document.get("instruments", ())
        ),
        topics=tuple(Topic(t["key"], dict(t["name"])) for t in document.get("topics", ())),
        services=tuple(Service(x["key"], dict(x["name"])) for x in document.get("services", ())),
        tag=Tagging(**document["tag"]) if "tag" in document else None,
        esf_record=document.get("esf_record", "here"),
        identity_code=document.get("identity_code", "optional"),
        indicators=tuple(Named(item["key"], dict(item["name"])) for item in document.get("indicators", ())),
        targets=tuple(document.get("targets", ())),
        funding=tuple(
            Source(s["key"], s["planned_is"], tuple(s.get("includes", ()))) for s in document.get("funding", ())
        ),
        budget=tuple(document.get("budget", ())),
        products=workflow.products(document),
        mapping=workflow.mapping(document),
        purposes=purposes(document),
        strengths=tuple(Strength(s["key"], dict(s["name"])) for s in document.get("strengths", ())),
        barriers=tuple(
            Barrier(b["key"], dict(b["name"]), tuple(b.get("solutions", ()))) for b in document.get("barriers", ())
        ),
        exit_needs_next=document.get("exit_needs_next", False),
        follow_up_days=document.get("followup", {}).get("after_days"),
    )


def _fit(fit: Mapping[str, Any]) -> Fit:
    return Fit(fit["question"], tuple(fit.get("answers", ())), fit.get("low"), fit.get("high"))
