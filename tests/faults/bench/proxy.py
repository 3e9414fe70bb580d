"""A TCP proxy between a node and what it calls, for what a network does: nothing here knows what goes through."""

import enum
import random
import socket
import struct
import threading
import time
from contextlib import suppress

LATENCY_SECONDS = 5.0
"""More than a courier of the bench waits (`federation.PATIENCE_SECONDS`)."""
DRIP_BYTES, DRIP_SECONDS = 64, 0.05
TORN_AFTER = (200, 20_000)
"""Bytes from the node after which a connection is torn: in the middle of an item, more often than not."""


class Mode(enum.StrEnum):
    """What becomes of bytes and connections."""

    OPEN = "everything goes through"
    CUT = "connections are reset, new ones too"
    HALF_OPEN = "connections are taken, and nothing that is sent arrives"
    ONE_WAY = "what the node sends arrives, the answers do not"
    STALLED = "nothing moves, and goes on later"
    SLOW = "each piece arrives after the time-out of who waits for it"
    DRIP = "a few bytes at a time"
    TORN = "connections are reset in the middle of an item"


class Proxy:
    """Listens on `port` and passes on to `target`, another port of this machine."""

    def __init__(self, target: int, chance: random.Random) -> None:
        self._target, self._chance = target, chance
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._mode = Mode.OPEN
        self._changed = threading.Condition()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def set(self, mode: Mode) -> None:
        """From now on; connections that have lost something are reset when it is over."""
        lossy = {Mode.CUT, Mode.HALF_OPEN, Mode.ONE_WAY, Mode.TORN}
        with self._changed:
            before, self._mode = self._mode, mode
            pairs = list(self._pairs) if mode is Mode.CUT or before in lossy else []
            self._changed.notify_all()
        for pair in pairs:
            self._reset(pair)

    def close(self) -> None:
        """End it."""
        self.set(Mode.CUT)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                node, _ = self._listener.accept()
            except OSError:
                return
            try:
                self._connect(node)
            except OSError:
                _tear(node)

    def _connect(self, node: socket.socket) -> None:
        if self._mode is Mode.CUT:
            raise ConnectionResetError
        pair = (node, socket.create_connection(("127.0.0.1", self._target), 5))
        pair[1].settimeout(None)
        with self._changed:
            self._pairs.add(pair)
        for upward in (True, False):
            threading.Thread(target=self._pump, args=(pair, upward), daemon=True).start()

    def _pump(self, pair: tuple[socket.socket, socket.socket], upward: bool) -> None:
        source, sink = pair if upward else pair[::-1]
        left = self._chance.randint(*TORN_AFTER)
        with suppress(OSError):
            while data := source.recv(65536):
                with self._changed:
                    self._changed.wait_for(lambda: self._mode is not Mode.STALLED)
                    mode = self._mode
                if mode is Mode.HALF_OPEN or (mode is Mode.ONE_WAY and not upward):
                    continue
                if mode is Mode.TORN and upward:
                    if len(data) >= left:
                        sink.sendall(data[:left])
                        sink.shutdown(socket.SHUT_WR)  # it gets half an item; a reset could take that away again
                        _tear(source)
                        return
                    left -= len(data)
                self._pass_on(sink, data, mode)
        self._reset(pair)

    def _pass_on(self, sink: socket.socket, data: bytes, mode: Mode) -> None:
        if mode is Mode.SLOW:
            with self._changed:  # the fault's latency; over at once when the fault is
                self._changed.wait_for(lambda: self._mode is not Mode.SLOW, LATENCY_SECONDS)
        while mode is Mode.DRIP and data and self._mode is Mode.DRIP:
            sink.sendall(data[:DRIP_BYTES])
            data = data[DRIP_BYTES:]
            time.sleep(DRIP_SECONDS)  # the fault's pace
        sink.sendall(data)

    def _reset(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with self._changed:
            self._pairs.discard(pair)
        for end in pair:
            _tear(end)


def _tear(end: socket.socket) -> None:
    """RST, also while another thread waits for it."""
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    end.close()
