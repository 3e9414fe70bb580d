"""The certificate of a report: what is altered is seen, and what each node signed is held against the figures."""

import json
from dataclasses import replace
from datetime import timedelta
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.journal import certificate, crypto
from shared.journal.certificate import CertificateRefused, Form, NoCertificate, StreamProof, check, find
from tests.journal.certificate_kit import (
    BODIES,
    EURA,
    LEAD,
    OTHER_KEY,
    PORI,
    TIME,
    certified,
    chain,
    manifest,
    proof,
    segment,
    silent,
    stream,
)

FORMS: tuple[Form, ...] = ("json", "html", "csv")
EACH = pytest.mark.parametrize("form", FORMS)
FILES = {form: certified(form, proof(stream(), silent(), StreamProof("town", "not_joined"))) for form in FORMS}
DIGITS = {form: (len(find(data)[1]), len(data) - len(find(data)[3])) for form, data in FILES.items()}


def refused(data: bytes) -> str:
    with pytest.raises(CertificateRefused) as raised:
        check(data)
    assert "\n" not in str(raised.value)
    return str(raised.value)


@EACH
def test_an_unaltered_file_gives_back_what_was_signed(form: Form) -> None:
    found, held = check(FILES[form])
    assert found == form
    assert held.key == LEAD.public
    assert held.proof == proof(stream(), silent(), StreamProof("town", "not_joined"))


@given(st.sampled_from(FORMS), st.data())
def test_any_changed_byte_outside_the_certificate_is_seen(form: Form, draw: st.DataObject) -> None:
    data, (first, last) = FILES[form], DIGITS[form]
    outside = [*range(first), *range(last, len(data))]
    at, by = draw.draw(st.sampled_from(outside)), draw.draw(st.integers(1, 255))
    refused(data[:at] + bytes([data[at] ^ by]) + data[at + 1 :])


@given(st.sampled_from(FORMS), st.data())
def test_any_changed_digit_of_the_certificate_is_seen(form: Form, draw: st.DataObject) -> None:
    data, (first, last) = FILES[form], DIGITS[form]
    at = draw.draw(st.integers(first, last - 1))
    others = [digit for digit in b'0123456789abcdefABCDEFg"\n ' if digit != data[at]]
    refused(data[:at] + bytes([draw.draw(st.sampled_from(others))]) + data[at + 1 :])


@given(st.sampled_from(FORMS), st.data())
def test_bytes_put_in_or_taken_out_are_seen(form: Form, draw: st.DataObject) -> None:
    data = FILES[form]
    at, more = draw.draw(st.integers(0, len(data))), draw.draw(st.binary(min_size=1, max_size=4))
    refused(data[:at] + more + data[at:])
    cut = draw.draw(st.integers(0, len(data) - 1))
    refused(data[:cut] + data[cut + 1 :])


@EACH
def test_a_certificate_moved_elsewhere_in_the_file_is_refused(form: Form) -> None:
    data, (first, last) = FILES[form], DIGITS[form]
    digits = data[first:last]
    refused(data[:10] + digits + data[10:first] + data[last:])
    refused(data[:10] + digits + data[10:first] + data[last:] + b"\n\n")
    refused(data[: first - 1] + digits + data[first - 1 : first] + data[last:])


@EACH
def test_the_certificate_of_another_report_is_refused_by_the_digest(form: Form) -> None:
    other = certified(form, proof(stream(), silent()), BODIES[form].replace("51", "52"))
    first, last = DIGITS[form]
    start, end = len(find(other)[1]), len(other) - len(find(other)[3])
    assert "another's" in refused(FILES[form][:first] + other[start:end] + FILES[form][last:])


@pytest.mark.parametrize("data", [b"", b"{}\n", b"\n", BODIES["json"].encode(), bytes(range(256)), b"certificate,\n"])
def test_a_file_without_a_certificate_is_told_apart_from_an_altered_one(data: bytes) -> None:
    with pytest.raises(NoCertificate):
        check(data)


def test_a_certificate_signed_by_another_key_names_that_key() -> None:
    forged = certified("json", proof(stream()), signer=OTHER_KEY)
    assert check(forged)[1].key == OTHER_KEY.public


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"manifest": manifest(EURA)}, "of another stream"),
        ({"manifest": manifest(key=OTHER_KEY)}, "unknown_key"),
        ({"manifest": manifest(seq=6)}, "older than the figures"),
        ({"manifest": manifest(seq=9)}, "lines are missing"),
        ({"manifest": manifest(chain=bytes(32))}, "another chain at line 7"),
        ({"manifest": manifest()[:-3] + b"0\n\n"}, "does not hold"),
        ({"manifest": None}, "line 7 is not proved"),
        ({"manifest": None, "segment": segment(EURA)}, "unknown_stream"),
        ({"manifest": None, "segment": segment(key=OTHER_KEY)}, "unknown_key"),
        ({"manifest": None, "segment": segment(last=6)}, "another chain"),
        ({"manifest": None, "segment": segment(chain=bytes(32))}, "another chain"),
        ({"manifest": None, "segment": replace(segment(), payload_digest=bytes(32))}, "bad_signature"),
        ({"watermark": 6, "chain": chain(PORI, 6)}, "lines are missing"),
        ({"epoch": None, "watermark": None, "chain": None}, "do not say how far"),
        ({"epoch": None, "watermark": None, "chain": None, "manifest": None}, "never heard from"),
        ({"watermark": 0, "chain": bytes(32), "manifest": None}, "line 0 is not proved"),
    ],
)
def test_what_a_node_did_not_sign_is_refused_even_with_the_leads_signature(changes: dict[str, Any], says: str) -> None:
    reason = refused(certified("json", proof(stream(**changes))))
    assert reason.startswith("leader_association: ")
    assert says in reason


@pytest.mark.parametrize(
    "held",
    [
        stream(manifest=manifest(seq=5), segment=segment()),
        stream(manifest=None, segment=segment()),
        stream(manifest=manifest(epoch=2), epoch=2),
        replace(stream(), state="expelled", manifest=manifest(seq=9), segment=segment()),
    ],
    ids=["the segment is newer than the manifest", "no manifest yet", "a later epoch", "expelled with lines left"],
)
def test_the_nodes_own_words_prove_the_watermark(held: StreamProof) -> None:
    assert check(certified("csv", proof(held)))[1].proof.streams == (held,)


def its_successor(**changes: Any) -> StreamProof:
    return replace(silent(), partner="leader_association", **changes)


def test_a_partner_may_stand_there_with_an_expelled_node_and_the_one_after_it() -> None:
    nodes = its_successor(), stream(state="expelled")
    assert check(certified("html", proof(*nodes)))[1].proof.streams == nodes


@pytest.mark.parametrize("nodes", [(its_successor(), stream()), (stream(state="expelled"), stream())])
def test_of_a_partner_one_node_at_most_is_no_expelled_one_and_none_stands_there_twice(
    nodes: tuple[StreamProof, ...],
) -> None:
    assert refused(certified("csv", proof(*nodes))) == "the certificate is malformed"


def test_missing_lines_are_no_lie_where_the_report_says_that_something_is_missing() -> None:
    behind = stream(manifest=manifest(seq=9), segment=segment())
    assert check(certified("json", proof(behind, arrived=False)))[1].proof.arrived is False


def test_a_proof_of_another_lead_is_not_certified() -> None:
    signed = certificate.write_proof(proof(stream()), OTHER_KEY)
    assert LEAD.public is not None
    with pytest.raises(CertificateRefused):
        certificate.certify(signed, bytes(32), LEAD, {LEAD.id: LEAD.public})


def test_a_proof_is_no_certificate_and_a_certificate_no_proof() -> None:
    assert LEAD.public is not None
    own = {LEAD.id: LEAD.public}
    signed = certificate.write_proof(proof(stream()), LEAD)
    with pytest.raises(CertificateRefused):
        certificate.read_certificate(signed)
    with pytest.raises(CertificateRefused):
        certificate.certify(certificate.certify(signed, bytes(32), LEAD, own), bytes(32), LEAD, own)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text("Ä \n\x00"), lambda inner: st.lists(inner), max_leaves=5
    )
)
def test_signed_nonsense_is_malformed_and_never_an_accident(nonsense: Any) -> None:
    members = json.loads(find(FILES["json"])[2].split(b"\n")[0])
    for name in ("programme", "instruments", "arrived", "time", "streams", "digest"):
        if members[name] == nonsense:
            continue
        encoded = json.dumps(members | {name: nonsense}, ensure_ascii=False, separators=(",", ":"))
        try:
            message = encoded.encode()
        except UnicodeEncodeError:
            continue
        signature = crypto.sign(LEAD.secret(), certificate.CONTEXT, message).hex().encode()
        try:
            certificate.read_certificate(message + b"\n" + signature + b"\n")
        except CertificateRefused:
            continue
        assert name in ("arrived", "streams", "instruments")  # false, null and no items are well formed


@EACH
def test_a_large_file_takes_no_longer_per_byte_than_a_small_one(form: Form) -> None:
    begins, rest = {"json": ('{\n  "x": "', '"\n}\n'), "html": ("<p>", "\n"), "csv": ("a", "\n")}[form]
    times = []
    for size in (1_000_000, 16_000_000):
        data = certified(form, proof(stream()), begins + "0123456789abcdef " * (size // 17) + rest)
        began = process_time()
        check(data)
        refused(data[:-1])
        times.append(process_time() - began)
    assert times[1] < 16 * 4 * times[0]


def test_the_time_of_the_figures_is_in_it() -> None:
    _, held = check(certified("json", replace(proof(stream()), time=TIME + timedelta(days=1))))
    assert held.proof.time == TIME + timedelta(days=1)
