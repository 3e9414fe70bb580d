"""By which carrier a home reaches others: the uplink URL in home.toml and in invites."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from shared.contracts.errors import HomeUnusable, LeadUnreachable
from shared.journal.carrier import JOIN, Carrier
from shared.journal.crypto import Keys
from shared.journal.filecarrier import FileCarrier
from shared.journal.httpcarrier import HttpCarrier
from shared.journal.joining import Invite, token_digest
from shared.ops.settings import Joined


def folder_of(uplink: str) -> Path:
    """The folder of a ``file:`` uplink."""
    parts = urlsplit(uplink)
    if parts.scheme != "file" or parts.netloc or not parts.path.startswith("/"):
        raise HomeUnusable(home="-", reason="uplink: a folder is given as file:/an/absolute/folder")
    return Path(unquote(parts.path))


def carrier_to(place: Joined, keys: Keys) -> Carrier:
    """The carrier between a node and the lead of a programme, for both directions."""
    if place.uplink.startswith("http"):
        return HttpCarrier(place.uplink, keys.newest("signing"), place.authority)
    return FileCarrier(folder_of(place.uplink))


def hand_in(place: Joined, keys: Keys, invite: Invite, channel: str, answer: bytes) -> None:
    """Put the answer to an invite on the carrier. Raises `LeadUnreachable`; it may be repeated."""
    carrier = carrier_to(place, keys)
    try:
        if isinstance(carrier, HttpCarrier):
            carrier.write_join(channel, answer, token_digest(invite.token))
        else:
            carrier.write(channel, JOIN, answer)
    except OSError as error:
        raise LeadUnreachable(reason=f"{place.uplink}: {error}") from None
