"""No page and no data without a login; each role its own pages; before a one-time password is changed nothing."""

import re
from pathlib import Path

import pytest

from services.portal.guard import PUBLIC
from services.portal.users import ROLES
from tests.services.portal.documents import MADE, counter, door, encounter, person, recorded_talk, referral
from tests.services.portal.samples import SAME_ORIGIN, Portal, make_portal

PAGES = {
    "/": {"reporter", "operator", "auditor", "case_worker", "coordinator"},
    "/password": {"reporter", "operator", "auditor", "case_worker", "coordinator"},
    "/report/lahde-mukaan": {"reporter"},
    "/report/lahde-mukaan.json": {"reporter"},
    "/report/lahde-mukaan.html": {"reporter"},
    "/report/lahde-mukaan.csv": {"reporter"},
    "/sessions/lahde-mukaan": {"case_worker", "coordinator"},
    f"/sessions/lahde-mukaan/{MADE}": {"case_worker", "coordinator"},
    "/people/lahde-mukaan": {"case_worker", "coordinator"},
    "/conversation/lahde-mukaan": {"case_worker", "coordinator"},
    f"/conversation/lahde-mukaan/{MADE}": {"case_worker", "coordinator"},
    "/register/lahde-mukaan": {"case_worker", "coordinator"},
    f"/register/lahde-mukaan/{MADE}": {"case_worker", "coordinator"},
    "/counter/lahde-mukaan": {"case_worker", "coordinator"},
    f"/counter/lahde-mukaan/{MADE}": {"case_worker", "coordinator"},
    "/door/lahde-mukaan": {"case_worker", "coordinator"},
    f"/door/lahde-mukaan/{MADE}": {"case_worker", "coordinator"},
    "/encounters/lahde-mukaan": {"case_worker", "coordinator"},
    f"/encounters/lahde-mukaan/{MADE}": {"case_worker", "coordinator"},
    f"/standing/lahde-mukaan/{MADE}": {"case_worker", "coordinator"},
    "/referrals/lahde-mukaan": {"case_worker", "coordinator"},
    f"/referrals/lahde-mukaan/{MADE}": {"case_worker", "coordinator"},
    f"/refer/lahde-mukaan/{MADE}": {"case_worker", "coordinator"},
    "/evidence/lahde-mukaan": {"case_worker", "coordinator"},
    f"/exit/lahde-mukaan/{MADE}": {"case_worker", "coordinator"},
    f"/plan/lahde-mukaan/{MADE}": {"case_worker", "coordinator"},
    f"/plan/lahde-mukaan/{MADE}/copy": {"case_worker", "coordinator"},
    "/sample/lahde-mukaan": {"coordinator", "reporter"},
    "/followups/lahde-mukaan": {"case_worker", "coordinator"},
    "/eura/lahde-mukaan": {"case_worker", "coordinator"},
    f"/start/lahde-mukaan/{MADE}": {"case_worker", "coordinator"},
    f"/rights/lahde-mukaan/{MADE}": {"case_worker", "coordinator"},
    f"/rights/lahde-mukaan/{MADE}/copy.html": {"case_worker", "coordinator"},
    f"/rights/lahde-mukaan/{MADE}/copy.json": {"case_worker", "coordinator"},
    f"/rights/lahde-mukaan/{MADE}/correct": {"case_worker", "coordinator"},
    f"/rights/lahde-mukaan/{MADE}/receipts": {"case_worker", "coordinator"},
    f"/rights/lahde-mukaan/{MADE}/erase": {"coordinator"},
    "/erased/lahde-mukaan": {"coordinator"},
    "/partners/lahde-mukaan": {"coordinator"},
    "/closing/lahde-mukaan": {"coordinator"},
    "/duplicates/lahde-mukaan": {"case_worker", "coordinator"},
    "/tasks/lahde-mukaan": {"case_worker", "coordinator"},
    f"/steps/lahde-mukaan/{MADE}": {"case_worker", "coordinator"},
    "/round/lahde-mukaan": {"case_worker", "coordinator"},
    f"/questionnaire/lahde-mukaan/{MADE}": {"case_worker", "coordinator"},
    f"/questionnaire/lahde-mukaan/{MADE}/thanks": {"case_worker", "coordinator"},
}
"""Who may see which page, written down apart from the code."""


def every_rule(portal: Portal) -> list[tuple[str, str, str]]:
    """Method, path and endpoint of each rule, with a real programme in it."""
    return [
        (method, _filled(rule.rule), rule.endpoint)
        for rule in portal.app.url_map.iter_rules()
        for method in sorted(rule.methods or ())
    ]


def _filled(rule: str) -> str:
    for part, value in (("<programme:key>", "lahde-mukaan"), ("<path:filename>", "x")):
        rule = rule.replace(part, value)
    return re.sub("<entity:[a-z]+>", MADE, rule)


@pytest.mark.parametrize("role", ["lead", "node"])
def test_every_rule_asks_strangers_to_log_in(tmp_path: Path, role: str) -> None:
    portal = make_portal(str(tmp_path / "home.db"), role)  # type: ignore[arg-type]
    rules = every_rule(portal)
    assert len(rules) > 10
    for method, path, endpoint in rules:
        if endpoint in PUBLIC:
            continue
        answer = portal.app.test_client().open(path, method=method, headers=SAME_ORIGIN)
        expected = (303, "/login") if method in ("GET", "HEAD", "OPTIONS") else (401, None)
        assert (answer.status_code, answer.headers.get("Location")) == expected, (method, path)
    assert portal.rpc.calls == []


def test_only_login_form_and_style_are_public() -> None:
    assert {"login", "log_in", "static"} == PUBLIC


def test_pages_that_do_not_exist_are_not_told_apart_by_strangers(lead: Portal) -> None:
    assert lead.client.get("/nothing/here").headers["Location"] == "/login"


def test_forged_and_foreign_tokens_are_strangers(lead: Portal) -> None:
    for token in ("x", "a" * 43, "ä" * 43, ""):
        lead.client.set_cookie("polku", token)
        assert lead.client.get("/report/lahde-mukaan").status_code == 303


@pytest.mark.parametrize(("home", "role"), [(home, role) for home, roles in ROLES.items() for role in roles])
def test_each_role_sees_its_pages_and_no_other(tmp_path: Path, home: str, role: str) -> None:
    portal = make_portal(str(tmp_path / "home.db"), home)  # type: ignore[arg-type]
    portal.user_logged_in("worker", role)
    portal.rpc.talk = recorded_talk()
    portal.rpc.register |= {"session": {"session": MADE, "occurred_on": "2016-05-02", "minutes": 120}}
    portal.rpc.counters = [counter()]
    portal.rpc.doors, portal.rpc.encounters = [door()], [encounter()]
    portal.rpc.people = [person("Aino", "Esimerkki", person=MADE)]
    portal.rpc.referrals = [referral("Aino", "Esimerkki")]
    served = {path for _, path, _ in every_rule(portal)} & set(PAGES)
    assert served
    for path in served:
        assert portal.client.get(path).status_code == (200 if role in PAGES[path] else 403), path


def test_page_nobody_was_allowed_is_reachable_for_nobody(lead: Portal) -> None:
    lead.app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    lead.user_logged_in("worker", "reporter", "operator", "auditor")
    assert lead.client.get("/forgotten").status_code == 403


def test_one_time_password_opens_nothing_but_the_password_page(lead: Portal) -> None:
    first = lead.add_user("worker", "reporter")
    lead.log_in("worker", first)
    for method, path, endpoint in every_rule(lead):
        if endpoint in PUBLIC or endpoint in ("password", "change_password", "logout") or method != "GET":
            continue
        assert lead.client.get(path).headers.get("Location") == "/password", path
    assert lead.client.get("/password").status_code == 200
    assert lead.rpc.calls == []


def test_role_taken_away_holds_at_the_next_request(lead: Portal) -> None:
    lead.user_logged_in("worker", "reporter")
    with lead.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE portal_user SET roles = 'operator'")
    assert lead.client.get("/report/lahde-mukaan").status_code == 403


def test_start_page_names_only_the_pages_of_the_role(lead: Portal) -> None:
    lead.user_logged_in("worker", "operator")
    html = lead.client.get("/").get_data(as_text=True)
    assert "/report/" not in html
    assert "Roolillasi ei ole" in html


def test_unknown_programme_is_no_page(lead: Portal) -> None:
    lead.user_logged_in("worker", "reporter")
    for path in ("/report/other", "/report/other.json", "/report/UPPER", "/report/" + "a" * 41):
        assert lead.client.get(path).status_code == 404, path
