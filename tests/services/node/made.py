"""New homes in little time: as `polku init` makes them, with keys of their own, but their database is a copy."""

from functools import cache
from pathlib import Path

from services.node.opening import init_home
from shared.journal.unit import prepare
from shared.ops.settings import Home, Role
from shared.storage import open_engine
from shared.storage.migrate import migrate


def new_home(path: Path, role: Role, name: str = "", port: int | None = None) -> Home:
    """`init_home` on a database that is migrated already: that takes a third of a second."""
    put_database(path, role)
    return init_home(path, role, name, port)


def put_database(path: Path, role: Role) -> None:
    """Put a migrated database where a home will be."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    (path / f"{role}.db").write_bytes(_migrated())


@cache
def _migrated() -> bytes:
    engine = open_engine("sqlite://")
    migrate(engine, prepare)
    with engine.connect() as connection:
        database: bytes = connection.connection.driver_connection.serialize()  # type: ignore[union-attr]
    engine.dispose()
    return database
