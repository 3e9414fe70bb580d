"""docker-compose.yml as tests read it: which processes a home consists of, and who may do what on the broker."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yml"
HOMES = ("lead", "node")
NODE_KEYS = "/var/lib/polku/node/keys"


@dataclass(frozen=True)
class Block:
    """A service of the compose file."""

    name: str
    home: str
    """"lead", "node", or "" for what is not ours."""
    what: str
    """The name without the home: a service, "courier", "receiver", "portal", "setup"."""
    body: dict[str, Any]


def document() -> dict[str, Any]:
    """The file, anchors resolved, variables as they stand there."""
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


def blocks() -> list[Block]:
    """Every service."""
    made = []
    for name, body in document()["services"].items():
        home, _, what = name.partition("-")
        made.append(Block(name, home, what, body) if home in HOMES else Block(name, "", name, body))
    return made


def processes(home: str) -> list[Block]:
    """The long-running processes of a home."""
    return [block for block in blocks() if block.home == home and block.what != "setup"]


def broker_definitions() -> dict[str, Any]:
    """What RabbitMQ is told, secrets as the names that they have in `.env`."""
    text = document()["configs"]["broker-definitions"]["content"]
    found: dict[str, Any] = json.loads(re.sub(r"\$\{(\w+):\?[^}]*\}", r"\1", text).replace("$$", "$"))
    return found


def broker_rights(home: str) -> tuple[str, str, str]:
    """The patterns of what the home's user may configure, write and read."""
    row = next(row for row in broker_definitions()["permissions"] if row["user"] == home)
    assert row["vhost"] == home
    return row["configure"], row["write"], row["read"]
