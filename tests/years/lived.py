"""Lives that are lived in every programme, whatever chance does: what needs much before it, and what is rarely met."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from shared.programmes import Programme

LIVES = ("whole", "other", "third", "fourth")
Try = tuple[str, str, date, dict[str, Any], str]
"""Who, what, of which day, what is told, as what it counts."""


def whole_lives(programme: Programme, day: date, today: date) -> Iterator[Try]:
    """Four visitors, from `day` on, forty days before `today`."""
    later, into = day + timedelta(days=20), next(o.key for o in programme.outcomes if not o.is_plan)
    record = {"gender": "f", "labour_status": "employed", "education": 3, "form_signed_on": day.isoformat()}
    said = {"standing": "esf_participant", "start": day, "born": date(1980, 5, 17), "record": record, "named": True}
    nothing = dict.fromkeys(("results", "next", "planned", "corrects", "back"))
    left = nothing | {"reason": "completed", "next": into}
    vain = {"due": later + timedelta(days=2), "status": "not_reached", "results": None}
    form = {"signed": later, "may_call": "yes"}
    at, asked = {"at": f"door {programme.key} {today}"}, later + timedelta(days=2)
    unsigned, client = said | {"record": {"gender": "f"}}, said | {"standing": "client", "kept": True}
    register = "visitor > client with history"

    yield "whole", "door", today, at | {"how": "tile"}, "tile"
    yield "whole", "door", today, at | {"how": "tile off"}, "tile off"
    yield "whole", "raise", day, client | {"kept": None}, "visitor > client"
    yield "whole", "raise", day, client | {"named": False}, register
    yield "whole", "raise", day, client, register
    yield "whole", "start form", day, said | {"stale": True}, "client > esf_participant"
    yield "whole", "start form", day, said, "client > esf_participant"
    yield "whole", "exit", day, left | {"corrects": True}, "corrected"
    yield "whole", "exit", day + timedelta(days=10), left, "completed"
    yield "whole", "return", later, {}, "back"
    yield "whole", "return", later, {}, "back"
    yield "whole", "exit", later, left | {"reason": "died", "back": later}, "and back"
    yield "whole", "exit", later, left | {"reason": "moved"}, "again"
    yield "whole", "follow up", asked, vain, "not_reached"
    yield "whole", "follow up", asked, vain, "not_reached"
    yield "whole", "follow up", asked, vain, "three times in vain"
    yield "whole", "follow up", asked, vain, "not_reached"
    yield "whole", "exit form", today, form | {"stale": True}, "signed"
    yield "whole", "exit form", today, form, "signed"
    yield "whole", "restrict", today, {"ground": "accuracy"}, "done"
    yield "whole", "restrict", today, {"ground": "accuracy"}, "done"
    yield "whole", "door", today, at | {"how": "tile"}, "tile"
    yield "whole", "start form", day, said, "corrected"
    yield "whole", "exit", today, left | {"reason": "moved"}, "moved"
    yield "whole", "return", later, {}, "back"
    yield "whole", "follow up", asked, vain | {"status": "refused"}, "refused"
    yield "whole", "exit form", today, form, "signed"
    yield "whole", "attempt", today, {"record": "exit", "status": "refused"}, "exit refused"
    yield "whole", "EURA", today, {"record": "exit", "by": "self"}, "exit self"
    yield "whole", "lift", today, {}, "done"
    yield "whole", "lift", today, {}, "done"
    yield "whole", "return", later, {}, "back"
    yield "other", "raise", day, unsigned | {"kept": True}, "visitor > esf_participant with history"
    yield "other", "exit", later, nothing | {"reason": "no_contact"}, "no_contact"
    yield "third", "restrict", today, {"ground": "claims"}, "done"
    yield "third", "raise", day, client, register
    yield "third", "lift", today, {}, "done"
    yield "third", "raise", day, client | {"record": {"gender": "f"}}, register
    yield "fourth", "raise", day, client | {"start": None, "record": {"gender": "f"}}, register
    yield "fourth", "exit", later, nothing | {"reason": "died"}, "died"
    yield "fourth", "return", later, {}, "back"
    yield "fourth", "exit", later, nothing | {"reason": "moved", "corrects": True}, "corrected"
    yield "fourth", "return", later, {}, "back"
    yield "fourth", "exit", later, nothing | {"reason": "moved"}, "again"
    yield "fourth", "start form", today, said | {"start": later + timedelta(days=1)}, "client > esf_participant"


def last_lives(today: date) -> Iterator[Try]:
    """Visitors who stand in every way at the end, whoever of the others was erased."""
    record = {"gender": "m", "labour_status": "employed", "education": 3, "form_signed_on": today.isoformat()}
    said = {"start": today, "born": date(1980, 5, 17), "named": True, "kept": True}
    nothing = dict.fromkeys(("results", "next", "planned", "corrects", "back")) | {"reason": "no_contact"}
    participant, client = {"standing": "esf_participant"}, {"standing": "client", "record": {"gender": "m"}}
    way = "visitor > esf_participant with history"
    yield "whole", "raise", today, said | participant | {"record": record}, way
    yield "whole", "exit", today, nothing, "no_contact"
    yield "whole", "return", today, {}, "back"
    yield "other", "raise", today, said | participant | {"record": {"gender": "m"}}, way
    yield "other", "exit", today, nothing, "no_contact"
    yield "third", "raise", today, said | client, "visitor > client with history"
    yield "fourth", "raise", today, said | client | {"start": None}, "visitor > client with history"
    yield "fourth", "exit", today, nothing, "no_contact"
    begun = said | participant | {"record": {"gender": "m"}, "kept": None}
    yield "fourth", "start form", today, begun, "client > esf_participant"
