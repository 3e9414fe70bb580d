"""The rows of a CSV set as typed values, and the columns of each file in their order.

Dates are `date`, numbers `int`, an empty cell is None (not recorded). A row about a
person shows nothing of them in its `repr`.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, time

PARTICIPANTS, SESSIONS, ATTENDANCE = "participants.csv", "sessions.csv", "attendance.csv"
STEPS, PAUSES, OUTCOMES = "steps.csv", "pauses.csv", "outcomes.csv"
EXITS, FOLLOWUPS = "exits.csv", "followups.csv"
ENCOUNTERS = "encounters.csv"
WORKERS = "workers.csv"
CONTACTS = "contacts.csv"
INFORMED = "informed.csv"
STARTS, EXIT_FORMS, ATTEMPTS = "starts.csv", "exitforms.csv", "attempts.csv"
PLANS = "plans.csv"

ASSESSMENTS = "assessments.csv"

ORDER = (
    *(PARTICIPANTS, STARTS, SESSIONS, ATTENDANCE, ASSESSMENTS, STEPS, PAUSES, OUTCOMES, EXITS, FOLLOWUPS, ENCOUNTERS),
    *(WORKERS, CONTACTS, INFORMED, EXIT_FORMS, ATTEMPTS, PLANS),
)
"""The order in which the files are imported: what is referred to stands first."""

SENSITIVE = ("foreign_background", "minority", "disability", "other_disadvantage", "homeless", "rural")
"""Columns that a person may refuse: yes, no, refused, not_asked."""

_FORM_LATER = ("form_language", "form_help", "eura_on", "eura_by")
_FORM = ("form_version", "form_signed_on", "form_kept", *_FORM_LATER)

COLUMNS: dict[str, tuple[str, ...]] = {
    PARTICIPANTS: (
        *("ref", "programme", "partner", "standing", "token", "identity_code", "given_name", "family_name"),
        *("birth_date", "gender", "service_language", "contact_language", "interpreter", "municipality", "area"),
        *("target_group", "start_date", "labour_status", "unemployed_months", "education"),
        *SENSITIVE,
        *("form_version", "form_signed_on", "form_kept", "protected_address", "paid_by_project", *_FORM_LATER),
    ),
    STARTS: (
        *("participant", "programme", "start_date", "birth_date", "gender", "municipality", "area", "target_group"),
        *("labour_status", "unemployed_months", "education", *SENSITIVE, "paid_by_project", *_FORM),
    ),
    SESSIONS: (
        *("ref", "programme", "partner", "activity", "date", "start", "minutes", "location", "area", "languages"),
        *("headcount", "headcount_women", "headcount_basis"),
    ),
    ATTENDANCE: ("session", "participant", "role", "minutes"),
    ASSESSMENTS: ("participant", "session", "sheet", "instrument", "version", "occasion", "date", "item", "value"),
    STEPS: ("participant", "programme", "step", "from", "to"),
    PAUSES: ("participant", "programme", "step", "from", "to"),
    OUTCOMES: ("participant", "programme", "date", "outcome"),
    EXITS: ("participant", "programme", "date", "reason", "results", "next", "back"),
    FOLLOWUPS: ("participant", "programme", "due", "date", "status", "results"),
    WORKERS: ("participant", "programme", "worker"),
    CONTACTS: ("participant", "programme", "phone", "email", "contact_way"),
    EXIT_FORMS: ("participant", "programme", "may_call", *_FORM),
    ATTEMPTS: ("participant", "programme", "record", "status", "date"),
    PLANS: ("participant", "programme", "what", "code", "text", "state", "who", "day", "solutions", "shown"),
    INFORMED: ("ref", "notice", "language", "consents", "occurred_on"),
    ENCOUNTERS: (
        *("ref", "programme", "partner", "date", "time", "location", "area", "staff", "people_new", "people_known"),
        *("women", "languages", "topics", "guided_to", "token"),
    ),
}

OPTIONAL: dict[str, tuple[str, ...]] = {
    PARTICIPANTS: ("protected_address", "paid_by_project", *_FORM_LATER),
    EXITS: ("back",),
}
"""The last columns of a file, which it may be without: sets of before they were there stay what they are."""

SHOWN: dict[str, set[str]] = {
    PARTICIPANTS: {"programme", "partner", "standing", "municipality", "area", "target_group", "labour_status"},
    STARTS: {"programme", "municipality", "area", "target_group", "labour_status"},
    SESSIONS: set(COLUMNS[SESSIONS]),
    ATTENDANCE: {"session", "role", "minutes"},
    ASSESSMENTS: {"session", "instrument", "version", "occasion", "date", "item"},
    STEPS: {"programme", "step", "from", "to"},
    PAUSES: {"programme", "step", "from", "to"},
    OUTCOMES: {"programme", "date", "outcome"},
    EXITS: {"programme", "date", "reason", "results", "next", "back"},
    FOLLOWUPS: {"programme", "due", "date", "status", "results"},
    ENCOUNTERS: set(COLUMNS[ENCOUNTERS]) - {"token"},
    WORKERS: {"programme"},
    CONTACTS: {"programme", "contact_way"},
    INFORMED: set(COLUMNS[INFORMED]) - {"ref"},
    EXIT_FORMS: {"programme", "may_call"},
    ATTEMPTS: {"programme", "record", "status", "date"},
    PLANS: {"programme", "what", "state", "day", "solutions", "shown"},
}
"""Columns whose values may stand in a message: nothing there is about a person, unless it is a code. In a plan neither
`who` nor `code`: a name may be typed there by mistake."""


def row_key(programme: str, partner: str, file: str, *refs: str) -> str:
    """A row's identity: SHA-256 (hex) of the JSON list of its parts, so that no two lists look alike."""
    parts = json.dumps([programme, partner, file, *refs], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(parts.encode()).hexdigest()


def row_digest(cells: list[str], optional: int = 0) -> str:
    """A row's content: SHA-256 (hex) of the JSON list of its cells as they stand in the file; of the last `optional`
    cells those at the end that are empty count for nothing, as if the file had no such columns.

    Unsalted, and of personal data for participants: keep it only keyed (HMAC) or for as long as the person's record.
    """
    while optional and not cells[-1]:
        cells, optional = cells[:-1], optional - 1
    return hashlib.sha256(json.dumps(cells, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ParticipantRow:
    """One person in one programme. `unemployed_months` in months, `education` as ISCED level 0 to 8."""

    line: int
    digest: str
    ref: str
    programme: str
    partner: str
    standing: str
    token: tuple[str, ...]
    identity_code: str | None
    given_name: str | None
    family_name: str | None
    birth_date: date | None
    gender: str | None
    service_language: str | None
    contact_language: str | None
    interpreter: str | None
    municipality: str | None
    area: str | None
    target_group: str | None
    start_date: date | None
    labour_status: str | None
    unemployed_months: int | None
    education: int | None
    foreign_background: str | None
    minority: str | None
    disability: str | None
    other_disadvantage: str | None
    homeless: str | None
    rural: str | None
    form_version: str | None
    form_signed_on: date | None
    form_kept: str | None
    protected_address: str | None
    paid_by_project: str | None
    form_language: str | None
    form_help: str | None
    eura_on: date | None
    eura_by: str | None

    def __repr__(self) -> str:
        return f"<ParticipantRow of line {self.line}>"

    @property
    def key(self) -> str:
        return row_key(self.programme, self.partner, PARTICIPANTS, self.ref)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One time an activity was held. `start` is local time, `minutes` its length, `headcount*` are heads."""

    line: int
    digest: str
    ref: str
    programme: str
    partner: str
    activity: str
    date: date
    start: time | None
    minutes: int | None
    location: str | None
    area: str | None
    languages: tuple[str, ...]
    headcount: int | None
    headcount_women: int | None
    headcount_basis: str | None

    @property
    def key(self) -> str:
        return row_key(self.programme, self.partner, SESSIONS, self.ref)


class OfPerson:
    """A row that refers to a person of the set."""

    __slots__ = ()
    programme: str
    partner: str
    participant: str

    @property
    def participant_key(self) -> str:
        """The key of the `ParticipantRow` it refers to."""
        return row_key(self.programme, self.partner, PARTICIPANTS, self.participant)


@dataclass(frozen=True, slots=True)
class AttendanceRow(OfPerson):
    """One person at one session; programme and partner are the session's. `minutes` is how long they stayed."""

    line: int
    digest: str
    session: str
    participant: str
    programme: str
    partner: str
    role: str
    minutes: int | None

    def __repr__(self) -> str:
        return f"<AttendanceRow of line {self.line}>"

    @property
    def key(self) -> str:
        return row_key(self.programme, self.partner, ATTENDANCE, self.session, self.participant)

    @property
    def session_key(self) -> str:
        """The key of the `SessionRow` it refers to."""
        return row_key(self.programme, self.partner, SESSIONS, self.session)


@dataclass(frozen=True, slots=True)
class AssessmentRow:
    """One filled-in form, gathered from its rows; `line` is the first. `answers` has no item that was left empty."""

    line: int
    programme: str
    partner: str
    participant: str
    session: str
    sheet: str
    instrument: str
    version: str
    occasion: str
    date: date
    answers: dict[str, int]
    """By item; empty participant, session and sheet say that there is none."""

    def __repr__(self) -> str:
        return f"<AssessmentRow of line {self.line}>"

    @property
    def key(self) -> str:
        """The form's identity: its sheet, or else its participant; instrument, occasion and date."""
        whose = ("sheet", self.sheet) if self.sheet else ("participant", self.participant)
        what = (self.instrument, self.occasion, self.date.isoformat())
        return row_key(self.programme, self.partner, ASSESSMENTS, *whose, *what)

    @property
    def session_key(self) -> str | None:
        """The key of the `SessionRow` it refers to, if it does."""
        return row_key(self.programme, self.partner, SESSIONS, self.session) if self.session else None

    @property
    def participant_key(self) -> str | None:
        """The key of the `ParticipantRow` it refers to; None: it names nobody."""
        return row_key(self.programme, self.partner, PARTICIPANTS, self.participant) if self.participant else None


@dataclass(frozen=True, slots=True)
class OutcomeRow(OfPerson):
    """What became of one person; the partner is the person's. `before`: how many equal rows stand before it."""

    line: int
    participant: str
    programme: str
    partner: str
    date: date
    outcome: str
    before: int

    def __repr__(self) -> str:
        return f"<OutcomeRow of line {self.line}>"

    @property
    def key(self) -> str:
        what = self.date.isoformat(), self.outcome, str(self.before)
        return row_key(self.programme, self.partner, OUTCOMES, self.participant, *what)
