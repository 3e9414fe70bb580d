"""Free text in the vault: kept once, opened only with the right key, read only in sight of the audit log."""

from typing import Any

import pytest
from sqlalchemy import Engine, delete

from services.intake import store, text_store, texts
from services.intake.texts import NewText
from shared.contracts.commands import load
from shared.contracts.errors import InvalidInput, UnknownProgramme
from shared.contracts.talks import LONGEST_TEXT, TextContent
from shared.journal import Journal, audit
from shared.journal.erasing import subject_digest
from shared.storage import snapshot, transaction
from shared.storage.vault import VaultError
from tests.services import kit
from tests.services.intake.kit import KEYS, arrival, known, register
from tests.services.kit import KEY, NOW, key_of

SECRET = "Äskettäin luottotiedot-menivät, soittaa Kelaan"
STATE = (text_store.text, text_store.text_key, store.keys)


def ready(engine: Engine) -> tuple[Journal, str]:
    """A node with one person; journal and subject."""
    journal = known(engine)
    (result,), _ = register(journal, arrival())
    return journal, result["subject"]


def keep(journal: Journal, *new: NewText, **options: Any) -> list[dict[str, Any]]:
    given: dict[str, Any] = {"by": "worker", "now": NOW} | options
    return texts.keep_texts(journal, KEYS, given.pop("programme", KEY), new, **given)


def read(journal: Journal, *refs: str, programme: str = KEY) -> dict[str, str]:
    return texts.read_texts(journal, KEYS, programme, refs, by="maija", now=NOW)


def note(name: str = "n", subject: str | None = None, text: str = SECRET) -> NewText:
    return NewText(key_of(f"note {name}"), subject, text)


def test_a_text_of_a_person_and_one_of_none_come_back_as_they_were(engine: Engine) -> None:
    journal, subject = ready(engine)
    lines = "Ensimmäinen rivi\n\nToinen: 🙂"
    mine, ours = (result["text_ref"] for result in keep(journal, note("a", subject), note("b", None, lines)))
    assert read(journal, mine, ours) == {mine: SECRET, ours: lines}


def test_no_word_of_a_text_is_in_the_database_and_no_line_comes_of_it(engine: Engine) -> None:
    journal, subject = ready(engine)
    before = kit.heads(engine)
    (result,) = keep(journal, note("a", subject))
    keep(journal, note("b"))
    read(journal, result["text_ref"])
    stored = kit.stored_bytes(engine)
    assert result["text_ref"].encode() in stored  # the search finds what is there: the log of the read
    for word in ("luottotiedot", "Äskettäin", "Kelaan"):
        for form in (word.encode(), word.encode("utf-16-le"), word.encode().hex().encode()):
            assert form not in stored
    assert {name for name, at in kit.heads(engine).items() if at != before[name]} == {"audit"}
    assert "luottotiedot" not in repr(note())


def test_each_read_is_logged_with_who_what_and_whose(engine: Engine) -> None:
    journal, subject = ready(engine)
    mine, ours = (result["text_ref"] for result in keep(journal, note("a", subject), note("b")))
    read(journal, ours, mine, "0b" * 16)
    entry = {"by": "maija", "action": "read_texts", "programme": KEY}
    assert kit.audit(engine)[-1] == entry | {"texts": sorted([mine, ours]), "subjects": [subject_digest(subject)]}
    with snapshot(engine) as connection:
        assert audit.verify(connection) is None


def test_nothing_found_is_nothing_read(engine: Engine) -> None:
    journal, subject = ready(engine)
    (result,) = keep(journal, note("a", subject))
    entries = len(kit.audit(engine))
    kit.put_programme(engine, store.shelf, kit.changed(key="toinen"))
    assert read(journal, "0b" * 16) == read(journal, result["text_ref"], programme="toinen") == {}
    assert len(kit.audit(engine)) == entries


def test_the_same_again_is_the_same_text_and_another_text_is_refused(engine: Engine) -> None:
    journal, subject = ready(engine)
    first = keep(journal, note("a", subject), note("b"))
    before = [kit.heads(engine), *(kit.rows(engine, table) for table in STATE)]
    assert keep(journal, note("a", subject), note("b")) == [{**result, "new": False} for result in first]
    (refused,) = keep(journal, note("a", subject, "muuta"))
    assert refused["error"] == {"code": "already_recorded_differs", "params": {"field": "text"}}
    assert [kit.heads(engine), *(kit.rows(engine, table) for table in STATE)] == before


def test_a_person_who_is_not_here_has_no_text_here(engine: Engine) -> None:
    journal, subject = ready(engine)
    kit.put_programme(engine, store.shelf, kit.changed(key="toinen"))
    results = keep(journal, note("a"), note("b", "0b" * 16), note("c"))
    assert [result.get("error", {}).get("code") for result in results] == [None, "unknown_person"]
    (other,) = keep(journal, note("d", subject), programme="toinen")
    assert other["error"]["code"] == "unknown_person"
    with pytest.raises(UnknownProgramme):
        keep(journal, note("e"), programme="kuu")


def test_a_text_moved_to_another_place_does_not_open(engine: Engine) -> None:
    journal, subject = ready(engine)
    refs = [result["text_ref"] for result in keep(journal, note("a", subject), note("b", subject))]
    with transaction(engine) as connection:
        first, second = text_store.find_texts(connection, KEY, refs)
        connection.execute(
            text_store.text.update().where(text_store.text.c.text_ref == second.text_ref).values(box=first.box)
        )
    with pytest.raises(VaultError):
        read(journal, second.text_ref.hex())


def test_when_a_person_goes_their_texts_go_and_the_sessions_note_stays(engine: Engine) -> None:
    journal, subject = ready(engine)
    mine, ours = (result["text_ref"] for result in keep(journal, note("a", subject), note("b")))
    with transaction(engine) as connection:
        connection.execute(delete(store.person))
    assert list(read(journal, mine, ours)) == [ours]


def test_a_withdrawn_text_is_deleted_if_it_is_that_persons(engine: Engine) -> None:
    journal, subject = ready(engine)
    (result,) = keep(journal, note("a", subject))
    ref = result["text_ref"]
    with transaction(engine) as connection:
        text_store.drop_text(connection, ref, "0b" * 16)
    assert list(read(journal, ref)) == [ref]
    with transaction(engine) as connection:
        text_store.drop_text(connection, ref, subject)
    assert read(journal, ref) == {}


@pytest.mark.parametrize("text", ["", "x" * (LONGEST_TEXT + 1), "a\x00", "\ud800", "a\rb", 7, None])
def test_what_is_no_text_is_refused(text: object) -> None:
    with pytest.raises(InvalidInput, match="text"):
        load(TextContent, {"text": text})


def test_the_longest_text_fits_sealed_into_a_command() -> None:
    import base64
    import json

    from shared.contracts.talks import KeepTexts
    from shared.journal.crypto import SEAL_OVERHEAD

    plain = json.dumps({"text": "\U0001f642" * LONGEST_TEXT}, ensure_ascii=False).encode()
    sealed = base64.b64encode(bytes(len(plain) + SEAL_OVERHEAD)).decode()
    body = {"by": "a", "programme": "a", "items": [{"key": "0" * 64, "sealed": sealed}]}
    assert load(KeepTexts, body)["items"][0]["sealed"] == sealed
