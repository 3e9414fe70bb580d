"""What reporting answers of a report's proof and certificate, signed with a key made here."""

from typing import Any

from shared.journal import certificate
from shared.journal.certificate import StreamProof
from shared.journal.fingerprint import fingerprint
from tests.journal.certificate_kit import LEAD, proof, stream

assert LEAD.public is not None
OWN = {LEAD.id: LEAD.public}
SIGNED_BY = fingerprint(LEAD.public)
STREAMS = stream(), StreamProof("university_of_applied_sciences", "not_joined")
PROOF: dict[str, Any] = {
    "statement": certificate.write_proof(proof(*STREAMS), LEAD).hex(),
    "lead": "leader_association",
    "fingerprint": SIGNED_BY,
}


def certify(proof: str, digest: str) -> dict[str, Any]:
    """As `reporting.certify` does."""
    return {"certificate": certificate.certify(bytes.fromhex(proof), bytes.fromhex(digest), LEAD, OWN).hex()}
