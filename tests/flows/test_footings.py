"""The whole way of programme 3, by the commands people use, embedded and on PostgreSQL with RabbitMQ."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from shared.testing.broker import Broker
from shared.testing.postgres import new_database
from shared.testing.wait import until
from tests.flows.kit import OUTCOMES, PROGRAMME, PUBLISHED, Pair, figures, joined_pair, synthetic_set

RANDOM = {"node", "chain", "as_of", "manifest_at", "certificate"}
"""Members of a report that differ from run to run: times, random ids and what is computed from them."""


def whole_way(folder: Path, *environments: Mapping[str, str]) -> dict[str, Any]:
    with joined_pair(folder, *environments) as pair:
        csv = synthetic_set(folder)
        pair.node.polku("import", str(csv))
        report = pair.wait_until_arrived()
        assert_second_import_changes_nothing(pair, csv, report)
        assert "of whom without outcome: 1" in pair.node.polku("period", "confirm", PROGRAMME, "whole_project", "--yes")
        report = pair.wait_until_arrived()
        assert json.loads(pair.lead.polku("complete", "--json"))["complete"] is True
        # The node knows it by the lead's next receipt.
        until(lambda: json.loads(pair.node.polku("complete", "--json", fails=True))["complete"], 30)
    return report


def assert_second_import_changes_nothing(pair: Pair, csv: Path, before: dict[str, Any]) -> None:
    pair.node.polku("import", str(csv))
    after = pair.wait_until_arrived()
    moving = {"as_of", "certificate"}
    assert {k: v for k, v in after.items() if k not in moving} == {k: v for k, v in before.items() if k not in moving}


def without_random(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_random(member) for name, member in value.items() if name not in RANDOM}
    return [without_random(member) for member in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return whole_way(tmp_path_factory.mktemp("embedded"))


def test_embedded_homes_give_the_published_figures(embedded: dict[str, Any]) -> None:
    assert figures(embedded) == PUBLISHED
    assert embedded["arrived"] is True
    assert embedded["outcomes"] == OUTCOMES
    assert [row["partner"] for row in embedded["confirmed"]] == ["leader_association"]
    assert embedded["newer_facts"] == 0
    assert embedded["data_quality"]["refused_lines"] == 0


def test_postgresql_and_rabbitmq_give_the_same_report(
    embedded: dict[str, Any], tmp_path: Path, rabbitmq: Broker, postgres: int
) -> None:
    environments = [
        {"POLKU_DATABASE_URL": new_database(postgres), "POLKU_BUS_URL": rabbitmq.new_vhost()} for _ in range(2)
    ]
    full = whole_way(tmp_path, *environments)
    assert without_random(full) == without_random(embedded)
