"""The bytes of a line and the chain: frozen. These tests know the format by heart and ask the code for nothing."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from shared.contracts.catalogue import FACTS, ProgrammeVersion
from shared.contracts.facts import Fact, Reach
from shared.journal import lines
from shared.journal.lines import (
    MAX_LINE,
    BadLine,
    Envelope,
    Line,
    chain_next,
    chain_start,
    line_digest,
    parse,
    read_envelope,
    serialise,
)

LINE = Line(
    stream="pori-0a1b2c3d/lahde",
    epoch=1,
    seq=2,
    kind="activities.heads_counted",
    v=1,
    recorded_at="2026-11-22T09:15:02.123456Z",
    subject="00112233445566778899aabbccddeeff",
    salt="ffeeddccbbaa99887766554433221100",
    body={"text": 'ä€😀/"\\\n\u001f\u007f\u2028', "heads": 148, "known": True, "codes": ["fi"]},
)
GOLDEN = (
    b'{"stream":"pori-0a1b2c3d/lahde","epoch":1,"seq":2,"kind":"activities.heads_counted","v":1,'
    b'"recorded_at":"2026-11-22T09:15:02.123456Z","subject":"00112233445566778899aabbccddeeff",'
    b'"salt":"ffeeddccbbaa99887766554433221100",'
    b'"body":{"text":"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80/\\"\\\\\\n\\u001f\x7f\xe2\x80\xa8",'
    b'"heads":148,"known":true,"codes":["fi"]}}'
)
USUAL_LINE = replace(LINE, body={"session": "ab12", "heads": 148, "less": -3, "known": True, "codes": ["fi", "sv"]})
USUAL = serialise(USUAL_LINE)
"""A line as nearly all are: read by the short way."""


def test_a_line_has_these_bytes_for_ever() -> None:
    assert serialise(LINE) == GOLDEN
    assert parse(GOLDEN) == LINE
    assert hashlib.sha256(GOLDEN).hexdigest() == "243484cc154d098598693d0d7b9516b4c392087f7c564662a41a206b7f31986f"


def test_a_line_about_nobody_has_null_as_subject() -> None:
    data = serialise(replace(LINE, subject=None))
    assert data == GOLDEN.replace(b'"00112233445566778899aabbccddeeff"', b"null")
    assert parse(data).subject is None


def test_the_chain_begins_with_the_streams_name_and_goes_on_with_digests() -> None:
    start = hashlib.sha256(b"polku-chain-1pori-0a1b2c3d/lahde").digest()
    assert chain_start("pori-0a1b2c3d/lahde") == start
    first = hashlib.sha256(start + hashlib.sha256(GOLDEN).digest()).digest()
    assert line_digest(GOLDEN) == hashlib.sha256(GOLDEN).digest()
    assert chain_next(start, line_digest(GOLDEN)) == first
    assert start.hex() == "fe4764fc963505f3f5d40f69d70f9d51bba7e925626b7fc9a9d343ff743f7354"
    assert first.hex() == "6f8758a70ec43001be350e43e792a8ee16c415e7bab2234f4ae7cd5376d9111a"


def test_a_line_is_at_most_64_kib() -> None:
    room = MAX_LINE - len(serialise(replace(LINE, body={"text": ""})))
    full = serialise(replace(LINE, body={"text": "a" * room}))
    assert len(full) == MAX_LINE == 65_536
    assert parse(full).body == {"text": "a" * room}
    with pytest.raises(BadLine, match="limit"):
        serialise(replace(LINE, body={"text": "a" * (room + 1)}))
    with pytest.raises(BadLine, match="64 KiB"):
        parse(full.replace(b'"a', b'"aa', 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'{"stream', b' {"stream'),
        (b'"epoch":1', b'"epoch": 1'),
        (b"}}", b"}}\n"),
        (b'"epoch":1,"seq":2', b'"seq":2,"epoch":1'),
        (b'"v":1,', b'"v":1,"v":1,'),
        (b'"v":1,', b""),
        (b'"v":1,', b'"v":1,"extra":1,'),
        (b'"heads":148', b'"heads":148,"heads":148'),
        (b'"heads":148', b'"heads":1.0'),
        (b'"heads":148', b'"heads":1e3'),
        (b'"heads":148', b'"heads":-0'),
        (b'"heads":148', b'"heads":0148'),
        (b'"heads":148', b'"heads":NaN'),
        (b'"heads":148', b'"heads":Infinity'),
        (b"\xc3\xa4", b"\\u00e4"),
        (b"\xc3\xa4", b"\xe4"),
        (b"\xc3\xa4", b"\\ud800"),
        (b"\xc3\xa4", b"\xed\xa0\x80"),
        (b"\\n", b"\\u000a"),
        (b"\\n", b"\n"),
        (b"\\u001f", b"\\u001F"),
        (b"/", b"\\/"),
        (b'"epoch":1', b'"epoch":0'),
        (b'"epoch":1', b'"epoch":true'),
        (b'"epoch":1', b'"epoch":"1"'),
        (b'"epoch":1', b'"epoch":10000'),
        (b'"seq":2', b'"seq":1000000000000'),
        (b'"seq":2', b'"seq":-2'),
        (b'"v":1', b'"v":99999999999'),
        (b'"0011', b'"00AA'),
        (b'"0011', b'"0'),
        (b'"0011', b'"0011\\n'),
        (b'"ffee', b'"FFEE'),
        (b'"ffeeddccbbaa99887766554433221100"', b"null"),
        (b".123456Z", b".123456+00:00"),
        (b".123456Z", b"Z"),
        (b"2026-11-22T", b"2026-11-22 "),
        (b"2026", "２０２６".encode()),
        (b"pori-0a1b2c3d/lahde", b"pori-0a1b2c3d"),
        (b"pori-0a1b2c3d/lahde", b"pori-0a1b2c3d/lahde/x"),
        (b"pori-0a1b2c3d/lahde", b"Pori-0a1b2c3d/lahde"),
        (b"pori-0a1b2c3d/lahde", b"pori/lahde"),
        (b"activities.heads_counted", b"activities"),
        (b"activities.heads_counted", b"activities.heads_counted\\u0000"),
        (b"activities.heads_counted", b"a" * 40 + b".heads_counted"),
        (GOLDEN[GOLDEN.index(b'{"text') : -1], b"null"),
        (GOLDEN[GOLDEN.index(b'{"text') : -1], b"[]"),
        (GOLDEN, b""),
        (GOLDEN, b"null"),
        (GOLDEN, b"[" * 60_000),
        (GOLDEN, GOLDEN[:-1]),
        (GOLDEN, b"\xef\xbb\xbf" + GOLDEN),
        (GOLDEN, GOLDEN.decode().encode("utf-16")),
        (b"148", b"1" * 5000),
    ],
)
def test_what_is_not_written_in_the_one_form_is_no_line(old: bytes, new: bytes) -> None:
    assert GOLDEN.count(old) >= 1
    for line in [GOLDEN, USUAL] if old in USUAL else [GOLDEN]:
        for read in (parse, read_envelope):
            with pytest.raises(BadLine) as refused:
                read(line.replace(old, new, 1))
            assert "ä€" not in str(refused.value)


@pytest.mark.parametrize(
    "stream", ["lead/lahde", "pori-0a1b2c3d/local", "a-b-00000000/1", f"{'a' * 24}-00000000/{'b' * 40}"]
)
def test_a_stream_is_a_home_and_a_programme(stream: str) -> None:
    assert parse(serialise(replace(LINE, stream=stream))).stream == stream


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
BODIES = st.dictionaries(
    TEXTS,
    st.recursive(st.none() | st.booleans() | st.integers() | TEXTS, lambda x: st.lists(x, max_size=3)),
    max_size=4,
)


@given(
    BODIES, st.one_of(st.none(), st.binary(min_size=16, max_size=16).map(bytes.hex)), st.integers(1, 999_999_999_999)
)
@settings(max_examples=200)
def test_every_line_is_read_as_it_was_written_and_is_plain_json(body: Any, subject: str | None, seq: int) -> None:
    line = replace(LINE, body=body, subject=subject, seq=seq)
    data = serialise(line)
    assert parse(data) == line
    assert json.loads(data)["body"] == body
    assert b"\n" not in data


@given(st.integers(0, len(GOLDEN) - 1), st.binary(max_size=3), st.integers(0, 3))
@settings(max_examples=400)
def test_changed_bytes_are_no_line_or_another_line_in_the_same_form(at: int, inserted: bytes, removed: int) -> None:
    changed = GOLDEN[:at] + inserted + GOLDEN[at + removed :]
    assume(changed != GOLDEN)
    try:
        line = parse(changed)
    except BadLine:
        return
    assert serialise(line) == changed
    assert line != LINE


@given(st.integers(0, len(USUAL) - 1), st.text(st.characters(max_codepoint=0x17F), max_size=3), st.integers(0, 9))
@settings(max_examples=1000)
def test_the_short_way_of_reading_refuses_and_reads_what_the_long_one_does(
    at: int, inserted: str, removed: int
) -> None:
    changed = USUAL[:at] + inserted.encode() + USUAL[at + removed :]
    assert _outcome(parse, changed) == _outcome(lines._parse_any, changed)


SCALARS = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(st.characters(codec="ascii"), max_size=9)


def test_both_ways_read_a_text_that_begins_with_a_colon() -> None:
    line = replace(LINE, body={"a": ":", "b": [":x"]})
    assert parse(serialise(line)) == line
    assert read_envelope(serialise(line)).seq == line.seq


@given(st.dictionaries(st.from_regex(r"[a-z0-9_]{1,3}", fullmatch=True), SCALARS | st.lists(SCALARS, max_size=3)))
def test_both_ways_read_any_body_of_one_level(body: dict[str, Any]) -> None:
    data = serialise(replace(LINE, body=body))
    assert parse(data) == lines._parse_any(data) == replace(LINE, body=body)


@pytest.mark.parametrize("twice", [b'"heads":148,"heads":148', b'"heads":148,"known":false', b'"heads":1,"codes":[]'])
def test_the_short_way_sees_a_member_that_stands_twice(twice: bytes) -> None:
    for read in (parse, read_envelope):
        with pytest.raises(BadLine):
            read(USUAL.replace(b'"heads":148', twice))


@given(st.sampled_from([USUAL, GOLDEN]), st.one_of(st.none(), st.binary(min_size=16, max_size=16).map(bytes.hex)))
def test_an_envelope_says_what_the_line_says(data: bytes, subject: str | None) -> None:
    line = replace(parse(data), subject=subject)
    envelope = read_envelope(serialise(line))
    assert envelope == Envelope(line.stream, line.epoch, line.seq, line.kind, line.v, line.subject)


@given(
    st.lists(st.none() | st.binary(min_size=16, max_size=16).map(bytes.hex), min_size=1, max_size=9),
    st.integers(1, 10**9),
)
def test_many_usual_lines_are_read_at_once_as_each_by_itself(subjects: list[str | None], first: int) -> None:
    usual = parse(USUAL)
    texts = [serialise(replace(usual, seq=seq, subject=subject)) for seq, subject in enumerate(subjects, first)]
    read = lines.read_usual_envelopes(texts, usual.stream, usual.epoch, first)
    assert read == [read_envelope(text)[3:] for text in texts]


@given(
    st.integers(0, 2), st.integers(0, len(USUAL)), st.text(st.characters(codec="utf-8"), max_size=3), st.integers(0, 2)
)
@example(1, USUAL.index(b'"heads"'), '"heads":1,', 0)  # a member that stands twice
@example(2, len(USUAL), "\n", 0)
@example(0, 0, "{", 0)
def test_many_lines_of_which_one_is_changed_are_not_read_at_once_unless_each_can_be(
    which: int, at: int, inserted: str, removed: int
) -> None:
    usual = parse(USUAL)
    texts = [serialise(replace(usual, seq=seq)) for seq in (7, 8, 9)]
    texts[which] = texts[which][:at] + inserted.encode() + texts[which][at + removed :]
    read = lines.read_usual_envelopes(texts, usual.stream, usual.epoch, 7)
    if read is not None:
        alone = [read_envelope(text) for text in texts]
        assert [line[:3] for line in alone] == [(usual.stream, usual.epoch, seq) for seq in (7, 8, 9)]
        assert read == [line[3:] for line in alone]


# A piece of a programme is JSON in a string: it has quotation marks to escape.
USUAL_FACTS = [f for f in FACTS.values() if f.reach is Reach.LEAD and f is not ProgrammeVersion]


@pytest.mark.parametrize("fact", USUAL_FACTS, ids=lambda fact: fact.kind)
def test_facts_that_go_to_the_lead_are_read_by_the_short_way(fact: type[Fact]) -> None:
    assert lines._usual(serialise(replace(LINE, kind=fact.kind, body=fact.example))) is not None


def _outcome(read: Callable[[bytes], Line], data: bytes) -> Line | None:
    try:
        return read(data)
    except BadLine:
        return None


@given(
    st.dictionaries(
        st.text(max_size=3), SCALARS | st.dictionaries(st.text(max_size=3), SCALARS, max_size=3), max_size=4
    )
)
@example({'a,"body":{}': '"body":'})
def test_the_body_of_a_checked_line_is_read_as_it_was_written(body: dict[str, Any]) -> None:
    assert lines.read_body(serialise(replace(LINE, body=body))) == body


@pytest.mark.parametrize(
    "data", [b"", b'{"body":{}}', b',"body":}', b',"body":[]}', b',"body":{}x}', b',"body":{"a"}', b',"body":"\xff"}']
)
def test_what_is_no_checked_line_has_no_body(data: bytes) -> None:
    with pytest.raises(BadLine):
        lines.read_body(data)


@pytest.mark.parametrize("body", [{"a": "\ud800"}, {"a": float("nan")}, {"a": b"x"}, {"a": {1, 2}}])
def test_what_json_in_utf_8_cannot_hold_is_not_written(body: dict[str, Any]) -> None:
    with pytest.raises(BadLine, match="body"):
        serialise(replace(LINE, body=body))
