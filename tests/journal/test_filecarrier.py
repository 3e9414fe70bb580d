"""The folder as a carrier, and what may lie in it."""

import errno
import os
import socket
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from shared.journal.carrier import JOIN, MANIFEST, RECEIPT, Found, Place
from shared.journal.filecarrier import FileCarrier
from shared.journal.statements import MAX_STATEMENT
from tests.journal.exchange_kit import STREAM

PLACE = Place(1, 4, 6)


@pytest.fixture
def carrier(tmp_path: Path) -> FileCarrier:
    return FileCarrier(tmp_path / "folder")


def opened(descriptor: Path) -> str:
    """What a descriptor of this process leads to; empty if it was closed meanwhile, as other tests' garbage is."""
    try:
        return os.readlink(descriptor)
    except FileNotFoundError:
        return ""


def home(carrier: FileCarrier) -> Path:
    return carrier.root / STREAM


def refused(reason: str) -> float:
    return REGISTRY.get_sample_value("polku_carrier_refused_total", {"reason": reason}) or 0.0


def test_the_layout_is_that_of_the_architecture(carrier: FileCarrier) -> None:
    carrier.write(STREAM, PLACE.name, b"segment")
    carrier.write(STREAM, MANIFEST, b"manifest")
    carrier.write(STREAM, RECEIPT, b"receipt")
    files = {
        str(path.relative_to(carrier.root)): path.read_bytes() for path in carrier.root.rglob("*") if path.is_file()
    }
    assert files == {
        f"{STREAM}/0001-000000000004-000000000006.seg": b"segment",
        f"{STREAM}/manifest": b"manifest",
        f"{STREAM}/receipt": b"receipt",
    }


def test_what_was_written_is_read(carrier: FileCarrier) -> None:
    carrier.write(STREAM, PLACE.name, b"segment")
    carrier.write(STREAM, MANIFEST, b"manifest")
    carrier.write(STREAM, RECEIPT, b"receipt")
    assert [found.place for found in carrier.list_segments(STREAM)] == [PLACE]
    assert carrier.list_segments(STREAM)[0].size == 7
    assert carrier.read(STREAM, PLACE.name, 100) == b"segment"
    assert carrier.read(STREAM, MANIFEST, MAX_STATEMENT + 1) == b"manifest"
    assert carrier.read(STREAM, RECEIPT, MAX_STATEMENT + 1) == b"receipt"


def test_a_folder_that_is_not_there_is_empty(carrier: FileCarrier) -> None:
    assert carrier.list_segments(STREAM) == []
    assert carrier.read(STREAM, PLACE.name, 100) is None
    assert carrier.read(STREAM, MANIFEST, MAX_STATEMENT + 1) is None
    carrier.delete(STREAM, PLACE.name)
    assert not carrier.root.exists()


def test_segments_come_in_the_order_of_their_lines(carrier: FileCarrier) -> None:
    places = [Place(1, 10, 12), Place(2, 1, 1), Place(1, 2, 9), Place(1, 1, 1)]
    for place in places:
        carrier.write(STREAM, place.name, b"x")
    assert [found.place for found in carrier.list_segments(STREAM)] == sorted(places)


def test_a_replaced_segment_has_another_version(carrier: FileCarrier) -> None:
    carrier.write(STREAM, PLACE.name, b"segment")
    (before,) = carrier.list_segments(STREAM)
    carrier.write(STREAM, PLACE.name, b"Segment")
    (after,) = carrier.list_segments(STREAM)
    assert before != after
    assert before.size == after.size


def test_deleting_a_segment_leaves_the_others(carrier: FileCarrier) -> None:
    carrier.write(STREAM, PLACE.name, b"x")
    carrier.write(STREAM, Place(1, 1, 3).name, b"x")
    carrier.delete(STREAM, PLACE.name)
    carrier.delete(STREAM, PLACE.name)
    assert [found.place for found in carrier.list_segments(STREAM)] == [Place(1, 1, 3)]


def test_no_more_is_read_than_asked_for(carrier: FileCarrier) -> None:
    carrier.write(STREAM, PLACE.name, b"x" * 1000)
    carrier.write(STREAM, MANIFEST, b"x" * 100_000)
    assert carrier.read(STREAM, PLACE.name, 10) == b"x" * 10
    assert len(carrier.read(STREAM, MANIFEST, MAX_STATEMENT + 1) or b"") == MAX_STATEMENT + 1


def test_part_files_and_foreign_names_are_passed_over(carrier: FileCarrier) -> None:
    carrier.write(STREAM, PLACE.name, b"x")
    for name in (
        "0001-000000000001-000000000003.seg.part",
        "1-1-3.seg",
        "0001-000000000001-000000000003.SEG",
        "notes.txt",
        "0001-00000000000\u0661-000000000003.seg",
    ):
        (home(carrier) / name).write_bytes(b"foreign")
    (home(carrier) / "0001-000000000007-000000000009.seg").mkdir()
    assert [found.place for found in carrier.list_segments(STREAM)] == [PLACE]


def test_symbolic_links_are_not_followed(carrier: FileCarrier, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    home(carrier).mkdir(parents=True)
    for name in (PLACE.name, "manifest", "receipt"):
        (home(carrier) / name).symlink_to(secret)
    assert carrier.list_segments(STREAM) == []
    assert carrier.read(STREAM, PLACE.name, 100) is None
    assert carrier.read(STREAM, MANIFEST, MAX_STATEMENT + 1) is None
    carrier.write(STREAM, MANIFEST, b"manifest")
    assert secret.read_bytes() == b"secret"
    assert carrier.read(STREAM, MANIFEST, MAX_STATEMENT + 1) == b"manifest"


@pytest.mark.parametrize("level", [0, 1])
def test_a_link_in_place_of_a_directory_is_not_entered(carrier: FileCarrier, tmp_path: Path, level: int) -> None:
    elsewhere = FileCarrier(tmp_path / "elsewhere")
    elsewhere.write(STREAM, PLACE.name, b"x")
    node, programme = STREAM.split("/")
    target, link = [
        (elsewhere.root / node, carrier.root / node),
        (elsewhere.root / node / programme, carrier.root / node / programme),
    ][level]
    link.parent.mkdir(parents=True)
    link.symlink_to(target)
    assert carrier.list_segments(STREAM) == []
    assert carrier.read(STREAM, PLACE.name, 100) is None
    with pytest.raises(OSError, match="Not a directory"):
        carrier.write(STREAM, PLACE.name, b"y")
    assert elsewhere.read(STREAM, PLACE.name, 100) == b"x"


def test_a_pipe_does_not_make_the_reader_wait(carrier: FileCarrier) -> None:
    home(carrier).mkdir(parents=True)
    os.mkfifo(home(carrier) / PLACE.name)
    os.mkfifo(home(carrier) / "manifest")
    assert carrier.list_segments(STREAM) == []
    assert carrier.read(STREAM, PLACE.name, 100) is None
    assert carrier.read(STREAM, MANIFEST, MAX_STATEMENT + 1) is None


@pytest.mark.parametrize("name", [JOIN, MANIFEST])
@pytest.mark.parametrize("what", ["directory", "socket"])
def test_what_is_no_file_is_passed_over_counted_and_leaves_no_descriptor_open(
    carrier: FileCarrier, name: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home(carrier).mkdir(parents=True)
    if what == "directory":
        (home(carrier) / name).mkdir()
    else:
        monkeypatch.chdir(home(carrier))  # a socket's path is short
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(name)
    counted = refused("no_file")
    assert [carrier.read(STREAM, name, 100) for _ in range(5)] == [None] * 5
    assert carrier.read_joins(100) == []
    assert [
        place for place in map(opened, Path("/proc/self/fd").iterdir()) if place.startswith(str(carrier.root))
    ] == []
    assert refused("no_file") == counted + 5 + (name == JOIN)


def test_an_answer_to_an_invite_that_cannot_be_read_holds_up_no_other(
    carrier: FileCarrier, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = "rauma-0a1b2c3e/lahde"
    for channel in (STREAM, other):
        carrier.write(channel, JOIN, b"sealed")
    bad, read = (home(carrier) / JOIN).stat().st_ino, os.open

    def refuses(name: str, flags: int, *mode: int, dir_fd: int | None = None) -> int:
        if name == JOIN and os.stat(name, dir_fd=dir_fd).st_ino == bad:
            raise PermissionError(errno.EACCES, "no", name)
        return read(name, flags, *mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", refuses)  # root may read anything
    counted = refused("unreadable")
    assert carrier.read_joins(100) == [b"sealed"]
    assert refused("unreadable") == counted + 1
    with pytest.raises(PermissionError):
        carrier.read(STREAM, JOIN, 100)
    assert "sealed" not in caplog.text


def test_a_part_file_left_by_a_crash_does_not_stop_the_next_write(carrier: FileCarrier) -> None:
    home(carrier).mkdir(parents=True)
    (home(carrier) / f"{PLACE.name}.part").write_bytes(b"half")
    carrier.write(STREAM, PLACE.name, b"whole")
    assert [path.name for path in home(carrier).iterdir()] == [PLACE.name]
    assert carrier.read(STREAM, PLACE.name, 100) == b"whole"


def test_a_stream_that_leads_out_of_the_folder_is_no_stream(carrier: FileCarrier) -> None:
    for stream in ("../x", "pori-0a1b2c3d/../..", "pori-0a1b2c3d", "/etc/passwd"):
        with pytest.raises(ValueError, match="not a channel"):
            carrier.read(stream, MANIFEST, MAX_STATEMENT + 1)


def test_found_sorts_by_place() -> None:
    assert sorted([Found(Place(1, 3, 4), 1, "b"), Found(Place(1, 1, 2), 9, "a")])[0].place.first == 1
