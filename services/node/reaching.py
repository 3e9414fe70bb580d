"""How the command line reaches a home's services: those that run, or the home opened for one command."""

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager

from services.node.children import Child
from services.node.control import ControlClient, Rpc, connect
from services.node.errors import ServicesDoNotStart
from services.node.opening import locked
from shared.bus.client import RpcClient
from shared.contracts.errors import HomeInUse
from shared.ops.settings import Home

OPENING_SECONDS = 60.0
STARTING_SECONDS = 5.0
"""How long a home that somebody has opened may take to answer."""


@contextmanager
def services_of(home: Home) -> Iterator[Rpc]:
    """Call the home's services: on the bus in the full footing, else by the control socket; a home that does not run
    is opened for this command, without portal and courier."""
    if not home.embedded:
        with contextlib.closing(RpcClient(home.bus_url)) as client:
            yield client
        return
    running = _running(home)
    if running is not None:
        with contextlib.closing(running):
            yield running
        return
    child = Child(home.path, "up", "--private")
    try:
        deadline = time.monotonic() + OPENING_SECONDS
        while (opened := connect(home.socket)) is None:
            if child.ended() is not None or time.monotonic() > deadline:
                raise ServicesDoNotStart(home=str(home.path))
            time.sleep(0.05)
        with contextlib.closing(opened):
            yield opened
    finally:
        child.end()


def _running(home: Home) -> ControlClient | None:
    """A client of the home if somebody has opened it; one that is just starting is waited for.

    Raises `HomeInUse` if whoever works in it does not begin to answer.
    """
    deadline = time.monotonic() + STARTING_SECONDS
    while (client := connect(home.socket)) is None:
        try:
            with locked(home):
                return None
        except HomeInUse:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)
    return client
