"""Facts read many at once are the facts read one by one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.catalogue import FACTS
from shared.contracts.errors import FactNotWritable
from shared.contracts.facts import About, Fact
from tests.contracts.samples import SUBJECT, value_of

ALL = sorted(FACTS.values(), key=lambda fact: (fact.kind, fact.v))
USUAL = [fact for fact in ALL if fact.usual is not None]

_STRANGE = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.text(max_size=40), st.floats(allow_nan=False)
)


def encoded(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")


def one_by_one(kind: type[Fact], subject: str | None, body: bytes) -> dict[str, Any] | None:
    try:
        return kind.read(subject, json.loads(body)).body
    except (FactNotWritable, ValueError):
        return None


def sample(kind: type[Fact]) -> tuple[str | None, dict[str, Any]]:
    subject = SUBJECT if kind.about is About.SOMEBODY else None
    return subject, {name: value_of(member) for name, member in kind.members.items()}


@st.composite
def some_bodies(draw: st.DrawFn) -> tuple[type[Fact], list[bytes]]:
    """A kind, and bodies of it of which some have another value, a member less or more, or another order."""
    kind = draw(st.sampled_from(USUAL))
    _, good = sample(kind)
    bodies = []
    for _ in range(draw(st.integers(1, 4))):
        body = dict(good)
        for name in draw(st.sets(st.sampled_from(list(good)), max_size=2)):
            body[name] = draw(_STRANGE)
        for name in draw(st.sets(st.sampled_from(list(good)), max_size=1)):
            del body[name]
        if draw(st.booleans()):
            body = {"more": draw(_STRANGE), **body}
        if draw(st.integers(0, 3)) == 0:
            body = dict(draw(st.permutations(list(body.items()))))
        bodies.append(encoded(body))
    return kind, bodies


@pytest.mark.parametrize("kind", USUAL, ids=lambda kind: f"{kind.kind}.{kind.v}")
def test_a_body_with_all_members_is_read_at_once(kind: type[Fact]) -> None:
    subject, body = sample(kind)
    assert [fact and fact.body for fact in kind.read_usual([subject] * 2, [encoded(body)] * 2)] == [body, body]


@given(some_bodies())
def test_what_is_read_at_once_is_what_is_read_one_by_one(some: tuple[type[Fact], list[bytes]]) -> None:
    kind, bodies = some
    subject, _ = sample(kind)
    for body, fact in zip(bodies, kind.read_usual([subject] * len(bodies), bodies), strict=True):
        assert fact is None or (fact.subject, fact.body) == (subject, one_by_one(kind, subject, body))


def test_what_is_not_usual_leaves_the_others_usual() -> None:
    kind = USUAL[0]
    subject, body = sample(kind)
    strange = [b'{"more":1}', b"{}", b"\xff\xfe{}"]
    read = kind.read_usual([subject] * 5, [encoded(body), *strange, encoded(body)])
    assert [fact is not None for fact in read] == [True, False, False, False, True]


def test_a_body_with_a_line_feed_makes_nobody_anothers() -> None:
    kind = USUAL[0]
    subject, body = sample(kind)
    text = encoded(body)
    assert kind.read_usual([subject] * 2, [text + b"\n" + text, text]) == [None, None]


def test_a_fact_of_somebody_with_no_subject_is_not_read() -> None:
    kind = next(kind for kind in USUAL if kind.about is About.SOMEBODY)
    assert kind.read_usual([None], [encoded(sample(kind)[1])]) == [None]


def test_most_of_what_partners_send_is_usual() -> None:
    assert "activities.attendance_recorded" in {kind.kind for kind in USUAL}
