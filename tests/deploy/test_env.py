"""`make env`: secrets made once, readable by their owner alone, complete for the compose file."""

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.make_env import asked_for, main, missing_lines, rabbitmq_hash
from tests.deploy.compose import FILE, ROOT

SMALL = "a: ${LEAD_BUS_HASH:?run}\nb: ${LEAD_BUS_PASSWORD:?run}\nc: ${PORT:-8400}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "docker-compose.yml").write_text(SMALL)
    return tmp_path


def values(folder: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (folder / ".env").read_text().splitlines())


def test_every_secret_of_the_compose_file_is_made_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").write_bytes(FILE.read_bytes())
    subprocess.run([sys.executable, str(ROOT / "deploy" / "make_env.py"), str(tmp_path)], check=True, umask=0)
    made = values(tmp_path)
    assert list(made) == asked_for(FILE.read_text())
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    passwords = [value for name, value in made.items() if name.endswith("PASSWORD")]
    assert all(re.fullmatch("[0-9a-f]{48}", value) for value in passwords)
    assert len(set(passwords)) == len(passwords) > 10


def test_a_second_time_nothing_is_changed(folder: Path) -> None:
    main(folder)
    before = (folder / ".env").read_bytes()
    main(folder)
    assert (folder / ".env").read_bytes() == before


def test_what_a_person_has_set_stays_and_only_what_is_missing_is_added(folder: Path) -> None:
    (folder / ".env").write_text("LEAD_BUS_PASSWORD=mine\nPORT=1")
    main(folder)
    lines = (folder / ".env").read_text().splitlines()
    assert lines[:2] == ["LEAD_BUS_PASSWORD=mine", "PORT=1"]
    assert [line.partition("=")[0] for line in lines[2:]] == ["LEAD_BUS_HASH"]


def test_the_hash_is_the_one_of_rabbitmqs_own_documentation() -> None:
    # https://www.rabbitmq.com/docs/passwords: password "test12", salt 908DC60A
    assert rabbitmq_hash("test12", bytes.fromhex("908DC60A")) == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"


def test_no_two_runs_make_the_same_secret() -> None:
    assert not set(missing_lines(SMALL, "")) & set(missing_lines(SMALL, ""))
