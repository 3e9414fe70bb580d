"""What may be written down of people who come in, leave, come back and are asked: as slowly and plainly as it can be.

Written from the issue, the glossary, reference §1.2 and §2.1 and decisions 0188, 0195, 0196, 0200 to 0205, 0208, 0215
to 0217 and 0221, not from the code. A life is what was taken, in order; whatever is to be known is looked up in all of
it, each time anew. `problems` names the members of which a try must be refused one; none: it must be taken.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from shared.programmes import Programme

STANDINGS = ("visitor", "client", "esf_participant")
SPECIAL = ("foreign_background", "minority", "disability", "other_disadvantage")
LABOUR = {"job_search", "employment"}
MAY_STILL_BE_ASKED = ("completed", "interrupted", "moved")
RIGHTS = ("worker", "hand over", "restrict", "lift", "withdraw", "forget record", "correct start", "erase")
"""What a restriction does not stand in the way of."""
NOBODY = {"participant", "person", "subject", "same_as", "token", "people"}
"""As what a person is named whom nobody knows here."""


@dataclass(frozen=True)
class Act:
    """Somebody writes something down; `day`: of which day."""

    what: str
    day: date
    told: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.told.get(name)


@dataclass
class Life:
    """What was taken of one person in one programme."""

    programme: Programme
    acts: list[Act] = field(default_factory=list)
    erased: bool = False

    @property
    def standing(self) -> str:
        told = [act["standing"] for act in self.acts if act["standing"]]
        return str(told[-1]) if told else "visitor"

    @property
    def record(self) -> list[Act]:
        """What was taken since the fund's record was last erased on the person's wish."""
        last = max((n for n, act in enumerate(self.acts) if act.what == "forget record"), default=-1)
        return self.acts[last + 1 :]

    @property
    def start(self) -> date | None:
        told = [act["start"] for act in self.record if act["start"]]
        return told[-1] if told else None

    @property
    def born(self) -> date | None:
        """A form is whole: what it leaves out is not recorded any more."""
        told = [act["born"] for act in self.acts if act["born"] or act.what == "start form"]
        return told[-1] if told else None

    @property
    def leaving(self) -> tuple[Act | None, date | None]:
        """The exit that holds, and since when the person is back: the last exit holds, whenever it was written down.
        That a client left without a start is no part of the fund's record: it stays when that goes, and is the exit
        once a record begins by then; who begins one later is back (decision 0240)."""
        holds: Act | None = None
        back: date | None = None
        start: date | None = None
        for act in self.acts:
            if act.what == "forget record" and start is not None:
                holds, back, start = None, None, None
            elif act["start"] is not None:
                if start is None:
                    holds, back = holds if holds and act["start"] <= holds.day else None, None
                start = act["start"]
            elif act.what == "exit":
                counts = act.day > holds.day if holds else back is None or act.day >= back
                if act["corrects"] or counts:
                    holds = act
                if act["back"] and holds and holds.day == act.day:
                    holds, back = None, act["back"]
            elif act.what == "return" and holds:
                holds, back = None, act.day
        return holds, back

    @property
    def away(self) -> str | None:
        """What is known of who is away, when the exit is erased with the record: died, or left."""
        found: str | None = None
        for number, act in enumerate(self.acts):
            before = Life(self.programme, self.acts[:number])
            holds, _ = before.leaving
            if act.what == "forget record" and holds and before.start is not None:
                found = "died" if holds["reason"] == "died" else "left"
            elif act.what in ("return", "exit") or (act.what != "register" and act["standing"] == "esf_participant"):
                found = None
        return found

    @property
    def answers(self) -> dict[str, Any]:
        """What the start record says."""
        found: dict[str, Any] = {}
        for act in self.record:
            if act.what in ("register", "start form"):
                found = dict(act["record"])
            elif act.what == "raise":
                found |= {k: v for k, v in act["record"].items() if (k, v) != ("gender", "unknown")}
                if found.get("labour_status") != "unemployed":
                    found.pop("unemployed_months", None)  # they belong to the status
        return found

    @property
    def complete(self) -> bool:
        """Whether the record counts for indicators: all that is not sensitive is answered, and the form is signed."""
        said = self.answers
        needed = ["labour_status", "education", "form_signed_on"]
        needed += ["unemployed_months"] if said.get("labour_status") == "unemployed" else []
        answered = all(said.get(question) is not None for question in needed)
        return answered and said.get("gender") in ("f", "m") and self.born is not None

    @property
    def exit_form(self) -> Act | None:
        """The form beside the exit; who comes back has none."""
        form: Act | None = None
        for number, act in enumerate(self.acts):
            if act.what == "exit form":
                form = act
            elif Life(self.programme, self.acts[: number + 1]).leaving[0] is None:
                form = None
        return form

    @property
    def tries(self) -> int:
        """In vain, since the exit that holds."""
        asked = [act for act in self.record if act.what == "follow up" and act["status"] == "not_reached"]
        holds, _ = self.leaving
        return sum(holds is not None and act.day >= holds.day for act in asked)

    @property
    def visits(self) -> Counter[str]:
        """At which encounters the person was."""
        found: Counter[str] = Counter()
        for act in self.acts:
            if act["at"]:
                found[act["at"]] = act["how"] != "tile off"
        return +found

    @property
    def worker(self) -> str | None:
        told = [act["worker"] for act in self.acts if act["worker"]]
        return told[-1] if told else None

    @property
    def ground(self) -> str | None:
        """On which the processing is restricted; None: it is not."""
        told = [act["ground"] for act in self.acts if act.what in ("restrict", "lift")]
        return told[-1] if told else None

    @property
    def restricted(self) -> bool:
        return self.ground is not None


def problems(act: Act, life: Life, today: date) -> set[str]:
    """By which members this may be refused; none: it must be taken."""
    if changes_nothing(act, life):
        return set()
    found = {name for name, wrong in _PROBLEMS[act.what](act, life, today).items() if wrong}
    if act.what not in RIGHTS and (life.restricted or act["other restricted"]) and life.acts:
        found |= {"same_as", "person"} if act.what == "link" else {"participant", "token"}
    return found | NOBODY if life.erased or act["elsewhere"] else found


def changes_nothing(act: Act, life: Life) -> bool:
    """What is so already."""
    if life.erased or act["elsewhere"]:
        return life.erased and act.what == "erase"
    exit_, back = life.leaving
    return (
        (act.what == "return" and exit_ is None and back == act.day)
        or (act.what == "restrict" and bool(act["ground"]) and act["ground"] == life.ground)
        or (act.what == "lift" and not life.restricted)
        or (act.what == "withdraw" and any((a.what, a["purpose"]) == ("withdraw", act["purpose"]) for a in life.acts))
        or (act.what == "link" and act["verdict"] == act["before"] and not act["self"])
        or (act["how"] in ("tile", "nickname", "tile off") and (act["at"] in life.visits) == (act["how"] != "tile off"))
    )


def _not_in(day: date, life: Life, today: date) -> bool:
    return day > today or not life.programme.period.start <= day <= life.programme.period.end


def _meet(act: Act, life: Life, today: date) -> dict[str, bool]:
    people = [act[name] for name in ("people_new", "people_known") if act[name] is not None]
    too_many = not people or (len(people) == 2 and (act["women"] or 0) > sum(people))
    topics = {topic.key for topic in life.programme.topics}
    return {
        "date": _not_in(act.day, life, today),
        "women": act["women"] is not None and too_many,
        "topics": not topics.issuperset(act["topics"] or ()),
    }


def _door(act: Act, _life: Life, _today: date) -> dict[str, bool]:
    return {"encounter": act["how"] == "table", "subject": act["how"] == "stranger"}


def _arrival(act: Act, life: Life, today: date, standing: str, start: date | None) -> dict[str, bool]:
    """What nobody can be told to be: without a name from client on, without a day from participant on."""
    said, born = act["record"], act["born"] or (life.born if act.what == "raise" and act["kept"] is not False else None)
    signed = said.get("form_signed_on")
    if act.what == "raise" and act["kept"] is not False:
        said = {**life.answers, **said}
        signed = said.get("form_signed_on")
        if act["record"].get("labour_status") != "unemployed" and "unemployed_months" not in act["record"]:
            said.pop("unemployed_months", None)
    special = life.programme.funding_programme != "esf_2007_2013"
    groups = {group.key for group in life.programme.target_groups}
    participant = standing == "esf_participant"
    return {
        "start_date": (standing == "esf_participant" and start is None)
        or (start is not None and _not_in(start, life, today)),
        "birth_date": born is not None and (born > today or (start is not None and born > start)),
        "form_signed_on": signed is not None and date.fromisoformat(signed) > today,
        "paid_by_project": standing == "esf_participant" and said.get("paid_by_project") == "yes",
        "target_group": said.get("target_group") not in (None, *groups),
        "unemployed_months": said.get("labour_status") != "unemployed" and said.get("unemployed_months") is not None,
        **{
            name: name in said and (not special or (said[name] == "refused" and participant and not signed))
            for name in SPECIAL
        },
    }


def _register(act: Act, life: Life, today: date) -> dict[str, bool]:
    named = act["named"]
    found = _arrival(act, life, today, act["standing"], act["start"])
    nameless = {"given_name": not named and act["standing"] != "visitor"}
    return found | nameless | {"token": not named and not act["token"]}


def _raise(act: Act, life: Life, today: date) -> dict[str, bool]:
    start = act["start"] or (None if act["kept"] is False else life.start)
    found = _arrival(act, life, today, act["standing"], start)
    found["start_date"] = found["start_date"] or (act["kept"] is not False and _after_leaving(start, life))
    visitor = life.standing == "visitor"
    return found | {
        "standing": STANDINGS.index(act["standing"]) <= STANDINGS.index(life.standing),
        "keeps_history": (visitor and act["kept"] is None) or (not visitor and act["kept"] is False),
        "given_name": visitor and not act["named"] and not any(a["named"] for a in life.acts),
    }


def _after_leaving(start: date | None, life: Life) -> bool:
    """A first start later than an exit, or than a return, cannot be; of who had none, not after they had died."""
    exit_, back = life.leaving
    if life.start is None and life.away == "died":
        return start is not None
    if life.start is None:
        exit_, back = exit_ if exit_ and exit_["reason"] == "died" else None, None
    return start is not None and any(start > day for day in (exit_ and exit_.day, back) if day)


def _start_form(act: Act, life: Life, today: date) -> dict[str, bool]:
    found = _arrival(act, life, today, "esf_participant", act["start"])
    found["start_date"] = found["start_date"] or _after_leaving(act["start"], life)
    return found | {"standing": life.standing == "visitor", "was": bool(act["stale"])}


def _correct_start(act: Act, life: Life, today: date) -> dict[str, bool]:
    start = act["start"]
    wrong = _not_in(start, life, today) or _after_leaving(start, life)
    return {"start_date": wrong, "birth_date": life.born is not None and life.born > start}


def _exclude(results: Any) -> bool:
    return len(LABOUR & set(results or ())) > 1 or ("none" in (results or ()) and len(results) > 1)


def _exit(act: Act, life: Life, today: date) -> dict[str, bool]:
    holds, back = life.leaving
    outcomes = {outcome.key: outcome.is_plan for outcome in life.programme.outcomes}
    into, planned, start = act["next"], act["planned"], life.start
    client = start is None and life.standing == "client"
    needed = life.programme.exit_needs_next and act["reason"] in MAY_STILL_BE_ASKED and not client
    asked = [other.day for other in life.record if other.what == "follow up"]
    same_day = holds is not None and holds.day == act.day and not act["corrects"]
    return {
        "participant": start is None and not client,
        "date": act.day > today
        or (client and act.day < life.programme.period.start)
        or (start is not None and act.day < start)
        or act.day > life.programme.period.end + timedelta(days=366)
        or (bool(act["corrects"]) and back is not None and act.day < back)
        or (bool(act["corrects"]) and any(holds is not None and holds.day <= day < act.day for day in asked))
        or (same_day and holds is not None and any(holds[name] != act[name] for name in EXIT)),
        "corrects": bool(act["corrects"]) and holds is None,
        "reason": act["reason"] == "transferred" and len(life.programme.partners) == 1,
        "results": _exclude(act["results"]) or (client and bool(act["results"])),
        "next": (into is not None and (client or into not in outcomes)) or (needed and into is None),
        "planned": (client and planned is not None)
        or (planned is not None and (not outcomes.get(into, False) or outcomes.get(planned, True)))
        or (needed and outcomes.get(into, False) and planned is None),
        "person": act["back"] is not None and act["reason"] == "died",
        "resumed_on": act["back"] is not None and (act["back"] > today or act["back"] < act.day),
    }


EXIT = ("reason", "results", "next", "planned")


def _return(act: Act, life: Life, today: date) -> dict[str, bool]:
    holds, _ = life.leaving
    if holds is None:
        return {"person": life.away is None, "date": life.away is not None and act.day > today}
    return {"person": holds["reason"] == "died", "date": act.day > today or act.day < holds.day}


def _follow_up(act: Act, life: Life, today: date) -> dict[str, bool]:
    holds, _ = life.leaving
    if holds is None or life.start is None:
        return {"participant": True}
    return {
        "programme": life.programme.follow_up_days is None,
        "date": act.day > today or act.day < holds.day or (act["status"] == "reached" and act.day < act["due"]),
        "due": not holds.day <= act["due"] <= holds.day + timedelta(days=732),
        "status": act["status"] == "not_reached" and life.tries >= 3,
        "results": _exclude(act["results"]) or (bool(act["results"]) and act["status"] != "reached"),
    }


def _exit_form(act: Act, life: Life, today: date) -> dict[str, bool]:
    holds, _ = life.leaving
    signed = act["signed"]
    wrong = signed is not None and (signed > today or (life.start is not None and signed < life.start))
    return {
        "person": holds is None or life.start is None,
        "was": bool(act["stale"]),
        "form_signed_on": wrong,
    }


def _attempt(act: Act, life: Life, today: date) -> dict[str, bool]:
    early = act["record"] == "exit" and life.start is not None and act.day < life.start
    return {"date": act.day > today or early}


def _eura(act: Act, life: Life, today: date) -> dict[str, bool]:
    holds, _ = life.leaving
    of_exit = act["record"] == "exit"
    return {
        "person": life.standing != "esf_participant" or (of_exit and holds is None),
        "date": act.day > today or (of_exit and holds is not None and act.day < holds.day),
    }


def _worker(act: Act, _life: Life, _today: date) -> dict[str, bool]:
    return {"worker": bool(act["stale"])}


def _hand_over(act: Act, life: Life, today: date) -> dict[str, bool]:
    return {
        "to": act["giver"] == act["worker"],
        "date": act.day > today or act.day < today - timedelta(days=31),
        **dict.fromkeys(("people", "worker"), life.worker not in (act["giver"], act["worker"])),
    }


def _restrict(act: Act, _life: Life, _today: date) -> dict[str, bool]:
    return {"ground": not act["ground"]}


def _withdraw(act: Act, life: Life, _today: date) -> dict[str, bool]:
    (basis,) = [purpose.basis for purpose in life.programme.purposes if purpose.key == act["purpose"]]
    return {"purpose": basis != "consent"}


def _link(act: Act, _life: Life, _today: date) -> dict[str, bool]:
    nobody = bool(act["other erased"])
    return {"same_as": bool(act["self"]) or nobody, "person": nobody, "was": act["was"] != act["before"]}


def _nothing(_act: Act, _life: Life, _today: date) -> dict[str, bool]:
    return {}


_PROBLEMS = {
    **{"meet": _meet, "door": _door, "register": _register, "raise": _raise, "start form": _start_form},
    **{"correct start": _correct_start, "exit": _exit, "return": _return, "follow up": _follow_up},
    **{"exit form": _exit_form, "attempt": _attempt, "EURA": _eura, "worker": _worker, "hand over": _hand_over},
    **{"restrict": _restrict, "lift": _nothing, "withdraw": _withdraw, "forget record": _nothing, "link": _link},
    "erase": _nothing,
}
