"""`polku instrument words`: how this organisation asks an instrument's items, word for word."""

import sys
from pathlib import Path

import click

from services.node.actor import actor
from services.node.homeoption import home_option, the_home


@click.group()
@home_option
def instrument() -> None:
    """Questionnaires."""


@instrument.command("words")
@home_option
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Name every problem of the file with its line; load nothing.")
def words(file: Path, check: bool) -> None:
    """Load the questions of FILE, which the organisation may use, into this node; nobody else gets them. Its words are
    explained in deploy/instruments/wording.schema.json."""
    from services.node.reaching import services_of
    from shared.instruments.wording import check_wording, read_wording

    if check:
        problems = check_wording(file)
        for problem in problems:
            click.echo(str(problem), err=True)
        if problems:
            sys.exit(2)
        click.echo(f"{file}: no problem")
        return
    document = read_wording(file)
    with services_of(the_home("node")) as rpc:
        loaded = rpc.call("measurement", "load_wording", by=actor(), document=document)
    click.echo(f"{document['instrument']} {document['version']}: {loaded['items']} items in this organisation's words")


COMMANDS: tuple[click.Command, ...] = (instrument,)
