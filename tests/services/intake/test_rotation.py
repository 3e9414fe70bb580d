"""After a vault, index or bus key was replaced: everybody's key is wrapped anew, and what nothing needs goes."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.intake import operations, rotation, store, text_store, texts
from shared.contracts.errors import AlreadyRecordedDiffers
from shared.journal.crypto import load_keys, make_key
from shared.storage import transaction
from shared.storage.vault import VaultError
from tests.services import kit
from tests.services.intake.kit import IDENTITY, KEYS, arrival, known, register
from tests.services.kit import KEY, NOW

NEW = {**KEYS.vault, 2: b"w" * 32}


def keep_text(journal: object, words: str, keys: operations.Vault = KEYS) -> str:
    new = texts.NewText(kit.key_of(words), None, words)
    (result,) = texts.keep_texts(journal, keys, KEY, [new], by="w", now=NOW)  # type: ignore[arg-type]
    if "error" in result:
        raise AlreadyRecordedDiffers(field="text")
    return str(result["text_ref"])


def identities(engine: Engine, vault: dict[int, bytes]) -> list[dict[str, str]]:
    wrapped = {row["person"]: row["wrapped_key"] for row in kit.rows(engine, store.person)}
    boxes = kit.rows(engine, store.vault)
    return [store.open_identity(vault, row["person"], wrapped[row["person"]], row["box"]) for row in boxes]


def test_people_and_texts_open_with_the_new_vault_key_alone(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "AT_ONCE", 2)
    journal = known(engine)
    register(journal, *(arrival(name) for name in "abc"))
    ref = keep_text(journal, "note")
    done = []
    while count := rotation.wrap_anew(engine, NEW):
        done.append(count)
        assert identities(engine, NEW) == [IDENTITY] * 3, "also half-way"
    assert done == [2, 2]
    only = {2: NEW[2]}
    assert identities(engine, only) == [IDENTITY] * 3
    assert texts.read_texts(journal, replace(KEYS, vault=only), KEY, [ref], by="w", now=NOW) == {ref: "note"}
    with pytest.raises(VaultError):
        identities(engine, dict(KEYS.vault))


def test_a_key_that_changed_or_went_meanwhile_is_left_alone(engine: Engine) -> None:
    journal = known(engine)
    results, _ = register(journal, arrival("a"), arrival("b"))
    with transaction(engine) as connection:
        due = text_store.wrapped_with_older(connection, 2, 10)
    operations.erase_person(journal, KEY, results[0]["subject"], by="w", now=NOW)
    with transaction(engine) as connection:
        text_store.wrap_again(connection, NEW, due)
        again = text_store.wrapped_with_older(connection, 2, 10)
        text_store.wrap_again(connection, NEW, due)
    assert again == []
    assert identities(engine, {2: NEW[2]}) == [IDENTITY]


def test_a_command_repeated_after_the_index_key_changed_adds_nothing_and_a_changed_one_is_refused(
    engine: Engine,
) -> None:
    journal = known(engine)
    register(journal, arrival("a"))
    ref = keep_text(journal, "note")
    newer = replace(KEYS, index=b"j" * 32, older_index=[KEYS.index])
    options = {"by": "w", "now": NOW}
    results, _ = operations.register_participants(journal, newer, KEY, [arrival("a")], **options)  # type: ignore[arg-type]
    assert results[0]["new"] is False
    changed = arrival("a", identity=IDENTITY | {"given_name": "Toinen"})
    results, _ = operations.register_participants(journal, newer, KEY, [changed], **options)  # type: ignore[arg-type]
    assert "error" in results[0]
    assert keep_text(journal, "note", newer) == ref


def test_older_files_go_a_day_later_and_a_vault_key_only_when_nobody_needs_it(engine: Engine, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    for kind in ("vault", "vault", "bus", "bus", "index", "index", "signing", "receiving", "receiving"):
        make_key(keys, kind)
    vault = {key.number: key.secret() for key in load_keys(keys).all if key.name == "vault"}
    journal, later = known(engine), (keys / "vault-2").stat().st_mtime + rotation.KEPT_SECONDS + 1
    operations.register_participants(journal, replace(KEYS, vault={1: vault[1]}), KEY, [arrival("a")], by="w", now=NOW)
    assert rotation.discard(engine, load_keys(keys), keys) == []
    assert rotation.discard(engine, load_keys(keys), keys, later) == ["bus-1"]
    assert rotation.wrap_anew(engine, vault) == 1
    assert rotation.discard(engine, load_keys(keys), keys, later) == ["vault-1"]
    assert rotation.discard(engine, load_keys(keys), keys, later) == []
    assert sorted(path.name for path in keys.iterdir() if not path.name.endswith(".pub")) == [
        *("bus-2", "index-1", "index-2", "receiving-1", "receiving-2", "signing-1", "vault-2")
    ]
    assert (keys / "bus-1.pub").exists()
