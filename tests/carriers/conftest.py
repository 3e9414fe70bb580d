"""Every carrier: a test that takes `ends` runs over each of them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from shared.testing.private import free_port
from tests.carriers.kit import Ends, broker_ends, folder_ends, portal_ends
from tests.services.node.made import new_home


@pytest.fixture(scope="session")
def made_lead(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lead's home, to be copied."""
    return new_home(tmp_path_factory.mktemp("made") / "lead", "lead", port=free_port()).path


@pytest.fixture(params=["file", "https", "amqp"])
def ends(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ends]:
    """Both ends of a carrier."""
    with ends_of(request.param, request, tmp_path) as made:
        yield made


def ends_of(kind: str, request: pytest.FixtureRequest, folder: Path) -> AbstractContextManager[Ends]:
    """Both ends of the carrier `kind`; only a broker needs a broker, and only a portal a home."""
    if kind == "amqp":
        return broker_ends(request.getfixturevalue("rabbitmq"))
    if kind == "https":
        return portal_ends(folder, request.getfixturevalue("made_lead"))
    return folder_ends(folder)
