"""A simulated year of all five programmes against the slow models, on both databases.

Small here; `python -m tests.bench.bench_years` has thousands of people. ``POLKU_SEED`` chooses other years.
"""

import os
import random

from sqlalchemy import Engine

from shared.programmes import check_document
from tests.services.pathways.year import KEYS, Years, checked, missing, with_everything

SEED = int(os.environ.get("POLKU_SEED", "1"))


def test_a_year_of_all_five_is_the_models_on_sqlite(sqlite_engine: Engine) -> None:
    assert missing(checked(Years(sqlite_engine, random.Random(SEED), people_each=10, every=4).live()), each=False) == []


def test_a_year_of_all_five_is_the_models_on_postgresql(postgres_engine: Engine) -> None:
    reached = checked(Years(postgres_engine, random.Random(SEED + 1), people_each=8, every=6).live())
    assert {"task met", "task done", "step refused", "pause taken", "killed"} <= {what for _, what in reached}


def test_the_programmes_of_the_years_may_be_loaded() -> None:
    assert [check_document(with_everything(key)) for key in KEYS] == [[]] * 5
