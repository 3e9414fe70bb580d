"""`polku backup` and `polku restore`: what comes back, what is refused, and that nothing is in clear."""

import json
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from services.node import backup, recovery
from services.node.opening import open_database
from services.node.recovery import new_recovery_key, read_recovery_key
from services.portal import logos
from shared.contracts.errors import HomeUnusable, InvalidBackup
from shared.journal import Journal
from shared.journal.carry_tables import received_incarnation
from shared.journal.crypto import load_keys
from shared.journal.holding import held_streams
from shared.journal.received import incarnation
from shared.journal.tables import journal_hold
from shared.ops.clock import utcnow
from shared.ops.settings import Home, Joined, load_home
from shared.storage import transaction
from shared.testing.postgres import new_database
from tests.services import kit
from tests.services.intake.kit import IDENTITY, arrival, known, register
from tests.services.node.commands import Done, run
from tests.services.node.made import new_home
from tests.services.portal.test_logos import DRAWN


@pytest.fixture
def node(tmp_path: Path) -> Home:
    """A node with one person."""
    home = new_home(tmp_path / "node", "node", "pori", 18401)
    engine = open_database(home)
    register(known(engine), arrival("a"))
    engine.dispose()
    return home


def joined(home: Home) -> Home:
    place = Joined(kit.KEY, kit.OWN, f"file:{home.path.parent / 'inbox'}", "1" * 64, "2" * 64)
    home.with_programme(place).save()
    return load_home(home.path)


def back_up(home: Home, file: Path) -> str:
    """A first backup; its passphrase."""
    done = run("backup", file, home=home.path)
    assert done.code == 0, done.err
    (first, _) = done.out.splitlines()
    return first.rpartition(" ")[2]


def restore(file: Path, to: Path, passphrase: str, **environment: str | None) -> Done:
    return run("restore", file, home=to, POLKU_RECOVERY_PASSPHRASE=passphrase, **environment)


def state(engine: Engine) -> dict[str, Any]:
    tables = {table.name: kit.rows(engine, table) for table in kept_tables()}
    return {name: sorted(map(repr, rows)) for name, rows in tables.items()}


def kept_tables() -> list[Any]:
    from shared.storage import metadata

    passing = {"journal_hold", "courier_receipt", "courier_manifest", "courier_segment", "received_incarnation"}
    return [table for table in metadata.sorted_tables if table.name not in passing]


def test_a_home_comes_back_as_it_was(node: Home, tmp_path: Path) -> None:
    passphrase = back_up(node, tmp_path / "b")
    done = restore(tmp_path / "b", tmp_path / "again", passphrase)
    assert done.code == 0, done.err
    again = load_home(tmp_path / "again")
    assert (again.role, again.name, again.port) == (node.role, node.name, node.port)
    assert load_keys(again.keys) == load_keys(node.keys)
    assert state(open_database(again)) == state(open_database(node))
    assert {path.stat().st_mode & 0o777 for path in again.keys.glob("*-1")} == {0o600}
    assert (again.path.stat().st_mode & 0o777, again.keys.stat().st_mode & 0o777) == (0o700, 0o700)
    assert ((again.path / "node.db").stat().st_mode & 0o777) == 0o600


def test_logos_come_back_and_what_is_none_is_left_out(node: Home, tmp_path: Path) -> None:
    folder = node.path / logos.FOLDER
    folder.mkdir()
    (folder / "town.svg").write_text(DRAWN, encoding="utf-8")
    (folder / "uas.svg").write_bytes(b"<script/>")
    (folder / "notes.txt").write_bytes(b"no logo")
    restored = restore(tmp_path / "b", tmp_path / "again", back_up(node, tmp_path / "b"))
    assert restored.code == 0, restored.err
    assert [path.name for path in (tmp_path / "again" / logos.FOLDER).iterdir()] == ["town.svg"]
    shown = logos.pictures(tmp_path / "again")("town")
    assert (shown is not None, shown) == (True, logos.pictures(node.path)("town"))


def test_the_passphrase_is_shown_once_and_later_backups_need_none(node: Home, tmp_path: Path) -> None:
    passphrase = back_up(node, tmp_path / "b1")
    done = run("backup", tmp_path / "b2", home=node.path)
    assert (done.code, len(done.out.splitlines())) == (0, 1)
    assert restore(tmp_path / "b2", tmp_path / "again", passphrase.upper().replace("-", " ")).code == 0
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for form in (passphrase, passphrase.replace("-", "")):
        assert form.encode() not in everything


def test_a_new_passphrase_is_for_later_backups(node: Home, tmp_path: Path) -> None:
    old = back_up(node, tmp_path / "b1")
    done = run("backup", tmp_path / "b2", "--new-passphrase", home=node.path)
    new = done.out.splitlines()[0].rpartition(" ")[2]
    assert new != old
    assert "passphrase" in restore(tmp_path / "b2", tmp_path / "x", old).error
    assert restore(tmp_path / "b2", tmp_path / "again", new).code == 0
    assert restore(tmp_path / "b1", tmp_path / "again1", old).code == 0


def test_nothing_of_a_home_is_in_clear_in_its_backup(node: Home, tmp_path: Path) -> None:
    back_up(node, tmp_path / "b")
    data = (tmp_path / "b").read_bytes()
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600
    for needle in (node.name, kit.KEY, "home.toml", "journal_line", IDENTITY["family_name"]):
        assert needle.encode() not in data
    for key in load_keys(node.keys).all:
        assert key.secret() not in data
        assert key.secret().hex().encode() not in data


def test_another_passphrase_is_told_apart_from_a_changed_file(node: Home, tmp_path: Path) -> None:
    passphrase = back_up(node, tmp_path / "b")
    whole = (tmp_path / "b").read_bytes()
    other = new_recovery_key()[1]
    assert "passphrase" in restore(tmp_path / "b", tmp_path / "x", other).error
    for damaged in (whole[:-1], whole[: len(whole) // 2], whole[:300], whole + b"x", whole[:-20] + bytes(20)):
        (tmp_path / "b").write_bytes(damaged)
        assert "changed or is not complete" in restore(tmp_path / "b", tmp_path / "x", passphrase).error
    for nothing in (b"", b"x" * 1000, whole[:10]):
        (tmp_path / "b").write_bytes(nothing)
        assert "not a backup" in restore(tmp_path / "b", tmp_path / "x", passphrase).error
    assert {path.name for path in tmp_path.iterdir()} == {"node", "b"}, "nothing was begun"


def test_whatever_is_changed_in_the_header_is_one_clear_error(
    node: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "scrypt", cache(recovery.scrypt))  # slow by design; mostly of the same again
    passphrase = backup.back_up(node, tmp_path / "b", utcnow())
    assert passphrase is not None
    whole = (tmp_path / "b").read_bytes()
    for at in range(0, 600, 7):
        changed = bytearray(whole)
        changed[at] ^= 1 << at % 7
        (tmp_path / "b").write_bytes(changed)
        with pytest.raises(InvalidBackup):
            backup.restore(tmp_path / "b", tmp_path / "x", lambda: passphrase, utcnow())


@pytest.mark.parametrize("says", ["{}", '{"public":"aa","salt":"bb"}', "x", json.dumps({"public": "0" * 64})])
def test_a_key_that_does_not_say_how_it_is_derived_is_refused(says: str) -> None:
    with pytest.raises(InvalidBackup):
        read_recovery_key(says)


def test_a_file_cannot_make_us_use_any_amount_of_memory() -> None:
    key, _ = new_recovery_key()
    for n in (2**30, 0, 1, 3 * 2**10):
        with pytest.raises(InvalidBackup):
            read_recovery_key(json.dumps({**json.loads(key.to_json()), "n": n}))


def test_a_home_that_is_there_is_never_restored_over(node: Home, tmp_path: Path) -> None:
    passphrase = back_up(node, tmp_path / "b")
    assert "something is there already" in restore(tmp_path / "b", node.path, passphrase).error
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "node.db").touch()
    assert restore(tmp_path / "b", tmp_path / "half", passphrase).code == 2
    (tmp_path / "half" / "node.db").unlink()
    assert restore(tmp_path / "b", tmp_path / "half", passphrase).code == 0


def test_a_backup_is_never_written_over_another(node: Home, tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"older")
    assert run("backup", tmp_path / "b", home=node.path).code == 2
    assert (tmp_path / "b").read_bytes() == b"older"


def test_the_passphrase_comes_from_a_file_or_the_environment_but_no_argument(node: Home, tmp_path: Path) -> None:
    passphrase = back_up(node, tmp_path / "b")
    (tmp_path / "secret").write_text(passphrase + "\n", encoding="utf-8")
    done = run("restore", tmp_path / "b", "--passphrase-file", tmp_path / "secret", home=tmp_path / "one")
    assert done.code == 0
    done = run(
        "restore", tmp_path / "b", home=tmp_path / "two", POLKU_RECOVERY_PASSPHRASE_FILE=str(tmp_path / "secret")
    )
    assert done.code == 0
    assert run("restore", tmp_path / "b", "--passphrase", passphrase, home=tmp_path / "three").code == 2


def test_a_node_that_has_joined_is_held_and_one_that_has_not_is_free(node: Home, tmp_path: Path) -> None:
    passphrase = back_up(node, tmp_path / "b1")
    assert restore(tmp_path / "b1", tmp_path / "free", passphrase).code == 0
    assert kit.rows(open_database(load_home(tmp_path / "free")), journal_hold) == []
    home = joined(node)
    assert run("backup", tmp_path / "b2", home=home.path).code == 0
    done = restore(tmp_path / "b2", tmp_path / "held", passphrase)
    assert f"held until the lead of {kit.KEY} has answered" in done.out
    again = load_home(tmp_path / "held")
    assert held_streams(open_database(again), [f"{again.name}/{kit.KEY}"]) == {f"{again.name}/{kit.KEY}": "waiting"}


def test_a_restored_lead_is_another_database_and_says_what_it_lacks(tmp_path: Path) -> None:
    from tests.services.reporting import kit as received

    home = new_home(tmp_path / "lead", "lead", port=18400)
    engine = open_database(home)
    received.lead(engine)
    received.admit(engine, kit.OWN)
    stream = received.STREAMS[kit.OWN]
    received.receive(engine, stream, [received.session("s", "kaapeli", "2016-03-01", 60)], said=4)
    with transaction(engine) as connection:
        before = incarnation(connection)
    passphrase = back_up(home, tmp_path / "b")
    done = restore(tmp_path / "b", tmp_path / "again", passphrase)
    assert f"{stream}: lines up to 1, and its node had signed up to 4" in done.out
    again = open_database(load_home(tmp_path / "again"))
    assert state(again) == state(engine)
    assert kit.rows(again, received_incarnation) == []
    with transaction(again) as connection:
        assert incarnation(connection) != before
    assert (tmp_path / "again" / "inbox").is_dir()


def test_a_backup_fits_either_database(node: Home, tmp_path: Path, postgres: int) -> None:
    passphrase = back_up(node, tmp_path / "b1")
    url = new_database(postgres)
    done = restore(tmp_path / "b1", tmp_path / "full", passphrase, POLKU_DATABASE_URL=url)
    assert done.code == 0, done.err
    assert not (tmp_path / "full" / "node.db").exists()
    assert "not empty" in restore(tmp_path / "b1", tmp_path / "x", passphrase, POLKU_DATABASE_URL=url).error
    assert run("backup", tmp_path / "b2", home=tmp_path / "full", POLKU_DATABASE_URL=url).code == 0
    assert restore(tmp_path / "b2", tmp_path / "again", passphrase).code == 0
    assert state(open_database(load_home(tmp_path / "again"))) == state(open_database(node))


def test_a_backup_of_a_newer_release_is_refused(node: Home, tmp_path: Path) -> None:
    with transaction(open_database(node)) as connection:
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('intake_9999')")
    home, (key, passphrase) = node, new_recovery_key()
    (home.keys / "recovery").write_text(key.to_json(), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backup, "open_database", raw_engine)
        backup.back_up(home, tmp_path / "b", utcnow())
    done = restore(tmp_path / "b", tmp_path / "again", passphrase)
    assert (done.code, "newer release" in done.error) == (1, True)


def raw_engine(home: Home, **_: Any) -> Engine:
    """The database without looking at its version."""
    from shared.storage import open_engine

    return open_engine(home.database_url)


def test_a_backup_is_one_snapshot_though_the_home_goes_on(
    node: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = backup.dump_rows
    other = open_database(node)

    def interrupted(connection: Any) -> Any:
        for number, record in enumerate(writing(connection)):
            if number == 3:
                register(Journal(other, kit.NODE), arrival("late"))
            yield record

    monkeypatch.setattr(backup, "dump_rows", interrupted)
    before = state(other)
    passphrase = backup.back_up(node, tmp_path / "b", utcnow())
    assert passphrase is not None
    assert state(other) != before
    backup.restore(tmp_path / "b", tmp_path / "again", lambda: passphrase, utcnow())
    assert state(open_database(load_home(tmp_path / "again"))) == before


def test_a_restore_that_dies_leaves_nothing_behind(node: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passphrase = back_up(node, tmp_path / "b")

    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "load_rows", full)
    with pytest.raises(OSError, match="No space"):
        backup.restore(tmp_path / "b", tmp_path / "again", lambda: passphrase, utcnow())
    assert {path.name for path in tmp_path.iterdir()} == {"node", "b"}
    monkeypatch.undo()
    backup.restore(tmp_path / "b", tmp_path / "again", lambda: passphrase, utcnow())
    with pytest.raises(HomeUnusable):
        backup.restore(tmp_path / "b", tmp_path / "again", lambda: passphrase, utcnow())
    assert tomllib.loads((tmp_path / "again" / "home.toml").read_text())["role"] == "node"
