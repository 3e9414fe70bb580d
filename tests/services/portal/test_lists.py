"""A node's lists: names are opened with a key made for that one request, pages are counted right."""

import logging

import pytest

from services.portal.replies import Identity, ReplyKey
from tests.services.portal.documents import person
from tests.services.portal.pages import Page, table_rows
from tests.services.portal.samples import Portal


def asked(portal: Portal, method: str) -> dict[str, object]:
    """What the last call of a method was given."""
    return [given for _, name, given in portal.rpc.calls if name == method][-1]


def test_names_are_shown_and_a_nickname_where_there_is_no_name(worker: Portal) -> None:
    worker.rpc.people = [person("Aino", "Esimerkki"), person("", "", "Nalle", standing="visitor", started_on=None)]
    html = worker.client.get("/people/lahde-mukaan").get_data(as_text=True)
    assert Page(html).problems == []

    def links(who: str, first: str) -> list[str]:
        forms = " · ".join(f"{form}: {who}" for form in (first, "Lopettaminen", "Oma suunnitelma", "Kyselyt"))
        whose = f"Ei vielä kenenkään, ihmisen sivu: {who}"
        return [whose, f"Ohjaa eteenpäin: {who}", forms, f"Kopio, korjaus, poisto: {who}"]

    assert table_rows(html, "figures") == [
        ["Aino Esimerkki", "asiakas", "1.2.2016", *links("Aino Esimerkki", "Aloitusilmoitus")],
        ["Nalle (nimi ei tiedossa)", "kävijä", "ei kirjattu", *links("Nalle", "Rekisteröi")],
    ]


def test_a_list_marks_the_restricted_and_names_nobody_with_a_protected_address(worker: Portal) -> None:
    worker.rpc.people = [
        person("Aino", "Esimerkki", restricted=True),
        person("", "", "", protected=True, person="1" * 32),
        person("", "", "Nalle", protected=True, person="2" * 32),
    ]
    html = worker.client.get("/people/lahde-mukaan").get_data(as_text=True)
    assert [row[0] for row in table_rows(html, "figures")] == [
        "Aino Esimerkki (käsittelyä rajoitettu)",
        "turvakielto",
        "Nalle (turvakielto)",
    ]
    register = worker.client.get("/register/lahde-mukaan?activity=kaapeli").get_data(as_text=True)
    assert "Aino Esimerkki (käsittelyä rajoitettu)" in register


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("died", "kuoli 9.1.2020"),
        ("interrupted", "lopetti 9.1.2020: keskeytyi"),
        ("of_a_newer_release", "lopetti 9.1.2020: of_a_newer_release"),
    ],
)
def test_list_and_page_say_who_has_left_when_and_why(worker: Portal, reason: str, said: str) -> None:
    left = person("Aino", "Esimerkki", ended_on="2020-01-09", end_reason=reason)
    worker.rpc.people = [left]
    html = worker.client.get("/people/lahde-mukaan").get_data(as_text=True)
    assert [row[0] for row in table_rows(html, "figures")] == [f"Aino Esimerkki ({said})"]
    page = worker.client.get(f"/person/lahde-mukaan/{left['person']}").get_data(as_text=True)
    assert said[:1].upper() + said[1:] in page
    links = ["/conversation/lahde-mukaan?person=", "/questionnaire/lahde-mukaan/", "/refer/lahde-mukaan/"]
    assert [link + left["person"] in page for link in links] == [reason != "died"] * 3


@pytest.mark.parametrize(("reason", "said"), [("died", "kuoli"), ("left", "on lopettanut")])
def test_of_whom_the_record_is_erased_list_and_register_say_that_they_are_away(
    worker: Portal, reason: str, said: str
) -> None:
    worker.rpc.people = [person("Aino", "Esimerkki", ended_on=None, end_reason=reason)]
    html = worker.client.get("/people/lahde-mukaan").get_data(as_text=True)
    assert [row[0] for row in table_rows(html, "figures")] == [f"Aino Esimerkki ({said})"]
    assert "Aino" not in worker.client.get("/register/lahde-mukaan?activity=kaapeli").get_data(as_text=True)


def test_reader_is_named_and_each_request_has_its_own_key(worker: Portal) -> None:
    keys = set()
    for _ in range(2):
        worker.client.get("/people/lahde-mukaan")
        given = asked(worker, "list_people")
        assert given["by"] == "worker"
        keys.add(given["reply_to"])
    assert len(keys) == 2
    assert {len(str(key)) for key in keys} == {64}


def test_row_sealed_to_another_key_says_so_and_spoils_nothing(worker: Portal) -> None:
    worker.rpc.people = [person("Aino", "Esimerkki"), person("Pekka", "Testinen")]
    genuine = worker.rpc._list_people

    def one_replayed(**given: object) -> object:
        answer = genuine(**given)  # type: ignore[arg-type]
        answer["people"][0]["sealed"] = genuine(**given | {"reply_to": ReplyKey().public_hex})["people"][0]["sealed"]  # type: ignore[arg-type]
        return answer

    worker.rpc._list_people = one_replayed  # type: ignore[method-assign]
    html = worker.client.get("/people/lahde-mukaan").get_data(as_text=True)
    assert [row[0] for row in table_rows(html, "figures")] == ["Nimeä ei voitu avata", "Pekka Testinen"]


@pytest.mark.parametrize("sealed", ["", "x", "AAAA", "ä"])
def test_bytes_that_are_no_seal_open_to_nothing(sealed: str) -> None:
    assert ReplyKey().open(sealed) is None


def test_names_reach_no_log_and_no_repr(worker: Portal, caplog: pytest.LogCaptureFixture) -> None:
    worker.rpc.people = [person("Aino", "Esimerkki")]
    with caplog.at_level(logging.DEBUG):
        worker.client.get("/people/lahde-mukaan")
    assert "Aino" not in caplog.text
    assert "Aino" not in repr(Identity("Aino", "Esimerkki", ""))


def test_name_cannot_become_markup(worker: Portal) -> None:
    worker.rpc.people = [person("<script>alert(1)</script>", "")]
    html = worker.client.get("/people/lahde-mukaan").get_data(as_text=True)
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_long_list_is_shown_page_by_page(worker: Portal) -> None:
    worker.rpc.people = [person("Henkilö", str(n)) for n in range(101)]
    seen: list[str] = []
    for number in (1, 2, 3):
        html = worker.client.get(f"/people/lahde-mukaan?page={number}").get_data(as_text=True)
        assert f"Sivu {number} / 3" in html
        assert ("?page=2" in html) == (number != 2)
        seen += [row[0] for row in table_rows(html, "figures")]
    assert seen == [f"Henkilö {n}" for n in range(101)]


@pytest.mark.parametrize("page", ["0", "-1", "x", "1.5", "9999999", ""])
def test_page_that_is_no_number_is_no_page(worker: Portal, page: str) -> None:
    assert worker.client.get(f"/people/lahde-mukaan?page={page}").status_code == 404


def test_sessions_keep_zero_apart_from_not_recorded(worker: Portal) -> None:
    base = {"session": "0" * 32, "occurred_on": "2016-05-21", "area": None, "start": None, "minutes": None}
    worker.rpc.sessions = [
        base
        | {"activity": "public_event", "location": "sampola_meeting_place", "attendances": None}
        | {"heads": 0, "heads_basis": "counted"},
        base | {"activity": "kaapeli", "location": None, "attendances": 8, "heads": None, "heads_basis": None},
    ]
    html = worker.client.get("/sessions/lahde-mukaan").get_data(as_text=True)
    assert Page(html).problems == []
    none = "ei kirjattu"
    assert table_rows(html, "figures") == [
        ["Yleisötapahtuma", "21.5.2016", none, none, "Kohtaamispaikka, Sampola", none, "0 laskettu"],
        ["Kaapeli, 21.5.2016", "21.5.2016", none, none, none, "8", none],
    ]


def test_lists_work_without_the_programme_document(worker: Portal) -> None:
    del worker.rpc.listed[0]["document"]
    assert worker.client.get("/sessions/lahde-mukaan").status_code == 200


@pytest.mark.parametrize("path", ["/", "/login", "/password", "/people/lahde-mukaan", "/sessions/lahde-mukaan", "/no"])
def test_every_page_is_well_formed(worker: Portal, path: str) -> None:
    if path == "/login":
        worker.client = worker.app.test_client()
    read = Page(worker.client.get(path).get_data(as_text=True))
    assert read.problems == []
    assert read.headings[0] == 1


# --- finding somebody


PEOPLE = "/people/lahde-mukaan"


def find(portal: Portal, who: str) -> str:
    return str(portal.post(PEOPLE, form=PEOPLE, who=who).get_data(as_text=True))


def test_somebody_is_found_by_how_a_name_begins_and_the_name_is_in_no_address(worker: Portal) -> None:
    worker.rpc.people = [person("Aino", "Esimerkki")]
    html = find(worker, "  ai   esi\t")
    assert Page(html).problems == []
    assert "Löytyi 1." in html
    sent = worker.rpc.sent("find_people")
    assert worker.rpc.opened(sent["sealed"]) == {"name": "ai esi", "beginning": True}
    assert (sent["by"], sent["own_only"]) == ("worker", False)
    worker.rpc.people = []
    assert "Löytyi 0." in find(worker, "ei ketään")


@pytest.mark.parametrize(("lang", "said"), [("fi", "joista tässä on vain 50"), ("sv", "endast 50"), ("en", "only 50")])
def test_of_more_than_are_shown_it_is_said_how_many_there_are(worker: Portal, lang: str, said: str) -> None:
    worker.rpc.people = [person("Aino", f"Esimerkki-{n}") for n in range(51)]
    worker.client.get(f"{PEOPLE}?lang={lang}")
    html = find(worker, "aino")
    assert (said in html, "51" in html) == (True, True)


def test_an_identity_code_is_looked_for_as_one_and_not_shown_again(worker: Portal) -> None:
    html = find(worker, "030281-999n")
    assert worker.rpc.opened(worker.rpc.sent("find_people")["sealed"]) == {"identity_code": "030281-999N"}
    assert "030281" not in html.casefold()


@pytest.mark.parametrize("who", ["", " a ", "x" * 201])
def test_what_is_too_short_or_too_long_looks_for_nobody(worker: Portal, who: str) -> None:
    assert "vähintään kaksi kirjainta" in find(worker, who)
    assert [name for _, name, _ in worker.rpc.calls if name == "find_people"] == []


def test_a_project_s_links_stand_in_groups_and_each_role_has_its_own(worker: Portal) -> None:
    page = Page(worker.client.get("/").get_data(as_text=True))
    assert page.problems == []
    for group in ("Päivän työt", "Ihmisten asiat", "Hanke"):
        assert group in page.said
    assert "Hankkeen päättäminen" not in page.said
