"""A new version at the lead: what is gone and has arrived is mapped or refused; figures follow, lines stay."""

import copy
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from services.reporting import rebuilding, store, versions
from services.reporting.queries import report
from services.reporting.steps import step_states
from shared.contracts.catalogue import OutcomeRecorded, SessionHeld, StepEntered, StepLeft
from shared.contracts.encounter_facts import EncounterRecorded
from shared.contracts.errors import InvalidProgramme
from shared.contracts.facts import Fact
from shared.contracts.record_facts import ParticipationEnded
from shared.journal import Journal
from shared.journal.carry_tables import received_line
from shared.programmes import succession
from tests.services.kit import DOCUMENT, KEY, NOW, OTHER, OWN
from tests.services.reporting.kit import STREAMS, admit, attendance, derive_all, hex_id, lead, receive

MINE, THEIRS = STREAMS[OWN], STREAMS[OTHER]
STEPS = [{"key": key, "name": {"fi": key}, "level": "individual"} for key in ("early", "late")]
BEFORE: dict[str, Any] = copy.deepcopy(DOCUMENT) | {"steps": STEPS}
MAPPING = [
    {"list": "steps", "key": "early", "becomes": "late"},
    {"list": "activities", "key": "duuniin", "becomes": "coaching"},
    {"list": "outcomes", "key": "education", "becomes": "studies"},
    {"list": "areas", "key": "sampola", "becomes": "pihlava"},
]


def after(*rows: int) -> dict[str, Any]:
    """Duuniin, its outcome education, an area and a step have gone; these rows of the mapping are there."""
    document = copy.deepcopy(BEFORE)
    document["steps"] = STEPS[1:]
    document["areas"] = [area for area in document["areas"] if area["key"] != "sampola"]
    document["locations"] = [{**place, "area": "pihlava"} for place in document["locations"]]
    renamed = {"duuniin": "coaching", "education": "studies"}
    for part in ("activities", "outcomes"):
        document[part] = [
            {word: renamed.get(value, value) if word in ("key", "activity") else value for word, value in item.items()}
            for item in document[part]
        ]
    del document["tasks"], document["figures"]["outcomes"]
    document["mapping"] = [MAPPING[row] for row in rows]
    return document


def went(what: type[Fact], person: object, key: str) -> Fact:
    return what(hex_id("person", person), step=key, occurred_on="2016-03-01")


def arrived(engine: Engine) -> Journal:
    journal = lead(engine, BEFORE)
    admit(engine, OWN, OTHER)
    ids = {"session": hex_id("session", 1), "outcome_id": hex_id("outcome", 1)}
    held = SessionHeld(session=ids["session"], activity="duuniin", occurred_on="2016-03-01", area="sampola")
    became = OutcomeRecorded(hex_id("person", "a"), outcome_id=ids["outcome_id"], activity="duuniin",
                             outcome="education", occurred_on="2016-08-01")  # fmt: skip
    receive(engine, MINE, [held, attendance(1, 1, "a", "participant"), went(StepEntered, "a", "early"), became])
    street = EncounterRecorded(None, encounter=hex_id("encounter", 1), occurred_on="2016-03-01", area="sampola")
    receive(engine, THEIRS, [went(StepEntered, "a", "early"), went(StepLeft, "a", "early"), street])
    derive_all(engine)
    return journal


def lines(engine: Engine) -> list[bytes]:
    with engine.connect() as connection:
        return list(connection.execute(select(received_line.c.line).order_by("stream", "seq")).scalars())


def test_figures_are_the_same_under_the_new_keys_and_no_line_is_changed(engine: Engine) -> None:
    journal = arrived(engine)
    was, before = report(engine, KEY, None, None, NOW), lines(engine)
    told = versions.rehearse(journal, after(0, 1, 2, 3))
    assert [(m["key"], m["becomes"], m["people"], m["now"]) for m in told["moves"]] == [
        ("early", "late", 2, 1),
        ("duuniin", "coaching", 1, None),
        ("education", "studies", 1, None),
        ("sampola", "pihlava", 0, None),
    ]
    assert [row["key"] for row in was["encounters"]["by"]["area"]] == ["sampola"]
    assert (told["partners"], told["problems"]) == ([OWN, OTHER], [])
    versions.load_programme(journal, after(0, 1, 2, 3), "boss", NOW)
    derive_all(engine)
    now = report(engine, KEY, None, None, NOW)
    assert step_states(engine, KEY)[0]["participations"] == {"entered": 2, "on": 1, "paused": 0, "left": 1}
    assert (was["outcomes"][0]["outcomes"]["education"], now["outcomes"][0]["outcomes"]["studies"]) == (1, 1)
    assert now["activities"] == was["activities"]
    assert [row["key"] for row in now["encounters"]["by"]["area"]] == ["pihlava"]
    assert now["data_quality"]["refused_lines"] == was["data_quality"]["refused_lines"] == 0
    assert lines(engine) == before
    assert rebuilding.check(engine)["equal"]


@pytest.mark.parametrize(("left_out", "path", "key"), [
    (0, "steps", "early"), (1, "activities", "duuniin"), (2, "outcomes", "education"), (3, "areas", "sampola"),
])  # fmt: skip
def test_each_key_that_is_gone_and_has_arrived_must_be_mapped(
    sqlite_engine: Engine, left_out: int, path: str, key: str
) -> None:
    journal = arrived(sqlite_engine)
    document = after(*(row for row in range(4) if row != left_out))
    [problem] = [p for p in versions.rehearse(journal, document)["problems"] if "is gone" in p["reason"]]
    assert problem["path"] == path
    assert f'"{key}" is gone' in problem["reason"]
    with pytest.raises(InvalidProgramme):
        versions.load_programme(journal, document, "boss", NOW)
    assert report(sqlite_engine, KEY, None, None, NOW)["data_quality"]["refused_lines"] == 0


def test_the_next_of_an_exit_is_read_under_the_new_key_and_a_key_that_only_exits_have_must_be_mapped(
    sqlite_engine: Engine,
) -> None:
    journal = lead(sqlite_engine, BEFORE)
    admit(sqlite_engine, OWN)
    left = ParticipationEnded(hex_id("person", "a"), reason="moved", occurred_on="2016-08-01", next="education")
    receive(sqlite_engine, MINE, [left])
    derive_all(sqlite_engine)
    with pytest.raises(InvalidProgramme, match='"education" is gone'):
        versions.load_programme(journal, after(0, 1, 3), "boss", NOW)
    versions.load_programme(journal, after(0, 1, 2, 3), "boss", NOW)
    derive_all(sqlite_engine)
    with sqlite_engine.connect() as connection:
        assert list(connection.execute(select(store.exit_.c.next)).scalars()) == ["studies"]


def test_a_line_that_arrives_while_the_lines_are_read_is_seen_and_does_not_wait(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = lead(sqlite_engine, BEFORE)
    admit(sqlite_engine, OWN, OTHER)
    receive(sqlite_engine, MINE, [went(StepEntered, n, "late") for n in range(3)])
    read, batches = succession.in_use, []

    def slowly(lines: Any, keys: Any) -> Any:
        def each() -> Any:
            for line in lines:
                yield line
                if not batches:  # the receiver writes meanwhile: no transaction holds the database
                    receive(sqlite_engine, THEIRS, [went(StepEntered, "b", "early")])
                batches.append(line)

        return read(each(), keys)

    monkeypatch.setattr(versions, "BATCH", 1)
    monkeypatch.setattr(versions, "in_use", slowly)
    with pytest.raises(InvalidProgramme, match='"early" is gone'):
        versions.load_programme(journal, after(1, 2, 3), "boss", NOW)


def test_a_version_that_leaves_no_key_out_reads_no_line_while_nobody_else_can_write(sqlite_engine: Engine) -> None:
    journal, said = arrived(sqlite_engine), list[str]()
    event.listen(sqlite_engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    versions.load_programme(journal, {**BEFORE, "silence_limit_days": 5}, "boss", NOW)
    assert said
    assert not [each for each in said if "received_line" in each]


def test_a_third_version_keeps_the_rows_of_the_second(sqlite_engine: Engine) -> None:
    journal = arrived(sqlite_engine)
    versions.load_programme(journal, after(0, 1, 2, 3), "boss", NOW)
    with pytest.raises(InvalidProgramme, match='"early" is gone'):
        versions.load_programme(journal, after(1, 2, 3), "boss", NOW)
