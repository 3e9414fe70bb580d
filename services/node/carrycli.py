"""`polku journal export|import DIR`: segments, statements and receipts by a folder, for homes without a network."""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from services.node.homeoption import home_option, the_home
from shared.ops.clock import utcnow
from shared.ops.settings import Home


@click.group()
@home_option
def journal() -> None:
    """The journal by a folder or stick. Either command is one whole round on it, on a node and on a lead alike."""


@journal.command("export")
@home_option
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def journal_export(directory: Path) -> None:
    """Write to DIR what the other side lacks, as far as is known."""
    _round_on(the_home(), directory.absolute())


@journal.command("import")
@home_option
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
def journal_import(directory: Path) -> None:
    """Take in what the other side wrote to DIR, and leave the answer there."""
    _round_on(the_home(), directory.absolute())


COMMANDS: tuple[click.Command, ...] = (journal,)


def _round_on(home: Home, folder: Path) -> None:
    """Rounds until nothing is left to do; says how far each stream is. Exit 1 if the folder failed."""
    from services.node.complete import lines, node_state

    if home.role == "node":
        trouble = _as_node(home, folder)
        state = node_state(home)
    else:
        trouble, state = _as_lead(home, folder)
    click.echo("\n".join(lines(state)))
    if trouble:
        click.echo(f"polku: {trouble}", err=True)
        sys.exit(1)


def _as_node(home: Home, folder: Path) -> str | None:
    from services.node.courier import CourierRounds
    from services.node.opening import open_database

    work = CourierRounds(home, open_database(home), folder=folder)
    _until_idle(work.round)
    return work.check()


def _as_lead(home: Home, folder: Path) -> tuple[str | None, dict[str, Any]]:
    from services.node.opening import open_database
    from services.node.receiver import ReceiverRounds
    from services.node.uplink import LeadCarrier
    from services.reporting import partner_queries
    from shared.journal.filecarrier import FileCarrier

    engine = open_database(home)
    work = ReceiverRounds(home, engine, LeadCarrier(FileCarrier(folder), None))
    _until_idle(work.round)
    return work.check(), partner_queries.completeness(engine, None, utcnow())


def _until_idle(round_: Callable[[datetime], float]) -> None:
    while round_(utcnow()) == 0.0:
        pass
