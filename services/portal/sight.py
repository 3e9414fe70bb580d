"""Whose people a user sees: in a small node everybody's, as a team; in a larger one their own (decision 0222).

It stands before every page about one person, and adds `own_only` to every question that opens what is kept of people.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flask import Flask, abort, g, request

from services.portal.context import PortalContext, Rpc
from services.portal.errors import OthersPerson
from services.portal.users import each_sees_their_own

LOOKS = {
    *(("intake", "list_people"), ("intake", "find_people"), ("intake", "list_referrals"), ("intake", "read_texts")),
    ("intake", "read_contacts"),
    *(("intake", f"{done}_referral") for done in ("accept", "decline", "withdraw", "follow_up")),
    *(("pathways", "list_tasks"), ("pathways", "close_task")),
}
"""What shows several people at once, or is about one whom no address names, and takes `own_only`."""
OF_EVERYBODY = frozenset({"sample", "show_sample", "duplicates", "judge_pair"})
"""Pages that show the people of all: for coordinators, where each sees their own."""


@dataclass(frozen=True)
class Seeing:
    """An `Rpc` that asks only for whom the user of this request may see."""

    rpc: Rpc

    def call(self, service: str, method: str, /, *, timeout: float = 10.0, **kwargs: Any) -> Any:
        """As `Rpc.call`."""
        if g.get("own_only") and (service, method) in LOOKS:
            kwargs["own_only"] = True
        return self.rpc.call(service, method, timeout=timeout, **kwargs)


def install(app: Flask, context: PortalContext) -> None:
    """Put it before every request of a node's portal, behind the guard."""

    def before() -> None:
        session, asked = g.get("session"), request.view_args or {}
        looks = session is not None and request.endpoint != "static"
        g.own_only = looks and each_sees_their_own(context.engine, session.user)
        if not g.own_only:
            return
        if request.endpoint in OF_EVERYBODY:
            abort(403)
        if "person" in asked:
            check(context.rpc, asked["key"], asked["person"])

    app.before_request(before)


def check(rpc: Rpc, programme: str, person: str) -> None:
    """Raise `OthersPerson` if the user of this request may not see this person."""
    if person not in seen(rpc, programme, {person}):
        raise OthersPerson


def seen(rpc: Rpc, programme: str, people: Collection[str]) -> Collection[str]:
    """Those of these people (at most 500) whom the user of this request may see."""
    if not g.get("own_only") or not people:
        return people
    question = {"programme": programme, "worker": g.session.user.name, "people": sorted(people)}
    return set(rpc.call("intake", "sees", **question))
