"""The ledger: what was attempted, answered and done to the system, in a file that no part of it knows.

One JSON object a line. An attempt is on the disk before it is made, so whatever a fault leaves behind is known.
"""

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Ledger:
    """Appends entries; `entry` returns when the line is on the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def entry(self, do: str, **members: Any) -> None:
        """Append one entry: what was done, and `at`, seconds since the beginning."""
        at = round(time.monotonic() - self._began, 3)
        line = json.dumps({"do": do, "at": at, **members}, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            os.write(self._file, line)
            os.fsync(self._file)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The entries, in order."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
