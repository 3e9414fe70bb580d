"""A backup of before a key was rotated is restored: all that was recorded since comes back, whoever signed it."""

from datetime import timedelta

import pytest

from services.reporting import partners, versions
from shared.journal import directory
from shared.journal.crypto import load_keys, make_key
from shared.journal.holding import is_held, lost
from shared.journal.renewing import APART
from shared.ops.settings import Home
from shared.storage import snapshot
from tests.services import kit
from tests.services.kit import KEY
from tests.services.node.commands import run
from tests.services.node.pairs import Pair, rotate


@pytest.mark.parametrize("which", ["node", "lead"])
@pytest.mark.parametrize("kind", ["signing", "receiving"])
def test_a_backup_of_before_a_rotation_still_restores(pair: Pair, which: str, kind: str) -> None:
    home = pair.node if which == "node" else pair.lead
    pair.record(2)
    pair.go()
    done = run("backup", pair.folder / "backup", home=home.path)
    passphrase = done.out.splitlines()[0].rpartition(" ")[2]
    rotate(home, kind)
    pair.go(8, seconds=20)
    put_back(pair, home, passphrase)
    pair.now += timedelta(days=20)
    pair.go(12, seconds=40)
    pair.record()
    pair.go(8, seconds=40)
    pair.assert_arrived(3)
    assert pair.listed(pair.node_engine).pairs[-1] == load_keys(pair.node.keys).pair()


@pytest.mark.parametrize("which", ["node", "lead"])
def test_what_a_home_recorded_after_a_rotation_comes_back_to_a_backup_of_before(pair: Pair, which: str) -> None:
    """It is proved by a key that went with the disk; one that is left has vouched for that."""
    home = pair.node if which == "node" else pair.lead
    pair.record(2)
    pair.go()
    passphrase = run("backup", pair.folder / "backup", home=home.path).out.splitlines()[0].rpartition(" ")[2]
    rotate(home, "signing")
    pair.go(8, seconds=20)
    pair.record(3)
    versions.load_programme(pair.lead_journal, kit.changed(name={"fi": "a", "sv": "b", "en": "c"}), "boss", pair.now)
    pair.go(8, seconds=20)
    put_back(pair, home, passphrase)
    pair.now += APART  # a lead does not list others before
    pair.go(12, seconds=40)
    engine = pair.node_engine if which == "node" else pair.lead_engine
    with snapshot(engine) as connection:
        assert not is_held(connection)
        assert which == "lead" or len(lost(connection, pair.node.name)) == 3
    if which == "node":
        partners.accept_epoch(pair.lead_journal, pair.node.name, by="boss", now=pair.now)
    pair.record()
    pair.go(8, seconds=40)
    pair.assert_arrived(3 if which == "node" else 6)
    assert pair.listed(pair.node_engine) == pair.listed()


def put_back(pair: Pair, home: Home, passphrase: str) -> None:
    """The home's disk is gone; its backup takes its place."""
    pair.close()
    home.path.rename(pair.folder / "lost")
    done = run("restore", pair.folder / "backup", home=home.path, POLKU_RECOVERY_PASSPHRASE=passphrase)
    assert done.code == 0, done.err
    if home.role == "lead":
        home.inbox.rmdir()
        (pair.folder / "lost" / "inbox").rename(home.inbox)
    pair.open()


def test_a_key_is_a_homes_own_only_if_one_of_its_own_has_vouched_for_it(pair: Pair) -> None:
    rotate(pair.node, "signing")
    pair.go()
    first, second = load_keys(pair.node.keys).publics("signing").items()
    stranger = make_key(pair.folder / "stranger", "signing")
    with snapshot(pair.node_engine) as connection:
        for ours, own in (([first], [first, second]), ([second], [second]), ([], [])):
            assert directory.own_signing(connection, pair.node.name, KEY, dict(ours)) == dict(own)
        assert stranger.public is not None
        others = {stranger.id: stranger.public}
        assert directory.own_signing(connection, pair.node.name, KEY, others) == others
        assert directory.own_signing(connection, "lead", KEY, dict([first])) == dict([first]), "a node's renewal"
