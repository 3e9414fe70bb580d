"""Identity codes that can exist, and people with a protected address; on both databases."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from services.intake import queries, referral_listing, referral_store, referrals, rights, starts, store
from services.intake.domain import Before, check_arrival, with_birth_date, without_impossible
from services.intake.starts import NewStart
from shared import hetu
from shared.contracts.errors import InvalidInput, PolkuError
from shared.journal import Journal
from shared.storage import transaction
from tests.services import kit
from tests.services.intake.kit import DESK, IDENTITY, KEYS, RECORD, arrival, known, register
from tests.services.kit import PROGRAMME

SHELTERED = {name: value for name, value in RECORD.items() if name not in ("municipality", "area")}


@pytest.mark.parametrize(
    "code", ["131052-308T", "131052Y308T", "290204A902E", "010190Y900P", "290204F902E", "131052-308t"]
)
def test_a_code_of_either_century_and_any_sign_is_taken(journal: Journal, code: str) -> None:
    identity = {"given_name": "A", "identity_code": code}
    ((result,), _) = register(journal, arrival(standing="client", identity=identity))
    assert result["new"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"identity_code": "131052-308U"}, "identity_code: is not valid"),
        ({"identity_code": "310252-308Y"}, "identity_code: is not valid"),
        ({"identity_code": "131052-308T"}, "identity_code: tells another birth date than birth_date"),
    ],
)
def test_a_code_that_cannot_be_is_refused(engine: Engine, journal: Journal, changes: dict[str, str], said: str) -> None:
    ((result,), pos) = register(journal, arrival(identity=IDENTITY | changes))
    assert PolkuError.from_wire(result["error"]).message() == said
    assert (pos, kit.lines(engine)) == (None, [])


def test_a_code_without_a_birth_date_tells_it_and_the_age_with_it(engine: Engine, journal: Journal) -> None:
    told = {"given_name": "A", "family_name": "B", "identity_code": "030281-999N"}
    ((first, late), _) = register(journal, arrival(identity=told), arrival("late", "client", identity=told))
    assert kit.lines(engine)[1].body["age"] == 35
    common: dict[str, Any] = {"by": "worker", "now": kit.NOW}
    coded, kept = starts.show_start(journal, KEYS, kit.KEY, first["subject"], **common)
    assert (kept["birth_date"], coded["record"]["age"]) == ("1981-02-03", 35)
    assert register(journal, arrival(identity=told))[0] == [first | {"new": False}], "the same row again"
    was = starts.show_start(journal, KEYS, kit.KEY, late["subject"], **common)[0]["revision"]
    record = {"gender": "f", "paid_by_project": "no"}
    form = NewStart(kit.key_of("form"), late["subject"], was, date(2016, 3, 1), record, {"form_kept": "k"})
    ((done,), _) = starts.record_starts(journal, KEYS, kit.KEY, [form], **common, desk=DESK)
    assert (kit.lines(engine)[-1].body["age"], "age" in done["lacks"]) == (35, False)


@pytest.mark.parametrize(
    ("born", "said"),
    [
        (date(2099, 1, 1), "tells a birth date in the future"),
        (date(2016, 6, 1), "tells a birth date after start_date"),
    ],
)
def test_a_code_without_a_birth_date_is_refused_where_nobody_is_born_on_its_day(
    journal: Journal, born: date, said: str
) -> None:
    told = {"given_name": "A", "identity_code": hetu.synthetic(born, 910, 1)}
    ((result,), _) = register(journal, arrival(identity=told))
    assert PolkuError.from_wire(result["error"]).message() == f"identity_code: {said}"


def test_who_has_such_a_code_from_before_is_protected_all_the_same() -> None:
    told, today = {"given_name": "A", "identity_code": hetu.synthetic(date(2099, 1, 1), 910, 1)}, kit.NOW.date()
    new = arrival(identity=told, record=SHELTERED | {"protected_address": "yes"})
    check_arrival(new, PROGRAMME, today, Before("esf_participant", told))
    assert with_birth_date(new, today) == new


def test_what_another_partner_told_wrong_is_left_out_and_said() -> None:
    today = kit.NOW.date()
    assert without_impossible({"given_name": "A", "identity_code": "131052-308U"}, PROGRAMME, today) == (
        {"given_name": "A"},
        ["identity_code"],
    )
    told = {"birth_date": "1981-02-03", "identity_code": "131052-308T"}
    assert without_impossible(told, PROGRAMME, today) == ({"birth_date": "1981-02-03"}, ["identity_code"])


def test_where_the_code_is_not_asked_it_is_refused_and_left_out_of_what_another_partner_told() -> None:
    unasked = replace(PROGRAMME, identity_code="not_asked")
    coded = IDENTITY | {"birth_date": "1952-10-13", "identity_code": "131052-308T"}
    with pytest.raises(InvalidInput, match="identity_code"):
        check_arrival(arrival(identity=coded), unasked, kit.NOW.date())
    check_arrival(arrival(identity=coded), PROGRAMME, kit.NOW.date())
    assert without_impossible(coded, unasked, kit.NOW.date())[1] == ["identity_code"]


def test_where_the_code_is_required_nobody_becomes_an_esf_participant_without() -> None:
    required, uncoded = replace(PROGRAMME, identity_code="required"), IDENTITY | {"identity_code": None}
    with pytest.raises(InvalidInput, match="identity_code"):
        check_arrival(arrival(identity=uncoded), required, kit.NOW.date())
    check_arrival(arrival(standing="client", identity=uncoded), required, kit.NOW.date())


def test_a_start_form_may_tell_the_code_that_is_required_and_no_list_replaces_one(sqlite_engine: Engine) -> None:
    journal, common = known(sqlite_engine), {"by": "worker", "now": kit.NOW, "desk": DESK}
    kit.put_programme(sqlite_engine, store.shelf, kit.changed(identity_code="required"))
    subject = str(register(journal, arrival("p", "client", identity={"given_name": "A"}))[0][0]["subject"])

    def told(name: str, was: str | None, content: dict[str, Any]) -> dict[str, Any]:
        record = {"gender": "f", "paid_by_project": "no"}
        form = NewStart(kit.key_of(name), subject, was, date(2016, 3, 1), record, content)
        return starts.record_starts(journal, KEYS, kit.KEY, [form], **common)[0][0]

    def shown() -> dict[str, Any]:
        return starts.show_start(journal, KEYS, kit.KEY, subject, by="worker", now=kit.NOW)[0]

    was = shown()["revision"]
    assert shown()["lacks_code"]
    assert told("without", was, {})["error"]["params"]["field"] == "identity_code"
    assert told("with", was, {"identity_code": "030281-999N"})["new"]
    assert not shown()["lacks_code"]
    assert told("other", None, {"identity_code": "131052-308T"})["error"]["code"] == "already_recorded_differs"


def test_the_rule_about_the_code_holds_for_who_comes_and_never_keeps_an_address_unprotected() -> None:
    def check(rule: Any, code: str | None, was: str, had: str | None) -> None:
        identity = {"given_name": "A", "identity_code": code}
        record = SHELTERED | {"protected_address": "yes"}
        new = arrival(start_date=kit.NOW.date(), identity=identity, record=record)
        before = Before(was, {"identity_code": had})
        check_arrival(new, replace(PROGRAMME, identity_code=rule), kit.NOW.date(), before)

    one, other = "131052-308T", "010190Y900P"
    check("required", None, "esf_participant", None)
    check("not_asked", one, "esf_participant", one)
    check("not_asked", one, "client", one)
    for rule, code, was, had in (
        ("required", None, "client", None),
        ("required", None, "esf_participant", one),
        ("not_asked", other, "esf_participant", one),
        ("not_asked", one, "client", None),
    ):
        with pytest.raises(InvalidInput, match="identity_code"):
            check(rule, code, was, had)


def test_who_has_or_lacks_a_code_from_before_the_rule_is_protected_all_the_same(sqlite_engine: Engine) -> None:
    journal = known(sqlite_engine)
    uncoded = arrival("u", identity=IDENTITY | {"identity_code": None, "token": "u"})
    coded, lacking = (str(r["subject"]) for r in register(journal, arrival("c"), uncoded)[0])
    for rule, subject in (("not_asked", coded), ("required", lacking)):
        document = {name: value for name, value in kit.changed(identity_code=rule).items() if name != "tag"}
        kit.put_programme(sqlite_engine, store.shelf, document)
        common: dict[str, Any] = {"by": "worker", "now": kit.NOW, "desk": DESK}
        protected = rights.correct_person(journal, KEYS, kit.KEY, subject, {}, {"protected_address": "yes"}, **common)
        assert "protected_address" in protected[0]
        was = starts.show_start(journal, KEYS, kit.KEY, subject, by="worker", now=kit.NOW)[0]["revision"]
        form = NewStart(kit.key_of(rule), subject, was, date(2016, 3, 1), {"gender": "f", "paid_by_project": "no"}, {})
        assert starts.record_starts(journal, KEYS, kit.KEY, [form], **common)[0][0]["new"]


# --- protected addresses


@pytest.mark.parametrize("field", ["municipality", "area"])
def test_who_has_a_protected_address_comes_in_without_a_place(engine: Engine, journal: Journal, field: str) -> None:
    record = SHELTERED | {"protected_address": "yes"}
    ((refused,), _) = register(journal, arrival(record=record | {field: RECORD[field]}))
    assert refused["error"]["params"]["field"] == field
    ((taken,), _) = register(journal, arrival(record=record))
    body = kit.lines(engine)[-1].body
    assert (taken["new"], body.get("municipality"), body.get("area")) == (True, None, None)
    assert "protected_address" not in body


def test_who_gets_one_later_loses_the_place_in_the_later_record(engine: Engine, journal: Journal) -> None:
    subject = str(register(journal, arrival())[0][0]["subject"])
    changed, _ = rights.correct_person(
        journal, KEYS, kit.KEY, subject, {}, {"protected_address": "yes"}, desk=DESK, by="worker", now=kit.NOW
    )
    assert changed == ["area", "municipality", "protected_address"]
    assert {"municipality", "area"}.isdisjoint(kit.lines(engine)[-1].body)
    assert queries.list_people(engine, kit.KEY, 1, 0)[1][0].protected


def test_a_list_of_referrals_does_not_name_them(engine: Engine, journal: Journal) -> None:
    record = SHELTERED | {"protected_address": "yes"}
    hidden, open_ = (
        str(result["subject"]) for result in register(journal, arrival("a", record=record), arrival("b"))[0]
    )
    with transaction(engine) as connection:
        for number, subject in (("1" * 32, hidden), ("2" * 32, open_)):
            coded = {"programme": kit.KEY, "direction": "out", "node": "x", "partner": "x", "state": "sent"}
            ids = {"subject": bytes.fromhex(subject), "revision": 0}
            referral_store.add_referral(connection, number, "2016", **coded, **ids)
    place = referrals.Place(journal, None, KEYS, kit.KEY)  # type: ignore[arg-type]
    _, shown = referral_listing.listed(place, 10, 0, by="worker", now=kit.NOW)
    names = {one.coded["person"]: one.named["family_name"] for one in shown}
    assert names == {hidden: None, open_: IDENTITY["family_name"]}
