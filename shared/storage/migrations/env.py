"""Runs the migrations on the connection that `shared.storage.migrate` hands over."""

from alembic import context

from shared.storage import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
