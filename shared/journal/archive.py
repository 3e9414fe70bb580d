"""An archive of a programme: files with a signed manifest of them all, to be checked without a home or a database.

    manifest.json   what it is about, who keeps what until when, and path, size and SHA-256 of every other file
    manifest.sig    the Ed25519 signature of the home that made it over "polku-archive-1" ‖ manifest.json, in hex

`personal/` alone holds data about people and is deleted when its time is over: an archive without it is whole. If it
holds the stream (`personal/stream.txt`, lines as in segments: an erased one as `#` and its SHA-256 in hex), the chain
over it must be the one that the manifest names.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from shared.journal import crypto
from shared.journal.lines import chain_next, chain_start, line_digest

CONTEXT = b"polku-archive-1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
PERSONAL, STREAM = "personal", "personal/stream.txt"
MAX_MANIFEST = 64 * 1024 * 1024
_PIECE = 1024 * 1024


class ArchiveRefused(ValueError):
    """It is not what was archived; the text says in one line what differs."""


@dataclass(frozen=True, slots=True)
class Checked:
    """An archive that is what its home signed. `gone`: files of `personal/` that are not there any more."""

    manifest: Mapping[str, Any]
    key: bytes
    files: int
    gone: int


def write_manifest(folder: Path, said: Mapping[str, Any], signer: crypto.Key) -> None:
    """Sign what lies in `folder`; `said` stands before the list of files."""
    assert signer.public is not None
    files = [{"path": name, "sha256": _digest(folder / name), "bytes": size} for name, size in _listed(folder)]
    encoded = (json.dumps({**said, "key": signer.public.hex(), "files": files}, indent=1) + "\n").encode()
    (folder / MANIFEST).write_bytes(encoded)
    (folder / SIGNATURE).write_text(crypto.sign(signer.secret(), CONTEXT, encoded).hex() + "\n", encoding="ascii")


def _listed(folder: Path) -> Iterator[tuple[str, int]]:
    """Every file but the manifest and its signature, by name. Raises `ArchiveRefused` for what is neither file nor
    folder."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise ArchiveRefused(f"{name}: neither a file nor a folder")
        if path.is_file() and name not in (MANIFEST, SIGNATURE):
            yield name, path.stat().st_size


def _digest(path: Path) -> str:
    hashed = sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            hashed.update(piece)
    return hashed.hexdigest()


def check(folder: Path) -> Checked:
    """Everything that can be checked of an archive by itself. Raises `ArchiveRefused`."""
    said, key = _read(folder)
    there = dict(_listed(folder))
    try:
        named = {str(each["path"]): (str(each["sha256"]), int(each["bytes"])) for each in said["files"]}
    except (LookupError, TypeError, ValueError):
        raise ArchiveRefused("the manifest is malformed") from None
    if strange := sorted(there.keys() - named.keys()):
        raise ArchiveRefused(f"{strange[0]}: is not in the manifest")
    gone = sorted(named.keys() - there.keys())
    if lost := [name for name in gone if not name.startswith(f"{PERSONAL}/")]:
        raise ArchiveRefused(f"{lost[0]}: is missing")
    for name, size in there.items():
        if (_digest(folder / name), size) != named[name]:
            raise ArchiveRefused(f"{name}: was changed")
    if STREAM in there:
        _check_chain(folder, said)
    return Checked(said, key, len(there), len(gone))


def _read(folder: Path) -> tuple[Mapping[str, Any], bytes]:
    try:
        if (folder / MANIFEST).stat().st_size > MAX_MANIFEST:
            raise ArchiveRefused("the manifest is malformed")
        encoded = (folder / MANIFEST).read_bytes()
        said, signed = json.loads(encoded), bytes.fromhex((folder / SIGNATURE).read_text(encoding="ascii").strip())
        key = bytes.fromhex(said["key"])
    except OSError:
        raise ArchiveRefused("the manifest or its signature is missing") from None
    except (ValueError, LookupError, TypeError, RecursionError):
        raise ArchiveRefused("the manifest is malformed") from None
    if not isinstance(said, dict) or not crypto.verify(key, signed, CONTEXT, encoded):
        raise ArchiveRefused("the manifest is not signed by the key that it names")
    return said, key


def _check_chain(folder: Path, said: Mapping[str, Any]) -> None:
    chain, count = chain_start(str(said.get("stream"))), 0
    for line in (folder / STREAM).read_bytes().splitlines():
        try:
            digest = bytes.fromhex(line[1:].decode("ascii")) if line.startswith(b"#") else line_digest(line)
        except ValueError:
            raise ArchiveRefused(f"{STREAM}: no stream") from None
        chain, count = chain_next(chain, digest), count + 1
    if (count, chain.hex()) != (said.get("lines"), said.get("chain")):
        raise ArchiveRefused(f"{STREAM}: its chain is another than that of the manifest")
