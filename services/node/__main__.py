"""`polku`: decides what kind of process this is before anything else is loaded, then hands over to the command line.

Services run under eventlet, which must patch the standard library before any other import; the courier, the receiver,
a portal on its own and the command line itself are plain.
"""

import atexit
import gc
import os
import sys
import warnings

from shared.ops.collecting import collect_seldom


def main() -> None:
    """Run the `polku` command."""
    collect_seldom()
    atexit.register(gc.freeze)  # nor at the end, where it takes half a second: all of it goes with the process
    if _runs_services(sys.argv[1:]):
        os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"
        warnings.filterwarnings("ignore", message="(?s).*Eventlet is deprecated")
        import eventlet  # known to be in maintenance: docs/decisions/0004

        eventlet.monkey_patch()
    from services.node.cli import polku

    polku(prog_name="polku")


def _runs_services(arguments: list[str]) -> bool:
    """Whether this is `polku up` of anything but the portal alone, options passed over."""
    words, found = iter(arguments), []
    for word in words:
        if word in ("--home", "--health-port"):
            next(words, None)
        elif not word.startswith("-"):
            found.append(word)
    return found[:1] == ["up"] and found[1:] != ["portal"]


if __name__ == "__main__":
    main()
