"""Rules of reporting, of start and exit records: what is derived of one, and counts as the report names them.

What a record is and what is counted of it is in `shared.forms`.
"""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from shared.contracts.catalogue import GENDERS
from shared.forms import Form, find_form
from shared.forms.records import End, Start, counted, lacks, taken
from shared.programmes import Programme
from shared.programmes.plan import in_force

STARTED = "participants_started"
_LABEL = {"fi": "Aloittaneita osallistujia", "sv": "Deltagare som börjat", "en": "Participants started"}


def form_of(programme: Programme) -> Form:
    """The form of the programme's funding period."""
    return find_form(programme.funding_programme)


def start_row(programme: Programme, body: Mapping[str, Any]) -> dict[str, Any]:
    """What is derived of a start record. Answers that the form does not take are left out: nobody is for that reason no
    participant, but nothing is counted of them."""
    form = form_of(programme)
    answers = taken(form, body, here=programme.esf_record == "here")
    start = Start(date.fromisoformat(body["occurred_on"]), answers, proof=body.get("proof"))
    return {
        "started_on": start.started_on,
        "gender": body["gender"],
        "complete": int(not lacks(form, start)),
        "codes": " ".join(sorted(counted(form, start, None))),
        "answers": json.dumps(answers, sort_keys=True),
        "proof": start.proof,
    }


def exit_row(programme: Programme, body: Mapping[str, Any]) -> dict[str, Any]:
    """What is derived of an exit; `next` under the key of this version."""
    day, onward = date.fromisoformat(body["occurred_on"]), body.get("next")
    onward = onward and programme.now("outcomes", onward)
    return {"ended_on": day, "reason": body["reason"], "results": _text(body), "next": onward}


def follow_up_row(body: Mapping[str, Any]) -> dict[str, Any]:
    """What is derived of a try to reach somebody."""
    days = {name: date.fromisoformat(body[name]) for name in ("due", "occurred_on")}
    return {"follow_up": bytes.fromhex(body["follow_up"]), "status": body["status"], "results": _text(body), **days}


def _text(body: Mapping[str, Any]) -> str | None:
    return " ".join(body["results"]) if "results" in body else None


@lru_cache(maxsize=4096)
def result_codes(form_key: str, answers: str, results: frozenset[str]) -> frozenset[str]:
    """The result indicators in which a complete record with these answers (JSON) counts, of results that count."""
    form, day = find_form(form_key), date.min
    return counted(form, Start(day, json.loads(answers)), End(day, results)) & form.result_codes


def rows(
    programme: Programme, started: Counter[str], by_code: Mapping[str, Counter[str]], day: date
) -> list[dict[str, Any]]:
    """The report's `indicators`: everybody who started, then the codes of the form, of complete records, by gender,
    then those that the programme's file adds, of which nothing is recorded here.

    `planned` as it held on `day`. Where records are not kept here, nothing is known of the codes, and none is named.
    """
    own = {indicator.key: indicator.name for indicator in programme.indicators}
    told = [(STARTED, own.pop(STARTED, _LABEL), _counted(started))]
    if programme.esf_record == "here":
        told += [(i.key, i.name, _counted(by_code.get(i.key, Counter()))) for i in form_of(programme).indicators]
    told += [(key, name, {"realised": None, "by": {}}) for key, name in own.items()]
    return [
        {"code": code, "label": dict(label), "planned": _planned(programme, code, day), **realised, "suppressed": False}
        for code, label, realised in told
    ]


def _counted(by_gender: Counter[str]) -> dict[str, Any]:
    by = {"gender": {gender: by_gender[gender] for gender in GENDERS}}
    return {"realised": sum(by_gender.values()), "by": by}


def _planned(programme: Programme, code: str, day: date) -> int | None:
    held = in_force(programme.targets, "indicator", code, day)
    return held["planned"] if held else None
