"""`polku person erase` as people meet it: whom it asks for, what it refuses, what it says."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import select

from services.intake import operations, queries, referral_store, store, text_store
from services.node.control import Rpc
from services.node.documents import command_classes
from services.node.opening import open_database
from services.node.reaching import services_of
from services.portal.copying import as_html, gather
from services.portal.logos import nobodys
from shared.contracts.describing import methods_of
from shared.contracts.errors import InvalidInput
from shared.journal import Journal
from shared.journal.crypto import load_keys
from shared.journal.erasing import subject_digest
from shared.journal.sealed import seal_command
from shared.journal.tables import journal_line
from shared.ops.settings import Home
from shared.storage import snapshot, transaction
from shared.testing.wait import until
from tests.flows.kit import free_port_triple
from tests.services import kit
from tests.services.intake.kit import IDENTITY, arrival
from tests.services.node.commands import Done, run
from tests.services.node.made import new_home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A node with four people, two of one family."""
    made = new_home(tmp_path_factory.mktemp("person") / "node", "node", "pori", free_port_triple())
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


@pytest.fixture(scope="module")
def rpc(home: Home) -> Iterator[Rpc]:
    """The home's services, open until the last test; commands reach them too."""
    with services_of(home) as opened:
        yield opened


def sealed(home: Home, content: dict[str, Any]) -> str:
    key = load_keys(home.keys).newest("bus").public
    assert key is not None
    return seal_command(key, content)


def note(home: Home, subject: str) -> dict[str, Any]:
    return {"key": kit.key_of("note"), "subject": subject, "sealed": sealed(home, {"text": "Sovittiin"})}


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
    assert "esf_record: intake.participation_started 1" in done.err, "what goes is told before it is asked"


@pytest.mark.usefixtures("rpc")
@pytest.mark.parametrize("asked", ["cecilia toinen", "Toinen Cecilia"])
def test_a_whole_name_is_found_either_way_round(home: Home, asked: str) -> None:
    assert "Cecilia" in erase(home, kit.KEY, typed=f"{asked}\nn\n").err


@pytest.mark.usefixtures("rpc")
def test_who_is_not_there_is_one_line(home: Home) -> None:
    done = erase(home, kit.KEY, typed="nobody\n")
    assert (done.code, "no such person" in done.err) == (2, True)
    done = erase(home, kit.KEY, "0" * 32, "--yes")
    assert (done.code, "no such person" in done.err) == (2, True)
    done = erase(home, kit.KEY, "not-a-subject", "--yes")
    assert (done.code, "Traceback" in done.err) == (2, False)


@pytest.mark.usefixtures("rpc")
def test_every_look_is_in_the_audit_log(home: Home) -> None:
    erase(home, kit.KEY, typed="doris d\nn\n")
    entry = kit.audit(open_database(home))[-1]
    assert (entry["action"], len(entry["subjects"])) == ("read_identities", 1)


def _waiting(endings: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Of each ending who has not answered yet."""
    return [tuple(ending["waiting"]) for ending in endings]


def test_what_a_participant_may_ask_for_at_a_real_home(home: Home, rpc: Rpc) -> None:
    changes = json.dumps({"given_name": "Dorotea", "education": 5, "contact_language": "sv"})
    subject = subject_of(home, "Doris")
    done = person(home, "correct", kit.KEY, subject, "--changes", "-", typed=changes)
    assert done.out == "corrected: contact_language, education, given_name\n", done.err
    who: dict[str, Any] = {"programme": kit.KEY, "subject": subject, "by": "anna"}
    assert rpc.call("intake", "restrict_person", **who, ground="accuracy")["new"]
    with pytest.raises(InvalidInput, match=r"record\.nickname: Unknown field"):
        rpc.call("intake", "correct_person", **who, record={"nickname": "x"})
    copy = gather(rpc, home.name, kit.KEY, subject, by="anna", today=kit.NOW.date())
    page = as_html(rpc, copy, None, nobodys)
    who["subject"] = other = subject_of(home, "Cecilia")
    ending = rpc.call("intake", "end_purpose", **who, purpose="esf_record", why="asked")["ending"]
    (told,) = rpc.call("intake", "list_receipts", programme=kit.KEY, subject=other)["endings"]
    rpc.call("intake", "keep_texts", programme=kit.KEY, by="anna", items=[note(home, other)])
    assert rpc.call("intake", "end_purpose", **who, purpose="support", why="asked")["ending"]
    ended = {"programme": kit.KEY, "subject": other}
    until(lambda: {*_waiting(rpc.call("intake", "list_receipts", **ended)["endings"])} == {("reporting",)}, 20)
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


@pytest.mark.usefixtures("rpc")
def test_how_somebody_is_reached_is_read_and_changed(home: Home) -> None:
    words = ("contact", kit.KEY, subject_of(home, "Cecilia"))
    typed = json.dumps({"phone": "040 111 2223", "contact_language": "sv"})
    told = {"phone": "0401112223", "email": None, "contact_way": None, "contact_language": "sv"}
    assert json.loads(person(home, *words, "--changes", "-", typed=typed).out) == told
    assert json.loads(person(home, *words).out) == told
    wrong = person(home, "correct", kit.KEY, words[2], "--changes", "-", typed='{"phone": "0401112224"}')
    assert (wrong.code, "polku person contact" in wrong.err) == (2, True)
    wrong = person(home, *words, "--changes", "-", typed='{"phone": 5}')
    assert (wrong.code, "0401112223" in wrong.err) == (2, False)


# --- every look at an identity


REF = "5" * 32


def _asked(home: Home, subject: str, door: str) -> dict[str, dict[str, Any]]:
    """What is asked of every method that answers with something sealed, about this person, who is at the door."""
    return {
        "list_people": {"people": [subject]},
        "find_people": {"sealed": sealed(home, {"name": "Cecilia Toinen"})},
        "read_texts": {"refs": [REF]},
        "list_referrals": {},
        "read_contacts": {"people": [subject]},
        "copy_person": {"subject": subject},
        "show_identity": {"subject": subject},
        "list_duplicates": {"judged": True},
        "list_regulars": {"encounter": door},
        "show_start": {"subject": subject},
        "show_exit": {"subject": subject},
        "show_sample": {"node": home.name},
    }


def test_every_method_that_answers_with_something_sealed_writes_down_who_looks_at_whom(home: Home, rpc: Rpc) -> None:
    """A new one that takes a `reply_to` must stand in `_asked`, and say in the audit log whom it shows."""
    engine, subject = open_database(home), subject_of(home, "Cecilia")
    with transaction(engine) as connection:
        owner = store.owners(connection, kit.KEY, [subject])[subject]
        vault = {1: load_keys(home.keys).newest("vault").secret()}
        text_store.add_text(connection, vault, REF, kit.KEY, subject, owner, "Sovittiin")
        ids = {"subject": bytes.fromhex(subject), "text_ref": bytes.fromhex(REF)}
        coded = {"programme": kit.KEY, "direction": "out", "node": "x", "partner": "x", "state": "sent", "revision": 0}
        referral_store.add_referral(connection, REF, "2016", **coded, **ids)
    pair = {"programme": kit.KEY, "subject": subject, "same_as": subject_of(home, "Dorotea")}
    rpc.call("intake", "restrict_person", programme=kit.KEY, subject=pair["same_as"], by="anna", lift=True)
    assert rpc.call("intake", "judge_pair", **pair, by="anna", verdict="same")["new"]
    assert "noted already" in person(home, "link", kit.KEY, pair["same_as"], subject).out
    shown = person(home, "duplicates", kit.KEY, "--judged").out
    assert "same\n" in shown
    assert "Cecilia Toinen  1981-02-03" in shown
    common = {"programme": kit.KEY, "by": "anna"}
    door = rpc.call("intake", "open_door", **common, key=kit.key_of("door"), date="2016-03-02")["encounter"]
    rpc.call("intake", "tap_visitor", **common, encounter=door, subject=subject, there=True)
    asked = _asked(home, subject, door)
    answering = {
        pair for command in command_classes() if "reply_to" in command().fields for pair in methods_of(command)
    }
    assert answering == {("intake", method) for method in asked}
    started = select(journal_line.c.seq, journal_line.c.subject).where(journal_line.c.subject.is_not(None))
    with snapshot(engine) as connection:  # Cecilia has no start record any more
        line = connection.execute(started.where(journal_line.c.kind == "intake.participation_started")).first()
    assert line is not None
    asked["show_sample"]["lines"] = [line.seq]
    for method, given in asked.items():
        whom = line.subject.hex() if method == "show_sample" else subject
        before, reply = len(kit.audit(engine)), X25519PrivateKey.generate()
        common = {
            "programme": kit.KEY,
            "by": f"looker {method}",
            "reply_to": reply.public_key().public_bytes_raw().hex(),
        }
        answer = json.dumps(rpc.call("intake", method, **common, **given))
        assert "Cecilia" not in answer, method
        entries = kit.audit(engine)[before:]
        named = {entry.get("subject") for entry in entries} | {one for e in entries for one in e.get("subjects", ())}
        assert (subject_digest(whom) in named, {entry["by"] for entry in entries}) == (True, {common["by"]}), method


def test_all_of_a_workers_people_are_handed_over_by_one_command(home: Home, rpc: Rpc) -> None:
    engine, cecilia = open_database(home), subject_of(home, "Cecilia")
    for name in ("anna", "bertta"):
        run("user", "add", name, "--role", "case_worker", home=home.path)
    run("user", "add", "audit", "--role", "auditor", home=home.path)

    def worker(*words: str) -> Done:
        return run("worker", *words, home=home.path)

    assert worker("assign", kit.KEY, "anna", cecilia).out == "noted\n"
    assert "no user of this home" in worker("assign", kit.KEY, "audit", cecilia).error
    before = kit.heads(engine)
    dry = json.loads(worker("hand-over", "anna", "bertta", "--reason", "absent", "--dry-run", "--json").out)
    assert dry == {"handed_over": False, "total": 1, "programmes": {kit.KEY: {"people": 1, "tasks": 0}}}
    assert kit.heads(engine) == before
    assert "handed over: 1 people" in worker("hand-over", "anna", "bertta", "--reason", "absent").out
    assert f"bertta  people: {kit.KEY} 1; open tasks: 0" in worker("list").out
    assert "handed over: 0 people" in worker("hand-over", "anna", "bertta", "--reason", "absent").out
    assert "handed over: 1 people" in worker("hand-over", "bertta", "anna", "--reason", "back", "--back").out
    for wrong in (("anna", "audit"), ("zoe", "anna"), ("anna", "anna")):
        assert worker("hand-over", *wrong, "--reason", "leaves").code == 2
    run("user", "remove", "anna", home=home.path)
    assert "no user any more" in worker("list").out
