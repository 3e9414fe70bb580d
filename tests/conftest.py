"""Fixtures for all tests, and how tests for eventlet processes run (see README.md in this folder)."""

import contextlib
import gc
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = [
    "shared.testing.broker",
    "shared.testing.engines",
    "shared.testing.postgres",
    "tests.browser.chromium",
]

GREEN = os.environ.get("POLKU_TESTS_GREEN") == "1"
ROOT = Path(__file__).parent.parent
MEMORY, ROOM = Path("/dev/shm"), 8 * 2**30
"""A file system in memory, and how many bytes must be free there."""

GREEN_SECONDS = 600
"""How long a green file may take: a call that blocks its process fails the test, and does not stop the suite."""

gc.set_threshold(10_000)  # what tests make mostly lives on or is gone at once
# How long an example takes depends on what else the machine does; tests that mean a time measure it themselves.
hypothesis.settings.register_profile("polku", deadline=None)
hypothesis.settings.load_profile("polku")


def pytest_configure() -> None:
    """Homes and servers' data lie in memory where there is room and no TMPDIR says otherwise: a commit is at once."""
    if "TMPDIR" in os.environ or not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM:
        return
    folder = MEMORY / f"polku-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    if folder.stat().st_uid == os.getuid():
        os.environ["TMPDIR"], tempfile.tempdir = str(folder), None


def _servers_of_green_file(path: Path) -> list[str] | None:
    """The words after ``# green:`` in the first line of a test file; None if it is no green file."""
    with path.open(encoding="utf-8") as file:
        first = file.readline()
    return first.removeprefix("# green:").split() if first.startswith("# green:") else None


class GreenFile(pytest.File):
    """A test file for a monkey-patched process: one item, which runs the file in a pytest of its own."""

    def collect(self) -> Iterator[pytest.Item]:
        yield GreenItem.from_parent(self, name="green")


class GreenItem(pytest.Item):
    """Runs its file by ``python -m tests.green``; fails with that run's output."""

    def runtest(self) -> None:
        # Imported late: pytest registers them as plugins first.
        from shared.testing.broker import shared_broker
        from shared.testing.postgres import shared_postgres
        from shared.testing.private import CannotRun

        servers = {"rabbitmq": shared_broker, "postgres": shared_postgres}
        for server in _servers_of_green_file(self.path) or []:
            with contextlib.suppress(CannotRun):  # the file's own fixtures say so
                servers[server]()  # started here, so that all green files share it
        command = [
            sys.executable,
            "-m",
            "tests.green",
            str(self.path),
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:pytest_nameko",
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=GREEN_SECONDS)
        self.add_report_section("call", "green", done.stdout[-4000:])
        if done.returncode:
            pytest.fail(done.stdout + done.stderr[-4000:], pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.path.name} in a green process"


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if GREEN or _servers_of_green_file(module_path) is None:
        return None
    return GreenFile.from_parent(parent, path=module_path)


def pytest_collection_finish() -> None:
    """What was loaded and collected stays until the end: nobody need look for cycles in it, again and again."""
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Where the minutes of `make test` go: set-up, call and tear-down of every test, by folder."""
    seconds: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds["/".join(Path(report.nodeid.split("::")[0]).parts[:-1])] += report.duration
    if sum(seconds.values()) > 60:
        terminalreporter.section("minutes per folder")
        for folder, took in seconds.most_common():
            terminalreporter.write_line(f"{took / 60:6.2f}  {folder}")


def pytest_unconfigure() -> None:
    from shared.testing.broker import end_broker
    from shared.testing.postgres import end_postgres

    end_broker()
    end_postgres()
    gc.freeze()
