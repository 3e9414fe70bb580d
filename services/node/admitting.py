"""`polku lead admit` and `polku node join`: the two ends of an invite (`shared.journal.joining`)."""

import base64
import json
import os
import secrets
from hashlib import sha256
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

from services.node.control import Rpc
from services.node.rounds import one_round
from services.node.terms import pin, pinned
from services.node.uplink import authority_of, hand_in, password_file
from shared.contracts.errors import ForeignProgramme, InvalidInput, InvalidInvite
from shared.contracts.fields import is_uplink
from shared.journal.amqpcarrier import box_of, definitions
from shared.journal.crypto import load_keys
from shared.journal.durable import write_file
from shared.journal.joining import Invite, build_join, read_invite, token_digest
from shared.ops.clock import parse_wire_time, utcnow
from shared.ops.settings import Home, Joined, load_home


def invite(home: Home, rpc: Rpc, programme: str, partner: str, by: str, uplink: str = "") -> Invite:
    """Have reporting note an invite for the partner. Its token is in it and nowhere else.

    `uplink` is where the partner's node reaches this lead; by default the folder `inbox/`. If it is a broker, the
    partner becomes a user of its own there (`broker_definitions`), whose name and password the invite holds.
    """
    uplink, password = uplink or home.inbox.as_uri().replace("file://", "file:"), ""
    if not is_uplink(uplink) or "@" in uplink.partition("://")[2]:
        raise InvalidInput(
            field="uplink", reason="file:/folder, https://… or amqps://…/vhost; in clear only to loopback"
        )
    if uplink.startswith("amqp"):
        password = secrets.token_hex(24)
        uplink = uplink.replace("://", f"://{box_of(programme, partner)}@", 1)
    token = secrets.token_hex(32)
    digest = token_digest(token).hex()
    noted = rpc.call("reporting", "admit_partner", by=by, programme=programme, partner=partner, token_digest=digest)
    signing, receiving = load_keys(home.keys).pair()
    expires = parse_wire_time(noted["expires"])
    return Invite(programme, partner, uplink, signing, receiving, token, expires, authority_of(home), password)


def broker_definitions(invite: Invite) -> str:
    """What `rabbitmqctl import_definitions` makes of an invite's user: rights and a hash, no secret."""
    salt = secrets.token_bytes(4)
    hashed = base64.b64encode(salt + sha256(salt + invite.password.encode()).digest()).decode()
    vhost = urlsplit(invite.uplink).path[1:]
    return json.dumps(definitions(box_of(invite.programme, invite.partner), vhost, hashed), indent=2)


def private_file(path: Path) -> TextIO:
    """A new or emptied file that only its owner reads from the first moment: an invite holds a token."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "w", encoding="utf-8")


def join(home: Home, file: Path) -> Home:
    """Answer an invite: note the lead in home.toml, put the answer on the carrier. Joining twice answers again.

    Raises `InvalidInvite`, `LeadUnreachable`, or `ForeignProgramme` if the key is already another lead's.
    """
    try:
        given = read_invite(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise InvalidInvite(reason="it is not UTF-8") from None
    if given.expires < utcnow():
        raise InvalidInvite(reason="it has expired")
    for place in home.joined:
        if place.programme == given.programme and given.signing_key not in _known_keys(place):
            raise ForeignProgramme(programme=given.programme)
        if place.programme == given.programme and place.partner != given.partner:
            raise InvalidInvite(reason=f"this node is the programme's partner {place.partner} already")
        if place.programme == given.programme and place.left_at:
            raise InvalidInvite(reason="this home has left the programme: join it with a new home")
    keys = load_keys(home.keys)
    signing = keys.newest("signing")
    answer = build_join(given, home.name, signing.secret(), *keys.pair())
    lead = (given.signing_key.hex(), given.receiving_key.hex())
    joined = Joined(given.programme, given.partner, given.uplink, *lead, given.authority)
    if given.password:
        write_file(password_file(home, given.programme), given.password.encode(), 0o600)
    with one_round(home):  # the courier moves the pins of leads that have new keys
        home = load_home(home.path)
        for place in home.joined:
            if place.programme == given.programme:  # an invite may be older than the lead's newest keys
                joined = pin(joined, pinned(place))
        home = home.with_programme(joined)
        home.save()
    hand_in(home, joined, signing, given, answer)
    return home


def _known_keys(place: Joined) -> set[bytes]:
    known = pinned(place)
    return {known.signing_key, *(key for key, _ in known.former)}
