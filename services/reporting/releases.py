"""Releases: a report as it is now is kept byte for byte, whatever lines come later, and the nodes are told."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine

from services.reporting import certifying, release_store, store
from services.reporting.domain import check_days
from shared.contracts.errors import AlreadyRecordedDiffers, ChangedMeanwhile, InvalidInput, NotFound
from shared.contracts.release_facts import AUDIENCES, ReleaseMade
from shared.journal import Journal
from shared.journal.certificate import CertificateRefused, NoCertificate, check, find, read_certificate
from shared.journal.crypto import Keys
from shared.journal.releases import releases
from shared.ops.clock import iso_day, today_in_helsinki, wire_time
from shared.programmes import canonical
from shared.storage import snapshot


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a certified report says of itself; days are ISO, None: from the beginning, to the end."""

    definition: str
    audience: str
    start: str | None
    end: str | None
    as_of: str


def frozen(document: bytes, programme: str, release: str, own: Mapping[str, bytes]) -> Frozen:
    """What is to be released: a JSON report of the programme that carries this id, certified by one of our `own` keys
    (public keys by id). Raises `InvalidInput`."""
    try:
        form, certificate = check(document)
    except (NoCertificate, CertificateRefused) as refused:
        raise InvalidInput(field="document", reason=str(refused)) from None
    if form != "json" or certificate.key not in own.values():
        raise InvalidInput(field="document", reason="not a JSON report that this lead has certified")
    proof = certificate.proof
    try:
        report = json.loads(document)
        told = report["programme"], report["as_of"], report["arrived"]
        audience, days, number = report["audience"], (report["from"], report["to"]), report["release"]
        start, end = (None if day is None else date.fromisoformat(day) for day in days)
    except (ValueError, LookupError, TypeError, RecursionError):
        raise InvalidInput(field="document", reason="not a report of this release") from None
    if told != (proof.programme, wire_time(proof.time), proof.arrived) or audience not in AUDIENCES:
        raise InvalidInput(field="document", reason="not what its certificate is about")
    if proof.programme != programme:
        raise InvalidInput(field="programme", reason="not the one of the document")
    if number != release:
        raise InvalidInput(field="release", reason="not the id in the document")
    check_days(start, end)
    first, last = (iso_day(day) for day in (start, end))
    return Frozen(proof.definition, audience, first, last, told[1])


def make_release(
    journal: Journal,
    keys: Keys,
    programme: str,
    release: str,
    language: str,
    document: bytes,
    *,
    by: str,
    now: datetime,
) -> tuple[str, int | None]:
    """Keep the document for ever and record that it was made; its digest, and the position, None if it was known.

    A restored lead that has lost the document takes the same bytes again. Raises `UnknownProgramme`, `InvalidInput`,
    `ChangedMeanwhile` if the programme has another version by now, `AlreadyRecordedDiffers`.
    """
    digest = sha256(document).hexdigest()
    with snapshot(journal.engine) as connection:
        text = canonical(store.shelf.document(connection, programme)).decode()
    said = frozen(document, programme, release, keys.publics("signing"))
    number = bytes.fromhex(release)
    with journal.unit(now) as unit:
        present = release_store.find(unit.connection, number)
        if present is not None:
            if (present.programme, present.document) != (programme, document):
                raise AlreadyRecordedDiffers(field="release")
            return digest, None
        if store.shelf.get(unit.connection, programme).digest != said.definition:
            raise ChangedMeanwhile(field="document")
        told = {row["release"]: row["digest"] for row in releases(unit.connection, programme)}
        if told.get(release, digest) != digest:
            raise AlreadyRecordedDiffers(field="release")
        row = {"release": number, "programme": programme, "language": language, "document": document}
        made = {"definition": text, "made_by": by, "made_at": wire_time(now)}
        release_store.add(unit.connection, row | made)
        if release not in told:
            body = {"release": release, "digest": digest, "audience": said.audience, "as_of": said.as_of}
            days = {"from_day": said.start, "to_day": said.end, "occurred_on": today_in_helsinki(now).isoformat()}
            unit.record(ReleaseMade(None, **body, **days), programme)
        unit.audit(by, "make_release", programme=programme, release=release, digest=digest)
    return digest, unit.pos


def list_releases(engine: Engine, programme: str) -> list[dict[str, Any]]:
    """Every release that was ever made, the oldest first; `kept`: its document is here, `by`: who made it (None where
    the document is gone). Raises `UnknownProgramme`."""
    with snapshot(engine) as connection:
        store.shelf.get(connection, programme)
        made = release_store.kept(connection, programme)
        told = releases(connection, programme)
    return [row | {"kept": row["release"] in made, "by": made.get(row["release"])} for row in told]


def read_release(engine: Engine, keys: Keys, programme: str, release: str) -> dict[str, Any]:
    """The document (hex), its `language`, the programme's file of then, and the signed `proof` behind its figures, by
    which other forms of it are certified. Raises `UnknownProgramme`, and `NotFound`, which says so of a document that
    was lost."""
    with snapshot(engine) as connection:
        store.shelf.get(connection, programme)
        row = release_store.find(connection, bytes.fromhex(release))
        if row is None or row.programme != programme:
            told = {known["release"]: known["digest"] for known in releases(connection, programme)}
            if release not in told:
                raise NotFound(what=f"release {release} of {programme}")
            lost = f"its SHA-256 is {told[release]}, and this lead was restored from a backup before it"
            raise NotFound(what=f"document of release {release} any more: {lost}")
    document = bytes(row.document)
    proof = read_certificate(find(document)[2]).proof
    return {
        "document": document.hex(),
        "language": row.language,
        "definition": json.loads(row.definition),
        "proof": certifying.sign(proof, keys),
    }
