"""The read side of measurement: whether stored scores follow from what they were computed from."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, select

from services.measurement import store
from services.measurement.domain import scores
from shared.contracts.errors import InvalidInstrument
from shared.documents.values import digest
from shared.instruments import Instrument
from shared.instruments import parse as parse_instrument
from shared.storage import snapshot

BATCH = 500


@dataclass(slots=True)
class Check:
    """What a check of the stored scores found; `different` has an entry for each score that does not follow."""

    assessments: int
    scores: int
    different: list[dict[str, Any]]


def check_scores(engine: Engine) -> Check:
    """Compute every stored score again from the answers and the definition its assessment names, in one snapshot.

    A difference is ``{"assessment", "scale", "stored", "computed", "reason"}``; reasons: `differs`, `missing` (a scale
    without a stored score), `no_such_scale`, `no_such_assessment` (a score of nothing), `definition` (it is gone or is
    not what its digest says), `answers` (they cannot be read or are not the instrument's).
    """
    found = Check(0, 0, [])
    with snapshot(engine) as connection:
        instruments = _instruments(connection)
        for form, stored in _stored(connection):
            found.assessments += 1
            found.scores += len(stored)
            found.different += _differences(form, stored, instruments.get(form.definition))
        for row in connection.execute(_orphans()):
            found.scores += 1
            found.different.append(_difference(row, row.scale, row.score, None, "no_such_assessment"))
    return found


def _instruments(connection: Connection) -> dict[str, Instrument]:
    """The stored definitions that are what their digest says."""
    found = {}
    for row in connection.execute(select(store.definition)):
        try:
            document = json.loads(row.text)
            if digest(document) == row.definition:
                found[row.definition] = parse_instrument(document)
        except (ValueError, InvalidInstrument):
            continue
    return found


def _stored(connection: Connection) -> Iterator[tuple[Any, dict[str, str | None]]]:
    """Every assessment with its stored scores, some hundred at a time."""
    form, last = store.assessment, b""
    while rows := connection.execute(
        select(form).where(form.c.assessment > last).order_by(form.c.assessment).limit(BATCH)
    ).all():
        stored = store.scores_of(connection, (row.assessment for row in rows))
        for row in rows:
            yield row, stored[row.assessment]
        last = rows[-1].assessment


def _orphans() -> Any:
    score, form = store.score, store.assessment
    joined = score.outerjoin(form, form.c.assessment == score.c.assessment)
    return select(score).select_from(joined).where(form.c.assessment.is_(None)).order_by(*score.primary_key)


def _differences(form: Any, stored: dict[str, str | None], instrument: Instrument | None) -> Iterator[dict[str, Any]]:
    if instrument is None or (instrument.key, instrument.version) != (form.instrument, form.version):
        for scale, value in sorted(stored.items()):
            yield _difference(form, scale, value, None, "definition")
        return
    answers = _answers(form.answers, instrument)
    computed = scores(instrument, answers) if answers is not None else {}
    for scale in sorted({*stored, *instrument.scale_by_key}):
        value = stored.get(scale)
        if scale not in instrument.scale_by_key:
            yield _difference(form, scale, value, None, "no_such_scale")
        elif answers is None:
            yield _difference(form, scale, value, None, "answers")
        elif scale not in stored:
            yield _difference(form, scale, None, computed[scale], "missing")
        elif value != computed[scale]:
            yield _difference(form, scale, value, computed[scale], "differs")


def _answers(text: str, instrument: Instrument) -> dict[str, int] | None:
    try:
        answers = json.loads(text)
    except ValueError:
        return None
    if not isinstance(answers, dict):
        return None
    for key, answer in answers.items():
        item = instrument.item_by_key.get(key)
        if item is None or type(answer) is not int or not item.low <= answer <= item.high:
            return None
    return answers


def _difference(row: Any, scale: str, stored: str | None, computed: str | None, reason: str) -> dict[str, Any]:
    names = {"assessment": row.assessment.hex(), "scale": scale}
    return {**names, "stored": stored, "computed": computed, "reason": reason}
