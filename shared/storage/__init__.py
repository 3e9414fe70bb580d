"""The home's one database: engine by URL, transactions, snapshots.

Everything that touches a database goes through three functions:

``open_engine(url)``       a SQLAlchemy engine for ``sqlite:///FILE`` or ``postgresql+psycopg://…``
``transaction(engine)``    one write transaction; commits at the end of the block, rolls back on any exception
``snapshot(engine)``       one read-only snapshot: every statement in the block sees the same state

A transaction is short and does nothing but SQL: a bus call, HTTP, a sleep or a thread-pool call inside it raises
`InsideTransaction` (architecture §5: nothing but the database driver may yield between first write and commit).
Plain code is caught by an audit hook; what Python does not audit asks `assert_outside_transaction` itself
(`shared/bus/guard.py` does so for eventlet).
"""

from shared.storage.engine import LINES_AT_ONCE, join_whole_tables, metadata, open_engine, snapshot, transaction
from shared.storage.guard import InsideTransaction, assert_outside_transaction

__all__ = [
    "LINES_AT_ONCE",
    "InsideTransaction",
    "assert_outside_transaction",
    "join_whole_tables",
    "metadata",
    "open_engine",
    "snapshot",
    "transaction",
]
