"""What lies in the repository is whole on any machine."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINK = "120000"


def test_no_link_is_in_the_tree() -> None:
    # A link to one machine's .venv once had a fresh clone use that machine's packages, and elsewhere have none.
    command = ["git", "-C", str(ROOT), "ls-files", "--stage"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    assert listed
    assert [line for line in listed if line.startswith(LINK)] == []
