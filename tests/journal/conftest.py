"""A node and its lead in one process, and the node as a backup would bring it back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.flows.house import House, backup_of, joined
from tests.journal.exchange_kit import World


@pytest.fixture
def house(migrated_file: Path, tmp_path: Path) -> Iterator[House]:
    """A node that has shipped one person."""
    with joined(migrated_file, tmp_path, "anna") as made:
        yield made


@pytest.fixture
def backup(house: House, migrated_file: Path, tmp_path: Path) -> Iterator[Engine]:
    """The node's database as a backup taken now would bring it back, held."""
    with backup_of(house.node, migrated_file, tmp_path / "restored") as made:
        yield made


@pytest.fixture
def world() -> World:
    """A courier and a receiver with a pipe between them."""
    return World()
