"""What the portal refuses about users and logins."""

from shared.contracts.errors import PolkuError


class UserExists(PolkuError):
    """There is already a user {name}."""


class UnknownUser(PolkuError):
    """There is no user {name}."""


class LoginRefused(PolkuError):
    """The user name or the password is wrong."""


class TooManyAttempts(PolkuError):
    """Too many attempts; try again in {seconds} s."""


class PasswordRefused(PolkuError):
    """The new password is not accepted: {reason}"""


class EndingUnsure(PolkuError):
    """No answer came: whether it was erased nobody knows."""


class OthersPerson(PolkuError):
    """This person is another worker's; a coordinator, or that worker, can hand them over."""
