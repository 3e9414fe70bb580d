"""What the pages open of what intake sealed to one request."""

from dataclasses import dataclass
from typing import Any

from shared.journal import sealed as crossing


@dataclass(frozen=True)
class Identity:
    """A person's name or, where there is none, the nickname they are known by."""

    given_name: str
    family_name: str
    token: str

    def __repr__(self) -> str:
        return "Identity(…)"  # never a name in a log


@dataclass(frozen=True)
class Referred:
    """Who is meant by a referral, and why; empty where nothing of it is kept any more."""

    name: str
    birth_date: str
    text: str
    left_out: bool
    """A birth date or an identity code that was told cannot be, and was not kept."""

    def __repr__(self) -> str:
        return "Referred(…)"  # never a name in a log


@dataclass(frozen=True)
class ReplyKey(crossing.ReplyKey):
    """The key of one request, for pages: a row that does not open is shown as one, and spoils no other."""

    def open(self, sealed: str) -> Identity | None:
        """The identity in a sealed row (base64), or None if it was not made for this key."""
        plain = self._open(sealed)
        if plain is None:
            return None
        return Identity(*(str(plain.get(name) or "") for name in ("given_name", "family_name", "token")))

    def open_text(self, sealed: str | None) -> str | None:
        """The free text in a sealed answer; None if it is not there any more, or was not made for this key."""
        plain = self._open(sealed or "")
        return None if plain is None else str(plain.get("text") or "")

    def open_referred(self, sealed: str) -> Referred:
        """Who and why of a referral; empty if it was not made for this key."""
        plain = self._open(sealed) or {}
        given, family, token, born, text = (
            str(plain.get(name) or "") for name in ("given_name", "family_name", "token", "birth_date", "text")
        )
        return Referred(" ".join(filter(None, (given, family))) or token, born, text, bool(plain.get("left_out")))

    def open_plain(self, sealed: str) -> dict[str, Any]:
        """What is inside, by member; empty if it was not made for this key."""
        return self._open(sealed) or {}

    def _open(self, sealed: str) -> dict[str, Any] | None:
        try:
            plain = self.opened(sealed)
        except ValueError:
            return None
        return plain if isinstance(plain, dict) else None
