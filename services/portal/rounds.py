"""A questionnaire round: who of a group, or of the whole project, is due for what, and one tap to the next of them."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import formats, sight, talks
from services.portal.instruments import instrument_title
from services.portal.labels import label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import LIST_ROLES, Pages
from services.portal.register import groups
from services.portal.words import words
from shared.contracts.errors import UnknownCode

MOST = 500
"""So many who are due are looked through for the next one."""


@dataclass
class RoundPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/round/<programme:key>"
        self.pages.add(app, rule, "round", self.shown, LIST_ROLES)
        self.pages.add(app, f"{rule}/next", "round_next", self.following, LIST_ROLES)

    def shown(self, key: str) -> ResponseReturnValue:
        names, context, activity = self.pages.programme(key), self.pages.context, self._activity()
        offered = groups(names)
        if activity and activity not in offered:
            abort(404)
        found = self._due(key, activity, limit=context.page_size, offset=self.pages.offset())
        who = sorted({row["person"] for row in found["due"]})
        known = talks.people_at_hand(context, key, who, in_list=True) if who else {}
        say = words(g.lang)
        return self.pages.show(
            "round.html",
            title=label_of(names.name, g.lang, key),
            programme=key,
            activity=activity,
            groups=[(code, label_of(names.activities.get(code, {}), g.lang, code)) for code in offered],
            asks=bool(names.document.get("instruments")),
            scheduled=_scheduled(names),
            rows=[
                {
                    "person": known[row["person"]].label if row["person"] in known else say("cannot_open"),
                    "form": self._form(key, activity, row),
                    "asked": instrument_title(names.document, row["instrument"], row["version"], g.lang),
                    "occasion": say(f"occasion_{row['occasion']}"),
                    "due": talks.said_day(row["due_on"]),
                    "late": row["late"],
                }
                for row in found["due"]
            ],
            total=formats.number(found["total"], g.lang),
            pages=self.pages.paging(found["total"]),
        )

    def following(self, key: str) -> ResponseReturnValue:
        """To the form of the next one after the row that the address names; to the list where nobody is left."""
        self.pages.programme(key)
        activity, at = self._activity(), _place(request.args)
        rows = self._due(key, activity, limit=MOST, offset=0)["due"]
        left = [row for row in rows if _place(row | {"due": row["due_on"]}) > at]
        if not left:
            return redirect(url_for("round", key=key, activity=activity or None), 303)
        return redirect(self._form(key, activity, left[0]), 303)

    def _activity(self) -> str:
        return request.args.get("activity", "")[:40]

    def _due(self, key: str, activity: str, *, limit: int, offset: int) -> dict[str, Any]:
        rpc, asked = self.pages.context.rpc, dict[str, Any]()
        if activity:
            try:
                register = rpc.call("activities", "show_register", programme=key, activity=activity)
            except UnknownCode:
                abort(404)
            asked["people"] = [row["subject"] for row in register["regulars"]][:MOST]
        if g.get("own_only"):
            rows = self._own(key, asked)
            return {"total": len(rows), "due": rows[offset : offset + limit]}
        return dict(rpc.call("measurement", "list_due", programme=key, limit=limit, offset=offset, **asked, by=_me()))

    def _own(self, key: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
        """Who is due of those whom this user may see, where each sees their own: another's form would not open."""
        rpc, found, seen, more = self.pages.context.rpc, list[dict[str, Any]](), 0, True
        while more:
            answer = rpc.call("measurement", "list_due", programme=key, limit=MOST, offset=seen, **asked, by=_me())
            mine = sight.seen(rpc, key, {row["person"] for row in answer["due"]})
            found += [row for row in answer["due"] if row["person"] in mine]
            seen, more = seen + MOST, seen + MOST < answer["total"]
        return found

    def _form(self, key: str, activity: str, row: dict[str, Any]) -> str:
        which: dict[str, Any] = {name: row[name] for name in ("instrument", "version", "occasion")}
        which |= {"due": row["due_on"], "activity": activity or None}
        return url_for("questionnaire", key=key, person=row["person"], **which)


def _me() -> str:
    return str(g.session.user.name)


def _place(told: Any) -> tuple[str, ...]:
    """Where a row stands in the list, as the service sorts it."""
    return tuple(str(told.get(name, "")) for name in ("due", "person", "instrument", "occasion"))


def _scheduled(names: ProgrammeNames) -> bool:
    """Whether the project's file says when anybody is asked."""
    used = names.document.get("instruments") or []
    return bool(names.document.get("followup")) or any(use.get("schedule") for use in used)
