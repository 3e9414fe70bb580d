"""Tags: what people are recognised by, and who is tagged when."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from services.intake import operations, store, tags
from services.intake.domain import normalised_name, tag_of
from shared.contracts.catalogue import PersonTagged, ProgrammeLoaded, StandingReached, TaggingDue
from shared.contracts.errors import AlreadyRecordedDiffers, InvalidInput, NotFound
from shared.hetu import synthetic
from shared.journal import Journal
from shared.journal.crypto import read_secret
from shared.journal.erasing import scrub
from shared.journal.follow import Follower
from shared.journal.tables import journal_erased, journal_line
from tests.journal.journal_kit import Killed, killed_at
from tests.services import kit
from tests.services.intake.kit import IDENTITY, KEYS, arrival, known, register
from tests.services.kit import KEY, NOW

KEY_1, KEY_2 = b"1" * 32, b"2" * 32
BASIS = "name_birth_date"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Meikäläinen", "MEIKÄLÄINEN"),
        ("Meikäläinen", "Meikalainen"),
        ("Meikäläinen", "Meika\u0308la\u0308inen"),
        ("Öhman", "ohman"),
        ("Åberg", "Aberg"),
        ("Åsa", "A\u030asa"),
        ("Weiß", "Weiss"),
        ("Sørensen", "sorensen"),
        ("Ærø", "aero"),
        ("Łukasz", "Lukasz"),
        ("Đặng", "Dang"),
        ("İbrahim", "ibrahim"),
        ("Mari-Anne", "Mari Anne"),
        ("Mari-Anne", "Marianne"),
        ("Mari\u2010Anne", "Mari-Anne"),
        ("  Anna   Maria ", "Anna Maria"),
        ("Anna\u00a0Maria", "Anna Maria"),
        ("O'Hara", "O\u2019Hara"),
        ("O'Hara", "Ohara"),
        ("M. Anna", "M Anna"),
        ("\uff21nna", "Anna"),
        ("ИВА\u0301Н", "иван"),
    ],
)
def test_names_that_are_one(one: str, other: str) -> None:
    assert normalised_name(one) == normalised_name(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna", "Anne"),
        ("Anna Maria", "Anna"),
        ("Anna Maria", "Maria Anna"),
        ("Mikko", "Mikael"),
        ("Meikäläinen", "Meikaelaeinen"),
        ("Åberg", "Aaberg"),
        ("Иван", "Ivan"),
        ("Virtanen", "Wirtanen"),
    ],
)
def test_names_that_stay_two(one: str, other: str) -> None:
    """What normalising does not catch, as its docstring says."""
    assert normalised_name(one) != normalised_name(other)


@given(st.text())
def test_normalising_twice_is_normalising_once(name: str) -> None:
    assert normalised_name(normalised_name(name)) == normalised_name(name)


def test_a_tag_is_the_hmac_of_what_the_basis_says() -> None:
    import hashlib
    import hmac

    message = f"polku-tag-1\0{KEY}\0name_birth_date\0oystila\0aikkatestinimi\x001981-02-03"
    assert tag_of(IDENTITY, BASIS, KEY, KEY_1) == hmac.new(KEY_1, message.encode(), hashlib.sha256).hexdigest()


def test_tags_differ_by_key_programme_basis_name_and_day() -> None:
    from datetime import date

    coded = IDENTITY | {"identity_code": synthetic(date(1981, 2, 3), 901, 0)}
    found = {
        tag_of(coded, BASIS, KEY, KEY_1),
        tag_of(coded, BASIS, KEY, KEY_2),
        tag_of(coded, BASIS, "another", KEY_1),
        tag_of(coded, "identity_code", KEY, KEY_1),
        tag_of(coded | {"birth_date": "1981-03-02"}, BASIS, KEY, KEY_1),
        tag_of(coded | {"given_name": "Öystilä", "family_name": "Äikkä-Testinimi"}, BASIS, KEY, KEY_1),
        tag_of(coded | {"given_name": "nen", "family_name": "Virta"}, BASIS, KEY, KEY_1),
        tag_of(coded | {"given_name": "en", "family_name": "Virtan"}, BASIS, KEY, KEY_1),
    }
    assert len(found) == 8


@pytest.mark.parametrize("missing", ["given_name", "family_name", "birth_date"])
@pytest.mark.parametrize("value", [None, "", "-"])
def test_without_name_or_birth_date_there_is_no_tag(missing: str, value: str | None) -> None:
    if missing != "birth_date" or not value:
        assert tag_of(IDENTITY | {missing: value}, BASIS, KEY, KEY_1) is None


@pytest.mark.parametrize("code", [None, "", "030281-9998", "tuntematon"])
def test_without_a_valid_identity_code_there_is_no_tag_of_it(code: str | None) -> None:
    assert tag_of(IDENTITY | {"identity_code": code}, "identity_code", KEY, KEY_1) is None


def test_an_identity_code_is_the_same_in_small_letters() -> None:
    from datetime import date

    code = synthetic(date(1981, 2, 3), 901, 0)
    one, other = ({"identity_code": text} for text in (code, f" {code.lower()} "))
    assert tag_of(one, "identity_code", KEY, KEY_1) == tag_of(other, "identity_code", KEY, KEY_1) is not None


# --- on a node


class Node:
    """A node's intake with its follower, as the service wires them."""

    def __init__(self, engine: Engine, keys: Path) -> None:
        self.engine, self.keys, self.journal = engine, keys, known(engine)
        self.follower = Follower(self.journal, "intake", self.handlers())

    def handlers(self) -> dict[tuple[str, int], Any]:
        vault = KEYS.vault

        def reached(unit: Any, line: Any, fact: Any) -> None:
            tags.tag_person(unit, vault, self.secret, line.stream.split("/")[1], fact.subject)

        def due(unit: Any, _line: Any, fact: Any) -> None:
            tags.tag_those_due(unit, vault, self.secret, fact["programme"], fact["key_no"])

        def loaded(unit: Any, _line: Any, fact: Any) -> None:
            store.shelf.put(unit.connection, fact)

        facts = {StandingReached: reached, TaggingDue: due, ProgrammeLoaded: loaded}
        return {(fact.kind, fact.v): handler for fact, handler in facts.items()}

    def secret(self, number: int) -> bytes:
        return read_secret(self.keys, "tag", number)

    def register(self, *names: str, **options: Any) -> list[str]:
        results, _ = register(self.journal, *(arrival(name, **options) for name in names))
        return [result["subject"] for result in results]

    def take(self, key_no: int = 1, key: bytes = KEY_1, basis: str = BASIS) -> int | None:
        return tags.take_tag_key(self.journal, self.keys, KEY, key_no, basis, key, by="worker", now=NOW)

    def follow(self) -> None:
        while self.follower.advance(NOW):
            pass

    def tags(self) -> list[tuple[str | None, int]]:
        found = [line for line in kit.rows(self.engine, journal_line) if line["kind"] == PersonTagged.kind]
        read = [line for line in kit.lines(self.engine) if line.kind == PersonTagged.kind] if found else []
        return [(line.subject, line.body["key_no"]) for line in read]


@pytest.fixture
def node(engine: Engine, tmp_path: Path) -> Node:
    return Node(engine, tmp_path / "keys")


@pytest.fixture(autouse=True)
def _keys(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()


def test_who_comes_in_when_the_key_is_there_is_tagged(node: Node) -> None:
    node.take()
    (subject,) = node.register("a")
    node.follow()
    (line,) = [line for line in kit.lines(node.engine) if line.kind == PersonTagged.kind]
    assert (line.subject, line.stream) == (subject, f"{kit.NODE}/{KEY}")
    assert line.body == {"tag": tag_of(IDENTITY, BASIS, KEY, KEY_1), "key_no": 1}


def test_who_came_in_before_the_key_is_tagged_when_it_comes(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags, "AT_ONCE", 2)
    subjects = node.register("a", "b", "c", "d", "e")
    node.follow()
    assert node.tags() == []
    node.take()
    node.follow()
    assert sorted(node.tags()) == sorted((subject, 1) for subject in subjects)


def test_who_cannot_be_tagged_is_left_out_and_holds_nobody_up(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags, "AT_ONCE", 1)
    node.register("a", standing="visitor", identity={"token": "kettu"})
    (named,) = node.register("b")
    node.take()
    node.follow()
    assert node.tags() == [(named, 1)]


def test_the_same_key_again_changes_nothing_and_another_under_its_number_is_refused(node: Node) -> None:
    node.register("a")
    assert node.take() is not None
    node.follow()
    before = kit.heads(node.engine)
    assert node.take() is None
    with pytest.raises(AlreadyRecordedDiffers):
        node.take(key=KEY_2)
    node.follow()
    assert kit.heads(node.engine) == before


def test_with_a_newer_key_everybody_is_tagged_anew_and_the_older_tags_stay(node: Node) -> None:
    node.take()
    (early,) = node.register("a")
    node.follow()
    node.take(2, KEY_2)
    (late,) = node.register("b")
    node.follow()
    assert sorted(node.tags()) == sorted([(early, 1), (early, 2), (late, 2)])


def test_an_older_key_that_comes_late_tags_nobody(node: Node) -> None:
    node.take(2, KEY_2)
    node.register("a")
    node.take(1, KEY_1)
    node.follow()
    assert [key_no for _, key_no in node.tags()] == [2]


@pytest.mark.parametrize("standing", ["client", "esf_participant"])
def test_an_erased_person_is_not_tagged(node: Node, standing: str) -> None:
    gone, stays = node.register("a", "b", standing=standing)
    operations.erase_person(node.journal, KEY, gone, by="worker", now=NOW)
    node.take()
    node.follow()
    rows = [row for row in kit.rows(node.engine, journal_line) if row["kind"] == PersonTagged.kind]
    assert [row["subject"].hex() for row in rows] == [stays]


def test_erasing_takes_the_tag_with_the_person(node: Node) -> None:
    node.take()
    (subject,) = node.register("a")
    node.follow()
    operations.erase_person(node.journal, KEY, subject, by="worker", now=NOW)
    scrub(node.engine)
    assert (tag_of(IDENTITY, BASIS, KEY, KEY_1) or "").encode() not in kit.stored_bytes(node.engine)
    assert kit.rows(node.engine, store.tagged) == []


def test_retiring_turns_the_old_tags_into_digests_and_nothing_else(node: Node) -> None:
    node.take()
    node.register("a", "b")
    node.follow()
    node.take(2, KEY_2)
    node.follow()
    before = {row["pos"]: row for row in kit.rows(node.engine, journal_line)}
    tags.retire_tags(node.journal, KEY, 1, by="worker", now=NOW)
    after = {row["pos"]: row for row in kit.rows(node.engine, journal_line)}
    gone = [pos for pos, row in before.items() if after[pos] != row]
    assert [b'"key_no":1' in before[pos]["line"] for pos in gone] == [True, True]
    assert all(after[pos]["line"] is after[pos]["subject"] is after[pos]["kind"] is None for pos in gone)
    assert [after[pos]["digest"] for pos in gone] == [before[pos]["digest"] for pos in gone]
    assert [key.key_no for key in _keys_of(node)] == [2]
    (note,) = kit.rows(node.engine, journal_erased)
    assert (note["key_no"], note["lines"], note["scrubbed"]) == (1, 2, False)


def test_the_newest_key_an_unknown_one_and_one_still_needed_are_not_retired(node: Node) -> None:
    node.take()
    node.register("a")
    node.follow()
    with pytest.raises(InvalidInput, match="newest"):
        tags.retire_tags(node.journal, KEY, 1, by="worker", now=NOW)
    with pytest.raises(NotFound):
        tags.retire_tags(node.journal, KEY, 7, by="worker", now=NOW)
    node.take(2, KEY_2)
    with pytest.raises(InvalidInput, match="not been tagged"):
        tags.retire_tags(node.journal, KEY, 1, by="worker", now=NOW)


def test_the_basis_is_the_one_that_came_with_the_key(node: Node) -> None:
    from datetime import date

    code = synthetic(date(1981, 2, 3), 901, 0)
    node.take(basis="identity_code")
    node.register("a", identity=IDENTITY | {"identity_code": code})
    node.follow()
    (line,) = [line for line in kit.lines(node.engine) if line.kind == PersonTagged.kind]
    assert line.body["tag"] == tag_of({"identity_code": code}, "identity_code", KEY, KEY_1)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(step=st.integers(0, 40), keys_first=st.booleans())
def test_killed_at_any_statement_everybody_is_tagged_once(
    sqlite_engine: Engine, tmp_path: Path, step: int, keys_first: bool
) -> None:
    tables = (store.vault, store.participation, store.person, store.keys, store.tagged, store.tag_key)
    kit.empty(sqlite_engine, *tables)
    node = Node(sqlite_engine, tmp_path / "keys")
    start = len(kit.rows(sqlite_engine, journal_line))

    def work() -> None:
        for turn in ("keys", "people") if keys_first else ("people", "keys"):
            node.take() if turn == "keys" else node.register("a", "b")
            node.follow()

    with contextlib.suppress(Killed), killed_at(sqlite_engine, step):
        work()
    work()
    found = [row for row in kit.rows(sqlite_engine, journal_line)[start:] if row["kind"] == PersonTagged.kind]
    people = {row["subject"] for row in kit.rows(sqlite_engine, store.participation)}
    assert len(found) == len(people) == 2
    assert {row["subject"] for row in found} == people


def _keys_of(node: Node) -> list[store.TagKey]:
    with node.engine.connect() as connection:
        return store.tag_keys(connection, KEY)


def test_a_journal_that_has_no_tag_key_tags_nobody(engine: Engine, tmp_path: Path) -> None:
    node = Node(engine, tmp_path / "keys")
    node.register("a")
    node.follow()
    assert PersonTagged.kind not in kit.kinds(engine)
    assert isinstance(node.journal, Journal)
