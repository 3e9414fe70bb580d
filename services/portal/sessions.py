"""What was held: the sessions behind a figure of the report, and the attendance list of one, to be printed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Flask, abort, g, request
from flask.typing import ResponseReturnValue

from services.portal import formats, talks
from services.portal.labels import Figure, Label, figure, label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import LIST_ROLES, Pages
from services.portal.publicity import publicity
from services.portal.words import words
from shared.contracts.catalogue import ROLES
from shared.contracts.errors import UnknownSession


@dataclass
class SessionPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/sessions/<programme:key>"
        self.pages.add(app, rule, "sessions", self.listed, LIST_ROLES)
        self.pages.add(app, f"{rule}/<entity:session>", "attendance_list", self.attendance, LIST_ROLES)

    def listed(self, key: str) -> ResponseReturnValue:
        names, limit, offset = self.pages.programme(key), self.pages.context.page_size, self.pages.offset()
        group, asked = request.args.get("group", ""), dict[str, Any]()
        if group:
            asked["activities"] = _behind(names, group) if group in names.groups else abort(404)
        rpc = self.pages.context.rpc
        found = rpc.call("activities", "list_sessions", programme=key, limit=limit, offset=offset, **asked)
        return self.pages.show(
            "sessions.html",
            title=label_of(names.name, g.lang, key),
            programme=key,
            group=group,
            groups=[(code, label_of(name, g.lang, code)) for code, name in names.groups.items()],
            rows=[_row(row, names) for row in found["sessions"]],
            total=formats.number(found["total"], g.lang),
            sums=_sums(found),
            nothing=figure(None, g.lang),
            pages=self.pages.paging(found["total"]),
        )

    def attendance(self, key: str, session: str) -> ResponseReturnValue:
        """Who was there: of a controller's visit, on paper. Only the names of who stands on it are read."""
        names, context, say = self.pages.programme(key), self.pages.context, words(g.lang)
        try:
            held = context.rpc.call("activities", "show_register", programme=key, session=session)
        except UnknownSession:
            abort(404)
        present = held["present"]
        who = [row["subject"] for row in present]
        known = talks.people_at_hand(context, key, who, in_list=True) if present else {}
        # Where each sees their own (0222) the others are there without a name.
        unnamed = say("others_person_short" if g.get("own_only") else "cannot_open")
        rows = [
            (known[row["subject"]].label if row["subject"] in known else unnamed, _role(row["role"]), row)
            for row in present
        ]
        return self.pages.show(
            "attendance_list.html",
            title=label_of(names.name, g.lang, key),
            programme=key,
            session=session,
            activity=label_of(names.activities.get(held["activity"], {}), g.lang, held["activity"]),
            register=any(o.key == held["activity"] and o.kind != "individual" for o in names.offered),
            facts=_facts(held["session"], names),
            partner=context.title,
            rows=sorted(((name, role, figure(row["minutes"], g.lang)) for name, role, row in rows), key=_by_name),
            printed=formats.moment(context.now(), g.lang),
            publicity=publicity(names.funding, names.logos, g.lang),
        )


def _by_name(row: tuple[str, str, Figure]) -> str:
    return row[0].casefold()


def _role(role: str) -> str:
    return words(g.lang)(f"role_{role}") if role in ROLES else role


def _behind(names: ProgrammeNames, group: str) -> list[str]:
    """The activities whose sessions are counted in a group of the report, by the keys of earlier versions too."""
    here = {item["key"] for item in names.document.get("activities") or [] if item["group"] == group}
    moved = [row for row in names.document.get("mapping") or [] if row["list"] == "activities"]
    return sorted(here | {row["key"] for row in moved if row["becomes"] in here})


def _sums(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the listed sessions come to, each counting basis by itself."""
    say, heads = words(g.lang), found["heads"]
    sums = [(say("attendances"), found["attendances"])] if found["attendances"] else []
    sums += [(f"{say('heads')}, {say(basis)}", heads[basis]) for basis in ("counted", "estimated") if basis in heads]
    return [(name, formats.number(number, g.lang)) for name, number in sums]


def _facts(held: Mapping[str, Any], names: ProgrammeNames) -> list[tuple[str, str]]:
    say, place = words(g.lang), _place(held, names)
    facts = [
        (say("date"), talks.said_day(held["occurred_on"])),
        (say("time"), formats.clock(held["start"], g.lang) if held.get("start") else ""),
        (say("minutes"), formats.number(held["minutes"], g.lang) if held.get("minutes") else ""),
        (say("place"), place.text if place else ""),
    ]
    return [(name, said) for name, said in facts if said]


def _place(row: Mapping[str, Any], names: ProgrammeNames) -> Label | None:
    place = row.get("location") or row.get("area")
    known = names.locations if row.get("location") else names.areas
    return label_of(known.get(place, {}), g.lang, place) if place else None


def _row(row: Mapping[str, Any], names: ProgrammeNames) -> dict[str, object]:
    lang, start = g.lang, row.get("start")
    return {
        "session": row["session"] if row.get("attendances") is not None else "",
        "activity": label_of(names.activities.get(row["activity"], {}), lang, row["activity"]),
        "day": formats.day(date.fromisoformat(row["occurred_on"]), lang),
        "start": Figure(formats.clock(start, lang), None) if start else figure(None, lang),
        "minutes": figure(row.get("minutes"), lang),
        "place": _place(row, names),
        "attendances": figure(row.get("attendances"), lang),
        "heads": figure(row.get("heads"), lang),
        "basis": row.get("heads_basis") if row.get("heads_basis") in ("counted", "estimated") else None,
    }
