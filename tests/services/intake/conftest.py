"""A node that knows the programme."""

import pytest
from sqlalchemy import Engine

from shared.journal import Journal
from tests.services.intake.kit import known


@pytest.fixture
def journal(engine: Engine) -> Journal:
    return known(engine)
