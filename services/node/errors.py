"""What can go wrong with a home on this machine, besides what the services say."""

from shared.contracts.errors import PolkuError


class ServicesDoNotStart(PolkuError):
    """The services of the home {home} do not start; see the messages above."""
