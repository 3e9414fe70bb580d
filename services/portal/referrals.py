"""Referrals: who came from another partner and who was sent on, what can be done; and the form to send somebody."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from services.portal import formats, talks
from services.portal.labels import Label, label_of
from services.portal.names import ProgrammeNames
from services.portal.pages import LIST_ROLES, Pages
from services.portal.replies import ReplyKey
from services.portal.words import words
from shared.contracts.catalogue import STANDINGS
from shared.contracts.errors import (
    AlreadyRecordedDiffers,
    InvalidInput,
    NodeNotConfirmed,
    NotFound,
    ReferralClosed,
    UnknownCode,
    UnknownPerson,
)
from shared.contracts.referral_facts import AGREED, DECLINES
from shared.contracts.referrals import LONGEST_REASON
from shared.ops.clock import parse_wire_time, today_in_helsinki


@dataclass(frozen=True)
class Row:
    """A referral on the page; `name` is empty where nothing of the person is kept any more."""

    referral: str
    coming: bool
    partner: Label
    state: str
    said: str
    day: str
    name: str
    birth_date: str
    text: str
    left_out: bool
    hidden: bool = False
    """Whether it is told on a page of its own alone who it is."""
    others: bool = False
    """Whether it is another worker's person, where each sees their own: it cannot be acted upon either."""

    def __repr__(self) -> str:
        return "Row(…)"  # never a name in a log


@dataclass
class ReferralPages:
    """The views; `install` adds them to a node's portal."""

    pages: Pages

    def install(self, app: Flask) -> None:
        """Add the routes."""
        rule, form = "/referrals/<programme:key>", "/refer/<programme:key>/<entity:person>"
        self.pages.add(app, rule, "referrals", self.listed, LIST_ROLES)
        self.pages.add(app, f"{rule}/<entity:referral>", "referral", self.one, LIST_ROLES)
        self.pages.add(app, f"{rule}/<entity:referral>", "decide_referral", self.decide, LIST_ROLES, "POST")
        self.pages.add(app, form, "refer", self.new, LIST_ROLES)
        self.pages.add(app, form, "send_referral", self.send, LIST_ROLES, "POST")

    def listed(self, key: str) -> ResponseReturnValue:
        done = request.args.get("done", "")
        known = ("sent", "accepted", "declined", "withdrawn", "told")
        return self._list(key, done=f"referral_done_{done}" if done in known else "")

    def one(self, key: str, referral: str) -> ResponseReturnValue:
        """One referral, with the name of whoever has a protected address."""
        return self._list(key, only=referral)

    def decide(self, key: str, referral: str) -> ResponseReturnValue:
        self.pages.programme(key)
        form, action = request.form, request.form.get("action", "")
        asked: dict[str, tuple[str, dict[str, Any]]] = {
            "accepted": (
                "accept_referral",
                {
                    "standing": form.get("standing", ""),
                    "start_date": form.get("start_date", "").strip() or None,
                    "paid_by_project": form.get("paid_by_project") or None,
                    "worker": g.session.user.name,
                },
            ),
            "declined": ("decline_referral", {"reason": form.get("reason", "")}),
            "withdrawn": ("withdraw_referral", {}),
            "told": ("follow_up_referral", _became(form.get("became", ""))),
        }
        if action not in asked:
            abort(400)
        method, given = asked[action]
        try:
            common = {"programme": key, "referral": referral, "by": g.session.user.name}
            self.pages.context.rpc.call("intake", method, **common, **given)
        except ReferralClosed:
            return self._list(key, problem="problem_referral_closed"), 409
        except NodeNotConfirmed:
            return self._list(key, problem="problem_not_confirmed"), 409
        except (InvalidInput, UnknownCode) as error:
            why = {"start_date": "problem_start_date", "birth_date": "problem_born_after_start"}
            why |= {"paid_by_project": "problem_paid", "identity_code": "problem_code_required"}
            return self._list(key, problem=why.get(str(error.params.get("field")), "problem_choose")), 400
        except talks.UNSURE:
            return self._list(key, problem="problem_unsure"), 503
        except NotFound:
            if not g.get("own_only"):
                abort(404)
            return self._list(key, problem="problem_referral_closed"), 409  # a colleague has just taken them
        return redirect(url_for("referrals", key=key, done=action), 303)

    def new(self, key: str, person: str) -> ResponseReturnValue:
        names = self.pages.programme(key)
        return self._form(names, person, {"key": talks.new_key(), "partner": "", "text": ""}, ())

    def send(self, key: str, person: str) -> ResponseReturnValue:
        names, form = self.pages.programme(key), request.form
        filled = {"key": talks.key_from(form.get("key", "")), "partner": form.get("partner", "")}
        filled["text"] = talks.cleaned(form.get("text", ""))
        agreed = tuple(code for code in AGREED if code in form.getlist("agreed"))
        problems: dict[str, str] = {}
        if filled["partner"] not in names.partners:
            problems["partner"] = "problem_choose"
        if "name" not in agreed:
            problems["agreed"] = "problem_agreed"
        if len(filled["text"]) > LONGEST_REASON:
            problems["text"] = "problem_reason_long"
        if problems:
            return self._form(names, person, filled, agreed, problems), 400
        given: dict[str, Any] = {
            "programme": key,
            "key": filled["key"],
            "subject": person,
            "partner": filled["partner"],
        }
        sealed = talks.sealed_text(self.pages.context, filled["text"]) if filled["text"] else None
        try:
            self.pages.context.rpc.call(
                "intake", "send_referral", by=g.session.user.name, agreed=list(agreed), sealed=sealed, **given
            )
        except NodeNotConfirmed:
            return self._form(names, person, filled, agreed, {"partner": "problem_not_confirmed"}), 409
        except AlreadyRecordedDiffers:
            return self._form(names, person, filled, agreed, {"": "problem_saved_already"}), 409
        except InvalidInput as error:
            open_one = error.params.get("field") == "partner"
            told = {"partner": "problem_referral_open"} if open_one else {"": "problem_referral_refused"}
            return self._form(names, person, filled, agreed, told), 400
        except talks.UNSURE:
            return self._form(names, person, filled, agreed, {"": "problem_unsure"}), 503
        except UnknownPerson:
            abort(404)
        return redirect(url_for("referrals", key=key, done="sent"), 303)

    def _form(
        self,
        names: ProgrammeNames,
        person: str,
        filled: Mapping[str, str],
        agreed: tuple[str, ...],
        problems: Mapping[str, str] | None = None,
    ) -> str:
        say, context = words(g.lang), self.pages.context
        who = talks.people_at_hand(context, names.key, [person]).get(person) or abort(404)
        reachable = context.rpc.call("intake", "referral_partners", programme=names.key)["partners"]
        return self.pages.show(
            "refer.html",
            title=label_of(names.name, g.lang, names.key),
            programme=names.key,
            person=who,
            filled=filled,
            agreed=agreed,
            choices=AGREED,
            partners=[(code, label_of(names.partners.get(code, {}), g.lang, code)) for code in reachable],
            problems={name: say(problem) for name, problem in (problems or {}).items()},
        )

    def _list(self, key: str, *, done: str = "", problem: str = "", only: str | None = None) -> str:
        names, say, reply, context = self.pages.programme(key), words(g.lang), ReplyKey(), self.pages.context
        answer = context.rpc.call(
            "intake",
            "list_referrals",
            programme=key,
            reply_to=reply.public_hex,
            limit=context.page_size,
            offset=self.pages.offset(),
            by=g.session.user.name,
            referral=only,
        )
        if only is not None and not answer["referrals"]:
            abort(404)
        rows = [_row(row, reply, names, in_list=only is None) for row in answer["referrals"]]
        return self.pages.show(
            "referrals.html",
            title=label_of(names.name, g.lang, key),
            programme=key,
            parts_of_rows=[
                ("referrals_in", [row for row in rows if row.coming]),
                ("referrals_out", [row for row in rows if not row.coming]),
            ],
            # A visitor last: who has only a token can be taken as nothing else.
            standings=sorted(STANDINGS, key=lambda code: code == "visitor"),
            declines=DECLINES,
            outcomes=[(code, label_of(names.outcomes[code], g.lang, code)) for code in names.outcomes],
            today=today_in_helsinki(context.now()).isoformat(),
            done=say(done) if done else "",
            problems={"": say(problem)} if problem else {},
            pages=self.pages.paging(answer["total"]),
        )


def _became(value: str) -> dict[str, Any]:
    """What the page's one field means: what became of somebody, or which of the programme's outcomes."""
    became, _, outcome = value.partition(":")
    return {"became": became, "outcome": outcome or None}


def _row(row: Mapping[str, Any], reply: ReplyKey, names: ProgrammeNames, *, in_list: bool) -> Row:
    say, told = words(g.lang), reply.open_referred(row["sealed"])
    said = say(f"declined_{row['reason']}") if row["reason"] in DECLINES else ""
    if row["became"]:
        said = say(f"became_{row['became']}")
    if row["outcome"]:
        said = label_of(names.outcomes.get(row["outcome"], {}), g.lang, row["outcome"]).text
    born = told.birth_date
    return Row(
        row["referral"],
        row["direction"] == "in",
        label_of(names.partners.get(row["partner"], {}), g.lang, row["partner"]),
        row["state"],
        said,
        formats.day(today_in_helsinki(parse_wire_time(row["changed_at"])), g.lang),
        told.name,
        formats.day(date.fromisoformat(born), g.lang) if born else "",
        told.text,
        told.left_out,
        in_list and bool(row.get("protected")),
        bool(row.get("others")),
    )
