"""`polku demo`: the published figures on stdout and nothing else; a second start adds nothing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.flows.kit import OUTCOMES, PUBLISHED, figures, free_port_triple


def demo(folder: Path, port: int) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "services.node", "demo", "--dir", str(folder), "--port", str(port), "--once"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    reports: list[dict[str, Any]] = json.loads(done.stdout)
    return reports


def test_demo_prints_the_published_figures_and_a_second_start_adds_no_line(tmp_path: Path) -> None:
    port = free_port_triple()
    first = demo(tmp_path, port)
    assert [report["programme"] for report in first] == ["lahde-mukaan"]
    assert figures(first[0]) == PUBLISHED
    assert first[0]["outcomes"] == OUTCOMES
    assert first[0]["arrived"] is True
    assert [(row["partner"], row["period"]) for row in first[0]["confirmed"]] == [
        ("leader_association", "whole_project")
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lead", "leader-association"]
    second = demo(tmp_path, port)
    assert [lines(report) for report in second] == [lines(report) for report in first]
    for member in ("activities", "outcomes", "confirmed"):
        assert [report[member] for report in second] == [report[member] for report in first]


def lines(report: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(row["node"], row["head"], row["watermark"], row["chain"]) for row in report["streams"]]
