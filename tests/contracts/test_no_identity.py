"""A fact that could carry an identity cannot be written, neither declared nor filled in."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import fields

from shared.contracts import catalogue
from shared.contracts.catalogue import FACTS
from shared.contracts.errors import FactNotWritable
from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import Code, Codes, Flag, Number, ProgrammeText, SubjectRef
from shared.hetu import check_character
from tests.contracts.samples import SUBJECT, full_body, options_of, subject_for

NAMES = ["Matti Meikäläinen", "matti meikäläinen", "Meikäläinen", "Åsa", "O'Hara", "Иван", "Mari-Anne", "matti.m"]
MAILS = ["matti@example.fi", "matti.meikalainen@posti.example.fi", "Matti <matti@example.fi>"]
PHONES = [
    *("0401234567", "040 123 4567", "040-1234567", "040-123-4567", "040_123_4567", "+358401234567"),
    *("+358 40 123 4567", "(02) 123 4567", "358401234567", "tel_0401234567", "09_123_456_78"),
]
SIGNS = "+-YXWVUABCDEF"


def _code(sign: str, number: int = 900) -> str:
    digits = f"{date(1990, 1, 2):%d%m%y}{number}"
    return f"{digits[:6]}{sign}{number}{check_character(digits)}"


CODES = [code for sign in (*SIGNS, "") for number in (900, 999) for code in (_code(sign, number),)]
CODES += [code.lower() for code in CODES] + [f"x_{_code('A').lower()}", "020190_900x", "h020190-900x"]
PERSONAL = [*NAMES, *MAILS, *PHONES, *CODES]

POSITIONS = [
    pytest.param(fact, name, id=f"{fact.kind}.v{fact.v}.{name}")
    for fact in FACTS.values()
    for name, field in fact.members.items()
    if not isinstance(field, Number | Flag | ProgrammeText)
]


@pytest.mark.parametrize(("fact", "name"), POSITIONS)
def test_no_position_of_any_fact_takes_a_name_a_code_an_address_or_a_number(fact: type[Fact], name: str) -> None:
    body = full_body(fact)
    fact(subject_for(fact), **body)
    for text in PERSONAL:
        value = [text] if isinstance(body[name], list) else {text: 1} if isinstance(body[name], dict) else text
        with pytest.raises(FactNotWritable, match=name) as refused:
            fact(subject_for(fact), **{**body, name: value})
        assert text not in str(refused.value), "the message quotes it"


@pytest.mark.parametrize("fact", FACTS.values(), ids=lambda fact: fact.kind)
def test_the_subject_is_random_digits_and_nothing_else(fact: type[Fact]) -> None:
    for text in (*PERSONAL, SUBJECT.upper(), SUBJECT + "\n", SUBJECT[:-1], b"\x01" * 32, 7):
        with pytest.raises(FactNotWritable):
            fact(text, **full_body(fact))  # type: ignore[arg-type]


@given(
    st.dates(date(1900, 1, 1), date(2099, 12, 31)),
    st.integers(900, 999),
    st.sampled_from([*SIGNS, ""]),
    st.sampled_from(["{}", "x{}", "{}_x", "koodi_{}"]),
)
@settings(max_examples=100)
def test_no_code_holds_an_identity_code_with_whatever_sign(born: date, number: int, sign: str, around: str) -> None:
    digits = f"{born:%d%m%y}{number}"
    code = f"{digits[:6]}{sign}{number}{check_character(digits)}"
    for text in (around.format(code), around.format(code).lower()):
        with pytest.raises(FactNotWritable):
            catalogue.SessionHeld(session="0" * 32, activity=text, occurred_on="2026-01-01")
        with pytest.raises(FactNotWritable):
            catalogue.ProgrammeLoaded(**{**catalogue.ProgrammeLoaded.example, "programme": text})


@pytest.mark.parametrize("code", ["kaapeli", "ryhma_2015_2017", "esf_2014", "a1"])
def test_ordinary_codes_are_no_identities(code: str) -> None:
    assert catalogue.SessionHeld(session="0" * 32, activity=code, occurred_on="2026-01-01")["activity"] == code


@pytest.mark.parametrize("plain", [fields.String(), fields.Raw(), fields.Dict(), fields.List(fields.String())])
def test_a_fact_with_a_field_that_holds_typed_text_cannot_be_declared(plain: "fields.Field[str]") -> None:
    with pytest.raises(TypeError, match="note"):
        type("Noted", (Fact,), {"kind": "tests.noted", "about": About.NOBODY, "note": plain})


def test_a_second_subject_cannot_be_declared() -> None:
    with pytest.raises(TypeError, match="friend"):
        type("Met", (Fact,), {"kind": "tests.met", "about": About.SOMEBODY, "friend": SubjectRef()})


@pytest.mark.parametrize("name", ["continues", "same_as"])
def test_only_a_continuation_or_a_duplicate_names_a_second_subject(name: str) -> None:
    fact = type("Went", (Fact,), {"kind": "tests.went", "about": About.SOMEBODY, name: SubjectRef()})
    assert fact(SUBJECT, **{name: "1" * 32})[name] == "1" * 32


def test_programme_text_is_the_one_free_text_and_only_programme_facts_have_it() -> None:
    # A programme file is public and written by organisations: partners' and activities' names are text there. It is
    # checked by its schema where it is loaded and names no people; without its text a lead could not send it around.
    having = {f.kind for f in FACTS.values() if any(isinstance(m, ProgrammeText) for m in f.members.values())}
    assert having == {"pathways.programme_loaded", "reporting.programme_version"}
    for fact in FACTS.values():
        if fact.kind in having:
            assert fact.about is About.NOBODY


@pytest.mark.parametrize("text", ["", "a" * 12_001, "a\nb", "a\x00", "\ud800", "\x7f"])
def test_programme_text_is_a_piece_of_canonical_json(text: str) -> None:
    with pytest.raises(FactNotWritable, match="text"):
        catalogue.ProgrammeLoaded(**{**catalogue.ProgrammeLoaded.example, "text": text})


def test_every_code_that_is_no_enumeration_is_a_key_of_the_programme_file() -> None:
    # No type tells a name written like a code from a code. These are the positions that services check against the
    # programme file before they record the fact; a new one must be checked there too.
    open_codes = {
        (fact.kind, name)
        for fact in FACTS.values()
        for name, field in fact.members.items()
        for code in [field.inner if isinstance(field, Codes) else field]
        if isinstance(code, Code) and not options_of(code)
    }
    assert open_codes == {
        ("intake.participation_started", "area"),
        ("intake.participation_started", "target_group"),
        ("intake.participation_ended", "next"),
        ("intake.participation_ended", "planned"),
        ("pathways.plan_revised", "strengths"),
        ("pathways.plan_revised", "next"),
        ("pathways.plan_entry_recorded", "barrier"),
        ("pathways.plan_entry_recorded", "solutions"),
        ("activities.session_held", "activity"),
        ("activities.session_held", "location"),
        ("activities.session_held", "area"),
        ("pathways.step_entered", "step"),
        ("pathways.step_left", "step"),
        ("pathways.step_removed", "step"),
        ("pathways.pause_removed", "step"),
        ("pathways.outcome_recorded", "activity"),
        ("pathways.outcome_recorded", "outcome"),
        ("pathways.period_confirmed", "period"),
        ("pathways.task_opened", "rule"),
        ("reporting.node_admitted", "partner"),
        ("reporting.node_expelled", "partner"),
        ("intake.encounter_recorded", "location"),
        ("intake.encounter_recorded", "area"),
        ("intake.encounter_recorded", "topics"),
        ("intake.encounter_recorded", "guided_to"),
        ("intake.referral_sent", "partner"),
        ("intake.referral_received", "partner"),
        ("intake.referral_followed_up", "outcome"),
        # and these of the instrument's file, which the programme file names
        ("measurement.answers_recorded", "instrument"),
        ("measurement.answers_recorded", "version"),
        ("measurement.anonymous_answers_recorded", "instrument"),
        ("measurement.anonymous_answers_recorded", "version"),
        ("measurement.anonymous_sheet_recorded", "instrument"),
        ("measurement.anonymous_sheet_recorded", "version"),
        ("measurement.score_computed", "instrument"),
        ("measurement.score_computed", "version"),
        ("measurement.score_computed", "scale"),
        ("activities.conversation_held", "topics"),
        ("pathways.step_paused", "step"),
        ("pathways.step_resumed", "step"),
        ("pathways.product_recorded", "product"),
        ("pathways.thing_left_open", "item"),
    }


@pytest.mark.parametrize("digits", ["٦٠٩", "６０９", "६०९"])
def test_digits_are_the_ten_of_ascii(digits: str) -> None:
    start = catalogue.ParticipationStarted.example
    with pytest.raises(FactNotWritable, match="municipality"):
        catalogue.ParticipationStarted(SUBJECT, **{**start, "municipality": digits})
    session = catalogue.SessionHeld.example
    with pytest.raises(FactNotWritable, match="start"):
        catalogue.SessionHeld(**{**session, "start": f"1{digits[0]}:00"})
    with pytest.raises(FactNotWritable, match="occurred_on"):
        catalogue.SessionHeld(**{**session, "occurred_on": f"{digits[:1] * 4}-01-01"})


@pytest.mark.parametrize("number", [True, 7.0, "7", -1, 100_001, None, [7]])
def test_a_number_is_a_whole_number_within_its_bounds(number: object) -> None:
    with pytest.raises(FactNotWritable, match="heads"):
        catalogue.HeadsCounted(session="0" * 32, heads=number, basis="counted")


def test_no_programme_is_called_local() -> None:
    with pytest.raises(FactNotWritable, match="programme"):
        catalogue.ProgrammeLoaded(**{**catalogue.ProgrammeLoaded.example, "programme": "local"})


def test_every_fact_that_leaves_the_home_is_of_a_programme_and_every_kind_is_of_its_service() -> None:
    services = {"intake", "activities", "pathways", "reporting", "measurement"}
    assert {fact.kind.split(".")[0] for fact in FACTS.values()} == services
    assert {f.kind for f in FACTS.values() if f.reach is Reach.NODE} == {
        "pathways.programme_loaded",
        "intake.tagging_due",
        "intake.worker_changed",
        "intake.record_attempted",
        "intake.attempt_removed",
        "intake.client_left",
        "intake.client_returned",
        "intake.visitor_met",
        "intake.history_asked",
        "intake.visit_removed",
        "pathways.plan_revised",
        "pathways.plan_entry_recorded",
        "pathways.plan_entry_withdrawn",
        "intake.eura_entered",
        "intake.exit_form_recorded",
        "intake.referral_sent",
        "intake.referral_withdrawn",
        "intake.referral_answered",
        "intake.referral_received",
        "intake.referral_recalled",
        "intake.referral_accepted",
        "intake.referral_declined",
        "intake.referral_followed_up",
        "intake.person_informed",
        "activities.purpose_cleared",
        "pathways.purpose_cleared",
        "measurement.purpose_cleared",
        "measurement.answers_recorded",
        "measurement.anonymous_answers_recorded",
        "activities.conversation_held",
        "activities.conversation_removed",
        "activities.action_agreed",
        "activities.action_withdrawn",
        "activities.meeting_planned",
        "activities.meeting_withdrawn",
        "pathways.task_opened",
        "pathways.task_closed",
        "pathways.person_left_open",
        "pathways.thing_left_open",
    }
