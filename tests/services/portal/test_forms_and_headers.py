"""Forms of other sites are refused; every answer carries the headers; cookies are as strict as they can be."""

from pathlib import Path

import pytest

from tests.services.portal.samples import PASSWORD, SAME_ORIGIN, Portal, make_portal


@pytest.fixture
def logged_in(lead: Portal) -> Portal:
    lead.user_logged_in("worker", "reporter")
    return lead


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "https://localhost"},
        {"Origin": "null"},
        {"Origin": "http://[bad"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_form_from_elsewhere_is_refused_with_a_right_token_too(logged_in: Portal, headers: dict[str, str]) -> None:
    assert logged_in.post("/logout", form="/", headers=headers).status_code == 403
    assert logged_in.client.get("/").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Origin": "http://localhost"},
    ],
)
def test_own_form_is_taken(logged_in: Portal, headers: dict[str, str]) -> None:
    assert logged_in.post("/logout", form="/", headers=headers).status_code == 303


@pytest.mark.parametrize("token", ["", "0" * 64, "ä"])
def test_form_without_its_token_is_refused(logged_in: Portal, token: str) -> None:
    for path in ("/logout", "/password", "/login"):
        answer = logged_in.client.post(path, data={"form_token": token}, headers=SAME_ORIGIN)
        assert answer.status_code == 403, path


def test_token_of_another_browser_is_refused(logged_in: Portal) -> None:
    stolen = logged_in.form_token("/")
    logged_in.client = logged_in.app.test_client()
    logged_in.client.get("/login")
    data = {"form_token": stolen, "name": "worker", "password": PASSWORD}
    assert logged_in.client.post("/login", data=data, headers=SAME_ORIGIN).status_code == 403


def test_logout_by_a_link_is_impossible(logged_in: Portal) -> None:
    assert logged_in.client.get("/logout").status_code == 405
    assert logged_in.client.get("/").status_code == 200


def test_every_answer_carries_the_headers(logged_in: Portal) -> None:
    paths = ["/", "/login", "/report/lahde-mukaan", "/report/lahde-mukaan.json", "/nothing", "/static/portal.css"]
    for path in paths:
        headers = logged_in.client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "script-src" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == ("public, max-age=86400" if "static" in path else "no-store")
        assert "Strict-Transport-Security" not in headers


def test_cookie_on_https_is_bound_to_host_and_https(tmp_path: Path) -> None:
    portal = make_portal(str(tmp_path / "home.db"), secure=True)
    answer = portal.app.test_client().get("/login", base_url="https://polku.example")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-polku=")
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie.split("; ")
    assert "Domain" not in cookie
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


def test_cookie_on_loopback_is_plain_but_closed_to_scripts(lead: Portal) -> None:
    cookie = lead.client.get("/login").headers["Set-Cookie"]
    assert cookie.startswith("polku=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_body_over_a_mebibyte_is_refused(logged_in: Portal) -> None:
    data = {"form_token": "x", "old": "a" * (1024 * 1024 + 1)}
    answer = logged_in.client.post("/password", data=data, headers=SAME_ORIGIN)
    assert answer.status_code == 413
    assert "Lähetys on liian suuri" in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("accept", "expected"), [("sv-FI,fi;q=0.5", "sv"), ("de", "fi"), ("en-GB,en", "en"), ("", "fi")]
)
def test_language_follows_the_browser_until_chosen(lead: Portal, accept: str, expected: str) -> None:
    def lang() -> str:
        html = lead.client.get("/login", headers={"Accept-Language": accept}).get_data(as_text=True)
        return html.split('<html lang="')[1][:2]

    assert lang() == expected
    lead.client.get("/login?lang=sv")
    assert lang() == "sv"
