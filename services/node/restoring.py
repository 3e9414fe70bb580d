"""What `polku restore` asks for and says."""

from collections.abc import Callable, Iterator
from pathlib import Path

import click

from services.node.opening import open_database
from shared.contracts.errors import InvalidInput
from shared.journal import received
from shared.ops.settings import Home, from_environment
from shared.storage import snapshot

VARIABLE = "POLKU_RECOVERY_PASSPHRASE"


def passphrase_from(file: Path | None) -> Callable[[], str]:
    """Where the recovery passphrase comes from: the file, the environment, a prompt; never the command line."""

    def ask() -> str:
        if file is None:
            return from_environment(VARIABLE) or str(click.prompt("recovery passphrase", hide_input=True, err=True))
        try:
            return file.read_text(encoding="utf-8").strip()
        except UnicodeDecodeError:
            raise InvalidInput(field="--passphrase-file", reason="not UTF-8") from None

    return ask


def what_next(home: Home) -> Iterator[str]:
    """What there is now, and what is still lacking."""
    yield f"restored the {home.role} home {home.name} to {home.path}"
    if home.role == "node":
        for place in (one for one in home.joined if not one.gone_at):
            yield f"held until the lead of {place.programme} has answered: start it with `polku up`"
        yield "a lead that is gone for good: `polku node leave`"
        yield "what was recorded after the backup and has reached a lead: `polku parked list`, once it is not held"
        return
    with snapshot(open_database(home)) as connection:
        heads = received.read_heads(connection, received.known_streams(connection))
    for stream, head in heads.items():
        lacks = f", and its node had signed up to {head.head_seq}" if head.head_seq > head.seq else ""
        yield f"{stream}: lines up to {head.seq}{lacks}; what came later its node sends again"
    yield "held until every member node has answered: start it with `polku up`. What the nodes have of programme"
    yield "versions, admissions and erasures of after the backup comes back from them; users of after the backup do not"
