"""Invite and join: frozen forms, and nothing but a rightly signed answer to this lead is believed."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.errors import InvalidInvite
from shared.journal.crypto import open_sealed, public_half, seal
from shared.journal.joining import MAX_JOIN, Invite, Join, build_join, open_join, read_invite, token_digest

LEAD_SIGNING, LEAD_RECEIVING = b"\x01" * 32, b"\x02" * 32
SIGNING, RECEIVING = b"\x03" * 32, b"\x04" * 32
TOKEN = "5" * 64
NODE = "pori-0a1b2c3d"
INVITE = Invite(
    programme="lahde",
    partner="yhdistys",
    uplink="file:/var/polku/lead/inbox",
    signing_key=public_half("signing", LEAD_SIGNING),
    receiving_key=public_half("receiving", LEAD_RECEIVING),
    token=TOKEN,
    expires=datetime(2026, 12, 6, 9, 15, 2, 123456, tzinfo=UTC),
)
SIGNING_KEY, RECEIVING_KEY = public_half("signing", SIGNING), public_half("receiving", RECEIVING)
BODY = {
    "programme": "lahde",
    "partner": "yhdistys",
    "node": NODE,
    "signing_key": SIGNING_KEY.hex(),
    "receiving_key": RECEIVING_KEY.hex(),
    "token": TOKEN,
}


def _answer(body: Any = BODY, signer: bytes = SIGNING, context: bytes = b"polku-join-1", end: bytes = b"") -> bytes:
    """A join made by hand, after the format and not with the code."""
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = Ed25519PrivateKey.from_private_bytes(signer).sign(context + encoded)
    return seal(INVITE.receiving_key, b"polku-join-1", encoded + b"\n" + signature.hex().encode() + end)


def test_an_invite_has_these_members_and_is_read_as_it_was_written() -> None:
    assert json.loads(INVITE.to_json()) == {
        "polku_invite": 1,
        "programme": "lahde",
        "partner": "yhdistys",
        "uplink": "file:/var/polku/lead/inbox",
        "lead_signing_key": INVITE.signing_key.hex(),
        "lead_receiving_key": INVITE.receiving_key.hex(),
        "token": TOKEN,
        "expires": "2026-12-06T09:15:02.123456Z",
    }
    assert read_invite(INVITE.to_json()) == INVITE


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("programme", "Lähde"),
        ("programme", None),
        ("programme", "local"),  # the stream that never leaves a node
        ("partner", "a-b"),
        ("uplink", "http://example.org"),
        ("uplink", "file:relative"),
        ("uplink", 7),
        ("uplink", "https://lead.example:84000"),
        ("uplink", "https://[1]/"),
        ("uplink", "https://lead..example/"),
        ("uplink", "amqps://lead.example:0/polku"),
        ("uplink", "file:/inbox%00"),
        ("lead_signing_key", "0" * 63),
        ("lead_receiving_key", "G" * 64),
        ("token", "5" * 63),
        ("expires", "tomorrow"),
        ("expires", "2026-13-06T09:15:02.123456Z"),
    ],
)
def test_a_bad_member_of_an_invite_is_named(member: str, value: object) -> None:
    changed = json.dumps({**json.loads(INVITE.to_json()), member: value})
    with pytest.raises(InvalidInvite, match=member) as refused:
        read_invite(changed)
    assert TOKEN not in str(refused.value)
    lacking = {name: given for name, given in json.loads(INVITE.to_json()).items() if name != member}
    with pytest.raises(InvalidInvite, match=member):
        read_invite(json.dumps(lacking))


@pytest.mark.parametrize("inside", ["AAAA", "MIIB+/=", " - \n"])
def test_an_invite_whose_authority_is_damaged_is_refused_before_anybody_needs_it(inside: str) -> None:
    pem = f"-----BEGIN CERTIFICATE-----\n{inside}\n-----END CERTIFICATE-----\n"
    with pytest.raises(InvalidInvite, match="authority"):
        read_invite(replace(INVITE, authority=pem).to_json())


@given(st.one_of(st.text(max_size=50), st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps)))
@settings(max_examples=100)
def test_whatever_is_no_invite_is_refused(text: str) -> None:
    with pytest.raises(InvalidInvite):
        read_invite(text)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"polku_invite": 2}', '{"polku_invite": true', "\ufeff{}", ""])
def test_an_invite_of_another_kind_is_refused(text: str) -> None:
    with pytest.raises(InvalidInvite):
        read_invite(text)


def test_a_join_is_signed_json_sealed_to_the_lead() -> None:
    data = build_join(INVITE, NODE, SIGNING, SIGNING_KEY, RECEIVING_KEY)
    assert len(data) <= MAX_JOIN
    body, _, signature = open_sealed(LEAD_RECEIVING, b"polku-join-1", data).partition(b"\n")
    assert body == json.dumps(BODY).encode()
    public = Ed25519PrivateKey.from_private_bytes(SIGNING).public_key()
    public.verify(bytes.fromhex(signature.decode()), b"polku-join-1" + body)


@pytest.mark.parametrize("built", [lambda: build_join(INVITE, NODE, SIGNING, SIGNING_KEY, RECEIVING_KEY), _answer])
def test_the_lead_learns_who_for_what_with_which_keys_and_only_a_digest_of_the_token(
    built: Callable[[], bytes],
) -> None:
    expected = Join("lahde", "yhdistys", NODE, SIGNING_KEY, RECEIVING_KEY, sha256(TOKEN.encode()).digest())
    assert open_join(built(), [LEAD_RECEIVING]) == expected
    assert open_join(built(), [RECEIVING, LEAD_RECEIVING]) == expected
    assert token_digest(TOKEN) == expected.token_digest


def test_the_longest_join_fits() -> None:
    longest = replace(INVITE, programme="a" * 40, partner="b" * 40)
    data = build_join(longest, f"{'c' * 24}-00000000", SIGNING, SIGNING_KEY, RECEIVING_KEY)
    assert len(data) <= MAX_JOIN
    assert open_join(data, [LEAD_RECEIVING]).partner == "b" * 40


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x" * 100,
        _answer(signer=RECEIVING),
        _answer(context=b"polku-join-2"),
        _answer(context=b""),
        _answer(end=b"00"),
        _answer(end=b"\n"),
        _answer(b"[" * 3000),
        _answer(b"\xff"),
        _answer(b""),
        _answer([]),
        _answer(None),
        _answer({**BODY, "signing_key": RECEIVING_KEY.hex()}),
        _answer({**BODY, "signing_key": SIGNING_KEY.hex()[:-2]}),
        _answer({**BODY, "receiving_key": ""}),
        _answer({**BODY, "receiving_key": 7}),
        _answer({**BODY, "programme": "local/../x"}),
        _answer({**BODY, "programme": ["lahde"]}),
        _answer({**BODY, "programme": "local"}),
        _answer({**BODY, "signing_key": SIGNING_KEY.hex().upper()}),
        _answer({**BODY, "partner": "Yhdistys"}),
        _answer({**BODY, "node": "lead"}),
        _answer({**BODY, "node": "pori"}),
        _answer({**BODY, "token": None}),
        _answer({**BODY, "token": "\ud800"}),
        *(_answer({name: value for name, value in BODY.items() if name != lacking}) for lacking in BODY),
    ],
)
def test_what_is_not_a_rightly_signed_join_is_refused_without_quoting_it(data: bytes) -> None:
    with pytest.raises(InvalidInvite) as refused:
        open_join(data, [LEAD_RECEIVING])
    assert TOKEN not in str(refused.value)
    assert NODE not in str(refused.value)


@given(st.integers(0, 10**6), st.integers(1, 255))
@settings(max_examples=50)
def test_one_changed_byte_and_it_does_not_open(at: int, change: int) -> None:
    data = bytearray(_answer())
    data[at % len(data)] ^= change
    with pytest.raises(InvalidInvite):
        open_join(bytes(data), [LEAD_RECEIVING])


def test_a_join_sealed_to_another_lead_does_not_open() -> None:
    with pytest.raises(InvalidInvite, match="this lead"):
        open_join(_answer(), [RECEIVING])
    with pytest.raises(InvalidInvite, match="this lead"):
        open_join(_answer(), [])


def test_a_key_that_nothing_can_be_sealed_to_is_refused() -> None:
    for key in ("00" * 32, "01" + "00" * 31):
        with pytest.raises(InvalidInvite, match="sealed to"):
            open_join(_answer(BODY | {"receiving_key": key}), [LEAD_RECEIVING])
