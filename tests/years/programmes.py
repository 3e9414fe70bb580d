"""The five programmes, with what each lacks to have every kind of rule."""

import copy
from typing import Any

from shared.programmes import load_file
from shared.programmes.checking import SCHEMA_FILE

KEYS = ("kuntsari", "tyollista-valittaen", "lahde-mukaan", "osallisuuden-askeleet", "suunta-yhdessa")
"""The five, in the order of their first days."""
DAYS = 366
NAME = {"fi": "lisätty"}


def with_everything(key: str) -> dict[str, Any]:
    """The programme's file, and what it lacks."""
    document = copy.deepcopy(load_file(SCHEMA_FILE.parent / f"{key}.yaml"))
    counts = {group["key"]: group["counts"] for group in document["groups"]}
    of_people = [a["key"] for a in document["activities"] if counts[a["group"]] == "people"]
    of_heads = [a["key"] for a in document["activities"] if counts[a["group"]] == "heads"]
    there = {"on": "attendance_recorded", "activity": of_people[0]}
    steps: list[dict[str, Any]] = [
        {"key": "sim_guarded", "entry": "conditional", "enter_when": [{"on": "conversation_held"}]},
        {"key": "sim_done", "completion": "automatic", "complete_when": [there, {"on": "conversation_held"}]},
        {"key": "sim_alone", "alone": True},
        {"key": "sim_free", "enter_when": [{"on": "outcome_recorded", "outcome": "sim_outcome"}]},
    ]
    tasks: list[dict[str, Any]] = [
        {"key": "sim_talk", "opens": {"on": "standing_reached", "standing": "client"}, "due_days": 7,
         "closes": {"on": "conversation_held"}, "repeats_days": 23},
        {"key": "sim_ask", "opens": there, "due_days": 30, "closes": {"on": "outcome_recorded"}},
        {"key": "sim_next", "opens": {"on": "step_left"}, "due_days": 0, "closes": {"on": "step_entered"}},
        {"key": "sim_start", "opens": {"on": "participation_started"}, "due_days": 5,
         "closes": {"on": "meeting_planned"}},
        {"key": "sim_action", "opens": {"on": "action_agreed"}, "due_days": 14},
        {"key": "sim_call", "opens": {"on": "participation_ended"}, "due_days": 90,
         "closes": {"on": "follow_up_recorded", "status": "reached"}},
        {"key": "sim_form", "opens": {"on": "participation_ended", "reason": "completed"}, "due_days": 28,
         "closes": {"on": "exit_form_recorded"}},
        {"key": "sim_eura", "opens": {"on": "participation_started"}, "due_days": 14,
         "closes": {"on": "eura_entered", "record": "start"}},
        {"key": "sim_again", "opens": {"on": "record_attempted", "status": "not_reached"}, "due_days": 7,
         "closes": {"on": "visitor_met"}},
        {"key": "sim_plan", "opens": {"on": "plan_action", "who": "worker"}, "due_days": 14},
        {"key": "sim_review", "opens": {"on": "standing_reached", "standing": "client"}, "due_days": 30,
         "closes": {"on": "plan_reviewed"}, "repeats_days": 60},
        {"key": "sim_meet", "opens": {"on": "meeting_planned"}, "due_days": 1, "closes": {"on": "conversation_held"}},
    ]  # fmt: skip
    document["steps"] = [
        *document.get("steps", []),
        *({"name": NAME, "level": "individual", **step} for step in steps),
        {"key": "sim_net", "name": NAME, "level": "service_system", "advanced_by": of_heads[:1]},
    ]
    document["followup"] = {"after_days": 30}
    document["tasks"] = [*document.get("tasks", []), *({"name": NAME, **task} for task in tasks)]
    document["products"] = [*document.get("products", []), {"key": "sim_book", "name": NAME, "step": "sim_net"}]
    outcome = {"key": "sim_outcome", "name": NAME, "activity": of_people[0]}
    document["outcomes"] = [*document.get("outcomes", []), outcome]
    return document
