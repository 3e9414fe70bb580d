"""participants.csv and starts.csv: people coming in, and start records of people who are known already."""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.intake.domain import PAID, WHERE_PEOPLE_LIVE, is_protected
from services.node.csvcells import LANGUAGE, PLACES, Cells, owner, person_of, too_old
from services.node.csvrows import (
    OPTIONAL,
    PARTICIPANTS,
    SENSITIVE,
    STARTS,
    OfPerson,
    ParticipantRow,
    row_digest,
    row_key,
)
from shared import hetu
from shared.contracts.start_facts import ENTERED_BY
from shared.forms import find_form
from shared.forms.records import arrival_problems
from shared.programmes import Programme

OLDEST_BIRTH = date(1900, 1, 1)
_FORM_VERSION = re.compile(r"[a-z0-9_]{1,40}")
_MUNICIPALITY = re.compile(r"[0-9]{3}")
Say = Callable[[str, str], None]
"""Takes column and reason."""


@dataclass(frozen=True, slots=True)
class StartRow(OfPerson):
    """The start record of one person who is known; the partner is the person's. A person has one row: `before` counts
    for nothing. `told`: what is coded; `kept`: what is for the vault."""

    line: int
    participant: str
    programme: str
    partner: str
    start_date: date
    told: Mapping[str, Any]
    kept: Mapping[str, str]
    before: int = 0

    def __repr__(self) -> str:
        return f"<StartRow of line {self.line}>"

    @property
    def key(self) -> str:
        """Of what is told only the days of the proof, so that a list may tell them later: a digest of answers could be
        guessed."""
        days = (self.told.get(name) or "" for name in ("form_signed_on", "eura_on"))
        return row_key(self.programme, self.partner, STARTS, self.participant, *days)


def participant(line: int, raw: list[str], report: Say, programmes: Mapping[str, Programme]) -> ParticipantRow | None:
    """The row, or None after reporting every bad cell."""
    cells = Cells(PARTICIPANTS, raw, report)
    ref = cells.text("ref", needed=True)
    key, programme, partner = owner(cells, programmes)
    standing = cells.one_of("standing", ("visitor", "client", "esf_participant"), needed=True)
    start, code = cells.day("start_date"), cells.text("identity_code")
    said = _record(cells, programme, start)
    _identity(cells, programme, code, said["birth_date"], start)
    if standing == "esf_participant" and start is None and not raw[PLACES[PARTICIPANTS]["start_date"]]:
        cells.bad("start_date", "is missing: the standing is esf_participant")
    row = functools.partial(
        ParticipantRow,
        line=line,
        token=cells.several("token", None, "is not a list parted by semicolons"),
        identity_code=hetu.normalise(code) if code else None,
        given_name=cells.normal("given_name"),
        family_name=cells.normal("family_name"),
        service_language=cells.shaped("service_language", LANGUAGE, "is no ISO 639 code"),
        contact_language=cells.shaped("contact_language", LANGUAGE, "is no ISO 639 code"),
        interpreter=cells.one_of("interpreter", ("yes", "no")),
        start_date=start,
        protected_address=cells.one_of("protected_address", ("yes", "no")),
        **said,
    )
    if not cells.ok or ref is None or key is None or partner is None or standing is None:
        return None
    _check(cells, row.keywords, programme, start, participant=standing == "esf_participant")
    if is_protected(row.keywords):
        for column in WHERE_PEOPLE_LIVE:
            if row.keywords[column]:
                cells.bad(column, "is left out of who has a protected address")
    if not cells.ok:
        return None
    digest = row_digest(raw, len(OPTIONAL[PARTICIPANTS]))
    return row(digest=digest, ref=ref, programme=key, partner=partner, standing=standing)


def started(line: int, raw: list[str], report: Say, programmes: Mapping[str, Programme]) -> StartRow | None:
    """The row, its partner still blank, or None after reporting every bad cell."""
    cells = Cells(STARTS, raw, report)
    who, key, programme = person_of(cells, programmes)
    start = cells.day("start_date", needed=True)
    said = _record(cells, programme, start)
    if not cells.ok or who is None or key is None or start is None:
        return None
    _check(cells, said, programme, start, participant=True)
    if not cells.ok:
        return None
    return StartRow(line, who, key, "", start, *told_and_kept(said, "birth_date", "form_version", "form_kept"))


def told_and_kept(said: Mapping[str, Any], *vault: str) -> tuple[dict[str, Any], dict[str, str]]:
    """What a row says, without what it leaves out: what is coded, and what is for the `vault`."""
    known = {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in said.items()
        if value is not None
    }
    return {name: value for name, value in known.items() if name not in vault}, {
        name: known[name] for name in vault if name in known
    }


def form_cells(cells: Cells, programme: Programme | None) -> dict[str, Any]:
    """The columns of a form and of its entry in EURA, which a start and an exit have alike."""
    form = {
        "form_version": cells.shaped("form_version", _FORM_VERSION, "is no code of a-z, 0-9 and _"),
        "form_signed_on": cells.proof_day("form_signed_on", programme),
        "form_kept": cells.normal("form_kept"),
        "form_language": cells.shaped("form_language", LANGUAGE, "is no ISO 639 code"),
        "form_help": cells.one_of("form_help", ("self", "with_help")),
        "eura_on": cells.proof_day("eura_on", programme),
        "eura_by": cells.one_of("eura_by", ENTERED_BY),
    }
    for column, other in (("eura_on", "eura_by"), ("eura_by", "eura_on")):
        if cells.ok and form[other] and not form[column]:
            cells.bad(column, f"is missing: {other} stands there")
    return form


def _record(cells: Cells, programme: Programme | None, start: date | None) -> dict[str, Any]:
    """The columns of a start record and of what proves it, but for its day."""
    born = cells.day("birth_date")
    said: dict[str, Any] = {
        "birth_date": born,
        "gender": cells.one_of("gender", ("f", "m", "x", "unknown")),
        "municipality": cells.shaped("municipality", _MUNICIPALITY, "is no three-digit code"),
        "area": cells.key("area", programme.area_by_key if programme else None, "area of the programme"),
        "target_group": cells.key(
            "target_group", programme.target_group_by_key if programme else None, "target group of the programme"
        ),
        "labour_status": cells.one_of("labour_status", ("unemployed", "inactive", "inactive_in_education", "employed")),
        "unemployed_months": cells.whole("unemployed_months", 0, 720),
        "education": cells.whole("education", 0, 8),
        **{column: cells.one_of(column, ("yes", "no", "refused", "not_asked")) for column in SENSITIVE},
        "paid_by_project": cells.one_of("paid_by_project", ("yes", "no")),
        **form_cells(cells, programme),
    }
    _dates(cells, programme, born, start, said["form_signed_on"])
    return said


def _check(
    cells: Cells, row: Mapping[str, Any], programme: Programme | None, start: date | None, *, participant: bool
) -> None:
    """Against the form of the programme's funding period, each cell right by itself."""
    if programme is None:
        return
    said = {name: value for name, value in row.items() if value is not None}
    asked, here = row["form_signed_on"] is not None, programme.esf_record == "here"
    form = find_form(programme.funding_programme)
    for column, reason in arrival_problems(form, said, start, participant=participant, asked=asked, here=here):
        cells.bad(column, reason)
    if participant and row["paid_by_project"] == "yes":
        cells.bad("paid_by_project", f"says that it pays them: {PAID}")


def _dates(
    cells: Cells, programme: Programme | None, born: date | None, start: date | None, signed: date | None
) -> None:
    if programme and start and start not in programme.period:
        cells.bad("start_date", "lies outside the programme's period")
    if born is not None and signed and signed <= born and not (programme and too_old(signed, programme)):
        cells.bad("form_signed_on", "is not after the birth date")
    if born is None:
        return
    if born < OLDEST_BIRTH or (programme and born > programme.period.end):
        cells.bad("birth_date", "is not plausible")
        return
    if start and start <= born:
        cells.bad("start_date", "is not after the birth date")


def _identity(
    cells: Cells, programme: Programme | None, code: str | None, born: date | None, start: date | None
) -> None:
    if code is None:
        return
    coded = hetu.birth_date(code)
    if coded is None:
        cells.bad("identity_code", "is not valid")
    elif born and coded != born:
        cells.bad("identity_code", "tells another birth date than the column birth_date")
    elif (programme and coded > programme.period.end) or (start and coded >= start):
        cells.bad("identity_code", "tells a birth date that is not before the start")
