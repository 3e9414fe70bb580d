"""JSON logs on stderr, one object a line: time, level, logger, message and the fields given as `extra`.

No exception text is ever written, because an exception may quote what a person typed: an error's type and the place
it was raised in are enough to find it. Loggers of libraries that quote message bodies are silenced by `shared.bus`.
"""

import json
import logging
import sys
import threading
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonFormatter(logging.Formatter):
    """One JSON object a record, in a fixed order."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self.process = process

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON; of an exception only its type and place."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": self.process,
            "logger": record.name,
            "message": _message(record),
        }
        more = {key: value for key, value in vars(record).items() if key not in _STANDARD and key not in line}
        line.update(more)
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            line["at"] = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
        return json.dumps(line, ensure_ascii=False, default=lambda value: str(_named(value)))


def _message(record: logging.LogRecord) -> str:
    args = record.args
    if isinstance(args, Mapping):
        args = {key: _named(value) for key, value in args.items()}
    elif args:
        args = tuple(map(_named, args))
    message = str(_named(record.msg))
    return message % args if args else message


def _named(value: object) -> object:
    """The type's name in place of an exception."""
    return type(value).__name__ if isinstance(value, BaseException) else value


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    logging.getLogger("polku").critical("uncaught", exc_info=(kind, error, trace) if error else True)


def setup_logging(process: str, level: int = logging.INFO) -> None:
    """Send this process's logs to stderr as JSON; warnings of the standard library included."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(process))
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(level)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # else a record that cannot be written is shown with its arguments
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    for noisy in ("alembic", "werkzeug", "waitress", "amqp", "kombu", "sqlalchemy"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
