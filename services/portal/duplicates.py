"""Two people who may be one, side by side: one pair at a time, with what speaks for it and what against; the worker
says. Nothing is merged. No script."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import formats, talks
from services.portal.copying import SECONDS
from services.portal.labels import label_of
from services.portal.pages import LIST_ROLES, Pages, Paging, standing_word
from services.portal.replies import ReplyKey
from services.portal.words import known_keys, words
from shared.contracts.errors import ChangedMeanwhile, InvalidInput, UnknownPerson

VERDICTS = ("same", "apart")
SEEN = ("none", *VERDICTS)
_DONE = {"same": "pair_noted_same", "apart": "pair_noted_apart"}


@dataclass
class DuplicatePages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule = "/duplicates/<programme:key>"
        self.pages.add(app, rule, "duplicates", self.show, LIST_ROLES)
        self.pages.add(app, rule, "judge_pair", self.judge, LIST_ROLES, "POST")

    def show(self, key: str) -> ResponseReturnValue:
        return self._page(key, _DONE.get(request.args.get("done", "")))

    def judge(self, key: str) -> ResponseReturnValue:
        self.pages.programme(key)
        given = {name: request.form.get(name, "") for name in ("one", "other", "verdict", "was")}
        if given["verdict"] not in VERDICTS or given["was"] not in SEEN:
            return self._page(key, problem="problem_choose"), 400
        who: dict[str, Any] = {
            "subject": given["one"],
            "same_as": given["other"],
            "programme": key,
            "by": g.session.user.name,
        }
        who |= {name: given[name] for name in ("verdict", "was")}
        try:
            self.pages.context.rpc.call("intake", "judge_pair", **who)
        except ChangedMeanwhile:
            return self._page(key, problem="problem_pair_changed"), 409
        except InvalidInput:
            return self._page(key, problem="problem_choose"), 400
        except talks.UNSURE:
            return self._page(key, problem="problem_unsure"), 503
        except UnknownPerson:
            abort(404)
        at: dict[str, Any] = {"page": self.pages.page_number(), "done": given["verdict"]} | _judged()
        return redirect(url_for("duplicates", key=key, **at), 303)

    def _page(self, key: str, done: str | None = None, problem: str | None = None) -> str:
        """The pair that is asked for, or the last one: both are read, and nobody else."""
        names, say, number = self.pages.programme(key), words(g.lang), self.pages.page_number()
        reply = ReplyKey()
        asked: dict[str, Any] = {
            "programme": key,
            "judged": bool(_judged()),
            "reply_to": reply.public_hex,
            "by": g.session.user.name,
        }
        call = self.pages.context.rpc.call
        found = call("intake", "list_duplicates", timeout=SECONDS, **asked, limit=1, offset=number - 1)
        if found["total"] and not found["pairs"]:
            number = found["total"]
            found = call("intake", "list_duplicates", timeout=SECONDS, **asked, limit=1, offset=number - 1)
        pair = next(iter(found["pairs"]), None)
        return self.pages.show(
            "duplicates.html",
            title=label_of(names.name, g.lang, key),
            programme=key,
            judged=bool(_judged()),
            done=say(done) if done else "",
            problems={"": say(problem)} if problem else {},
            total=say("pairs_judged" if _judged() else "pairs_waiting", n=formats.number(found["total"], g.lang)),
            pair=pair,
            people=[_shown(row, reply) for row in pair["people"]] if pair else [],
            sides=[(say(side), [_reason(code, side) for code in pair[side]]) for side in _SIDES] if pair else [],
            number=number,
            pages=Paging(number, max(found["total"], 1)),
            kept="judged=1&" if _judged() else "",
        )


_SIDES = ("speaks_for", "speaks_against")


def _judged() -> dict[str, str]:
    return {"judged": "1"} if request.args.get("judged") == "1" else {}


def _reason(code: str, side: str) -> str:
    """A reason in words; one of a newer release as it is."""
    key = f"{side}_{code}"
    return words(g.lang)(key) if key in known_keys() else code


def _shown(row: Mapping[str, Any], reply: ReplyKey) -> dict[str, Any]:
    say, who = words(g.lang), reply.open_plain(row["sealed"])
    name = " ".join(filter(None, (who.get("given_name"), who.get("family_name"))))
    started = row["started_on"]
    told = [
        (say("pair_token"), who.get("token") if name else ""),
        (say("birth_date"), talks.said_day(who["birth_date"]) if who.get("birth_date") else say("pair_unknown")),
        (say("standing"), standing_word(row)),
        (say("started_on"), formats.day(date.fromisoformat(started), g.lang) if started else ""),
        (say("persons_worker"), row.get("worker")),
    ]
    return {
        "person": row["person"],
        "name": name or who.get("token") or say("cannot_open"),
        "facts": [(word, said) for word, said in told if said],
    }
