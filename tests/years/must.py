"""What must have been reached in each of the five programmes: every state, and every way into one that its file allows,
and of what cannot be every member by which it is refused."""

from collections import Counter
from functools import cache

from tests.years.programmes import with_everything

_TAKEN = {
    "meet": ("heads", "new", "again"),
    "door": ("tile", "tile off", "nickname", "nothing new"),
    "register": ("visitor", "client", "esf_participant"),
    "raise": (
        *("visitor > client with history", "visitor > esf_participant with history", "client > esf_participant"),
        *("visitor > client without history", "visitor > esf_participant without history"),
    ),
    "start form": ("client > esf_participant", "corrected"),
    "correct start": ("done",),
    "exit": (
        *("completed", "interrupted", "moved", "transferred", "no_contact", "died"),
        *("earlier", "corrected", "and back", "again"),
    ),
    "return": ("back", "nothing new"),
    "follow up": ("reached", "not_reached", "refused", "three times in vain"),
    "exit form": ("signed", "unsigned"),
    "attempt": ("start refused", "start not_reached", "exit refused", "exit not_reached"),
    "EURA": ("start self", "start worker", "exit self", "exit worker"),
    "worker": ("first", "changed", "kept"),
    "hand over": ("done",),
    "restrict": ("done", "nothing new"),
    "lift": ("done", "nothing new"),
    "withdraw": ("consent",),
    "forget record": ("of a visitor", "of a client", "of a esf_participant"),
    "link": ("none > same", "none > apart", "same > apart", "apart > same"),
    "erase": ("done", "nothing new"),
}
_REFUSED = {
    "meet": ("date", "women", "topics"),
    "door": ("encounter", "subject", "participant"),
    "register": (
        *("given_name", "token", "start_date", "birth_date", "form_signed_on", "paid_by_project", "target_group"),
        *("minority", "unemployed_months"),
    ),
    "raise": ("standing", "keeps_history", "given_name", "start_date", "subject", "participant"),
    "start form": ("standing", "was", "start_date", "participant", "person"),
    "correct start": ("start_date", "person"),
    "exit": ("participant", "date", "corrects", "results", "next", "planned", "person", "resumed_on"),
    "return": ("participant", "person", "date"),
    "follow up": ("participant", "date", "due", "status", "results"),
    "exit form": ("participant", "person", "was", "form_signed_on"),
    "attempt": ("participant", "person", "date"),
    "EURA": ("participant", "person", "date"),
    "worker": ("subject", "worker"),
    "hand over": ("to", "date", "people"),
    "restrict": ("ground", "person"),
    "lift": ("person",),
    "withdraw": ("person", "purpose"),
    "link": ("same_as", "person", "was"),
    "forget record": ("person",),
}
STANDS = (
    *("stands as visitor", "stands as client", "stands as esf_participant", "is there", "has left", "is back"),
    *("record complete", "record incomplete", "record unproved"),
)
"""How somebody stands at the end."""
MUST = [
    *(f"{what}: {way}" for what, ways in _TAKEN.items() for way in ways),
    *(f"{what} refused: {member}" for what, members in _REFUSED.items() for member in members),
    *STANDS,
    *("step taken", "step refused", "pause taken", "pause refused", "outcome taken", "outcome refused"),
    *("returned", "in parallel", "away", "back", "on sim_guarded", "on sim_done", "on sim_alone", "on sim_free"),
    *("plan written", "plan goal", "plan review", "plan changed", "plan gone", "plan refused"),
    *("product begun", "product finished", "network going_on", "network done"),
    *("task open", "task met", "task done", "task dismissed", "task late", "task repeated"),
    *("step completed", "proposed"),
]
WITH_ANOTHER, ALONE = "exit: transferred", "exit refused: reason"
"""Who leaves goes on with another partner, where there is one."""


@cache
def must(programme: str) -> tuple[str, ...]:
    """What must have been reached in this programme."""
    alone = len(with_everything(programme)["partners"]) == 1
    return (*(what for what in MUST if not alone or what != WITH_ANOTHER), *([ALONE] if alone else []))


ANYWHERE = ["killed", "task refused", "step corrected"]
"""What must have been reached in one of them at least."""


_OF_PATHWAYS = {
    **dict.fromkeys(("step", "on", "returned", "in"), "stay"),
    **dict.fromkeys(("pause", "away", "back"), "away"),
    **dict.fromkeys(("product", "network"), "product"),
    **{"plan": "plan", "outcome": "outcome"},
}


def wanting(reached: Counter[tuple[str, str]], programme: str, *, of_intake: bool) -> list[str]:
    """What is still to be done in the programme, once for each thing that was not reached by it."""
    still = [what for what in must(programme) if not reached[programme, what]]
    if of_intake:
        return [what.partition(":")[0].removesuffix(" refused") for what in still if ":" in what]
    return [_OF_PATHWAYS[first] for what in still if ":" not in what and (first := what.split()[0]) in _OF_PATHWAYS]
