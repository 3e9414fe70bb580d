"""The whole way with every process on its own, with the PostgreSQL role and the broker rights of the compose file."""

import time
import urllib.request
from collections.abc import Iterator

import pytest

from shared.testing.broker import Broker
from tests.flows.full import FullSite, full_pair
from tests.flows.kit import PUBLISHED, Pair, figures, synthetic_set


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, rabbitmq: Broker, postgres: int) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("full")
    with full_pair(folder, rabbitmq, postgres) as made:
        made.node.polku("import", str(synthetic_set(folder)))
        yield made


def both(pair: Pair) -> list[FullSite]:
    return [site for site in (pair.lead, pair.node) if isinstance(site, FullSite)]


def test_every_role_can_do_its_job_and_the_figures_are_the_published_ones(pair: Pair) -> None:
    report = pair.wait_until_arrived()
    assert figures(report) == PUBLISHED
    assert report["data_quality"]["refused_lines"] == 0


def test_a_user_made_as_the_portals_role_can_reach_the_login_page(pair: Pair) -> None:
    for site in both(pair):
        role = "reporter" if site.role == "lead" else "case_worker"
        assert site.polku("user", "add", "tester", "--role", role)
        port = site.running["portal"].home.path.joinpath("home.toml").read_text().split("port = ")[1].split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/login", timeout=10) as page:
            assert page.status == 200


def test_no_process_says_anything_above_information(pair: Pair) -> None:
    for site in both(pair):
        for name in site.running:
            log = (site.path / f"{name}.log").read_text()
            assert '"level": "error"' not in log, log
            assert "Traceback" not in log


def test_each_process_ends_in_good_order_within_ten_seconds_of_sigterm(pair: Pair) -> None:
    for site in both(pair):
        for name, process in site.running.items():
            began = time.monotonic()
            assert process.stop() == 0, name
            assert time.monotonic() - began < 10, name
