"""Who acts when the command line does something."""

import getpass
import os


def actor() -> str:
    """What the audit log says: ``cli:`` and the system user, by number where the system knows no name."""
    try:
        return f"cli:{getpass.getuser()}"[:80]
    except (KeyError, OSError):
        return f"cli:{os.getuid()}"
