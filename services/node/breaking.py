"""A link that breaks at the worst moment, for the demo: the manifest arrives, the segments do not."""

from dataclasses import dataclass

from services.node.opening import locked, open_database
from services.node.terms import terms_of
from services.node.uplink import carrier_to
from shared.journal.carrier import Carrier, Found, place_named
from shared.journal.crypto import load_keys
from shared.journal.sending import Courier
from shared.ops.clock import utcnow
from shared.ops.settings import Home
from shared.storage import snapshot


@dataclass(slots=True)
class LosingCarrier:
    """Carries statements and loses every segment, as a carrier may."""

    whole: Carrier

    def list_segments(self, channel: str) -> list[Found]:
        """Nothing has arrived."""
        return []

    def read(self, channel: str, name: str, limit: int) -> bytes | None:
        """As it is."""
        return self.whole.read(channel, name, limit)

    def write(self, channel: str, name: str, data: bytes) -> None:
        """Lose it, if it is a segment."""
        if place_named(name) is None:
            self.whole.write(channel, name, data)

    def delete(self, channel: str, name: str) -> None:
        """Nothing is there."""

    def decided(self, channel: str, found: Found) -> None:
        """Nothing was found."""


def break_link(home: Home, programme: str) -> None:
    """One round of the courier of a stopped home, over a link that loses what matters."""
    (place,) = (place for place in home.joined if place.programme == programme)
    with locked(home):
        engine = open_database(home)
        try:
            with snapshot(engine) as connection:
                terms = terms_of(connection, home.name, place, load_keys(home.keys), utcnow())
            carrier = LosingCarrier(carrier_to(home, place, terms.signer))
            courier = Courier(engine, carrier, terms.signer, terms.peer, terms.sealed_to)
            courier.round([f"{home.name}/{programme}"], utcnow())
        finally:
            engine.dispose()
