"""Visitors: people who are known by a nickname or a token and nothing else. Whoever tells one that is known here is
that person; else a visitor begins, with a subject of their own."""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

from services.intake import encounter_store, store
from services.intake.domain import Arrival
from services.intake.encounter_rules import normalised_token, tokens_of
from services.intake.operations import Vault
from shared.contracts.catalogue import StandingReached
from shared.contracts.errors import InvalidInput
from shared.journal import Unit
from shared.journal.unit import new_id
from shared.storage.once import Done, already_done, forget, remember


class Visitors:
    """Nicknames and the people of one programme, within one unit of work.

    A nickname that was told once is found by a keyed digest, beside the keys of commands: there two workers cannot
    make two visitors of one. One that was not is looked for in everybody's identity, which is opened for that alone.
    `began` are those who begin in this unit of work.
    """

    def __init__(self, unit: Unit, keys: Vault, programme: str) -> None:
        self._unit, self._keys, self._programme = unit, keys, programme
        self.began: set[str] = set()
        self._told: dict[str, set[str]] | None = None

    def find(self, token: str, *, note: bool = True) -> str | None:
        """The subject of whoever goes by it, None: nobody. Raises `InvalidInput` if several people do.

        Not to be noted before it is known that something may be recorded about them: then with `note` False.
        """
        places = token_places(self._keys, self._programme, token)
        known = already_done(self._unit.connection, store.keys, places)
        for place in places:
            if place in known:
                return known[place].made.hex()
        found = sorted(self._everybody().get(normalised_token(token), ()))
        if len(found) > 1:
            reason = "several people go by one of these nicknames: use their tokens, or their tiles at the door"
            raise InvalidInput(field="token", reason=reason)
        if found and note:
            self.remember(token, found[0])
        return found[0] if found else None

    def make(self, token: str, day: date, *, gender: str = "unknown") -> str:
        """A visitor who begins with this nickname, met on this day. Raises `Overtaken` if another worker makes one."""
        subject = new_id()
        arrival = Arrival("", "visitor", None, {"gender": gender}, {"token": token.strip()})
        store.add_people(self._unit.connection, self._keys.vault, self._programme, [(new_id(), subject, arrival)])
        self.began.add(subject)
        self.remember(token, subject)
        self._unit.record(StandingReached(subject, standing="visitor", occurred_on=day.isoformat()), self._programme)
        return subject

    def _everybody(self) -> Mapping[str, set[str]]:
        """Who goes by which nickname; read once in a unit of work, for a list of people met may name hundreds. Who
        begins later in it is remembered."""
        if self._told is None:
            self._told = defaultdict(set)
            for row in encounter_store.closed_identities(self._unit.connection, self._programme):
                identity = store.open_identity(self._keys.vault, row.person, row.wrapped_key, row.box)
                for token in tokens_of(identity):
                    self._told[token].add(row.subject.hex())
        return self._told

    def remember(self, token: str, subject: str) -> None:
        """Note who goes by a nickname."""
        place = token_places(self._keys, self._programme, token)[0]
        done = Done(self._keys.digest(bytes.fromhex(place)), bytes.fromhex(subject))
        remember(self._unit.connection, store.keys, {place: done})


def token_places(keys: Vault, programme: str, token: str) -> list[str]:
    """Where it is noted who goes by a nickname: by the newest index key, then those before it (hex)."""
    content = json.dumps(["visitor", programme, normalised_token(token)]).encode()
    return [digest.hex() for digest in keys.digests(content)]


def forget_tokens(unit: Unit, keys: Vault, programme: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Of somebody whose identity becomes another: forget who goes by the nicknames that are gone or new.

    Whoever tells one that is gone is not this person any more, and another person may begin with it. Who goes by a new
    one is looked for when it is told: perhaps somebody else does too.
    """
    for token in tokens_of(before) ^ tokens_of(after):
        forget(unit.connection, store.keys, token_places(keys, programme, token))
