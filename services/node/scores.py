"""`polku score --check`: does every stored score follow from its answers and its pinned instrument?"""

import json
from collections.abc import Iterator
from typing import Any

import click

from services.measurement.queries import check_scores
from services.node.opening import open_database
from shared.ops.settings import Home

_REASONS = {
    "differs": "",
    "missing": " (no score is stored)",
    "no_such_scale": " (the instrument has no such scale)",
    "no_such_assessment": " (there is no such assessment)",
    "definition": " (the definition is gone or is not what its digest says)",
    "answers": " (the answers are not the instrument's)",
}


def run(home: Home, *, as_json: bool) -> int:
    """Check, say what differs and how much was checked; the exit code, 1 if anything differs."""
    state = _state(home)
    click.echo(json.dumps(state, indent=2) if as_json else "\n".join(_lines(home, state)))
    return 1 if state["different"] else 0


def _state(home: Home) -> dict[str, Any]:
    """What was found; a lead holds no answers, so there is nothing to check."""
    if home.role == "lead":
        return {"assessments": 0, "scores": 0, "different": []}
    found = check_scores(open_database(home))
    return {"assessments": found.assessments, "scores": found.scores, "different": found.different}


def _lines(home: Home, state: dict[str, Any]) -> Iterator[str]:
    for row in state["different"]:
        stored, computed = (row[name] if row[name] is not None else "none" for name in ("stored", "computed"))
        why = _REASONS[row["reason"]]
        yield f"{row['assessment']}  {row['scale']}  stored {stored}  computed {computed}{why}"
    if home.role == "lead":
        yield "nothing to check: answers and their scores are on the nodes"
    else:
        bad = len(state["different"])
        yield f"{state['scores']} scores of {state['assessments']} assessments checked, {bad} different"
