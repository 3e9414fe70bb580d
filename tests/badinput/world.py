"""A node's and a lead's home with all their services on the embedded bus, in one green process: what every command and
every page is tried against. Both know programme 3 and one another; people, sessions, referrals and tasks are there.
"""

import base64
import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from services.intake import letters, peers, steward
from services.intake.operations import Vault
from services.node.control import ControlServer
from services.node.opening import init_home, open_database
from services.node.up import SERVICES
from services.portal.names import ProgrammeNames
from services.portal.report_file import make_release
from services.reporting import operations as reporting
from services.reporting import partner_store
from shared.bus import client as bus_client
from shared.bus.client import RpcClient
from shared.bus.home import HOME_CONFIG, HomeContext
from shared.bus.runner import Runner
from shared.bus.wakeups import WakeupPublisher
from shared.contracts.catalogue import NodeAdmitted
from shared.journal import Journal, crypto, received
from shared.journal.filecarrier import FileCarrier
from shared.journal.joining import Join, token_digest
from shared.journal.posting import LeadPost, NodePost
from shared.journal.sealed import COMMAND_INFO
from shared.ops.settings import Home
from shared.storage import snapshot, transaction
from tests.services.intake.kit import IDENTITY
from tests.services.intake.test_referrals import send
from tests.services.intake.test_steward import LEADERS, Place, directory_of
from tests.services.kit import KEY, NOW, OTHER, OWN, key_of
from tests.services.pathways.kit import DOCUMENT as WITH_STEPS
from tests.services.reporting.kit import receive

DOCUMENT: dict[str, Any] = WITH_STEPS | {
    **{"tag": {"basis": "name_birth_date", "steward": OTHER}, "followup": {"after_days": 90}}
}
REPLY_TO = "09" + "00" * 31
US, THEM = OTHER, OWN
"""The partner whose node this is, which is the steward, and the other one."""


@dataclass
class Running:
    """A home with its services."""

    home: Home
    engine: Engine
    rpc: RpcClient
    context: HomeContext

    @property
    def watch(self) -> sqlite3.Connection:
        """A connection of ours, which sees what is committed."""
        return sqlite3.connect(str(self.engine.url.database))


@dataclass
class World:
    """Both homes, and the ids of what is in them."""

    node: Running
    lead: Running
    ids: dict[str, Any] = field(default_factory=dict)
    logged: list[str] = field(default_factory=list)
    seen: dict[str, tuple[int, dict[str, list[Any]]]] = field(default_factory=dict)

    def call(self, service: str, method: str, **body: Any) -> Any:
        """An RPC call, to the home that has the service."""
        at = self.lead if service == "reporting" else self.node
        return at.rpc.call(service, method, timeout=30, **body)

    def done(self, service: str, method: str, **body: Any) -> Any:
        """The results of a call whose items are all taken."""
        results = self.call(service, method, **body)["results"]
        assert not any("error" in result for result in results), results
        return results

    def follow(self) -> None:
        """Every service has heard what is in the journal."""
        for at in (self.node, self.lead):
            for follower in at.context.followers.values():
                while follower.advance(at.context.now()):
                    pass

    def content(self) -> dict[str, list[Any]]:
        """Every table's rows, the journal and the audit log among them."""
        found: dict[str, list[Any]] = {}
        for home, watch in zip(("node", "lead"), self.ids["watches"], strict=True):
            (version,) = watch.execute("PRAGMA data_version").fetchone()  # another one after each commit of another
            if self.seen.get(home, (None,))[0] != version:
                names = watch.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
                rows = {f"{home}.{name}": watch.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in names}
                self.seen[home] = (version, rows)
            found |= self.seen[home][1]
        return found

    def sealed(self, content: Any, key: bytes | None = None, info: bytes = COMMAND_INFO) -> str:
        """What only intake opens; bytes as they are, anything else as JSON."""
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        return base64.b64encode(crypto.seal(key or self.ids["bus_key"], info, data)).decode()


class _Everything(logging.Handler):
    """Keeps all that is logged, with every member of the records."""

    def __init__(self, into: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self.into = into

    def emit(self, record: logging.LogRecord) -> None:
        self.into.append(f"{record.getMessage()} {vars(record)!r}")


def _raw(body: dict[str, Any]) -> bytes:
    """JSON as another program may write it: half a surrogate pair is an escape, and gets as far as a service."""
    return json.dumps(body).encode()


@contextmanager
def world(folder: Path, *, raw: bool = False) -> Iterator[World]:
    """A prepared world; its services end with the block. `raw`: calls are written as another program may write them."""
    encode, bus_client.encode = bus_client.encode, _raw if raw else bus_client.encode
    try:
        with _running(init_home(folder / "node", "node", "pori", 18411)) as node:
            with _running(init_home(folder / "lead", "lead", port=18410)) as lead:
                made = World(node, lead)
                handler = _Everything(made.logged)
                logging.getLogger().addHandler(handler)
                try:
                    _prepare(made, folder)
                    with closing(node.watch) as one, closing(lead.watch) as other:
                        made.ids["watches"] = (one, other)
                        yield made
                finally:
                    logging.getLogger().removeHandler(handler)
    finally:
        bus_client.encode = encode


@contextmanager
def _running(home: Home) -> Iterator[Running]:
    engine = open_database(home)
    with closing(WakeupPublisher(home.bus_url)) as bus, closing(RpcClient(home.bus_url)) as rpc:
        context = HomeContext(home, engine, bus.publish_wakeup, now=lambda: NOW)
        runner = Runner(list(SERVICES[home.role].values()), home.bus_url, config={HOME_CONFIG: context})
        runner.start()
        ControlServer(home.socket, rpc).start()
        try:
            yield Running(home, engine, rpc, context)
        finally:
            runner.stop()
            engine.dispose()


def _prepare(made: World, folder: Path) -> None:
    made.ids["bus_key"] = crypto.load_keys(made.node.home.keys).newest("bus").public
    _prepare_lead(made)
    _prepare_people(made)
    _prepare_referrals(made, folder)
    made.follow()


def _prepare_lead(made: World) -> None:
    """The programme; a node that has joined, one whose stream has stopped; a report to be certified."""
    made.call("reporting", "load_programme", by="boss", document=DOCUMENT)
    journal = Journal(made.lead.engine, "lead")
    token = token_digest("t")
    reporting.admit_partner(journal, KEY, THEM, token, valid=timedelta(days=1), by="boss", now=NOW)
    reporting.accept_join(journal, Join(KEY, THEM, LEADERS, b"s" * 32, b"r" * 32, token), NOW)
    stopped = {"stream": f"eura-00000003/{KEY}", "programme": KEY, "partner": "third", "node": "eura-00000003"}
    with transaction(made.lead.engine) as connection:
        partner_store.add_node(connection, stopped | {"signing_key": b"S" * 32, "receiving_key": b"R" * 32})
    receive(made.lead.engine, stopped["stream"], [], state=received.STOPPED)
    made.ids["proof"] = made.call("reporting", "report", programme=KEY)["proof"]["statement"]
    names = ProgrammeNames.of({"programme": KEY, "name": DOCUMENT["name"], "document": DOCUMENT})
    asked: dict[str, Any] = {}

    class Watched:
        """A release as an edge makes it; of the second only what it would be."""

        def call(self, service: str, method: str, /, **body: Any) -> Any:
            asked.update(body if method == "make_release" else {})
            if method == "make_release" and "release" in made.ids:
                return {}
            return made.call(service, method, **body)

    made.ids["release"] = make_release(Watched(), names, "fi", None, None, by="boss")["release"]
    make_release(Watched(), names, "fi", None, None, by="boss")
    made.ids["to_release"] = asked


def _prepare_people(made: World) -> None:
    """People by name, of whom one has been at a session of individual coaching and one has left; what else is there."""
    made.call("pathways", "load_programme", by="boss", document=DOCUMENT)
    made.follow()
    names = (
        "anna",
        "eerik",
        "left",
        "back",
        "returned",
        "erased",
        "refer",
        "refer2",
        "start",
        "form",
        "ended",
        "restricted",
        "leaving",
        "exiting",
        "listed",
        "listed_form",
    )
    identity = {name: IDENTITY[name] for name in ("given_name", "family_name", "birth_date", "token")}
    arrivals = [
        {"key": key_of(name), "sealed": made.sealed(identity | {"token": name}), "standing": "esf_participant"}
        | {"start_date": "2016-03-01", "gender": "f"}
        for name in names
    ]
    arrivals.append({"key": key_of("client"), "sealed": made.sealed(identity), "standing": "client"})
    common: dict[str, Any] = {"by": "worker", "programme": KEY}
    results = made.done("intake", "register_participants", **common, items=arrivals, worker="anna")
    made.ids["worker"] = made.call("intake", "list_workers")[0]["worker"]
    people = {name: result["subject"] for name, result in zip((*names, "client"), results, strict=True)}
    left = [
        {"key": key_of(f"exit {name}"), "subject": people[name], "date": "2016-06-01", "reason": "completed"}
        for name in ("left", "back", "form", "listed_form")
    ]
    left.append(left[0] | {"key": key_of("exit returned"), "subject": people["returned"], "resumed_on": "2016-08-01"})
    made.done("intake", "record_exits", **common, items=left)
    made.follow()
    held = [
        {"key": key_of(name), "activity": name, "date": "2016-03-02", "minutes": 60} for name in ("kaapeli", "duuniin")
    ]
    sessions = made.done("activities", "record_sessions", **common, items=held)
    made.ids["sessions"] = {name: at["session"] for name, at in zip(("kaapeli", "duuniin"), sessions, strict=True)}
    there = {"session": made.ids["sessions"]["duuniin"], "role": "participant"}
    took_part = [there | {"key": key_of(f"there {name}"), "subject": people[name]} for name in ("anna", "form")]
    made.done("activities", "record_attendance", **common, items=took_part)
    talk = {"activity": "duuniin", "subject": people["anna"], "date": "2016-03-02", "minutes": 45, "how": "phone"}
    talks = [talk | {"key": key_of(f"talk {number}")} for number in range(2)]
    held_talks = made.done("activities", "record_conversation", **common, items=talks)
    made.ids["talks"] = [result["session"] for result in held_talks]
    start = {"key": key_of("counter"), "activity": "public_event", "date": "2016-03-02"}
    made.ids["counter"] = made.call("activities", "start_counter", **common, **start)["counter"]
    text = {"key": key_of("text"), "sealed": made.sealed({"text": "Soitettu."})}
    made.ids["text"] = made.done("intake", "keep_texts", **common, items=[text])[0]["text_ref"]
    made.follow()
    tasks = made.call("pathways", "list_tasks", programme=KEY)["tasks"]
    made.ids["task"] = next(task["task"] for task in tasks if task["person"] == people["client"])
    made.ids["people"] = people
    _prepare_records(made, common)
    _prepare_encounters(made, common)


def _prepare_records(made: World, common: dict[str, Any]) -> None:
    """What must have been seen before a record is written anew; somebody on a step."""
    people = made.ids["people"]
    shown = {name: ("show_exit", people[name]) for name in ("form", "leaving")} | {
        "start": ("show_start", people["start"])
    }
    for name, (method, subject) in shown.items():
        made.ids[f"{name}_was"] = made.call("intake", method, **common, subject=subject, reply_to=REPLY_TO)["revision"]
    stay = {"key": key_of("stay"), "subject": people["eerik"], "step": "resources", "entered_on": "2016-03-01"}
    other = stay | {"key": key_of("other stay"), "subject": people["anna"]}
    made.ids["stay"] = made.done("pathways", "record_steps", **common, items=[other, stay])[0]["stay"]
    away = {"step": "resources", "paused_on": "2016-03-10", "resumed_on": "2016-03-12"}
    pauses = [away | {"key": key_of(f"away {name}"), "subject": people[name]} for name in ("anna", "eerik")]
    made.ids["pause"] = made.done("pathways", "record_pauses", **common, items=pauses)[0]["pause"]
    filled = {"instrument": "three_items", "version": "1", "occasion": "baseline", "date": "2016-03-02"}
    filled |= {"answers": {"work_ability": 6}}
    forms = [filled | {"key": key_of(f"filled {name}"), "subject": people[name]} for name in ("anna", "start")]
    made.ids["assessment"] = made.done("measurement", "record_assessments", **common, items=forms)[0]["assessment"]
    vain = {"record": "start", "status": "refused", "date": "2016-03-05"}
    failed = [vain | {"key": key_of(f"vain {name}"), "subject": people[name]} for name in ("anna", "start")]
    made.ids["attempt"] = made.done("intake", "record_attempts", **common, items=failed)[0]["attempt"]
    asked = {"due": "2016-09-01", "date": "2016-09-02", "status": "refused"}
    tries = [asked | {"key": key_of(f"asked {name}"), "subject": people[name]} for name in ("left", "form")]
    made.ids["follow_up"] = made.done("intake", "record_follow_ups", **common, items=tries)[0]["follow_up"]
    became = {"outcome": "education", "date": "2016-05-02"}
    outcomes = [became | {"key": key_of(f"became {name}"), "subject": people[name]} for name in ("anna", "form")]
    made.ids["outcome"] = made.done("pathways", "record_outcomes", **common, items=outcomes)[0]["outcome"]


def _prepare_encounters(made: World, common: dict[str, Any]) -> None:
    """Encounters that were written down; a door with a visitor, who has a nickname and no name."""
    met = [{"key": key_of(f"met {number}"), "date": "2016-03-02", "people_new": 2} for number in range(2)]
    done = made.done("intake", "record_encounters", **common, items=met)
    made.ids["encounters"] = [result["encounter"] for result in done]
    opened = {"key": key_of("door"), "date": "2016-03-02"}
    made.ids["door"] = made.call("intake", "open_door", **common, **opened)["encounter"]
    told = {"encounter": made.ids["door"], "sealed": made.sealed({"tokens": ["Mustikka"]})}
    made.ids["people"]["visitor"] = made.call("intake", "meet_visitor", **common, **told)["subject"]


def _prepare_referrals(made: World, folder: Path) -> None:
    """The other partner's node, confirmed by ours; referrals from there, received and taken, and one from here."""
    node = made.node
    keys = crypto.load_keys(node.home.keys)
    carrier = FileCarrier(folder / "inbox")
    other_engine = open_database(init_home(folder / "other", "node", "other", 18412))
    other = Place(other_engine, LEADERS, folder / "places", carrier)
    signing, receiving = (keys.newest(name).public or b"" for name in ("signing", "receiving"))
    own = NodeAdmitted(None, partner=US, node=node.home.name, signing_key=signing.hex(), receiving_key=receiving.hex())
    for engine in (node.engine, other_engine):
        receive(engine, f"lead/{KEY}", [own, other.admitted()])
    made.ids["words"] = peers.words_of(*other.desk.keys.pair())
    common: dict[str, Any] = {"by": "worker", "programme": KEY}
    made.call("intake", "confirm_node", **common, node=LEADERS, words=made.ids["words"])
    peers.confirm_node(other.journal, other.desk, KEY, node.home.name, peers.words_of(*keys.pair()), by="w", now=NOW)
    desk = peers.Desk(node.home.name, keys, node.home.keys)
    for hours in (2, 1):
        then = NOW - timedelta(hours=hours)
        key_no, _ = steward.renew_tag_key(node.context.journal, desk, KEY, by="worker", now=then)
        made.ids.setdefault("key_no", key_no)
        made.follow()
    other_people = other.register("one", "two", "three")
    for subject in other_people:
        send(other, subject, partner=US, key=subject)
    post = NodePost(node.engine, carrier, node.home.name, keys.newest("signing"), directory_of)
    lead = LeadPost(carrier)
    for _ in range(4):
        other.post.round(KEY, NOW)
        with snapshot(other_engine) as connection:
            lead.round(KEY, directory_of(connection, KEY), NOW)
        post.round(KEY, NOW)
    letters.take_letters(node.context.journal, desk, _vault(keys), NOW)
    listed = made.call("intake", "list_referrals", **common, reply_to=REPLY_TO)["referrals"]
    made.ids["received"] = [row["referral"] for row in listed if row["direction"] == "in"]
    taken = {"referral": made.ids["received"][2], "standing": "client"}
    made.call("intake", "accept_referral", **common, **taken)
    send_it = {"key": key_of("sent"), "subject": made.ids["people"]["refer"], "partner": THEM, "agreed": ["name"]}
    made.ids["sent"] = made.call("intake", "send_referral", **common, **send_it)["referral"]
    other_engine.dispose()


def _vault(keys: crypto.Keys) -> Vault:
    vault = {key.number: key.secret() for key in keys.all if key.name == "vault"}
    return Vault(vault, keys.newest("index").secret())
