"""Each service's role on PostgreSQL may do its own work and touch nothing else, whoever asks."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError

from shared.contracts.catalogue import StandingReached
from shared.journal import Journal
from shared.journal.follow import Follower, LeadFollowers
from shared.journal.unit import new_id, prepare
from shared.storage import open_engine, transaction
from shared.storage.migrate import migrate
from shared.storage.roles import give_roles, prefix, rights, roles_for
from shared.testing.postgres import new_owned_database

NOW = datetime(2026, 11, 22, 9, 15, tzinfo=UTC)
SERVICES = ["activities", "intake", "measurement", "pathways", "reporting"]
PASSWORD = "a-password-that-nobody-logs"


@pytest.fixture(scope="module")
def url(postgres: int) -> str:
    """The owner's URL of a migrated database with every role."""
    url = new_owned_database(postgres)
    engine = open_engine(url)
    migrate(engine, prepare)
    give_roles(engine, dict.fromkeys(roles_for(inspect(engine).get_table_names()), PASSWORD))
    engine.dispose()
    return url


@pytest.fixture
def owner(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    yield engine
    engine.dispose()


def engine_of(url: str, role: str) -> Engine:
    return open_engine(url.replace("_owner@", f"_{role}@"))


def tables(owner: Engine) -> list[str]:
    return inspect(owner).get_table_names()


def refused(engine: Engine, statement: str) -> bool:
    """Whether the database refuses it for want of a right. What it lets through is rolled back."""
    with engine.connect() as connection:
        try:
            connection.exec_driver_sql(statement)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", "") != "42501":
                raise
            return True
    return False


def may(engine: Engine, table: str) -> set[str]:
    """What the engine's role can in fact do with the table."""
    column = inspect(engine).get_columns(table)[0]["name"]  # of the catalogue, which everybody may read
    statements = {
        "SELECT": f'SELECT 1 FROM "{table}" LIMIT 1',
        "INSERT": f'INSERT INTO "{table}" SELECT (NULL::"{table}").* WHERE false',
        "UPDATE": f'UPDATE "{table}" SET "{column}" = NULL WHERE false',
        "DELETE": f'DELETE FROM "{table}" WHERE false',
        "TRUNCATE": f'TRUNCATE "{table}" CASCADE',
    }
    return {name for name, statement in statements.items() if not refused(engine, statement)}


def test_the_roles_of_a_database_are_its_services_and_those_of_the_edges() -> None:
    found = roles_for(["alembic_version", "intake_person", "courier_receipt", "received_line", "journal_line"])
    assert found == ["courier", "intake", "receiver"]


@pytest.mark.parametrize("role", SERVICES)
def test_a_service_uses_its_own_tables_and_none_of_another(url: str, owner: Engine, role: str) -> None:
    engine = engine_of(url, role)
    for table in tables(owner):
        if prefix(table) in (role, "post" if role == "intake" else role):
            assert may(engine, table) == {"SELECT", "INSERT", "UPDATE", "DELETE"}, table
        elif (
            table in ("received_erased", "received_head", "received_line")
            or (role == "reporting" and prefix(table) == "received")
            or (role, table) == ("pathways", "courier_receipt")
        ):
            assert may(engine, table) == {"SELECT"}, table
        elif prefix(table) not in ("journal", "alembic"):
            assert may(engine, table) == set(), table


@pytest.mark.parametrize("role", [*SERVICES, "receiver", "courier", "portal"])
def test_no_process_deletes_a_line_and_only_who_erases_takes_its_content_away(url: str, role: str) -> None:
    engine = engine_of(url, role)
    statements = [
        "UPDATE journal_line SET digest = NULL",
        "UPDATE journal_line SET seq = seq + 1",
        "DELETE FROM journal_line",
        "TRUNCATE journal_line",
        "DROP TABLE journal_line",
        "DELETE FROM journal_head",
        "DELETE FROM journal_audit",
        "CREATE TABLE mine (x int)",
        "CREATE TEMPORARY TABLE mine (x int)",
        "CREATE ROLE mine",
    ]
    if role not in ("intake", "courier"):
        statements.append("UPDATE journal_line SET line = NULL")
    if role != "intake":
        statements += ["SELECT entry FROM journal_audit", "UPDATE journal_audit SET entry = ''"]
    for statement in statements:
        assert refused(engine, statement), statement


@pytest.mark.parametrize("role", [*SERVICES, "receiver"])
def test_a_service_records_and_follows(url: str, role: str) -> None:
    journal = Journal(engine_of(url, role), "pori-01234567")
    heard: list[str] = []
    follower = Follower(journal, role, {("intake.standing_reached", 1): lambda _u, line, _f: heard.append(line.kind)})
    with journal.unit(NOW) as unit:
        unit.record(StandingReached(new_id(), standing="visitor", occurred_on="2026-11-22"), "lahde-mukaan")
        unit.audit("cli:test", "tested")
    while follower.advance(NOW):
        pass
    assert heard
    assert LeadFollowers(journal, role, {("reporting.programme_version", 1): lambda *_: None}, {}).advance(NOW) is False


def test_the_receiver_ships_the_leads_own_stream(url: str, owner: Engine) -> None:
    engine = engine_of(url, "receiver")
    for table in ("courier_receipt", "courier_manifest", "courier_segment"):
        assert may(engine, table) == {"SELECT", "INSERT", "UPDATE", "DELETE"}


@pytest.mark.parametrize("role", ["courier", "portal"])
def test_who_records_nothing_cannot_append(url: str, role: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        with Journal(engine_of(url, role), "pori-01234567").unit(NOW) as unit:
            unit.record(StandingReached(new_id(), standing="visitor"), "lahde-mukaan")


def test_the_portal_sees_its_own_tables_only(url: str, owner: Engine) -> None:
    engine = engine_of(url, "portal")
    seen = {table for table in tables(owner) if may(engine, table)}
    assert seen == {"alembic_version", "portal_attempt", "portal_notice", "portal_session", "portal_user"}


def test_the_courier_ends_erasing_and_writes_what_is_its_own(url: str, owner: Engine) -> None:
    engine = engine_of(url, "courier")
    able = {table: may(engine, table) for table in tables(owner)}
    assert able.pop("journal_head") == {"SELECT", "INSERT"}, "and the epoch, after a restore"
    own = {table for table, found in able.items() if "INSERT" in found}
    assert {prefix(table) for table in own} == {"courier", "post", "received"}
    assert {table for table, found in able.items() if found and table not in own} == {
        *("alembic_version", "journal_cursor", "journal_erased", "journal_hold", "journal_line"),
        "journal_parked",
    }


@pytest.mark.parametrize("role", ["intake", "courier"])
def test_who_erases_takes_a_lines_content_away(url: str, role: str) -> None:
    subject = new_id()
    with Journal(engine_of(url, "intake"), "pori-01234567").unit(NOW) as unit:
        unit.record(StandingReached(subject, standing="visitor"), "lahde-mukaan")
    with transaction(engine_of(url, role)) as connection:
        erased = text("UPDATE journal_line SET line = NULL, kind = NULL, subject = NULL WHERE subject = :s")
        assert connection.execute(erased, {"s": bytes.fromhex(subject)}).rowcount == 1


def test_a_role_comes_into_no_other_homes_database(url: str, postgres: int) -> None:
    other = new_owned_database(postgres)
    engine = open_engine(other)
    migrate(engine, prepare)
    give_roles(engine, {"portal": PASSWORD})
    with pytest.raises(OperationalError, match="permission denied for database"):
        open_engine(f"{url.rpartition('/')[0].replace('_owner@', '_intake@')}/{other.rpartition('/')[2]}").connect()


def test_what_a_role_no_longer_may_is_taken_from_it(url: str, owner: Engine) -> None:
    with transaction(owner) as connection:
        connection.exec_driver_sql(f"GRANT ALL ON intake_person TO {owner.url.database}_portal")
    assert may(engine_of(url, "portal"), "intake_person")
    give_roles(owner, {"portal": PASSWORD})
    assert not may(engine_of(url, "portal"), "intake_person")


def test_the_server_keeps_a_verifier_and_is_never_sent_the_password(url: str, postgres: int) -> None:
    server = open_engine(f"postgresql+psycopg://postgres@127.0.0.1:{postgres}/postgres")
    name = f"{url.rpartition('/')[2]}_intake"
    with server.connect() as connection:
        kept = connection.execute(
            text("SELECT rolpassword FROM pg_authid WHERE rolname = :n"), {"n": name}
        ).scalar_one()
    assert kept.startswith("SCRAM-SHA-256$")
    assert PASSWORD not in kept


@pytest.mark.parametrize("role", ["reporting", "nobody", "portal"])
def test_no_role_but_who_erases_is_given_a_change_of_lines_whatever_tables_there_are(role: str) -> None:
    given = rights(role, ["journal_line", "intake_x", "nobody_x", "portal_x"])
    assert set(given.get("journal_line", "").split(", ")) <= {"SELECT", "INSERT", ""}
    assert {prefix(table) for table, what in given.items() if "DELETE" in what} <= {role}
