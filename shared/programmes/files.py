"""Where the programme files of this distribution are: `deploy/programmes/KEY.yaml`."""

import re
from pathlib import Path

from shared.contracts.errors import NotFound

DIRECTORY = Path(__file__).resolve().parents[2] / "deploy" / "programmes"


def programme_file(key: str) -> Path:
    """The file of the programme `key`; raises `NotFound`."""
    path = DIRECTORY / f"{key}.yaml"
    if not re.fullmatch(r"[a-z0-9-]{1,40}", key) or not path.is_file():
        raise NotFound(what=f"programme file as {key[:40]!r}")
    return path
