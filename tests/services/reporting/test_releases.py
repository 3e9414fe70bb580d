"""Releases: what is frozen stays, byte for byte, and the lead's stream says that it was made."""

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from services.portal import report_file
from services.reporting import operations, partners, versions
from shared.contracts.errors import AlreadyRecordedDiffers, ChangedMeanwhile, InvalidInput, NotFound, PolkuError
from shared.contracts.release_facts import ReleaseMade
from shared.journal import Journal
from shared.journal.certificate import Form, check
from shared.journal.joining import Join, token_digest
from shared.journal.sending import Courier
from shared.storage import open_engine
from tests.flows.house import House, sent_by
from tests.journal.exchange_kit import make_key, public
from tests.services import kit
from tests.services.kit import KEY, OWN
from tests.services.node.commands import run
from tests.services.reporting.releasing import Reporting

FORMS: tuple[Form, ...] = ("json", "html", "csv")
SUCCESSOR = "pori-0000000f"


@pytest.fixture
def house(engine: Engine, migrated_file: Path, tmp_path: Path) -> Iterator[House]:
    """A joined pair; the lead on either database."""
    node = open_engine(f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'node.db')}")
    made = House(node, engine, tmp_path / "inbox")
    made.join()
    made.attend("first", *made.register("anna"))
    made.work()
    yield made
    made.node.dispose()


@pytest.fixture
def reporting(house: House) -> Reporting:
    return Reporting.of(house.lead, house.lead_key, house.now)


def told(engine: Engine) -> list[Any]:
    return [line for line in kit.lines(engine) if line.kind == ReleaseMade.kind]


def test_a_release_stays_as_it_is_while_lines_and_versions_come(house: House, reporting: Reporting) -> None:
    release = reporting.release()
    before = reporting.file(release)
    house.attend("second", *house.register("bertta", "cecilia"))
    house.work()
    names = kit.DOCUMENT["groups"][0]["name"]
    groups = [item | {"name": {"en": "Renamed", "fi": "Toinen"}} for item in kit.DOCUMENT["groups"]]
    versions.load_programme(Journal(house.lead, "lead"), kit.changed(groups=groups), "boss", house.now)
    house.work()
    assert reporting.file(release) == before
    frozen, now = json.loads(before), house.report()
    assert (frozen["release"], now["release"]) == (release, None)
    assert frozen["people"] != now["people"], "the report has gone on"
    form, certificate = check(before)
    assert (form, certificate.proof.streams[0].watermark) == ("json", frozen["streams"][0]["watermark"])
    for other in ("html", "csv"):
        made = reporting.file(release, other)
        assert check(made)[1].proof == certificate.proof, "other forms stand on the same lines"
        assert release in made.decode()
        assert "Renamed" not in made.decode()
        assert names.get("en", names["fi"]) in made.decode()


def test_a_partner_that_was_expelled_and_joins_again_stands_there_with_both_its_nodes_and_all_verifies(
    house: House, reporting: Reporting, tmp_path: Path
) -> None:
    before = reporting.file(reporting.release())
    lead, key, stream = Journal(house.lead, "lead"), make_key("signing"), f"{SUCCESSOR}/{KEY}"
    partners.expel_partner(lead, KEY, OWN, by="boss", now=house.now)
    token = token_digest("again")
    operations.admit_partner(lead, KEY, OWN, token, valid=timedelta(days=1), by="boss", now=house.now)
    operations.accept_join(lead, Join(KEY, OWN, SUCCESSOR, sent_by(key), sent_by(key), token), house.now)
    assert house.lead_receiving.public is not None
    courier = Courier(house.node, house.carrier, key, public(house.lead_key), house.lead_receiving.public)
    courier.round([stream], house.now)  # of the new home, which has recorded nothing
    house.work()
    release = reporting.release()
    for form in FORMS:
        made = reporting.file(release, form)
        nodes = [s for s in check(made)[1].proof.streams if s.partner == OWN]
        assert [(s.node, s.state) for s in nodes] == [(SUCCESSOR, "joined"), (kit.NODE, "expelled")]
        assert nodes[0].watermark == 0
        (tmp_path / f"again.{form}").write_bytes(made)
        assert run("verify", tmp_path / f"again.{form}").code == 0
    (tmp_path / "before.json").write_bytes(before)
    assert run("verify", tmp_path / "before.json").code == 0


def test_the_leads_stream_says_that_it_was_made_and_no_figure(house: House, reporting: Reporting) -> None:
    first, second = reporting.release("2016-01-01", "2016-12-31"), reporting.release("2016-01-01", "2016-12-31")
    reporting.release()
    lines = told(house.lead)
    digest = sha256(reporting.file(first)).hexdigest()
    assert lines[0].stream == f"lead/{KEY}"
    assert lines[0].body == {
        **{"release": first, "digest": digest, "audience": "funder", "from_day": "2016-01-01"},
        **{"to_day": "2016-12-31", "as_of": json.loads(reporting.file(first))["as_of"], "occurred_on": "2016-11-22"},
    }
    assert [row["follows"] for row in reporting.listed()] == [None, first, None]
    assert [row["release"] for row in reporting.listed()][1] == second
    assert {(row["kept"], row["by"]) for row in reporting.listed()} == {(True, "boss")}
    assert kit.audit(house.lead)[-1]["action"] == "make_release"


def test_the_same_once_more_adds_nothing_and_something_else_under_its_id_is_refused(
    house: House, reporting: Reporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = reporting.release()
    assert reporting.make()[1] is None
    first = reporting.file(release)
    monkeypatch.setattr(report_file, "new_id", lambda: release)
    with pytest.raises(AlreadyRecordedDiffers):
        reporting.release("2016-01-01", "2016-12-31")
    assert (reporting.file(release), len(told(house.lead))) == (first, 1)


def test_only_what_this_lead_has_certified_of_the_version_in_use_is_released(
    house: House, reporting: Reporting
) -> None:
    stranger = Reporting.of(house.lead, make_key("signing"), house.now)
    stranger.release()
    assert stranger.made is not None
    reporting.release()
    assert reporting.made is not None
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"document": stranger.made["document"], "release": stranger.made["release"]}, "document"),
        ({"document": reporting.made["document"].replace("7b", "7d", 1)}, "document"),
        ({"document": "00"}, "document"),
        ({"release": "ff" * 16}, "release"),
    ]
    before = len(told(house.lead))
    for change, field in wrong:
        fresh = {"release": "ee" * 16} | change if field == "document" else change
        with pytest.raises(InvalidInput) as refused:
            reporting.make(**fresh)
        assert refused.value.params["field"] == field
    asked: PolkuError | None = None
    original = reporting.make

    def late(**changes: Any) -> tuple[str, int | None]:
        versions.load_programme(Journal(house.lead, "lead"), kit.changed(silence_limit_days=5), "boss", house.now)
        return original(**changes)

    reporting.make = late  # type: ignore[method-assign]
    try:
        reporting.release()
    except ChangedMeanwhile as error:
        asked = error
    assert asked is not None
    assert len(told(house.lead)) == before


def test_a_release_that_nobody_made_is_not_there(reporting: Reporting) -> None:
    with pytest.raises(NotFound, match="release " + "ab" * 16):
        reporting.file("ab" * 16)
