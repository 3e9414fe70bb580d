"""The lead's reporting role alone cannot test for a person: neither a person nor anything computable of one is there.

A lead organisation that wants to know whether somebody takes part has names, codes and birth dates, and everything
that lies in its home: files, tables, messages, keys. The test takes all of it, opens what the lead can open, computes
every digest and every HMAC of everything that is known of a person, in every spelling, under every key and every
number that could be a key, and looks for the results.
"""

import hmac
import json
import re
from collections.abc import Iterable, Iterator
from hashlib import sha1, sha256, sha512
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text

from services.intake import store as intake
from services.intake.domain import normalised_name, tag_of
from services.intake.tags import retire_tags
from shared.journal import segment
from shared.storage import open_engine, snapshot
from tests.flows.house import House
from tests.services import kit
from tests.services.intake.kit import IDENTITY, KEYS

TAG_KEY, NEXT_KEY = b"tag-key-of-the-steward-number-1!", b"tag-key-of-the-steward-number-2!"
_HEX = re.compile(rb"[0-9a-f]{32,128}")


@pytest.fixture
def house(engine: Engine, migrated_file: Path, tmp_path: Path) -> Iterator[House]:
    """The lead's database is the one under test; the node's is a file of its own."""
    node = open_engine(f"sqlite:///{tmp_path / 'node.db'}")
    (tmp_path / "node.db").write_bytes(migrated_file.read_bytes())
    made = House(node, engine, tmp_path / "inbox")
    made.join()
    yield made
    node.dispose()


def lead_sees(house: House) -> bytes:
    """All bytes of the lead's home: database, inbox, keys; and what its keys open of it."""
    seen = bytearray(kit.stored_bytes(house.lead))
    admitted, receiving = house.taken()[0], {house.lead_receiving.id: house.lead_receiving.secret()}
    for path in sorted(house.folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            seen += data
            if path.suffix == ".seg":
                opened = segment.open_lines(segment.verify(data, admitted, receiving), receiving)
                seen += b"\n".join(line.line or line.digest for line in opened)
    return bytes(seen)


def node_sees(house: House) -> bytes:
    """All bytes of the node's database and keys, and what its vault key opens of it."""
    seen = bytearray(kit.stored_bytes(house.node))
    seen += b"".join(path.read_bytes() for path in house.node_keys.rglob("*") if path.is_file())
    wrapped = {row["person"]: row["wrapped_key"] for row in kit.rows(house.node, intake.person)}
    for row in kit.rows(house.node, intake.vault):
        identity = intake.open_identity(KEYS.vault, row["person"], wrapped[row["person"]], row["box"])
        seen += json.dumps(identity, ensure_ascii=False).encode()
    return bytes(seen)


def values_of(engine: Engine) -> Iterator[bytes]:
    """Every value of every table, as bytes."""
    with snapshot(engine) as connection:
        for table in inspect(connection).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                for value in row:
                    yield bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def possible_keys(house: House, seen: bytes) -> set[bytes]:
    """The lead's keys and whatever else could be one: every short value, and every run of hex digits, as it is and as
    the bytes it stands for."""
    own = {key.secret() for key in (house.lead_key, house.lead_receiving)}
    own |= {key.public for key in (house.lead_key, house.lead_receiving, house.node_key) if key.public}
    found = {value for value in values_of(house.lead) if 0 < len(value) <= 64} | set(_HEX.findall(seen))
    for value in list(found):
        if _HEX.fullmatch(value) and len(value) % 2 == 0:
            found.add(bytes.fromhex(value.decode()))
    return {b"", b"polku-tag-1", kit.KEY.encode()} | own | found


def messages(identity: dict[str, str]) -> set[bytes]:
    """What somebody who knows the person could put into a digest."""
    given, family, born = (identity[name] for name in ("given_name", "family_name", "birth_date"))
    code = identity["identity_code"]
    plain = {given, family, f"{given} {family}", f"{family} {given}", born, code, identity["token"]}
    plain |= {
        f"{given} {family} {born}",
        f"{family}{given}{born}",
        f"{normalised_name(family)}{normalised_name(given)}",
    }
    tagged = {
        "\0".join((*start, basis, *parts))
        for start in ((), (kit.KEY,), ("polku-tag-1", kit.KEY))
        for basis, parts in (
            ("name_birth_date", (normalised_name(family), normalised_name(given), born)),
            ("identity_code", (code,)),
        )
    }
    spelt = {form for each in plain for form in (each, each.casefold(), each.upper(), normalised_name(each))}
    return {each.encode() for each in spelt | tagged | {json.dumps(identity, sort_keys=True)} if each}


def digests(message: bytes, keys: set[bytes]) -> Iterator[bytes]:
    for algorithm in (sha256, sha1, sha512):
        yield algorithm(message).digest()
    for key in keys:
        yield hmac.digest(key, message, "sha256")
        yield sha256(key + message).digest()


def found_of(
    house: House, identity: dict[str, str], more_keys: Iterable[bytes] = (), *, at_node: bool = False
) -> set[str]:
    """What of the person, or computed of the person, the lead can find; empty is what must hold."""
    engine, seen = (house.node, node_sees(house)) if at_node else (house.lead, lead_sees(house))
    found = {
        f"in clear: {name}"
        for name in ("given_name", "family_name", "birth_date", "identity_code", "token", "form_kept")
        for form in (identity[name].encode(), json.dumps(identity[name])[1:-1].encode())
        if form in seen
    }
    # Digests are whole values, or hex in text; whatever lies in free places of files is looked for as it is, too.
    there = {value for value in values_of(engine) if len(value) >= 16}
    there |= {bytes.fromhex(run.decode()) for run in _HEX.findall(seen) if len(run) % 2 == 0}
    keys = possible_keys(house, seen) | set(more_keys)
    assert len(keys) > 50
    own = {b""} | {key.secret() for key in (house.lead_key, house.lead_receiving)} | set(more_keys)
    for message in messages(identity):
        found |= {"a digest" for digest in digests(message, keys) if digest in there}
        found |= {"a digest" for digest in digests(message, own) if digest in seen or digest.hex().encode() in seen}
    return found


def test_the_lead_alone_cannot_test_for_a_person(house: House) -> None:
    house.take_tag_key(1, TAG_KEY)
    (anna,) = house.register("anna")
    house.attend("s", anna)
    house.courier.round([f"{kit.NODE}/{kit.KEY}"], house.now)
    tag = tag_of(IDENTITY, "name_birth_date", kit.KEY, TAG_KEY) or ""
    assert tag.encode() in lead_sees(house), "the search opens the segment on its way"
    assert found_of(house, IDENTITY) == set()
    house.work()
    assert tag.encode() in lead_sees(house), "the search finds what is there"
    assert found_of(house, IDENTITY) == set()
    assert found_of(house, IDENTITY, {TAG_KEY}) == {"a digest"}, "who has the tag key finds the person"


def test_the_same_search_over_the_nodes_home_with_its_keys_finds_the_person(house: House) -> None:
    house.take_tag_key(1, TAG_KEY)
    house.register("anna")
    house.work()
    own = {TAG_KEY, KEYS.index, *KEYS.vault.values()}
    assert found_of(house, IDENTITY, own, at_node=True) == {"a digest"} | {
        f"in clear: {name}"
        for name in ("given_name", "family_name", "birth_date", "identity_code", "token", "form_kept")
    }
    assert found_of(house, IDENTITY) == set(), "and over the lead's nothing"


def test_nor_after_keys_were_replaced_and_the_person_erased(house: House) -> None:
    house.take_tag_key(1, TAG_KEY)
    (anna,) = house.register("anna")
    house.work()
    house.take_tag_key(2, NEXT_KEY)
    house.work()
    retire_tags(house.journal, kit.KEY, 1, by="worker", now=house.now)
    house.work()
    assert found_of(house, IDENTITY, {TAG_KEY}) == set(), "the old key finds nobody"
    assert found_of(house, IDENTITY, {NEXT_KEY}) == {"a digest"}
    house.erase(anna)
    house.work()
    assert found_of(house, IDENTITY, {TAG_KEY, NEXT_KEY}) == set()
    house.assert_whole()


@pytest.mark.parametrize(
    "planted",
    [
        lambda identity, _: identity["family_name"].encode(),
        lambda identity, _: sha256(normalised_name(identity["family_name"]).encode()).digest(),
        lambda identity, key: hmac.digest(key, identity["identity_code"].encode(), "sha256"),
    ],
    ids=["name", "unkeyed digest", "HMAC under the lead's receiving key"],
)
def test_what_would_be_found_if_it_were_there(house: House, planted) -> None:  # type: ignore[no-untyped-def]
    house.register("anna")
    house.work()
    (house.folder / "message").write_bytes(planted(IDENTITY, house.lead_receiving.secret()))
    assert found_of(house, IDENTITY)
