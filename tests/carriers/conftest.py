"""Every carrier: a test that takes `ends` runs over each of them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.carriers.kit import Ends, broker_ends, folder_ends, portal_ends


@pytest.fixture(params=["file", "https", "amqp"])
def ends(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ends]:
    """Both ends of a carrier."""
    with ends_of(request.param, request, tmp_path) as made:
        yield made


def ends_of(kind: str, request: pytest.FixtureRequest, folder: Path) -> AbstractContextManager[Ends]:
    """Both ends of the carrier `kind`; only a broker needs a broker."""
    if kind == "amqp":
        return broker_ends(request.getfixturevalue("rabbitmq"))
    return {"file": folder_ends, "https": portal_ends}[kind](folder)
