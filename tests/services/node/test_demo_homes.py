"""A demo's homes that another release made: its programme is brought up to date, its people stay what they are."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from services.node import demo
from services.node.importing import RowRefused
from shared.contracts.errors import AlreadyRecordedDiffers, InvalidInput, PolkuError
from shared.programmes import load_file
from shared.programmes.files import programme_file

KEY = "lahde-mukaan"
PARTNER = "leader_association"
HOME: Any = SimpleNamespace(joined=[SimpleNamespace(programme=KEY, partner=PARTNER)], keys=None)


class Node:
    """Services that refuse, with `error`, whoever was asked whether the project pays them."""

    def __init__(self, error: PolkuError) -> None:
        self.error = error.to_wire()
        self.asked: list[str] = []
        self.people: list[dict[str, Any]] = []

    def call(self, _service: str, method: str, /, **given: Any) -> Any:
        self.asked.append(method)
        items = given.get("items", ())
        if any("paid_by_project" in item for item in items):
            return {"pos": None, "results": [{"error": self.error}]}
        self.people += items if method == "register_participants" else ()
        made = {"subject": "a5" * 16, "session": "a6" * 16, "new": False}
        return {"pos": None, "results": [made for _ in items]}


def start(monkeypatch: pytest.MonkeyPatch, node: Node) -> None:
    member = demo.Member(load_file(programme_file(KEY)), PARTNER, HOME)
    keys = SimpleNamespace(newest=lambda _name: SimpleNamespace(public=bytes.fromhex("09" + "00" * 31)))
    for name, put in {
        "services_of": lambda _home: nullcontext(node),
        "load_keys": lambda _path: keys,
        "_wait_for_programme": lambda *_: 1,
    }.items():
        monkeypatch.setattr(demo, name, put)
    demo._join(HOME, member)
    demo._import(member, node, 0)


def test_people_of_before_a_column_was_there_stay_and_the_newer_programme_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node = Node(AlreadyRecordedDiffers(field="ref"))
    start(monkeypatch, node)
    assert node.asked[0] == "load_programme"
    assert node.people
    assert node.asked[-1] == "record_outcomes", "the rest of the set was brought in too"


def test_another_refusal_is_not_taken_for_an_older_home(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node(InvalidInput(field="birth_date", reason="is missing"))
    with pytest.raises(RowRefused, match="birth_date"):
        start(monkeypatch, node)
    assert node.people == []
