"""What nodes tell of the fund's own system, EURA: how many people's data are there. Nobody is named."""

from collections.abc import Sequence

from sqlalchemy import Column, Connection, Integer, String, Table, func, select

from shared.storage import metadata

eura = Table(
    "reporting_eura",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("starts", Integer, nullable=False),
    Column("exits", Integer, nullable=False),
)
"""A node's last count."""


def entered(connection: Connection, streams: Sequence[str]) -> dict[str, dict[str, int]]:
    """The report's member `eura`: starts and exits that nodes know to be there; nothing where no node has said."""
    c = eura.c
    query = select(func.count(), func.sum(c.starts), func.sum(c.exits)).where(c.stream.in_(streams))
    told, starts, exits = connection.execute(query).one()
    return {"eura": {"starts": int(starts), "exits": int(exits)}} if told else {}
