"""The uplink URL in home.toml and in invites: which carrier, and where."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from shared.contracts.errors import HomeUnusable


def folder_of(uplink: str) -> Path:
    """The folder of a ``file:`` uplink."""
    parts = urlsplit(uplink)
    if parts.scheme != "file" or parts.netloc or not parts.path.startswith("/"):
        raise HomeUnusable(home="-", reason="uplink: only file:/an/absolute/folder is in this release")
    return Path(unquote(parts.path))
