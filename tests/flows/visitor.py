"""Somebody at a portal who needs no browser: logs in, changes the one-time password, reads pages."""

import re
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

PASSWORD = "correct horse battery staple"


class Visitor:
    """A user of the portal at `address`, who logs in with the one-time password `once`."""

    def __init__(self, address: str, name: str, once: str) -> None:
        self._at = address
        self._browser: OpenerDirector = build_opener(HTTPCookieProcessor())
        self._send("/login", name=name, password=once)
        self._send("/password", old=once, new=PASSWORD, again=PASSWORD)

    def get(self, path: str) -> str:
        """A page."""
        page: str = self._browser.open(self._at + path, timeout=30).read().decode()
        return page

    def _send(self, path: str, **values: str) -> None:
        token = re.search(r'name="form_token" value="([^"]+)"', self.get(path))
        assert token is not None
        form = urlencode({"form_token": token[1], **values}).encode()
        self._browser.open(Request(self._at + path, form, {"Sec-Fetch-Site": "same-origin"}), timeout=30)
