"""`polku lead admit` and `polku node join`: the two ends of an invite (`shared.journal.joining`)."""

import os
import secrets
from pathlib import Path
from typing import TextIO

from services.node.control import Rpc
from services.node.uplink import folder_of
from shared.contracts.errors import ForeignProgramme, InvalidInvite
from shared.journal.carrier import JOIN
from shared.journal.crypto import load_keys
from shared.journal.filecarrier import FileCarrier
from shared.journal.joining import Invite, build_join, read_invite, token_digest
from shared.ops.clock import parse_wire_time, utcnow
from shared.ops.settings import Home, Joined


def invite(home: Home, rpc: Rpc, programme: str, partner: str, by: str) -> str:
    """Have reporting note an invite, and write it out for the partner. Its token is in it and nowhere else."""
    token = secrets.token_hex(32)
    digest = token_digest(token).hex()
    noted = rpc.call("reporting", "admit_partner", by=by, programme=programme, partner=partner, token_digest=digest)
    keys = load_keys(home.keys)
    signing, receiving = keys.newest("signing").public, keys.newest("receiving").public
    assert signing is not None
    assert receiving is not None
    uplink = home.inbox.as_uri().replace("file://", "file:")
    return Invite(programme, partner, uplink, signing, receiving, token, parse_wire_time(noted["expires"])).to_json()


def private_file(path: Path) -> TextIO:
    """A new or emptied file that only its owner reads from the first moment: an invite holds a token."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "w", encoding="utf-8")


def join(home: Home, file: Path) -> Home:
    """Answer an invite: note the lead in home.toml, put the answer on the carrier. Joining twice answers again.

    Raises `InvalidInvite`, or `ForeignProgramme` if the key is already another lead's.
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
    carrier = FileCarrier(folder_of(given.uplink))
    joined = Joined(given.programme, given.partner, given.uplink, given.signing_key.hex(), given.receiving_key.hex())
    home = home.with_programme(joined)
    home.save()
    carrier.write(f"{home.name}/{given.programme}", JOIN, answer)
    return home
