"""promtool, of Debian's prometheus: checks metrics, and says which alerts fire on what processes expose."""

import math
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from prometheus_client.parser import text_string_to_metric_families

from shared.testing.private import CannotRun, find_program, give_up

BEFORE, HELD = 5, 120
"""Minutes that the series stand as they were before the fault, and as they were after it."""
_FIRED = 'group by (alertname) (max_over_time(ALERTS{alertstate="firing"}[1d]))'
_LABEL = re.compile(r'alertname="(\w+)"')


def promtool(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run promtool; without it the test is skipped, or fails where CI is set."""
    try:
        program = find_program("promtool")
    except CannotRun as reason:
        give_up(reason)
    return subprocess.run([program, *arguments], input=given, capture_output=True, text=True, timeout=60)


@dataclass(frozen=True, slots=True)
class Scraped:
    """A process as Prometheus sees it: what `/metrics` said before and after the fault, None if it did not answer.

    `before_at` and `after_at` are the times of both, in seconds since 1970.
    """

    job: str
    instance: str
    before: str | None
    after: str | None
    before_at: float
    after_at: float


def fired(rules: Path, scraped: Sequence[Scraped], folder: Path) -> set[str]:
    """The alerts of `rules` that fire if the processes stay as they are after the fault for `HELD` minutes."""
    series = [row for process in scraped for row in _series(process)]
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series],
        "promql_expr_test": [{"expr": _FIRED, "eval_time": f"{BEFORE + HELD}m", "exp_samples": []}],
    }
    file = folder / "fired.yml"
    whole = {"rule_files": [str(rules.absolute())], "evaluation_interval": "1m", "tests": [test]}
    file.write_text(yaml.safe_dump(whole), encoding="utf-8")
    done = promtool("test", "rules", str(file))
    if done.returncode == 0:
        return set()
    found = set(_LABEL.findall(done.stdout + done.stderr))
    assert found, done.stdout + done.stderr
    return found


def _series(process: Scraped) -> list[tuple[str, str]]:
    own = {"job": process.job, "instance": process.instance}
    before, after = (_samples(text) for text in (process.before, process.after))
    rows = [
        (_name("up", own), f"{int(process.before is not None)}x{BEFORE - 1} {int(process.after is not None)}x{HELD}")
    ]
    for name, labels in sorted(before.keys() | after.keys()):
        # A time does not stand still in a process that is well: what stays the same is how long ago it was.
        step = 60 if name.endswith("_timestamp_seconds") else 0
        was, becomes = before.get((name, labels)), after.get((name, labels))
        if step:
            was = None if was is None else was - process.before_at
            becomes = None if becomes is None else becomes - process.after_at + BEFORE * 60
        values = f"{_run(was, step, BEFORE - 1)} {_run(becomes, step, HELD)}"
        rows.append((_name(name, dict(labels) | own), values))
    return rows


def _samples(text: str | None) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(text or "")
    samples = [sample for family in families for sample in family.samples if sample.name.startswith("polku_")]
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}


def _run(value: float | None, step: int, times: int) -> str:
    """`times` + 1 samples."""
    if value is None:
        return " ".join("_" * (times + 1))
    number = "Inf" if math.isinf(value) else f"{value:.6f}"
    return f"{number}+{step}x{times}"


def _name(name: str, labels: dict[str, str]) -> str:
    return name + "{" + ",".join(f'{key}="{value}"' for key, value in sorted(labels.items())) + "}"
