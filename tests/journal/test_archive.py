"""The folder of an archive: what was changed in it is said, and that its personal part is gone is no change."""

from collections.abc import Callable
from pathlib import Path

import pytest

from shared.journal.archive import MANIFEST, STREAM, ArchiveRefused, check, write_manifest
from shared.journal.lines import chain_next, chain_start, line_digest
from tests.journal.exchange_kit import STREAM as NAME
from tests.journal.exchange_kit import a_line, make_key

KEY = make_key("signing")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three lines, one of them erased, and a document."""
    made = tmp_path / "archive"
    for name in ("documents", "personal"):
        (made / name).mkdir(parents=True)
    (made / "documents" / "programme.json").write_text("{}\n")
    lines, chain = [a_line(seq) for seq in (1, 2, 3)], chain_start(NAME)
    for line in lines:
        chain = chain_next(chain, line_digest(line))
    lines[1] = b"#" + line_digest(lines[1]).hex().encode()
    (made / STREAM).write_bytes(b"".join(line + b"\n" for line in lines))
    write_manifest(made, {"stream": NAME, "lines": 3, "chain": chain.hex()}, KEY)
    return made


def test_an_archive_is_what_its_home_signed(folder: Path) -> None:
    checked = check(folder)
    assert (checked.key, checked.files, checked.gone) == (KEY.public, 2, 0)
    (folder / STREAM).unlink()
    (folder / "personal").rmdir()
    assert check(folder).gone == 1


def changed(folder: Path) -> None:
    (folder / "documents" / "programme.json").write_text("{ }")


def added(folder: Path) -> None:
    (folder / "documents" / "more.json").write_text("{}")


def lost(folder: Path) -> None:
    (folder / "documents" / "programme.json").unlink()


def linked(folder: Path) -> None:
    (folder / "documents" / "etc").symlink_to("/etc/hosts")


def edited(folder: Path) -> None:
    said = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(said.replace('"lines": 3', '"lines": 2'))


def signed_by_nobody(folder: Path) -> None:
    (folder / "manifest.sig").unlink()


@pytest.mark.parametrize("damage", [changed, added, lost, linked, edited, signed_by_nobody], ids=lambda d: d.__name__)
def test_whatever_was_changed_is_refused(folder: Path, damage: Callable[[Path], None]) -> None:
    damage(folder)
    with pytest.raises(ArchiveRefused):
        check(folder)


def test_lines_that_do_not_lead_to_the_chain_are_refused_whoever_signed_them(folder: Path) -> None:
    write_manifest(folder, {"stream": NAME, "lines": 3, "chain": "00" * 32}, KEY)
    with pytest.raises(ArchiveRefused, match="its chain is another"):
        check(folder)
