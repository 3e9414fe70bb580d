"""``python -m tests.green [pytest arguments]``: pytest in a monkey-patched process, as service processes are."""

# ruff: noqa: E402  patching comes before all other imports

import os

os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"
os.environ["POLKU_TESTS_GREEN"] = "1"

import warnings

warnings.filterwarnings("ignore", message=".*[Ee]ventlet.*")

import eventlet

eventlet.monkey_patch()

import sys

import pytest

if __name__ == "__main__":
    sys.exit(pytest.main(sys.argv[1:]))
