"""The database server of what is measured: with the settings that docker-compose.yml gives a lead's, fsync too."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from shared.testing.broker import Broker, end_broker, shared_broker
from shared.testing.postgres import SETTINGS, end_postgres, shared_postgres
from tests.deploy.compose import document


def hosted_settings() -> str:
    """What the compose file tells PostgreSQL, as `name=value name=value`."""
    _, *words = document()["services"]["postgres"]["command"]
    return " ".join(word for word in words if word != "-c")


@contextmanager
def hosted() -> Iterator[tuple[Broker, int]]:
    """The broker and the port of PostgreSQL, for both sides of a comparison; ended afterwards."""
    os.environ.setdefault(SETTINGS, hosted_settings())
    try:
        yield shared_broker(), shared_postgres()
    finally:
        end_broker()
        end_postgres()
