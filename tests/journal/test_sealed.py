"""What crosses the bus sealed opens where it was meant to, as what it was made for."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from shared.journal.crypto import CannotOpen
from shared.journal.sealed import ReplyKey, open_command, seal_command, seal_reply

PRIVATE = X25519PrivateKey.generate()
KEY = PRIVATE.public_key().public_bytes_raw()


@pytest.mark.parametrize("text", ["Öylätti", "\ud800 is half a surrogate"])
def test_a_command_opens_with_the_nodes_key_to_what_was_sealed(text: str) -> None:
    assert json.loads(open_command(PRIVATE.private_bytes_raw(), seal_command(KEY, {"text": text}))) == {"text": text}


def test_an_answer_opens_with_the_key_of_its_request_only() -> None:
    asked = ReplyKey()
    answer = seal_reply(asked.public_hex, {"text": "Sovittiin"})
    assert asked.opened(answer) == {"text": "Sovittiin"}
    with pytest.raises(CannotOpen):
        ReplyKey().opened(answer)


def test_an_answer_is_no_command() -> None:
    with pytest.raises(CannotOpen):
        open_command(PRIVATE.private_bytes_raw(), seal_reply(KEY.hex(), {"text": "Sovittiin"}))
