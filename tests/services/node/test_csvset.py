"""A set of CSV files checked by itself: each flaw with file, line and column, and nobody named."""

import time
import tracemalloc
from collections.abc import Callable
from datetime import date
from datetime import time as clock
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from services.node.csvrows import COLUMNS, OPTIONAL, ORDER, OUTCOMES, STEPS, row_digest
from services.node.csvset import CORE, CheckedSet, SetChanged, check_set, row_key
from services.node.importing import Import
from services.node.synth import synthesize
from shared.programmes import parse
from tests.services.node.sets import (
    ANSWER,
    ATTEMPT,
    ATTENDANCE,
    CONTACT,
    ENCOUNTER,
    EVENT,
    EXIT,
    EXIT_FORM,
    FOLLOWUP,
    INFORMED,
    LAHDE,
    LAHDE_OF_TWO,
    OTHER,
    OUTCOME,
    OWN,
    PAUSE,
    PERSON,
    PLAN,
    PROGRAMMES,
    SESSION,
    START,
    STEP,
    STEPPED,
    WORKER,
    write_set,
)

P, S, A = CORE  # people, sessions, attendance
STEPPED_PROGRAMME = parse(STEPPED)
PEOPLE_HEADER = ",".join(column for column in COLUMNS[P] if column not in OPTIONAL[P])
ESF = PERSON | {"standing": "esf_participant", "start_date": "2015-06-01"}


def found(checked: CheckedSet) -> list[tuple[str, int, str, str]]:
    return [(p.file, p.line, p.column, p.reason) for p in checked.problems]


def check(folder: Path) -> CheckedSet:
    return check_set(folder, {"lahde-mukaan": STEPPED_PROGRAMME}, {"lahde-mukaan": OWN})


CELLS = {
    # what: (file, row, column blamed, part of the reason)
    "no ref": (P, PERSON | {"ref": ""}, "ref", "missing"),
    "unknown programme": (P, PERSON | {"programme": "lahde"}, "programme", '"lahde" is no programme'),
    "unknown partner": (P, PERSON | {"partner": "city"}, "partner", '"city" is no partner'),
    "unknown standing": (P, PERSON | {"standing": "met"}, "standing", "none of visitor, client"),
    "a question the form does not ask of this person": (
        P,
        PERSON | {"labour_status": "employed", "unemployed_months": "7"},
        "unemployed_months",
        "asked only if labour_status is unemployed",
    ),
    "refused, and no form says that it was asked": (P, ESF | {"minority": "refused"}, "minority", "no signed form"),
    "who is paid by the project": (P, ESF | {"paid_by_project": "yes"}, "paid_by_project", "is not its participant"),
    "where somebody lives whose address is protected": (
        P,
        PERSON | {"municipality": "609", "protected_address": "yes"},
        "municipality",
        "left out of who has a protected address",
    ),
    "no standing": (P, PERSON | {"standing": ""}, "standing", "missing"),
    "ESF without a start": (P, ESF | {"start_date": ""}, "start_date", "missing"),
    "empty token": (P, PERSON | {"token": "a;;b"}, "token", "semicolons"),
    "identity code of the unborn": (
        P,
        PERSON | {"identity_code": "010699C910C", "birth_date": ""},
        "identity_code",
        "birth date that is not before",
    ),
    "a name that nobody sees": (P, PERSON | {"given_name": "\u200b\u2060"}, "given_name", "nothing that can be seen"),
    "invalid identity code": (P, PERSON | {"identity_code": "131052-308U"}, "identity_code", "not valid"),
    "identity code of another day": (
        P,
        PERSON | {"identity_code": "131052-308T", "birth_date": "1952-10-14"},
        "identity_code",
        "another birth date",
    ),
    "birth date the Finnish way": (P, PERSON | {"birth_date": "4.5.1970"}, "birth_date", "YYYY-MM-DD"),
    "birth date that is no day": (P, PERSON | {"birth_date": "1970-02-30"}, "birth_date", "calendar"),
    "birth long ago": (P, PERSON | {"birth_date": "1870-02-20"}, "birth_date", "plausible"),
    "birth to come": (P, PERSON | {"birth_date": "2030-02-20"}, "birth_date", "future"),
    "start before birth": (P, ESF | {"birth_date": "2016-02-20"}, "start_date", "not after the birth date"),
    "start before the project": (P, ESF | {"start_date": "2015-04-30"}, "start_date", "outside"),
    "form signed long before": (P, ESF | {"form_signed_on": "2014-01-01"}, "form_signed_on", "a year before"),
    "form signed before birth": (
        P,
        PERSON | {"birth_date": "2015-01-05", "form_signed_on": "2015-01-05"},
        "form_signed_on",
        "not after the birth date",
    ),
    "unknown gender": (P, PERSON | {"gender": "F"}, "gender", "none of f, m, x, unknown"),
    "language in words": (P, PERSON | {"service_language": "suomi"}, "service_language", "ISO 639"),
    "other interpreter": (P, PERSON | {"interpreter": "maybe"}, "interpreter", "none of yes, no"),
    "municipality by name": (P, PERSON | {"municipality": "pori"}, "municipality", '"pori" is no three-digit'),
    "unknown area": (P, PERSON | {"area": "pihlva"}, "area", '"pihlva" is no area'),
    "unknown target group": (P, PERSON | {"target_group": "young"}, "target_group", "no target group"),
    "unknown labour status": (P, PERSON | {"labour_status": "retired"}, "labour_status", "none of"),
    "months with a comma": (P, PERSON | {"unemployed_months": "4,5"}, "unemployed_months", "whole number"),
    "education out of range": (P, PERSON | {"education": "9"}, "education", "between 0 and 8"),
    "sensitive answer": (P, PERSON | {"disability": "true"}, "disability", "none of yes, no, refused, not_asked"),
    "form version in words": (P, PERSON | {"form_version": "Start form"}, "form_version", "a-z"),
    "over-long name": (P, PERSON | {"family_name": "x" * 201}, "family_name", "longer than 200"),
    "spaces around a name": (P, PERSON | {"family_name": "x "}, "family_name", "spaces"),
    "no session ref": (S, SESSION | {"ref": ""}, "ref", "missing"),
    "unknown activity": (S, SESSION | {"activity": "kapeli"}, "activity", '"kapeli" is no activity'),
    "no date": (S, SESSION | {"date": ""}, "date", "missing"),
    "session after the project": (S, SESSION | {"date": "2017-06-01"}, "date", '"2017-06-01" lies outside'),
    "time with a point": (S, SESSION | {"start": "10.30"}, "start", "HH:MM"),
    "hour 24": (S, SESSION | {"start": "24:00"}, "start", "HH:MM"),
    "session of no length": (S, SESSION | {"minutes": "0"}, "minutes", "between 1 and 1440"),
    "negative minutes": (S, SESSION | {"minutes": "-5"}, "minutes", "whole number"),
    "unknown location": (S, SESSION | {"location": "town_hall"}, "location", "no location"),
    "language twice": (S, SESSION | {"languages": "fi;fi"}, "languages", "twice"),
    "heads where people are counted": (S, SESSION | {"headcount": "5"}, "headcount", "counts people"),
    "heads without a basis": (S, EVENT | {"headcount": "5"}, "headcount_basis", "counted or estimated"),
    "women without heads": (S, EVENT | {"headcount_women": "5"}, "headcount_women", "without a headcount"),
    "basis without heads": (S, EVENT | {"headcount_basis": "counted"}, "headcount_basis", "without a headcount"),
    "more women than heads": (
        S,
        EVENT | {"headcount": "5", "headcount_women": "6", "headcount_basis": "counted"},
        "headcount_women",
        "more than the headcount 5",
    ),
    "no role": (A, ATTENDANCE | {"role": ""}, "role", "missing"),
    "unknown role": (A, ATTENDANCE | {"role": "guest"}, "role", '"guest" is none of participant'),
    "longer than the session": (A, ATTENDANCE | {"minutes": "91"}, "minutes", "more than the session's 90"),
    "no such session": (A, ATTENDANCE | {"session": "s2"}, "session", "no row of sessions.csv"),
    "no such person": (A, ATTENDANCE | {"participant": "p2"}, "participant", "no row of participants.csv"),
    "attendance where heads are counted": (A, ATTENDANCE | {"session": "e0"}, "session", "counts heads"),
    "standing too low": (A, ATTENDANCE | {"participant": "v0"}, "participant", "standing client at least"),
    "person of another partner": (A, ATTENDANCE | {"participant": "o0"}, "participant", "another partner"),
    "step of nobody": (STEPS, STEP | {"step": "network"}, "step", "a service_system step, which people never enter"),
    "unknown step": (STEPS, STEP | {"step": "outrech"}, "step", '"outrech" is no step'),
    "step without a first day": (STEPS, STEP | {"from": ""}, "from", "missing"),
    "step after the project": (STEPS, STEP | {"from": "2017-06-01"}, "from", "outside"),
    "step left after the project": (STEPS, STEP | {"to": "2017-06-01"}, "to", "outside"),
    "step left before": (STEPS, STEP | {"to": "2016-02-29"}, "to", "before the day in from"),
    "step of no person": (STEPS, STEP | {"participant": "p2"}, "participant", "no row of participants.csv"),
    "step in no programme": (STEPS, STEP | {"programme": "kuntsari"}, "programme", "no programme"),
    "unknown outcome": (OUTCOMES, OUTCOME | {"outcome": "happiness"}, "outcome", '"happiness" is no outcome'),
    "outcome without a day": (OUTCOMES, OUTCOME | {"date": ""}, "date", "missing"),
    "outcome before the project": (OUTCOMES, OUTCOME | {"date": "2015-04-30"}, "date", "before"),
    "outcome of no person": (OUTCOMES, OUTCOME | {"participant": "p2"}, "participant", "no row of participants.csv"),
}


@pytest.mark.parametrize("what", CELLS)
def test_bad_cell_is_reported_once_with_file_line_and_column(what: str, tmp_path: Path) -> None:
    file, row, column, reason = CELLS[what]
    rows = {
        P: [PERSON, PERSON | {"ref": "v0", "standing": "visitor"}, PERSON | {"ref": "o0", "partner": OTHER}],
        S: [SESSION | {"minutes": "90"}, EVENT | {"ref": "e0"}, SESSION | {"ref": "s0"}],
        A: [ATTENDANCE | {"session": "s0"}],
        STEPS: [STEP],
        OUTCOMES: [OUTCOME],
    }
    assert check(write_set(tmp_path, *rows.values())).ok
    row = row | ({"ref": "bad"} if row.get("ref") in ("p1", "s1", "e1") else {})
    rows[file].append(row)
    checked = check(write_set(tmp_path, *rows.values()))
    assert [(f, line, c) for f, line, c, _ in found(checked)] == [(file, len(rows[file]) + 1, column)]
    assert reason in checked.problems[0].reason


def header(change: Callable[[list[str]], list[str]]) -> str:
    return ",".join(change(list(COLUMNS[P])))


HEADERS = {
    "missing column": (header(lambda c: [x for x in c if x != "token"]), "token", "is missing"),
    "extra column": (header(lambda c: [*c, "shoe_size"]), "shoe_size", "no such column"),
    "column twice": (header(lambda c: [*c, "token"]), "token", "twice"),
    "two columns changed places": (header(lambda c: ["programme", "ref", *c[2:]]), "programme", "ref belongs here"),
    "semicolons": (PEOPLE_HEADER.replace(",", ";"), "", "semicolons"),
    "capitals": (header(lambda c: ["REF", *c[1:]]), "ref", "is missing"),
    "spaces": (header(lambda c: [" ref", *c[1:]]), "ref", "is missing"),
    "a person's row": ("p1,lahde-mukaan,x,client,,131052-308T,Matti,Meikäläinen", "", "not the header"),
    "blank": ("", "", "not the header"),
    "control character": (PEOPLE_HEADER + "\t", "", "control"),
}


@pytest.mark.parametrize("what", HEADERS)
def test_wrong_header_is_told_and_rows_below_are_not(what: str, tmp_path: Path) -> None:
    text, column, reason = HEADERS[what]
    write_set(tmp_path)
    (tmp_path / P).write_text(f"{text}\nx,y,z\n", encoding="utf-8")
    checked = check(tmp_path)
    assert not checked.usable
    assert {(p.file, p.line) for p in checked.problems} == {(P, 1)}
    assert any(p.column == column and reason in p.reason for p in checked.problems)
    assert not any("Matti" in line or "308T" in line for line in checked.problem_lines())
    assert [list(checked.rows(file)) for file in ORDER] == [[]] * len(ORDER)


GOOD_ROW = f"p1,lahde-mukaan,{OWN},client" + "," * 25
RAW = {
    "Latin-1": (f"{PEOPLE_HEADER}\n{GOOD_ROW}\n".encode() + b"p\xe4" + GOOD_ROW[2:].encode(), 3, "byte 2"),
    "Windows-1252 header": (b"\x80" + PEOPLE_HEADER.encode(), 1, "not UTF-8"),
    "UTF-16": (PEOPLE_HEADER.encode("utf-16"), 1, "UTF-16"),
    "UTF-16 without mark": (PEOPLE_HEADER.encode("utf-16-le"), 1, "NUL"),
    "NUL byte": (f"{PEOPLE_HEADER}\n{GOOD_ROW}\n\0\n".encode(), 3, "NUL"),
    "empty": (b"", 1, "not even a header"),
    "old Mac line ends": (f"{PEOPLE_HEADER}\r{GOOD_ROW}\r".encode(), 1, "CR only"),
    "huge line": (f"{PEOPLE_HEADER}\n".encode() + b"x" * 200_000, 2, "longer than 64 KiB"),
}  # fmt: skip


@pytest.mark.parametrize("what", RAW)
def test_file_that_is_no_utf8_text_says_where(what: str, tmp_path: Path) -> None:
    raw, line, reason = RAW[what]
    write_set(tmp_path)
    (tmp_path / P).write_bytes(raw)
    checked = check(tmp_path)
    assert not checked.usable
    (problem,) = checked.problems
    assert (problem.file, problem.line) == (P, line)
    assert reason in problem.reason


LINES = {
    "unclosed quote": ('"' + GOOD_ROW, "quote"),
    "text after a quote": ('"p2"x' + GOOD_ROW[2:], "quote"),
    "control character": (GOOD_ROW.replace("p1", "p\x07"), "control"),
    "line separator": (GOOD_ROW.replace("p1", "p\u2028"), "control"),
    "too few cells": (GOOD_ROW[:-1], "28 cells, but the header has 29"),
    "too many cells": (GOOD_ROW + ",", "30 cells, but the header has 29"),
}


@pytest.mark.parametrize("what", LINES)
def test_flawed_line_costs_that_line_only(what: str, tmp_path: Path) -> None:
    line, reason = LINES[what]
    write_set(tmp_path)
    last = GOOD_ROW.replace("p1", "p9")
    (tmp_path / P).write_text("\n".join([PEOPLE_HEADER, GOOD_ROW, line, "", last, ""]), encoding="utf-8")
    checked = check(tmp_path)
    column = "ref" if reason == "control" else ""
    assert [(p.file, p.line, p.column) for p in checked.problems] == [(P, 3, column)]
    assert reason in checked.problems[0].reason
    assert [row.ref for row in checked.participants()] == ["p1", "p9"]


def test_byte_order_mark_windows_ends_and_quotes_are_read(tmp_path: Path) -> None:
    write_set(tmp_path)
    row = GOOD_ROW.replace("p1", '"p,""1"""')
    (tmp_path / P).write_bytes(b"\xef\xbb\xbf" + f"{PEOPLE_HEADER}\r\n{row}\r\n{GOOD_ROW}".encode())
    assert [row.ref for row in check(tmp_path).participants()] == ['p,"1"', "p1"]


def test_a_set_of_before_the_optional_columns_is_what_it_was(tmp_path: Path) -> None:
    (tmp_path / P).write_text(f"{PEOPLE_HEADER}\n{GOOD_ROW}\n", encoding="utf-8")
    (old,) = check_set(tmp_path, PROGRAMMES).participants()
    (tmp_path / P).write_text(f"{','.join(COLUMNS[P])}\n{GOOD_ROW}{',' * len(OPTIONAL[P])}\n", encoding="utf-8")
    (empty,) = check_set(tmp_path, PROGRAMMES).participants()
    (tmp_path / P).write_text(f"{PEOPLE_HEADER},protected_address\n{GOOD_ROW},yes\n", encoding="utf-8")
    (told,) = check_set(tmp_path, PROGRAMMES).participants()
    assert row_digest(GOOD_ROW.split(",")) == old.digest == empty.digest != told.digest
    assert {old.key, empty.key, told.key} == {old.key}
    importing = Import(None, X25519PrivateKey.generate().public_key().public_bytes_raw())  # type: ignore[arg-type]
    assert "protected_address" not in importing._person(empty)
    assert importing._person(told)["protected_address"] == "yes"


def test_no_value_about_a_person_stands_in_a_message(tmp_path: Path) -> None:
    secret = dict.fromkeys(COLUMNS[P], "Salainen Meikäläinen 131052-308U")
    write_set(tmp_path, [secret, secret | {"standing": "client"}, PERSON | {"standing": "131052-308T"}])
    messages = "\n".join(check(tmp_path).problem_lines())
    assert "column identity_code" in messages
    for part in ("Salainen", "Meikäläinen", "131052"):
        assert part not in messages


def test_rows_show_nothing_of_people(tmp_path: Path) -> None:
    checked = check(write_set(tmp_path, [PERSON | {"given_name": "Salainen"}]))
    assert [repr(row) for file in (P, A) for row in checked.rows(file)] == [
        "<ParticipantRow of line 2>",
        "<AttendanceRow of line 2>",
    ]


def test_equal_row_is_passed_over_and_another_with_its_ref_is_a_problem(tmp_path: Path) -> None:
    other = PERSON | {"gender": "f"}
    checked = check(write_set(tmp_path, [PERSON, PERSON], [SESSION, SESSION], [ATTENDANCE, ATTENDANCE]))
    assert checked.ok
    assert checked.taken == checked.repeated == dict.fromkeys(CORE, 1)
    assert [len(list(checked.rows(file))) for file in CORE] == [1, 1, 1]
    late = ATTENDANCE | {"minutes": "5"}
    checked = check(write_set(tmp_path, [PERSON, other], [SESSION, SESSION | {"area": "pihlava"}], [ATTENDANCE, late]))
    assert [(f, line, c) for f, line, c, _ in found(checked)] == [(P, 3, "ref"), (S, 3, "ref"), (A, 3, "participant")]
    assert all("differs" in p.reason for p in checked.problems)


def test_rows_are_typed_and_empty_cells_are_none(tmp_path: Path) -> None:
    full = {
        "token": "sini;kahvi",
        "identity_code": "131052y308t",
        "family_name": "Ma\u0308ki",
        "birth_date": "1952-10-13",
        "education": "0",
        "disability": "refused",
        "form_signed_on": "2015-06-02",
    }
    held = {"start": "09:05", "minutes": "90", "languages": "fi;sv", "area": "pihlava"}
    counted = EVENT | {"headcount": "7", "headcount_women": "0", "headcount_basis": "estimated"}
    checked = check(write_set(tmp_path, [ESF | full], [SESSION | held, counted], [ATTENDANCE | {"minutes": "45"}]))
    (person,) = checked.participants()
    assert (person.token, person.identity_code, person.family_name) == (("sini", "kahvi"), "131052Y308T", "Mäki")
    assert (person.birth_date, person.education, person.disability) == (date(1952, 10, 13), 0, "refused")
    assert (person.gender, person.unemployed_months, person.area, person.homeless) == (None, None, None, None)
    session, event = checked.sessions()
    assert (session.start, session.minutes, session.languages, session.area) == (
        clock(9, 5),
        90,
        ("fi", "sv"),
        "pihlava",
    )
    assert (session.headcount, event.headcount, event.headcount_women, event.headcount_basis) == (
        None,
        7,
        0,
        "estimated",
    )
    (attendance,) = checked.attendance()
    assert (attendance.role, attendance.minutes) == ("participant", 45)
    assert (attendance.session_key, attendance.participant_key) == (session.key, person.key)


def test_rows_of_steps_and_outcomes_are_typed_and_equal_ones_are_numbered(tmp_path: Path) -> None:
    other = PERSON | {"ref": "o", "partner": OTHER}
    left = STEP | {"to": "2016-05-01"}
    outcomes = [OUTCOME, OUTCOME, OUTCOME | {"participant": "o"}, OUTCOME]
    checked = check(write_set(tmp_path, [PERSON, other], steps=[STEP, left], outcomes=outcomes))
    assert checked.ok
    (person,) = checked.participants()
    first, second = checked.rows("steps.csv")
    assert (first.since, first.until, second.until) == (date(2016, 3, 1), None, date(2016, 5, 1))
    assert first.participant_key == second.participant_key == person.key
    assert first.key != second.key
    ours = list(checked.rows("outcomes.csv"))
    assert [(row.date, row.outcome, row.partner) for row in ours] == [(date(2016, 8, 15), "education", OWN)] * 3
    assert [row.before for row in ours] == [0, 1, 2]
    assert len({row.key for row in ours}) == 3
    assert checked.left_out["lahde-mukaan", OTHER] == {P: 1, OUTCOMES: 1}
    assert {repr(first), repr(ours[0])} == {"<SpanRow of line 2>", "<OutcomeRow of line 2>"}


def test_steps_and_outcomes_of_a_bad_person_are_passed_over_with_them(tmp_path: Path) -> None:
    checked = check(write_set(tmp_path, [PERSON | {"gender": "?"}], [], [], [STEP], [OUTCOME]))
    assert (checked.problem_count, checked.dependent) == (1, {STEPS: 1, OUTCOMES: 1})
    assert [*checked.rows("steps.csv"), *checked.rows("outcomes.csv")] == []


@pytest.mark.parametrize("file", [STEPS, OUTCOMES])
def test_steps_and_outcomes_need_the_people_they_are_of(file: str, tmp_path: Path) -> None:
    write_set(tmp_path, steps=[STEP], outcomes=[OUTCOME])
    for name in {P, S, A, STEPS, OUTCOMES} - {file}:
        (tmp_path / name).unlink()
    assert [(p.file, p.reason) for p in check(tmp_path).problems] == [(P, "the file is missing")]


def test_row_keys_are_pinned_and_differ_wherever_any_part_does(tmp_path: Path) -> None:
    assert row_key("lahde-mukaan", OWN, S, "s1") == "8ad8e51ad076b7f74a414fa764808829f10de43cfb8ddf7a444eeb27d0207f53"
    keys = {
        row_key(*parts)
        for parts in [("a", "b", "c", "d"), ("ab", "", "c", "d"), ("a", "b", "c", "d", ""), ("a", "b", 'c","d')]
    }
    assert len(keys) == 4


def test_digest_follows_the_content(tmp_path: Path) -> None:
    first, second = check(write_set(tmp_path, [PERSON, PERSON | {"ref": "p2"}])).participants()
    (changed,) = check(write_set(tmp_path, [PERSON | {"gender": "f"}])).participants()
    (again,) = check(write_set(tmp_path)).participants()
    assert first.digest == again.digest
    assert len({first.digest, second.digest, changed.digest}) == 3
    assert changed.key == first.key


def test_other_partners_rows_are_checked_counted_and_left_out(tmp_path: Path) -> None:
    synthesize(LAHDE_OF_TWO, tmp_path, seed=2, scale=1)
    whole = check_set(tmp_path, PROGRAMMES)
    halves = {partner: check_set(tmp_path, PROGRAMMES, {"lahde-mukaan": partner}) for partner in (OWN, OTHER)}
    assert all(half.ok for half in halves.values())
    for file in (P, S, A, OUTCOMES):
        rows = {partner: [row.key for row in half.rows(file)] for partner, half in halves.items()}
        assert {p: len(keys) for p, keys in rows.items()} == {p: h.taken[file] for p, h in halves.items()}
        assert halves[OWN].left_out["lahde-mukaan", OTHER][file] == len(rows[OTHER])
        assert sorted(rows[OWN] + rows[OTHER]) == sorted(row.key for row in whole.rows(file))
    (tmp_path / OUTCOMES).unlink()
    write_set(tmp_path, [PERSON, PERSON | {"ref": "o", "partner": OTHER, "gender": "?"}])
    assert [(f, line) for f, line, _, _ in found(check(tmp_path))] == [(P, 3)]


def test_with_problems_the_good_rows_with_good_references_remain(tmp_path: Path) -> None:
    people = [PERSON, PERSON | {"ref": "p2", "gender": "?"}]
    sessions = [SESSION, SESSION | {"ref": "s2", "minutes": "x"}]
    attendance = [ATTENDANCE | {"session": s, "participant": p} for s in ("s1", "s2") for p in ("p1", "p2")]
    checked = check(write_set(tmp_path, people, sessions, [*attendance, ATTENDANCE | {"session": "s9"}]))
    assert checked.problem_count == 3
    assert checked.dependent == {A: 3}
    assert [row.ref for row in checked.participants()] == ["p1"]
    assert [row.ref for row in checked.sessions()] == ["s1"]
    assert [(row.session, row.participant) for row in checked.attendance()] == [("s1", "p1")]


def test_only_a_hundred_problems_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    checked = check(write_set(tmp_path, [PERSON | {"ref": str(n), "gender": "?"} for n in range(250)], [], []))
    assert checked.problem_count == 250
    assert len(checked.problem_lines()) == 101
    assert checked.problem_lines()[-1] == "and 150 more"
    assert checked.problem_lines()[0] == (
        "participants.csv, line 2, column gender: the value is none of f, m, x, unknown"
    )


def test_misspelt_csv_file_is_a_problem_and_other_files_are_not(tmp_path: Path) -> None:
    write_set(tmp_path)
    (tmp_path / "participant.csv").touch()
    (tmp_path / "README.txt").touch()
    assert [(f, line) for f, line, _, _ in found(check(tmp_path))] == [("participant.csv", 0)]


@pytest.mark.parametrize("file", [P, S])
def test_file_that_attendance_refers_to_must_be_there(file: str, tmp_path: Path) -> None:
    (write_set(tmp_path) / file).unlink()
    checked = check(tmp_path)
    assert [(p.file, p.reason) for p in checked.problems] == [(file, "the file is missing")]
    assert not checked.usable


def test_set_without_attendance_is_whole(tmp_path: Path) -> None:
    (write_set(tmp_path) / A).unlink()
    assert check(tmp_path).ok


def test_empty_folder_and_absent_folder_are_problems(tmp_path: Path) -> None:
    assert check(tmp_path).problem_count == 3
    absent = check(tmp_path / "absent")
    assert absent.problem_count == 1
    assert not absent.usable


def test_file_changed_after_the_check_is_not_read(tmp_path: Path) -> None:
    checked = check(write_set(tmp_path))
    with (tmp_path / P).open("a") as file:
        file.write(GOOD_ROW.replace("p1", "p2") + "\n")
    with pytest.raises(SetChanged):
        next(checked.participants())  # before any row of the changed file is handed out


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_no_mutation_of_a_set_makes_a_traceback(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = write_set(
        tmp_path_factory.mktemp("set"),
        assessments=[ANSWER, ANSWER | {"item": "functioning"}],
        steps=[STEP],
        pauses=[PAUSE],
        outcomes=[OUTCOME],
        exits=[EXIT],
        followups=[FOLLOWUP],
        encounters=[ENCOUNTER],
        workers=[WORKER],
        contacts=[CONTACT, CONTACT],
        informed=[INFORMED],
        starts=[START],
        exitforms=[EXIT_FORM],
        attempts=[ATTEMPT],
        plans=[PLAN, PLAN | {"what": "goal", "who": ""}],
    )
    path = folder / data.draw(st.sampled_from(ORDER))
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(raw)))
        put = data.draw(
            st.sampled_from([b"", b",", b'"', b"\n", b"\r", b"\xe4", b"\0", b";", b" ", b"9", "\u0661".encode()])
        )
        raw[start : start + data.draw(st.integers(0, 5))] = put
    path.write_bytes(raw)
    checked = check(folder)
    assert checked.ok == (not checked.problem_lines())
    for file in ORDER:
        assert sum(1 for _ in checked.rows(file)) == (checked.taken[file] if checked.usable else 0)


def test_a_hundred_thousand_rows_are_checked_in_little_time(tmp_path: Path) -> None:
    synthesize(LAHDE, tmp_path, seed=1, scale=120)
    began = time.process_time()
    checked = check(tmp_path)
    seconds = time.process_time() - began
    assert checked.ok
    assert checked.taken[P] == (74 + 29) * 120
    assert checked.taken[A] > 90_000
    assert sum(checked.taken.values()) > 100_000
    assert seconds < 20


def test_a_row_costs_little_memory_so_that_a_hundred_thousand_fit(tmp_path: Path) -> None:
    synthesize(LAHDE, tmp_path, seed=1, scale=10)
    check(tmp_path)  # what is imported and cached once is not the rows' cost
    tracemalloc.start()
    try:
        checked = check(tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert checked.ok
    assert peak / sum(checked.taken.values()) < 600
