"""People's plans, written whole by pathways' own operation; some that cannot be (decision 0218)."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from services.pathways import plans
from services.pathways.planning import Entry, NewPlan
from tests.services.kit import key_of
from tests.services.pathways.kit import hex_id
from tests.years.home import Home, Known
from tests.years.steps import person_of

_TAKEN = ("written", "goal", "review", "changed", "gone")
_NEW = Entry("", "action", "open", True, None, None, None, None, ())


def plan(home: Home, one: Known, day: date) -> None:
    """The plan once more with something in it that is another: an entry more, done, of another day, taken out."""
    home.note()
    chance, today, outcomes = home.chance, home.today, one.programme.outcomes
    text, entries, wrong = hex_id("text", home.number()), list(one.plan), ""
    at = chance.randrange(len(entries)) if entries else -1
    later = today + timedelta(days=chance.choice([3, 9]))
    kinds: dict[str, Entry] = {
        "written": replace(_NEW, text_ref=text, who="worker"),
        "goal": replace(_NEW, what="goal", text_ref=text),
        "review": replace(_NEW, what="review", state="done", day=day),
        "late review": replace(_NEW, what="review", state="done", day=today + timedelta(days=1)),
        "no text": replace(_NEW, who="worker"),
        "who of a goal": replace(_NEW, what="goal", text_ref=text, who="worker"),
        "far": replace(_NEW, text_ref=text, day=today + timedelta(days=400)),
        "early": replace(_NEW, text_ref=text, day=one.programme.period.start - timedelta(days=1)),
        "no such barrier": replace(_NEW, what="barrier", barrier="nothing_of_this"),
        "not of this plan": replace(_NEW, entry=hex_id("foreign"), text_ref=text),
    }
    ways = [*kinds, "written", "written", "written", "review", *(["changed"] * 8 + ["gone"] if entries else [])]
    still = [way for way in _TAKEN if not home.reached[one.programme.key, f"plan {way}"] and way in ways]
    wanted = chance.choice(still if still and chance.random() < 0.5 else ways)
    if wanted == "gone":
        del entries[at]
    elif wanted == "changed":
        action = entries[at].what == "action"
        changes: list[dict[str, Any]] = [{"shown": False}, {"state": "done"}, {"state": "given_up"}, {"state": "open"}]
        changes += [{"day": later}, {"day": later}, {"who": "person"}, {"who": "worker"}] if action else []
        entries[at] = replace(entries[at], **chance.choice(changes))
    else:
        entries.append(kinds[wanted])
        wrong = "" if wanted in ("written", "goal", "review") else wanted
    into, ready, was = chance.choice([None, outcomes[0].key]), False, one.revision
    if chance.random() < 0.2:
        nexts: list[tuple[str, Any]] = [("", outcomes[0].key), ("into nothing", None), ("no such service", "kuuhun")]
        nexts += [("a plan", o.key) for o in outcomes if o.is_plan]
        more, into = chance.choice(nexts)
        ready, wrong = True, more or wrong
    if chance.random() < 0.1:
        was, wrong = was + 1, "stale"
    may = not wrong and not one.life.restricted and person_of(home, one).programme == one.programme.key
    new = NewPlan(key_of(f"plan {home.number()}"), one.subject, was, (), into, ready, tuple(entries))
    common = {"by": "worker", "now": home.now}
    (result,), _ = home.dies(plans.record_plans, home.journal, one.programme.key, [new], **common)
    error = result.get("error")
    assert may == (error is None), (one.programme.key, wanted, wrong, result)
    home.reached[one.programme.key, f"plan {'refused' if error else wanted}"] += 1
    if error is None:
        shown = plans.show_plan(home.engine, one.programme.key, one.subject)
        ids = [entry["entry"] for entry in shown["entries"]]
        one.plan = [replace(entry, entry=made) for entry, made in zip(entries, ids, strict=True)]
        one.revision = shown["revision"]
