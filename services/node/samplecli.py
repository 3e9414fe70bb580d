"""`polku lead sample`: a controller's rows behind a figure, to be looked at where the people are known."""

import json
from pathlib import Path
from typing import Any

import click

from services.node.actor import actor
from services.node.homeoption import home_option, the_home
from shared.contracts.samples import MOST_ROWS, behind


@click.command("sample")
@home_option
@click.argument("programme", metavar="PROGRAMME")
@click.argument("indicator", metavar="INDICATOR")
@click.option("--size", type=click.IntRange(1, MOST_ROWS), required=True, help="How many rows.")
@click.option("--seed", metavar="HEX", help="Draw again what this seed drew; without it a new one is made.")
@click.option("--from", "start", metavar="D")
@click.option("--to", "end", metavar="D")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where the file for the partners goes.")
def sample(
    programme: str, indicator: str, size: int, seed: str | None, start: str | None, end: str | None, out: Path | None
) -> None:
    """Draw rows behind INDICATOR: participants_started, CO01 …, outcome:KEY, step:KEY (from the first day on) or
    encounters. They are nodes and numbers of lines, nobody's name. The file is opened in the portal of each partner's
    node, which prints those people, or encounters, with their evidence."""
    from services.node.reaching import services_of

    given: dict[str, Any] = {"programme": programme, "size": size, "seed": seed, **behind(indicator.lower())}
    with services_of(the_home("lead")) as rpc:
        drawn = rpc.call("reporting", "draw_sample", by=actor(), from_=start, to=end, **given)
    text = json.dumps(drawn, indent=1, ensure_ascii=False) + "\n"
    if out is None:
        click.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8")
    click.echo(
        f"{len(drawn['rows'])} of {drawn['population']} rows of {drawn['indicator']}, seed {drawn['seed']}: {out}"
    )


COMMANDS: tuple[click.Command, ...] = (sample,)
