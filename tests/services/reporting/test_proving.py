"""What a report's proof says of the streams, on both databases: with a real courier and receiver in between."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from services.reporting import certifying, operations, store
from shared.contracts.errors import InvalidInput
from shared.instruments.files import find_instrument
from shared.journal import certificate
from shared.journal.carry_tables import received_head
from shared.journal.certificate import Certificate, CertificateRefused, Proof, StreamProof
from shared.journal.crypto import Keys
from shared.journal.fingerprint import fingerprint
from shared.storage import LINES_AT_ONCE, open_engine, transaction
from tests.flows.house import STREAM, House, sent_by
from tests.journal.exchange_kit import make_key
from tests.services.kit import KEY, NODE, OTHER, OWN, PROGRAMME


@pytest.fixture
def house(engine: Engine, migrated_file: Path, tmp_path: Path) -> Iterator[House]:
    """A joined pair; the lead on either database."""
    node = open_engine(f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'node.db')}")
    made = House(node, engine, tmp_path / "inbox")
    made.join()
    yield made
    made.node.dispose()


def verified(house: House, what: Proof) -> Certificate:
    """A file's certificate with this proof, as `polku verify` reads it."""
    keys = Keys((house.lead_key,))
    before, after = certificate.frame("csv", "a\n")
    signed = certifying.sign(what, keys)
    made = certifying.certify(signed["statement"], certificate.digest_of(before, after).hex(), keys)
    return certificate.check(before + made.encode() + after)[1]


def test_the_proof_names_programme_instruments_and_every_partner_with_its_nodes_own_manifest(house: House) -> None:
    house.register("anna", "bertta")
    house.work()
    report = house.report()
    held = verified(house, report["proof"]).proof
    assert (held.programme, held.definition, held.lead) == (KEY, PROGRAMME.digest, OWN)
    instrument = find_instrument("three_items", "1")
    assert held.instruments == (("three_items", "1", instrument.digest),)
    assert held.arrived is report["arrived"] is True
    own, other = held.streams
    assert other == StreamProof(OTHER, "not_joined")
    row = report["streams"][0]
    assert (own.node, own.epoch, own.watermark) == (NODE, row["epoch"], row["watermark"])
    assert own.chain is not None
    assert own.chain.hex() == row["chain"]
    assert own.keys == (sent_by(house.node_key),)
    manifest = verified(house, report["proof"]).manifest(own)
    assert manifest is not None
    assert (manifest.stream, manifest.seq, manifest.chain) == (STREAM, row["head"], own.chain)


def test_a_joined_node_that_has_not_spoken_has_its_key_and_no_numbers(house: House) -> None:
    report = house.report()
    (own, _) = verified(house, report["proof"]).proof.streams
    assert (own.state, own.node, own.watermark, own.manifest) == ("joined", NODE, None, None)
    assert report["arrived"] is None


def test_a_report_made_while_lines_still_come_in_is_provable_after_every_step(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.courier.max_lines = 3
    house.register(*(f"person {number}" for number in range(6)))
    monkeypatch.setattr(operations, "derive", lambda engine, failing: False)
    house.work()
    monkeypatch.undo()
    monkeypatch.setattr(operations, "DERIVE_BATCH", dict.fromkeys(LINES_AT_ONCE, 4))  # not where segments end
    seen = []
    more = True
    while more:
        more = operations.derive(house.lead, {})
        (own, _) = verified(house, house.report()["proof"]).proof.streams
        seen.append(own.watermark)
    assert len(set(seen)) > 3
    assert house.report()["arrived"] is True


def test_an_old_database_without_a_kept_manifest_is_proved_by_the_segment(house: House) -> None:
    house.register("anna")
    house.work()
    with transaction(house.lead) as connection:
        connection.execute(update(received_head).values(manifest=None))
    (own, _) = verified(house, house.report()["proof"]).proof.streams
    assert own.manifest is None
    assert own.segment is not None


def test_an_epoch_that_nobody_has_accepted_is_something_missing(house: House) -> None:
    house.register("anna")
    house.work()
    assert house.report()["arrived"] is True
    with transaction(house.lead) as connection:
        connection.execute(update(received_head).values(head_epoch=2))
    assert house.report()["arrived"] is False


def test_figures_of_other_lines_than_the_node_signed_cannot_be_certified_as_proved(house: House) -> None:
    house.register("anna")
    house.work()
    with transaction(house.lead) as connection:
        connection.execute(update(store.cursor).values(chain=b"?" * 32))
    with pytest.raises(CertificateRefused, match="another chain"):
        verified(house, house.report()["proof"])


def test_a_proof_that_this_lead_did_not_sign_is_refused(house: House) -> None:
    house.work()
    signed = certifying.sign(house.report()["proof"], Keys((make_key("signing"),)))
    with pytest.raises(InvalidInput, match="not of this lead"):
        certifying.certify(signed["statement"], "ab" * 32, Keys((house.lead_key,)))
    with pytest.raises(InvalidInput, match="proof"):
        certifying.certify("ab" * 32, "ab" * 32, Keys((house.lead_key,)))


def test_the_newest_key_signs_and_its_words_go_with_the_figures(house: House) -> None:
    signed = certifying.sign(house.report()["proof"], Keys((house.lead_key,)))
    assert (signed["lead"], signed["fingerprint"]) == (OWN, fingerprint(sent_by(house.lead_key)))
