# green:
"""Every form of the portals with every field wrong: a page that says so, never a failure, nothing written by halves.

Forms are read from the pages themselves. A new page with a form needs its address in `PAGES`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from services.portal.app import create_app
from services.portal.context import HomeRole, PortalContext, directly
from services.portal.users import add_user
from tests.badinput.judging import leaked
from tests.badinput.mutations import LONG, SECRET
from tests.badinput.world import Running, World
from tests.badinput.world import world as a_world
from tests.services.kit import KEY, NOW
from tests.services.portal.samples import CHEAP, PASSWORD, SAME_ORIGIN

PAGES: dict[HomeRole, tuple[str, ...]] = {
    "node": (
        *(f"/{page}/{KEY}" for page in ("conversation", "counter", "referrals", "partners", "people", "sessions")),
        *(f"/register/{KEY}?activity=kaapeli", f"/new/{KEY}"),
        *(f"/{page}/{KEY}/{{{what}}}" for page, what in (("conversation", "talk"), ("counter", "counter"))),
        f"/register/{KEY}/{{session}}",
        f"/refer/{KEY}/{{person}}",
        *(f"/{page}/{KEY}" for page in ("door", "encounters", "eura", "evidence", "followups", "sample")),
        *(f"/door/{KEY}/{{door}}", f"/encounters/{KEY}/{{encounter}}", f"/standing/{KEY}/{{visitor}}"),
        *(f"/{page}/{KEY}/{{started}}" for page in ("start", "plan", "rights", "person")),
        *(f"/rights/{KEY}/{{started}}/{page}" for page in ("correct", "erase?what=all")),
        f"/handover/{KEY}?worker=anna",
        *(f"/exit/{KEY}/{{{who}}}" for who in ("left", "returned", "unasked")),
        *(f"/tasks/{KEY}", f"/steps/{KEY}/{{on_step}}"),
        f"/round/{KEY}",
        *(f"/questionnaire/{KEY}/{{started}}{at}" for at in ("", "?instrument=three_items&version=1&occasion=interim")),
        "/password",
        "/login",
        "/",
    ),
    "lead": ("/", "/password", f"/report/{KEY}", f"/sample/{KEY}", "/login"),
}
"""Every page with a form of its own, and some others; in braces what the home knows."""
ELSEWHERE: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    f"/eura/{KEY}/{{started}}": (
        {"key": "ab" * 32, "record": "start", "by": "worker", "date": "2016-03-04"},
        {"key": "hidden", "record": "hidden", "by": "radio", "date": "date"},
    ),
    f"/duplicates/{KEY}": (
        {"one": "ab" * 16, "other": "cd" * 16, "verdict": "same", "was": "none"},
        {"one": "hidden", "other": "hidden", "verdict": "button", "was": "hidden"},
    ),
}
"""Forms, with the kinds of their fields, that a page shows elsewhere alone: EURA's list in programmes of ESF+, a pair
where there is one."""
_ENDS = "would end the project that all other forms are tried in; tests/services/portal/test_closing.py"
NO_FORM: dict[str, str] = dict.fromkeys(("settle_closing", "close_programme", "seal_stream"), _ENDS)
"""Endpoints that take a POST from no page of ours: why."""
SHOWS = {
    "find_person": "whoever is found; a name stands in no address",
    "draw_sample": "the drawn rows as a file",
    "show_sample": "the people drawn, to be printed once",
}
"""Endpoints that answer what they take with it, not with another page."""
ONE_PLACE = {"form_token": "checked before any view", "key": "read by `talks.key_from`"}
"""Fields of nearly every form that are looked at in one place: each form tries one value of them, another each."""
READS = ("journal_audit", "journal_head", "_cursor", "portal_")
"""Tables that a page may write to though it refuses: who read which identities, who tried to log in."""
_ANY = {"nothing": "", "10,000 characters": LONG, "a text": SECRET}
_TYPED = {
    "NUL": f"a\0{SECRET}",
    "an escape": f"\x1b[2J{SECRET}",
    "turned around": f"\u202e{SECRET}",
    "markup": f"<script>{SECRET}</script>",
}
_NONE_OF_THEM = {"nothing": "", "10,000 characters": LONG}
_CHOSEN = {"a code": "zz_no_such_code", "an id": "ff" * 16}
_DAY = {"a far day": "9999-12-31", "an early day": "0001-01-01", "a week": "2016-W09-2", "no day": "2016-02-30"}
_NUMBER = {"a negative number": "-1", "a huge number": "9" * 30, "other digits": "\u0663"}
_SAMPLE = {"polku_sample": 1, "programme": KEY, "indicator": "participants_started", "seed": "ab", "population": 9}
_ROW = {"node": "pori-0a1b2c3d", "line": 1, "partner": "leader_association"}
_FILE = {
    "empty": b"",
    "no UTF-8": b"\xff\xfe",
    "no JSON": SECRET.encode(),
    "nested without end": b"[" * 9_000,
    "not a number": b"NaN",
    "a list": b"[]",
    **{
        what: json.dumps(_SAMPLE | {"rows": [_ROW]} | wrong).encode()
        for what, wrong in {
            "of another programme": {"programme": "no-such-programme"},
            "of another release": {"polku_sample": 2},
            "without rows": {"rows": []},
            "rows that are none": {"rows": {"a": 1}},
            "a row that is none": {"rows": [SECRET]},
            "201 rows": {"rows": [_ROW] * 201},
            "a node that is none": {"rows": [_ROW | {"node": SECRET}]},
            "a line that is none": {"rows": [_ROW | {"line": True}]},
            "a huge line": {"rows": [_ROW | {"line": 10**30}]},
            "an indicator that is none": {"indicator": [SECRET]},
            "a long seed": {"seed": LONG},
            "markup for a seed": {"seed": f"<script>{SECRET}</script>"},
            "days that are none": {"from": SECRET, "to": 7},
            "a text for a number": {"population": SECRET},
        }.items()
    },
}
"""Files that nobody's lead has drawn."""
WRONG: dict[str, dict[str, Any]] = {
    **{kind: _NONE_OF_THEM | _CHOSEN for kind in ("radio", "checkbox", "select", "button", "submit")},
    "hidden": _ANY | _CHOSEN | _NUMBER,
    "date": _ANY | _DAY,
    "time": _ANY | {"a far time": "25:00"},
    "number": _ANY | _NUMBER,
    "password": _ANY | {"NUL": f"a\0{SECRET}"},
    "file": _FILE,
}
"""By the kind of a field; any other takes what is typed."""
ADDRESSES = {"a text": "zz_y", "an id": "ff" * 16, "NUL": "%00", "long": "x" * 10_000}
QUERIES = ("", "?page=99999999999", "?page=%00", f"?activity={LONG}&corrects=%ff&lang=zz")


@dataclass
class Form:
    """A form of a page: where it goes, and its fields as a browser would send them untouched."""

    page: str
    action: str
    fields: MultiDict[str, str] = field(default_factory=MultiDict)
    kinds: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return self.action.partition("?")[0]


class _Forms(HTMLParser):
    """The forms of a page; of choices the first that is one, of empty texts a word."""

    def __init__(self, page: str, html: str) -> None:
        super().__init__()
        self.page, self.found, self.select = page, [], ""
        self.feed(html)

    def handle_starttag(self, tag: str, given: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in given}
        if tag == "form" and at.get("method", "").lower() == "post":
            self.found.append(Form(self.page, at.get("action") or self.page.partition("?")[0]))
        if not self.found:
            return
        form, name, kind = self.found[-1], at.get("name", ""), at.get("type", tag)
        if tag == "select":
            self.select = name
            form.kinds[name] = "select"
        elif tag == "option" and self.select and at.get("value") and self.select not in form.fields:
            form.fields[self.select] = at["value"]
        elif tag in ("input", "textarea", "button") and name:
            form.kinds[name] = kind
            if kind in ("radio", "button", "submit") and name not in form.fields:
                form.fields[name] = at.get("value", "")
            elif kind == "checkbox":
                form.fields.add(name, at.get("value", "on"))
            elif kind not in ("radio", "button", "submit"):
                form.fields[name] = at.get("value", "") or ("2016-03-04" if kind == "date" else "")


@dataclass
class Portal:
    """A portal on a home that runs, with somebody logged in who may do everything there."""

    app: Flask
    client: FlaskClient
    places: dict[str, str]
    role: HomeRole

    def pages(self) -> list[str]:
        return [page.format(**self.places) for page in PAGES[self.role]]

    def forms(self) -> list[Form]:
        found = []
        for page in self.pages():
            answer = self.client.get(page)
            assert answer.status_code in (200, 303), f"{page}: {answer.status_code}"
            found += _Forms(page, answer.get_data(as_text=True)).found
        token = next(form.fields["form_token"] for form in found if "form_token" in form.fields)
        for path, (fields, kinds) in ELSEWHERE.items() if self.role == "node" else ():
            filled = MultiDict({"form_token": token} | fields)
            found.append(Form(path, path.format(**self.places), filled, {"form_token": "hidden"} | kinds))
        return found

    def send(self, form: Form, fields: MultiDict[str, Any]) -> Any:
        return self.client.post(form.action, data=fields, headers=SAME_ORIGIN)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with a_world(tmp_path_factory.mktemp("world")) as made:
        yield made


def _portal(world: World, at: Running, role: HomeRole) -> Portal:
    ids, bus = world.ids, world.ids["bus_key"]
    context = PortalContext(
        role=role,
        title="Koe",
        engine=at.engine,
        rpc=at.rpc,
        blocking=directly,
        now=lambda: NOW,
        secure=False,
        hasher=CHEAP,
        page_size=50,
        bus_key=lambda: bus if role == "node" else None,
    )
    app = create_app(context)
    roles = ("case_worker", "coordinator") if role == "node" else ("reporter",)
    name = "worker"
    first = add_user(at.engine, name, roles, NOW, CHEAP, home_role=role)
    places = {"talk": ids["talks"][1], "counter": ids["counter"], "session": ids["sessions"]["kaapeli"]}
    places |= {"person": ids["people"]["refer2"], "started": ids["people"]["start"], "left": ids["people"]["form"]}
    places |= {"unasked": ids["people"]["listed_form"], "returned": ids["people"]["returned"]}
    places |= {
        "on_step": ids["people"]["eerik"],
        "door": ids["door"],
        "encounter": ids["encounters"][0],
        "visitor": ids["people"]["visitor"],
    }
    made = Portal(app, app.test_client(), places, role)
    for page, typed in (("/login", {"name": name, "password": first}), ("/password", _changed(first))):
        (form, *_) = _Forms(page, made.client.get(page).get_data(as_text=True)).found
        data = {"form_token": form.fields["form_token"]} | typed
        assert made.client.post(page, data=data, headers=SAME_ORIGIN).status_code == 303
    return made


def _changed(first: str) -> dict[str, str]:
    return {"old": first, "new": PASSWORD, "again": PASSWORD}


@pytest.fixture(scope="module", params=["node", "lead"])
def portal(world: World, request: pytest.FixtureRequest) -> Portal:
    return _portal(world, world.node if request.param == "node" else world.lead, request.param)


def test_every_address_that_takes_a_form_is_reached_from_a_page(portal: Portal) -> None:
    urls = portal.app.url_map.bind("localhost")
    reached = {urls.match(form.path, "POST")[0] for form in portal.forms()}
    logged_out = portal.app.test_client().get("/login").get_data(as_text=True)
    reached |= {urls.match(form.path, "POST")[0] for form in _Forms("/login", logged_out).found}
    takes = {rule.endpoint for rule in portal.app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    assert takes <= reached | NO_FORM.keys(), f"no page of PAGES in {__file__} has a form for {takes - reached}"


def test_a_form_with_a_wrong_field_gets_a_page_that_says_so_and_writes_nothing_by_halves(
    world: World, portal: Portal
) -> None:
    problems = []
    urls, tried = portal.app.url_map.bind("localhost"), set()
    world.follow()
    for form in portal.forms():
        endpoint = urls.match(form.path, "POST")[0]
        kinds = (endpoint, *sorted(form.kinds))
        if endpoint in ("log_out", "logout") or kinds in tried:
            continue
        tried.add(kinds)
        before = world.content()
        for name, what, value in _tried(form, len(tried)):
            fields: MultiDict[str, Any] = MultiDict(form.fields)
            fields[name] = (BytesIO(value), "file") if isinstance(value, bytes) else value
            answer = portal.send(form, fields)
            taken = answer.status_code == 303 or (answer.status_code == 200 and endpoint in SHOWS)
            if taken:  # and it may be: an empty note, somebody else's number
                world.follow()
                before = world.content()
            elif said := _wrong(answer, before, world):
                problems.append(f"{endpoint}: {name} is {what}: {said}")
    assert len(tried) > 1 or portal.role == "lead"
    assert not problems, "\n  ".join(["", *problems])
    assert leaked(world) == ""


def _tried(form: Form, number: int) -> Iterator[tuple[str, str, Any]]:
    """Field, what is wrong, and the value; of rows that are alike (`day:1`, `day:2`) the first is tried."""
    alike = {name.partition(":")[0]: name for name in reversed(form.kinds)}
    for name in alike.values():
        wrong = list(WRONG.get(form.kinds[name], _ANY | _TYPED).items())
        if name in ONE_PLACE:
            wrong = [wrong[number % len(wrong)]]
        yield from ((name, what, value) for what, value in wrong)


def _wrong(answer: Any, before: dict[str, list[Any]], world: World) -> str:
    status, html = answer.status_code, answer.get_data(as_text=True)
    if not 400 <= status < 500:
        return f"status {status}"
    if "<h1" not in html or "</html>" not in html:
        return f"status {status} without a page"
    if f"<script>{SECRET}" in html:
        return "the page holds markup that was typed"
    now = world.content()
    wrote = [name for name in now if now[name] != before.get(name) and not any(part in name for part in READS)]
    return f"status {status}, and wrote to {', '.join(wrote)}" if wrote else ""


def test_an_address_that_cannot_be_is_a_page_that_says_so(portal: Portal) -> None:
    addresses = set()
    for rule in portal.app.url_map.iter_rules():
        if rule.endpoint == "static" or "GET" not in (rule.methods or ()):
            continue
        for what, value in ADDRESSES.items():
            address = rule.rule
            for argument in rule.arguments:
                address = address.replace(f"<programme:{argument}>", KEY if what == "an id" else value)
                address = address.replace(f"<entity:{argument}>", value)
            addresses |= {address + query for query in (QUERIES if what == "an id" else ("",))}
    found = {address: portal.client.get(address).status_code for address in sorted(addresses)}
    assert not {address[:80]: status for address, status in found.items() if status >= 500}
    assert len(found) > 10
