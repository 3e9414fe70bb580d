"""What activities makes of facts that others record about people; `service.py` says which it hears."""

from services.activities import store
from shared.contracts.client_facts import ClientLeft
from shared.contracts.purpose_facts import ActivitiesCleared, PurposeEnded
from shared.contracts.purposes import PURPOSE_OF_SERVICE
from shared.contracts.record_facts import ParticipationEnded
from shared.journal import Line, Unit


def left(unit: Unit, fact: ParticipationEnded | ClientLeft) -> None:
    """Keep the day of a death: nobody is anywhere after it (decision 0247)."""
    store.put_left(unit.connection, str(fact.subject), fact["reason"], fact["occurred_on"])


def purpose_ended(unit: Unit, line: Line, fact: PurposeEnded) -> None:
    """Delete what is kept of the person for our purpose, and say so; an exit goes with the fund's record."""
    if fact["purpose"] == PURPOSE_OF_SERVICE["activities"]:
        rows = store.clear_person(unit.connection, str(fact.subject))
        programme = fact["programme"] or line.stream.partition("/")[2]
        unit.record(ActivitiesCleared(fact.subject, ending=fact["ending"], programme=programme, rows=rows))
    elif fact["purpose"] == "esf_record":
        store.put_died(unit.connection, str(fact.subject), None)
