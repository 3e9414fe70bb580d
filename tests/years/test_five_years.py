"""A simulated year of all five programmes against the slow models, on both databases.

Small here; `python -m tests.bench.bench_years` has thousands of people. ``POLKU_SEED`` chooses other years. What must
be reached is reached in each of the five: chance is led to what was not yet.
"""

import os
import random

from sqlalchemy import Engine

from shared.programmes import check_document
from tests.years.checks import checked, missing
from tests.years.programmes import KEYS, with_everything
from tests.years.year import Years

SEED = int(os.environ.get("POLKU_SEED", "1"))


def small(engine: Engine, seed: int) -> Years:
    return Years(engine, random.Random(seed), people_each=6, events_each=14, tries_each=16, every=8).live()


def test_a_year_of_all_five_is_the_models_on_sqlite(sqlite_engine: Engine) -> None:
    assert missing(checked(small(sqlite_engine, SEED)), each=True) == []


def test_a_year_of_all_five_is_the_models_on_postgresql(postgres_engine: Engine) -> None:
    assert missing(checked(small(postgres_engine, SEED + 1)), each=True) == []


def test_the_programmes_of_the_years_may_be_loaded() -> None:
    assert [check_document(with_everything(key)) for key in KEYS] == [[]] * 5
