"""A home: a directory with settings, keys and data (interfaces.md, `HOME/`).

``home.toml`` holds what is no secret: role, name, ports, database URL, and per programme partner, uplink and the lead's
public keys. A secret, and what differs by deployment, comes from the environment: ``POLKU_DATABASE_URL``,
``POLKU_BUS_URL`` and ``POLKU_HEALTH_HOST``, or ``…_FILE`` naming a file that holds the value. A wrong value stops the
start with its name.
"""

import ipaddress
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL

from shared.contracts.errors import HomeUnusable
from shared.contracts.fields import CERTIFICATES, CODE, NODE, PROGRAMME, UPLINK

Role = Literal["lead", "node"]
DEFAULT_PORTS = {"lead": 8400, "node": 8401}
LOOPBACK = "127.0.0.1"
_OPTIONAL = ("database", "bus", "certificate", "certificate_key", "authority", "mail", "mail_from", "portal_url")
_PLACE_OPTIONAL = ("authority", "lead_keys_at", "lead_former_keys", "expelled_at", "left_at")
_URLS = {
    "database": re.compile(r"sqlite:///.+|postgresql\+psycopg://.+"),
    "bus": re.compile(r"(embedded|amqps?)://.+"),
}


@dataclass(frozen=True, slots=True)
class Joined:
    """A node's place in a programme: as which partner, by which carrier, under whose keys (hex).

    `authority` is the certificate (PEM) that the carrier's own must be signed by; empty: one of the system's.
    `lead_keys_at` and `lead_former_keys` (``HEX@TIME`` with spaces between): see `shared.journal.renewing.Pinned`.
    `expelled_at`, `left_at`: when the lead, or this home, has ended the membership (wire form), empty for a member.
    """

    programme: str
    partner: str
    uplink: str
    lead_signing_key: str
    lead_receiving_key: str
    authority: str = ""
    lead_keys_at: str = ""
    lead_former_keys: str = ""
    expelled_at: str = ""
    left_at: str = ""

    @property
    def gone_at(self) -> str:
        """Since when nothing goes to the lead or comes from it; empty for a member."""
        return self.expelled_at or self.left_at


@dataclass(frozen=True, slots=True)
class Home:
    """A home's settings. `name` is "lead" or the node's name; `port` is the portal's.

    `certificate` and `certificate_key` are files (PEM) with which the portal serves https itself, `authority` a file
    with the certificate of a lead's own authority: it goes into invites, and the lead's own broker is checked by it.
    `mail`, `mail_from`, `portal_url`: see `services.node.mailing`.
    """

    path: Path
    role: Role
    name: str
    port: int
    host: str = LOOPBACK
    database: str = ""
    bus: str = ""
    joined: tuple[Joined, ...] = field(default=())
    certificate: str = ""
    certificate_key: str = ""
    authority: str = ""
    mail: str = ""
    mail_from: str = ""
    portal_url: str = ""

    @property
    def database_url(self) -> str:
        """Where the data is: the environment's, home.toml's, or a SQLite file in the home."""
        file = self.path / ("lead.db" if self.role == "lead" else "node.db")
        default = URL.create("sqlite", database=str(file)).render_as_string()
        return self._url("database", from_environment("POLKU_DATABASE_URL") or self.database or default)

    @property
    def bus_url(self) -> str:
        """Where the bus is: the environment's, home.toml's, or embedded in the process."""
        return self._url("bus", from_environment("POLKU_BUS_URL") or self.bus or f"embedded://{self.name}")

    def _url(self, what: str, url: str) -> str:
        if not _URLS[what].fullmatch(url):
            reason = f"the URL of the {what} (POLKU_{what.upper()}_URL or home.toml: {what}) is malformed"
            raise HomeUnusable(home=str(self.path), reason=reason)
        return url

    @property
    def embedded(self) -> bool:
        """Whether the bus lives inside the home's own process."""
        return self.bus_url.startswith("embedded:")

    @property
    def health_host(self) -> str:
        """The address on which health is answered: in clear and to anybody, hence loopback unless the environment says
        otherwise, whatever the portal's."""
        address = from_environment("POLKU_HEALTH_HOST") or LOOPBACK
        try:
            return str(ipaddress.IPv4Address(address))
        except ValueError:
            raise HomeUnusable(home=str(self.path), reason="POLKU_HEALTH_HOST is not an IPv4 address") from None

    @property
    def health_port(self) -> int:
        """Where the home's own process answers `/live`, `/ready`, `/metrics`."""
        return self.port + 1000

    @property
    def child_port(self) -> int:
        """Where its courier or receiver answers them."""
        return self.port + 2000

    @property
    def keys(self) -> Path:
        """The directory of the key files."""
        return self.path / "keys"

    @property
    def inbox(self) -> Path:
        """Where a lead's carrier folder is unless the invite says otherwise."""
        return self.path / "inbox"

    @property
    def socket(self) -> Path:
        """The control socket of the running home."""
        return self.path / "control.sock"

    @property
    def lock(self) -> Path:
        """Locked by whoever has opened the home."""
        return self.path / "lock"

    def with_programme(self, joined: Joined) -> "Home":
        """The same home, joined to one more programme (or anew to one it knows)."""
        others = tuple(known for known in self.joined if known.programme != joined.programme)
        return replace(self, joined=(*others, joined))

    def save(self) -> None:
        """Write home.toml, whole or not at all."""
        lines = [f'role = "{self.role}"', f'name = "{self.name}"', f"port = {self.port}"]
        lines += [f"host = {_quoted(self.host)}"]
        lines += [f"{name} = {_quoted(value)}" for name in _OPTIONAL if (value := getattr(self, name))]
        for place in self.joined:
            lines += ["", "[[programme]]", f'key = "{place.programme}"', f'partner = "{place.partner}"']
            lines += [f"uplink = {_quoted(place.uplink)}", f'lead_signing_key = "{place.lead_signing_key}"']
            lines += [f'lead_receiving_key = "{place.lead_receiving_key}"']
            optional = {name: getattr(place, name) for name in _PLACE_OPTIONAL}
            lines += [f"{name} = {_quoted(value)}" for name, value in optional.items() if value]
        part = self.path / "home.toml.part"
        with part.open("w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.rename(self.path / "home.toml")


def _quoted(text: str) -> str:
    # A JSON string is a TOML basic string, but for one character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def load_home(path: Path) -> Home:
    """Read a home; raises `HomeUnusable` naming the setting and what is wrong with it."""
    path = path.absolute()
    try:
        with (path / "home.toml").open("rb") as file:
            data = tomllib.load(file)
    except FileNotFoundError:
        raise HomeUnusable(home=str(path), reason="there is no home.toml; make a home with `polku init`") from None
    except OSError as error:
        raise HomeUnusable(home=str(path), reason=f"home.toml: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        raise HomeUnusable(home=str(path), reason="home.toml is not TOML") from None
    taken = {"role", "name", "port", "host", "programme", *_OPTIONAL}
    if unknown := sorted(set(data) - taken):
        raise HomeUnusable(home=str(path), reason=f"home.toml: unknown setting {unknown[0]}")
    role, name, port = data.get("role"), data.get("name"), data.get("port")
    if role not in ("lead", "node"):
        raise HomeUnusable(home=str(path), reason="home.toml: role is neither lead nor node")
    if not isinstance(name, str) or not (name == "lead" if role == "lead" else NODE.fullmatch(name)):
        raise HomeUnusable(home=str(path), reason="home.toml: name is not one that polku init makes")
    if type(port) is not int or not 1 <= port <= 63535:
        raise HomeUnusable(home=str(path), reason="home.toml: port is not a number from 1 to 63535")
    texts = {key: data.get(key, "") for key in ("host", *_OPTIONAL)}
    for key, value in texts.items():
        if not isinstance(value, str):
            raise HomeUnusable(home=str(path), reason=f"home.toml: {key} is not a text")
    entries = data.get("programme", [])
    if not isinstance(entries, list):
        raise HomeUnusable(home=str(path), reason="home.toml: programme is not a list of tables")
    places = tuple(_joined(path, entry) for entry in entries)
    if len({place.programme for place in places}) < len(places):
        raise HomeUnusable(home=str(path), reason="home.toml: programme.key stands twice")
    host = texts.pop("host") or LOOPBACK
    return Home(path, role, name, port, host, **texts, joined=places)


def _joined(path: Path, entry: Any) -> Joined:
    rules = {
        "key": PROGRAMME,
        "partner": CODE,
        "uplink": UPLINK,
        "lead_signing_key": re.compile(r"[0-9a-f]{64}"),
        "lead_receiving_key": re.compile(r"[0-9a-f]{64}"),
        "authority": CERTIFICATES,
        "lead_keys_at": re.compile(r"[0-9T:.Z-]{0,27}"),
        "lead_former_keys": re.compile(r"(?:[0-9a-f]{64}@[0-9T:.Z-]{27}(?: (?!\Z)|\Z))*"),
        "expelled_at": re.compile(r"[0-9T:.Z-]{0,27}"),
        "left_at": re.compile(r"[0-9T:.Z-]{0,27}"),
    }
    if not isinstance(entry, Mapping):
        raise HomeUnusable(home=str(path), reason="home.toml: programme is not a list of tables")
    if unknown := sorted(set(entry) - set(rules)):
        raise HomeUnusable(home=str(path), reason=f"home.toml: unknown setting programme.{unknown[0]}")
    entry = {**dict.fromkeys(_PLACE_OPTIONAL, ""), **entry}
    for name, rule in rules.items():
        if not isinstance(entry.get(name), str) or not rule.fullmatch(entry[name]):
            raise HomeUnusable(home=str(path), reason=f"home.toml: programme.{name} is missing or malformed")
    return Joined(*(entry[name] for name in rules))


def from_environment(name: str) -> str:
    """The variable, or the content of the file that ``NAME_FILE`` names; empty if neither is set."""
    if value := os.environ.get(name):
        return value
    if file := os.environ.get(f"{name}_FILE"):
        try:
            value = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            raise HomeUnusable(home="-", reason=f"{name}_FILE cannot be read") from None
        if not value:  # not the default either: somebody meant another database
            raise HomeUnusable(home="-", reason=f"{name}_FILE is empty")
        return value
    return ""
