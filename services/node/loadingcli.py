"""`polku programme load FILE [--dry-run]` as a person meets it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from services.node.actor import actor
from services.node.reaching import services_of
from shared.ops.settings import Home


def run(home: Home, file: Path, *, dry_run: bool, as_json: bool) -> int:
    """Check the file, then take it into use, or say what that would do; the exit code (2: it may not be loaded)."""
    from shared.documents.problems import Problem
    from shared.programmes.checking import line_of, read_file

    reading = read_file(file)
    if reading.problems:
        for problem in sorted(set(reading.problems)):
            click.echo(str(problem), err=True)
        return 2
    owner = "reporting" if home.role == "lead" else "pathways"
    with services_of(home) as rpc:
        told = rpc.call(owner, "rehearse_programme", timeout=60, document=reading.data)
        problems = [Problem(line_of(reading, row["path"]), row["path"], row["reason"]) for row in told["problems"]]
        if dry_run:
            click.echo(json.dumps(told, indent=2) if as_json else "\n".join(_moves(told)))
        for problem in sorted(problems):
            click.echo(str(problem), err=True)
        if problems or dry_run:
            return 2 if problems else 0
        loaded = rpc.call(owner, "load_programme", timeout=60, by=actor(), document=reading.data)
    state = "loaded" if loaded["pos"] is not None else "was loaded already"
    click.echo(json.dumps(loaded) if as_json else f"{loaded['programme']} {loaded['digest'][:12]} {state}")
    return 0


def _moves(told: Mapping[str, Any]) -> Iterator[str]:
    """What loading would do, in words."""
    yield f"{told['programme']} {told['digest'][:12]} {'would be loaded' if told['new'] else 'is loaded already'}"
    if "partners" in told:
        yield f"goes to: {', '.join(told['partners']) or 'no node has joined yet'}"
    for row in told["moves"]:
        becomes = row["becomes"] or "NOT MAPPED"
        now = f", {row['now']} on it now" if row["now"] is not None else ""
        yield f"{row['list']}: {row['key']} → {becomes}: {row['people']} people{now}, {row['lines']} lines"
    if not told["moves"]:
        yield "no key that is in use is gone"
    for word, said in (("merged", "on two steps that become one"), ("apart", "on steps of which one is alone")):
        if told.get(word):
            yield f"{told[word]} people would be {said}"
