"""Each alert fires on the fault it is for, and no other than its runbook names.

Faults are put into rounds of real homes, with a clock of the test's own, or into running processes. What `/metrics`
says before and after goes to promtool, which computes the rules over it (`shared.testing.promtool`).
"""

import os
import re
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest
from prometheus_client import REGISTRY, generate_latest
from sqlalchemy import Engine, event

from services.intake import retention, store
from services.node.control import connect
from services.node.opening import recorded_to
from services.reporting import effects
from shared.contracts.catalogue import AttendanceRecorded, SessionHeld
from shared.contracts.errors import InternalError
from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import Day
from shared.ops.clock import utcnow
from shared.ops.settings import load_home
from shared.testing.private import free_port
from shared.testing.promtool import Scraped, fired, promtool
from shared.testing.wait import until
from tests.deploy.test_rules import ALERTS, RULES
from tests.faults.alert_kit import Homes, assert_only, fetch, make_bare
from tests.faults.test_kills import child_of
from tests.flows.kit import Pair, Site, joined_pair
from tests.services.intake.kit import known
from tests.services.intake.test_retention import RULES as RETENTION
from tests.services.intake.test_retention import person as somebody_left
from tests.services.kit import KEY, changed, key_of, put_programme
from tests.services.node.sets import PERSON, write_set
from tests.services.node.smtp import serving
from tests.services.node.test_cli import run
from tests.services.node.test_mailing import NOW, Pathways, look, users

SOMEBODY = PERSON | {"given_name": "Äikkä", "family_name": "Testinimi"}
HELD_SECONDS = 2.2
"""How long the database is held: longer than an answer may take."""

NOBODY = 1
"""A port of loopback on which nothing listens."""


def a_session(number: int = 0) -> SessionHeld:
    return SessionHeld(session=f"{number:032x}", activity="kaapeli", occurred_on="2016-03-01")


class HappenedLater(Fact):
    """Of a release that this one does not know."""

    kind, v, reach, about = "activities.happened_later", 1, Reach.LEAD, About.NOBODY
    occurred_on = Day()
    example: ClassVar = {"occurred_on": "2016-03-01"}


# --- in rounds, with a virtual clock


def test_nothing_fires_while_all_goes_well(homes: Homes, tmp_path: Path) -> None:
    homes.before()
    homes.record(a_session())
    homes.go()
    assert fired(RULES, homes.after(), tmp_path) == set()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bare(tmp_path_factory.mktemp("bare"))


@pytest.fixture
def homes(bare: Path, tmp_path: Path) -> Homes:
    made = Homes(bare, tmp_path)
    made.record(a_session(1))
    made.go()
    return made


def the_receiver_is_stopped(homes: Homes) -> list[Scraped]:
    homes.before()
    homes.record(a_session(2))
    homes.courier()
    homes.later(hours=2)
    homes.courier()
    return homes.after(gone=["receiver"])


def the_folder_is_cut(homes: Homes) -> list[Scraped]:
    homes.before()
    homes.lead.inbox.rename(homes.folder / "elsewhere")
    homes.lead.inbox.write_text("no folder")
    homes.record(a_session(2))
    homes.go()
    return homes.after()


def segments_are_lost(homes: Homes) -> list[Scraped]:
    homes.before()
    homes.record(a_session(2))
    for _ in range(3):
        homes.later(seconds=121)
        homes.courier()
        for segment in homes.inbox.glob("*.seg"):
            segment.unlink()
        homes.receiver()
    return homes.after()


def the_node_falls_silent(homes: Homes) -> list[Scraped]:
    homes.before("receiver")
    homes.later(days=3, hours=1)
    homes.receiver()
    return homes.after()


def a_segment_is_tampered_with(homes: Homes) -> list[Scraped]:
    homes.before()
    homes.record(a_session(2))
    homes.courier()
    (segment,) = homes.inbox.glob("*.seg")
    data = segment.read_bytes()
    segment.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    homes.receiver()
    homes.go()  # and healed
    return homes.after()


def the_nodes_database_is_put_back(homes: Homes) -> list[Scraped]:
    homes.before()
    kept = homes.copy_of_the_node("kept.db")
    homes.restart()
    homes.record(a_session(2))
    homes.go()
    homes.copy_of_the_node("newer.db")
    kept.replace(homes.node.path / "node.db")
    homes.restart()
    homes.record(a_session(3))
    homes.go()
    return homes.after()


def both_notice_that_the_nodes_database_was_put_back(homes: Homes) -> list[Scraped]:
    the_nodes_database_is_put_back(homes)
    (homes.inbox / "receipt").unlink()
    homes.restart()
    with sqlite3.connect(homes.node.path / "node.db") as database:
        database.execute("DELETE FROM courier_receipt")
    homes.go()
    return homes.after()


def a_line_contradicts_its_stream(homes: Homes) -> list[Scraped]:
    homes.before()
    ids = {"attendance": "a" * 32, "session": "f" * 32}
    homes.record(AttendanceRecorded("b" * 32, **ids, role="participant", occurred_on="2016-03-01"))
    homes.go()
    return homes.after()


def the_node_has_a_newer_release(homes: Homes) -> list[Scraped]:
    homes.before()
    homes.record(HappenedLater(occurred_on="2016-03-01"))
    homes.go()
    return homes.after()


def an_effect_fails(homes: Homes) -> list[Scraped]:
    def broken(*_: object) -> None:
        raise KeyError("broken")

    homes.before()
    homes.record(a_session(2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(effects.EFFECTS, SessionHeld, broken)
        homes.go()
    return homes.after()


def the_leads_database_is_held(homes: Homes) -> list[Scraped]:
    homes.before()
    homes.lead_engine.dispose()
    event.listen(homes.lead_engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout=20"))
    homes.record(a_session(2))
    homes.courier()
    with held(homes.lead.path / "lead.db"):
        for _ in range(3):
            homes.later(minutes=4)
            homes.receiver()
    return homes.after()[1:]


IN_ROUNDS: dict[Callable[[Homes], list[Scraped]], str] = {
    the_receiver_is_stopped: "PolkuLinesUnreceipted",
    the_folder_is_cut: "PolkuCarrierFailing",
    segments_are_lost: "PolkuLinesMissing",
    the_node_falls_silent: "PolkuNodeSilent",
    a_segment_is_tampered_with: "PolkuSegmentsRefused",
    the_nodes_database_is_put_back: "PolkuStreamStopped",
    both_notice_that_the_nodes_database_was_put_back: "PolkuStreamStopped",
    a_line_contradicts_its_stream: "PolkuLinesAside",
    the_node_has_a_newer_release: "PolkuNewerFacts",
    an_effect_fails: "PolkuFiguresStuck",
    the_leads_database_is_held: "PolkuRoundsStopped",
}


@pytest.mark.parametrize(("fault", "alert"), IN_ROUNDS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_a_fault_in_the_rounds(
    fault: Callable[[Homes], list[Scraped]], alert: str, homes: Homes, tmp_path: Path
) -> None:
    assert_only(alert, fault(homes), tmp_path)


# --- in running processes


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with joined_pair(tmp_path_factory.mktemp("pair")) as made:
        until(lambda: all(fetch(port) for port in ports(made).values()), 30)
        yield made


def ports(pair: Pair) -> dict[str, int]:
    """Where each of the four processes answers."""
    lead, node = load_home(pair.lead.path), load_home(pair.node.path)
    homes = {"lead": lead.health_port, "node": node.health_port}
    return homes | {"receiver": lead.child_port, "courier": node.child_port}


class Watched:
    """All four processes, scraped when made and again by `after`."""

    def __init__(self, pair: Pair) -> None:
        self.ports, self.at = ports(pair), utcnow().timestamp()
        self.texts = {name: fetch(port) for name, port in self.ports.items()}
        assert all(self.texts.values())

    def after(self) -> list[Scraped]:
        texts = {name: fetch(port, 1) for name, port in self.ports.items()}
        at = utcnow().timestamp()
        return [Scraped("polku", name, self.texts[name], texts[name], self.at, at) for name in self.ports]


@contextmanager
def held(database: Path) -> Iterator[None]:
    """Somebody else writes to the SQLite file and does not end."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=20)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@contextmanager
def poisoned(site: Site, table: str, when: str = "1") -> Iterator[None]:
    """Rows of the table are refused, as by a fault in the code or in the data."""
    with sqlite3.connect(site.path / "node.db", timeout=20) as database:
        refuse = "SELECT RAISE(ABORT, 'poisoned')"
        database.execute(f"CREATE TRIGGER poison BEFORE INSERT ON {table} WHEN {when} BEGIN {refuse}; END")
    yield
    with sqlite3.connect(site.path / "node.db", timeout=20) as database:
        database.execute("DROP TRIGGER poison")


def slowly(pair: Pair, act: Callable[[], Any]) -> None:
    """Do it while the node's database is held for a while."""
    with held(pair.node.path / "node.db"):
        acting = threading.Thread(target=act)
        acting.start()
        acting.join(HELD_SECONDS)  # the fault's length; the answer cannot come before
        assert acting.is_alive()
    acting.join(20)


def a_command(pair: Pair, name: str) -> None:
    home = load_home(pair.node.path)
    client = connect(home.socket)
    assert client is not None
    items = [{"key": key_of(name), "activity": "kaapeli", "date": "2016-03-01"}]
    after = recorded_to(home)  # activities has heard of the programme
    with closing(client):
        client.call("activities", "record_sessions", by="cli:test", programme=KEY, items=items, after=after)


def a_login(pair: Pair, name: str) -> None:
    """Of somebody there is not: each name once, because guesses are slowed down."""
    at = f"http://127.0.0.1:{load_home(pair.node.path).port}/login"
    browser = build_opener(HTTPCookieProcessor())
    token = re.search(r'name="form_token" value="([^"]+)"', browser.open(at, timeout=20).read().decode())
    assert token is not None
    form = urlencode({"form_token": token[1], "name": name, "password": "wrong"}).encode()
    with pytest.raises(HTTPError, match="403"):
        browser.open(Request(at, form, {"Sec-Fetch-Site": "same-origin"}), timeout=20)


def metric(pair: Pair, process: str, start: str) -> float:
    """The value of the first sample whose line starts so; 0 if there is none."""
    lines = (fetch(ports(pair)[process]) or "").splitlines()
    return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(start)), 0.0)


@pytest.mark.parametrize("process", ["lead", "node", "receiver", "courier"])
def test_promtool_finds_nothing_to_complain_of_in_a_processs_metrics(pair: Pair, process: str) -> None:
    a_command(pair, "first")
    a_login(pair, process)
    text = fetch(ports(pair)[process])
    assert text is not None
    assert "polku_" in text
    done = promtool("check", "metrics", given=text)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_slow_command_is_told(pair: Pair, tmp_path: Path) -> None:
    a_command(pair, "fast")
    watched = Watched(pair)
    slowly(pair, partial(a_command, pair, "slow"))
    assert_only("PolkuRpcSlow", watched.after(), tmp_path)


def test_a_slow_page_is_told(pair: Pair, tmp_path: Path) -> None:
    a_login(pair, "quick")
    watched = Watched(pair)
    slowly(pair, partial(a_login, pair, "slow"))
    assert_only("PolkuPagesSlow", watched.after(), tmp_path)


def test_a_fact_whose_effect_fails_is_told_and_can_be_retried(pair: Pair, tmp_path: Path) -> None:
    watched = Watched(pair)
    with poisoned(pair.node, "activities_person"):
        assert run("import", write_set(tmp_path, [SOMEBODY], [], []), home=pair.node.path).code == 0
        until(lambda: metric(pair, "node", 'polku_journal_parked_lines{service="activities"}') == 1, 20)
        assert_only("PolkuParkedLines", watched.after(), tmp_path)
    assert run("parked", "retry", home=pair.node.path).code == 0
    until(lambda: metric(pair, "node", 'polku_journal_parked_lines{service="activities"}') == 0, 20)


def test_a_service_that_cannot_go_on_is_told(pair: Pair, tmp_path: Path) -> None:
    watched = Watched(pair)
    stuck = 'polku_journal_follower_stuck{service="intake"}'
    client = connect(load_home(pair.node.path).socket)
    assert client is not None
    with poisoned(pair.node, "intake_programme"), closing(client):
        document = changed(name={"fi": "Toinen", "sv": "Annan", "en": "Another"})
        client.call("pathways", "load_programme", by="cli:test", document=document)
        until(lambda: metric(pair, "node", stuck) == 1, 20)
        assert_only("PolkuFollowerStuck", watched.after(), tmp_path)
    until(lambda: metric(pair, "node", stuck) == 0, 20)


def test_a_service_that_fails_at_what_it_is_asked_is_told(pair: Pair, tmp_path: Path) -> None:
    watched = Watched(pair)
    with poisoned(pair.node, "activities_session"):
        for number in range(3):
            with pytest.raises(InternalError):
                a_command(pair, f"poisoned {number}")
    assert_only("PolkuRpcFailing", watched.after(), tmp_path)


def test_a_courier_that_keeps_ending_is_told(pair: Pair, tmp_path: Path) -> None:
    watched = Watched(pair)
    assert pair.node.process is not None
    parent = pair.node.process.pid
    for number in range(1, 6):
        os.kill(until(lambda: child_of(parent), 30), signal.SIGKILL)
        until(lambda n=number: metric(pair, "node", "polku_home_child_restarts_total") == n, 20)  # type: ignore[misc]
    until(lambda: fetch(ports(pair)["courier"], 1), 20)
    assert_only("PolkuChildRestarting", watched.after(), tmp_path)


def test_processes_that_are_gone_are_told(pair: Pair, tmp_path: Path) -> None:
    watched = Watched(pair)
    pair.node.kill()
    until(lambda: fetch(ports(pair)["courier"], 1) is None, 20)
    assert_only("PolkuProcessDown", watched.after(), tmp_path)


def test_what_is_kept_longer_than_the_file_says_is_told(sqlite_engine: Engine, tmp_path: Path) -> None:
    journal = known(sqlite_engine)
    put_programme(sqlite_engine, store.shelf, changed(purposes=RETENTION))
    somebody_left(journal)
    exposed = []
    for day in (date(2016, 11, 30), date(2016, 12, 2)):
        retention.measure(sqlite_engine, datetime.combine(day, time(9), UTC))
        said = generate_latest(REGISTRY).decode().splitlines()
        exposed.append("".join(f"{line}\n" for line in said if line.startswith("polku_intake_retention_due{")))
    assert_only("PolkuRetentionDue", [Scraped("polku", "node", *exposed, 0, 300)], tmp_path)


def test_a_mail_server_that_is_away_is_told(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users(sqlite_engine, anna="case_worker")
    exposed = []
    with serving() as box:
        for day, port in enumerate((box.port, NOBODY)):
            look(sqlite_engine, port, Pathways(case_worker=3), monkeypatch, NOW + timedelta(days=day))
            said = generate_latest(REGISTRY).decode().splitlines()
            exposed.append("".join(f"{line}\n" for line in said if line.startswith("polku_portal_mail_down ")))
    assert_only("PolkuMailDown", [Scraped("polku", "node", *exposed, 0, 300)], tmp_path)


def test_a_broker_that_is_away_is_told(tmp_path: Path) -> None:
    assert_only("PolkuBrokerDown", [Scraped("rabbitmq", "broker", "", fetch(free_port(), 1), 0, 300)], tmp_path)


def test_every_alert_has_its_fault() -> None:
    source = Path(__file__).read_text()
    told = {name for name in ALERTS if f'assert_only("{name}"' in source} | set(IN_ROUNDS.values())
    assert told == set(ALERTS)
