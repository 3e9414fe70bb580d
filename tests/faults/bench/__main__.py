"""`python -m tests.faults.bench`: a run of the fault bench, its table, and JSON and HTML in build/faults/."""

import argparse
import json
import random
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path

from tests.faults.bench.epilogue import restore_node
from tests.faults.bench.faults import FAULTS
from tests.faults.bench.page import page, table
from tests.faults.bench.run import CAMPAIGN, FULL, SMOKE, run, work_folder
from tests.faults.bench.summary import summary

PROFILES = {profile.name: profile for profile in (SMOKE, FULL, CAMPAIGN)}


def main() -> int:
    """Run, print, write; 1 if a counter that must be zero is not."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.bench", description=__doc__)
    parser.add_argument("--profile", choices=PROFILES, default="campaign")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--facts", type=int, help="how many facts instead of the profile's")
    parser.add_argument("--only", nargs="+", choices=FAULTS, help="of the profile's faults only these")
    parser.add_argument("--seconds", type=float, default=900, help="after these no further fault begins")
    parser.add_argument("--out", type=Path, default=Path("build/faults"))
    asked = parser.parse_args()
    profile = PROFILES[asked.profile]
    faults = {fault: count for fault, count in profile.faults.items() if fault in (asked.only or FAULTS)}
    profile = replace(profile, facts=asked.facts or profile.facts, faults=faults)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # end the homes and take the small file system away
    say(f"profile {profile.name}, seed {asked.seed}")
    folder = work_folder()
    after = (lambda *_: None) if profile.full else restore_node
    result = run(profile, asked.seed, folder, seconds=asked.seconds, progress=say, after=after)
    found = summary(result)
    found["again"] += f" --only {' '.join(asked.only)}" if asked.only else ""
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / f"{profile.name}.json").write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    (asked.out / f"{profile.name}.html").write_text(page(found))
    print(table(found))
    if result.passed:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        say(f"the homes and the ledger stay in {folder}")
    return 0 if result.passed else 1


def say(what: str) -> None:
    """Progress, on stderr."""
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
