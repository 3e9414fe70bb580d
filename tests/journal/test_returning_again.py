"""A node that is restored more than once goes on from its last backup, whatever the lead has accepted meanwhile."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from shared.contracts.errors import NotFound
from shared.journal.carry_tables import received_line, received_void
from shared.journal.holding import lost
from shared.journal.received import forget_incarnation
from shared.storage import snapshot, transaction
from tests.flows.house import STREAM, House, backup_of
from tests.journal.test_returning import (
    accept,
    accepted_and_whole,
    assert_same_lines,
    epoch_of,
    lead_round,
    node_round,
    talk,
)
from tests.services import kit


def test_a_home_may_be_restored_twice(migrated_file: Path, tmp_path: Path, house: House, backup: Engine) -> None:
    house.register("bertta")
    house.work()
    house.put_back(backup)
    assert talk(house)
    house.register("doris")
    house.work()
    accept(house)
    lead_round(house)
    house.work()
    with backup_of(house.node, migrated_file, tmp_path / "again") as again:
        house.register("eeva")
        house.work()
        house.put_back(again)
        assert talk(house, 20)


@dataclass
class Twice:
    """A house with the backups of two days. `restore` puts one back and has it go on."""

    house: House
    older: Engine
    newer: Engine

    def restore(self, which: Engine, name: str) -> None:
        self.house.put_back(which)
        self.go_on(name)

    def go_on(self, name: str) -> None:
        assert talk(self.house, 20)
        self.house.register(name)
        self.house.work()


@pytest.fixture
def twice(migrated_file: Path, tmp_path: Path, house: House, backup: Engine) -> Iterator[Twice]:
    house.register("bertta")
    house.work()
    with backup_of(house.node, migrated_file, tmp_path / "newer") as newer:
        house.register("cilla")
        house.work()
        yield Twice(house, backup, newer)


@pytest.mark.parametrize("order", [("older", "newer"), ("newer", "older")])
def test_a_home_restored_again_before_anybody_has_accepted_goes_on_from_its_last_backup(
    twice: Twice, order: tuple[str, str]
) -> None:
    for name in order:
        twice.restore(getattr(twice, name), f"after {name}")
        assert twice.house.report()["arrived"] is False
    assert epoch_of(twice.house.node) == 2
    assert accepted_and_whole(twice.house)


def test_a_home_restored_again_when_its_first_return_has_been_accepted_opens_an_epoch_of_its_own(twice: Twice) -> None:
    twice.restore(twice.newer, "doris")
    twice.house.put_back(twice.older)
    accept(twice.house)  # by whom the second restore is not known to
    lead_round(twice.house)
    twice.go_on("eeva")
    assert epoch_of(twice.house.node) == 3
    assert accepted_and_whole(twice.house)


def test_a_newer_backup_may_be_restored_while_the_end_that_an_older_one_lacks_is_coming_back(twice: Twice) -> None:
    """What was sent back first begins before the line where this backup ends."""
    twice.house.put_back(twice.older)
    while not any(path.suffix == ".seg" for path in twice.house.folder.rglob("back/*")):
        assert not talk(twice.house, 1)
    twice.restore(twice.newer, "doris")
    assert accepted_and_whole(twice.house)


def test_a_held_home_asks_anew_when_its_lead_is_restored_from_before_what_has_come_back(
    migrated_file: Path, tmp_path: Path, house: House, backup: Engine
) -> None:
    house.register("bertta")
    house.work()
    with backup_of(house.lead, migrated_file, tmp_path / "before", held=False) as before:
        house.register("cilla")
        house.work()
        house.put_back(backup)
        while not (proof := list(house.folder.rglob("back/proof"))):
            assert not talk(house, 1)
        proof[0].unlink()
        assert not node_round(house), "all has come, and nothing proves it"
        house.lead = before
        with transaction(house.lead) as connection:
            forget_incarnation(connection)
        house.restart()
        assert talk(house, 60), "within five minutes"
        with snapshot(house.node) as connection:
            back = lost(connection, kit.NODE)
        assert back
        assert {row["seq"] for row in back} < {row["seq"] for row in kit.rows(house.lead, received_line)}
        house.register("doris")
        house.work()
        assert accepted_and_whole(house)


def test_what_a_home_claimed_before_it_came_back_with_nothing_lost_is_not_accepted(
    migrated_file: Path, tmp_path: Path, twice: Twice
) -> None:
    with backup_of(twice.house.node, migrated_file, tmp_path / "whole") as whole:
        twice.restore(twice.older, "doris")
        twice.restore(whole, "eeva")
        assert epoch_of(twice.house.node) == 1
        with pytest.raises(NotFound):
            accept(twice.house)
        assert kit.rows(twice.house.lead, received_void) == []
        assert_same_lines(twice.house)


@pytest.mark.parametrize("after", ["lines", "nothing", "another epoch"])
def test_the_same_backup_may_be_restored_again_after_its_first_return_was_accepted(
    migrated_file: Path, tmp_path: Path, house: House, after: str
) -> None:
    """What comes back is of two epochs then, or three; the stream goes on in one above all."""
    house.register("bertta")
    house.work()
    names = ["one", "same", "later"]
    with ExitStack() as stack:
        one, same, later = (stack.enter_context(backup_of(house.node, migrated_file, tmp_path / n)) for n in names)
        house.register("cilla")
        house.work()
        house.put_back(one)
        assert talk(house)
        house.work()
        if after == "lines":
            house.register("doris", "eeva")
            house.work()
        assert accepted_and_whole(house)
        if after == "another epoch":
            house.put_back(later)
            assert talk(house, 20)
            house.register("elli")
            house.work()
            assert accepted_and_whole(house)
        came = len(own_lines(house))
        before = epoch_of(house.node)
        house.put_back(same)
        had = len(own_lines(house))
        assert talk(house, 20)
        with snapshot(house.node) as connection:
            assert len(lost(connection, kit.NODE)) == came - had
        assert epoch_of(house.node) == before + 1
        house.register("frida")
        house.work()
        assert accepted_and_whole(house)


def own_lines(house: House) -> list[object]:
    return [line for line in kit.lines(house.node) if line.stream == STREAM]
