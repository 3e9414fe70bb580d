"""`polku programme archive` of a node, run for real: what its lists about people say."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from services.intake import exit_forms, exits, operations, purposes, starts, store
from services.intake.exit_forms import NewExitForm
from services.intake.purposes import NewInformed
from services.intake.starts import NewAttempt
from services.node.archiving import archive, withdrawn
from services.node.csvset import check_set
from services.node.opening import open_database
from services.node.reaching import services_of
from services.pathways import versions
from shared.journal import Journal
from shared.journal.archive import check
from shared.journal.carry_tables import courier_receipt
from shared.journal.crypto import load_keys
from shared.ops.settings import load_home
from shared.storage import transaction
from tests.flows.kit import free_port_triple
from tests.services import kit
from tests.services.intake.kit import RECORD, arrival
from tests.services.intake.test_exits import leaving
from tests.services.node.commands import run
from tests.services.node.made import new_home
from tests.services.node.sets import read

KEPT = [
    {"key": "esf_record", "law": "laki, 1 §", "keep_until": "2030-12-31"},
    {"key": "support", "keep_months": 24},
    {"key": "measurement", "keep_months": 24, "keep_until": "2018-12-31"},
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], list[str]]:
    """The archive of a node with one who has left and one of whom something is left open; its head, their subjects."""
    home = new_home(tmp_path_factory.mktemp("archive") / "node", "node", "pori", free_port_triple())
    engine, keys, document = open_database(home), load_keys(home.keys), kit.changed(purposes=KEPT)
    kit.put_programme(engine, store.shelf, document)
    by: dict[str, Any] = {"by": "boss", "now": kit.NOW}
    journal = Journal(engine, home.name)
    versions.load_programme(journal, document, "boss", kit.NOW)
    vault = operations.Vault({1: keys.newest("vault").secret()}, keys.newest("index").secret())
    proof = {"form_signed_on": "2016-03-01", "form_language": "sv", "form_help": "with_help"}
    people = [
        arrival("a", record=RECORD | proof),
        arrival("b", start_date=date(2016, 5, 1)),
        arrival("c", record={"gender": "f"}),
    ]
    results, _ = operations.register_participants(journal, vault, kit.KEY, people, **by)
    first, second, third = (result["subject"] for result in results)
    exits.record_exits(journal, kit.KEY, [leaving(first)], **by)
    revision = exit_forms.show_exit(journal, vault, kit.KEY, first, **by)[0]["revision"]
    told = {"may_call": "yes", "form_signed_on": "2016-06-01", "form_help": "self"}
    form = NewExitForm(kit.key_of("f"), first, revision, told, {})
    exit_forms.record_exit_forms(journal, vault, kit.KEY, [form], **by)
    tries = [("refused", date(2016, 5, 8)), ("not_reached", date(2016, 5, 3))]
    vain = [NewAttempt(kit.key_of(status), second, "start", status, day) for status, day in tries]
    starts.record_attempts(journal, kit.KEY, vain, **by)
    operations.erase_person(journal, kit.KEY, third, **by)
    both = [
        NewInformed(kit.key_of(f"i{who}"), who, 3, "sv", date(2016, 3, 1), ("measurement",)) for who in (first, second)
    ]
    purposes.record_informed(journal, kit.KEY, both, **by)
    purposes.end_purpose(journal, vault, kit.KEY, first, "measurement", "withdrawn", **by, first=lambda *_: None)
    out = home.path.parent / "out"
    with services_of(home) as rpc:
        items = [{"what": what, "subject": second, "reason": "not_obtainable"} for what in ("exit", "evidence")]
        items += [{"what": "period", "period": "whole_project", "reason": "agreed_with_funder"}]
        rpc.call("pathways", "leave_open", by="boss", programme=kit.KEY, items=items)
        restricted = {"subject": second, "ground": "claims", "lift": False}
        rpc.call("intake", "restrict_person", by="boss", programme=kit.KEY, **restricted)
        said = archive(home, kit.KEY, out)
    return out, said, [first, second, third]


def test_what_was_left_open_of_each_person_is_told_and_of_nobody_else(
    made: tuple[Path, dict[str, Any], list[str]],
) -> None:
    out, _, (first, second, third) = made
    refs = {row["subject"]: row["ref"] for row in read(out / "personal", "evidence.csv")}
    assert refs == {first: "p1", second: "p2"}
    rows = read(out / "personal", "left.csv")
    assert [(row["ref"], row["what"], row["reason"]) for row in rows] == [
        ("p2", "evidence", "not_obtainable"),
        ("p2", "exit", "not_obtainable"),
    ]
    assert all(date.fromisoformat(row["on"]) for row in rows)
    assert [(r["what"], r["number"]) for r in read(out / "evidence", "left.csv")] == [
        *(("evidence", "1"), ("exit", "1"), ("period", "1")),
    ]
    for file in out.rglob("*"):
        assert file.is_dir() or third.encode() not in file.read_bytes(), file


def test_the_evidence_list_says_who_filled_each_form_in_and_when_it_was_tried_in_vain(
    made: tuple[Path, dict[str, Any], list[str]],
) -> None:
    first, second = read(made[0] / "personal", "evidence.csv")
    assert (first["form_help"], first["exit_form_help"], first["attempts"]) == ("with_help", "self", "")
    assert (first["form_kept"], first["exit_form_signed_on"]) == ("kaapissa-kolme", "2016-06-01")
    assert (second["form_help"], second["attempts"]) == ("", "2016-05-03 start not_reached;2016-05-08 start refused")


def test_whose_processing_is_restricted_is_in_a_set_apart_and_in_none_that_is_read_back_as_if_nothing_were(
    made: tuple[Path, dict[str, Any], list[str]],
) -> None:
    personal = made[0] / "personal"
    for folder, ref in (("csv", "p1"), ("restricted", "p2")):
        assert [row["ref"] for row in read(personal / folder, "participants.csv")] == [ref]
        assert {row["ref"] for row in read(personal / folder, "informed.csv")} == {ref}
        assert check_set(personal / folder, {kit.KEY: kit.PROGRAMME}).problem_lines() == []
    assert [row["participant"] for row in read(personal / "restricted", "attempts.csv")] == ["p2", "p2"]
    assert [(row["ref"], row["ground"]) for row in read(personal, "restricted.csv")] == [("p2", "claims")]


def test_a_consent_that_was_withdrawn_is_not_told_as_given(made: tuple[Path, dict[str, Any], list[str]]) -> None:
    personal = made[0] / "personal"
    told = [read(personal / folder, "informed.csv")[0]["consents"] for folder in ("csv", "restricted")]
    assert told == ["", "measurement"]


def test_a_consent_that_was_given_anew_after_it_was_withdrawn_holds() -> None:
    given = {"kind": "intake.person_informed", "body": {"consents": ["measurement"]}}
    ended = {"kind": "intake.purpose_ended", "body": {"purpose": "measurement", "why": "withdrawn"}}
    assert withdrawn([given, ended, {"kind": "intake.person_informed", "body": {}}]) == {"measurement"}
    assert withdrawn([given, ended, given]) == set()


def test_until_when_each_is_kept_is_the_later_of_the_files_times_and_the_last_is_in_the_manifest(
    made: tuple[Path, dict[str, Any], list[str]],
) -> None:
    out, said, _ = made
    assert [(row["ref"], row["purpose"], row["kept_until"]) for row in read(out / "personal", "kept.csv")] == [
        ("p1", "esf_record", "2030-12-31"),
        ("p1", "support", "2018-05-31"),
        ("p1", "measurement", "2018-12-31"),
        ("p2", "esf_record", "2030-12-31"),
        ("p2", "support", "2019-05-30"),
        ("p2", "measurement", "2019-05-30"),
    ]
    assert said["personal_until"] == "2030-12-31"
    for lang, day in (("fi", "31.12.2030"), ("sv", "31.12.2030"), ("en", "2030-12-31")):
        text = (out / f"README.{lang}.txt").read_text(encoding="utf-8")
        assert f": {day}." in text
        assert ("2030-12-31" in text) == (lang == "en")
    assert check(out).gone == 0


def test_an_archive_of_a_restored_home_says_how_many_lines_the_lead_has_more(
    made: tuple[Path, dict[str, Any], list[str]], tmp_path: Path
) -> None:
    out, said, _ = made
    assert said["lacking"] == 0
    home = load_home(out.parent / "node")
    engine, more = open_database(home), {"chain": b"", "incarnation": "", "time": "", "manifest": 1}
    with transaction(engine) as connection:
        row = {"stream": said["stream"], "epoch": 1, "seq": said["lines"] + 3, "conflict": "receipt_ahead"}
        connection.execute(insert(courier_receipt), row | more)
    again = archive(home, kit.KEY, tmp_path / "again")
    assert (again["lacking"], again["lines"]) == (3, said["lines"])
    for lang, word in (("fi", "3 riviä"), ("sv", "3 rader"), ("en", "3 lines")):
        assert word in (tmp_path / "again" / f"README.{lang}.txt").read_text(encoding="utf-8")
    assert "not whole: 3 lines" in run("verify", tmp_path / "again").out


def test_which_logo_stands_and_why_another_does_not_is_told_in_the_programmes_order(
    made: tuple[Path, dict[str, Any], list[str]],
) -> None:
    home = made[0].parent / "node"
    (home / "logos").mkdir()
    (home / "logos" / "leader_association.svg").write_text("<svg onload='alert(1)'/>", encoding="utf-8")
    done = run("--home", str(home), "programme", "logos", kit.KEY)
    first, second = done.out.splitlines()
    assert first.startswith("leader_association: leader_association.svg, not taken: an SVG")
    assert (second.partition(": ")[2], done.code) == ("no file, the name stands there", 2)
    assert run("--home", str(home), "programme", "logos", "nothing").code == 2
