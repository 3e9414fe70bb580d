"""A lead's and a node's portal, each on a database of its own."""

from pathlib import Path

import pytest

from tests.services.portal.samples import Portal, make_portal


@pytest.fixture
def lead(tmp_path: Path) -> Portal:
    return make_portal(str(tmp_path / "lead.db"), "lead")


@pytest.fixture
def node(tmp_path: Path) -> Portal:
    return make_portal(str(tmp_path / "node.db"), "node")


@pytest.fixture
def worker(node: Portal) -> Portal:
    """The node's portal, seen by a case worker who is logged in."""
    node.user_logged_in("worker", "case_worker")
    return node
