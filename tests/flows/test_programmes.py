"""Projects 2, 4 and 5 and a sixth one without a line of code: made people, imported, reported; one pair of homes."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from services.node import importcommand
from services.node.admitting import invite, join
from services.node.complete import node_state
from services.node.opening import init_home
from services.node.reaching import services_of
from services.node.reports import certified
from services.node.synth import synthesize
from shared.ops.settings import load_home
from shared.programmes import Programme, load_file, parse
from shared.programmes.files import programme_file
from shared.testing.wait import until
from tests.flows.kit import Site, free_port_triple

FILES = {key: programme_file(key) for key in ("kuntsari", "suunta-yhdessa", "tyollista-valittaen")}
FILES["rannan-tuvat"] = Path(__file__).parents[1] / "programmes" / "rannan-tuvat.yaml"
DOCUMENTS = {key: load_file(file) for key, file in FILES.items()}


@dataclass
class Reported:
    """The lead's report of each programme, as the service gives it and as a page."""

    figures: dict[str, dict[str, Any]]
    pages: dict[str, str]


def partner_of(programme: Programme) -> str:
    """The partner that the one node is."""
    return programme.synthetic_partners[0]


def of_one_partner(document: dict[str, Any]) -> dict[str, Any]:
    """The document with all synthetic records with that partner."""
    changed = copy.deepcopy(document)
    changed.setdefault("synthetic", {})["partners"] = [partner_of(parse(document))]
    return changed


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reported]:
    folder = tmp_path_factory.mktemp("programmes")
    lead, node = Site(folder / "lead", "lead"), Site(folder / "node", "node")
    init_home(lead.path, "lead", port=free_port_triple())
    init_home(node.path, "node", "everywhere", free_port_triple())
    at_lead = load_home(lead.path)
    try:
        lead.up()
        with services_of(at_lead) as rpc:
            for key, document in DOCUMENTS.items():
                rpc.call("reporting", "load_programme", by="test", document=document)
                asked = folder / f"{key}.json"
                asked.write_text(invite(at_lead, rpc, key, partner_of(parse(document)), "test").to_json())
                join(load_home(node.path), asked)
            node.up()
            at_node = load_home(node.path)
            with services_of(at_node) as there:
                until(lambda: len(there.call("pathways", "list_programmes")) == len(DOCUMENTS), 60)
            for key, document in DOCUMENTS.items():
                synthesize(of_one_partner(document), folder / key)
                assert importcommand.run(at_node, folder / key, dry_run=False, skip_bad=False) == 0

            heads = {row["stream"]: row["head"] for row in node_state(at_node)["streams"]}

            def arrived() -> bool:
                figures.update({key: rpc.call("reporting", "report", programme=key) for key in DOCUMENTS})
                at = {
                    f"{row['node']}/{key}": row["watermark"]
                    for key, report in figures.items()
                    for row in report["streams"]
                    if row["node"]
                }
                return at == heads

            figures: dict[str, dict[str, Any]] = {}
            until(arrived, 60)
            pages = {key: certified(at_lead, rpc, key, "html", "fi").decode() for key in DOCUMENTS}
        yield Reported(figures, pages)
    finally:
        node.down()
        lead.down()


@pytest.mark.parametrize("key", DOCUMENTS)
def test_the_report_has_the_figures_of_the_file(reported: Reported, key: str) -> None:
    figures = DOCUMENTS[key]["figures"]
    rows = {row["group"]: row for row in reported.figures[key]["activities"]}
    for figure in figures["groups"]:
        row = rows.pop(figure["group"])
        counted = (row["sessions"], row["participants"], row["heads"])
        assert counted == (figure["sessions"], figure.get("participants"), figure.get("heads"))
    assert all(row["sessions"] == 0 for row in rows.values())
    people = {row["outcome"]: row["people"] for row in figures.get("outcomes", ())}
    told = {key: n for part in reported.figures[key]["outcomes"] for key, n in part["outcomes"].items() if n}
    assert told == people
    met = figures.get("encounters")
    assert ("encounters" in reported.figures[key]) == bool(met or DOCUMENTS[key].get("services"))
    if met:
        block = reported.figures[key]["encounters"]
        assert {name: block[name] for name in met} == met
        assert block["heads"] == met["people_new"] + met["people_known"]
        assert 'id="encounters"' in reported.pages[key]


def test_of_records_that_are_in_the_funds_own_system_only_the_number_of_people_is_counted(reported: Reported) -> None:
    told = {row["code"]: row["realised"] for row in reported.figures["rannan-tuvat"]["indicators"]}
    assert told.pop("participants_started") > 0
    assert told == {"started": None, "boats": None}, "no code of the form: nobody answered it here"


@pytest.mark.parametrize(
    ("key", "said", "unsaid"),
    [
        ("kuntsari", "Euroopan unioni, Euroopan sosiaalirahasto", "Vipuvoimaa"),
        ("suunta-yhdessa", "Vipuvoimaa EU:lta 2014–2020", "osarahoittama"),
        ("rannan-tuvat", "Euroopan unionin osarahoittama", "Vipuvoimaa"),
    ],
)
def test_the_certified_page_tells_the_unions_part(reported: Reported, key: str, said: str, unsaid: str) -> None:
    foot = reported.pages[key].split('<footer class="publicity">')[1]
    assert said in foot
    assert unsaid not in foot
    assert 'class="eu-flag"' in foot
