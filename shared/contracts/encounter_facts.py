"""The facts of encounters: who was met on the street or at the door, as heads; and of visitors, who are known by a
nickname. A part of `catalogue`."""

from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import Code, Codes, Day, EntityId, Flag, Language, Number, ProgrammeKey, TimeOfDay

_ID = "00112233445566778899aabbccddeeff"


class EncounterRecorded(Fact):
    """People were met in outreach or at a drop-in, as heads: never who. A later one of the same encounter corrects it.

    What is left out nobody wrote down; 0 is a count. `people_new` and `people_known` are different heads, `women` are
    among them, `staff` is how many workers. `topics` and `guided_to` (services) are keys of the programme file.
    """

    kind, v, reach, about = "intake.encounter_recorded", 1, Reach.LEAD, About.NOBODY
    encounter = EntityId()
    occurred_on = Day()
    start = TimeOfDay(allow_none=True)
    location = Code(allow_none=True)
    area = Code(allow_none=True)
    staff = Number(0, 1000, allow_none=True)
    people_new = Number(0, 100_000, allow_none=True)
    people_known = Number(0, 100_000, allow_none=True)
    women = Number(0, 200_000, allow_none=True)
    languages = Codes(Language(), allow_none=True)
    topics = Codes(Code(), allow_none=True)
    guided_to = Codes(Code(), allow_none=True)
    example = {
        **{"encounter": _ID, "occurred_on": "2017-09-01", "area": "centre", "staff": 2},
        **{"people_new": 3, "people_known": 5, "women": 4, "topics": ["work"]},
    }


class EncounterRemoved(Fact):
    """An encounter had been recorded by mistake."""

    kind, v, reach, about = "intake.encounter_removed", 1, Reach.LEAD, About.NOBODY
    encounter = EntityId()
    example = {"encounter": _ID}


class VisitorMet(Fact):
    """Somebody who is known by a nickname or token was met at an encounter. It stays on the node: beside the
    encounter's topics it would say what that person talked about (decision 0200)."""

    kind, v, reach, about = "intake.visitor_met", 1, Reach.NODE, About.SOMEBODY
    visit = EntityId()
    encounter = EntityId()
    programme = ProgrammeKey()
    occurred_on = Day()
    example = {"visit": _ID, "encounter": _ID, "programme": "a-b", "occurred_on": "2017-09-01"}


class VisitRemoved(Fact):
    """A visitor was not there after all, or the encounter was removed."""

    kind, v, reach, about = "intake.visit_removed", 1, Reach.NODE, About.SOMEBODY
    visit = EntityId()
    encounter = EntityId()
    programme = ProgrammeKey()
    example = {"visit": _ID, "encounter": _ID, "programme": "a-b"}


class HistoryAsked(Fact):
    """A visitor who registered was asked whether what is known of their visits goes along. `kept`: they wish it, and
    the subject stays; else this subject is a new one, and nothing says whose visits those were."""

    kind, v, reach, about = "intake.history_asked", 1, Reach.NODE, About.SOMEBODY
    programme = ProgrammeKey()
    kept = Flag()
    occurred_on = Day()
    example = {"programme": "a-b", "kept": True, "occurred_on": "2017-09-01"}


ENCOUNTER_FACTS = (EncounterRecorded, EncounterRemoved, VisitorMet, VisitRemoved, HistoryAsked)
