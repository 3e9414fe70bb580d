"""`polku import` as a person meets it: problems a line each, a progress line, what was done at the end."""

import sys
from pathlib import Path

import click

from services.node.accounts import case_workers
from services.node.csvrows import ORDER, WORKERS
from services.node.csvset import SHOWN_PROBLEMS, CheckedSet, check_set
from services.node.csvworkers import WorkerRow
from services.node.importing import Import
from services.node.opening import recorded_to
from services.node.reaching import services_of
from shared.contracts.errors import HomeUnusable
from shared.journal.crypto import load_keys
from shared.ops.settings import Home
from shared.programmes import parse


def run(home: Home, directory: Path, *, dry_run: bool, skip_bad: bool) -> int:
    """Check the set, then bring in this node's rows; the exit code."""
    if not home.joined:
        raise HomeUnusable(home=str(home.path), reason="it has joined no programme; answer an invite first")
    partners = {place.programme: place.partner for place in home.joined}
    with services_of(home) as rpc:
        listed = rpc.call("pathways", "list_programmes")
        programmes = {item["programme"]: parse(item["document"]) for item in listed}
        checked = check_set(directory, programmes, partners)
        for line in checked.problem_lines():
            click.echo(line, err=True)
        unknown = strangers(home, checked) if checked.usable else []
        if unknown:
            for number in unknown[:SHOWN_PROBLEMS]:
                click.echo(f"{WORKERS}, line {number}, column worker: no user of this home", err=True)
            click.echo(f"polku: {len(unknown)} problem(s), nothing was written", err=True)
            return 2
        if not checked.usable or not (checked.ok or skip_bad):
            click.echo(f"polku: {checked.problem_count} problem(s), nothing was written", err=True)
            return 2
        _say_left_out(checked)
        if dry_run:
            click.echo("would import " + ", ".join(f"{checked.taken[file]} of {file}" for file in ORDER), err=True)
            return 0
        bus_key = load_keys(home.keys).newest("bus").public
        assert bus_key is not None
        # The services may not have heard yet of a programme that has just come.
        work = Import(rpc, bus_key, skip_bad=skip_bad, progress=_Progress(checked), after=recorded_to(home))
        work.run(checked)
    for refused in work.refused:
        click.echo(str(refused), err=True)
    for file in ORDER:
        click.echo(f"{file}: {work.new.get(file, 0)} new, {work.known.get(file, 0)} already there", err=True)
    return 0


def _say_left_out(checked: CheckedSet) -> None:
    for (programme, partner), rows in sorted(checked.left_out.items()):
        counts = ", ".join(f"{count} of {file}" for file, count in sorted(rows.items()))
        click.echo(f"left out, rows of {partner} in {programme}: {counts}", err=True)


def strangers(home: Home, checked: CheckedSet) -> list[int]:
    """The lines of workers.csv that name nobody who works with people here."""
    known: frozenset[str] | None = None
    lines = []
    for row in checked.rows(WORKERS):
        assert isinstance(row, WorkerRow)
        known = case_workers(home) if known is None else known
        if row.worker not in known:
            lines.append(row.line)
    return lines


class _Progress:
    """Says how far the import is, on a terminal."""

    def __init__(self, checked: CheckedSet) -> None:
        self._total, self._done = sum(checked.taken[file] for file in ORDER), 0

    def __call__(self, file: str, rows: int) -> None:
        self._done += rows
        if sys.stderr.isatty():
            end = "\n" if self._done >= self._total else "\r"
            click.echo(f"{file}: {self._done} of {self._total} rows".ljust(60) + end, err=True, nl=False)
