"""A running lead and node: import, report and joining through the control socket, and the socket itself."""

import base64
import json
import socket
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Engine

from services.node.control import ControlClient, connect
from services.node.opening import open_database
from shared.contracts.errors import InvalidInput, PolkuError, TaskClosedAlready, UnknownCode
from shared.journal.crypto import load_keys, seal
from shared.journal.erasing import subject_digest
from shared.journal.sealed import COMMAND_INFO, ReplyKey, seal_command
from shared.ops.settings import load_home
from shared.testing.wait import until
from tests.flows.kit import Pair, joined_pair
from tests.services import kit
from tests.services.kit import KEY, OTHER, OWN, key_of
from tests.services.node.commands import Done, run
from tests.services.node.sets import (
    ASKING,
    ATTENDANCE,
    ENCOUNTER,
    EVENT,
    EXIT,
    FOLLOWUP,
    LAHDE,
    OUTCOME,
    PERSON,
    SESSION,
    STEP,
    write_set,
)

NAMED = PERSON | {"given_name": "Äikkä-Testinimi", "token": "sinikettu7"}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with joined_pair(tmp_path_factory.mktemp("pair")) as made:
        yield made


@pytest.fixture
def rpc(pair: Pair) -> Iterator[ControlClient]:
    """The node's services."""
    client = connect(load_home(pair.node.path).socket)
    assert client is not None
    yield client
    client.close()


@pytest.fixture(scope="module")
def database(pair: Pair) -> Engine:
    return open_database(load_home(pair.node.path))


def bring(pair: Pair, folder: Path, *options: str) -> Done:
    return run("import", folder, *options, home=pair.node.path)


def person(name: str, **changes: str) -> dict[str, str]:
    return {**NAMED, "ref": name, **changes}


# --- import


def damaged(folder: Path, file: str, old: str, new: str | bytes) -> None:
    path = folder / file
    data = path.read_bytes()
    assert old.encode() in data
    path.write_bytes(data.replace(old.encode(), new if isinstance(new, bytes) else new.encode(), 1))


@pytest.mark.parametrize(
    ("file", "old", "new", "place"),
    [
        ("participants.csv", "ref,programme", "ref,program", "participants.csv, line 1"),
        ("participants.csv", "Äikkä", "Äikkä".encode("latin-1"), "participants.csv, line 2"),
        ("sessions.csv", "2016-03-01", "1.3.2016", "sessions.csv, line 2, column date"),
        ("sessions.csv", "2016-03-01", "2016-02-30", "sessions.csv, line 2, column date"),
        ("sessions.csv", "2016-03-01", "2018-03-01", "sessions.csv, line 2, column date"),
        ("sessions.csv", "kaapeli", "kuu", "sessions.csv, line 2, column activity"),
        ("sessions.csv", "148", "100001", "sessions.csv, line 3, column headcount"),
        ("attendance.csv", "s1,p1,participant,", "s1,p1,participant,0", "attendance.csv, line 2, column minutes"),
        ("attendance.csv", "p1", "p2", "attendance.csv, line 2, column participant"),
        ("participants.csv", "lahde-mukaan", "kuu", "participants.csv, line 2, column programme"),
    ],
)
def test_a_bad_set_is_told_by_file_line_and_column_and_writes_nothing(
    pair: Pair, database: Engine, tmp_path: Path, file: str, old: str, new: str | bytes, place: str
) -> None:
    event = EVENT | {"headcount": "148", "headcount_basis": "counted"}
    damaged(write_set(tmp_path, [NAMED], [SESSION, event]), file, old, new)
    before = kit.heads(database)
    done = bring(pair, tmp_path)
    assert done.code == 2
    assert place in done.err
    assert "nothing was written" in done.err.splitlines()[-1]
    assert "Traceback" not in done.err
    assert "kettu" not in done.err
    assert kit.heads(database) == before


@pytest.mark.parametrize("file", ["participants.csv", "sessions.csv", "attendance.csv"])
def test_a_set_without_its_files_is_refused(pair: Pair, tmp_path: Path, file: str) -> None:
    write_set(tmp_path)
    (tmp_path / file).unlink()
    done = bring(pair, tmp_path)
    if file == "attendance.csv":  # people and sessions may come alone
        assert bring(pair, tmp_path, "--dry-run").code == 0
    else:
        assert (done.code, f"{file}: the file is missing" in done.err) == (2, True)
    assert run("import", tmp_path / "none", home=pair.node.path).code == 2


def test_a_dry_run_writes_nothing(pair: Pair, database: Engine, tmp_path: Path) -> None:
    before = kit.heads(database)
    done = bring(pair, write_set(tmp_path, [person("dry")], [], []), "--dry-run")
    assert (done.code, "would import 1 of participants.csv" in done.err) == (0, True)
    assert kit.heads(database) == before


def test_importing_twice_adds_no_line_and_nobodys_name_is_stored(pair: Pair, database: Engine, tmp_path: Path) -> None:
    rows = [person("t1"), person("t2", standing="esf_participant", start_date="2016-03-01", birth_date="1981-02-03")]
    sessions = [SESSION | {"ref": "ts"}, EVENT | {"ref": "te", "headcount": "0", "headcount_basis": "counted"}]
    there = [ATTENDANCE | {"session": "ts", "participant": name} for name in ("t1", "t2")]
    write_set(tmp_path, rows, sessions, there)
    lines = len(kit.lines(database))
    done = bring(pair, tmp_path)
    assert (done.code, "participants.csv: 2 new, 0 already there" in done.err) == (0, True)
    new = kit.kinds(database)[lines:]
    assert sorted(new) == [
        "activities.attendance_recorded",
        "activities.attendance_recorded",
        "activities.heads_counted",
        "activities.session_held",
        "activities.session_held",
        "intake.participation_started",
        "intake.standing_reached",
        "intake.standing_reached",
    ]
    before = kit.heads(database)
    done = bring(pair, tmp_path)
    assert (done.code, "attendance.csv: 0 new, 2 already there" in done.err) == (0, True)
    assert kit.heads(database) == before
    stored = kit.stored_bytes(database)
    for value in ("Äikkä-Testinimi", "\\u00c4ikk\\u00e4", "sinikettu7", "1981-02-03"):
        assert value.encode() not in stored


def test_a_row_that_was_imported_and_differs_is_one_line_and_the_earlier_rows_stay(
    pair: Pair, database: Engine, tmp_path: Path
) -> None:
    bring(pair, write_set(tmp_path, [person("d2")], [], []))
    rows = [person("d1"), person("d2", token="toinen-kettu"), person("d3")]
    done = bring(pair, write_set(tmp_path, rows, [], []))
    assert done.code == 2
    assert done.error.startswith("participants.csv, line 3: ")
    assert "already imported, differs" in done.error
    done = bring(pair, tmp_path, "--skip-bad")
    assert (done.code, "participants.csv: 1 new, 1 already there" in done.err) == (0, True)
    assert "participants.csv, line 3: " in done.err
    assert "kettu" not in done.err


def test_skip_bad_leaves_out_a_bad_row_and_what_refers_to_it(pair: Pair, database: Engine, tmp_path: Path) -> None:
    sessions = [SESSION | {"ref": "k1"}, SESSION | {"ref": "k2", "date": "2016-02-30"}]
    there = [ATTENDANCE | {"session": name, "participant": "k"} for name in ("k1", "k2")]
    done = bring(pair, write_set(tmp_path, [person("k")], sessions, there), "--skip-bad")
    assert done.code == 0
    assert "sessions.csv, line 3, column date" in done.err
    assert "sessions.csv: 1 new" in done.err
    assert "attendance.csv: 1 new" in done.err


def test_other_partners_rows_are_named_and_left_out(pair: Pair, database: Engine, tmp_path: Path) -> None:
    before = kit.heads(database)
    done = bring(pair, write_set(tmp_path, [person("o", partner=OTHER)], [], []))
    assert (done.code, f"left out, rows of {OTHER} in {KEY}: 1 of participants.csv" in done.err) == (0, True)
    assert kit.heads(database) == before


def test_encounters_come_in_once_and_nicknames_are_in_the_vault_alone(
    pair: Pair, database: Engine, tmp_path: Path
) -> None:
    write_set(tmp_path, [], [], [], encounters=[ENCOUNTER, ENCOUNTER | {"ref": "c2", "token": "NALLE", "women": "0"}])
    lines = len(kit.lines(database))
    done = bring(pair, tmp_path)
    assert (done.code, "encounters.csv: 2 new, 0 already there" in done.err) == (0, True)
    new = sorted(kit.kinds(database)[lines:])
    begun = ["intake.standing_reached"] * 2
    assert new == ["intake.encounter_recorded", "intake.encounter_recorded", *begun, *["intake.visitor_met"] * 3]
    before = kit.heads(database)
    done = bring(pair, tmp_path)
    assert (done.code, "encounters.csv: 0 new, 2 already there" in done.err) == (0, True)
    assert kit.heads(database) == before
    assert b"Nalle" not in kit.stored_bytes(database)
    differs = write_set(tmp_path, [], [], [], encounters=[ENCOUNTER | {"token": "Toinen"}])
    done = bring(pair, differs)
    assert (done.code, "encounters.csv, line 2: " in done.error, "differs" in done.error) == (2, True, True)


# --- steps, outcomes and periods


def test_outcomes_of_a_set_come_in_once_and_one_of_somebody_who_was_not_there_is_refused(
    pair: Pair, database: Engine, tmp_path: Path
) -> None:
    rows = [person("u1"), person("u2")]
    held = [SESSION | {"ref": "us", "activity": "duuniin"}]
    there = [ATTENDANCE | {"session": "us", "participant": "u1"}]
    became = [OUTCOME | {"participant": "u1"}, OUTCOME | {"participant": "u2"}]
    done = bring(pair, write_set(tmp_path, rows, held, there, outcomes=became))
    assert done.code == 2
    assert done.error == (
        "outcomes.csv, line 3: participant: this person has been at no session of duuniin as a participant."
    )
    write_set(tmp_path, rows, held, there, outcomes=became[:1])
    done = bring(pair, tmp_path)
    assert (done.code, "outcomes.csv: 0 new, 1 already there" in done.err) == (0, True)
    recorded = [line for line in kit.lines(database) if line.kind == "pathways.outcome_recorded"]
    assert [line.body["outcome"] for line in recorded] == ["education"]


def test_exits_and_follow_ups_come_in_once_and_who_comes_back_does_so_once(
    pair: Pair, rpc: ControlClient, database: Engine, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    esf = person("x1", standing="esf_participant", start_date="2016-03-01")
    file = tmp_path_factory.mktemp("asking") / f"{KEY}.yaml"
    file.write_text(json.dumps(LAHDE | ASKING))
    loaded = run("programme", "load", file, home=pair.node.path)
    assert loaded.code == 0, loaded.err
    rows = [EXIT | {"participant": "x1", "results": "employment"}], [FOLLOWUP | {"participant": "x1"}]
    write_set(tmp_path, [esf], [], [], exits=rows[0], followups=rows[1])
    for new, known in ((1, 0), (0, 1)):
        done = bring(pair, tmp_path)
        assert done.code == 0, done.error
        for file in ("exits.csv", "followups.csv"):
            assert f"{file}: {new} new, {known} already there" in done.err
    ended, asked = (line for line in kit.lines(database) if line.kind.endswith(("_ended", "follow_up_recorded")))
    assert (ended.body["results"], asked.body["status"]) == (["employment"], "reached")
    back = {"by": "maija", "programme": KEY, "subject": ended.subject, "date": "2017-04-01"}
    assert [rpc.call("intake", "resume_participation", **back)["new"] for _ in range(2)] == [True, False]
    with pytest.raises(InvalidInput, match="has not left"):
        rpc.call("intake", "resume_participation", **back | {"date": "2017-05-01"})


def test_a_step_that_the_programme_has_not_is_told_before_anything_is_written(
    pair: Pair, database: Engine, tmp_path: Path
) -> None:
    before = kit.heads(database)
    done = bring(pair, write_set(tmp_path, steps=[STEP]))
    assert (done.code, "steps.csv, line 2, column step" in done.err) == (2, True)
    assert kit.heads(database) == before


def test_a_period_is_shown_and_confirmed_once(pair: Pair, database: Engine, tmp_path: Path) -> None:
    bring(pair, write_set(tmp_path, [person("w1")], [SESSION | {"ref": "ws"}], []))
    words = ("period", "confirm", KEY, "whole_project")
    before = len(kit.lines(database))
    refused = run(*words, home=pair.node.path)  # nobody is there to say yes
    assert refused.code == 1
    assert "without attendance or head-count: " in refused.out
    assert "2016-03-01  kaapeli" in refused.out
    assert len(kit.lines(database)) == before
    done = run(*words, "--yes", home=pair.node.path)
    assert (done.code, done.out.splitlines()[-1].startswith("confirmed on ")) == (0, True)
    assert kit.kinds(database)[before:] == ["pathways.period_confirmed"]
    again = run(*words, "--yes", home=pair.node.path)
    assert (again.code, "confirmed already on " in again.out) == (0, True)
    assert len(kit.lines(database)) == before + 1
    assert run(*words, "--yes", "--again", home=pair.node.path).code == 0
    assert len(kit.lines(database)) == before + 2
    assert [row["period"] for row in pair.wait_until_arrived()["confirmed"]] == ["whole_project"]


@pytest.mark.parametrize(("key", "period"), [("kuu", "whole_project"), (KEY, "kuu")])
def test_a_period_nobody_knows_is_one_line(pair: Pair, key: str, period: str) -> None:
    done = run("period", "confirm", key, period, "--yes", home=pair.node.path)
    assert (done.code, "kuu" in done.error) == (2, True)
    assert "node" in run("period", "confirm", key, period, "--yes", home=pair.lead.path).error


def test_tasks_are_listed_and_closed_over_the_bus(pair: Pair, rpc: ControlClient, tmp_path: Path) -> None:
    held = [SESSION | {"ref": "ts1", "activity": "duuniin"}]
    there = [ATTENDANCE | {"session": "ts1", "participant": "tt"}]
    bring(pair, write_set(tmp_path, [person("tt")], held, there))
    until(lambda: rpc.call("pathways", "list_tasks", programme=KEY)["total"] > 0, 20)
    (task,) = rpc.call("pathways", "list_tasks", programme=KEY)["tasks"]
    assert (task["rule"], task["due_on"], task["late"]) == ("ask_outcome", "2016-08-28", True)
    closing = {"by": "maija", "task": task["task"], "how": "dismissed", "reason": "not_reached"}
    assert rpc.call("pathways", "close_task", **closing)["new"] is True
    assert rpc.call("pathways", "close_task", **closing)["new"] is False
    with pytest.raises(TaskClosedAlready):
        rpc.call("pathways", "close_task", by="anna", task=task["task"], how="done")
    assert rpc.call("pathways", "list_tasks", programme=KEY)["total"] == 0


def test_steps_are_recorded_over_the_bus(rpc: ControlClient) -> None:
    item = {"key": key_of("step"), "subject": "00" * 16, "step": "outreach", "entered_on": "2016-03-01"}
    answer = rpc.call("pathways", "record_steps", by="x", programme=KEY, items=[item])
    assert isinstance(PolkuError.from_wire(answer["results"][0]["error"]), UnknownCode)
    with pytest.raises(InvalidInput, match="entered_on"):
        rpc.call("pathways", "record_steps", by="x", programme=KEY, items=[item | {"entered_on": "1.3.2016"}])


# --- the lead


@pytest.mark.parametrize("form", ["json", "html", "csv"])
def test_a_report_of_a_running_lead_is_verified_and_its_lead_pinned_at_the_node(
    pair: Pair, tmp_path: Path, form: str
) -> None:
    pair.wait_until_arrived()
    made = run("report", KEY, "--format", form, "--lang", "sv", home=pair.lead.path)
    file = tmp_path / f"report.{form}"
    file.write_bytes(made.out.encode())
    for home, word in ((pair.node.path, "pinned"), (pair.lead.path, "pinned"), (tmp_path, "not pinned")):
        done = run("verify", file, home=home)
        assert (done.code, done.err) == (0, "")
        assert done.out.splitlines()[0].endswith(f"({word})")
    file.write_bytes(file.read_bytes().replace(b"2", b"3", 1))
    assert run("verify", file).code == 1


def test_the_report_is_json_or_one_page(pair: Pair) -> None:
    made = run("report", KEY, "--format", "json", "--from", "2016-01-01", home=pair.lead.path)
    assert (made.code, made.err) == (0, "")
    assert json.loads(made.out)["from"] == "2016-01-01"
    page = run("report", KEY, "--format", "html", "--lang", "sv", home=pair.lead.path)
    assert page.out.lstrip().lower().startswith("<!doctype html>")
    assert '<html lang="sv"' in page.out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("kuu",), "kuu"),
        ((KEY, "--from", "1.3.2016"), "from_"),
        ((KEY, "--to", "2016-02-30"), "to"),
        ((KEY, "--from", "2016-03-02", "--to", "2016-03-01"), "before from"),
    ],
)
def test_a_report_that_cannot_be_is_one_line(pair: Pair, words: tuple[str, ...], why: str) -> None:
    done = run("report", *words, "--format", "json", home=pair.lead.path)
    assert (done.code, done.out, why in done.error) == (2, "", True)


def test_a_partner_is_invited_once_it_is_one_and_has_not_joined(pair: Pair, tmp_path: Path) -> None:
    assert "kuu" in run("lead", "admit", "kuu", "--programme", KEY, home=pair.lead.path).error
    assert "kuu" in run("lead", "admit", OTHER, "--programme", "kuu", home=pair.lead.path).error
    pair.wait_until_arrived()
    assert "has joined" in run("lead", "admit", OWN, "--programme", KEY, home=pair.lead.path).error
    done = run("lead", "admit", OTHER, "--programme", KEY, "--out", tmp_path / "invite", home=pair.lead.path)
    assert (done.code, done.out, (tmp_path / "invite").stat().st_mode & 0o777) == (0, "", 0o600)
    token = json.loads((tmp_path / "invite").read_text())["token"]
    assert json.loads(run("lead", "admit", OTHER, "--programme", KEY, home=pair.lead.path).out)["token"] != token
    assert token.encode() not in kit.stored_bytes(open_database(load_home(pair.lead.path)))


def test_all_that_was_imported_arrives_and_both_ends_say_so(pair: Pair) -> None:
    report = pair.wait_until_arrived()
    assert report["data_quality"]["refused_lines"] == 0
    until(lambda: all(run("complete", home=site.path).code == 0 for site in (pair.lead, pair.node)), 60)  # the receipt
    for home in (pair.lead.path, pair.node.path):
        assert "  complete  (same chain; newest manifest " in run("complete", home=home).out


# --- the services behind the socket


def item(home: Path, identity: Any, name: str, **changes: Any) -> dict[str, Any]:
    bus = load_keys(home / "keys").newest("bus").public
    assert bus is not None
    data = identity if isinstance(identity, bytes) else json.dumps(identity).encode()
    sealed = base64.b64encode(seal(bus, COMMAND_INFO, data)).decode()
    return {"key": key_of(name), "sealed": sealed, "standing": "client", **changes}


def test_a_person_registered_is_read_by_who_asked_and_the_read_is_logged(
    pair: Pair, rpc: ControlClient, database: Engine
) -> None:
    given = item(pair.node.path, {"given_name": "Luettava", "token": "kettu9"}, "read", start_date="2017-05-30")
    common: dict[str, Any] = {"by": "maija", "programme": KEY}
    subject = rpc.call("intake", "register_participants", items=[given], **common)["results"][0]["subject"]
    mine = ReplyKey()
    answer = rpc.call("intake", "list_people", reply_to=mine.public_hex, limit=1, **common)
    (row,) = answer["people"]  # the newest first
    assert (row["person"], row["started_on"]) == (subject, date(2017, 5, 30).isoformat())
    assert mine.opened(row["sealed"]) == {"given_name": "Luettava", "family_name": None, "token": "kettu9"}
    assert kit.audit(database)[-1] == {"action": "read_identities", "subjects": [subject_digest(subject)], **common}
    assert b"Luettava" not in kit.stored_bytes(database)


@pytest.mark.parametrize(
    ("identity", "field"),
    [
        (b"not json", "items.0.sealed"),
        (b"\xff", "items.0.sealed"),
        (b"[1]", "items.0.sealed.body"),
        ({"given_name": "a\nb"}, "items.0.sealed.given_name"),
        ({"birth_date": "1.2.1981"}, "items.0.sealed.birth_date"),
        ({"shoe_size": 42}, "items.0.sealed.shoe_size"),
    ],
)
def test_what_is_sealed_is_checked_and_named_by_its_place(
    pair: Pair, rpc: ControlClient, identity: Any, field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        rpc.call(
            "intake", "register_participants", by="x", programme=KEY, items=[item(pair.node.path, identity, "bad")]
        )
    assert caught.value.params["field"] == field


def test_what_is_sealed_to_another_node_does_not_open(pair: Pair, rpc: ControlClient) -> None:
    other = item(pair.node.path, {"given_name": "A"}, "other")
    public = X25519PrivateKey.generate().public_key().public_bytes_raw()
    other["sealed"] = seal_command(public, {})
    with pytest.raises(InvalidInput, match="does not open"):
        rpc.call("intake", "register_participants", by="x", programme=KEY, items=[other])


def test_register_then_attend_needs_no_waiting_with_after(pair: Pair, rpc: ControlClient) -> None:
    common: dict[str, Any] = {"by": "maija", "programme": KEY}
    session = {"key": key_of("after"), "activity": "kaapeli", "date": "2016-03-01"}
    held = rpc.call("activities", "record_sessions", items=[session], **common)["results"][0]["session"]
    for number in range(10):
        name = f"after {number}"
        given = item(pair.node.path, {"given_name": name}, name)
        made = rpc.call("intake", "register_participants", items=[given], **common)
        there = {"key": key_of(name), "session": held, "subject": made["results"][0]["subject"], "role": "participant"}
        answer = rpc.call("activities", "record_attendance", items=[there], after=made["pos"], **common)
        assert answer["results"][0].get("new") is True


# --- the control socket


def raw(pair: Pair, request: bytes) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(load_home(pair.node.path).socket))
        client.sendall(request)
        with client.makefile("rb") as stream:
            answer: dict[str, Any] = json.loads(stream.readline())
            return answer


def test_only_its_owner_reaches_the_socket(pair: Pair) -> None:
    for home in (pair.lead.path, pair.node.path):
        assert load_home(home).socket.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "request_",
    [
        b"\n",
        b"nonsense\n",
        b"[1]\n",
        b"{}\n",
        b"[" * 100_000 + b"\n",
        b'{"service":"intake","method":"ping","kwargs":"x","timeout":1}\n',
        b'{"service":"intake","method":"ping","kwargs":{},"timeout":"x"}\n',
        b'{"service":"intake","method":"ping","kwargs":{},"timeout":NaN}\n',
        b'{"service":"intake","method":"ping","kwargs":{},"timeout":-1}\n',
        b'{"service":"intake","method":"ping","kwargs":{"timeout":1},"timeout":1}\n',
    ],
)
def test_bytes_that_are_no_request_get_an_error_and_the_next_is_answered(pair: Pair, request_: bytes) -> None:
    assert raw(pair, request_)["error"]["code"] == "invalid_input"
    good = b'{"service":"intake","method":"ping","kwargs":{},"timeout":5}\n'
    assert raw(pair, good) == {"result": {"service": "intake", "ready": True}}


def test_errors_come_back_as_their_class_and_several_calls_share_a_connection(rpc: ControlClient) -> None:
    assert rpc.call("activities", "ping")["ready"] is True
    session = {"key": key_of("x"), "activity": "kaapeli", "date": "2016-03-01"}
    answer = rpc.call(
        "activities", "record_sessions", by="x", programme=KEY, items=[session | {"location": "kuu"}], skip_bad=True
    )
    assert isinstance(PolkuError.from_wire(answer["results"][0]["error"]), UnknownCode)
    for service, method in (("nobody", "ping"), ("intake", "nothing"), ("intake", "__init__")):
        with pytest.raises(PolkuError):
            rpc.call(service, method, timeout=2)
    assert rpc.call("pathways", "ping")["ready"] is True


def test_who_hangs_up_is_no_failure_of_the_home(pair: Pair, rpc: ControlClient) -> None:
    log = pair.node.path / "up.log"
    before = log.read_text()
    for _ in range(5):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(load_home(pair.node.path).socket))
            client.sendall(b'{"service":"intake","method":"ping","kwargs":{},"timeout":5}\n' * 20)
    assert rpc.call("intake", "ping")["ready"] is True
    assert "Traceback" not in log.read_text()[len(before) :]
