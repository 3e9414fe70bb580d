"""Nothing that kombu, py-amqp, nameko or eventlet has to say reaches a log in its own words.

These libraries log message bodies (kombu when it cannot decode one, nameko at debug level) and the text of a worker's
exception (nameko). So of what they log only the fact is kept: which logger, where in its code, which type of exception.
Levels below warning are dropped.
"""

import logging
import os
import secrets
import traceback
from types import TracebackType
from typing import Any

LIBRARIES = ("nameko", "kombu", "amqp", "eventlet")

log = logging.getLogger(__name__)
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep


def place(trace: TracebackType | None) -> str:
    """Where an exception was raised: ``file:line``, in our own code if any of it took part."""
    frames = traceback.extract_tb(trace)
    ours = [frame for frame in frames if frame.filename.startswith(_ROOT) and "site-packages" not in frame.filename]
    if not frames:
        return "?"
    frame = (ours or frames)[-1]
    return f"{frame.filename.removeprefix(_ROOT)}:{frame.lineno}"


def report_failure(what: str, error: BaseException) -> str:
    """Log that `what` failed, without the exception's text or arguments; return the reference that the line holds."""
    reference = secrets.token_hex(4)
    where = place(error.__traceback__)
    log.error("%s failed: %s at %s, reference %s", what, type(error).__name__, where, reference)
    return reference


def install() -> None:
    """Take the words out of the libraries' log records; harmless to repeat.

    Done where records are made, so no handler, wherever it is attached, can see more.
    """
    previous = logging.getLogRecordFactory()
    if getattr(previous, "wordless", False):
        return

    def make(
        name: str, level: int, path: str, line: int, msg: object, args: Any, exc_info: Any, *rest: Any, **more: Any
    ) -> logging.LogRecord:
        if name.partition(".")[0] not in LIBRARIES:
            return previous(name, level, path, line, msg, args, exc_info, *rest, **more)
        raised = ""
        if exc_info and exc_info[0] is not None:
            raised = f" ({exc_info[0].__name__} at {place(exc_info[2])})"
        words = f"{name} has something to say at {os.path.basename(path)}:{line}{raised}"
        return previous(name, level, path, line, words, (), None, rest[0] if rest else None)

    make.wordless = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(make)
    for library in LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)
