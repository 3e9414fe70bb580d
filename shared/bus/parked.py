"""The two RPC methods that every service which follows the journal has: the ways out for parked lines."""

from dataclasses import asdict
from typing import Any

from shared.bus.entrypoints import rpc
from shared.bus.home import HomeResource
from shared.contracts.commands import DropParked, RetryParked, load
from shared.journal import parked


class ParkedLines:
    """Put before a service class: ``class IntakeService(ParkedLines)``; the service has `home` and `follower`."""

    home: HomeResource

    @rpc
    def retry_parked(self, **command: Any) -> dict[str, Any]:
        body = load(RetryParked, command)
        done = parked.retry(self.home.follower, body["pos"], by=body["by"], now=self.home.now())
        return asdict(done) | {"pos": self.home.committed(done.pos)}

    @rpc
    def drop_parked(self, **command: Any) -> dict[str, Any]:
        body = load(DropParked, command)
        follower, reason = self.home.follower, body["reason"]
        return {"waiting": parked.drop(follower, body["pos"], reason=reason, by=body["by"], now=self.home.now())}
