"""The lead's signature on proofs and certificates: only here, where the figures come from, is its key used for them."""

from typing import Any

from shared.contracts.errors import InvalidInput
from shared.journal import certificate
from shared.journal.certificate import CertificateRefused, Proof
from shared.journal.crypto import Keys
from shared.journal.fingerprint import fingerprint


def sign(proof: Proof, keys: Keys) -> dict[str, Any]:
    """The proof as it goes with the figures to whoever makes a file of them (`statement`: hex), and who signs it."""
    signer = keys.newest("signing")
    assert signer.public is not None
    signed = certificate.write_proof(proof, signer)
    return {"statement": signed.hex(), "lead": proof.lead, "fingerprint": fingerprint(signer.public)}


def certify(proof: str, digest: str, keys: Keys) -> str:
    """The certificate (hex) of a file with this digest, made of figures that came with `proof`.

    What the file says is not looked at: whoever may ask for figures may write them down. That the streams behind them
    are what this lead held is certain, because the proof is signed by it. Raises `InvalidInput`.
    """
    signer, own = keys.newest("signing"), keys.publics("signing")
    try:
        return certificate.certify(bytes.fromhex(proof), bytes.fromhex(digest), signer, own).hex()
    except CertificateRefused as refused:
        raise InvalidInput(field="proof", reason=str(refused)) from None
