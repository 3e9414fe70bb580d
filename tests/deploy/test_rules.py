"""Rules, runbooks and dashboard: each alert tested and explained, nothing asked for that nobody exposes."""

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from services.node.cli import polku
from services.node.documents import declare_all
from shared.ops.metrics import DECLARED
from shared.testing.promtool import promtool

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus/rules.yml"
CASES = sorted((DEPLOY / "prometheus/tests").glob("*.yml"))
RUNBOOKS = sorted((DEPLOY / "runbooks").glob("Polku*.md"))
HEADINGS = ["What it means", "Who acts", "First three steps"]
PROMETHEUS_OWN = {"up", "ALERTS"}
OWN_LABELS = {"job", "instance", "le"}
_WORDS = {"by", "without", "on", "ignoring", "and", "or", "unless", "bool", "offset", "group_left", "group_right"}


WORK = "work that was done, or who waits for whom: nothing is wrong"
UNWATCHED = {
    "polku_bus_connections_lost_total": "PolkuBrokerDown; links come and go",
    "polku_bus_follow_failures_total": "it is tried again; PolkuFollowerStuck and PolkuParkedLines if it goes on",
    "polku_bus_rejected_total": "what is none of ours has no effect",
    "polku_bus_replies_unclaimed_total": "the caller has gone; PolkuRpcSlow",
    "polku_bus_rpc_calls_total": "the caller's side of PolkuRpcFailing, PolkuProcessDown and PolkuBrokerDown",
    "polku_bus_wakeups_total": "a wake-up that is lost costs seconds",
    "polku_carrier_refused_total": "PolkuCarrierFailing at who is turned away; strangers are turned away all day",
    "polku_courier_failures_total": "the same as polku_courier_failing",
    "polku_courier_receipts_refused_total": "PolkuLinesUnreceipted, if a good one does not follow",
    "polku_courier_segments_total": WORK,
    "polku_courier_unreceipted_lines": "ages are watched, not depths: PolkuLinesUnreceipted",
    "polku_journal_parked_total": "those that are still parked: PolkuParkedLines",
    "polku_measurement_assessments_total": WORK,
    "polku_pathways_late_tasks": "the coordinator's, in the portal and by e-mail; not the operator's",
    "polku_pathways_lateness_seconds": "the coordinator's, as above",
    "polku_pathways_tasks_total": WORK,
    "polku_portal_logins_total": "guesses are slowed down and audited",
    "polku_portal_notices_total": "PolkuMailDown; an address that is refused is its user's",
    "polku_post_letters_total": WORK,
    "polku_receiver_failures_total": "the same as polku_receiver_failing",
    "polku_receiver_joins_total": WORK,
    "polku_receiver_lines_total": WORK,
    "polku_receiver_segments_total": WORK,
    "polku_reporting_lines_aside_total": "those that are aside now: PolkuLinesAside, PolkuNewerFacts",
    "polku_reporting_lines_derived_total": WORK,
}
"""Metrics that no alert asks for, and why none need."""


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}
RECORDED = {rule["record"]: rule for rule in rules() if "record" in rule}


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DEPLOY / "grafana/polku.json").read_text())
    return found


def queries() -> list[str]:
    """Everything that Grafana or Prometheus is told to compute."""
    panels = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())]
    return [*panels, *(rule["expr"] for rule in rules())]


def names_in(query: str) -> set[str]:
    """The metrics that a query asks for."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]', " ", query)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    words = re.findall(r"[a-zA-Z_:][\w:]*(?!\w|\s*\()", bare)
    return {word for word in words if word not in _WORDS}


def labels_in(query: str) -> set[str]:
    """The labels that a query selects or groups by."""
    chosen = {label for braces in re.findall(r"\{([^}]*)\}", query) for label in re.findall(r"(\w+)\s*[=!]", braces)}
    grouped = re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", query)
    return chosen | {label.strip() for group in grouped for label in group.split(",")}


def labels_of(name: str) -> set[str]:
    """The labels that a metric or record has."""
    if name in RECORDED:
        return set().union(*(labels_of(part) for part in names_in(RECORDED[name]["expr"])))
    declared = DECLARED.get(name) or DECLARED.get(re.sub(r"_(bucket|sum|count)$", "", name))
    return set(declared.labels) if declared else set()


def exists(name: str) -> bool:
    """A histogram is asked for by its buckets, sum or count; it has no value of its own."""
    declare_all()
    plain = {metric for metric, said in DECLARED.items() if said.kind != "histogram"}
    parts = {f"{metric}_{part}" for metric in DECLARED.keys() - plain for part in ("bucket", "sum", "count")}
    return name in plain | parts | RECORDED.keys() | PROMETHEUS_OWN


def test_promtool_takes_the_rules() -> None:
    done = promtool("check", "rules", str(RULES))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_case_of_every_rule_holds() -> None:
    done = promtool("test", "rules", *map(str, CASES))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    tests = [test for path in CASES for test in yaml.safe_load(path.read_text())["tests"]]
    checks = [check for test in tests for check in test.get("alert_rule_test", ())]
    assert {check["alertname"] for check in checks if check["exp_alerts"]} == set(ALERTS)
    assert {check["alertname"] for check in checks if not check["exp_alerts"]} == set(ALERTS)
    recorded = [
        name for test in tests for check in test.get("promql_expr_test", ()) for name in names_in(check["expr"])
    ]
    assert set(recorded) == set(RECORDED)


def test_every_metric_has_an_alert_or_a_reason_why_it_needs_none() -> None:
    declare_all()
    asked = {re.sub(r"_(bucket|sum|count)$", "", name) for rule in rules() for name in names_in(rule["expr"])}
    assert asked & DECLARED.keys() == DECLARED.keys() - UNWATCHED.keys()
    assert UNWATCHED.keys() <= DECLARED.keys()
    named = set(re.findall(r"Polku[A-Z]\w+", " ".join(UNWATCHED.values())))
    assert named <= ALERTS.keys()


@pytest.mark.parametrize("query", sorted(set(queries())))
def test_a_query_uses_only_what_is_declared_or_recorded(query: str) -> None:
    asked = names_in(query)
    assert asked, "it asks for nothing"
    assert [name for name in asked if not exists(name)] == []
    have = OWN_LABELS.union(*(labels_of(name) for name in asked))
    assert labels_in(query) <= have


def test_a_name_nobody_declared_is_found(tmp_path: Path) -> None:
    query = 'sum by (stream) (rate(polku_gone_total{reason!="x"}[5m])) / polku_bus_rpc_seconds > 2'
    assert names_in(query) == {"polku_gone_total", "polku_bus_rpc_seconds"}
    assert not any(exists(name) for name in names_in(query)), "a histogram has no value of its own"
    assert labels_in(query) == {"stream", "reason"}


def test_prometheus_can_compute_every_query_of_the_dashboard(tmp_path: Path) -> None:
    made = [{"record": f"check:{number}", "expr": query} for number, query in enumerate(queries())]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": made}]}))
    done = promtool("check", "rules", str(tmp_path / "rules.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboards_panels_have_numbers_of_their_own_and_places() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) == len(panels)
    told = " ".join(panel.get("description", "") for panel in panels)
    assert set(re.findall(r"Polku[A-Z]\w+", told)) == set(ALERTS), "each alert is seen somewhere"


# --- runbooks


def front_matter(path: Path) -> dict[str, Any]:
    _, matter, _ = path.read_text().split("---\n", 2)
    found: dict[str, Any] = yaml.safe_load(matter)
    return found


def test_there_is_one_runbook_per_alert_and_none_for_nothing() -> None:
    assert [path.stem for path in RUNBOOKS] == sorted(ALERTS)
    for name, rule in ALERTS.items():
        assert rule["annotations"]["runbook"] == f"deploy/runbooks/{name}.md"
        assert rule["labels"]["severity"] in ("page", "warn")


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_a_runbook_says_what_it_means_who_acts_and_three_steps_with_real_commands(path: Path) -> None:
    text = path.read_text()
    assert front_matter(path)["alert"] == path.stem
    assert set(front_matter(path)["with"]) <= set(ALERTS) - {path.stem}
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    steps = re.split(r"^\d\. ", text.split("## First three steps")[1], flags=re.MULTILINE)[1:]
    assert len(steps) == 3
    commands = [re.findall(r"^ {7}(\S.*)$", step, re.MULTILINE) for step in steps]
    assert all(commands), "a step without a command"
    ours = [words for step in commands for line in step if (words := line.split())[0] == "polku"]
    for words in ours:
        assert_is_a_command(words[1:])
    for metric in set(re.findall(r"\bpolku_[a-z_]+", text)):
        assert exists(metric) or any(name.startswith(metric.rstrip("_")) for name in DECLARED), metric


def assert_is_a_command(words: list[str]) -> None:
    """The words reach a command of this release, with options it has."""
    command: click.Command = polku
    left = iter(words)
    for word in left:
        if word == "--home":
            assert next(left).startswith("/")
        elif word.startswith("--"):
            assert word in {option for parameter in command.params for option in parameter.opts}, words
        elif isinstance(command, click.Group):
            found = command.commands.get(word)
            assert found is not None, words
            assert not found.hidden, words
            command = found
