"""`HOME/control.sock`: how the command line reaches a running home. One JSON object a line, request and answer.

Request ``{"service", "method", "kwargs", "timeout"}``, answer ``{"result"}`` or ``{"error"}``: the RPC of the
bus. Who can write the home may do this; the socket's mode is 0600.
"""

import contextlib
import json
import os
import socket
import threading
from pathlib import Path
from typing import Any, Protocol

from shared.contracts.errors import HomeInUse, InvalidInput, PolkuError, RpcTimeout

MAX_REQUEST = 8 * 1024 * 1024
MAX_SECONDS = 3600


class Rpc(Protocol):
    """Whoever can call a service: the bus's client, or this module's."""

    def call(self, service: str, method: str, /, *, timeout: float = 10.0, **kwargs: Any) -> Any:
        """The result of `service`'s `method`; raises `PolkuError`."""


class ControlServer:
    """Answers on the home's control socket by calling `rpc`; one thread (greenlet) a connection."""

    def __init__(self, path: Path, rpc: Rpc) -> None:
        self._rpc = rpc
        path.unlink(missing_ok=True)  # left by a home that was killed; whoever holds the lock may remove it
        self._socket = socket.socket(socket.AF_UNIX)
        mask = os.umask(0o177)
        try:
            with _short(path) as address:
                self._socket.bind(address)
        finally:
            os.umask(mask)
        self._socket.listen(16)

    def start(self) -> None:
        """Begin to answer."""
        threading.Thread(target=self._accept, name="control", daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            threading.Thread(target=self._serve, args=(connection,), name="control client", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        # Who went away before the answer came is no failure of the home.
        with contextlib.suppress(OSError), connection, connection.makefile("rwb") as stream:
            while request := stream.readline(MAX_REQUEST):
                try:
                    answer = {"result": self._answer(request)}
                except PolkuError as error:
                    answer = {"error": error.to_wire()}
                stream.write(json.dumps(answer).encode() + b"\n")
                stream.flush()

    def _answer(self, request: bytes) -> Any:
        try:
            data = json.loads(request, parse_constant=_refuse)
            service, method, timeout = str(data["service"]), str(data["method"]), float(data["timeout"])
            kwargs = dict(data["kwargs"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise InvalidInput(field="request", reason="not a request") from None
        if not 0 < timeout <= MAX_SECONDS or "timeout" in kwargs:
            raise InvalidInput(field="timeout", reason=f"not a number up to {MAX_SECONDS}, given once")
        return self._rpc.call(service, method, timeout=timeout, **kwargs)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


class ControlClient:
    """Calls the services of a running home through its control socket."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        with _short(path) as address:
            self._socket.connect(address)
        self._stream = self._socket.makefile("rwb")

    def call(self, service: str, method: str, /, *, timeout: float = 10.0, **kwargs: Any) -> Any:
        """The result of `service`'s `method`; raises its `PolkuError`, or `RpcTimeout` if the home went away."""
        request = {"service": service, "method": method, "kwargs": kwargs, "timeout": timeout}
        self._socket.settimeout(timeout + 5)
        try:
            self._stream.write(json.dumps(request).encode() + b"\n")
            self._stream.flush()
            line = self._stream.readline()
        except OSError:
            line = b""
        if not line.endswith(b"\n"):
            raise RpcTimeout(service=service, method=method, seconds=int(timeout))
        answer = json.loads(line)
        if "error" in answer:
            raise PolkuError.from_wire(answer["error"])
        return answer["result"]

    def close(self) -> None:
        """Disconnect."""
        self._stream.close()
        self._socket.close()


class _short:
    """A socket's address: the path itself, or through /proc where it is over the 107 bytes that sockets allow."""

    def __init__(self, path: Path) -> None:
        self._path, self._directory = path, -1

    def __enter__(self) -> str:
        if len(os.fsencode(self._path)) < 100:
            return str(self._path)
        self._directory = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._directory}/{self._path.name}"

    def __exit__(self, *_: object) -> None:
        if self._directory >= 0:
            os.close(self._directory)


def connect(path: Path) -> ControlClient | None:
    """A client of the home that runs here, or None if none does."""
    try:
        return ControlClient(path)
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except OSError as error:
        raise HomeInUse() from error
