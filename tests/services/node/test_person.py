"""`polku person erase` as people meet it: whom it asks for, what it refuses, what it says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.intake import operations, store
from services.node.opening import init_home, open_database
from shared.journal import Journal
from shared.journal.crypto import load_keys
from shared.ops.settings import Home
from tests.flows.kit import free_port_triple
from tests.services import kit
from tests.services.intake.kit import IDENTITY, arrival
from tests.services.node.commands import Done, run


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A node with four people, two of one family."""
    made = init_home(tmp_path_factory.mktemp("person") / "node", "node", "pori", free_port_triple())
    engine, keys = open_database(made), load_keys(made.keys)
    kit.put_programme(engine, store.shelf)
    vault = operations.Vault({1: keys.newest("vault").secret()}, keys.newest("index").secret())
    people = [("a", "Aino", "Testinen"), ("b", "Bertta", "Testinen"), ("c", "Cecilia", "Toinen"), ("d", "Doris", "D")]
    arrivals = [arrival(key, identity=IDENTITY | {"given_name": g, "family_name": f}) for key, g, f in people]
    journal = Journal(engine, made.name)
    operations.register_participants(journal, vault, kit.KEY, arrivals, by="worker", now=kit.NOW)
    return made


def erase(home: Home, *words: str, typed: str = "") -> Done:
    command = [sys.executable, "-m", "services.node", "--home", str(home.path), "person", "erase", *words]
    done = subprocess.run(command, env={**os.environ}, input=typed, capture_output=True, text=True, timeout=120)
    return Done(done.returncode, done.stdout, done.stderr)


def people(home: Home) -> int:
    return len(kit.rows(open_database(home), store.participation))


def test_nobody_is_erased_without_a_yes(home: Home) -> None:
    before = people(home)
    for typed in ("toinen\n", "toinen\nn\n"):
        assert erase(home, kit.KEY, typed=typed).code == 1
    assert people(home) == before


def test_of_several_one_is_chosen_by_number(home: Home) -> None:
    before = people(home)
    done = erase(home, kit.KEY, typed="  TESTINEN \n2\ny\n")
    assert done.code == 0, done.err
    assert "1  Aino Testinen" in done.err or "1  Bertta Testinen" in done.err
    assert people(home) == before - 1
    assert done.out.startswith("erased\nWhat is left:")


@pytest.mark.parametrize("asked", ["cecilia toinen", "Toinen Cecilia"])
def test_a_whole_name_is_found_either_way_round(home: Home, asked: str) -> None:
    assert "Cecilia" in erase(home, kit.KEY, typed=f"{asked}\nn\n").err


def test_who_is_not_there_is_one_line(home: Home) -> None:
    done = erase(home, kit.KEY, typed="nobody\n")
    assert (done.code, "no such person" in done.err) == (2, True)
    done = erase(home, kit.KEY, "0" * 32, "--yes")
    assert (done.code, "no such person" in done.err) == (2, True)
    done = erase(home, kit.KEY, "not-a-subject", "--yes")
    assert (done.code, "Traceback" in done.err) == (2, False)


def test_every_look_is_in_the_audit_log(home: Home) -> None:
    erase(home, kit.KEY, typed="doris d\nn\n")
    entry = kit.audit(open_database(home))[-1]
    assert (entry["action"], len(entry["subjects"])) == ("read_identities", 1)


def test_what_comes_later_says_so(home: Home, tmp_path: Path) -> None:
    for words in (("erase", kit.KEY, "--purpose", "x"), ("export", "x"), ("correct", "x"), ("restrict", "x")):
        done = run("person", *words, home=home.path)
        assert (done.code, done.error.endswith("not in this release")) == (2, True)
