"""Counting bases that cannot be mixed up, and what "arrived" means."""

import operator
import textwrap
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mypy import api

from services.reporting.domain import (
    Attendances,
    GroupFigures,
    Heads,
    People,
    StreamState,
    arrived,
    check_days,
)
from shared.contracts.errors import InvalidInput
from tests.services.kit import NOW

BASES = (People(2), Attendances(2), Heads(2))
LIMIT = timedelta(days=3)


@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.mul, operator.lt, operator.iadd])
@pytest.mark.parametrize(("one", "other"), list(product(BASES, (*BASES, 2))))
def test_counting_bases_cannot_be_combined_not_even_with_themselves(
    operation: Callable[[Any, Any], Any], one: Any, other: Any
) -> None:
    """People of two groups are not added either: somebody may be in both."""
    with pytest.raises(TypeError):
        operation(one, other)
    with pytest.raises(TypeError):
        operation(other, one)


def test_equal_counts_on_different_bases_are_not_equal() -> None:
    assert len({People(2), Attendances(2), Heads(2)}) == 3


def test_mypy_refuses_a_sum_of_bases(tmp_path: Path) -> None:
    file = tmp_path / "mixed.py"
    file.write_text(
        textwrap.dedent(
            """
            from services.reporting.domain import Heads, People

            right: int = People(1).count + 1
            wrong = People(1) + Heads(2)
            worse = People(1) + People(2)
            worst: People = Heads(2)
            """
        )
    )
    found, _, _ = api.run(["--follow-imports=silent", "--no-incremental", "--ignore-missing-imports", str(file)])
    places = [line.partition("mixed.py:")[2].partition(":")[0] for line in found.splitlines() if "error:" in line]
    assert places == ["5", "6", "7"], found


def group(**changes: Any) -> dict[str, Any]:
    row = GroupFigures("g", 3, 75, People(0), Attendances(0), None)
    return replace(row, **changes).to_json()


def test_0_and_not_recorded_are_told_apart() -> None:
    assert group() == {"group": "g", "sessions": 3, "participants": 0, "attendances": 0, "heads": None, "hours": 1.3}
    assert group(minutes=None)["hours"] is None
    assert group(minutes=0)["hours"] == 0.0
    assert group(heads=Heads(0))["heads"] == 0


STREAM = StreamState("n", "p", 1, 7, b"c", 7, b"c", NOW)
STRANGER = StreamState(None, "q", None, None, None, None, None, None)
UNHEARD = replace(STREAM, epoch=None, watermark=None, chain=None, head=None, head_chain=None, manifest_at=None)
SILENT = replace(STREAM, manifest_at=NOW - LIMIT - timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("streams", "newer", "expected"),
    [
        ([STREAM], 0, True),
        ([STREAM, STRANGER], 0, True),
        ([replace(STREAM, manifest_at=NOW - LIMIT)], 0, True),
        ([replace(STREAM, watermark=0, head=0)], 0, True),
        ([replace(STREAM, watermark=6)], 0, False),
        ([replace(STREAM, watermark=0)], 0, False),
        ([replace(STREAM, head_chain=b"d")], 0, False),
        ([replace(STREAM, stopped=True)], 0, False),
        ([replace(SILENT, stopped=True)], 0, False),
        ([replace(SILENT, watermark=6)], 0, False),
        ([STREAM], 1, False),
        ([SILENT], 1, False),
        ([], 1, False),
        ([STREAM, replace(STREAM, watermark=6)], 0, False),
        ([UNHEARD, replace(STREAM, watermark=6)], 0, False),
        ([], 0, None),
        ([STRANGER], 0, None),
        ([UNHEARD], 0, None),
        ([STREAM, UNHEARD], 0, None),
        ([SILENT], 0, None),
        ([STREAM, SILENT], 0, None),
    ],
)
def test_arrived(streams: list[StreamState], newer: int, expected: bool | None) -> None:
    assert arrived(streams, newer, NOW, LIMIT) is expected


POSSIBLE = st.sampled_from([STREAM, STRANGER, UNHEARD, SILENT, replace(STREAM, watermark=3)])


@given(st.lists(POSSIBLE, max_size=4), st.integers(0, 1))
def test_one_more_stream_never_turns_missing_into_arrived(streams: list[StreamState], newer: int) -> None:
    """False is stronger than None, None than True; before the first stream nothing is known at all."""
    strength = {True: 0, None: 1, False: 2}
    if not any(stream.node for stream in streams):
        return
    before = strength[arrived(streams, newer, NOW, LIMIT)]
    for more in (STREAM, STRANGER, UNHEARD, SILENT):
        assert strength[arrived([*streams, more], newer, NOW, LIMIT)] >= before


def test_days_the_wrong_way_round_are_refused() -> None:
    day = date(2016, 3, 1)
    for start, end in ((None, None), (day, None), (None, day), (day, day)):
        check_days(start, end)
    with pytest.raises(InvalidInput) as caught:
        check_days(day, day - timedelta(days=1))
    assert caught.value.params["field"] == "to"
