"""The benchmarks of the uplink with a handful of lines, so that they still run when somebody measures."""

import json
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from shared.testing.broker import Broker
from tests.bench import bench_scale, bench_uplink


def test_every_side_of_the_uplink_benchmark_gets_its_lines(rabbitmq: Broker, postgres: int) -> None:
    found = bench_uplink.measure(rabbitmq, postgres, 400, 40)
    assert {"nameko", "receipted", "derived", "COPY alone"} <= set(found)  # FastStream, Celery: where `make bench` was
    for name, row in found.items():
        assert row["lines"] == (40 if name in bench_uplink.RIVALS.values() else 400)
        assert row["per_second"] > 0
    assert found["receipted"]["receiver_peak_mb"] > 10


def test_the_limits_decide_and_the_result_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    speeds = {
        "FastStream": 1000.0,
        "nameko": 500.0,
        "Celery": 400.0,
        "receipted": 30_000.0,
        "derived": 12_000.0,
        "COPY alone": 300_000.0,
    }
    rows = {name: {"lines": 1.0, "seconds": 1.0, "per_second": speed} for name, speed in speeds.items()}
    monkeypatch.setattr(bench_uplink, "RESULT", tmp_path / "bench" / "uplink.json")
    monkeypatch.setattr(bench_uplink, "measure", lambda *_: rows)
    monkeypatch.setattr(bench_uplink, "hosted", lambda: nullcontext((None, 0)))
    assert bench_uplink.main(1, 1) == 0
    assert json.loads(bench_uplink.RESULT.read_text())["rows"]["derived"]["times_the_better"] == 12
    rows["nameko"]["per_second"] = 1001.0
    assert bench_uplink.main(1, 1) == 1
    assert "of COPY" in capsys.readouterr().out
    del rows["FastStream"]
    with pytest.raises(SystemExit, match="FastStream"):
        bench_uplink.main(1, 1)


def test_a_lead_of_several_nodes_is_measured(rabbitmq: Broker, postgres: int) -> None:
    row = bench_scale.one(rabbitmq, postgres, nodes=3, lines=120)
    assert row["lines"] == 360
    rows = dict.fromkeys(("one", "ten_times", "few_nodes", "many_nodes"), row)
    assert set(bench_scale.LIMITS) < set(bench_scale.ratios(rows))


@pytest.mark.parametrize(
    ("program", "seconds", "said"),
    [
        ("raise SystemExit('the disk is full')", 60.0, "B has ended: the disk is full"),
        (
            "import sys, time; print('no lines come', file=sys.stderr, flush=True); time.sleep(60)",
            1.0,
            "of A: .*B: no lines",
        ),
    ],
)
def test_a_side_that_dies_or_hangs_ends_the_measurement_with_its_last_words(
    program: str, seconds: float, said: str
) -> None:
    waiting = [sys.executable, "-c", "input()"]
    with bench_uplink.started("A", waiting) as a, bench_uplink.started("B", [sys.executable, "-c", program]) as b:
        with pytest.raises(RuntimeError, match=said):
            bench_uplink.hear([a, b], seconds)
