"""``python -m tests.badinput [--seconds N] [--seed S] [--out FILE]``: random bad input to every command for so long.

Prints what was answered and, of each failure, the seed that shows it again; exits 1 if there was one.
"""

# ruff: noqa: E402  patching comes before all other imports

import os

os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"

import warnings

warnings.filterwarnings("ignore", message=r"\s*Eventlet")

import eventlet

eventlet.monkey_patch()

import argparse
import json
import random
import sys
from pathlib import Path

from tests.badinput.fuzz import fuzz


def main() -> int:
    """What the module's docstring says."""
    parser = argparse.ArgumentParser(prog="python -m tests.badinput")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    print(f"seed {asked.seed}", file=sys.stderr, flush=True)
    found = fuzz(asked.seconds, asked.seed, lambda said: print(said, file=sys.stderr, flush=True))
    if asked.out:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text(json.dumps(vars(found), indent=2, ensure_ascii=False) + "\n")
    print(f"{found.calls} calls in {found.seconds:.0f} s, seed {found.seed}")
    for code, count in found.answers.most_common():
        print(f"{code:24} {count:8}")
    for failure in found.failures[:5]:
        print(f"FAILED {failure[:2000]}")
    return int(bool(found.failures))


if __name__ == "__main__":
    sys.exit(main())
