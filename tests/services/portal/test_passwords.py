"""Which passwords are accepted."""

import pytest

from services.portal.passwords import normalised, weakness
from tests.services.portal.samples import CHEAP


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("yksitoista1", "password_short"),
        ("x" * 300, "password_long"),
        ("password12345", "password_trivial"),
        ("SalasanaSalasana", "password_trivial"),
        ("Tervetuloa2024!", "password_trivial"),
        ("123456789012", "password_trivial"),
        ("aaaaaaaaaaaa", "password_trivial"),
        ("------------", "password_trivial"),
        ("anna.lainen1", "password_is_name"),
        ("anna.lainenanna.lainen", "password_is_name"),
        ("kolme pientä porsasta", None),
        ("correct horse battery", None),
        ("kjwhefkjqhwe", None),
    ],
)
def test_only_length_and_triviality_count(password: str, reason: str | None) -> None:
    assert weakness(password, "anna.lainen") == reason


def test_the_same_letters_composed_otherwise_are_the_same_password() -> None:
    composed, decomposed = "pieni pähkinä puussa", "pieni pa\u0308hkina\u0308 puussa"
    assert composed != decomposed
    assert normalised(composed) == normalised(decomposed)
    assert CHEAP.verify(CHEAP.hash(composed), decomposed)


def test_broken_hash_verifies_nothing() -> None:
    assert not CHEAP.verify("not a hash", "x")
