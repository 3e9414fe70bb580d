"""Faults of what a release makes of a fact: an effect that fails, and a version that only a newer release can read."""

from urllib.error import HTTPError
from urllib.request import urlopen

from sqlalchemy import func, select

from services.reporting import store
from shared.journal.tables import journal_head
from shared.testing.wait import until
from tests.faults.bench import marks
from tests.faults.bench.federation import UP_SECONDS, Partner
from tests.faults.bench.scene import DECIDING_SECONDS, NotStaged, Scene, staged


def failing_effect(scene: Scene, site: Partner) -> None:
    """F15: a fact's effect fails at the lead until that is mended; its stream waits, as is shown, the others go on."""
    driver, poison = scene.drivers[site.partner], scene.federation.poison
    block = driver.blocks + 1  # the one before may be under way
    if block >= driver.size.blocks:
        raise NotStaged
    marked = marks.session_item(site.partner, block * marks.BLOCK)
    poison.write_text(f"{site.stream} {marked['date']} {marked['minutes']}")
    try:
        for _ in range(2):
            driver.pace.more()
        staged(lambda: driver.blocks > block)
        head, shown = _head(site), f'polku_reporting_stream_stuck{{stream="{site.stream}"}} 1.0'
        until(lambda: shown in said(scene, "metrics") or _cursor(scene, site) >= head, UP_SECONDS)
        for other in scene.federation.partners:
            if other is not site:
                _goes_on(scene, other)
        assert _cursor(scene, site) < head, "a line whose effect fails was passed over"
    finally:
        poison.unlink()


def _goes_on(scene: Scene, site: Partner) -> None:
    """More is recorded there, if there is more, and all of it comes into the figures."""
    driver = scene.drivers[site.partner]
    blocks = driver.blocks
    driver.pace.more()
    until(lambda: driver.blocks > blocks or driver.blocks == driver.size.blocks, DECIDING_SECONDS)
    head = _head(site)
    until(lambda: _cursor(scene, site) >= head, DECIDING_SECONDS, every=0.1)


def _head(site: Partner) -> int:
    with site.look() as connection:
        return int(
            connection.execute(select(journal_head.c.seq).where(journal_head.c.name == site.stream)).scalar_one()
        )


def _cursor(scene: Scene, site: Partner) -> int:
    c = store.cursor.c
    with scene.lead.look() as connection:
        return int(connection.execute(select(c.seq).where(c.stream == site.stream)).scalar_one_or_none() or 0)


def said(scene: Scene, page: str) -> str:
    """What the lead's receiver says about itself; nothing if it does not answer."""
    try:
        with urlopen(f"http://127.0.0.1:{scene.lead.home.child_port}/{page}", timeout=5) as answer:
            return str(answer.read().decode())
    except HTTPError as error:
        return str(error.read().decode())
    except OSError:
        return ""


def newer_release(scene: Scene, site: Partner) -> None:
    """F17: a node of the next release counts heads in a version that the lead keeps, shows, and reads once upgraded."""
    driver, made = scene.drivers[site.partner], scene.federation
    if driver.blocks + 1 >= driver.size.blocks:
        raise NotStaged
    made.release += 1
    scene.leads += 1
    release = {"POLKU_BENCH_RELEASE": str(made.release)}
    site.end(kill=False)
    site.environment = {**site.environment, **release}
    site.up()
    try:
        for _ in range(2):  # the first may have had its heads counted before
            driver.pace.more()
        staged(lambda: _unread(scene, site) > 0, DECIDING_SECONDS)
        until(lambda: _shown(scene, _unread(scene, site)), UP_SECONDS)
    finally:
        scene.leads += 1
        made.lead.end(kill=scene.chance.random() < 0.5)
        made.lead.environment = {**made.lead.environment, **release}
        made.lead.up()
        scene.leads += 1
        until(lambda: not _unread(scene, site), UP_SECONDS)


def _unread(scene: Scene, site: Partner) -> int:
    """Lines that the lead keeps for a newer release."""
    c = store.aside.c
    with scene.lead.look() as connection:
        query = select(func.count()).where(c.stream == site.stream, c.reason == "newer")
        return int(connection.execute(query).scalar_one())


def _shown(scene: Scene, unread: int) -> bool:
    """Whether the report says so, and that it is not whole for that."""
    client = scene.lead.connected()
    if client is None:
        return False
    try:
        report = client.call("reporting", "report", timeout=5, programme=marks.PROGRAMME)
    finally:
        client.close()
    return bool(report["newer_facts"] == unread and not report["arrived"])
