"""Who works at a partner: records people, sessions and attendances through the services' own commands.

Before each call the ledger has the attempt. An answer that does not come, or that is no answer to the items, is
**ambiguous**: the same items with the same keys are sent again until an answer comes, as an import would.
"""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from services.node.control import ControlClient
from shared.contracts.errors import PolkuError
from shared.journal.crypto import load_keys
from shared.journal.sealed import seal_command
from tests.faults.bench import marks
from tests.faults.bench.federation import BY, Partner
from tests.faults.bench.ledger import Ledger

CALL_SECONDS = 8.0
PATIENCE_SECONDS = 300.0
"""How long the same items are sent again before the driver gives up: then the run has failed."""


@dataclass
class Driver:
    """Records `size` at one partner, each block when its turn has come."""

    site: Partner
    ledger: Ledger
    size: marks.Size
    pace: "Pace"
    subjects: list[str] = field(default_factory=list)
    calling: threading.Event = field(default_factory=threading.Event)
    ambiguous: int = 0
    blocks: int = 0
    failed: str = ""
    _client: ControlClient | None = None
    _after: int = 0

    def run(self) -> None:
        """Everything, from the first person to the last attendance; what goes wrong for good stands in `failed`."""
        try:
            self._people()
            for block in range(self.size.blocks):
                self.pace.wait(block)
                self._block(block)
                self.blocks = block + 1
        except Exception as error:
            self.failed = f"{self.site.partner}: {type(error).__name__}: {error}"
            self.ledger.entry("gave_up", partner=self.site.partner, why=self.failed)

    def erase(self, subject: str) -> None:
        """Have a person erased; again until it is answered."""
        self.ledger.entry("erase", partner=self.site.partner, subject=subject)
        asked = {"programme": marks.PROGRAMME, "subject": subject}
        again = Driver(self.site, self.ledger, self.size, self.pace)  # with a connection of its own
        again._until_answered("intake", "erase_person", **asked)
        self.ledger.entry("erased", partner=self.site.partner, subject=subject)

    def _people(self) -> None:
        key = load_keys(self.site.home.keys).newest("bus").public
        assert key is not None
        for first in range(0, self.size.people, 50):
            numbers = range(first, min(first + 50, self.size.people))
            items, named = [], []
            for number in numbers:
                sealed = seal_command(key, {"family_name": f"Penkki {number}"})
                day = marks.person_day(number).isoformat()
                known = {"key": marks.key_of(self.site.partner, f"p{number}"), "standing": "client", "start_date": day}
                items.append(known | {"sealed": sealed})
                named.append([f"p{number}"])
            for result in self._send("intake", "register_participants", items, named):
                self.subjects.append(result["subject"])

    def _block(self, block: int) -> None:
        """Four sessions and who was there."""
        numbers = range(block * marks.BLOCK, (block + 1) * marks.BLOCK)
        named = [marks.session_marks(number) for number in numbers]
        sessions = [marks.session_item(self.site.partner, number) for number in numbers]
        made = self._send("activities", "record_sessions", sessions, named)
        items, named, who = [], [], []
        for number, result in zip(numbers, made, strict=True):
            if marks.counts_heads(number):
                continue
            for place in range(marks.AT_A_SESSION):
                subject = self.subjects[(number * 7 + place) % len(self.subjects)]
                mark = f"a{number}.{place}"
                there = {"session": result["session"], "subject": subject, "minutes": place + 1}
                items.append({"key": marks.key_of(self.site.partner, mark), "role": "participant", **there})
                named.append([mark])
                who.append(subject)
        self._send("activities", "record_attendance", items, named, who)

    def _send(
        self,
        service: str,
        method: str,
        items: list[dict[str, Any]],
        named: list[list[str]],
        who: list[str] | None = None,
    ) -> list[dict[str, Any]]:
        """Send items until they are answered; the answer of each. One that was refused for good is in the ledger."""
        flat = [mark for of_one in named for mark in of_one]
        self.ledger.entry("attempt", partner=self.site.partner, marks=flat, **({"who": who} if who else {}))
        body = {"programme": marks.PROGRAMME, "after": self._after, "skip_bad": True, "items": items}
        answer = self._until_answered(service, method, **body)
        results: list[dict[str, Any]] = answer["results"]
        self._after = answer["pos"] or self._after
        refused = {named[i][0]: result["error"]["code"] for i, result in enumerate(results) if "error" in result}
        done = [mark for marks_, result in zip(named, results, strict=True) if "error" not in result for mark in marks_]
        said = {"marks": done, "refused": refused}
        if method == "register_participants":
            said["who"] = [result["subject"] for result in results if "error" not in result]
        self.ledger.entry("answer", partner=self.site.partner, pos=answer["pos"], **said)
        return results

    def _until_answered(self, service: str, method: str, **body: Any) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self._call(service, method, body)
            except (PolkuError, OSError, ValueError) as error:
                if time.monotonic() > deadline:
                    raise
                self._drop()
                self.ambiguous += 1
                why = error.code if isinstance(error, PolkuError) else type(error).__name__
                self.ledger.entry("ambiguous", partner=self.site.partner, method=method, why=why)
                time.sleep(0.2)  # the pause of somebody who tries again, no wait for an event

    def _call(self, service: str, method: str, body: dict[str, Any]) -> Any:
        if self._client is None:
            self._client = self.site.connected()
            if self._client is None:
                raise ConnectionRefusedError
        self.calling.set()
        try:
            return self._client.call(service, method, timeout=CALL_SECONDS, by=BY, **body)
        finally:
            self.calling.clear()

    def _drop(self) -> None:
        if self._client is not None:
            with suppress(OSError):  # what it had not sent goes nowhere
                self._client.close()
            self._client = None


class Pace:
    """Spreads the load over the faults: with fault i of n, i of the shares of n and some more may have been sent. What
    is left is for the last faults that need something to be recorded while they are on."""

    def __init__(self, faults: int, blocks: int) -> None:
        self._shares, self._blocks = faults + max(3, faults // 10), blocks
        self._begun = 0
        self._turn = threading.Condition()

    def begin(self, fault: int) -> None:
        """Fault number `fault`, from 1, begins."""
        with self._turn:
            self._begun = max(self._begun, fault)
            self._turn.notify_all()

    def free(self) -> None:
        """All may go."""
        self.begin(self._shares)

    def more(self) -> None:
        """A fault needs something to be recorded while it is on: the next block may go."""
        with self._turn:
            self._begun += -(-self._shares // max(self._blocks, 1))
            self._turn.notify_all()

    def wait(self, block: int) -> None:
        """Wait until it is the turn of `block`."""
        with self._turn:
            self._turn.wait_for(lambda: block * self._shares < self._begun * self._blocks)
