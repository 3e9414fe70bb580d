"""Commands as pages and imports send them, to the services of a running node: single items, by their own clock."""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shared.bus.client import RpcClient
from shared.journal.crypto import load_keys
from shared.journal.sealed import seal_command
from shared.journal.unit import last_position
from shared.ops.settings import load_home
from shared.storage import open_engine, snapshot
from tests.flows.full import FullSite
from tests.flows.kit import PROGRAMME
from tests.services.kit import key_of

SENDERS = 16
ACTIVITY = "kaapeli"
DAY = "2016-03-01"


@dataclass
class Commander:
    """Sends commands to one node. `results` are milliseconds from when a command was due to its answer."""

    site: FullSite
    results: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client = RpcClient(self.site.environment["POLKU_BUS_URL"])
        bus_key = load_keys(load_home(self.site.path).keys).newest("bus").public
        assert bus_key is not None
        self._bus_key = bus_key
        engine = open_engine(self.site.environment_of("owner")["POLKU_DATABASE_URL"])
        with snapshot(engine) as connection:
            self.begun = last_position(connection)  # the programme is in use from here on
        engine.dispose()

    def call(self, service: str, method: str, item: dict[str, Any], after: int = 0) -> dict[str, Any]:
        """One command with one item; its result with the position as `pos`."""
        answer = self.client.call(
            service, method, by="cli:bench", programme=PROGRAMME, items=[item], after=after, timeout=30
        )
        return {**answer["results"][0], "pos": answer["pos"]}

    def register(self, name: str, after: int = 0) -> dict[str, Any]:
        """A client; the activity asks that at least."""
        sealed = seal_command(self._bus_key, {"given_name": name})
        item = {"key": key_of(name), "sealed": sealed, "standing": "client"}
        return self.call("intake", "register_participants", item, after)

    def hold(self, name: str, minutes: int = 60, after: int = 0) -> dict[str, Any]:
        """A session."""
        item = {"key": key_of(name), "activity": ACTIVITY, "date": DAY, "minutes": minutes}
        return self.call("activities", "record_sessions", item, after)

    def attend(self, name: str, session: str, subject: str, after: int = 0) -> dict[str, Any]:
        """An attendance."""
        item = {"key": key_of(name), "session": session, "subject": subject, "role": "participant"}
        return self.call("activities", "record_attendance", item, after)

    def run(self, rate: float, seconds: float, command: Callable[[int], dict[str, Any]]) -> None:
        """`command(n)` `rate` times a second for so long, whether or not earlier ones have been answered.

        What is measured begins when a command was due, not when a sender was free for it.
        """
        due: queue.Queue[tuple[int, float] | None] = queue.Queue()

        def send() -> None:
            while (item := due.get()) is not None:
                number, at = item
                try:
                    answer = command(number)
                except Exception as error:
                    self.errors.append(type(error).__name__)
                else:
                    if "error" in answer:
                        self.errors.append(answer["error"]["code"])
                    self.results.append((time.monotonic() - at) * 1000)

        senders = [threading.Thread(target=send, daemon=True) for _ in range(SENDERS)]
        for sender in senders:
            sender.start()
        began, pause = time.monotonic(), threading.Event()
        for number in range(int(rate * seconds)):
            at = began + number / rate
            pause.wait(max(at - time.monotonic(), 0))
            due.put((number, at))
        for _ in senders:
            due.put(None)
        for sender in senders:
            sender.join(60)

    def close(self) -> None:
        """Disconnect."""
        self.client.close()
