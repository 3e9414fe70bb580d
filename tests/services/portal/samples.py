"""A portal with the fakes around it, and one browser."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from services.portal import store
from services.portal.app import create_app
from services.portal.context import HomeRole, PortalContext, directly
from services.portal.passwords import Hasher
from services.portal.users import add_user
from shared.storage import metadata, open_engine
from tests.services.portal.documents import START
from tests.services.portal.fake_rpc import BUS_PRIVATE, FakeRpc

PASSWORD = "kolme pientä porsasta"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
CHEAP = Hasher(memory_kib=8, passes=1)


@dataclass
class Clock:
    """A clock that is moved by hand."""

    time: datetime = START

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **span: float) -> None:
        """Let time pass."""
        self.time += timedelta(**span)


@dataclass
class Portal:
    """A portal with its fakes and one browser."""

    app: Flask
    client: FlaskClient
    engine: Engine
    rpc: FakeRpc
    clock: Clock
    context: PortalContext

    def add_user(self, name: str, *roles: str) -> str:
        """A new user; returns the one-time password."""
        return add_user(self.engine, name, roles, self.clock(), CHEAP, home_role=self.context.role)

    def form_token(self, path: str = "/login") -> str:
        """The token in the forms of a page."""
        html = self.client.get(path).get_data(as_text=True)
        return html.split('name="form_token" value="')[1].split('"')[0]

    def post(self, path: str, *, form: str = "/login", headers: dict[str, str] | None = None, **fields: Any) -> Any:
        """Send a form as a browser does, with the token of the page `form`; a list is a field several times."""
        data = {"form_token": self.form_token(form)} | fields
        return self.client.post(path, data=data, headers=SAME_ORIGIN if headers is None else headers)

    def log_in(self, name: str, password: str = PASSWORD) -> Any:
        """Send the login form."""
        return self.post("/login", name=name, password=password)

    def user_logged_in(self, name: str, *roles: str, password: str = PASSWORD) -> None:
        """A user who has changed the one-time password and is logged in."""
        first = self.add_user(name, *roles)
        assert self.log_in(name, first).status_code == 303
        changed = self.post("/password", form="/password", old=first, new=password, again=password)
        assert changed.status_code == 303, changed.get_data(as_text=True)


def make_portal(
    database: str, role: HomeRole = "lead", *, secure: bool = False, title: str = "Leader-yhdistys"
) -> Portal:
    """A portal with its tables only, on a new SQLite file or the database at a URL."""
    engine = open_engine(database if "://" in database else f"sqlite:///{database}")
    metadata.create_all(engine, tables=store.TABLES)
    rpc, clock = FakeRpc(), Clock()
    context = PortalContext(
        role=role,
        title=title,
        engine=engine,
        rpc=rpc,
        blocking=directly,
        now=clock,
        secure=secure,
        hasher=CHEAP,
        page_size=50,
        bus_key=lambda: BUS_PRIVATE.public_key().public_bytes_raw() if role == "node" else None,
    )
    app = create_app(context)
    return Portal(app, app.test_client(), engine, rpc, clock, context)
