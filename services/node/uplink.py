"""By which carrier a home reaches others: the uplink URL in home.toml and in invites; at a lead, all at once."""

import contextlib
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from shared.contracts.errors import HomeUnusable, LeadUnreachable
from shared.contracts.fields import is_uplink
from shared.journal.carrier import (
    EXPELLED,
    JOIN,
    MANIFEST,
    RECEIPT,
    Carrier,
    Found,
    channel_to,
    goes_to_node,
    node_channel,
    place_named,
)
from shared.journal.crypto import Key
from shared.journal.filecarrier import FileCarrier
from shared.journal.joining import Invite, token_digest
from shared.ops.settings import Home, Joined, from_environment

if TYPE_CHECKING:
    from shared.journal.amqpcarrier import AmqpCarrier
    from shared.journal.brokerlink import Broker

log = logging.getLogger(__name__)

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----")


def folder_of(uplink: str) -> Path:
    """The folder of a ``file:`` uplink."""
    parts = urlsplit(uplink)
    if parts.scheme != "file" or parts.netloc or not parts.path.startswith("/"):
        raise HomeUnusable(home="-", reason="uplink: a folder is given as file:/an/absolute/folder")
    return Path(unquote(parts.path))


def carrier_to(home: Home, place: Joined, signer: Key) -> Carrier:
    """The carrier between a node and the lead of a programme, for both directions; `signer` signs our requests. Raises
    `HomeUnusable` if what it needs is not in the home."""
    if not is_uplink(place.uplink):
        reason = f"the address of the lead of {place.programme} (home.toml: uplink) leads nowhere"
        raise HomeUnusable(home=str(home.path), reason=reason)
    # A courier on a folder needs neither TLS nor a broker: an eighth of its memory.
    if place.uplink.startswith("http"):
        from shared.journal.httpcarrier import HttpCarrier

        try:
            return HttpCarrier(place.uplink, signer, place.authority)
        except OSError:  # what the ssl module raises
            reason = f"the authority of the lead of {place.programme} (home.toml) is no certificate"
            raise HomeUnusable(home=str(home.path), reason=reason) from None
    if place.uplink.startswith("amqp"):
        from shared.journal.amqpcarrier import AmqpCarrier, box_of
        from shared.journal.brokerlink import Broker

        try:
            password = password_file(home, place.programme).read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            reason = f"the password for the broker (keys/broker.{place.programme}) cannot be read"
            raise HomeUnusable(home=str(home.path), reason=reason) from None
        broker = Broker(place.uplink, password, place.authority)
        return AmqpCarrier(broker, {f"{home.name}/{place.programme}": box_of(place.programme, place.partner)})
    return FileCarrier(folder_of(place.uplink))


def password_file(home: Home, programme: str) -> Path:
    """Where a node keeps its password for the broker of a programme's lead."""
    return home.keys / f"broker.{programme}"


def hand_in(home: Home, place: Joined, signer: Key, invite: Invite, answer: bytes) -> None:
    """Put the answer to an invite on the carrier. Raises `LeadUnreachable`; it may be repeated."""
    from shared.journal.httpcarrier import HttpCarrier

    carrier, channel = carrier_to(home, place, signer), f"{home.name}/{place.programme}"
    try:
        if isinstance(carrier, HttpCarrier):
            carrier.write_join(channel, answer, token_digest(invite.token))
        else:
            carrier.write(channel, JOIN, answer)
    except OSError as error:
        raise LeadUnreachable(reason=f"{place.uplink}: {error}") from None


def lead_carrier(home: Home) -> "LeadCarrier":
    """A lead's carriers: its folder and, if POLKU_CARRIER_URL (or …_FILE) names one, its broker."""
    from shared.journal.amqpcarrier import AmqpCarrier

    url = from_environment("POLKU_CARRIER_URL")
    return LeadCarrier(FileCarrier(home.inbox), AmqpCarrier(_own_broker(home, url), {}, at_lead=True) if url else None)


def _own_broker(home: Home, url: str) -> "Broker":
    from shared.journal.brokerlink import Broker

    parts = urlsplit(url)
    if parts.scheme not in ("amqp", "amqps") or not parts.password or not parts.path[1:]:
        reason = "POLKU_CARRIER_URL is not amqps://USER:PASSWORD@HOST[:PORT]/VHOST"
        raise HomeUnusable(home=str(home.path), reason=reason)
    clean = url.replace(f":{parts.password}@", "@", 1)
    if not is_uplink(clean):
        reason = "POLKU_CARRIER_URL: host or port is malformed, or in clear (amqp://) beyond loopback"
        raise HomeUnusable(home=str(home.path), reason=reason)
    return Broker(clean, unquote(parts.password), authority_of(home))


def authority_of(home: Home) -> str:
    """The certificates of the lead's own authority (PEM), without whatever else stands in their file."""
    if not home.authority:
        return ""
    try:
        found = _CERTIFICATE.findall(Path(home.authority).read_text(encoding="ascii"))
    except (OSError, ValueError):
        found = []
    if not found:
        raise HomeUnusable(home=str(home.path), reason="home.toml: authority names no readable file of certificates")
    return "\n".join(found) + "\n"


class LeadCarrier:
    """The lead's end of every carrier at once. A node speaks by one of them, and may change it: what a node is told
    goes where its manifest last changed, and only what lies there is looked at. Whatever either side had sent the other
    way and was not decided, its courier sends again (`sending`)."""

    def __init__(self, folder: FileCarrier, broker: "AmqpCarrier | None") -> None:
        self._folder, self._broker = folder, broker
        self._current: dict[str, FileCarrier | AmqpCarrier] = {}
        self._manifests: dict[tuple[bool, str], bytes] = {}
        self._moved: set[str] = set()

    def serve(self, partners: Mapping[str, str], invited: set[str]) -> None:
        """These nodes' streams are admitted, for these partners; these boxes have been given out."""
        if self._broker is not None:
            from shared.journal.amqpcarrier import box_of

            boxes = {stream: box_of(stream.split("/")[1], partner) for stream, partner in partners.items()}
            self._broker.serve(boxes, invited)

    def watched(self) -> list[int]:
        """What becomes readable when something has come."""
        descriptor = self._broker.fileno() if self._broker is not None else None
        return [] if descriptor is None else [descriptor]

    def list_segments(self, channel: str) -> list[Found] | None:
        """What lies where the node speaks, and what its box holds: that is at most so much, and may be all before the
        manifest by which one would know that it speaks there."""
        found = self._at(channel).list_segments(channel)
        if found is not None and (box := self._box(channel)) is not None:
            with contextlib.suppress(OSError):
                found = sorted({*found, *(box.list_segments(channel) or ())})
        return found

    def _box(self, channel: str) -> "AmqpCarrier | None":
        """The broker, if segments may lie there although the node speaks by the folder."""
        return self._broker if self._at(channel) is self._folder and not goes_to_node(channel) else None

    def read(self, channel: str, name: str, limit: int) -> bytes | None:
        if name == MANIFEST and node_channel(channel) == channel:
            self._look(channel, limit)
        elif (
            (channel[:5], name) == ("lead/", RECEIPT) and goes_to_node(channel) and node_channel(channel) in self._moved
        ):
            # To nobody but the courier, which states its head there.
            self._moved.discard(node_channel(channel))
            raise OSError("the node speaks by another carrier now")
        data = self._at(channel).read(channel, name, limit)
        if data is None and place_named(name) and (box := self._box(channel)) is not None:
            return box.read(channel, name, limit)
        return data

    def write(self, channel: str, name: str, data: bytes) -> None:
        self._at(channel).write(channel, name, data)

    def delete(self, channel: str, name: str) -> None:
        self._at(channel).delete(channel, name)

    def decided(self, channel: str, found: Found) -> None:
        for carrier in (self._folder, self._broker):
            if carrier is not None:
                carrier.decided(channel, found)  # which one it came by is in its version

    def tell(self, stream: str, partner: str, data: bytes) -> None:
        """Leave the node of this stream, which is no member any more, the lead's last word, wherever it may look."""
        node, programme = stream.split("/")
        channel = channel_to(node, programme)
        self._folder.write(channel, EXPELLED, data)
        if self._broker is not None:
            from shared.journal.amqpcarrier import box_of

            self._broker.tell(box_of(programme, partner), channel, EXPELLED, data)

    def read_joins(self, limit: int) -> list[bytes]:
        """All answers to invites that have come, by whichever carrier."""
        found = self._folder.read_joins(limit)
        if self._broker is not None:
            try:
                found += self._broker.read_joins(limit)
            except OSError as error:
                log.error("the broker was not read", extra={"error": str(error)})
        return found

    def _at(self, channel: str) -> "FileCarrier | AmqpCarrier":
        return self._current.get(node_channel(channel), self._folder)

    def _look(self, channel: str, limit: int) -> None:
        """See where the node speaks now. A broker that is away holds up only those who speak by it."""
        if self._broker is None:
            return
        for carrier in (self._folder, self._broker):
            try:
                data = carrier.read(channel, MANIFEST, limit)
            except OSError:
                if carrier is self._at(channel):
                    raise
                continue
            key = (carrier is self._broker, channel)
            if data is not None and data != self._manifests.get(key):
                if carrier is not self._at(channel):
                    self._moved.add(channel)
                self._manifests[key], self._current[channel] = data, carrier
