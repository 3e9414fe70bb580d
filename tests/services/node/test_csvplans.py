"""plans.csv: a plan is taken whole or not at all, its texts go to the vault, and whoever has a plan keeps it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.node.csvset import CheckedSet, check_set
from services.node.importing import Import, RowRefused
from shared.contracts.commands import load
from shared.contracts.errors import AlreadyRecordedDiffers, ProcessingRestricted
from shared.contracts.plans import RecordPlans
from tests.services.node.sets import OWN, PERSON, PLAN, PROGRAMMES, write_set

DEFINITION = PROGRAMMES["lahde-mukaan"]
STRENGTH, BARRIER = DEFINITION.strengths[0].key, DEFINITION.barriers[0]
BLANK = {"participant": "p1", "programme": "lahde-mukaan"}
OTHER = {"participant": "p2"}
WHO = "a5" * 16
ROWS = [
    PLAN,
    BLANK | {"what": "strength", "code": STRENGTH},
    PLAN | OTHER | {"what": "goal", "who": "", "shown": ""},
    BLANK | {"what": "barrier", "code": BARRIER.key, "solutions": BARRIER.solutions[0]},
    BLANK | {"what": "ready", "code": "education"},
    BLANK | {"what": "review", "day": "2016-05-01"},
]


def check(folder: Path, *rows: dict[str, str]) -> CheckedSet:
    people = [PERSON, PERSON | {"ref": "p2"}]
    return check_set(write_set(folder, people, attendance=[], plans=rows), PROGRAMMES, {"lahde-mukaan": OWN})


class Services:
    """Keeps what it was asked; whoever is in `planned` has a plan, of whoever is in `restricted` no text is kept."""

    def __init__(self, *planned: str, restricted: str = "") -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.planned, self.restricted = planned, restricted

    def call(self, _service: str, method: str, /, **given: Any) -> Any:
        self.asked.append((method, given))
        if method == "show_plan":
            return {"revision": int(given["subject"] in self.planned)}
        if method == "keep_texts" and given["items"][0]["subject"] == self.restricted:
            return {"results": [{"error": ProcessingRestricted(field="subject").to_wire()}]}
        made: dict[str, Any] = {"session": WHO, "new": True}
        results = [made | {"subject": f"{n:032x}", "text_ref": f"{n + 1:032x}"} for n, _ in enumerate(given["items"])]
        return {"pos": 1, "results": results}

    def given(self, method: str) -> list[dict[str, Any]]:
        return [given for asked, given in self.asked if asked == method]


def test_a_plan_is_gathered_from_its_rows_with_its_texts_sealed(tmp_path: Path) -> None:
    checked, services = check(tmp_path, *ROWS), Services()
    assert checked.problem_lines() == []
    assert checked.taken["plans.csv"] == 2
    bringing = Import(services, bytes.fromhex("09" + "00" * 31))
    bringing.run(checked)
    (whole,), (other,) = (
        load(RecordPlans, {name: value for name, value in recorded.items() if name != "timeout"})["items"]
        for recorded in services.given("record_plans")
    )
    assert (whole["strengths"], whole["next"], whole["ready"], whole["was"]) == ([STRENGTH], "education", True, 0)
    action, barrier, review = whole["entries"]
    assert (action["text_ref"], action["who"], action["shown"], action["day"]) == (
        f"{1:032x}",
        "worker",
        True,
        "2016-04-01",
    )
    assert (barrier["barrier"], barrier["solutions"], barrier["shown"]) == (BARRIER.key, [BARRIER.solutions[0]], False)
    assert (review["what"], review["state"]) == ("review", "done")
    assert [(one["what"], one["shown"]) for one in other["entries"]] == [("goal", True)]
    assert "Soitetaan" not in repr(services.asked), "texts travel sealed"
    assert bringing.new["plans.csv"] == 2


def test_whoever_has_a_plan_keeps_it_and_no_text_is_kept_for_nothing(tmp_path: Path) -> None:
    services = Services(f"{0:032x}", f"{1:032x}")
    bringing = Import(services, bytes.fromhex("09" + "00" * 31))
    bringing.run(check(tmp_path, *ROWS))
    assert (services.given("keep_texts"), services.given("record_plans")) == ([], [])
    assert (bringing.new["plans.csv"], bringing.known["plans.csv"]) == (0, 2)


def test_who_is_refused_does_not_hold_up_the_plans_before(tmp_path: Path) -> None:
    services = Services(restricted=f"{1:032x}")
    with pytest.raises(RowRefused, match=r"plans.csv, line 4: .*restricted"):
        Import(services, bytes.fromhex("09" + "00" * 31)).run(check(tmp_path, *ROWS))
    assert [item["subject"] for given in services.given("record_plans") for item in given["items"]] == [f"{0:032x}"]


def test_a_word_mended_between_two_imports_is_another_text_and_the_same_text_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, str] = {}

    def keep(items: list[dict[str, str]]) -> Iterator[dict[str, Any]]:
        for item in items:
            if kept.setdefault(item["key"], item["sealed"]) != item["sealed"]:
                yield {"error": AlreadyRecordedDiffers(field="text").to_wire()}
                return
            yield {"text_ref": item["key"]}

    class Vault(Services):
        def call(self, service: str, method: str, /, **given: Any) -> Any:
            answer = super().call(service, method, **given)
            return {"results": list(keep(given["items"]))} if method == "keep_texts" else answer

    def brought(*rows: dict[str, str]) -> list[str]:
        services = Vault()
        Import(services, b"").run(check(tmp_path, *rows))
        (recorded,) = services.given("record_plans")
        return [kept[entry["text_ref"]] for entry in recorded["items"][0]["entries"]]

    monkeypatch.setattr(Import, "_sealed", lambda _self, content: content.get("text", ""))
    first, second, mended = ({**PLAN, "text": text} for text in ("eka", "toka", "Toka"))
    for rows, texts in ((first, second), 2), ((first, mended), 3), ((mended, first), 5), ((first, mended), 5):
        assert brought(*rows) == [row["text"] for row in rows]
        assert len(kept) == texts


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (PLAN | {"who": "maija"}, "column who: the value is none of"),
        (PLAN | {"state": "Soitetaan Maijalle"}, "column state: the value is none of"),
        (PLAN | {"text": ""}, "column text: is missing: a action has one"),
        (PLAN | {"what": "goal"}, "column who: is given, but a goal has none"),
        (BLANK | {"what": "barrier", "code": "moon"}, "column code: the value is no barrier of the programme"),
        (
            BLANK | {"what": "barrier", "code": BARRIER.key, "solutions": "moon"},
            'column solutions: "moon" is no answer',
        ),
        (BLANK | {"what": "strength", "code": STRENGTH, "text": "x"}, "column text: is given, but a strength has none"),
        (BLANK | {"what": "review", "day": "2015-01-01"}, 'column day: "2015-01-01" lies before the programme'),
        (BLANK | {"what": "ready", "code": "moon"}, "column code: the value is no outcome of the programme"),
        (PLAN | {"participant": "p9"}, "column participant: no row of participants.csv has this ref"),
    ],
)
def test_a_bad_row_is_told_and_spoils_its_plan_alone(tmp_path: Path, row: dict[str, str], says: str) -> None:
    checked = check(tmp_path, PLAN, PLAN | OTHER, row)
    assert checked.problem_lines()[0].startswith(f"plans.csv, line 4, {says}")
    left = {"p2"} if row["participant"] == "p1" else {"p1", "p2"}
    assert {plan.participant for plan in checked.plans()} == left
    assert checked.taken["plans.csv"] == len(left)


def test_what_a_plan_says_twice_is_told(tmp_path: Path) -> None:
    said = BLANK | {"what": "strength", "code": STRENGTH}
    checked = check(tmp_path, said, said, BLANK | {"what": "next", "code": "education"}, PLAN | OTHER)
    assert checked.problem_lines() == ["plans.csv, line 3, column what: stands in the plan already"]
    assert [plan.participant for plan in checked.plans()] == ["p2"]


def test_a_line_that_cannot_be_read_leaves_no_plan_in_part(tmp_path: Path) -> None:
    check(tmp_path, PLAN, PLAN | OTHER)
    with (tmp_path / "plans.csv").open("a") as file:
        file.write('p1,lahde-mukaan,"goal\n')
    checked = check_set(tmp_path, PROGRAMMES, {"lahde-mukaan": OWN})
    assert (checked.problem_count, list(checked.plans()), checked.taken["plans.csv"]) == (1, [], 0)
