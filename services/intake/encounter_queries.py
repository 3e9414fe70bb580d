"""The read side of encounters and doors."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, func, select

from services.intake import encounter_store
from services.intake.doors import state_of
from services.intake.encounter_tables import encounter, visit
from services.intake.store import participation, shelf
from shared.contracts.errors import NotFound
from shared.storage import snapshot


def list_encounters(
    engine: Engine, programme: str, limit: int, offset: int, encounter_id: str | None = None
) -> dict[str, Any]:
    """How many encounters the programme has here, and one page of them, the newest first; or the named one.

    Raises `UnknownProgramme`, as all of these do.
    """
    c = encounter.c
    here = (c.programme == programme) & (~c.door | (c.revision > 0))  # a door where nobody has come yet is none
    if encounter_id is not None:
        here &= c.encounter == bytes.fromhex(encounter_id)
    met = select(func.count()).where(visit.c.encounter == c.encounter).scalar_subquery().label("visitors")
    newest = (c.occurred_on.desc(), c.start.desc().nulls_last(), c.encounter)
    with snapshot(engine) as connection:
        shelf.get(connection, programme)
        total = connection.execute(select(func.count()).select_from(encounter).where(here)).scalar_one()
        query = select(encounter, met).where(here).order_by(*newest).limit(limit).offset(offset)
        return {"total": total, "encounters": [_shown(row) for row in connection.execute(query)]}


def _shown(row: Any) -> dict[str, Any]:
    content = encounter_store.columns_of(encounter_store.content_of(row))
    several = {name: content[name].split() for name in ("languages", "topics", "guided_to")}
    ids = {"encounter": row.encounter.hex(), "date": content.pop("occurred_on").isoformat()}
    return ids | content | several | {"revision": row.revision, "door": row.door, "visitors": row.visitors}


def list_doors(engine: Engine, programme: str, encounter_id: str | None) -> list[dict[str, Any]]:
    """The open doors of the programme, the newest first; or the named one, open or not, if it is there."""
    c = encounter.c
    which = ~c.done if encounter_id is None else c.encounter == bytes.fromhex(encounter_id)
    query = select(encounter).where(c.programme == programme, c.door, which)
    with snapshot(engine) as connection:
        shelf.get(connection, programme)
        return [state_of(row) for row in connection.execute(query.order_by(c.occurred_on.desc(), c.encounter))]


def regulars(engine: Engine, programme: str, encounter_id: str, limit: int) -> tuple[list[str], set[str]]:
    """The subjects for the tiles of a door, and who of them is there: those who are, then those who came last (the dead
    apart), then visitors who have not come yet. Raises `NotFound`."""
    v, raw = visit.c, bytes.fromhex(encounter_id)
    p = participation.c
    died = select(p.subject).where(p.programme == programme, p.end_reason == "died")
    came = select(v.subject).where(v.programme == programme, v.subject.not_in(died)).group_by(v.subject)
    came = came.order_by(func.max(v.occurred_on).desc(), func.count().desc(), v.subject).limit(limit)
    waiting = select(p.subject).where(p.programme == programme, p.standing == "visitor", p.subject.not_in(died))
    waiting = waiting.order_by(p.subject)
    with snapshot(engine) as connection:
        shelf.get(connection, programme)
        there = select(encounter.c.encounter).where(encounter.c.programme == programme, encounter.c.encounter == raw)
        if connection.execute(there).first() is None:
            raise NotFound(what="encounter")
        here = [row.hex() for row in connection.execute(select(v.subject).where(v.encounter == raw)).scalars()]
        last = [row.hex() for row in connection.execute(came).scalars()]
        others = [row.hex() for row in connection.execute(waiting.limit(limit)).scalars()]
    return _first([*here, *last, *others], max(limit, len(here))), set(here)


def _first(subjects: Sequence[str], limit: int) -> list[str]:
    return list(dict.fromkeys(subjects))[:limit]


def open_tiles(engine: Engine, programme: str, subjects: Sequence[str]) -> dict[str, Any]:
    """Key and identity of these people, still closed, by subject."""
    with snapshot(engine) as connection:
        rows = encounter_store.closed_identities(connection, programme, subjects)
        return {row.subject.hex(): row for row in rows}
