"""Notices by e-mail against a real SMTP server: who is told, how often, and what a dead server does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Engine

from services.node import mailing
from services.node.mailing import MailServer, mail_server
from services.portal import notice_store, notices, store
from services.portal.errors import UnknownUser
from services.portal.notices import set_address
from shared.contracts.errors import HomeUnusable, InvalidInput, ServiceAbsent
from shared.ops.settings import Home, load_home
from shared.storage import transaction
from shared.testing.authority import Authority
from tests.services.node.smtp import Mailbox, serving

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
"""Eleven in Helsinki."""


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with serving() as made:
        yield made


class Pathways:
    """What the services answer."""

    def __init__(self, theirs: dict[str, int] | None = None, **counts: int) -> None:
        self.counts, self.theirs = {"case_worker": 0, "coordinator": 0} | counts, theirs or {}

    def call(self, service: str, method: str, /, **_: Any) -> Any:
        if (service, method) == ("intake", "list_workers"):
            return [{"worker": f"id of {name}", "name": name, "programmes": []} for name in self.theirs]
        assert (service, method) == ("pathways", "count_waiting")
        workers = [{"worker": f"id of {name}", "tasks": tasks} for name, tasks in self.theirs.items()]
        return self.counts | ({"workers": workers} if workers else {})


def users(engine: Engine, **roles: str) -> None:
    with transaction(engine) as connection:
        for name, role in roles.items():
            store.add_user(connection, name, role.split(","), "hash", NOW)
    for name in roles:
        set_address(engine, name, f"{name}@example.org", "fi")


def look(
    engine: Engine, port: int, pathways: Any, monkeypatch: pytest.MonkeyPatch, now: datetime = NOW, **settings: str
) -> int:
    monkeypatch.setattr(mailing, "utcnow", lambda: now)
    named = {"mail": f"smtp://127.0.0.1:{port}", "mail_from": "polku@example.org"} | settings
    home = Home(Path("/nowhere"), "node", "pori-0a1b2c3d", 8401, portal_url="https://polku.example.org/", **named)
    timer = mailing.notices(home, engine, pathways)
    assert timer is not None
    return timer()


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_each_is_told_how_many_tasks_wait_for_their_roles_and_nobody_is_named(
    engine: Engine, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    users(engine, anna="case_worker", berit="case_worker,coordinator", carl="auditor")
    set_address(engine, "berit", "berit@example.org", "sv")
    assert look(engine, box.port, Pathways(case_worker=3, coordinator=1), monkeypatch) == 2
    first, second = box.messages
    assert (first["To"], first["Subject"]) == ("anna@example.org", "3 tehtävää odottaa")
    assert (second["To"], second["Subject"]) == ("berit@example.org", "4 uppgifter väntar")
    said = first.get_content().splitlines()
    assert said[:3] == ["3 tehtävää odottaa.", "", "https://polku.example.org/"]
    assert (first["From"], first["Auto-Submitted"]) == ("polku@example.org", "auto-generated")
    assert first["Message-ID"].endswith("@example.org>")


def test_a_worker_is_told_of_the_tasks_about_their_own_people_and_nobodys(
    engine: Engine, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    users(engine, anna="case_worker", bertta="case_worker", cecilia="coordinator", dora="case_worker")
    waits = Pathways({"anna": 4, "cecilia": 1, "gone": 2}, case_worker=7, coordinator=3)
    assert look(engine, box.port, waits, monkeypatch) == 2
    told = {message["To"].partition("@")[0]: message["Subject"] for message in box.messages}
    assert told == {"anna": "4 tehtävää odottaa", "cecilia": "6 tehtävää odottaa"}
    waits = Pathways({"anna": 4}, case_worker=5)
    assert look(engine, box.port, waits, monkeypatch, NOW + timedelta(days=1)) == 3
    told = {message["To"].partition("@")[0]: message["Subject"] for message in box.messages[2:]}
    one = dict.fromkeys(("bertta", "dora"), "1 tehtävä odottaa")
    assert told == {"anna": "5 tehtävää odottaa"} | one, "about whom is nobody's each is told"


def test_where_nobody_coordinates_case_workers_are_told_of_the_people_of_who_has_gone() -> None:
    waits = notices.Waiting({"case_worker": 3}, {"gone": 2, "anna": 1})
    assert waits.of({"anna": ["case_worker"], "bertta": ["case_worker"]}) == {"anna": 3, "bertta": 2}
    assert waits.of({"anna": ["case_worker"], "cecilia": ["coordinator"]}) == {"anna": 1, "cecilia": 2}
    assert notices.Waiting({"case_worker": 3, "coordinator": 1}, {}).of({"a": ["auditor"]}) == {"a": 0}


def test_nobody_is_told_twice_a_day_nor_when_nothing_waits_nor_at_night(
    engine: Engine, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    users(engine, anna="case_worker")
    night = datetime(2026, 11, 26, 4, 59, tzinfo=UTC)
    assert look(engine, box.port, Pathways(case_worker=3), monkeypatch, night) == 0
    assert look(engine, box.port, Pathways(coordinator=3), monkeypatch) == 0
    assert box.greetings == 0, "a server is not even called"
    assert look(engine, box.port, Pathways(case_worker=1), monkeypatch) == 1
    assert look(engine, box.port, Pathways(case_worker=9), monkeypatch, NOW + timedelta(hours=3)) == 0
    assert look(engine, box.port, Pathways(case_worker=9), monkeypatch, NOW + timedelta(days=1)) == 1
    assert [message["Subject"] for message in box.messages] == ["1 tehtävä odottaa", "9 tehtävää odottaa"]


def test_a_dead_server_harms_nothing_is_seen_and_is_tried_again(
    sqlite_engine: Engine, box: Mailbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    users(sqlite_engine, anna="case_worker")
    assert look(sqlite_engine, 1, Pathways(case_worker=3), monkeypatch) == 0
    assert metric("polku_portal_mail_down") == 1
    assert "anna" not in caplog.text
    assert look(sqlite_engine, box.port, Pathways(case_worker=3), monkeypatch) == 1
    assert metric("polku_portal_mail_down") == 0


def test_an_address_that_the_server_refuses_keeps_nobody_else_from_being_told(
    sqlite_engine: Engine, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    users(sqlite_engine, anna="case_worker", berit="case_worker")
    box.refused.add("anna@example.org")
    before = metric("polku_portal_notices_total", outcome="refused")
    assert look(sqlite_engine, box.port, Pathways(case_worker=3), monkeypatch) == 1
    assert [message["To"] for message in box.messages] == ["berit@example.org"]
    assert metric("polku_portal_notices_total", outcome="refused") == before + 1
    assert look(sqlite_engine, box.port, Pathways(case_worker=3), monkeypatch) == 0, "not again today"


def test_a_line_that_is_lost_in_a_message_never_leads_to_a_second_one(
    sqlite_engine: Engine, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    users(sqlite_engine, anna="case_worker", berit="case_worker")
    box.hangs_up = True
    assert look(sqlite_engine, box.port, Pathways(case_worker=3), monkeypatch) == 0
    box.hangs_up = False
    assert look(sqlite_engine, box.port, Pathways(case_worker=3), monkeypatch) == 1
    assert [message["To"] for message in box.messages] == ["berit@example.org"]


def test_if_pathways_does_not_answer_nobody_is_told_and_nothing_fails(
    sqlite_engine: Engine, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    users(sqlite_engine, anna="case_worker")

    class Absent:
        def call(self, *_: Any, **__: Any) -> Any:
            raise ServiceAbsent(service="pathways")

    assert look(sqlite_engine, box.port, Absent(), monkeypatch) == 0
    assert box.greetings == 0


def test_whatever_goes_wrong_the_timer_goes_on_and_the_log_has_the_class_alone(
    sqlite_engine: Engine, box: Mailbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    users(sqlite_engine, anna="case_worker")

    class Odd:
        def call(self, *_: Any, **__: Any) -> Any:
            raise ValueError("anna@example.org")

    with caplog.at_level("ERROR"):
        assert look(sqlite_engine, box.port, Odd(), monkeypatch) == 0
    assert [vars(record)["error"] for record in caplog.records] == ["ValueError"]
    assert "anna" not in caplog.text
    assert look(sqlite_engine, box.port, Pathways(case_worker=3), monkeypatch) == 1


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_server_is_spoken_to_under_tls_and_one_of_a_strange_authority_is_told_nothing(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    users(sqlite_engine, anna="case_worker")
    known, strange = Authority(tmp_path / "known"), Authority(tmp_path / "strange")
    with serving(known.issue("127.0.0.1"), at_once=scheme == "smtps") as box:
        mail = f"{scheme}://127.0.0.1:{box.port}"
        monkeypatch.setenv("SSL_CERT_FILE", str(strange.file))
        assert look(sqlite_engine, 0, Pathways(case_worker=3), monkeypatch, mail=mail) == 0
        assert metric("polku_portal_mail_down") == 1
        monkeypatch.setenv("SSL_CERT_FILE", str(known.file))
        assert look(sqlite_engine, 0, Pathways(case_worker=3), monkeypatch, mail=mail) == 1
        assert [message["To"] for message in box.messages] == ["anna@example.org"]
        assert box.in_clear == 0


@pytest.mark.parametrize(
    "address",
    [
        *("anna", "anna@", "a nna@example.org", "anna@example.org\nBcc: x@example.org", "a" * 255 + "@example.org"),
        *(f"anna{letter}x@example.org" for letter in ',;<>()[]:"\\'),
        "änna@example.org",
    ],
)
def test_an_address_that_is_none_is_refused(sqlite_engine: Engine, address: str) -> None:
    users(sqlite_engine, anna="case_worker")
    with pytest.raises(InvalidInput, match="address"):
        set_address(sqlite_engine, "anna", address, "fi")


def test_who_is_removed_or_wants_none_is_told_no_longer(
    sqlite_engine: Engine, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    users(sqlite_engine, anna="case_worker", berit="case_worker")
    set_address(sqlite_engine, "anna", None, "fi")
    with transaction(sqlite_engine) as connection:
        store.remove_user(connection, "berit")
    with pytest.raises(UnknownUser):
        set_address(sqlite_engine, "berit", "berit@example.org", "fi")
    assert look(sqlite_engine, box.port, Pathways(case_worker=3), monkeypatch) == 0
    with sqlite_engine.connect() as connection:
        assert connection.execute(notice_store.notice.select()).all() == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("smtp://mail.example.org", "would send in clear"),
        ("smtps://user:secret@mail.example.org", "holds a password"),
        ("smtps://user@mail.example.org", "POLKU_MAIL_PASSWORD is not set"),
        ("mailto:x@example.org", "is not like smtp"),
        ("smtps://mail.example.org:99999", "is no URL of a server"),
    ],
)
def test_a_mail_server_that_cannot_be_meant_stops_the_start_with_its_name(
    tmp_path: Path, url: str, reason: str
) -> None:
    Home(tmp_path, "node", "pori-0a1b2c3d", 8401, mail=url).save()
    with pytest.raises(HomeUnusable, match=reason) as refused:
        mail_server(load_home(tmp_path))
    assert "secret" not in str(refused.value)


def test_the_environment_holds_before_the_file_and_the_password_is_in_no_repr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLKU_MAIL_URL", "smtp+starttls://polku%40example.org@mail.example.org")
    monkeypatch.setenv("POLKU_MAIL_PASSWORD", "hunter2hunter2")
    found = mail_server(Home(tmp_path, "node", "pori-0a1b2c3d", 8401, mail="smtps://other.example.org"))
    assert found == MailServer("smtp+starttls", "mail.example.org", 587, "polku@example.org", "hunter2hunter2")
    assert "hunter2" not in repr(found)
    assert mail_server(Home(tmp_path, "node", "pori-0a1b2c3d", 8401)) is not None
    monkeypatch.delenv("POLKU_MAIL_URL")
    assert mail_server(Home(tmp_path, "node", "pori-0a1b2c3d", 8401)) is None
