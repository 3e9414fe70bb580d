"""The servers of the tests come back from what the fault bench does to them."""

import threading

import psycopg
import pytest

from shared.testing.postgres import PrivatePostgres
from shared.testing.wait import until

WORKING = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'DO%'"


@pytest.mark.usefixtures("postgres")
def test_a_postgresql_that_is_killed_at_work_comes_up_again_with_what_was_committed() -> None:
    """Its processes are in groups of their own: one that still works keeps the memory that the next server needs."""
    server = PrivatePostgres()
    try:
        port = server.start()
        where = f"host=127.0.0.1 port={port} user=postgres dbname=postgres"

        def work() -> None:
            with pytest.raises(psycopg.OperationalError), psycopg.connect(where) as connection:
                connection.execute("DO $$ BEGIN LOOP NULL; END LOOP; END $$")

        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
            workers = [threading.Thread(target=work) for _ in range(3)]
            for worker in workers:
                worker.start()
            until(lambda: connection.execute(WORKING).fetchone() == (3,))
        server.crash(port)
        for worker in workers:
            worker.join(10)
        with psycopg.connect(where) as connection:
            assert connection.execute("SELECT one FROM kept").fetchall() == [(1,)]
    finally:
        server.end()
