"""F23, after the verdict: a node's database is put back to an old copy. It ends that stream, so it comes last."""

import sqlite3
from contextlib import closing

from sqlalchemy import select

from services.node.complete import node_state
from shared.journal.carry_tables import received_line
from shared.testing.wait import until
from tests.faults.bench.federation import UP_SECONDS, Federation, Partner
from tests.faults.bench.run import Result, statement
from tests.faults.bench.scene import Scene

FAULT = "F23"


def restore_node(made: Federation, scene: Scene, result: Result) -> None:
    """Copy the node's database, let the lead get more, put the copy back, record other things.

    The lead must not take them in place of what it holds, and node or lead must say that there are two histories.
    """
    site = made.partners[0]
    driver = scene.drivers[site.partner]
    old = made.folder / "old.db"
    with closing(sqlite3.connect(site.path / "node.db")) as source, closing(sqlite3.connect(old)) as target:
        source.backup(target)
    before = scene.watermark(site)[0]
    driver._block(driver.size.blocks)
    until(lambda: scene.watermark(site)[0] > before, UP_SECONDS, every=0.2)
    held = _held(made, site)
    site.end(kill=True)
    for suffix in ("-wal", "-shm"):
        (site.path / f"node.db{suffix}").unlink(missing_ok=True)
    (site.path / "node.db").write_bytes(old.read_bytes())
    site.up()
    driver._drop()
    driver._after = 0
    driver._block(driver.size.blocks + 1)
    until(lambda: _said(made, site), UP_SECONDS, every=0.5)
    kept = _held(made, site)
    if any(kept.get(seq) != line for seq, line in held.items()):
        result.failures.append("F23: what the lead held was overwritten")
    result.done[FAULT] += 1
    result.restored_node = f"{_said(made, site)}; the lead's {len(held)} lines are as they were"


def _said(made: Federation, site: Partner) -> str:
    """Who says that there are two histories; empty: nobody."""
    if node_state(site.home)["streams"][0]["state"] == "stopped":
        return "the node has stopped the stream"
    return "the lead says that the histories differ" if statement(made)[site.stream]["state"] == "differs" else ""


def _held(made: Federation, site: Partner) -> dict[int, bytes | None]:
    c = received_line.c
    with made.lead.look() as connection:
        rows = connection.execute(select(c.seq, c.line).where(c.stream == site.stream))
        return {row.seq: row.line for row in rows}
