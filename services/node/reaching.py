"""How the command line reaches a home's services: those that run, or the home opened for one command."""

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager

from services.node.children import Child
from services.node.control import Rpc, connect
from services.node.errors import ServicesDoNotStart
from services.node.opening import locked
from shared.bus.client import RpcClient
from shared.ops.settings import Home

OPENING_SECONDS = 60.0


@contextmanager
def services_of(home: Home) -> Iterator[Rpc]:
    """Call the home's services: on the bus in the full footing, else by the control socket; a home that does not run
    is opened for this command, without portal and courier."""
    if not home.embedded:
        with contextlib.closing(RpcClient(home.bus_url)) as client:
            yield client
        return
    running = connect(home.socket)
    if running is not None:
        with contextlib.closing(running):
            yield running
        return
    with locked(home):
        pass  # else somebody works in it and does not answer: say so before anything is started
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
