"""What a node says was recorded by mistake (decision 0249): its rows go; of times on steps see `step_mistakes`.

What is not there, because its line was refused, has not to be undone: that is no error.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from shared.contracts.catalogue import AttendanceRemoved
from shared.contracts.encounter_facts import EncounterRemoved
from shared.contracts.facts import Fact
from shared.contracts.mistake_facts import AnonymousSheetRemoved, AssessmentRemoved, FollowUpRemoved, OutcomeRemoved

if TYPE_CHECKING:
    from services.reporting.effects import Derivation

_BY_ID: dict[type[Fact], tuple[str, str]] = {
    AttendanceRemoved: ("reporting_attendance", "attendance"),
    EncounterRemoved: ("reporting_encounter", "encounter"),
    OutcomeRemoved: ("reporting_outcome", "outcome_id"),
    FollowUpRemoved: ("reporting_follow_up", "follow_up"),
    AnonymousSheetRemoved: ("reporting_sheet", "assessment"),
}
"""What has a row of its own by its id: the derived table, and the member that holds the id."""


def _by_id(made: "Derivation", fact: Fact) -> str | None:
    table, member = _BY_ID[type(fact)]
    made.effects.rows[table][made.stream, bytes.fromhex(fact[member])] = None
    return None


def _scores(made: "Derivation", fact: Fact) -> str | None:
    """Take back all scores of a form, if they are this person's: those on their way here, the stored ones by what
    stores the effects, because those before these may not be there yet."""
    rows = made.effects.rows["reporting_score"]
    form, who = bytes.fromhex(fact["assessment"]), bytes.fromhex(str(fact.subject))
    for key, row in rows.items():
        if key[1] == form and row is not None and row["subject"] == who:
            rows[key] = None
    made.effects.forms_removed.append((form, who))
    return None


EFFECTS: dict[type[Fact], Callable[["Derivation", Fact], str | None]] = {
    **dict.fromkeys(_BY_ID, _by_id),
    AssessmentRemoved: _scores,
}
"""What each of these facts undoes."""
