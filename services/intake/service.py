"""intake on the bus: parse by contract, call once, answer."""

import base64
import json
from datetime import date
from typing import Any

from services.intake import operations, queries, store
from services.intake.domain import Arrival
from shared.bus.entrypoints import JournalFollower, rpc, subscribes
from shared.bus.home import HomeResource
from shared.contracts.catalogue import ProgrammeLoaded
from shared.contracts.commands import ListPeople, ParticipantItem, PersonIdentity, RegisterParticipants, load
from shared.contracts.errors import InvalidInput
from shared.journal import Line, Unit
from shared.journal.crypto import CannotOpen, open_sealed, seal

COMMAND_INFO = b"polku-command-1"
REPLY_INFO = b"polku-reply-1"
_OWN_MEMBERS = ("key", "sealed", "standing", "start_date")
_RECORD = tuple(name for name in ParticipantItem().fields if name not in _OWN_MEMBERS)


class IntakeService:
    """Registers people and keeps their identities."""

    name = "intake"
    home = HomeResource()
    follower = JournalFollower("home")

    @rpc
    def ping(self) -> dict[str, Any]:
        return {"service": self.name, "ready": True}

    @rpc
    def register_participants(self, **command: Any) -> dict[str, Any]:
        body = load(RegisterParticipants, command)
        self.home.follow_to(body["after"])
        arrivals = [self._arrival(number, item) for number, item in enumerate(body["items"])]
        common = {"by": body["by"], "now": self.home.now(), "skip_bad": body["skip_bad"]}
        results, pos = operations.register_participants(
            self.home.journal, self._vault(), body["programme"], arrivals, **common
        )
        return {"pos": self.home.committed(pos), "results": results}

    @rpc
    def list_people(self, **command: Any) -> dict[str, Any]:
        body = load(ListPeople, command)
        programme = body["programme"]
        total, rows = queries.list_people(self.home.engine, programme, body["limit"], body["offset"])
        subjects = [row.subject for row in rows]
        operations.log_identities_read(
            self.home.journal, subjects, by=body["by"], programme=programme, now=self.home.now()
        )
        return {"total": total, "people": [self._sealed(row, bytes.fromhex(body["reply_to"])) for row in rows]}

    @subscribes(ProgrammeLoaded)
    def on_programme_loaded(self, unit: Unit, _line: Line, fact: ProgrammeLoaded) -> None:
        store.shelf.put(unit.connection, fact)

    def _arrival(self, number: int, item: dict[str, Any]) -> Arrival:
        for private in self.home.keys.privates("bus").values():
            try:
                opened = open_sealed(private, COMMAND_INFO, base64.b64decode(item["sealed"]))
            except (CannotOpen, ValueError):
                continue
            identity = _identity(number, opened)
            record = {name: item[name] for name in _RECORD if item.get(name) is not None}
            return Arrival(item["key"], item["standing"], _day(item.get("start_date")), record, identity)
        raise InvalidInput(field=f"items.{number}.sealed", reason="does not open with this node's bus key")

    def _vault(self) -> operations.Vault:
        keys = self.home.keys
        vault = {key.number: key.secret() for key in keys.all if key.name == "vault"}
        return operations.Vault(vault, keys.newest("index").secret())

    def _sealed(self, row: queries.PersonRow, reply_to: bytes) -> dict[str, Any]:
        identity = store.open_identity(self._vault().vault, row.person, row.wrapped_key, row.box)
        shown = {name: identity.get(name) for name in ("given_name", "family_name", "token")}
        sealed = seal(reply_to, REPLY_INFO, json.dumps(shown).encode())
        return {
            "person": row.subject,
            "standing": row.standing,
            "started_on": row.started_on.isoformat() if row.started_on else None,
            "sealed": base64.b64encode(sealed).decode(),
        }


def _identity(number: int, opened: bytes) -> dict[str, Any]:
    field = f"items.{number}.sealed"
    try:
        return load(PersonIdentity, json.loads(opened))
    except InvalidInput as error:
        raise InvalidInput(field=f"{field}.{error.params['field']}", reason=error.params["reason"]) from None
    except (ValueError, RecursionError):
        raise InvalidInput(field=field, reason="what is inside is not JSON") from None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
