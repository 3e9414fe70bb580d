"""`polku person contact`: how a person is reached."""

import json
from typing import Any, TextIO

import click

from services.node.actor import actor
from services.node.homeoption import home_option, the_home
from services.node.rightscli import changed_members, changes_option, person_argument, programme_argument, whom
from shared.contracts.contacts import plain_phone
from shared.contracts.errors import InvalidInput
from shared.contracts.people import CONTACT

_MEMBERS = (*CONTACT, "contact_language")


@click.command("contact")
@home_option
@programme_argument
@person_argument
@changes_option('Without it nothing changes. What is another now, as JSON: {"phone": "…", "email": null};')
def contact(programme: str, subject: str | None, changes: TextIO | None) -> None:
    """How a person is reached, as JSON on stdout, and what is another now; looking at it is logged."""
    from services.node.reaching import services_of
    from shared.journal.crypto import load_keys
    from shared.journal.sealed import ReplyKey, seal_command

    wanted = _wanted(changes) if changes else {}
    home, reply = the_home("node"), ReplyKey()
    with services_of(home) as rpc:
        who: dict[str, Any] = {"programme": programme, "by": actor()}
        person = whom(home, rpc, programme, subject)
        rows = rpc.call("intake", "read_contacts", **who, people=[person], reply_to=reply.public_hex)
        if not rows:
            raise InvalidInput(field="person", reason="not here, restricted, or with a protected address")
        opened = reply.opened(rows[0]["sealed"])
        kept = {name: opened.get(name) for name in CONTACT} | {"contact_language": rows[0]["contact_language"]}
        now = kept | wanted
        if now != kept:
            content = {which: {name: how[name] for name in CONTACT} for which, how in _both(kept, now)}
            sealed = seal_command(load_keys(home.keys).newest("bus").public or b"", content)
            given = {"sealed": sealed, "contact_language": now["contact_language"]}
            rpc.call("intake", "set_contact", **who, subject=person, **given)
    click.echo(json.dumps(now, indent=2, ensure_ascii=False))


def _both(kept: dict[str, Any], now: dict[str, Any]) -> tuple[tuple[str, dict[str, Any]], ...]:
    return ("was", kept), ("now", now)


def _wanted(changes: TextIO) -> dict[str, Any]:
    said = changed_members(changes)
    for name, value in said.items():
        if name not in _MEMBERS:
            raise InvalidInput(field=name[:40], reason=f"is none of {', '.join(_MEMBERS)}")
        if value is not None and not isinstance(value, str):
            raise InvalidInput(field=name, reason="is neither a text nor null")
    return said | ({"phone": plain_phone(said["phone"])} if said.get("phone") else {})
