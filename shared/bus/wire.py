"""What our messages look like, and what is no message of ours.

Everything is JSON in UTF-8, content type ``application/json``, never compressed. Bodies are decoded here, from the raw
bytes: kombu's own consumer would inflate them, trust type names in them and write them to the log when it fails.

=========  ============================================  ==============================================================
message    goes to                                       body
=========  ============================================  ==============================================================
request    direct exchange ``polku-rpc``, key = service  ``{"method": "…", "kwargs": {…}}``
reply      default exchange, key = ``reply_to``          ``{"result": …}`` or ``{"error": {"code": …, "params": {…}}}``
wake-up    fanout exchange ``journal``                   ``{"pos": n}``
=========  ============================================  ==============================================================
"""

import json
from typing import Any

import amqp

from shared.bus.metrics import rejected_total

RPC_EXCHANGE = "polku-rpc"
JOURNAL_EXCHANGE = "journal"
CONTENT_TYPE = "application/json"

MAX_BODY = 8 * 1024 * 1024
"""Bytes. A command of 500 items is far below; the lead's largest answer too."""

MAX_WAKEUP = 64
"""Bytes."""


class NotOurs(Exception):
    """The bytes are no message of ours. `reason` is one of a few fixed words, never anything from the message."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def encode(body: dict[str, Any]) -> bytes:
    """JSON bytes of `body`. Raises TypeError or ValueError if it holds anything that JSON has not."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def decode(message: amqp.Message, limit: int = MAX_BODY) -> dict[str, Any]:
    """The JSON object in `message`. Raises `NotOurs`."""
    properties = message.properties
    if properties.get("content_type") != CONTENT_TYPE:
        raise NotOurs("content_type")
    if (properties.get("application_headers") or {}).get("compression"):
        raise NotOurs("compressed")
    if len(message.body) > limit:
        raise NotOurs("too_large")
    try:
        body = json.loads(bytes(message.body).decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError, TypeError):
        raise NotOurs("not_json") from None
    if not isinstance(body, dict):
        raise NotOurs("envelope")
    return body


def request_of(message: amqp.Message) -> tuple[str, dict[str, Any]]:
    """Method and keyword arguments of a request. Raises `NotOurs`."""
    body = decode(message)
    method, kwargs = body.get("method"), body.get("kwargs")
    addressed = message.properties.get("reply_to") and message.properties.get("correlation_id")
    if not addressed or not isinstance(method, str) or not isinstance(kwargs, dict):
        raise NotOurs("envelope")
    return method, kwargs


def wakeup_of(message: amqp.Message) -> int:
    """The position in a wake-up. Raises `NotOurs`."""
    pos = decode(message, MAX_WAKEUP).get("pos")
    if type(pos) is not int or pos < 0:
        raise NotOurs("envelope")
    return pos


def reject(where: str, error: NotOurs) -> None:
    """Count what is no message of ours; its content goes nowhere."""
    rejected_total.labels(where, error.reason).inc()


def rpc_queue(service: str) -> str:
    """The queue that all processes of `service` share."""
    return f"rpc-{service}"


def declare_exchanges(channel: Any) -> None:
    """Both exchanges, durable; whoever connects first makes them."""
    channel.exchange_declare(exchange=RPC_EXCHANGE, type="direct", durable=True, auto_delete=False)
    channel.exchange_declare(exchange=JOURNAL_EXCHANGE, type="fanout", durable=True, auto_delete=False)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
