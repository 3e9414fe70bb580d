"""`polku backup` and `polku restore`: one encrypted snapshot of a home, and the only way back.

A backup is a `sealedfile` whose header holds the recovery key's public half (`recovery`) and the file's own key sealed
to it. Inside: zstd of JSON values, one a line: what it is, the key files, home.toml and the logos, every row of the
database (`shared.storage.dump`), an end. It is read in one snapshot while the home runs, and fits SQLite and PostgreSQL
alike.

A restore reads the file twice: once to the end, so that nothing is begun from a file that is changed or cut off, then
into a directory beside the home's, which takes the home's name as the last step.
"""

import base64
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import zstandard
from sqlalchemy import Engine

from services.node.opening import open_database
from services.node.recovery import FILE as RECOVERY
from services.node.recovery import RecoveryKey, read_recovery_key, recovery_key
from services.portal import logos
from services.reporting.partner_store import has_members
from shared.contracts.errors import DatabaseNewer, HomeUnusable, InvalidBackup
from shared.journal.crypto import KEY_FILE, CannotOpen, open_sealed, seal
from shared.journal.holding import hold
from shared.journal.received import forget_incarnation
from shared.ops.clock import wire_time
from shared.ops.settings import Home, load_home
from shared.storage import snapshot, transaction
from shared.storage.dump import UnknownTable, dump_rows, is_empty, load_rows
from shared.storage.migrate import known_revisions, revisions
from shared.storage.sealedfile import FileChanged, NotASealedFile, SealedWriter, read_header, read_pieces

MAGIC = b"POLKU-BACKUP-1\n"
_INFO = b"polku-backup-1"
CHANGED = "it was changed or is not complete"


def back_up(home: Home, file: Path, now: datetime, *, new_passphrase: bool = False) -> str | None:
    """Write a backup of the home, running or not, to `file`, which must not exist; a new passphrase if one was made."""
    if file.exists():
        raise InvalidBackup(reason=f"{file} exists already; backups are not replaced")
    engine = open_database(home)
    key, passphrase = recovery_key(home.keys, renew=new_passphrase)
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        _write(home, engine, key, out, now)
        out.flush()
        os.fsync(out.fileno())
    part.rename(file)
    engine.dispose()
    return passphrase


def _write(home: Home, engine: Engine, key: RecoveryKey, out: BinaryIO, now: datetime) -> None:
    file_key = secrets.token_bytes(32)
    says = key.to_json()
    sealed = seal(bytes.fromhex(key.public), _INFO + says.encode(), file_key)
    writer = SealedWriter(out, MAGIC, json.dumps({"recovery": says, "key": sealed.hex()}).encode(), file_key)
    packer = zstandard.ZstdCompressor(level=6).compressobj()

    def put(record: Any) -> None:
        writer.write(packer.compress(json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"))

    with snapshot(engine) as connection:
        # The snapshot stands before the key files are read: a key is written before the first row that needs it.
        at = {"at": wire_time(now), "revisions": sorted(revisions(connection))}
        put({"polku_backup": 1, "role": home.role, "name": home.name, **at})
        put({"file": "home.toml", "content": _b64(home.path / "home.toml")})
        for path in sorted(home.keys.iterdir()):
            if KEY_FILE.fullmatch(path.name) or path.name == RECOVERY or path.name.startswith("broker."):
                put({"file": f"keys/{path.name}", "content": _b64(path)})
        for name, content in logos.contents(home.path).items():
            put({"file": f"{logos.FOLDER}/{name}", "content": content})
        put({"rows": True})
        for record in dump_rows(connection):
            put(record)
    put({"end": True})
    writer.write(packer.flush())
    writer.close()


def _b64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def restore(file: Path, path: Path, passphrase: Callable[[], str], now: datetime) -> Home:
    """Make the home `path` from a backup. It is held until its leads, or its nodes, have answered.

    Raises `InvalidBackup`, or `HomeUnusable` if a home, or anything else, is there already.
    """
    path = path.absolute()
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise HomeUnusable(home=str(path), reason="something is there already; restore into a new or emptied directory")
    with file.open("rb") as data:
        try:
            key, header = _open(data, passphrase)
            return _restore(lambda: _records(data, header, key), path, now)
        except NotASealedFile:
            raise InvalidBackup(reason="it is not a backup of this release") from None
        except FileChanged:
            raise InvalidBackup(reason=CHANGED) from None


def _open(data: BinaryIO, passphrase: Callable[[], str]) -> tuple[bytes, bytes]:
    """The file's key and its header."""
    header = read_header(data, MAGIC)
    try:
        members = json.loads(header)
        says, sealed = str(members["recovery"]), bytes.fromhex(members["key"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise FileChanged from None
    private = read_recovery_key(says).private(passphrase())
    try:
        return open_sealed(private, _INFO + says.encode(), sealed), header
    except CannotOpen:
        raise FileChanged from None


def _records(data: BinaryIO, header: bytes, key: bytes) -> Iterator[Any]:
    """The values inside, from the first on."""
    data.seek(0)
    read_header(data, MAGIC)
    unpacker, rest = zstandard.ZstdDecompressor().decompressobj(), b""
    for piece in read_pieces(data, MAGIC, header, key):
        *lines, rest = (rest + unpacker.decompress(piece)).split(b"\n")
        yield from map(json.loads, lines)


def _restore(records: Callable[[], Iterator[Any]], path: Path, now: datetime) -> Home:
    about: dict[str, Any] = {}
    last: Any = None
    for last in records():
        about = about or last
    if about.get("polku_backup") != 1 or last != {"end": True}:
        raise InvalidBackup(reason=CHANGED)
    if unknown := sorted(set(about["revisions"]) - known_revisions()):
        raise DatabaseNewer(revision=unknown[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    building = path.with_name(f"{path.name}.restoring-{secrets.token_hex(4)}")
    try:
        (building / "keys").mkdir(mode=0o700, parents=True)
        (building / logos.FOLDER).mkdir()
        building.chmod(0o700)
        _build(records(), building, now)
        building.rename(path)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return load_home(path)


def _build(records: Iterator[Any], building: Path, now: datetime) -> None:
    _write_files(records, building)
    home = load_home(building)
    engine = open_database(home, new=True)
    with transaction(engine) as connection:
        if not is_empty(connection):
            raise HomeUnusable(home="-", reason="its database is not empty; restore into a new or emptied one")
        try:
            load_rows(connection, (r for r in records if not (isinstance(r, dict) and "end" in r)))
        except UnknownTable:
            raise InvalidBackup(reason="it has tables that this release does not know") from None
        if home.joined or has_members(connection):
            hold(connection, wire_time(now), home.name)
        forget_incarnation(connection)
    engine.dispose()
    if home.role == "lead":
        home.inbox.mkdir(exist_ok=True)


def _write_files(stream: Iterator[Any], building: Path) -> None:
    """The files at the beginning, up to where the rows begin."""
    next(stream)
    for record in stream:
        if "rows" in record:
            return
        name = Path(record["file"])
        known = {("home.toml",), ("keys", name.name), (logos.FOLDER, name.name)}
        target = building / (name if name.parts in known else "unknown")
        mode = 0o644 if name.suffix in (".pub", ".toml", *logos.ENDINGS) else 0o600
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(base64.b64decode(record["content"]))
