"""`polku verify`: what it says of a file, by the file alone, and which keys a home knows."""

import json
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from services.node.opening import init_home
from shared.contracts.catalogue import NodeAdmitted, NodeKeysChanged
from shared.contracts.release_facts import ReleaseMade
from shared.journal.certificate import Proof, StreamProof
from shared.journal.crypto import Key, load_keys, make_key
from shared.journal.directory import members_of
from shared.journal.fingerprint import fingerprint
from shared.journal.lines import chain_start
from shared.journal.renewing import renew
from shared.ops.clock import wire_time
from shared.ops.settings import Home, Joined
from shared.storage import open_engine
from tests.journal.certificate_kit import (
    BODIES,
    LEAD,
    OTHER_KEY,
    PROGRAMME,
    TIME,
    certified,
    manifest,
    proof,
    segment,
    silent,
    stream,
)
from tests.services.node.commands import run
from tests.services.reporting.kit import receive

assert LEAD.public is not None
assert OTHER_KEY.public is not None
SIGNED_BY, OTHER = fingerprint(LEAD.public), fingerprint(OTHER_KEY.public)
WHOLE = proof(stream(), silent(), StreamProof("town", "not_joined"))


def report(what: Proof = WHOLE, **changes: Any) -> bytes:
    """A JSON report that says of its streams what its certificate does, but for `changes`."""
    rows = [
        {
            "node": s.node,
            "partner": s.partner,
            "epoch": s.epoch,
            "watermark": s.watermark,
            "chain": s.chain.hex() if s.chain else None,
        }
        for s in what.streams
    ]
    about = {"programme": what.programme, "arrived": what.arrived, "as_of": wire_time(what.time)}
    body = json.dumps(about | {"streams": rows} | changes, indent=2)
    return certified("json", what, body + "\n")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_bytes(report())
    return path


def joined(path: Path, key: Key, programme: str = PROGRAMME) -> Home:
    """A node's home that has joined under this lead's key."""
    assert key.public is not None
    home = init_home(path, "node", "pori")
    home = home.with_programme(Joined(programme, "town", "file:/x", key.public.hex(), "0" * 64))
    home.save()
    return home


def test_a_file_by_itself_is_unaltered_and_its_key_not_pinned(file: Path) -> None:
    done = run("verify", file)
    first, *rest = done.out.splitlines()
    assert (done.code, first) == (0, f"unaltered; signed by leader_association {SIGNED_BY} (not pinned)")
    said = "\n".join(rest)
    assert "leader_association: pori-0a1b2c3d" in said
    assert "line 7, its last as signed by it" in said
    assert "town: has not joined" in said
    assert "not proved: that the figures follow from the lines" in said
    assert "not proved: that everything that happened was recorded" in said
    assert "not proved: that this key is the lead's" in said


@pytest.mark.parametrize("form", ["html", "csv"])
def test_html_and_csv_reports_are_verified_alike(tmp_path: Path, form: Any) -> None:
    path = tmp_path / "any-name-at-all"
    path.write_bytes(certified(form, WHOLE))
    assert run("verify", path).out.startswith(f"unaltered; signed by leader_association {SIGNED_BY} (not pinned)\n")


def test_without_home_database_network_or_eventlet(file: Path, tmp_path: Path) -> None:
    watching = (
        "import sys\n"
        "def refuse(event, args):\n"
        "    if event.startswith(('socket.', 'sqlite3.')): raise RuntimeError(event)\n"
        "sys.addaudithook(refuse)\n"
        "from services.node.cli import polku\n"
        "try: polku(['verify', sys.argv[1]])\n"
        "finally: assert not {'eventlet', 'nameko', 'psycopg'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", watching, file], capture_output=True, text=True, cwd=Path(__file__).parents[3],
        env={"PATH": "", "POLKU_HOME": str(tmp_path / "none")},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("unaltered; ")
    assert not (tmp_path / "none").exists()


def test_the_six_words_of_the_key_pin_it_as_anybody_types_them(file: Path) -> None:
    done = run("verify", file, "--key", SIGNED_BY.upper().replace("-", " "))
    assert done.out.startswith(f"unaltered; signed by leader_association {SIGNED_BY} (pinned)\n")
    assert "not proved: that this key" not in done.out


def test_another_key_than_the_one_asked_for_is_a_failure(file: Path) -> None:
    done = run("verify", file, "--key", OTHER)
    assert (done.code, done.out) == (1, "")
    assert done.error == f"report.json: it is signed by {SIGNED_BY}, not by {OTHER}"


def test_a_nodes_home_pins_its_lead(file: Path, tmp_path: Path) -> None:
    home = joined(tmp_path / "node", LEAD)
    assert "(pinned)\n" in run("verify", file, home=home.path).out
    assert "(pinned)\n" in run("verify", file, POLKU_HOME=str(home.path)).out


def test_a_report_of_its_programme_by_another_key_than_its_leads_fails_in_a_nodes_home(
    file: Path, tmp_path: Path
) -> None:
    done = run("verify", file, home=joined(tmp_path / "node", OTHER_KEY).path)
    assert (done.code, done.out) == (1, "")
    assert "not the key of this home's lead" in done.error


def test_a_home_says_of_a_release_whether_it_is_the_one_that_its_lead_has_told_of(file: Path, tmp_path: Path) -> None:
    number, home = "ab" * 16, joined(tmp_path / "node", LEAD)
    file.write_bytes(report(release=number))
    assert f"\n  release {number}\n" in run("verify", file).out
    assert (
        f"release {number}; the lead has told this home of no such release" in run("verify", file, home=home.path).out
    )
    engine = open_engine(home.database_url)
    digest = sha256(file.read_bytes()).hexdigest()
    receive(
        engine, f"lead/{PROGRAMME}", [ReleaseMade(None, **ReleaseMade.example | {"release": number, "digest": digest})]
    )
    engine.dispose()
    assert "the very document that the lead has told its nodes of" in run("verify", file, home=home.path).out
    file.write_bytes(report(release=number, more=1))
    done = run("verify", file, home=home.path)
    assert (done.code, done.out) == (1, "")
    assert "another document" in done.error
    assert run("verify", file).code == 0, "by itself the file is what its lead signed"


def test_what_is_no_id_of_a_release_is_refused(file: Path) -> None:
    file.write_bytes(report(release="\x1b[31m"))
    assert run("verify", file).code == 1


def test_a_node_sees_that_a_report_names_another_key_for_it(file: Path, tmp_path: Path) -> None:
    home = joined(tmp_path / "node", LEAD)
    own = load_keys(home.keys).newest("signing")
    assert own.public is not None
    start = chain_start(f"{home.name}/{PROGRAMME}")
    there = StreamProof("town", "joined", home.name, 1, 0, start, (own.public,))
    file.write_bytes(certified("csv", proof(there)))
    assert run("verify", file, home=home.path).code == 0
    file.write_bytes(certified("csv", proof(replace(there, keys=(OTHER_KEY.public or b"",)))))
    done = run("verify", file, home=home.path)
    assert (done.code, "not this home's" in done.error) == (1, True)


@pytest.mark.parametrize("vouched", [True, False])
def test_a_key_that_a_restore_lost_is_a_warning_where_the_homes_own_keys_vouch_for_it_alone(
    file: Path, tmp_path: Path, vouched: bool
) -> None:
    home = joined(tmp_path / "node", LEAD)
    own, receiving = (load_keys(home.keys).newest(kind) for kind in ("signing", "receiving"))
    lost, second = make_key(tmp_path / "lost", "signing"), make_key(tmp_path / "lost", "receiving")
    assert own.public is not None
    assert lost.public is not None
    # A lead that lists a key of its own first, and ours as if that had vouched for it, proves nothing.
    first, then = ((own, receiving), (lost, second)) if vouched else ((lost, second), (own, receiving))
    (signing, sealing), (later, sealing_later) = ((key.public or b"" for key in pair) for pair in (first, then))
    names = {"partner": "town", "node": home.name}
    admitted = NodeAdmitted(None, **names, signing_key=signing.hex(), receiving_key=sealing.hex())
    stated = members_of(renew(home.name, later, sealing_later, first[0], TIME))
    engine = open_engine(home.database_url)
    changed = NodeKeysChanged(None, node=home.name, until="2099-01-01T00:00:00.000000Z", **stated)
    receive(engine, f"lead/{PROGRAMME}", [admitted, changed])
    engine.dispose()
    start = chain_start(f"{home.name}/{PROGRAMME}")
    there = StreamProof("town", "joined", home.name, 1, 0, start, (own.public, lost.public))
    file.write_bytes(certified("csv", proof(there)))
    done = run("verify", file, home=home.path)
    if vouched:
        assert (done.code, done.out.splitlines()[0].endswith("(pinned)")) == (0, True)
        assert f"lacks the key {lost.id}" in done.out
    else:
        assert (done.code, "not this home's" in done.error) == (1, True)


def test_a_report_of_a_programme_that_the_home_has_not_joined_is_not_pinned(file: Path, tmp_path: Path) -> None:
    done = run("verify", file, home=joined(tmp_path / "node", OTHER_KEY, "another").path)
    assert (done.code, "(not pinned)\n" in done.out) == (0, True)


def test_a_leads_home_knows_its_own_keys(file: Path, tmp_path: Path) -> None:
    lead = init_home(tmp_path / "lead", "lead")
    assert "(not pinned)\n" in run("verify", file, home=lead.path).out
    file.write_bytes(certified("csv", WHOLE, signer=load_keys(lead.keys).newest("signing")))
    assert "(pinned)\n" in run("verify", file, home=lead.path).out


def test_what_differs_is_one_line_and_exit_1(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b'"arrived": true', b'"arrived": null', 1))
    done = run("verify", file)
    assert (done.code, done.out) == (1, "")
    assert done.error.startswith("report.json: the file is not what was certified")


@pytest.mark.parametrize(
    "changes",
    [
        {"streams": []},
        {"streams": 7},
        {"programme": "another"},
        {"arrived": None},
        {"as_of": wire_time(TIME)[:-2] + "1Z"},
    ],
)
def test_a_report_that_says_other_than_its_certificate_fails_though_both_are_signed(
    file: Path, changes: dict[str, Any]
) -> None:
    file.write_bytes(report(**changes))
    assert run("verify", file).code == 1


def test_lines_that_the_figures_lack_are_said(file: Path) -> None:
    behind = proof(stream(manifest=manifest(seq=9), segment=segment()), arrived=False)
    file.write_bytes(report(behind))
    done = run("verify", file)
    assert (done.code, "line 7 of 9 that it had signed" in done.out) == (0, True)
    assert "something is missing" in done.out


def test_an_expelled_partner_is_said_with_its_last_line(file: Path) -> None:
    file.write_bytes(report(proof(stream(state="expelled"))))
    assert "leader_association: expelled; pori-0a1b2c3d" in run("verify", file).out


def test_each_node_of_a_partner_that_came_back_is_compared_with_the_certificate(file: Path) -> None:
    what = proof(replace(silent(), partner="leader_association"), stream(state="expelled"))
    file.write_bytes(report(what))
    done = run("verify", file)
    assert (done.code, done.out.count("leader_association: ")) == (0, 2)
    rows = json.loads(report(what))["streams"]
    for at, row in enumerate(rows):
        file.write_bytes(report(what, streams=[*rows[:at], row | {"watermark": 5}, *rows[at + 1 :]]))
        assert run("verify", file).code == 1


@pytest.mark.parametrize("data", [b"", b"{}", BODIES["json"].encode()])
def test_a_file_without_a_certificate_is_bad_input(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    done = run("verify", file)
    assert (done.code, done.error) == (2, "FILE: there is no certificate in it")


def test_a_file_that_is_not_there_and_words_that_are_none_are_bad_input(file: Path, tmp_path: Path) -> None:
    assert run("verify", tmp_path / "nothing").code == 2
    assert run("verify", tmp_path).code == 2
    assert run("verify", file, "--key", "ab" * 16).error == "--key: not the six words of a key"


def test_a_certificate_under_a_key_that_the_lead_has_replaced_is_pinned_still(tmp_path: Path, file: Path) -> None:
    assert OTHER_KEY.public is not None
    home = joined(tmp_path / "node", LEAD)
    (place,) = home.joined
    former = f"{place.lead_signing_key}@2020-01-01T00:00:00.000000Z"
    home.with_programme(replace(place, lead_signing_key=OTHER_KEY.public.hex(), lead_former_keys=former)).save()
    done = run("verify", file, home=home.path)
    assert (done.code, "(pinned)" in done.out) == (0, True), done.err
    assert run("verify", file, "--key", SIGNED_BY).out.startswith("unaltered")
