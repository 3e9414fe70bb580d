"""What the portal is given by the process that runs it; making none of it, it knows no bus and no clock."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar

from sqlalchemy import Engine

from services.portal.logos import Pictures, nobodys
from services.portal.passwords import Hasher

T = TypeVar("T")

HomeRole = Literal["lead", "node"]


class Rpc(Protocol):
    """Calls a method of a service and returns its JSON answer; raises `PolkuError` subclasses."""

    def call(self, service: str, method: str, /, *, timeout: float = ..., **kwargs: Any) -> Any: ...


class Blocking(Protocol):
    """Runs work that would hold up every other request: in eventlet's tpool, or directly where threads are real."""

    def __call__(self, work: Callable[[], T], /) -> T: ...


def directly(work: Callable[[], T], /) -> T:
    """The `Blocking` of a process with real threads: argon2 releases the interpreter lock by itself."""
    return work()


@dataclass(frozen=True)
class PortalContext:
    """Everything `create_app` needs."""

    role: HomeRole
    """The home's role: which pages there are."""
    title: str
    """The organisation's name, shown on every page."""
    engine: Engine
    """The home's database; the portal touches its own tables only."""
    rpc: Rpc
    blocking: Blocking
    now: Callable[[], datetime]
    """The time, aware UTC."""
    secure: bool
    """True when browsers reach the portal by https; False only on loopback."""
    hasher: Hasher = field(default_factory=Hasher)
    page_size: int = 50
    """Rows of a list on one page, at most 100."""
    bus_key: Callable[[], bytes | None] = lambda: None
    """The public half of intake's newest bus key, to seal free text to; a lead's home has none."""
    pictures: Pictures = nobodys
    """The partners' logos of this home."""
