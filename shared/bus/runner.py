"""Runs nameko services in this process; takes the place of nameko's command line.

The process must be monkey-patched before anything else is imported (``polku`` does), and psycopg told how to wait.
"""

import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any

import eventlet
import eventlet.event
import eventlet.hubs
from eventlet import patcher

from shared.bus import guard, quiet
from shared.bus.containers import SafeContainer

STOP_SECONDS = 8
"""With what is killed afterwards a process ends within 10 s, after which Docker and systemd lose patience."""
MAX_WORKERS = 10


class ServiceFailed(RuntimeError):
    """A service could not start or has died. The text is one line for people: which service, what, where."""

    def __init__(self, service: str, reason: str) -> None:
        super().__init__(f"the service {service} stopped: {reason}")


class Runner:
    """Hosts `services` (nameko service classes) on the bus at `url`; `config` is for their dependencies.

    ``start()``, then ``wait()`` until another greenlet calls ``stop()`` or a service dies. `config` is added to what
    the containers' extensions find in ``container.config``; `max_workers` bounds the requests that each service works
    on at once.
    """

    def __init__(
        self,
        services: Sequence[type],
        url: str,
        *,
        max_workers: int = MAX_WORKERS,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        assert_patched()
        quiet.install()
        quiet_hub()
        guard.install()
        settings: dict[str, Any] = {
            "AMQP_URI": url,
            "serializer": "json",
            "ACCEPT": ["json"],
            "heartbeat": 20,
            "max_workers": max_workers,
            **(config or {}),
        }
        self.containers = [SafeContainer(service, settings) for service in services]
        self._over: eventlet.event.Event = eventlet.event.Event()

    def start(self) -> None:
        """Start all services side by side. Raises `ServiceFailed`, and then nothing is left running."""
        starting = [(container, eventlet.spawn(container.start)) for container in self.containers]
        failed: ServiceFailed | None = None
        for container, thread in starting:
            try:
                thread.wait()
            except Exception as error:
                failed = failed or ServiceFailed(container.service_name, _reason(error))
        if failed is not None:
            self._kill()
            raise failed
        for container in self.containers:
            eventlet.spawn(self._watch, container)

    def wait(self) -> None:
        """Block until `stop` has ended. Raises `ServiceFailed` as soon as a service dies by itself."""
        self._over.wait()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Take no more requests, finish those under way, stop; whatever still runs after `seconds` is killed."""
        with eventlet.Timeout(seconds, False):
            for thread in [eventlet.spawn(container.stop) for container in self.containers]:
                thread.wait()
        self._kill()
        self._end(None)

    def _watch(self, container: SafeContainer) -> None:
        try:
            container.wait()
        except Exception as error:
            self._end(ServiceFailed(container.service_name, container.death or _reason(error)))

    def _end(self, failure: ServiceFailed | None) -> None:
        if not self._over.ready():
            if failure is None:
                self._over.send()
            else:
                self._over.send_exception(failure)

    def _kill(self) -> None:
        for container in self.containers:
            with eventlet.Timeout(2, False):
                container.kill()


def run(
    services: Sequence[type], url: str, *, config: Mapping[str, Any] | None = None, max_workers: int = MAX_WORKERS
) -> None:
    """Run `services` until SIGTERM or SIGINT. Raises `ServiceFailed`."""
    runner = Runner(services, url, config=config, max_workers=max_workers)
    stop_on_signals(runner)
    runner.start()
    runner.wait()


def stop_on_signals(runner: Runner) -> None:
    """Have SIGTERM and SIGINT stop `runner`."""
    # A handler interrupts whichever greenlet runs, and it does not end the hub's waiting. So it only writes a byte,
    # which wakes a greenlet that reads.
    told, tell = os.pipe()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: patcher.original("os").write(tell, b"."))
    eventlet.spawn(_stop_when_told, runner, told)


def _stop_when_told(runner: Runner, told: int) -> None:
    eventlet.hubs.trampoline(told, read=True)
    runner.stop()


def assert_patched() -> None:
    """Raise RuntimeError unless this process is fit for nameko and the database."""
    if not all(patcher.is_monkey_patched(module) for module in ("socket", "thread", "select", "time", "os")):
        raise RuntimeError("services need eventlet.monkey_patch() before any other import")
    if os.environ.get("PSYCOPG_WAIT_FUNC") != "wait_selector":
        raise RuntimeError("services need PSYCOPG_WAIT_FUNC=wait_selector before psycopg is imported")


def quiet_hub() -> None:
    """Have eventlet's hub report exceptions that nobody took as we do, instead of printing them with their text."""
    hub = eventlet.hubs.get_hub()
    hub.squelch_generic_exception = lambda exc_info: quiet.report_failure("a greenlet", exc_info[1])
    hub.squelch_timer_exception = lambda _timer, exc_info: quiet.report_failure("a greenlet", exc_info[1])


def _reason(error: BaseException) -> str:
    """An error in words that quote nothing: only our own start-up errors may speak for themselves."""
    from shared.bus.entrypoints import BusUnreachable
    from shared.contracts.errors import PolkuError

    if isinstance(error, BusUnreachable | PolkuError):
        return str(error)
    return f"{type(error).__name__} at {quiet.place(error.__traceback__)}"
