"""The RPC client: ``RpcClient(url).call("intake", "ping")``. Serves any number of threads or greenlets at once.

Requests and replies are not persistent and not confirmed. An absent service is known at once, because the broker
returns what it cannot route. A request expires in the queue when its caller stops waiting. When the connection
breaks, the calls under way end with `RpcTimeout`: whether they were carried out is not known, so commands carry an
idempotency key and may be repeated.
"""

import threading
import uuid
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import Any

import amqp

from shared.bus.link import Link, LinkDown
from shared.bus.metrics import replies_unclaimed_total, rpc_calls_total
from shared.bus.wire import RPC_EXCHANGE, NotOurs, decode, encode, reject
from shared.contracts.errors import InvalidInput, PolkuError, RpcTimeout, ServiceAbsent
from shared.storage import assert_outside_transaction


@dataclass(eq=False, slots=True)
class _Call:
    """A call under way. `reply` stays None if the connection broke."""

    done: threading.Event = field(default_factory=threading.Event)
    reply: dict[str, Any] | None = None
    absent: bool = False


class RpcClient:
    """Calls services by name. Connects at the first call, reconnects by itself, ends with `close`."""

    def __init__(self, url: str) -> None:
        self._link = Link(
            url, "rpc client", on_connected=self._connected, on_lost=self._lost, on_returned=self._returned
        )
        self._calls: dict[str, _Call] = {}
        self._ids = count(1)
        self._reply_to = ""

    def call(self, service: str, method: str, /, *, timeout: float = 10.0, **kwargs: Any) -> Any:
        """The result of `service`'s `method`, a JSON value.

        Raises the service's own `PolkuError`; `ServiceAbsent` at once; `RpcTimeout` after at most `timeout` seconds,
        connecting included; `InternalError` if the service failed; `InsideTransaction` inside a transaction;
        `InvalidInput` if a text of `kwargs` is none in UTF-8; TypeError or ValueError if they are no JSON values.
        """
        assert_outside_transaction("RPC call")
        try:
            result = self._call(service, method, timeout, _request(method, kwargs))
        except PolkuError as error:
            outcome = {ServiceAbsent: "absent", RpcTimeout: "timeout"}.get(type(error), "refused")
            rpc_calls_total.labels(service, outcome).inc()
            raise
        rpc_calls_total.labels(service, "ok").inc()
        return result

    def close(self) -> None:
        """Disconnect. Calls under way end with `RpcTimeout`."""
        self._link.close()
        self._lost()

    def _call(self, service: str, method: str, timeout: float, body: bytes) -> Any:
        started = monotonic()
        deadline = started + timeout
        self._link.start()
        key, call = str(next(self._ids)), _Call()
        self._calls[key] = call
        try:
            self._send(service, key, body, deadline)
            if not call.done.wait(max(deadline - monotonic(), 0.0)) or (call.reply is None and not call.absent):
                raise LinkDown
        except LinkDown:
            waited = min(timeout, monotonic() - started)
            raise RpcTimeout(service=service, method=method, seconds=f"{waited:.1f}") from None
        finally:
            self._calls.pop(key, None)
        if call.absent:
            raise ServiceAbsent(service=service)
        reply = call.reply or {}
        if reply.get("error") is not None:
            raise PolkuError.from_wire(reply["error"] if isinstance(reply["error"], dict) else {})
        return reply.get("result")

    def _send(self, service: str, key: str, body: bytes, deadline: float) -> None:
        """Publish; once more on a new connection if the old one turns out to be broken. Raises `LinkDown`."""
        while True:
            remaining = deadline - monotonic()
            if remaining <= 0 or not self._link.wait_ready(remaining):
                raise LinkDown
            try:
                return self._link.publish(
                    body,
                    exchange=RPC_EXCHANGE,
                    routing_key=service,
                    deadline=deadline,
                    mandatory=True,
                    reply_to=self._reply_to,
                    correlation_id=key,
                    expiration=str(max(int(remaining * 1000), 1)),
                )
            except LinkDown:
                continue

    def _connected(self, channel: Any) -> None:
        # A new name each time: a broker that has not yet noticed the loss would refuse us the old exclusive queue.
        queue = f"rpc.reply-{uuid.uuid4().hex}"
        channel.queue_declare(queue=queue, durable=False, exclusive=True, auto_delete=True)
        channel.basic_consume(queue=queue, no_ack=True, callback=self._replied)
        self._reply_to = queue

    def _replied(self, message: amqp.Message) -> None:
        try:
            reply = decode(message)
        except NotOurs as error:
            reject("reply", error)
            return
        call = self._calls.get(message.properties.get("correlation_id", ""))
        if call is None:
            replies_unclaimed_total.labels("caller").inc()
            return
        call.reply = reply
        call.done.set()

    def _returned(self, message: amqp.Message) -> None:
        call = self._calls.get(message.properties.get("correlation_id", ""))
        if call is not None:
            call.absent = True
            call.done.set()

    def _lost(self) -> None:
        for call in list(self._calls.values()):
            call.done.set()


def _request(method: str, kwargs: dict[str, Any]) -> bytes:
    """The request; raises `InvalidInput` naming the argument with half a character in it, as a word of a command line
    has that is no UTF-8."""
    try:
        return encode({"method": method, "kwargs": kwargs})
    except UnicodeEncodeError:
        pass
    for name, value in kwargs.items():
        try:
            encode({name: value})
        except UnicodeEncodeError:
            raise InvalidInput(field=name, reason="is no text in UTF-8") from None
    raise InvalidInput(field="arguments", reason="no text in UTF-8")
