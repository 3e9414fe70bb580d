"""JSON logs on stderr, one object a line: time, level, logger, message and the fields given as `extra`.

No exception text is ever written, because an exception may quote what a person typed: an error's type and the place
it was raised in are enough to find it. Loggers of libraries that quote message bodies are silenced by `shared.bus`.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

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
            "message": record.getMessage(),
        }
        line.update({key: value for key, value in vars(record).items() if key not in _STANDARD})
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            line["at"] = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
        return json.dumps(line, ensure_ascii=False, default=str)


def setup_logging(process: str, level: int = logging.INFO) -> None:
    """Send this process's logs to stderr as JSON; warnings of the standard library included."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(process))
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(level)
    logging.captureWarnings(True)
    for noisy in ("alembic", "werkzeug", "waitress", "amqp", "kombu", "sqlalchemy"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
