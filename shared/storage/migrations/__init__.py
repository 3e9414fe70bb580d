"""Alembic's environment: one version table, a branch per service; each migration is safe for the previous release."""
