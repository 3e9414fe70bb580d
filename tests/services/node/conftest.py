"""Homes as `polku init` makes them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.node.opening import init_home
from tests.flows.kit import free_port_triple
from tests.services.node.pairs import Pair


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lead and a node as `polku init` makes them, to be copied."""
    folder = tmp_path_factory.mktemp("homes")
    init_home(folder / "lead", "lead", port=free_port_triple())
    init_home(folder / "node", "node", "pori", free_port_triple())
    return folder


@pytest.fixture
def lead(templates: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(templates / "lead", tmp_path / "lead"))


@pytest.fixture
def node(templates: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(templates / "node", tmp_path / "node"))


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """A lead and a node that have joined, new for each test."""
    made = Pair(tmp_path)
    yield made
    made.close()
