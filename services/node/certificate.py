"""The certificate with which an embedded home's portal serves https itself; a new one is taken up while it runs."""

import logging
import os
import ssl

from shared.contracts.errors import HomeUnusable
from shared.ops.settings import Home

log = logging.getLogger(__name__)


class Certificate:
    """`context` serves the files that home.toml names; raises `HomeUnusable` if they are of no use at the start."""

    def __init__(self, home: Home) -> None:
        self._files = (home.certificate, home.certificate_key or home.certificate)
        self._seen = self._state()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            self.context.load_cert_chain(*self._files)
        except (OSError, ValueError):
            reason = "home.toml: certificate and certificate_key name no certificate (PEM) with its key"
            raise HomeUnusable(home=str(home.path), reason=reason) from None

    def look(self) -> None:
        """Take up a certificate that has been renewed; one that is of no use changes nothing."""
        state = self._state()
        if state == self._seen:
            return
        self._seen = state
        try:
            # Into another context first: a key that does not fit would leave this one with neither.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*self._files)
            self.context.load_cert_chain(*self._files)
        except (OSError, ValueError) as error:
            log.error("the new certificate is of no use; the old one stays", extra={"error": type(error).__name__})
            return
        log.info("the new certificate is in use")

    def _state(self) -> list[tuple[int, int] | None]:
        """What changes when a file does; None where there is none just now."""
        found: list[tuple[int, int] | None] = []
        for file in self._files:
            try:
                info = os.stat(file)
                found.append((info.st_mtime_ns, info.st_ino))
            except OSError:
                found.append(None)
        return found
