"""`polku person erase`: finding the person, erasing, and saying what is left."""

from collections.abc import Iterator
from typing import Any

import click

from services.node.control import Rpc
from shared.contracts.errors import NotFound, UnknownPerson
from shared.hetu import is_valid
from shared.journal.crypto import load_keys
from shared.journal.sealed import ReplyKey, seal_command
from shared.ops.settings import Home
from shared.storage import open_engine

SECONDS = 60.0


def choose(home: Home, rpc: Rpc, programme: str, asked: str, by: str) -> str:
    """The subject of the one person who is asked for, chosen on the terminal if several are found."""
    total, found = _find(home, rpc, programme, asked, by)
    if not found:
        raise NotFound(what=f"person in programme {programme}")
    for number, (_, shown) in enumerate(found, 1):
        click.echo(f"{number}  {shown}", err=True)
    if len(found) < total:
        click.echo(f"{total} were found, {len(found)} are shown; the identity code finds one", err=True)
    if len(found) == 1:
        return found[0][0]
    number = click.prompt("which", type=click.IntRange(1, len(found)), err=True)
    return found[number - 1][0]


def _find(home: Home, rpc: Rpc, programme: str, asked: str, by: str) -> tuple[int, list[tuple[str, str]]]:
    """How many there are, subjects and what to show of them; question and answer cross the bus sealed."""
    bus_key = load_keys(home.keys).newest("bus").public
    assert bus_key is not None
    reply = ReplyKey()
    query = {"identity_code": asked.strip().upper()} if is_valid(asked.strip().upper()) else {"name": asked.strip()}
    answer = rpc.call(
        "intake",
        "find_people",
        timeout=SECONDS,
        by=by,
        programme=programme,
        sealed=seal_command(bus_key, query),
        reply_to=reply.public_hex,
    )
    return answer["total"], [(person["person"], _shown(person, reply)) for person in answer["people"]]


def _shown(person: dict[str, Any], reply: ReplyKey) -> str:
    opened = reply.opened(person["sealed"])
    names = [opened.get(name) for name in ("given_name", "family_name", "token")]
    since = f", since {person['started_on']}" if person["started_on"] else ""
    marks = "".join(f", {mark}" for mark in ("restricted", "protected") if person[mark])
    return f"{' '.join(name for name in names if name)} ({person['standing']}{since}{marks})"


def preview(rpc: Rpc, programme: str, subject: str, purpose: str | None) -> tuple[int | None, list[str]]:
    """What erasing would erase, for one purpose or all: what confirming it names as `seen`, and a line of each kind."""
    try:
        told = rpc.call("intake", "preview_erasing", programme=programme, subject=subject)
    except UnknownPerson:
        return None, []  # erased already, or never here: the command itself tells which
    lines = []
    for part in told["purposes"]:
        if purpose in (None, part["purpose"]):
            counts = [f"{kind['kind']} {kind['lines']}" for kind in part["kinds"]]
            counts += [f"texts {part['texts']}"] if part["texts"] else []
            lines.append(f"{part['purpose']}: {', '.join(counts) or 'nothing'}")
    return told["seen"], lines


def erase(rpc: Rpc, programme: str, subject: str, by: str, seen: int | None = None) -> bool:
    """Erase; False if that was done before. Raises `ChangedMeanwhile` if more is recorded than was `seen`."""
    asked = {"programme": programme, "subject": subject, "seen": seen, "by": by}
    answer = rpc.call("intake", "erase_person", timeout=SECONDS, **asked)
    return bool(answer["erased"])


def end_purpose(
    rpc: Rpc, programme: str, subject: str, purpose: str, why: str, by: str, seen: int | None = None
) -> str | None:
    """Erase what is recorded for a purpose; the ending, None if there was nothing. `seen` as for `erase`."""
    asked = {"programme": programme, "subject": subject, "purpose": purpose, "why": why, "by": by, "seen": seen}
    ending: str | None = rpc.call("intake", "end_purpose", timeout=SECONDS, **asked)["ending"]
    return ending


def leftovers(home: Home, programme: str) -> Iterator[str]:
    """What is left of an erased person, to be told to them."""
    yield "What is left:"
    if programme in {place.programme for place in home.joined}:
        yield "- until the lead has answered, one line that says that this subject was erased, here and on its way"
        yield "- figures that were published before; new reports do not count the person, and say how many were erased"
    yield "- digests of the lines, from which nothing can be read"
    yield "- backups, until they are 30 days old"
    if open_engine(home.database_url).dialect.name == "postgresql":
        yield "- PostgreSQL's write-ahead log until it is recycled, and free space in its files until VACUUM FULL"
