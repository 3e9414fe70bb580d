"""A programme that this home has closed, and a stream that is sealed (decisions 0226, 0228).

The state of a stream stands in its row of `journal_head`, so the unit of work reads it under the lock that it takes
anyway, and nobody records between somebody's look and the commit. Recording `pathways.programme_closed`,
`closing_final`, `programme_reopened` and `stream_sealed` *is* changing it.

After closing, a unit in which somebody acts may correct what is there and take away. Once the last period is confirmed
it may not do that either. What follows from facts and letters without anybody acting is taken until the seal: it was
on its way. After the seal no fact at all goes into the stream. A person's rights end with nothing: what exercises them
is done whatever was closed. After the seal its facts stay on the node (those that would correct a figure are not
recorded), and the lead is told whose lines to erase by the item `erased` (`returning`).
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, select

from shared.contracts.closing_facts import ClosingFinal, ProgrammeClosed, ProgrammeReopened, StreamSealed
from shared.contracts.errors import ClosingIsFinal, ProgrammeIsClosed, StreamIsSealed
from shared.contracts.facts import Fact
from shared.contracts.purpose_facts import PurposeEnded
from shared.journal.tables import journal_head

OPEN, CLOSED, FINAL, SEALED = 0, 1, 2, 3

RIGHTS = frozenset(
    {
        "intake.subject_erased",
        "intake.person_restricted",
        "intake.restriction_lifted",
        "intake.person_informed",
        "intake.purpose_ended",
        "intake.tags_retired",
        "intake.same_person",
        "intake.not_same_person",
    }
)
"""What is recorded whatever was closed, on the node when the stream is sealed."""
ALWAYS = RIGHTS | {"pathways.programme_loaded", "pathways.task_closed", ProgrammeReopened.kind, StreamSealed.kind}
"""What is recorded until the seal."""
CORRECTIONS = ALWAYS | {
    *("intake.participation_started", "intake.participation_ended", "intake.follow_up_recorded"),
    *("intake.record_attempted", "intake.eura_entered", "intake.eura_counted", "intake.exit_form_recorded"),
    *("intake.encounter_removed", "intake.visit_removed", "intake.tagging_due", "intake.person_tagged"),
    *("intake.referral_withdrawn", "intake.referral_declined", "intake.referral_followed_up"),
    *("intake.referral_answered", "intake.referral_recalled"),
    *("activities.session_removed", "activities.attendance_removed", "activities.heads_counted"),
    *("activities.conversation_removed", "activities.action_withdrawn", "activities.meeting_withdrawn"),
    *("pathways.step_left", "pathways.outcome_recorded", "pathways.plan_entry_withdrawn"),
    *("pathways.outcome_removed", "intake.follow_up_removed", "intake.attempt_removed"),
    *("pathways.step_removed", "pathways.pause_removed"),
    *("measurement.assessment_removed", "measurement.anonymous_sheet_removed"),
    *("pathways.product_recorded", "pathways.period_confirmed", ClosingFinal.kind),
    *("pathways.person_left_open", "pathways.thing_left_open"),
}
"""What corrects, completes or takes away something that is there. A start record of somebody new comes with a standing,
which is not among them."""

States = Mapping[str, int]
"""By stream how far its programme is closed here."""


def state_of(connection: Connection, home: str, programme: str) -> int:
    """How far the programme is closed in this home."""
    query = select(journal_head.c.closed).where(journal_head.c.name == f"{home}/{programme}")
    return int(connection.execute(query).scalar_one_or_none() or OPEN)


def refuse_new(connection: Connection, home: str, programme: str) -> None:
    """Refuse what no line comes of (yet), as the unit of work refuses a line of something new. Raises
    `ProgrammeIsClosed`."""
    if state_of(connection, home, programme) != OPEN:
        raise ProgrammeIsClosed(field="programme", programme=programme)


def refuse_final(connection: Connection, home: str, programme: str) -> None:
    """The same of what may still complete something. Raises `ClosingIsFinal`."""
    if state_of(connection, home, programme) > CLOSED:
        raise ClosingIsFinal(field="programme", programme=programme)


def is_sealed(connection: Connection, home: str, programme: str) -> bool:
    """Whether nothing can follow in the programme's stream: whoever records by himself asks first."""
    return state_of(connection, home, programme) == SEALED


def lock(connection: Connection) -> None:
    """Let nobody record anything until this transaction ends: what is looked at now stays so."""
    connection.execute(select(journal_head.c.seq).where(journal_head.c.name == "").with_for_update())


def programme_of(place: str, fact: Fact, local: str) -> str | None:
    """The programme that a fact recorded at `place` belongs to; None: to none."""
    return place if place != local else fact.body.get("programme")


def admitted(
    states: States, home: str, facts: Sequence[tuple[str, Fact]], *, local: str, acting: bool, right: bool
) -> list[tuple[str, str, Fact]]:
    """The facts that are recorded: programme (or `local`), the place where, the fact. `acting`: somebody does it;
    `right`: a right of the person is exercised.

    Raises `ProgrammeIsClosed`, `ClosingIsFinal` or `StreamIsSealed` if one may not be recorded any more.
    """
    taken = []
    for place, fact in facts:
        programme = programme_of(place, fact, local)
        state = states.get(f"{home}/{programme}", OPEN)
        if state == SEALED and fact.kind not in RIGHTS and (acting or place != local):
            if not right:
                raise StreamIsSealed(field="programme", programme=str(programme))
            if place != local:
                continue  # it would change the lead's figures, which are closed; the node's own state has changed
        if acting and not right and state == FINAL and fact.kind not in ALWAYS:
            raise ClosingIsFinal(field="programme", programme=str(programme))
        if acting and not right and state == CLOSED and fact.kind not in CORRECTIONS:
            raise ProgrammeIsClosed(field="programme", programme=str(programme))
        if state == SEALED and isinstance(fact, PurposeEnded):
            fact = PurposeEnded(fact.subject, **fact.body | {"programme": programme})
        taken.append((place, local if state == SEALED else place, fact))
    return taken


def changed(facts: Iterable[tuple[str, Fact]], home: str) -> dict[str, int]:
    """The states that these facts bring about. Raises ValueError if something follows a seal in its stream."""
    found: dict[str, int] = {}
    for place, fact in facts:
        stream = f"{home}/{place}"
        if found.get(stream) == SEALED:
            raise ValueError(f"{fact.kind}: nothing follows the seal of a stream")
        if isinstance(fact, ProgrammeClosed):
            found[stream] = FINAL if fact["final"] else CLOSED
        elif isinstance(fact, ClosingFinal):
            found[stream] = FINAL
        elif isinstance(fact, ProgrammeReopened):
            found[stream] = OPEN
        elif isinstance(fact, StreamSealed):
            found[stream] = SEALED
    return found
