"""People come in, leave, come back and are asked, by intake's own operations; what may not be is tried too.

Whatever `comings.py` says cannot be must be refused, naming one of the members that it says, and leave everything as
it was; whatever it says can be must be taken, and taken once if it is said twice.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import select, text

from services.intake import (
    doors,
    duplicates,
    encounters,
    eura,
    exit_forms,
    exits,
    operations,
    purposes,
    raising,
    rights,
    starts,
    workers,
)
from services.intake.domain import Arrival, HandOver
from services.intake.encounter_rules import Encounter, NewEncounter, Raise
from services.intake.exit_forms import NewExitForm
from services.intake.records import NewExit, NewFollowUp, PlannedExit, ReturnedExit
from services.intake.starts import NewAttempt, NewStart
from shared.contracts.errors import PolkuError
from shared.journal import lines
from shared.journal.tables import journal_line
from shared.programmes import Programme
from shared.storage import metadata, snapshot
from tests.services.intake.kit import DESK
from tests.services.intake.kit import KEYS as VAULT
from tests.services.kit import key_of
from tests.services.pathways.kit import hex_id
from tests.years.comings import Act, Life, changes_nothing, problems
from tests.years.home import Home, Known
from tests.years.must import ALONE, MUST, wanting
from tests.years.programmes import KEYS
from tests.years.tries import some_try

BY = "worker"
MANY = 300
"""Of more people than that, and on PostgreSQL, all tables are compared every twentieth time only: it takes long."""
CHOICE = 60
"""Of so many tries at most one is done: the first that must be seen and was not yet, else one whose like was seen
least."""


def come(home: Home, programme: Programme) -> None:
    """One try of anybody about anybody."""
    still = wanting(home.reached, programme.key, of_intake=True)
    tries: dict[tuple[str, str], tuple[Act, Known | None]] = {}
    for _ in range(CHOICE if still else 8):
        act, one = some_try(home, programme, still)
        name = programme.key, _name(home, programme, act, one)
        tries.setdefault(name, (act, one))
        if name[1] in (*MUST, ALONE) and not home.reached[name]:
            break
    else:
        name = min(tries, key=lambda tried: home.reached[tried])
    attempt(home, programme, *tries[name])


def _name(home: Home, programme: Programme, act: Act, one: Known | None) -> str:
    """What would be reached by it."""
    life = one.life if one else Life(programme)
    if changes_nothing(act, life):
        return f"{act.what}: nothing new"
    wrong = problems(act, life, home.today)
    nobody, restricted = life.erased or act["elsewhere"], "participant" in wrong and "token" in wrong
    if len(wrong) > 1 and not nobody and not restricted:
        return "several things are wrong"
    member = _AS_WHOM.get(act.what, "person") if nobody else "participant" if restricted else min(wrong, default="")
    return f"{act.what} refused: {member}" if wrong else f"{act.what}: {act['as']}"


_AS_WHOM = {
    **dict.fromkeys(("door", "raise", "worker"), "subject"),
    **dict.fromkeys(("exit", "follow up"), "participant"),
    "hand over": "people",
}
"""By which member a command names whom it is about, where that is not `person`."""


def attempt(home: Home, programme: Programme, act: Act, one: Known | None) -> str | None:
    """Do it, and see whether the model and the service say the same; the subject of who is new."""
    life = one.life if one else Life(programme)
    wrong, idle = problems(act, life, home.today), changes_nothing(act, life)
    if act.what in ("start form", "exit form"):
        act = replace(act, told={**act.told, "was": _seen(home, programme, act, one)})
    if act.what == "door":
        _open_door(home, programme.key)
        _table(home, programme.key)
    if act.what == "erase":
        home.hear()  # pathways has heard of them, and hears at once that they are gone
    few = len(home.people) <= MANY and home.engine.dialect.name == "sqlite"
    whole = few or home.chance.random() < 0.05
    before = everything(home, whole) if wrong or idle else None
    answer: Answer = home.dies(_done, home, programme, act, one)
    error, made = answer
    case = programme.key, act, life.standing, life.leaving, sorted(wrong), error and (error.code, error.params)
    assert bool(wrong) == (error is not None), ("must be refused" if wrong else "must be taken", *case)
    if error is not None:
        field = str(error.params.get("field", error.params.get("what"))).split()[0]
        assert field in wrong, ("another member is named", *case)
        assert str(error).strip(), case
        home.reached[programme.key, f"{act.what} refused: {field}"] += 1
        home.reached[programme.key, "several things are wrong"] += 1
    if wrong or idle:
        assert everything(home, whole) == before, ("something is left behind", *case)
        home.reached[programme.key, f"{act.what}: nothing new"] += not wrong
        return None
    _taken(home, programme, act, one, made)
    home.reached[programme.key, f"{act.what}: {act['as']}"] += 1
    if act.what in _KEYED and home.chance.random() < 0.3:
        kept = everything(home, whole)
        again, new = _done(home, programme, act, one)
        assert (again, new, everything(home, whole)) == (None, made, kept), ("twice is once", *case)
    return made


_KEYED = ("meet", "register", "raise", "start form", "exit", "follow up", "exit form", "attempt", "EURA")
"""What has a key of its own, so that it may be sent again."""


def _taken(home: Home, programme: Programme, act: Act, one: Known | None, made: str | None) -> None:
    """Write into the lives what was taken."""
    if one is None or (act.what == "raise" and act["kept"] is False):
        if one is not None:  # nothing leads to the one of before any more
            one.token, one.nameless = None, True
        if made is not None:
            began = Act("register", act.day, act.told) if act.what == "raise" else act
            someone = Known(made, programme, Life(programme, [began]), act["token"])
            home.people[made] = someone
            home.mine[programme.key].append(someone)
        return
    others = [x for x in home.here(programme) if x.life.worker == act["giver"]] if act.what == "hand over" else []
    for somebody in {one.subject: one, **{other.subject: other for other in others}}.values():
        somebody.life.acts.append(act)
    if act.what == "link":
        home.verdicts[frozenset((one.subject, act["other"]))] = act["verdict"]
    if act.what == "erase":
        one.life.erased, one.token = True, None
        home.verdicts = {pair: said for pair, said in home.verdicts.items() if one.subject not in pair}
        home.hear()


def everything(home: Home, whole: bool) -> Any:
    """All that intake and the journal hold; the audit log apart, for who looks is written down.

    Not `whole`: the heads alone, without which nothing is told.
    """
    tables = [t.name for t in metadata.sorted_tables if t.name.startswith(("intake_", "journal_"))]
    tables = [name for name in tables if name not in ("journal_line", "journal_audit")]  # their heads say it
    if not whole:
        tables = ["journal_head"]
    said = {name: f"{name} WHERE name <> 'audit'" if name == "journal_head" else name for name in tables}
    with snapshot(home.engine) as connection:
        if home.engine.dialect.name == "sqlite":
            cursor = connection.connection.cursor()  # past SQLAlchemy, for it is asked a thousand times
            rows = {name: cursor.execute(f"SELECT * FROM {said[name]}").fetchall() for name in tables}
            return {name: sorted(map(repr, found)) for name, found in rows.items()}
        digest = "md5(coalesce(string_agg(x::text, '' ORDER BY x::text), ''))"
        every = [f"SELECT '{name}', {digest} FROM (SELECT * FROM {said[name]}) x" for name in tables]
        return sorted(map(tuple, connection.execute(text(" UNION ALL ".join(every)))))


def _seen(home: Home, programme: Programme, act: Act, one: Known | None) -> str:
    """The revision that whoever writes has seen."""
    if act["stale"] or one is None or one.gone or act["elsewhere"]:
        return "0" * 64
    show = starts.show_start if act.what == "start form" else exit_forms.show_exit
    coded, _ = show(home.journal, VAULT, programme.key, one.subject, by=BY, now=home.now)
    return str(coded["revision"])


Answer = tuple[PolkuError | None, str | None]


def _done(home: Home, programme: Programme, act: Act, one: Known | None) -> Answer:
    key = next(k for k in KEYS if k != programme.key) if act["elsewhere"] else programme.key
    try:
        return _DO[act.what](home, key, act, one.subject if one else "")
    except PolkuError as error:
        return error, None


def _first(results: list[dict[str, Any]]) -> Answer:
    (result,) = results
    return (PolkuError.from_wire(result["error"]) if "error" in result else None), None


def _by(home: Home) -> dict[str, Any]:
    return {"by": BY, "now": home.now}


def _meet(home: Home, key: str, act: Act, subject: str) -> Answer:
    counts = {name: act[name] for name in ("people_new", "people_known", "women")}
    content = Encounter(act.day, topics=tuple(act["topics"]), **counts)
    new = NewEncounter(act["key"], content, (act["token"],) if act["token"] else ())
    results, _ = encounters.record_encounters(home.journal, VAULT, key, [new], **_by(home))
    error, _ = _first(results)
    if error is not None or act["token"] is None or subject:
        return error, None
    with snapshot(home.engine) as connection:
        query = select(journal_line.c.line).where(journal_line.c.kind == "intake.visitor_met")
        (line,) = connection.execute(query.order_by(journal_line.c.pos.desc()).limit(1)).scalars()
    return None, str(lines.parse(line).subject)


def _door(home: Home, key: str, act: Act, subject: str) -> Answer:
    at = _table(home, key) if act["how"] == "table" else _open_door(home, key)
    if act["how"] == "nickname":
        doors.meet_visitor(home.journal, VAULT, key, at, act["token"], woman=False, **_by(home))
    else:
        who = hex_id("stranger") if act["how"] == "stranger" else subject
        doors.tap_visitor(home.journal, key, at, who, there=act["how"] != "tile off", **_by(home))
    return None, None


def _open_door(home: Home, key: str) -> str:
    """Today's door; asked for again it is the same."""
    content = Encounter(home.today, people_new=0, people_known=0, women=0)
    return doors.open_door(home.journal, key, key_of(f"door {key} {home.today}"), content, **_by(home))[0]


def _table(home: Home, key: str) -> str:
    """An encounter that was written down, at no door."""
    met = NewEncounter(key_of(f"table {key}"), Encounter(home.programmes[key].period.start), ())
    return str(encounters.record_encounters(home.journal, VAULT, key, [met], **_by(home))[0][0]["encounter"])


def _arrival(act: Act) -> Arrival:
    names = {"given_name": "Esimerkki", "family_name": "Keksitty"} if act["named"] else {}
    born = {"birth_date": act["born"].isoformat()} if act["born"] else {}
    token = {"token": act["token"]} if act["token"] else {}
    return Arrival(act["key"], act["standing"], act["start"], dict(act["record"]), names | born | token)


def _register(home: Home, key: str, act: Act, _subject: str) -> Answer:
    given = (home.journal, VAULT, key, [_arrival(act)])
    results, _ = operations.register_participants(*given, worker=act["worker"], **_by(home))
    return _first(results)[0], results[0].get("subject")


def _raise(home: Home, key: str, act: Act, subject: str) -> Answer:
    new = Raise(act["key"], subject, act["kept"], _arrival(act))
    results, _ = raising.raise_standing(home.journal, VAULT, key, [new], **_by(home), desk=DESK)
    return _first(results)[0], results[0].get("subject") if act["kept"] is False else None


def _start_form(home: Home, key: str, act: Act, subject: str) -> Answer:
    content = {"birth_date": act["born"].isoformat()} if act["born"] else {}
    new = NewStart(act["key"], subject, act["was"], act["start"], dict(act["record"]), content)
    return _first(starts.record_starts(home.journal, VAULT, key, [new], **_by(home), desk=DESK)[0])


def _correct_start(home: Home, key: str, act: Act, subject: str) -> Answer:
    record = {"start_date": act["start"].isoformat()}
    rights.correct_person(home.journal, VAULT, key, subject, {}, record, **_by(home), desk=DESK)
    return None, None


def _exit(home: Home, key: str, act: Act, subject: str) -> Answer:
    given = (act["key"], subject, act.day, act["reason"], act["results"], act["next"], bool(act["corrects"]))
    if act["back"] is not None:
        new: NewExit = ReturnedExit(*given, planned=act["planned"] or "", back=act["back"])
    else:
        new = PlannedExit(*given, planned=act["planned"]) if act["planned"] else NewExit(*given)
    return _first(exits.record_exits(home.journal, key, [new], **_by(home))[0])


def _return(home: Home, key: str, act: Act, subject: str) -> Answer:
    exits.resume_participation(home.journal, key, subject, act.day, **_by(home))
    return None, None


def _follow_up(home: Home, key: str, act: Act, subject: str) -> Answer:
    new = NewFollowUp(act["key"], subject, act["due"], act.day, act["status"], act["results"])
    return _first(exits.record_follow_ups(home.journal, key, [new], **_by(home))[0])


def _exit_form(home: Home, key: str, act: Act, subject: str) -> Answer:
    told = {"may_call": act["may_call"]} | ({"form_signed_on": act["signed"].isoformat()} if act["signed"] else {})
    new = NewExitForm(act["key"], subject, act["was"], told, {"form_kept": "kaappi"})
    return _first(exit_forms.record_exit_forms(home.journal, VAULT, key, [new], **_by(home))[0])


def _attempt(home: Home, key: str, act: Act, subject: str) -> Answer:
    new = NewAttempt(act["key"], subject, act["record"], act["status"], act.day)
    return _first(starts.record_attempts(home.journal, key, [new], **_by(home))[0])


def _eura(home: Home, key: str, act: Act, subject: str) -> Answer:
    new = eura.NewEntry(act["key"], subject, act["record"], act["by"], act.day)
    return _first(eura.note_entries(home.journal, VAULT.vault, key, [new], **_by(home))[0])


def _worker(home: Home, key: str, act: Act, subject: str) -> Answer:
    was = {act["key"]: None} if act["stale"] else {}
    new = workers.NewWorker(act["key"], subject, act["worker"])
    return _first(workers.assign_workers(home.journal, key, [new], was, **_by(home))[0])


def _hand_over(home: Home, key: str, act: Act, subject: str) -> Answer:
    wanted = HandOver(act["giver"], act["worker"], act["reason"], key, [subject])
    workers.hand_over(home.journal, wanted, act.day, **_by(home))
    if act["giver"] != act["worker"]:  # then all the others of that worker
        workers.hand_over(home.journal, replace(wanted, people=None), act.day, **_by(home))
    return None, None


def _restrict(home: Home, key: str, act: Act, subject: str) -> Answer:
    rights.restrict_person(home.journal, key, subject, act["ground"], lift=False, **_by(home))
    return None, None


def _lift(home: Home, key: str, _act: Act, subject: str) -> Answer:
    rights.restrict_person(home.journal, key, subject, None, lift=True, **_by(home))
    return None, None


def _no_referrals(*_: Any) -> None:
    """Of nobody here has gone to another partner's node."""


def _withdraw(home: Home, key: str, act: Act, subject: str) -> Answer:
    place = (home.journal, VAULT, key, subject)
    purposes.end_purpose(*place, act["purpose"], "withdrawn", first=_no_referrals, **_by(home))
    return None, None


def _forget_record(home: Home, key: str, _act: Act, subject: str) -> Answer:
    place = (home.journal, VAULT, key, subject)
    purposes.end_purpose(*place, "esf_record", "asked", first=_no_referrals, **_by(home))
    return None, None


def _link(home: Home, key: str, act: Act, subject: str) -> Answer:
    pair = (subject, act["other"], act["verdict"])
    duplicates.judge(home.journal, key, *pair, was=act["was"], **_by(home))
    return None, None


def _erase(home: Home, key: str, _act: Act, subject: str) -> Answer:
    operations.erase_person(home.journal, key, subject, may=purposes.check_may_erase, **_by(home))
    return None, None


_DO: dict[str, Callable[[Home, str, Act, str], Answer]] = {
    **{"meet": _meet, "door": _door, "register": _register, "raise": _raise, "start form": _start_form},
    **{"correct start": _correct_start, "exit": _exit, "return": _return, "follow up": _follow_up},
    **{"exit form": _exit_form, "attempt": _attempt, "EURA": _eura, "worker": _worker, "hand over": _hand_over},
    **{"restrict": _restrict, "lift": _lift, "withdraw": _withdraw, "forget record": _forget_record, "link": _link},
    "erase": _erase,
}
