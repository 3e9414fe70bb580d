"""`polku demo`: the published figures on stdout and nothing else; a partner left behind, and how it catches up."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shared.testing.wait import until
from tests.flows.kit import OUTCOMES, PUBLISHED, Site, figures, free_port_run
from tests.flows.visitor import Visitor

NODES = ["associations", "city-of-vaasa", "leader-association", "mental-health", "settlement"]
PORTS = len(NODES) + 1
ILLUSTRATIVE = {
    "groups_and_courses": (96, 64, None),
    "individual_coaching": (120, 40, None),
    "excursions": (24, None, 310),
    "outreach": (48, None, 520),
    "network_meetings": (16, None, 190),
}
NOT_JOINED = {"parish_of_vaasa", "parish_of_vahakyro", "university_of_applied_sciences"}


def command(folder: Path, port: int, *more: str) -> list[str]:
    return [sys.executable, "-m", "services.node", "demo", "--dir", str(folder), "--port", str(port), *more]


def demo(folder: Path, port: int) -> list[dict[str, Any]]:
    done = subprocess.run(command(folder, port, "--once"), capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    reports: list[dict[str, Any]] = json.loads(done.stdout)
    # Each stands there as it was certified: cut out, it is a file that anybody can verify.
    for text in done.stdout.strip()[1:-1].replace("\n},\n{\n", "\n}\0{\n").split("\0"):
        file = folder.parent / f"{folder.name}.json"
        file.write_text(f"{text}\n", encoding="utf-8")
        verify = [sys.executable, "-m", "services.node", "verify", str(file)]
        verified = subprocess.run(verify, capture_output=True, text=True)
        assert verified.stdout.startswith("unaltered; signed by "), verified.stderr
    return reports


@contextmanager
def served(folder: Path, port: int) -> Iterator[str]:
    """A demo that serves; what it has said once it is up."""
    log = folder.parent / "demo.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command(folder, port), stdout=file, stderr=file)
    try:
        until(lambda: b"Ctrl-C" in log.read_bytes() or process.poll() is not None, 240)
        assert process.poll() is None, log.read_text()
        yield log.read_text()
    finally:
        process.terminate()
        process.wait(30)


def test_demo_prints_the_published_figures_and_a_second_start_adds_no_line(tmp_path: Path) -> None:
    port = free_port_run(PORTS)
    first = demo(tmp_path, port)
    assert [report["programme"] for report in first] == ["osallisuuden-askeleet", "lahde-mukaan"]
    assert [figures(report) for report in first] == [ILLUSTRATIVE, PUBLISHED]
    assert first[1]["outcomes"] == OUTCOMES
    assert [report["arrived"] for report in first] == [True, True]
    assert [(row["partner"], row["period"]) for row in first[1]["confirmed"]] == [
        ("leader_association", "whole_project")
    ]
    assert {row["partner"] for report in first for row in report["streams"] if row["node"] is None} == NOT_JOINED
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*NODES, "lead"])
    second = demo(tmp_path, port)
    assert [lines(report) for report in second] == [lines(report) for report in first]
    for member in ("activities", "outcomes", "confirmed"):
        assert [report[member] for report in second] == [report[member] for report in first]


def test_the_partner_left_behind_is_named_with_its_lines_and_the_printed_command_brings_them(tmp_path: Path) -> None:
    folder, port = tmp_path / "demo", free_port_run(PORTS)
    lead = Site(folder / "lead", "lead")
    with served(folder, port) as said:
        lacks, home = re.search(r"lacks its lines (\S+), see", said), re.search(r"polku --home (\S+) up", said)
        assert lacks
        assert home
        assert f"lines are missing: {lacks[1]}" in lead.polku("complete", fails=True)
        assert report(lead)["arrived"] is False
        address, page = re.search(r"see (http://[^/]+)(/\S+)", said).groups()
        user, once = re.search(r"lead: .*\n +user (\S+), one-time password (\S+)", said).groups()
        reader = Visitor(address, user, once)
        assert lacks[1] in reader.get(page)
        partner = Site(Path(home[1]), "node")
        partner.up()
        try:
            until(lambda: report(lead)["arrived"] is True, 60)
            assert figures(report(lead)) == ILLUSTRATIVE
            assert lacks[1] not in reader.get(page)
        finally:
            partner.down()
        assert lead.polku("complete").count("complete") == len(NODES)


def report(lead: Site) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lead.polku("report", "osallisuuden-askeleet", "--format", "json"))
    return found


def lines(report: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(row["node"], row["head"], row["watermark"], row["chain"]) for row in report["streams"]]
