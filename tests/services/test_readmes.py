"""A service's README names what the service has: its files, what it answers and what it hears."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from services.node.documents import ROOT
from shared.contracts.catalogue import FACTS

SERVICES = [path.parent for path in sorted((ROOT / "services").glob("*/README.md"))]
EACH = pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
KINDS = {fact.__name__: fact.kind.partition(".")[2] for fact in FACTS.values()}


def _named(service: Path) -> set[str]:
    """What stands between backticks, also behind a service's or a folder's name, and as a pattern."""
    spoken = re.findall(r"`([^`\n]+)`", (service / "README.md").read_text(encoding="utf-8"))
    return {part for word in spoken for part in (word, word.rpartition(".")[2])}


def _marked(service: Path, mark: str) -> set[str]:
    return {found for path in service.glob("*.py") for found in re.findall(mark, path.read_text(encoding="utf-8"))}


@EACH
def test_each_file_of_a_service_is_named_in_its_readme(service: Path) -> None:
    named, files = _named(service), {path.name for path in service.glob("*.py")} - {"__init__.py"}
    assert {
        name for name in files if not any(fnmatch(name, known) for known in named if known.endswith(".py"))
    } == set()


@EACH
def test_each_method_and_each_fact_that_is_heard_is_named_in_its_readme(service: Path) -> None:
    named = _named(service)
    assert _marked(service, r"@rpc\n    def (\w+)") - named == set()
    assert {KINDS[fact] for fact in _marked(service, r"@subscribes\(([A-Z]\w+)\)")} - named == set()


@EACH
def test_each_file_that_a_readme_names_is_there(service: Path) -> None:
    files = {path.name for path in service.glob("*.py")}
    tables = [line for line in (service / "README.md").read_text().splitlines() if line.startswith("| `")]
    named = {name for line in tables for name in re.findall(r"`(\w+\.py)`", line)}
    assert named - files == set()
