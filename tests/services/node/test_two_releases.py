"""A node or a lead of the next release with one of this: nothing is lost, nothing is claimed, and it is read later."""

from typing import ClassVar

import pytest
from sqlalchemy import select

from services.node.complete import node_state
from services.reporting import effects, outdated_store, queries, rebuilding, versions
from services.reporting.effects import Derivation
from shared.contracts import catalogue
from shared.contracts.catalogue import ProgrammeVersion, SessionHeld
from shared.contracts.facts import About, Fact, Reach
from shared.contracts.fields import Code, Day, EntityId, Number
from shared.contracts.release_facts import ReleaseMade
from shared.journal import Unit, directory, follow
from shared.journal.carry_tables import received_line
from shared.journal.follow import LeadFollowers
from shared.journal.lines import Line
from shared.journal.releases import releases
from shared.journal.unit import new_id
from shared.ops.settings import load_home
from shared.storage import snapshot
from tests.services import kit
from tests.services.kit import KEY, OWN
from tests.services.node.pairs import Pair


class LunchServed(Fact):
    """A kind of the next release."""

    kind, v, reach, about = "activities.lunch_served", 1, Reach.LEAD, About.NOBODY
    session = EntityId()
    occurred_on = Day()
    example: ClassVar = {"session": "0" * 32, "occurred_on": "2016-03-01"}


class SessionHeld2(Fact):
    """A version of the next release of a kind that this one knows."""

    kind, v, reach, about = "activities.session_held", 2, Reach.LEAD, About.NOBODY
    session = EntityId()
    activity = Code()
    occurred_on = Day()
    seconds = Number(0, 10**6)
    example: ClassVar = {"session": "0" * 32, "activity": "a", "occurred_on": "2016-03-01", "seconds": 60}


class ProgrammeVersion2(Fact):
    """A version of a lead of the next release of a kind that nodes of this one hear."""

    kind, v, reach, about = ProgrammeVersion.kind, 2, Reach.LEAD, About.NOBODY
    occurred_on = Day()
    example: ClassVar = {"occurred_on": "2016-03-01"}


def test_a_lead_keeps_what_a_newer_node_says_claims_nothing_and_derives_it_when_it_can_read_it(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    day, activity = "2016-03-01", str(kit.DOCUMENT["activities"][0]["key"])
    first, second = new_id(), new_id()
    with pair.node_journal.unit(pair.now) as unit:
        unit.record(SessionHeld(None, session=first, activity=activity, occurred_on=day, minutes=60), KEY)
        unit.record(LunchServed(None, session=first, occurred_on=day), KEY)
        unit.record(SessionHeld2(None, session=second, activity=activity, occurred_on=day, seconds=3600), KEY)
        unit.record(SessionHeld(None, session=new_id(), activity=activity, occurred_on=day, minutes=30), KEY)
    pair.go()
    ours, theirs = pair.lines()
    assert ours == theirs, "every line is there, to the byte"
    assert node_state(load_home(pair.node.path))["complete"], "the node has nothing left to do"

    def report() -> dict[str, object]:
        return queries.report(pair.lead_engine, KEY, None, None, pair.now)

    def sessions() -> int:
        return sum(group["sessions"] for group in report()["activities"])  # type: ignore[attr-defined]

    said = report()
    assert (said["newer_facts"], said["arrived"]) == (2, False)
    before = sessions()
    pair.restart()
    pair.receiver_round()
    assert report()["newer_facts"] == 2, "a restart alone reads nothing more"

    # The lead is upgraded: it knows both.
    known = {**catalogue.FACTS, (LunchServed.kind, 1): LunchServed, (SessionHeld.kind, 2): SessionHeld2}
    for module in (outdated_store, effects):
        monkeypatch.setattr(module, "FACTS", known)

    def held(derivation: Derivation, fact: Fact) -> str | None:
        same = {name: fact[name] for name in ("session", "activity", "occurred_on")}
        return Derivation.session(derivation, SessionHeld(None, minutes=fact["seconds"] // 60, **same))

    monkeypatch.setitem(effects.EFFECTS, LunchServed, lambda *_: None)
    monkeypatch.setitem(effects.EFFECTS, SessionHeld2, held)
    pair.restart()
    pair.go(2)
    said = report()
    assert said["newer_facts"] == 0
    assert sessions() == before + 1
    assert rebuilding.check(pair.lead_engine)["equal"]
    (stream,) = (s for s in said["streams"] if s["partner"] == OWN)  # type: ignore[attr-defined]
    assert stream["watermark"] == stream["head"] == len(theirs)


def test_a_node_keeps_what_a_newer_lead_says_and_goes_on_without_what_it_does_not_hear(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = {key: fact for key, fact in catalogue.FACTS.items() if fact is not ReleaseMade}
    for module in (follow, directory):
        monkeypatch.setattr(module, "FACTS", older)
    with pair.lead_journal.unit(pair.now) as unit:
        unit.record(ReleaseMade(None, **ReleaseMade.example), KEY)
    pair.go()
    versions.load_programme(pair.lead_journal, _changed(), "boss", pair.now)
    pair.go()
    heard = listening(pair)
    assert heard[-1] == ProgrammeVersion.kind, "what came behind is heard"
    assert ReleaseMade.kind in kinds(pair), "and all of it is stored"
    with snapshot(pair.node_engine) as connection:
        assert releases(connection, KEY) == []
        assert [m.node for m in directory.members(connection, KEY)] == [pair.node.name]
    # The node is upgraded.
    monkeypatch.undo()
    with snapshot(pair.node_engine) as connection:
        (told,) = releases(connection, KEY)
    assert (told["release"], told["digest"]) == (ReleaseMade.example["release"], ReleaseMade.example["digest"])


def test_a_newer_version_of_what_a_node_hears_waits_for_the_upgrade_and_is_heard_then(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening(pair)
    with pair.lead_journal.unit(pair.now) as unit:
        unit.record(ProgrammeVersion2(None, occurred_on="2016-03-01"), KEY)
    versions.load_programme(pair.lead_journal, _changed(), "boss", pair.now)
    pair.go()
    followers: dict[str, follow.Follower] = {}
    assert listening(pair, followers) == []
    (follower,) = followers.values()
    assert follower.stuck_at is not None, "/ready says so"
    monkeypatch.setattr(follow, "FACTS", {**catalogue.FACTS, (ProgrammeVersion.kind, 2): ProgrammeVersion2})
    heard = listening(pair, versions=(1, 2))
    assert heard[0] == "v2"
    assert len(heard) > 1, "and what came behind it"


def _changed() -> dict[str, object]:
    return kit.changed(name={"fi": "Toinen", "sv": "Annan", "en": "Another"})


def kinds(pair: Pair) -> list[str]:
    c = received_line.c
    with snapshot(pair.node_engine) as connection:
        return list(connection.execute(select(c.kind).where(c.stream == f"lead/{KEY}").order_by(c.seq)).scalars())


def listening(
    pair: Pair, followers: dict[str, follow.Follower] | None = None, versions: tuple[int, ...] = (1,)
) -> list[str]:
    """What a service of the node hears of the lead now, as pathways does."""
    heard: list[str] = []

    def hear(_unit: Unit, line: Line, fact: Fact) -> None:
        heard.append(f"v{line.v}" if line.v > 1 else fact.kind)

    handlers = {(ProgrammeVersion.kind, v): hear for v in versions}
    ways = LeadFollowers(pair.node_journal, "pathways", handlers, {} if followers is None else followers)
    for _ in range(50):
        if not ways.advance(pair.now):
            break
    return heard
