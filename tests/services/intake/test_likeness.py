"""How likely two people are one: what counts for it and against, and that thousands are compared in seconds."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake import likeness
from services.intake.likeness import LIKELY, LISTED, MOST_IN_A_BLOCK, candidates, edits, known, score, speaking

ANNA = {"given_name": "Anna Maria", "family_name": "Virtanen", "birth_date": "1981-02-03"}
LOW, HIGH = b"a" * 16, b"b" * 16


def points(**changes: Any) -> int:
    other = {name: value for name, value in (ANNA | changes).items() if value is not None}
    return score(known(LOW, ANNA), known(HIGH, other))


@pytest.mark.parametrize(
    ("changes", "least", "most"),
    [
        ({}, 100, 100),
        ({"given_name": "ANNA-MARIA", "family_name": "virtanen "}, 100, 100),
        ({"family_name": "Wirtanen"}, LIKELY, 99),
        ({"given_name": "Anna"}, LIKELY, 99),
        ({"given_name": "Virtanen", "family_name": "Anna Maria"}, LIKELY, 99),
        ({"birth_date": "1981-03-02"}, LISTED, LIKELY - 1),
        ({"birth_date": "1981-02-04"}, LISTED, LIKELY - 1),
        ({"family_name": "Mäkelä"}, LISTED, LIKELY - 1),  # another name since she married
        ({"birth_date": None}, LISTED, LIKELY - 1),
        ({"birth_date": "1975-11-30"}, 0, LISTED - 1),
        ({"given_name": "Pekka"}, 0, LISTED - 1),  # a twin brother
        ({"given_name": "Pekka", "family_name": "Mäkelä"}, 0, LISTED - 1),
        ({"given_name": None, "family_name": None}, 0, 0),
    ],
)
def test_a_pair_scores_by_what_is_the_same(changes: dict[str, Any], least: int, most: int) -> None:
    assert least <= points(**changes) <= most


@pytest.mark.parametrize(
    ("changes", "pro", "contra"),
    [
        ({}, ["names", "born"], []),
        ({"family_name": "Wirtanen", "birth_date": "1981-02-04"}, ["names_near", "born_near"], []),
        ({"given_name": "Virtanen", "family_name": "Anna Maria", "birth_date": None}, ["names_swapped"], []),
        ({"given_name": "Pekka", "token": "sinikettu"}, ["token", "born"], ["given"]),
        ({"given_name": "Pekka", "family_name": "Mäkelä", "birth_date": "1975-11-30"}, [], ["names", "born"]),
        ({"identity_code": "290204F902E", "birth_date": None}, ["names"], ["code", "born"]),
        ({"given_name": None, "family_name": None, "birth_date": None}, [], []),
    ],
)
def test_what_speaks_for_a_pair_and_what_against_is_told_in_codes(
    changes: dict[str, Any], pro: list[str], contra: list[str]
) -> None:
    one = ANNA | {"token": "Sinikettu"} | ({"identity_code": "290204A902E"} if "identity_code" in changes else {})
    other = {name: value for name, value in (ANNA | changes).items() if value is not None}
    if "identity_code" in changes:
        one |= {"birth_date": "1904-02-29"}
    assert speaking(known(LOW, one), known(HIGH, other)) == (pro, contra)


def test_identity_codes_decide_where_both_have_one() -> None:
    one = {"given_name": "Anna", "identity_code": "290204A902E"}
    other = {"given_name": "Kerttu", "family_name": "Aho", "identity_code": "290204a902e"}
    assert score(known(LOW, one), known(HIGH, other)) == 100
    assert score(known(LOW, one), known(HIGH, one | {"identity_code": "290204F902E"})) == 0
    assert score(known(LOW, one), known(HIGH, one | {"identity_code": "no code"})) < 100


def test_a_token_alone_is_just_enough_to_be_looked_at() -> None:
    same, other = ({"token": token} for token in ("Sini-kettu", "Pöllö"))
    assert score(known(LOW, same), known(HIGH, {"token": "sini kettu"})) == LISTED
    assert score(known(LOW, same), known(HIGH, other)) == 0
    assert score(known(LOW, {}), known(HIGH, {})) == 0


NAME = st.text("abcdeäö -", max_size=12)


@given(NAME, NAME, NAME, NAME, st.dates(), st.dates())
def test_the_order_does_not_matter_and_a_score_is_of_a_hundred(
    given_a: str, family_a: str, given_b: str, family_b: str, born_a: Any, born_b: Any
) -> None:
    one = known(LOW, {"given_name": given_a, "family_name": family_a, "birth_date": str(born_a)})
    other = known(HIGH, {"given_name": given_b, "family_name": family_b, "birth_date": str(born_b)})
    assert score(one, other) == score(other, one)
    assert 0 <= score(one, other) <= 100


@pytest.mark.parametrize(
    ("one", "other", "n"),
    [("", "", 0), ("a", "", 1), ("kissa", "kisas", 1), ("maija", "maria", 2), ("a" * 9999, "b", 80)],
)
def test_edits_are_counted_with_swaps(one: str, other: str, n: int) -> None:
    assert edits(one, other) == n


def test_thousands_with_one_name_and_birth_date_are_not_compared_each_with_each() -> None:
    people = [
        known(n.to_bytes(16, "big"), {"given_name": "Anna", "family_name": "Virtanen", "birth_date": "1981-02-03"})
        for n in range(3000)
    ]
    assert len(candidates(people)) == MOST_IN_A_BLOCK * (MOST_IN_A_BLOCK - 1) / 2


def test_of_thousands_each_pair_is_compared_once_and_after_a_change_only_the_changed_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def counting(one: Any, other: Any) -> int:
        compared.append((one.subject, other.subject))
        return score(one, other)

    monkeypatch.setattr(likeness, "score", counting)
    rows = {n.to_bytes(16, "big"): SimpleNamespace(n=n, box=b"%d" % n) for n in range(4000)}

    def opened(row: Any) -> likeness.Known:
        names = {"family_name": f"{'abcdefghij'[row.n % 10]}{row.n % 97:03d}", "given_name": f"nimi{row.n % 13}"}
        born = f"{1950 + row.n % 50}-{row.n % 12 + 1:02d}-{row.n % 28 + 1:02d}"
        return known(row.n.to_bytes(16, "big"), names | {"birth_date": born})

    kept = likeness.Compared()
    first = kept.pairs(rows, opened)
    assert len(compared) == len({frozenset(both) for both in compared}) < 4000 * MOST_IN_A_BLOCK
    compared.clear()
    assert kept.pairs(rows, opened) == first
    assert compared == [], "a second look compares nobody"
    rows[bytes(16)].box = b"changed"
    assert kept.pairs(rows, opened) == first
    assert 0 < len(compared) < 4 * MOST_IN_A_BLOCK
    assert all(bytes(16) in both for both in compared)
    del rows[bytes(16)]
    assert not any(bytes(16) in both for both in kept.pairs(rows, opened))
