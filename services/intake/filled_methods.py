"""intake on the bus, of forms that are filled at another partner: a part of the service."""

from collections.abc import Callable
from typing import Any

from services.intake import filled
from services.intake.peers import Desk
from services.intake.referrals import Place
from services.intake.sealing import vault_of
from shared.bus.entrypoints import rpc
from shared.bus.home import ServiceHome
from shared.contracts.commands import load
from shared.contracts.filled import AskFilled, ShowFilled


class FilledMethods:
    """Put before intake's service class."""

    home: ServiceHome
    _desk: Callable[[], Desk]

    @rpc
    def ask_filled(self, **command: Any) -> dict[str, Any]:
        body = load(AskFilled, command)
        self.home.follow_to(body["after"])
        place = Place(self.home.journal, self._desk(), vault_of(self.home.keys), body["programme"])
        asked, pos = filled.ask(place, body["subject"], by=body["by"], now=self.home.now())
        return {"pos": self.home.committed(pos), "asked": asked}

    @rpc
    def show_filled(self, **question: Any) -> dict[str, Any]:
        body = load(ShowFilled, question)
        return filled.show(self.home.engine, self._desk(), body["programme"], body["subject"])
