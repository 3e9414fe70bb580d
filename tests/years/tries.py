"""What somebody might write down of people who come in, leave and come back: of everything some that cannot be."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from shared.contracts.record_facts import EXITS, FOLLOW_UPS
from shared.contracts.start_facts import ATTEMPTS, ENTERED_BY, MAY_CALL, RECORDS
from shared.contracts.worker_facts import HAND_OVER_REASONS
from shared.programmes import Programme
from tests.services.kit import key_of
from tests.years.comings import SPECIAL, STANDINGS, Act
from tests.years.home import Home, Known

SOME = 30
"""Of thousands of people only so many are thought of in a try."""
WORKERS = ("aino", "berit", "cai")


def some_try(home: Home, programme: Programme, still: Sequence[str]) -> tuple[Act, Known | None]:
    """Any try about anybody of the programme; of nobody yet, where somebody comes. Mostly of what is `still` wanted."""
    what = home.chance.choice(still if still and home.chance.random() < 0.8 else _WHATS)
    everybody = home.mine[programme.key]
    some = home.chance.sample(everybody, min(SOME, len(everybody)))
    here = [one for one in some if not one.gone and not one.nameless]
    gone = [one for one in some if one.gone]
    if what in ("meet", "register") or not here:
        made = _meet(home, programme, here) if what == "meet" else (_register(home, programme), None)
    else:
        restricted = [one for one in here if one.life.restricted]
        left = [one for one in here if one.life.leaving[0] is not None]
        groups = [here, here, restricted, left, gone]
        one = home.chance.choice(home.chance.choice(groups) or here)
        act = _TRIES[what](home, one)
        if what != "door" and home.chance.random() < 0.03:
            act = _and(act, elsewhere=True)
        made = act, one
    return _and(made[0], key=key_of(f"try {home.number()}")), made[1]


def _and(act: Act, **told: Any) -> Act:
    return Act(act.what, act.day, {**act.told, **told})


def _day(home: Home, programme: Programme, wrong: float = 0.1) -> date:
    if home.chance.random() < wrong:
        return home.chance.choice([home.today + timedelta(days=1), programme.period.start - timedelta(days=1)])
    return home.some_day(programme)


def _meet(home: Home, programme: Programme, here: list[Known]) -> tuple[Act, Known | None]:
    """People are met: as heads alone, as somebody who tells a nickname for the first time, or again."""
    chance = home.chance
    known = [one for one in here if one.token]
    one = chance.choice(known) if known and chance.random() < 0.5 else None
    how = "again" if one else chance.choice(["new", "heads"])
    token = one.token if one else f"Nalle {home.number()}" if how == "new" else None
    women = chance.choice([None, 0, 2, 2, 9])
    counts = {"people_new": chance.choice([None, 2]), "people_known": chance.choice([None, 3]), "women": women}
    topic = "nothing_of_this" if chance.random() < 0.1 else programme.topics[0].key
    at = {"at": f"encounter {home.number()}"} if token else {}
    return Act("meet", _day(home, programme), {"as": how, "token": token, "topics": [topic], **counts, **at}), one


def _door(home: Home, one: Known) -> Act:
    """Somebody comes to the door: tapped on a tile, tapped off, or telling a nickname."""
    ways = ["tile", "tile off", "table", "stranger", *(["nickname"] if one.token else [])]
    at = {"at": f"door {one.programme.key} {home.today}"}
    how = home.chance.choice(ways)
    return Act("door", home.today, {"as": how, "how": how, "token": one.token} | (at if how in _AT_A_DOOR else {}))


_AT_A_DOOR = ("tile", "tile off", "nickname")


def _answers(home: Home, programme: Programme) -> dict[str, Any]:
    """A start record: signed and complete, or not; some say what cannot be."""
    chance = home.chance
    said: dict[str, Any] = {"gender": chance.choice(["f", "m", "f", "m", "unknown"]), "paid_by_project": "no"}
    status = chance.choice(["unemployed", "unemployed", "inactive", "employed"])
    said |= {"labour_status": status, "education": chance.choice([0, 2, 3, None])}
    if status == "unemployed" and chance.random() < 0.8:
        said["unemployed_months"] = 8
    if programme.target_groups:
        said["target_group"] = programme.target_groups[0].key
    if chance.random() < 0.6:
        said["form_signed_on"] = home.some_day(programme).isoformat()
    if programme.funding_programme != "esf_2007_2013" and chance.random() < 0.5:
        said[chance.choice(SPECIAL)] = chance.choice(["yes", "no", "refused", "not_asked"])
    if chance.random() < 0.15:
        said |= chance.choice([
            {"target_group": "nobody_of_these"},
            {"paid_by_project": "yes"},
            {"labour_status": "inactive", "unemployed_months": 8},
            {"form_signed_on": (home.today + timedelta(days=1)).isoformat()},
            {"minority": "refused", "form_signed_on": None},
        ])  # fmt: skip
    return {name: value for name, value in said.items() if value is not None}


def _comes_as(home: Home, programme: Programme, standing: str) -> dict[str, Any]:
    """Standing, start day, birth date, record and name of somebody who comes in."""
    chance = home.chance
    needs_day = standing == "esf_participant"
    start = _day(home, programme) if chance.random() < (0.93 if needs_day else 0.3) else None
    born = date(1980, 5, 17) if chance.random() < 0.8 else None
    born = home.today + timedelta(days=1) if chance.random() < 0.05 else born
    return {
        **{"standing": standing, "start": start, "born": born, "record": _answers(home, programme)},
        "named": chance.random() < 0.85,
    }


def _register(home: Home, programme: Programme) -> Act:
    standing = home.chance.choice(STANDINGS)
    token = f"Nalle {home.number()}" if home.chance.random() < 0.8 else None
    worker = home.chance.choice([None, *WORKERS])
    told = _comes_as(home, programme, standing) | {"token": token, "worker": worker}
    return Act("register", home.today, told | {"as": standing})


def _raise(home: Home, one: Known) -> Act:
    """A higher standing; a visitor is asked whether the history goes along."""
    standing, before = home.chance.choice(STANDINGS[1:]), one.life.standing
    kept = home.chance.choice([True, False]) if before == "visitor" else None
    kept = home.chance.choice([True, False, None]) if home.chance.random() < 0.1 else kept
    as_ = f"{before} > {standing}" + {True: " with history", False: " without history", None: ""}[kept]
    return Act("raise", home.today, _comes_as(home, one.programme, standing) | {"kept": kept, "as": as_})


def _start_form(home: Home, one: Known) -> Act:
    told = _comes_as(home, one.programme, "esf_participant")
    told["start"] = told["start"] or home.some_day(one.programme)
    as_ = "corrected" if one.life.standing == "esf_participant" else "client > esf_participant"
    return Act("start form", home.today, told | {"as": as_, "stale": home.chance.random() < 0.05})


def _correct_start(home: Home, one: Known) -> Act:
    return Act("correct start", home.today, {"start": _day(home, one.programme), "as": "done"})


def _results(home: Home) -> tuple[str, ...] | None:
    return home.chance.choice([
        *(None, ("none",), ("education",), ("employment",), ("job_search", "qualification")),
        *(("none", "education"), ("job_search", "employment")),
    ])  # fmt: skip


def _exit(home: Home, one: Known) -> Act:
    chance, reason = home.chance, home.chance.choice(EXITS)
    outcomes = one.programme.outcomes
    into = chance.choice([None, *(o.key for o in outcomes), "kuuhun"])
    planned = chance.choice([None, None, None, outcomes[0].key, outcomes[-1].key])
    holds, back = one.life.leaving
    day, corrects = _day(home, one.programme), chance.random() < 0.15
    back_on = day + timedelta(days=chance.choice([0, 0, 1, -1])) if chance.random() < 0.15 else None
    if holds and chance.random() < 0.2:
        day = holds.day - timedelta(days=chance.choice([0, 1, 5]))
    as_ = "corrected" if corrects else "earlier" if holds and day < holds.day else reason
    as_ = "and back" if back_on else "again" if back and as_ == reason else as_
    told = {"results": _results(home), "next": into, "planned": planned, "corrects": corrects, "back": back_on}
    return Act("exit", day, told | {"reason": reason, "as": as_})


def _return(home: Home, one: Known) -> Act:
    _, back = one.life.leaving
    return Act("return", back if back and home.chance.random() < 0.3 else _day(home, one.programme), {"as": "back"})


def _follow_up(home: Home, one: Known) -> Act:
    chance, (holds, _) = home.chance, one.life.leaving
    status, left = chance.choice([*FOLLOW_UPS, "not_reached", "not_reached"]), holds.day if holds else home.today
    due = left + timedelta(days=chance.choice([0, 0, 30, 30, -1, 800]))
    vain = one.life.tries == 2 and status == "not_reached"
    results = _results(home) if status == "reached" or chance.random() < 0.1 else None
    told = {"due": due, "status": status, "results": results}
    return Act("follow up", _day(home, one.programme), told | {"as": "three times in vain" if vain else status})


def _exit_form(home: Home, one: Known) -> Act:
    signed = _day(home, one.programme, 0.2) if home.chance.random() < 0.8 else None
    told = {"signed": signed, "may_call": home.chance.choice(MAY_CALL), "stale": home.chance.random() < 0.05}
    return Act("exit form", home.today, told | {"as": "signed" if signed else "unsigned"})


def _attempt(home: Home, one: Known) -> Act:
    record, status = home.chance.choice(RECORDS), home.chance.choice(ATTEMPTS)
    return Act("attempt", _day(home, one.programme), {"record": record, "status": status, "as": f"{record} {status}"})


def _eura(home: Home, one: Known) -> Act:
    record, by = home.chance.choice(RECORDS), home.chance.choice(ENTERED_BY)
    return Act("EURA", _day(home, one.programme), {"record": record, "by": by, "as": f"{record} {by}"})


def _worker(home: Home, one: Known) -> Act:
    worker = home.chance.choice(WORKERS)
    as_ = "kept" if worker == one.life.worker else "changed" if one.life.worker else "first"
    stale = as_ == "changed" and home.chance.random() < 0.2
    return Act("worker", home.today, {"worker": worker, "stale": stale, "as": as_})


def _hand_over(home: Home, one: Known) -> Act:
    chance, giver = home.chance, one.life.worker or home.chance.choice(WORKERS)
    giver = chance.choice(WORKERS) if chance.random() < 0.1 else giver
    day = home.today + timedelta(days=chance.choice([0, 0, -3, 1, -40]))
    told = {"giver": giver, "worker": chance.choice(WORKERS), "reason": chance.choice(HAND_OVER_REASONS)}
    return Act("hand over", day, told | {"as": "done"})


def _restrict(home: Home, one: Known) -> Act:
    return Act("restrict", home.today, {"ground": home.chance.choice(["accuracy", "accuracy", None]), "as": "done"})


def _lift(home: Home, one: Known) -> Act:
    return Act("lift", home.today, {"as": "done"})


def _withdraw(home: Home, one: Known) -> Act:
    purpose = home.chance.choice(["measurement", "esf_record", "support"])
    return Act("withdraw", home.today, {"purpose": purpose, "as": "consent"})


def _forget_record(home: Home, one: Known) -> Act:
    standing = "client" if one.life.standing == "esf_participant" else None  # nobody else becomes another by this
    return Act("forget record", home.today, {"standing": standing, "as": f"of a {one.life.standing}"})


def _link(home: Home, one: Known) -> Act:
    other = home.chance.choice(home.mine[one.programme.key])
    verdict = home.chance.choice(["same", "apart"])
    before = home.verdicts.get(frozenset((one.subject, other.subject)), "none")
    was = home.chance.choice(["none", "same", "apart"]) if home.chance.random() < 0.2 else before
    told = {"other": other.subject, "self": other is one, "other erased": other.gone, "verdict": verdict, "was": was}
    told |= {"before": before, "other restricted": other.life.restricted}
    return Act("link", home.today, told | {"as": f"{before} > {verdict}"})


def _erase(home: Home, one: Known) -> Act:
    return Act("erase", home.today, {"as": "done"})


_TRIES: dict[str, Callable[[Home, Known], Act]] = {
    **{"door": _door, "raise": _raise, "start form": _start_form, "correct start": _correct_start, "exit": _exit},
    **{"return": _return, "follow up": _follow_up, "exit form": _exit_form, "attempt": _attempt, "EURA": _eura},
    **{"worker": _worker, "hand over": _hand_over, "restrict": _restrict, "lift": _lift, "withdraw": _withdraw},
    **{"forget record": _forget_record, "link": _link, "erase": _erase},
}
_WHATS = [
    *("meet", "meet", "meet", "register", "register", "door", "door", "raise", "raise", "raise", "start form"),
    *("start form", "correct start", "exit", "exit", "exit", "exit", "return", "return", "follow up", "follow up"),
    *("follow up", "exit form", "exit form", "attempt", "EURA", "EURA", "worker", "hand over", "restrict", "lift"),
    *("lift", "withdraw", "forget record", "link", "link", "erase"),
]
