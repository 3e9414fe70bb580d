"""The other partners' nodes: their six words and ours, confirming them, and the key by which people are recognised."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal.labels import label_of
from services.portal.pages import Pages
from services.portal.words import words
from shared.contracts.errors import AlreadyRecordedDiffers, InvalidInput, NotFound

ROLES = ("coordinator",)
"""Whose word it is that a node is who it says it is."""


@dataclass
class PartnerPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/partners/<programme:key>"
        self.pages.add(app, rule, "partners", self.listed, ROLES)
        self.pages.add(app, rule, "act_on_partners", self.act, ROLES, "POST")

    def listed(self, key: str) -> ResponseReturnValue:
        done = request.args.get("done", "")
        known = ("confirmed", "handed", "renewed", "retired")
        return self._list(key, done=f"partner_done_{done}" if done in known else "")

    def act(self, key: str) -> ResponseReturnValue:
        self.pages.programme(key)
        form, action = request.form, request.form.get("action", "")
        common = {"programme": key, "by": g.session.user.name}
        call = self.pages.context.rpc.call
        try:
            if action == "confirm":
                node, typed = form.get("node", ""), " ".join(form.get("words", "").split())
                handed = call("intake", "confirm_node", **common, node=node, words=typed)["handed_tag_key"]
                done = "handed" if handed else "confirmed"
            elif action == "renew":
                # A form that is posted twice makes one key: each has everybody tagged anew.
                if form.get("newest", "") == _newest(call("intake", "list_nodes", programme=key)["key_nos"]):
                    call("intake", "renew_tag_key", **common)
                done = "renewed"
            elif action == "retire" and re.fullmatch("[1-9][0-9]{0,5}", form.get("key_no", "")):
                call("intake", "retire_tag_key", **common, key_no=int(form["key_no"]))
                done = "retired"
            else:
                abort(400)
        except InvalidInput as error:
            wrong_words = error.params.get("field") == "words"
            problem = "problem_words" if wrong_words else "problem_tag_key"
            return self._list(key, problem=problem, typed=form.get("words", ""), node=form.get("node", "")), 400
        except AlreadyRecordedDiffers:
            return self._list(key, problem="problem_tag_key"), 409
        except NotFound:
            abort(404)
        return redirect(url_for("partners", key=key, done=done), 303)

    def _list(self, key: str, *, done: str = "", problem: str = "", typed: str = "", node: str = "") -> str:
        names, say = self.pages.programme(key), words(g.lang)
        found = self.pages.context.rpc.call("intake", "list_nodes", programme=key)
        rows: list[dict[str, Any]] = [
            row | {"name": label_of(names.partners.get(row["partner"], {}), g.lang, row["partner"])}
            for row in found["nodes"]
        ]
        steward = found["steward"]
        return self.pages.show(
            "partners.html",
            title=label_of(names.name, g.lang, key),
            programme=key,
            own=next((row for row in rows if row["own"]), None),
            others=[row for row in rows if not row["own"]],
            steward=label_of(names.partners.get(steward, {}), g.lang, steward) if steward else None,
            is_steward=any(row["own"] and row["partner"] == steward for row in rows),
            key_nos=found["key_nos"],
            newest=_newest(found["key_nos"]),
            typed=(node, typed),
            done=say(done) if done else "",
            problems={f"words-{node}" if node else "": say(problem)} if problem else {},
        )


def _newest(key_nos: Sequence[int]) -> str:
    return str(key_nos[-1]) if key_nos else "0"
