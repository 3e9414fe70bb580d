"""`polku programme close`, `reopen`, `seal` and `archive`: the end of a programme on a node, looked at first."""

import csv
import io
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import click

from services.node.actor import actor
from services.node.homeoption import home_option, the_home
from services.portal import closing_work as work
from services.portal.closing_work import Open, Reason
from shared.contracts.closing_facts import REOPEN_REASONS
from shared.contracts.errors import InvalidInput

SHOWN = 20
"""So many of each kind are shown; all are counted, and all are in the worklist."""
MAX_WORKLIST = 8 * 1024 * 1024
HEADER = ("what", "item", "since", "missing", "reason", "day")
WORDS = {
    "exit": "people who have begun and not left",
    "task": "open tasks",
    "evidence": "people whose records lack something",
    "period": "reporting periods that are not confirmed",
    "receipts": "lines that the lead has not receipted",
}


@click.command("close")
@home_option
@click.argument("programme", metavar="PROGRAMME")
@click.option("--check", "only_check", is_flag=True, help="Say what stands in the way; change nothing. Exit 1: some.")
@click.option("--worklist", type=click.Path(dir_okay=False, path_type=Path), help="With --check: as CSV to fill in.")
@click.option("--reasons", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A worklist filled in.")
@click.option("--all", "everything", multiple=True, metavar="WHAT=REASON", help="For each of these one reason.")
@click.option("--day", metavar="D", help="The day of the exits of --all exit=…")
@click.option("--yes", is_flag=True, help="Do not ask again.")
@click.option("--json", "as_json", is_flag=True)
def close(
    programme: str,
    only_check: bool,
    worklist: Path | None,
    reasons: Path | None,
    everything: tuple[str, ...],
    day: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Close PROGRAMME on this node: nothing new is recorded for it here any more. What stands in the way needs an end
    or a reason first."""
    from services.node.reaching import services_of

    if day is not None and not any(each.startswith("exit=") for each in everything):
        raise InvalidInput(field="--day", reason="goes with --all exit=REASON")
    with services_of(the_home("node")) as rpc:
        state, found = work.look(rpc, programme)
        if only_check:
            if worklist is not None:
                worklist.write_text(_worklist(found), encoding="utf-8")
            click.echo(_as_json(state, found) if as_json else "\n".join(lines(state, found)))
            sys.exit(1 if found else 0)
        given = [*_read(reasons), *_for_all(everything, day, found)]
        work.check(given, found)
        if given:
            done = work.settle(rpc, programme, given, actor())
            said = ", ".join(f"{what} {n}" for what, n in done.items() if n)
            click.echo(f"settled: {said}" if not as_json else "", err=as_json, nl=not as_json)
            state, found = work.look(rpc, programme)
        if found:
            click.echo(_as_json(state, found) if as_json else "\n".join(lines(state, found)))
            click.echo(f"polku: {programme}: {len(found)} things stand in the way; nothing was closed", err=True)
            sys.exit(1)
        if state["state"] == "open" and not yes:
            click.confirm("Nothing new can be recorded for it here afterwards. Close?", abort=True, err=True)
        answer = rpc.call("pathways", "close_programme", by=actor(), programme=programme)
    click.echo(json.dumps(answer) if as_json else f"{programme}: closed on {answer['on'] or '?'}")


@click.command("reopen")
@home_option
@click.argument("programme", metavar="PROGRAMME")
@click.option("--reason", type=click.Choice(REOPEN_REASONS), required=True)
def reopen(programme: str, reason: str) -> None:
    """Go on with PROGRAMME, which was closed on this node and is not sealed. What was left open for a reason needs one
    again when it is closed again; who has left comes back one by one."""
    from services.node.reaching import services_of

    with services_of(the_home("node")) as rpc:
        answer = rpc.call("pathways", "reopen_programme", by=actor(), programme=programme, reason=reason)
    click.echo(f"{programme}: {'is open again' if answer['new'] else 'is open'}")


@click.command("seal")
@home_option
@click.argument("programme", metavar="PROGRAMME")
@click.option("--yes", is_flag=True, help="Do not ask again.")
def seal(programme: str, yes: bool) -> None:
    """Write the last line of a closed PROGRAMME: this node records nothing for it any more, the lead takes nothing."""
    from services.node.reaching import services_of

    with services_of(the_home("node")) as rpc:
        rpc.call("pathways", "closing_state", programme=programme)  # asked about what there is
        if not yes:
            click.confirm("No line can follow, and nothing can be corrected. Seal?", abort=True, err=True)
        answer = rpc.call("pathways", "seal_stream", by=actor(), programme=programme)
    click.echo(f"{programme}: sealed on {answer['on'] or '?'}; `polku complete` says when the lead has it all")


@click.command("archive")
@home_option
@click.argument("programme", metavar="PROGRAMME")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder to make.")
def archive(programme: str, out: Path) -> None:
    """What stays of PROGRAMME, as one signed folder: a node's documents, CSV and evidence, its people in a folder of
    their own; a lead's reports and partners. `polku verify FOLDER` checks it."""
    from services.node.archiving import archive as make

    said = make(the_home(), programme, out)
    shown = click.format_filename(out)
    click.echo(f"{shown}: archive of the {said['role']} {said['home']}")
    if said.get("lacking"):
        click.echo(f"not whole: {said['lacking']} lines that the lead has are not here (polku parked list)", err=True)
    if said["role"] == "node":
        until = said["personal_until"] or "a day that the programme file does not say"
        click.echo(f"{shown}/personal holds personal data: delete it by {until}")


def _as_json(state: dict[str, Any], found: Sequence[Open]) -> str:
    return json.dumps({**state, "open": [asdict(one) for one in found]}, indent=2, ensure_ascii=False)


def lines(state: dict[str, Any], found: Sequence[Open]) -> Iterator[str]:
    """The state in words; people by the first digits of their code, never by name."""
    on = f" on {state['closed_on']}" if state["closed_on"] else ""
    yield f"{state['programme']}: {state['state']}{on}; left open for a reason: {state['left']}"
    counts: Counter[str] = Counter()
    for one in found:
        counts[one.what] += one.number
    for what in work.WHATS:
        if not counts[what]:
            continue
        yield f"{WORDS[what]}: {counts[what]}"
        rows = [one for one in found if one.what == what]
        for one in rows[:SHOWN]:
            marks = ", ".join((*one.missing, *(("processing restricted",) if one.restricted else ())))
            yield f"  {one.item[:12]}  {one.since}  {marks}".rstrip()
        if len(rows) > SHOWN:
            yield f"  and {len(rows) - SHOWN} more: --worklist FILE has all"
    for kept in state["kept"]:
        if kept["keep_until"] is None and kept["keep_months"] is None:
            yield f"how long {kept['purpose']} is kept: the programme file does not say (purposes: keep_until)"
    if not found:
        yield "nothing stands in the way"


def _worklist(found: Iterable[Open]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for one in found:
        writer.writerow((one.what, one.item, one.since, ";".join(one.missing), "", ""))
    return out.getvalue()


def _read(file: Path | None) -> list[Reason]:
    """The rows of a worklist that have a reason. Raises `InvalidInput`."""
    if file is None:
        return []
    if file.stat().st_size > MAX_WORKLIST:
        raise InvalidInput(field="--reasons", reason="more than 8 MiB")
    try:
        rows = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise InvalidInput(field="--reasons", reason="no CSV file in UTF-8") from None
    if not rows or tuple(rows[0]) != HEADER:
        raise InvalidInput(field="--reasons", reason=f"the header is not {','.join(HEADER)}")
    found = []
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(HEADER):
            raise InvalidInput(field=f"--reasons, line {number}", reason=f"not {len(HEADER)} columns")
        what, item, _, _, reason, day = row
        if reason:
            found.append(Reason(what, item, reason, _day(f"--reasons, line {number}", day)))
    return found


def _for_all(everything: Iterable[str], day: str | None, found: Sequence[Open]) -> Iterator[Reason]:
    for each in everything:
        what, _, reason = each.partition("=")
        if reason not in work.REASONS.get(what, ()):
            options = " · ".join(f"{key}={'|'.join(those)}" for key, those in work.REASONS.items())
            raise InvalidInput(field="--all", reason=f"one of {options}")
        yield from work.for_all(what, reason, _day("--day", day or "") if what == "exit" else "", found)


def _day(field: str, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise InvalidInput(field=field, reason="not a day (YYYY-MM-DD)") from None


COMMANDS: tuple[click.Command, ...] = (close, reopen, seal, archive)
