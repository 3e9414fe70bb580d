#!/usr/bin/env python3
"""`make env`: writes `.env` with the secrets that docker-compose.yml asks for (`${NAME:?…}`), each made at random here.

What stands in `.env` already is never changed; a name that is missing (a release may bring a service) is added.
``NAME_HASH`` is RabbitMQ's salted hash of ``NAME_PASSWORD``: the broker is not given the password itself.
"""

import base64
import hashlib
import os
import re
import secrets
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ASKED = re.compile(r"\$\{([A-Z][A-Z0-9_]*):\?")
SET = re.compile(r"^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)$", re.MULTILINE)


def asked_for(compose: str) -> list[str]:
    """The names that the compose file cannot do without; what a hash is made of comes first."""
    return sorted(set(ASKED.findall(compose)), key=lambda name: (name.endswith("_HASH"), name))


def rabbitmq_hash(password: str, salt: bytes) -> str:
    """`rabbit_password_hashing_sha256`: base64 of a salt of 4 bytes and SHA-256 of salt and password."""
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def missing_lines(compose: str, present: str) -> list[str]:
    """The lines to add to an `.env` that holds `present`."""
    known = dict(SET.findall(present))
    lines = []
    for name in asked_for(compose):
        if name in known:
            continue
        if name.endswith("_HASH"):
            known[name] = rabbitmq_hash(known[name.removesuffix("_HASH") + "_PASSWORD"], secrets.token_bytes(4))
        else:
            known[name] = secrets.token_hex(24)
        lines.append(f"{name}={known[name]}")
    return lines


def main(folder: Path) -> None:
    """Write or complete `folder`/.env; only its owner may read it."""
    path = folder / ".env"
    new = not path.exists()
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+", encoding="utf-8") as file:
        present = file.read()
        lines = missing_lines((folder / "docker-compose.yml").read_text(encoding="utf-8"), present)
        if present and not present.endswith("\n") and lines:
            file.write("\n")
        file.writelines(f"{line}\n" for line in lines)
    what = "made" if new else "completed" if lines else "was there already, nothing is changed"
    sys.stderr.write(f"{path}: {what}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
