"""Into what people leave a project: the rule of `exit_needs_next`, for who records an exit and who checks a file."""

from collections.abc import Iterator

from shared.programmes.model import Programme

NEEDS_NEXT = ("completed", "interrupted", "moved")
"""Reasons of who could still be asked; the others died, were not reached, or another partner goes on with them."""
ELSEWHERE = "transferred"
"""Another partner of the programme goes on with the person: so only where there is one (decision 0217)."""


def next_problems(programme: Programme, reason: str, to: str | None, planned: str | None) -> Iterator[tuple[str, str]]:
    """Why somebody cannot leave so, by field: `to` and `planned` are outcomes of the programme, or None.

    `planned` is the service that a ready plan (`to`) names.
    """
    if reason == ELSEWHERE and len(programme.partners) < 2:
        yield "reason", "the programme has no other partner who could go on with them"
    outcome = programme.outcome_by_key.get(to or "")
    has_plan = outcome is not None and outcome.is_plan
    if planned is not None and not has_plan:
        yield "planned", "only a ready plan names one"
    elif planned is not None and programme.outcome_by_key[planned].is_plan:
        yield "planned", "is a plan, not a service"
    if programme.exit_needs_next and reason in NEEDS_NEXT:
        if outcome is None:
            yield "next", "whoever leaves is in a next service or has a ready plan"
        elif has_plan and planned is None:
            yield "planned", "a ready plan says which service comes next"
