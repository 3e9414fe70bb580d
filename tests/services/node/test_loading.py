"""`polku programme load --dry-run`: what would move, and what forbids it with the line of the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from services.node import loadingcli
from shared.programmes.checking import SCHEMA_FILE


class Services:
    """A home's services: what they answer, and what they were asked."""

    def __init__(self, problems: list[dict[str, str]]) -> None:
        move = {"list": "steps", "key": "old", "becomes": None, "lines": 4, "people": 2, "now": 1}
        self.told = {"programme": "kuntsari", "digest": "d" * 64, "new": True, "partners": ["foundation"],
                     "moves": [move], "problems": problems, "apart": 1, "merged": 0}  # fmt: skip
        self.asked: list[tuple[str, str]] = []

    def call(self, service: str, method: str, **_: Any) -> dict[str, Any]:
        self.asked.append((service, method))
        return self.told if method == "rehearse_programme" else {"programme": "kuntsari", "digest": "d" * 64, "pos": 7}


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Services:
    made = Services(request.param)

    @contextmanager
    def services_of(_home: Any) -> Iterator[Services]:
        yield made

    monkeypatch.setattr(loadingcli, "services_of", services_of)
    return made


FILE = SCHEMA_FILE.parent / "kuntsari.yaml"
LEAD: Any = SimpleNamespace(role="lead")
STEP_LINE = next(n for n, text in enumerate(FILE.read_text(encoding="utf-8").splitlines(), 1) if text == "steps:") + 1
GONE = [{"path": "steps", "reason": '"old" is gone, but 4 lines have it'}]


@pytest.mark.parametrize("services", [GONE], indirect=True)
def test_what_forbids_it_is_told_with_its_line_and_nothing_is_loaded(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    assert loadingcli.run(LEAD, FILE, dry_run=False, as_json=False) == 2
    err = capsys.readouterr().err
    line = int(err.partition("line ")[2].partition(":")[0])
    assert abs(line - STEP_LINE) <= 1
    assert '"old" is gone' in err
    assert services.asked == [("reporting", "rehearse_programme")]


@pytest.mark.parametrize("services", [[]], indirect=True)
def test_a_dry_run_says_who_would_move_and_loads_nothing(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    assert loadingcli.run(LEAD, FILE, dry_run=True, as_json=False) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "kuntsari dddddddddddd would be loaded",
        "goes to: foundation",
        "steps: old → NOT MAPPED: 2 people, 1 on it now, 4 lines",
        "1 people would be on steps of which one is alone",
    ]
    assert services.asked == [("reporting", "rehearse_programme")]
    assert loadingcli.run(LEAD, FILE, dry_run=False, as_json=False) == 0
    assert services.asked[-1] == ("reporting", "load_programme")
    assert capsys.readouterr().out == "kuntsari dddddddddddd loaded\n"


@pytest.mark.parametrize("services", [[]], indirect=True)
def test_a_broken_file_reaches_no_service(services: Services, tmp_path: Path) -> None:
    broken = tmp_path / "kuntsari.yaml"
    broken.write_text("key: kuntsari\n", encoding="utf-8")
    assert loadingcli.run(LEAD, broken, dry_run=True, as_json=False) == 2
    assert services.asked == []
