"""`polku lead admit` and `polku node join`: the two ends of an invite (`shared.journal.joining`)."""

import os
import re
import secrets
from pathlib import Path
from typing import TextIO

from services.node.control import Rpc
from services.node.uplink import hand_in
from shared.contracts.errors import ForeignProgramme, HomeUnusable, InvalidInput, InvalidInvite
from shared.contracts.fields import UPLINK
from shared.journal.crypto import load_keys
from shared.journal.joining import Invite, build_join, read_invite, token_digest
from shared.ops.clock import parse_wire_time, utcnow
from shared.ops.settings import Home, Joined

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----")


def invite(home: Home, rpc: Rpc, programme: str, partner: str, by: str, uplink: str = "") -> str:
    """Have reporting note an invite, and write it out for the partner. Its token is in it and nowhere else.

    `uplink` is where the partner's node reaches this lead; by default the folder `inbox/`.
    """
    uplink = uplink or home.inbox.as_uri().replace("file://", "file:")
    if not UPLINK.fullmatch(uplink):
        raise InvalidInput(field="uplink", reason="file:/folder, https://… or amqps://…; in clear only to loopback")
    token = secrets.token_hex(32)
    digest = token_digest(token).hex()
    noted = rpc.call("reporting", "admit_partner", by=by, programme=programme, partner=partner, token_digest=digest)
    keys = load_keys(home.keys)
    signing, receiving = keys.newest("signing").public, keys.newest("receiving").public
    assert signing is not None
    assert receiving is not None
    expires = parse_wire_time(noted["expires"])
    return Invite(programme, partner, uplink, signing, receiving, token, expires, _authority(home)).to_json()


def _authority(home: Home) -> str:
    """The certificates of the lead's own authority (PEM) without whatever else stands in their file."""
    if not home.authority:
        return ""
    try:
        found = _CERTIFICATE.findall(Path(home.authority).read_text(encoding="ascii"))
    except (OSError, ValueError):
        found = []
    if not found:
        raise HomeUnusable(home=str(home.path), reason="home.toml: authority names no readable file of certificates")
    return "\n".join(found) + "\n"


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
        if place.programme == given.programme and place.lead_signing_key != given.signing_key.hex():
            raise ForeignProgramme(programme=given.programme)
        if place.programme == given.programme and place.partner != given.partner:
            raise InvalidInvite(reason=f"this node is the programme's partner {place.partner} already")
    keys = load_keys(home.keys)
    signing, receiving = keys.newest("signing"), keys.newest("receiving")
    assert signing.public is not None
    assert receiving.public is not None
    answer = build_join(given, home.name, signing.secret(), signing.public, receiving.public)
    lead = (given.signing_key.hex(), given.receiving_key.hex())
    joined = Joined(given.programme, given.partner, given.uplink, *lead, given.authority)
    home = home.with_programme(joined)
    home.save()
    hand_in(joined, keys, given, f"{home.name}/{given.programme}", answer)
    return home
