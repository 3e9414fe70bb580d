"""Two people who may be one: shown side by side, judged with one press, put off; what was said can be taken back."""

import pytest

from shared.contracts.errors import ChangedMeanwhile, InvalidInput, PolkuError, RpcTimeout, UnknownPerson
from tests.services.portal.documents import person
from tests.services.portal.pages import page
from tests.services.portal.samples import Portal
from tests.services.portal.test_workers import many

PATH = "/duplicates/lahde-mukaan"
ONE, OTHER = "a1" * 16, "b2" * 16
GIVEN = {"one": ONE, "other": OTHER, "was": "none"}


@pytest.fixture
def worker(worker: Portal) -> Portal:
    first, second = person("Aino", "Esimerkki", person=ONE), person("Aino", "Esimerki", person=OTHER, started_on=None)
    first["identity"]["birth_date"] = "1991-05-04"
    worker.rpc.people = [first, second, person("Muu", "Ihminen")]
    pair = {"score": 75, "likely": False, "verdict": None, "people": [ONE, OTHER]}
    worker.rpc.pairs = [pair | {"speaks_for": ["names_near"], "speaks_against": ["zz_newer"]}]
    return worker


def test_the_two_stand_side_by_side_with_what_speaks_for_and_against_and_nobody_else_is_read(worker: Portal) -> None:
    worker.rpc.pairs *= 2
    read = page(worker.client.get(PATH))
    for text in ("Aino Esimerkki", "Aino Esimerki", "4.5.1991", "ei tiedossa", "75 / 100", "Nimet melkein samat"):
        assert text in read.said, text
    assert "zz_newer" in read.said, "a reason of a newer release stands as it is"
    assert "Muu" not in read.said
    assert (worker.rpc.sent("list_duplicates")["limit"], worker.rpc.sent("list_duplicates")["by"]) == (1, "worker")
    assert ("a", {"class": "action", "href": "?page=2"}) in read.elements, "later"


@pytest.mark.parametrize(("verdict", "said"), [("same", "sama ihminen"), ("apart", "eri ihmiset")])
def test_one_press_says_what_they_are_with_what_was_seen(worker: Portal, verdict: str, said: str) -> None:
    answer = worker.post(PATH, form=PATH, **GIVEN | {"verdict": verdict})
    assert answer.headers["Location"] == f"{PATH}?page=1&done={verdict}"
    asked = worker.rpc.sent("judge_pair")
    assert [asked[name] for name in ("subject", "same_as", "verdict", "was")] == [ONE, OTHER, verdict, "none"]
    worker.rpc.pairs = []
    read = page(worker.client.get(answer.headers["Location"]))
    assert f"Merkitty: {said}" in read.said
    assert "Ei pareja" in read.said


def test_a_pair_that_was_linked_is_shown_on_asking_and_can_be_unlinked(worker: Portal) -> None:
    worker.rpc.pairs[0]["verdict"] = "same"
    html = worker.client.get(f"{PATH}?judged=1&page=7").get_data(as_text=True)
    assert worker.rpc.sent("list_duplicates")["judged"] is True
    assert "Peru: eri ihmiset" in html
    assert 'value="same">Sama' not in html
    assert f'action="{PATH}?judged=1&amp;page=1"' in html, "of pages that there are no more the last one is shown"


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ChangedMeanwhile(field="was"), 409, "toisin"),
        (InvalidInput(field="same_as", reason="x"), 400, "Valitse"),
        (RpcTimeout(service="intake", method="judge_pair", seconds=10), 503, ""),
        (UnknownPerson(field="person", programme="x"), 404, ""),
    ],
)
def test_a_refusal_is_said(worker: Portal, error: PolkuError, status: int, said: str) -> None:
    worker.rpc.failing = {"judge_pair": error}
    answer = worker.post(PATH, form=PATH, **GIVEN | {"verdict": "same"})
    assert answer.status_code == status
    assert said in page(answer).said


def test_where_each_sees_their_own_people_a_coordinator_judges(worker: Portal) -> None:
    many(worker)
    assert worker.client.get(PATH).status_code == 403
    assert worker.post(PATH, form="/password", **GIVEN | {"verdict": "same"}).status_code == 403
    assert "list_duplicates" not in [method for _, method, _ in worker.rpc.calls]
