"""Every carrier: a test that takes `ends` runs over each of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.carriers.kit import Ends, folder_ends, portal_ends


@pytest.fixture(params=["file", "https"])
def ends(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ends]:
    """Both ends of a carrier."""
    make = {"file": folder_ends, "https": portal_ends}[request.param]
    with make(tmp_path) as made:
        yield made
