"""A programme's names, as pages show them: read off its document once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.portal.labels import Names
from services.portal.logos import Pictures, nobodys
from services.portal.publicity import Logo, logos


@dataclass(frozen=True)
class Offered:
    """An activity as far as forms need it: its kind, what its group counts ("people" or "heads"), and the standing
    it asks of participants."""

    key: str
    kind: str
    counts: str
    standing: str = ""


@dataclass(frozen=True)
class ProgrammeNames:
    """What a page needs of a programme document; every member may be empty, codes are shown then."""

    key: str
    name: Mapping[str, str] = field(default_factory=dict)
    groups: Names = field(default_factory=dict)
    activities: Names = field(default_factory=dict)
    locations: Names = field(default_factory=dict)
    partners: Names = field(default_factory=dict)
    outcomes: Names = field(default_factory=dict)
    periods: Names = field(default_factory=dict)
    topics: Names = field(default_factory=dict)
    areas: Names = field(default_factory=dict)
    services: Names = field(default_factory=dict)
    offered: tuple[Offered, ...] = ()
    period: tuple[date, date] | None = None
    funding: str = ""
    logos: tuple[Logo, ...] = ()
    """The partners', in their order."""
    document: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, listed: Mapping[str, Any], pictures: Pictures = nobodys) -> "ProgrammeNames":
        """From an item of `list_programmes`: programme, name and perhaps the document; and the home's logos."""
        document = listed.get("document") or {}

        def named(kind: str) -> Names:
            """Keys of earlier versions too, which stand in what was recorded then, by what they became."""
            found = {item["key"]: item["name"] for item in document.get(kind) or []}
            moved = [row for row in document.get("mapping") or [] if row["list"] == kind]
            return found | {row["key"]: found[row["becomes"]] for row in moved}

        period = document.get("period")
        counts = {group["key"]: group.get("counts", "") for group in document.get("groups") or []}
        return cls(
            key=listed["programme"],
            name=listed.get("name") or {},
            groups=named("groups"),
            activities=named("activities"),
            locations=named("locations"),
            partners=named("partners"),
            outcomes=named("outcomes"),
            periods=named("periods"),
            topics=named("topics"),
            areas=named("areas"),
            services=named("services"),
            offered=tuple(
                Offered(item["key"], item.get("kind", ""), counts.get(item.get("group"), ""), item.get("standing", ""))
                for item in document.get("activities") or []
            ),
            period=(date.fromisoformat(period["start"]), date.fromisoformat(period["end"])) if period else None,
            funding=document.get("funding_programme", ""),
            logos=logos(document, pictures),
            document=document,
        )
