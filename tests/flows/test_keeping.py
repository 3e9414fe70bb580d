"""Erasing a person and bringing a home back, by the commands people use, on both footings."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

import pytest
from sqlalchemy import Engine, select

from services.activities import store as activities
from services.intake import store as intake
from services.node.opening import open_database
from services.reporting import store as reporting
from shared.journal.tables import journal_hold
from shared.ops.settings import load_home
from shared.storage import snapshot
from shared.testing.broker import Broker
from shared.testing.postgres import new_database
from shared.testing.wait import until
from tests.flows.house import needles
from tests.flows.kit import Pair, Site, joined_pair
from tests.flows.test_lead_stream import digest_at, load_on_lead
from tests.services import kit
from tests.services.node.sets import ATTENDANCE, PERSON, SESSION, read, write_set

ANNA = PERSON | {"ref": "anna", "given_name": "Äikkä-Testinimi", "family_name": "Öystilä", "token": "sinikettu7"}
BERTTA = PERSON | {"ref": "bertta", "given_name": "Bertta", "family_name": "Toinen", "token": "punakettu8"}
NAMES = ("Äikkä-Testinimi", "Öystilä", "sinikettu7", "punakettu8")
PURPOSES = [
    {"key": "esf_record", "law": "laki, 1 §", "keep_until": "2099-12-31"},
    *({"key": key, "keep_months": 24} for key in ("support", "measurement")),
]
ROWS = [ATTENDANCE | {"participant": ref} for ref in ("anna", "bertta")]


def erase(site: Site, *words: str, typed: str) -> str:
    command = [sys.executable, "-m", "services.node", "--home", str(site.path), "person", "erase", kit.KEY, *words]
    environment = {**os.environ, **site.environment}
    done = subprocess.run(command, env=environment, input=typed, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def database(site: Site) -> Engine:
    home = load_home(site.path)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in site.environment.items():
            patch.setenv(name, value)
        return open_database(home)


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def import_set(pair: Pair, folder: Path, *people: dict[str, str], attending: bool = False, fails: bool = False) -> None:
    folder.mkdir(exist_ok=True)
    write_set(folder, people, [SESSION] if attending else [], ROWS if attending else [])
    pair.node.polku("import", str(folder), fails=fails)


def bring_two(pair: Pair, folder: Path) -> None:
    import_set(pair, folder / "csv", ANNA, BERTTA, attending=True)
    pair.wait_until_arrived()


def searched(pair: Pair) -> dict[str, bytes]:
    """What each home holds: its files, and its database's rows."""
    return {site.role: files(site.path) + kit.stored_bytes(database(site)) for site in (pair.lead, pair.node)}


def all_have_answered(endings: list[dict[str, Any]]) -> bool:
    (ending,) = endings
    return [row["holder"] for row in ending["receipts"]] == ["measurement", "reporting"] and not ending["waiting"]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """The pair of the tests that a programme's end goes through; whoever closes it there comes last."""
    with joined_pair(tmp_path_factory.mktemp("kept")) as made:
        yield made


def test_erased_by_name_a_person_is_in_no_file_of_either_home(kept: Pair, tmp_path: Path) -> None:
    pair = kept
    bring_two(pair, tmp_path)
    engine = database(pair.node)
    with snapshot(engine) as connection:
        everybody = list(connection.execute(select(activities.attendance)))
    before = searched(pair)
    for row in everybody:
        for needle in needles(row.subject.hex(), row.attendance.hex()):
            assert all(needle in data for data in before.values()), "the search would find it"
    said = erase(pair.node, typed="öystilä\ny\n")
    assert said.startswith("erased\nWhat is left:\n")
    assert "30 days" in said
    (left,) = kit.rows(engine, intake.participation)
    (gone,) = [row for row in everybody if row.subject != left["subject"]]

    def nowhere() -> bool:
        now = searched(pair)
        return not any(n in data for n in needles(gone.subject.hex(), gone.attendance.hex()) for data in now.values())

    until(nowhere, 60)
    assert not any(name.encode() in data for name in NAMES for data in searched(pair).values())
    report = pair.wait_until_arrived()
    assert report["activities"][0]["participants"] == 1
    assert report["data_quality"]["erased_people"] == 1
    assert erase(pair.node, gone.subject.hex(), "--yes", typed="").startswith("was erased already\n")
    who = (kit.KEY, left["subject"].hex())
    assert pair.node.polku("person", "withdraw", *who, "--purpose", "measurement").startswith("withdrawn; receipts")
    until(lambda: all_have_answered(json.loads(pair.node.polku("person", "receipts", *who, "--json"))), 60)
    assert json.loads(pair.lead.polku("complete", "--json"))["complete"] is True


def due(site: Site) -> dict[str, Any]:
    """What retention would erase, by person."""
    found = json.loads(site.polku("retention", "--dry-run", "--json"))
    assert found["done"] is None
    return {row["person"]: row for row in found["due"]}


def close_all(site: Site) -> bool:
    """Close, with a reason for all that stands in the way; whether it is closed."""
    reasons = ("exit=no_contact", "task=not_needed", "evidence=not_obtainable", "period=agreed_with_funder")
    every = [word for reason in reasons for word in ("--all", reason)]
    return "closed on" in site.polku("programme", "close", kit.KEY, *every, "--day", "2017-05-31", "--yes", fails=True)


def test_a_programme_ends_by_the_commands_and_what_stays_of_it_is_read_back(kept: Pair, tmp_path: Path) -> None:
    node, lead, folder = kept.node, kept.lead, tmp_path / "csv"
    started = {"ref": "stays", "standing": "esf_participant", "start_date": "2016-02-01", "form_kept": "kaappi 3"}
    people = [BERTTA | started, BERTTA | {"ref": "goes", "given_name": "Doris"}]
    folder.mkdir()
    write_set(folder, people, [SESSION], [ATTENDANCE | {"participant": ref} for ref in ("stays", "goes")])
    node.polku("import", str(folder))
    load_on_lead(kept, tmp_path / f"{kit.KEY}.yaml", purposes=PURPOSES)
    here = kit.rows(database(node), intake.participation)
    (stays,) = [row["subject"].hex() for row in here if row["started_on"]]
    until(lambda: len(due(node)) == len(here), 60)

    found = due(node)
    assert not found[stays].pop("whole"), "the fund's record is kept"
    assert [one["purpose"] for one in found[stays]["purposes"]] == ["support"]
    assert all(row["whole"] for person, row in found.items() if person != stays)
    assert f"erased {len(here) - 1} people, ended 1 purposes" in node.polku("retention")
    assert due(node) == {}, "what is gone falls due no more"
    assert [row["subject"].hex() for row in kit.rows(database(node), intake.participation)] == [stays]

    waiting = json.loads(node.polku("programme", "close", kit.KEY, "--check", "--json", fails=True))["open"]
    assert {"exit", "evidence", "period"} <= {one["what"] for one in waiting}
    until(lambda: close_all(node), 60)
    until(lambda: "sealed on" in node.polku("programme", "seal", kit.KEY, "--yes", fails=True), 60)  # all have heard
    until(lambda: json.loads(lead.polku("complete", "--json", fails=True))["streams"][0]["state"] == "closed", 60)

    for site in (node, lead):
        out = tmp_path / f"{site.role}-archive"
        assert f"archive of the {site.role}" in site.polku("programme", "archive", kit.KEY, "--out", str(out))
        assert "unaltered" in site.polku("verify", str(out))
    for report in (tmp_path / "lead-archive" / "reports").iterdir():
        assert "unaltered" in lead.polku("verify", str(report))
    personal = tmp_path / "node-archive" / "personal"
    (evidence,), (leaving,) = read(personal, "evidence.csv"), read(personal / "csv", "exits.csv")
    assert (evidence["subject"], evidence["form_kept"], evidence["ended_on"]) == (stays, "kaappi 3", "2017-05-31")
    assert (leaving["participant"], leaving["reason"]) == (evidence["ref"], "no_contact")
    node.polku("import", str(personal / "csv"), "--dry-run")
    (personal / "evidence.csv").write_text("", encoding="utf-8")
    assert "unaltered" not in node.polku("verify", str(tmp_path / "node-archive"), fails=True)
    rmtree(personal)
    assert "not there any more" in node.polku("verify", str(tmp_path / "node-archive"))


@pytest.fixture
def full(tmp_path: Path, rabbitmq: Broker, postgres: int) -> Iterator[Pair]:
    environments = [
        {"POLKU_DATABASE_URL": new_database(postgres), "POLKU_BUS_URL": rabbitmq.new_vhost()} for _ in range(2)
    ]
    with joined_pair(tmp_path, *environments) as pair:
        yield pair


def test_on_the_full_footing_names_are_nowhere_and_the_erased_in_no_table(
    full: Pair, rabbitmq: Broker, tmp_path: Path
) -> None:
    bring_two(full, tmp_path)
    engines = [database(site) for site in (full.node, full.lead)]
    anna = kit.rows(engines[0], intake.participation)[0]["subject"].hex()
    assert all(needle in kit.stored_bytes(engine) for needle in needles(anna) for engine in engines)
    erase(full.node, anna, "--yes", typed="")
    until(lambda: not any(n in kit.stored_bytes(engine) for n in needles(anna) for engine in engines), 60)
    broker = Path(rabbitmq.erlang("rabbit_mnesia:dir().").split('"')[1])
    rabbitmq.restart()  # what was in memory only goes to the disk
    assert len(files(broker)) > 10_000
    everywhere = [files(broker), files(full.lead.path), files(full.node.path)]
    everywhere += [kit.stored_bytes(engine) for engine in engines]
    assert not any(name.encode() in data for name in NAMES for data in everywhere)
    for site in (full.node, full.lead):
        until(lambda site=site: site.polku("complete", "--json", fails=True), 60)  # the bus is back
    assert full.wait_until_arrived()["data_quality"]["erased_people"] == 1


def ready(site: Site) -> dict[str, str]:
    """What /ready complains about."""
    port = load_home(site.path).health_port
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as answer:
            return dict(json.load(answer)["failed"])
    except urllib.error.HTTPError as error:
        return dict(json.load(error)["failed"])


def test_a_node_comes_back_from_its_backup_and_goes_on_when_the_lead_has_answered(tmp_path: Path) -> None:
    with joined_pair(tmp_path) as pair:
        bring_two(pair, tmp_path)
        before = pair.report()
        passphrase = pair.node.polku("backup", str(tmp_path / "b1")).splitlines()[0].rpartition(" ")[2]
        restore(pair, tmp_path / "b1", passphrase)
        pair.node.up()
        until(lambda: kit.rows(database(pair.node), journal_hold) == [], 60)
        until(lambda: "hold" not in ready(pair.node), 30)
        import_set(pair, tmp_path / "more", BERTTA | {"ref": "cecilia"})
        after = pair.wait_until_arrived()
        assert after["activities"] == before["activities"]

        # What is recorded now reaches the lead, and the second restore does not have it.
        pair.node.polku("backup", str(tmp_path / "b2"))
        import_set(pair, tmp_path / "more", BERTTA | {"ref": "doris"})
        pair.wait_until_arrived()
        restore(pair, tmp_path / "b2", passphrase)
        pair.node.up()
        until(lambda: kit.rows(database(pair.node), journal_hold) == [], 60)
        lost = json.loads(pair.node.polku("parked", "list", "--json"))["lost"]
        assert "intake.standing_reached" in {row["kind"] for row in lost}
        import_set(pair, tmp_path / "more", BERTTA | {"ref": "doris"})

        def accepted() -> bool:
            return "void" in pair.lead.polku("lead", "accept-epoch", load_home(pair.node.path).name, fails=True)

        until(accepted, 60)
        report = pair.wait_until_arrived()
        assert report["streams"][0]["epoch"] == 2
        assert report["data_quality"]["void_lines"] == len(lost)
        assert json.loads(pair.lead.polku("reporting", "rebuild", "--check", "--json"))["equal"] is True


def digest_of(site: Site) -> str:
    """The programme version in use at the lead."""
    with snapshot(database(site)) as connection:
        return reporting.shelf.get(connection, kit.KEY).digest


def test_a_lead_comes_back_from_its_backup_and_its_nodes_bring_back_what_it_had_said(tmp_path: Path) -> None:
    with joined_pair(tmp_path) as pair:
        bring_two(pair, tmp_path)
        passphrase = pair.lead.polku("backup", str(tmp_path / "b1")).splitlines()[0].rpartition(" ")[2]
        digest = load_on_lead(pair, tmp_path / f"{kit.KEY}.yaml", silence_limit_days=5)
        until(lambda: digest_at(pair.node) == digest, 60)
        anna = kit.rows(database(pair.node), intake.participation)[0]["subject"].hex()
        erase(pair.node, anna, "--yes", typed="")
        until(lambda: pair.report()["data_quality"]["erased_people"] == 1, 60)
        before = pair.wait_until_arrived()

        pair.lead.kill()
        lose(pair.lead)
        pair.lead.environment = {**pair.lead.environment, "POLKU_RECOVERY_PASSPHRASE": passphrase}
        assert "held until every member node has answered" in pair.lead.polku("restore", str(tmp_path / "b1"))
        assert digest_of(pair.lead) != digest
        assert anna.encode() in kit.stored_bytes(database(pair.lead))
        pair.lead.up()
        until(lambda: kit.rows(database(pair.lead), journal_hold) == [], 60)
        assert digest_of(pair.lead) == digest
        after = pair.wait_until_arrived()
        until(lambda: pair.report()["data_quality"]["erased_people"] == 1, 60)
        until(lambda: anna.encode() not in kit.stored_bytes(database(pair.lead)), 60)
        assert pair.report()["activities"] == before["activities"]
        assert after["streams"][0]["chain"] == before["streams"][0]["chain"]
        digest = load_on_lead(pair, tmp_path / f"{kit.KEY}.yaml", silence_limit_days=6)
        until(lambda: digest_at(pair.node) == digest, 60)
        assert json.loads(pair.lead.polku("reporting", "rebuild", "--check", "--json"))["equal"] is True


def lose(site: Site) -> None:
    """Its home is gone, in one go: others may be writing into the lead's, and what a killed one had started its own."""
    site.path.rename(Path(mkdtemp(dir=site.path.parent)) / site.path.name)


def restore(pair: Pair, file: Path, passphrase: str) -> None:
    """The node's home is lost; it comes back from the file."""
    pair.node.kill()
    lose(pair.node)
    pair.node.environment = {**pair.node.environment, "POLKU_RECOVERY_PASSPHRASE": passphrase}
    said = pair.node.polku("restore", str(file))
    assert "held until the lead of lahde-mukaan has answered" in said
