"""`polku person erase` as people meet it: whom it asks for, what it refuses, what it says."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from services.intake import operations, queries, store
from services.node.exporting import as_html, gather
from services.node.opening import init_home, open_database
from services.node.reaching import services_of
from shared.contracts.errors import InvalidInput
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


def person(home: Home, *words: str, typed: str = "") -> Done:
    command = [sys.executable, "-m", "services.node", "--home", str(home.path), "person", *words]
    done = subprocess.run(command, env={**os.environ}, input=typed, capture_output=True, text=True, timeout=120)
    return Done(done.returncode, done.stdout, done.stderr)


def erase(home: Home, *words: str, typed: str = "") -> Done:
    return person(home, "erase", *words, typed=typed)


def subject_of(home: Home, given_name: str) -> str:
    engine, keys = open_database(home), load_keys(home.keys)
    vault = {1: keys.newest("vault").secret()}
    _, rows = queries.list_people(engine, kit.KEY, 10, 0)
    names = {store.open_identity(vault, row.person, row.wrapped_key, row.box)["given_name"]: row for row in rows}
    return names[given_name].subject


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


def test_what_a_participant_may_ask_for_at_a_real_home(home: Home) -> None:
    changes = json.dumps({"given_name": "Dorotea", "education": 5, "contact_language": "sv"})
    subject = subject_of(home, "Doris")
    done = person(home, "correct", kit.KEY, subject, "--changes", "-", typed=changes)
    assert done.out == "corrected: contact_language, education, given_name\n", done.err
    with services_of(home) as rpc:
        who: dict[str, Any] = {"programme": kit.KEY, "subject": subject, "by": "anna"}
        assert rpc.call("intake", "restrict_person", **who, ground="accuracy")["new"]
        with pytest.raises(InvalidInput, match=r"record\.nickname: Unknown field"):
            rpc.call("intake", "correct_person", **who, record={"nickname": "x"})
        copy = gather(home, rpc, kit.KEY, subject, "anna")
        page = as_html(rpc, copy, None)
        who["subject"] = subject_of(home, "Aino")
        ending = rpc.call("intake", "end_purpose", **who, purpose="esf_record", why="asked")["ending"]
        (told,) = rpc.call("intake", "list_receipts", programme=kit.KEY, subject=who["subject"])["endings"]
        assert rpc.call("intake", "list_due", programme=kit.KEY) == {"total": 0, "due": []}
        assert rpc.call("intake", "apply_retention", programme=kit.KEY, by="anna")["ended"] == 0
    assert (told["ending"], told["waiting"]) == (ending, ["reporting"])
    assert copy["intake"]["identity"]["given_name"] == "Dorotea"
    assert copy["intake"]["restriction"]["ground"] == "accuracy"
    last = [line["kind"] for line in copy["history"]][-2:]
    assert last == ["intake.participation_started", "intake.person_restricted"]
    assert '<html lang="sv">' in page, "the person's own language"
    for said in ("Dina uppgifter: Dorotea D", "Personbeteckning", "Behandlingen är begränsad sedan"):
        assert said in page


@pytest.mark.parametrize("words", [("restrict",), ("restrict", "--lift", "--ground", "claims"), ("correct",)])
def test_a_right_that_is_not_said_whole_is_one_line(home: Home, words: tuple[str, ...]) -> None:
    assert run("person", words[0], kit.KEY, "0" * 32, *words[1:], home=home.path).code == 2
