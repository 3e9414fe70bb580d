"""intake on the bus, of a participant's rights: a part of the service."""

from typing import Any

from services.intake import rights
from services.intake.sealing import inside, sealed_to, vault_of
from shared.bus.entrypoints import rpc
from shared.bus.home import HomeResource
from shared.contracts.commands import load
from shared.contracts.rights import CopyPerson, CorrectPerson, IdentityChanges, RestrictPerson


class RightsMethods:
    """Copies, corrections, restrictions."""

    home: HomeResource

    @rpc
    def copy_person(self, **command: Any) -> dict[str, Any]:
        body = load(CopyPerson, command)
        common = {"by": body["by"], "now": self.home.now()}
        who = self.home.journal, vault_of(self.home.keys), body["programme"], body["subject"]
        kept = rights.copy_person(*who, **common)
        return {"sealed": sealed_to(bytes.fromhex(body["reply_to"]), kept)}

    @rpc
    def correct_person(self, **command: Any) -> dict[str, Any]:
        body = load(CorrectPerson, command)
        self.home.follow_to(body["after"])
        sealed, who = body["sealed"], (body["programme"], body["subject"])
        identity = inside(self.home.keys, IdentityChanges, "sealed", sealed) if sealed else {}
        changes, common = (identity, body["record"]), {"by": body["by"], "now": self.home.now()}
        changed, pos = rights.correct_person(self.home.journal, vault_of(self.home.keys), *who, *changes, **common)
        return {"pos": self.home.committed(pos), "changed": changed}

    @rpc
    def restrict_person(self, **command: Any) -> dict[str, Any]:
        body = load(RestrictPerson, command)
        self.home.follow_to(body["after"])
        who, common = (body["programme"], body["subject"]), {"by": body["by"], "now": self.home.now()}
        new, pos = rights.restrict_person(self.home.journal, *who, body["ground"], lift=body["lift"], **common)
        return {"pos": self.home.committed(pos), "new": new}
