"""pathways on the bus: parse by contract, call once, answer."""

from typing import Any

from services.pathways import operations, queries
from shared.bus.entrypoints import rpc
from shared.bus.home import HomeResource
from shared.contracts.commands import LoadProgramme, load


class PathwaysService:
    """Keeps the programme definitions of the node."""

    name = "pathways"
    home = HomeResource()

    @rpc
    def ping(self) -> dict[str, Any]:
        return {"service": self.name, "ready": True}

    @rpc
    def load_programme(self, **command: Any) -> dict[str, Any]:
        body = load(LoadProgramme, command)
        programme, pos = operations.load_programme(
            self.home.journal, body["document"], by=body["by"], now=self.home.now()
        )
        return {"pos": self.home.committed(pos), "programme": programme.key, "digest": programme.digest}

    @rpc
    def list_programmes(self) -> list[dict[str, Any]]:
        return queries.list_programmes(self.home.engine)
