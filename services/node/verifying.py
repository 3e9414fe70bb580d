"""`polku verify`: a report's certificate, by the file alone.

A home only tells which keys are known already ("pinned"): a node's home those of its leads, a lead's its own.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import click
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from services.node.terms import pinned
from shared.contracts.errors import InvalidInput
from shared.contracts.fields import HEX32
from shared.journal.archive import MANIFEST, ArchiveRefused
from shared.journal.archive import check as check_archive
from shared.journal.certificate import Certificate, CertificateRefused, Form, NoCertificate, StreamProof, check
from shared.journal.crypto import key_id, load_keys
from shared.journal.directory import member
from shared.journal.fingerprint import fingerprint, read_fingerprint
from shared.journal.releases import releases
from shared.ops.clock import wire_time
from shared.ops.settings import Home, load_home
from shared.storage import open_engine, snapshot


def run(file: Path, home: Path, words: str | None) -> int:
    """Say what holds of `file`; the exit code. Raises `InvalidInput` where there is nothing to verify."""
    wanted = None if words is None else read_fingerprint(words)
    if words is not None and wanted is None:
        raise InvalidInput(field="--key", reason="not the six words of a key")
    if file.is_dir():
        if not (file / MANIFEST).exists():
            raise InvalidInput(field="FILE", reason="a folder that is no archive")
        return _archive(file, home, wanted)
    data = file.read_bytes()
    known = load_home(home) if (home / "home.toml").exists() else None
    try:
        form, certificate = check(data)
        release = _check_members(data, certificate) if form == "json" else None
        is_pinned = _is_pinned(certificate, known, wanted)
        warnings = list(_strange_keys(certificate, known))
        told = _told(data, certificate.proof.programme, release, known) if release else ""
    except NoCertificate as error:
        raise InvalidInput(field="FILE", reason=str(error)) from None
    except CertificateRefused as refused:
        click.echo(f"polku: {file.name}: {refused}", err=True)
        return 1
    for line in (*said(form, certificate, is_pinned, told), *warnings):
        click.echo(line)
    return 0


def _archive(folder: Path, home: Path, wanted: str | None) -> int:
    try:
        checked = check_archive(folder)
        words = fingerprint(checked.key)
        if wanted is not None and wanted != words:
            raise ArchiveRefused(f"it is signed by {words}, not by {wanted}")
    except ArchiveRefused as refused:
        click.echo(f"polku: {folder.name}: {_plain(refused)}", err=True)
        return 1
    own = (home / "home.toml").exists() and checked.key in load_keys(home / "keys").publics("signing").values()
    known = "pinned" if own or wanted is not None else "not pinned"
    said = {name: _plain(checked.manifest.get(name)) for name in ("home", "programme", "made_at", "personal_until")}
    click.echo(f"unaltered; signed by {said['home']} {words} ({known})")
    click.echo(f"  archive of {said['programme']}, made {said['made_at']}: {checked.files} files")
    if lacking := checked.manifest.get("lacking"):
        click.echo(f"  not whole: {_plain(lacking)} lines that the lead has are not in it")
    if checked.gone:
        click.echo(f"  personal data: {checked.gone} files are not there any more")
    elif checked.manifest.get("role") == "node":
        click.echo(f"  personal data: kept until {said['personal_until'] or 'a day that nobody has said'}")
    return 0


def _plain(value: object) -> str:
    """What somebody has written into a manifest, so that no terminal obeys it."""
    text = "" if value is None else str(value)[:80]
    return "".join(c if c.isprintable() else "?" for c in text)


def _is_pinned(certificate: Certificate, home: Home | None, wanted: str | None) -> bool:
    """Whether the key that signed is one that was known before; a known key that is another one is a refusal."""
    signed_by = fingerprint(certificate.key)
    if wanted is not None and wanted != signed_by:
        raise CertificateRefused(f"it is signed by {signed_by}, not by {wanted}")
    if home is None:
        return wanted is not None
    if home.role == "lead":
        return wanted is not None or certificate.key in load_keys(home.keys).publics("signing").values()
    places = [pinned(place) for place in home.joined if place.programme == certificate.proof.programme]
    leads = [key for known in places for key in (known.signing_key, *(key for key, _ in known.former))]
    if leads and certificate.key not in leads:
        raise CertificateRefused(f"it is signed by {signed_by}, which is not the key of this home's lead")
    return wanted is not None or bool(leads)


def _strange_keys(certificate: Certificate, home: Home | None) -> Iterator[str]:
    """What to know of keys that the certificate names for a node's home and that do not lie in it: a restore from
    before they were made has lost them. Refuses those that the home's own keys do not vouch for, in the directory."""
    if home is None or home.role == "lead":
        return
    ours, programme = set(load_keys(home.keys).publics("signing").values()), certificate.proof.programme
    for stream in certificate.proof.streams:
        strange = [key for key in stream.keys if key not in ours] if stream.node == home.name else []
        if not strange:
            continue
        listed = _listed(home, programme)
        if not (listed and listed[0] in ours and set(strange) <= set(listed)):
            raise CertificateRefused(f"{stream.partner}: the key it names for this home's node is not this home's")
        for key in strange:
            yield f"  warning: {stream.partner}: this home, whose own keys vouch for it, lacks the key {key_id(key)}:"
            yield "  a restore has lost it, or it is a thief's (polku complete: keys that are not in its key files)"


def _listed(home: Home, programme: str) -> list[bytes]:
    """This node's signing keys in the lead's directory, oldest first; each later one is vouched for by one before."""
    try:
        with _database(home) as connection:
            known = member(connection, programme, home.name)
    except SQLAlchemyError:
        return []
    return list(known.signing_keys) if known else []


@contextmanager
def _database(home: Home) -> Iterator[Connection]:
    """A look into the home's database; SQLAlchemyError if it does not answer."""
    engine = open_engine(home.database_url)
    try:
        if engine.dialect.name == "sqlite" and not Path(str(engine.url.database)).exists():
            raise SQLAlchemyError  # opening would make a new one
        with snapshot(engine) as connection:
            yield connection
    finally:
        engine.dispose()


def _check_members(data: bytes, certificate: Certificate) -> str | None:
    """A JSON report says nothing of its streams that its certificate does not: one lead could have signed both. The id
    of the release that it is, if it is one."""
    proof = certificate.proof
    try:
        report = json.loads(data)
        told = ("partner", "node", "epoch", "watermark", "chain")
        rows = [tuple(row[member] for member in told) for row in report["streams"]]
        said_so = (report["programme"], report["arrived"], report["as_of"])
        release: str | None = report.get("release")  # no member before there were any
        if release is not None and not HEX32.fullmatch(release):
            raise ValueError("not the id of a release")
    except (ValueError, LookupError, TypeError, RecursionError):
        raise CertificateRefused("it is signed, and no report of this release") from None
    streams = proof.streams
    held = [(s.partner, s.node, s.epoch, s.watermark, s.chain.hex() if s.chain else None) for s in streams]
    if rows != held or said_so != (proof.programme, proof.arrived, wire_time(proof.time)):
        raise CertificateRefused("its programme, time or streams are not those of its certificate")
    return release


def _told(data: bytes, programme: str, release: str, home: Home | None) -> str:
    """What the lead's stream, as this home has it, says of a release. Another document under its id is a refusal."""
    said = f"  release {release}"
    if home is None:
        return said
    try:
        with _database(home) as connection:
            told = {row["release"]: row["digest"] for row in releases(connection, programme)}
    except SQLAlchemyError:
        return f"{said}; this home's database does not answer, so not compared with what the lead has told"
    if release not in told:
        return f"{said}; the lead has told this home of no such release"
    if told[release] != sha256(data).hexdigest():
        raise CertificateRefused(f"release {release} is another document, the lead has told its nodes")
    return f"{said}, the very document that the lead has told its nodes of"


def said(form: Form, certificate: Certificate, pinned: bool, release: str = "") -> Iterator[str]:
    """The verdict, then what it is about, what it proves and what it does not."""
    proof = certificate.proof
    yield (f"unaltered; signed by {proof.lead} {fingerprint(certificate.key)} ({'pinned' if pinned else 'not pinned'})")
    yield f"  {form} report of {proof.programme}, figures of {wire_time(proof.time)}"
    if release:
        yield release
    yield f"  programme version {proof.definition}"
    for instrument, version, digest in proof.instruments:
        yield f"  instrument {instrument} {version}: {digest}"
    for stream in proof.streams:
        yield f"  {stream.partner}: {_stream_in_words(certificate, stream)}"
    arrived = {True: "everything had arrived", False: "something is missing", None: "not known"}[proof.arrived]
    yield f"  arrived, says the report: {arrived}"
    yield "proved: no byte has changed since this key signed; the lead held each node's lines up to the line named, to"
    yield "  the byte, as that node had signed them (with the keys that the lead names for it)"
    yield "not proved: that the figures follow from the lines (on the lead `polku reporting rebuild --check` does that)"
    yield "not proved: that everything that happened was recorded"
    if not pinned:
        yield "not proved: that this key is the lead's: compare the six words with those it tells you, or give --key"


def _stream_in_words(certificate: Certificate, stream: StreamProof) -> str:
    if stream.state == "not_joined":
        return "has not joined"
    left = {"expelled": "expelled; ", "closed": "closed by its node, nothing follows; "}.get(stream.state, "")
    if stream.watermark is None:
        return f"{left}{stream.node} has never been heard from"
    manifest = certificate.manifest(stream)
    keys = ", ".join(fingerprint(key) for key in stream.keys)
    at = f"{left}{stream.node} ({keys}) line {stream.watermark}"
    if manifest is not None and manifest.seq > stream.watermark:
        return f"{at} of {manifest.seq} that it had signed by {wire_time(manifest.time)}"
    if manifest is not None and manifest.seq == stream.watermark:
        return f"{at}, its last as signed by it {wire_time(manifest.time)}"
    return f"{at}, signed by it"
