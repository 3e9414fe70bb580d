"""What a service class is made of: ``@rpc``, ``@timer``, ``@subscribes`` and `JournalFollower`.

Wiring is shown in this folder's README.
"""

import inspect
import threading
from collections.abc import Callable, Mapping
from functools import partial
from time import monotonic
from typing import Any, Protocol, TypeVar

import amqp
import eventlet
from nameko.constants import AMQP_URI_CONFIG_KEY
from nameko.containers import WorkerContext
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import DependencyProvider, Entrypoint, SharedExtension
from nameko.timer import Timer

from shared.bus.containers import report_worker
from shared.bus.link import Link, LinkDown
from shared.bus.metrics import (
    follow_failures_total,
    replies_unclaimed_total,
    rpc_requests_total,
    rpc_seconds,
    wakeups_total,
)
from shared.bus.quiet import report_failure
from shared.bus.wire import (
    JOURNAL_EXCHANGE,
    RPC_EXCHANGE,
    NotOurs,
    encode,
    reject,
    request_of,
    rpc_queue,
    wakeup_of,
)
from shared.contracts.errors import InternalError, InvalidInput, PolkuError, UnknownMethod

__all__ = ["JournalFollower", "SuppliesDrain", "rpc", "subscribes", "subscriptions", "timer"]

START_SECONDS = 30
"""How long a starting service waits for the bus; afterwards it waits for ever, but at the start a person looks on."""

REPLY_SECONDS = 5
"""How long a finished worker waits for a lost connection to come back before it gives its reply up."""

FOLLOW_SECONDS = 5.0
"""The journal is looked at so often even without a wake-up."""

GATHER_SECONDS = 0.1
"""And no oftener than this, however many wake-ups come: a look costs as much for ten lines as for one."""

Method = TypeVar("Method", bound=Callable[..., Any])


class BusUnreachable(RuntimeError):
    """The bus could not be reached within `START_SECONDS`. The text holds no password."""


class BusLink(SharedExtension):
    """The one bus connection of a service: its RPC queue, its replies, its wake-ups."""

    def __init__(self) -> None:
        self._setups: list[Callable[[Any], None]] = []

    def setup(self) -> None:
        self.link = Link(
            self.container.config[AMQP_URI_CONFIG_KEY],
            self.container.service_name,
            on_connected=self._connected,
            on_returned=lambda _message: replies_unclaimed_total.labels("service").inc(),
        )

    def at_connection(self, setup: Callable[[Any], None]) -> None:
        """Have `setup(channel)` called at every new connection. Call this before the container starts."""
        self._setups.append(setup)

    def start(self) -> None:
        self.link.start()
        if not self.link.wait_ready(START_SECONDS):
            raise BusUnreachable(f"the bus cannot be reached: {self.link.last_error}")

    def stop(self) -> None:
        self.link.close()

    kill = stop

    def _connected(self, channel: Any) -> None:
        for setup in self._setups:
            setup(channel)


class RpcServer(SharedExtension):
    """Takes a service's requests, starts their workers and sends the replies.

    The queue is durable (RabbitMQ 4.3 denies transient queues that are shared) and auto-delete: when the last process
    of the service goes, so does the queue, and callers learn at once that the service is absent. A request is acked
    after its reply; if the process dies before, another process of the service gets it.
    """

    bus = BusLink()

    def __init__(self) -> None:
        self._methods: dict[str, Rpc] = {}
        self._stopping = False

    def setup(self) -> None:
        self.service = self.container.service_name
        self._tag = f"rpc-{self.service}"
        self.bus.at_connection(self._consume)

    def add(self, entrypoint: "Rpc") -> None:
        """Answer requests for `entrypoint`'s method."""
        self._methods[entrypoint.method_name] = entrypoint
        # To Prometheus the first increment of a series that appears with it is no increase.
        rpc_requests_total.labels(self.container.service_name, entrypoint.method_name, "failed")

    def stop_taking(self) -> None:
        """Take no further requests; those taken are finished and answered."""
        if not self._stopping:
            self._stopping = True
            self.bus.link.cancel(self._tag)

    def _consume(self, channel: Any) -> None:
        if self._stopping:
            return
        queue = rpc_queue(self.service)
        channel.queue_declare(queue=queue, durable=True, exclusive=False, auto_delete=True)
        channel.queue_bind(queue=queue, exchange=RPC_EXCHANGE, routing_key=self.service)
        channel.basic_qos(0, self.container.max_workers, False)
        channel.basic_consume(queue=queue, consumer_tag=self._tag, callback=self._take)

    def _take(self, message: amqp.Message) -> None:
        try:
            method, kwargs = request_of(message)
        except NotOurs as error:
            reject("rpc", error)
            self.bus.link.settle(message)
            return
        entrypoint = self._methods.get(method)
        try:
            if entrypoint is None:
                raise UnknownMethod(service=self.service, method=method if method.isidentifier() else "?")
            entrypoint.check(kwargs)
        except PolkuError as error:
            rpc_requests_total.labels(self.service, "?" if entrypoint is None else method, "refused").inc()
            # Replying may wait for a connection, and the reader, who runs this, is the one who makes it.
            eventlet.spawn_n(self._answer, message, {"error": error.to_wire()})
            return
        try:
            self.container.spawn_worker(
                entrypoint, (), kwargs, handle_result=partial(self._finished, message, monotonic())
            )
        except ContainerBeingKilled:
            self.bus.link.settle(message, requeue=True)

    def _finished(
        self, message: amqp.Message, started: float, worker_ctx: WorkerContext, result: Any, exc_info: Any
    ) -> tuple[Any, Any]:
        method = worker_ctx.entrypoint.method_name
        reply, outcome = b"", "ok"
        error = exc_info[1] if exc_info is not None else None
        if error is None:
            try:
                reply = encode({"result": result})
            except (TypeError, ValueError, RecursionError) as unfit:
                error = unfit
        if error is not None:
            outcome = "refused" if isinstance(error, PolkuError) else "failed"
            reference = report_worker(worker_ctx, error)
            if not isinstance(error, PolkuError):
                error = InternalError(service=self.service, method=method, reference=reference)
            reply = encode({"error": error.to_wire()})
        rpc_requests_total.labels(self.service, method, outcome).inc()
        rpc_seconds.labels(self.service, method).observe(monotonic() - started)
        self._reply(message, reply)
        return result, exc_info

    def _answer(self, message: amqp.Message, body: dict[str, Any]) -> None:
        self._reply(message, encode(body))

    def _reply(self, message: amqp.Message, body: bytes) -> None:
        try:
            self.bus.link.publish(
                body,
                exchange="",
                routing_key=message.properties["reply_to"],
                correlation_id=message.properties["correlation_id"],
                deadline=monotonic() + REPLY_SECONDS,
                mandatory=True,
            )
        except LinkDown:
            replies_unclaimed_total.labels("service").inc()
        self.bus.link.settle(message)


class Rpc(Entrypoint):
    """``@rpc``: the method may be called by name over the bus, with keyword arguments that are JSON values.

    It answers with a JSON value. A `PolkuError` reaches the caller as itself; anything else as `InternalError` with a
    reference, under which the log holds the exception's type and place.
    """

    server = RpcServer()
    reports_failures = True

    def setup(self) -> None:
        self.server.add(self)
        signature = inspect.signature(getattr(self.container.service_cls, self.method_name))
        self._signature = signature.replace(parameters=list(signature.parameters.values())[1:])

    def check(self, kwargs: dict[str, Any]) -> None:
        """Raise `InvalidInput` if the method does not take these arguments."""
        try:
            self._signature.bind(**kwargs)
        except TypeError:
            reason = f"{self.container.service_name}.{self.method_name} takes {self._signature}"
            raise InvalidInput(field="arguments", reason=reason) from None

    def stop(self) -> None:
        self.server.stop_taking()


rpc: Callable[[Method], Method] = Rpc.decorator
timer: Callable[..., Callable[[Method], Method]] = Timer.decorator


def subscribes(fact: type) -> Callable[[Method], Method]:
    """Mark a method as the handler of `fact`: ``method.__subscribes__ = fact``. `JournalFollower` finds it."""

    def mark(method: Method) -> Method:
        method.__subscribes__ = fact  # type: ignore[attr-defined]
        return method

    return mark


def subscriptions(service: object) -> dict[type, Callable[..., Any]]:
    """The handlers of `service` (an instance or a class) by fact class. Raises TypeError if two hear the same fact."""
    found: dict[type, Callable[..., Any]] = {}
    for name, method in inspect.getmembers(service, callable):
        fact = getattr(method, "__subscribes__", None)
        if fact is None:
            continue
        if fact in found:
            raise TypeError(f"{name}: {fact.__name__} has a handler in this service already")
        found[fact] = method
    return found


class SuppliesDrain(Protocol):
    """What the dependency named in `JournalFollower(…)` must offer."""

    def drain_for(self, handlers: Mapping[type, Callable[..., Any]]) -> Callable[[], bool]:
        """A function that takes one step through the journal; False when there is nothing more to do now."""


class JournalFollower(DependencyProvider):
    """Follows the journal for its service: at the start, on a wake-up, and every `FOLLOW_SECONDS`.

    ``follower = JournalFollower("home")`` as a class attribute; "home" names the `DependencyProvider` (a class
    attribute of the same service) that is asked once for the step to take, see `SuppliesDrain`. The handlers it is
    given are the ``@subscribes`` methods, bound to one instance of the service that has its dependencies. A step that
    raises is reported without its text and tried again at the next round. One step runs at a time.

    The dependency itself, in workers, is this object: ``self.follower.look_now()``.
    """

    bus = BusLink()

    def __init__(self, supplier: str) -> None:
        self.supplier = supplier
        self.method_name = "follow"  # nameko names a worker by its entrypoint's method
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._started = False

    def setup(self) -> None:
        self.bus.at_connection(self._consume)

    def start(self) -> None:
        self._started = True
        self.container.spawn_managed_thread(self._follow, identifier="journal follower")

    def stop_following(self) -> None:
        """End after the step under way."""
        self._stopping.set()
        self._wake.set()
        if self._started:
            self._ended.wait()

    stop = stop_following

    def kill(self) -> None:
        self._stopping.set()
        self._wake.set()

    def get_dependency(self, worker_ctx: WorkerContext) -> "JournalFollower":
        return self

    def look_now(self) -> None:
        """Have the journal looked at without waiting for a wake-up."""
        self._wake.set()

    def _consume(self, channel: Any) -> None:
        # One process, one queue. A wake-up says nothing but "look", so one waiting is as good as a thousand: the older
        # are dropped, and no flood can grow. RabbitMQ names the queue.
        queue = channel.queue_declare(
            queue="", durable=False, exclusive=True, auto_delete=True, arguments={"x-max-length": 1}
        ).queue
        channel.queue_bind(queue=queue, exchange=JOURNAL_EXCHANGE)
        channel.basic_qos(0, 1, False)
        channel.basic_consume(queue=queue, callback=self._woken)
        self._wake.set()  # what was sent while there was no connection is lost

    def _woken(self, message: amqp.Message) -> None:
        try:
            wakeup_of(message)
            wakeups_total.labels("received").inc()
        except NotOurs as error:
            reject("journal", error)
        # Looked at in any case: what is no wake-up may have pushed one out of the queue.
        self._wake.set()
        self.bus.link.settle(message)

    def _follow(self) -> None:
        try:
            drain: Callable[[], bool] | None = None
            while not self._stopping.is_set():
                self._wake.clear()
                looked = monotonic()
                try:
                    drain = drain or self._supplied()
                    while not self._stopping.is_set() and drain():
                        eventlet.sleep(0)  # SQLite does not yield: others of the process get their turn here
                except (Exception, eventlet.Timeout) as error:
                    follow_failures_total.labels(self.container.service_name).inc()
                    report_failure(f"following of {self.container.service_name}", error)
                self._wake.wait(FOLLOW_SECONDS)
                self._stopping.wait(max(looked + GATHER_SECONDS - monotonic(), 0))
        finally:
            self._ended.set()

    def _supplied(self) -> Callable[[], bool]:
        providers: dict[str, Any] = {dependency.attr_name: dependency for dependency in self.container.dependencies}
        service = self.container.service_cls()
        context = WorkerContext(self.container, service, self)
        for name, provider in providers.items():
            setattr(service, name, provider.get_dependency(context))
        supplier: SuppliesDrain = providers[self.supplier]
        return supplier.drain_for(subscriptions(service))
