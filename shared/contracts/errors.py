"""Every error that crosses a process: named for the fact, rebuilt at the caller as the same class.

The class docstring is the message: its first line, with ``{parameters}`` filled in. Parameters are codes, field names
and numbers, never what a person typed and never anything about a person, because messages reach logs and screens.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

_by_code: dict[str, type["PolkuError"]] = {}


class PolkuError(Exception):
    """Something was refused."""

    code: ClassVar[str]

    def __init_subclass__(cls) -> None:
        name = cls.__name__
        cls.code = "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
        if cls.code in _by_code:
            raise TypeError(f"two errors are called {name}")
        _by_code[cls.code] = cls

    def __init__(self, /, **params: str | int) -> None:
        self.params = params
        super().__init__(self.message())

    def message(self) -> str:
        """The first line of the class docstring with the parameters filled in."""
        return (type(self).__doc__ or "").strip().splitlines()[0].format_map(_Tolerant(self.params))

    def to_wire(self) -> dict[str, Any]:
        """The JSON form: ``{"code": …, "params": {…}}``."""
        return {"code": self.code, "params": self.params}

    @staticmethod
    def from_wire(wire: dict[str, Any]) -> "PolkuError":
        """Rebuild the error; a code of a newer release becomes `RemoteError`."""
        code, params = str(wire.get("code")), wire.get("params")
        clean = {str(k): v for k, v in params.items() if isinstance(v, str | int)} if isinstance(params, dict) else {}
        known = _by_code.get(code)
        return known(**clean) if known else RemoteError(remote_code=code)


def unless_refused(result: Mapping[str, Any]) -> dict[str, Any]:
    """The result of one item of a command. Raises what the item was refused with."""
    if "error" in result:
        raise PolkuError.from_wire(result["error"])
    return dict(result)


class _Tolerant(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


class RemoteError(PolkuError):
    """The other side refused with "{remote_code}", which this release does not know."""


class InvalidInput(PolkuError):
    """{field}: {reason}"""


class NotFound(PolkuError):
    """There is no such {what}."""


class NotInThisRelease(PolkuError):
    """{what}: not in this release"""


class RpcTimeout(PolkuError):
    """{service}.{method} did not answer within {seconds} s."""


class ServiceAbsent(PolkuError):
    """The service {service} is not running."""


class InternalError(PolkuError):
    """{service}.{method} failed; the service's log says where under reference {reference}."""


class UnknownMethod(PolkuError):
    """The service {service} has no method {method}."""


class UnknownProgramme(PolkuError):
    """The programme {programme} is not loaded in this home."""


class UnknownCode(PolkuError):
    """{field}: the programme {programme} has no {field} "{value}"."""


class UnknownPerson(PolkuError):
    """{field}: no such person in programme {programme}."""


class StandingTooLow(PolkuError):
    """{field}: the activity asks the standing {asked} at least, and this person is a {standing}."""


class UnknownSession(PolkuError):
    """{field}: no such session in programme {programme}."""


class AlreadyRecordedDiffers(PolkuError):
    """{field}: already recorded with other content (already imported, differs)."""


class InvalidProgramme(PolkuError):
    """The programme file has {count} problem(s); first: line {line}: {reason}"""


class ForeignProgramme(PolkuError):
    """The key {programme} already belongs to another lead's programme."""


class PartnerAlreadyJoined(PolkuError):
    """The partner {partner} has joined programme {programme} already."""


class InvalidInvite(PolkuError):
    """The invite cannot be used: {reason}"""


class LeadUnreachable(PolkuError):
    """The lead was not reached: {reason}"""


class HomeInUse(PolkuError):
    """Another process works in this home; stop it first or talk to it."""


class HomeUnusable(PolkuError):
    """The home {home} cannot be used: {reason}"""


class FactNotWritable(PolkuError):
    """{kind}: {reason}"""


class DatabaseNewer(PolkuError):
    """The home's database was made by a newer release ({revision}); install that release."""


class InvalidInstrument(PolkuError):
    """The instrument file {file} has {count} problem(s); first: line {line}: {reason}"""


class InvalidForm(PolkuError):
    """The form {file} has {count} problem(s); first: line {line}: {reason}"""


class UnknownInstrument(PolkuError):
    """{field}: this release has no instrument {instrument} in version {version}."""


class UnknownAssessment(PolkuError):
    """{field}: no such assessment in programme {programme}."""


class HomeHeld(PolkuError):
    """This home was restored and records nothing until its leads have answered; `polku complete` says what they say."""


class InvalidBackup(PolkuError):
    """The backup cannot be used: {reason}"""


class NeverTookPart(PolkuError):
    """{field}: this person has been at no session of {value} as a participant."""


class TaskClosedAlready(PolkuError):
    """The task was closed already: {value}."""


class ChangedMeanwhile(PolkuError):
    """{field}: somebody else has changed this in the meantime; look again before you change it."""


class ReferralClosed(PolkuError):
    """The referral is {state}: this is not possible any more."""


class NodeNotConfirmed(PolkuError):
    """{field}: the partner {partner} has no node whose six words this node has confirmed: `polku node confirm`."""


class Overtaken(PolkuError):
    """Somebody else recorded the same at the same moment; nothing was done here: ask again."""


class ProcessingRestricted(PolkuError):
    """{field}: the person has had the processing restricted: nothing is recorded about them until that is lifted."""


class ConsentWithdrawn(PolkuError):
    """{field}: the person has withdrawn the consent to {purpose}: nothing more is recorded for it."""


class KeptByLaw(PolkuError):
    """{field}: {purpose} is kept by legal obligation until {until} ({law})."""


class ProgrammeIsClosed(PolkuError):
    """{field}: {programme} is closed on this node: nothing new is recorded for it, what is there may be corrected."""


class ClosingIsFinal(PolkuError):
    """{field}: {programme} is closed on this node and its last period confirmed: nothing is corrected any more."""


class StreamIsSealed(PolkuError):
    """{field}: {programme} is closed on this node and its stream sealed: nothing is recorded for it any more."""


class ClosingBlocked(PolkuError):
    """{field}: {count} open: `polku programme close {programme} --check` names each; it needs an end or a reason."""
