"""Rows go from either database to either, to the byte."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from services.activities import store as activities
from services.intake import store as intake
from services.portal import store as portal
from services.reporting import partner_store
from shared.journal import Journal
from shared.storage import snapshot, transaction
from shared.storage.dump import UnknownTable, dump_rows, is_empty, load_rows
from tests.services import kit
from tests.services.intake.kit import arrival, known, register

TABLES = (intake.participation, intake.vault, intake.person, activities.person, partner_store.invite, portal.user_table)


def fill(engine: Engine) -> None:
    journal: Journal = known(engine)
    register(journal, *(arrival(str(n)) for n in range(3)))
    with transaction(engine) as connection:
        invite = {"token_digest": bytes(range(32)), "programme": kit.KEY, "partner": kit.OWN}
        connection.execute(insert(partner_store.invite), invite | {"expires_at": datetime(2026, 1, 2, 3, 4, 5, 6, UTC)})
        user = {"name": "ä", "roles": "reporter", "password_hash": "x", "must_change": True}
        connection.execute(insert(portal.user_table), user | {"created_at": 2**40, "password_set_at": 1})


def content(engine: Engine) -> list[Any]:
    def comparable(value: Any) -> Any:
        return value.replace(tzinfo=None) if isinstance(value, datetime) else value

    return [
        sorted(repr({k: comparable(v) for k, v in row.items()}) for row in kit.rows(engine, table)) for table in TABLES
    ]


@pytest.mark.parametrize("way", ["sqlite to postgresql", "postgresql to sqlite"])
def test_rows_go_from_one_database_to_the_other(
    way: str, sqlite_engine: Engine, postgres_engine: Engine, tmp_path: Path
) -> None:
    source, target = sqlite_engine, postgres_engine
    if way.startswith("postgresql"):
        source, target = target, source
    fill(source)
    with snapshot(source) as connection:
        records = json.loads(json.dumps(list(dump_rows(connection))))
    with transaction(target) as connection:
        assert is_empty(connection)
        assert load_rows(connection, iter(records)) > 10
        assert not is_empty(connection)
    assert content(target) == content(source)
    assert kit.lines(target) == kit.lines(source)
    assert kit.heads(target) == kit.heads(source)
    assert kit.rows(target, intake.participation)[0]["started_on"] == date(2016, 3, 1)


def test_columns_that_the_dump_has_not_get_their_defaults_and_unknown_ones_are_refused(sqlite_engine: Engine) -> None:
    rows = [{"table": "journal_cursor", "columns": ["service", "pos"], "types": ["plain", "plain"]}, ["a", 7]]
    with transaction(sqlite_engine) as connection:
        assert load_rows(connection, iter(rows)) == 1
        for name, columns in (("no_such_table", ["service"]), ("journal_cursor", ["service", "no_such_column"])):
            with pytest.raises(UnknownTable):
                load_rows(connection, [{"table": name, "columns": columns, "types": ["plain"] * len(columns)}])
