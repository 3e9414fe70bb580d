"""Every case of the kit, put to Polku's contracts and rules; and that every rule has a case each way."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from marshmallow import ValidationError

from shared.contracts.catalogue import ParticipationStarted
from shared.contracts.errors import FactNotWritable
from shared.contracts.fields import ProgrammeKey
from shared.contracts.record_facts import ParticipationEnded
from shared.forms import Form, find_form
from shared.forms.records import Counts, End, Record, Start, age_on, count, end_problems, proof_of, start_problems

KIT = json.loads((Path(__file__).parent / "cases.json").read_text(encoding="utf-8"))
NO_ANSWERS = ("occurred_on", "municipality", "area", "target_group", "continues", "proof")
QUESTIONS = [name for name in ParticipationStarted.members if name not in NO_ANSWERS]
NAMES = {"occurred_on": "start_date", "age": "birth_date", "subject": "person"}
"""What the kit calls the members of a fact."""


@dataclass(frozen=True)
class Refused(Exception):
    field: str
    reason: str


def judge(case: Mapping[str, Any]) -> dict[str, Counts]:
    """The counts by programme. Raises `Refused` at the first record that is."""
    form = find_form(case["form"])
    records: list[Record] = []
    for given in case["records"]:
        said = {name: value for name, value in (KIT["base"] | given).items() if value is not None}
        record = read(form, said)
        if "corrects" in given:
            records[given["corrects"]] = record
        else:
            records.append(record)
    return count(form, records)


def read(form: Form, said: Mapping[str, Any]) -> Record:
    """A record that passes the contracts of the facts and the rules of the form."""
    try:
        programme = ProgrammeKey().take(said.get("programme"))
    except ValidationError as error:
        raise Refused("programme", str(error)) from None
    person = said.get("person")
    subject = sha256(person.encode()).hexdigest()[:32] if person else None
    born, day = said.get("birth_date"), said.get("start_date")
    age = age_on(date.fromisoformat(born), date.fromisoformat(day)) if born and day else None
    answers = {name: said[name] for name in QUESTIONS if name in said} | ({} if age is None else {"age": age})
    proof = proof_of(form, said, here=True)
    written(ParticipationStarted, subject, occurred_on=day, proof=proof, **answers)
    start = Start(
        date.fromisoformat(said["start_date"]),
        answers,
        asked="form_signed_on" in said,
        certain=frozenset(said.get("certain", ())),
        documented=frozenset(said.get("documented", ())),
        paid_by_project=said.get("paid_by_project", False),
        support=said.get("support", "direct"),
        proof=proof,
    )
    problems = list(start_problems(form, start))
    left, end = said.get("exit"), None
    if left is not None:
        written(ParticipationEnded, subject, occurred_on=left["date"], reason=left["reason"], results=left["results"])
        later = ((date.fromisoformat(told["date"]), frozenset(told["results"])) for told in left.get("followups", ()))
        end = End(date.fromisoformat(left["date"]), frozenset(left["results"]), tuple(later))
        problems += end_problems(form, start.started_on, end)
    for field, reason in problems:
        raise Refused(field, reason)
    return Record(programme, str(person), start, end)


def written(fact: Any, subject: str | None, **body: Any) -> None:
    try:
        fact(subject, **body)
    except FactNotWritable as error:
        field, _, reason = error.params["reason"].partition(": ")
        raise Refused(NAMES.get(field, field), error.params["reason"] if field == "subject" else reason) from None


def title(case: Mapping[str, Any]) -> str:
    return f"{case['rule']}: {case['case']}"


@pytest.mark.parametrize("case", KIT["cases"], ids=title)
def test_case(case: dict[str, Any]) -> None:
    expect = case["expect"]
    if "refused" in expect:
        with pytest.raises(Refused) as refused:
            judge(case)
        assert refused.value.field == expect["refused"]["field"]
        assert expect["refused"]["reason"] in refused.value.reason
        return
    found = judge(case)[expect["programme"]]
    assert found.participants.total() == expect["participants"]
    assert found.complete.total() == expect["complete"]
    counts = {code: found.indicators[code].total() if code in found.indicators else 0 for code in expect["counts"]}
    assert counts == expect["counts"]


def test_every_rule_has_a_case_that_passes_and_one_that_is_refused_or_kept_out() -> None:
    barred = {case["rule"] for case in KIT["cases"] if "refused" in case["expect"] or case.get("kept_out")}
    passing = {case["rule"] for case in KIT["cases"] if "counts" in case["expect"] and not case.get("kept_out")}
    assert barred == passing == set(KIT["rules"])


def test_what_is_kept_out_of_a_count_is_0_in_it() -> None:
    for case in KIT["cases"]:
        if case.get("kept_out"):
            assert 0 in case["expect"]["counts"].values(), title(case)


def test_no_two_cases_show_the_same() -> None:
    titles = [title(case) for case in KIT["cases"]]
    assert sorted(titles) == sorted(set(titles))
