"""The `polku` command line: each command parses, calls once and prints. Names and exit codes: interfaces.md.

Exit 2: the input is wrong; 1: it failed; one line on stderr says why. What belongs to a later release says so (exit 2).
"""

import json
import sys
import traceback
from pathlib import Path
from typing import Any

import click

from services.node import (
    carrycli,
    closingcli,
    instrumentcli,
    keepcli,
    keyscli,
    leadcli,
    leavecli,
    logocli,
    operating,
    pathcli,
    peerscli,
    referralcli,
    releasecli,
    reportcli,
    rightscli,
    samplecli,
    usercli,
    workercli,
)
from services.node.errors import ServicesDoNotStart
from services.node.homeoption import health_port_option, home_option, home_path, the_home
from shared.contracts.errors import (
    DatabaseNewer,
    HomeInUse,
    InternalError,
    LeadUnreachable,
    PolkuError,
    RemoteError,
    RpcTimeout,
    ServiceAbsent,
)
from shared.ops.settings import LOOPBACK

FAILURES = (
    RpcTimeout,
    ServiceAbsent,
    InternalError,
    HomeInUse,
    DatabaseNewer,
    RemoteError,
    ServicesDoNotStart,
    LeadUnreachable,
)
LONGEST_LINE = 500
"""Characters of an error."""


class Polku(click.Group):
    """The root: turns whatever goes wrong into one line and an exit code."""

    def main(self, *args: Any, **extra: Any) -> Any:
        try:
            sys.exit(super().main(*args, **{**extra, "standalone_mode": False}))
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(2)
        except click.ClickException as error:
            _end(error.format_message(), error.exit_code)
        except PolkuError as error:
            _end(str(error), 1 if isinstance(error, FAILURES) else 2)
        except (BrokenPipeError, KeyboardInterrupt, click.Abort):
            sys.exit(1)
        except OSError as error:
            _end(f"{error.filename or 'the system'}: {error.strerror or type(error).__name__}", 1)
        except Exception as error:
            _end(_in_words(error), 1)


def _in_words(error: Exception) -> str:
    """What to say of an error nobody expected: never a traceback, and never its text, which may quote data."""
    from sqlalchemy.exc import DBAPIError

    from shared.journal.crypto import KeyFileUnusable

    if isinstance(error, KeyFileUnusable):
        return str(error)
    if isinstance(error, DBAPIError):
        return f"the home's database cannot be used ({type(error.orig).__name__})"
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"unexpected {type(error).__name__} at {Path(place.filename).name}:{place.lineno}; please report it"


def _end(message: str, code: int) -> None:
    """One line that no terminal obeys, whatever was typed; of a word of any length enough to know it by."""
    line = "".join(c if c.isprintable() else "?" for c in " ".join(message.split()))
    click.echo(f"polku: {line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + '…'}", err=True)
    sys.exit(code)


@click.group(cls=Polku, context_settings={"help_option_names": ["-h", "--help"]})
@home_option
@click.version_option(package_name="polku")
@click.pass_context
def polku(ctx: click.Context) -> None:
    """A workflow platform for programmes that several organisations run together."""
    ctx.ensure_object(dict)


@polku.command()
@home_option
@click.option("--role", type=click.Choice(["lead", "node"]), required=True)
@click.option("--name", default="", help="A node's name: a-z, 0-9, -; 8 random hex digits are added.")
@click.option("--port", type=click.IntRange(1, 63535), help="The portal's port (default: lead 8400, node 8401).")
@click.option("--host", default=LOOPBACK, show_default=True, help="The address that the portal listens on.")
def init(role: str, name: str, port: int | None, host: str) -> None:
    """Make a new home."""
    from services.node.opening import init_home

    home = init_home(home_path(), "lead" if role == "lead" else "node", name, port, host)
    click.echo(f"made the {home.role} home {home.name} in {home.path}")


@polku.command()
@home_option
@click.argument("services", nargs=-1, metavar="[SERVICE]...")
@health_port_option
@click.option("--child", is_flag=True, hidden=True)
@click.option("--private", is_flag=True, hidden=True)
def up(services: tuple[str, ...], health_port: int | None, child: bool, private: bool) -> None:
    """Run everything of the home, or the named services (full footing)."""
    if services == ("portal",):
        from services.node.serving import run_portal

        run_portal(the_home(), health_port)
        return
    from services.node.up import run_up

    run_up(the_home(), services, health_port, child=child, private=private)


@polku.command()
@home_option
@health_port_option
@click.option("--child", is_flag=True, hidden=True)
def courier(health_port: int | None, child: bool) -> None:
    """Ship this node's streams to its leads."""
    from services.node.courier import run_courier

    run_courier(the_home("node"), health_port, child=child)


@polku.command()
@home_option
@health_port_option
@click.option("--child", is_flag=True, hidden=True)
def receiver(health_port: int | None, child: bool) -> None:
    """Take in the partners' segments on the lead."""
    from services.node.receiver import run_receiver

    run_receiver(the_home("lead"), health_port, child=child)


@polku.group()
@home_option
def user() -> None:
    """The portal's users."""


@polku.group()
@home_option
def programme() -> None:
    """Programme files."""


@programme.command("check")
@home_option
@click.argument("file", type=click.Path(path_type=Path))
def programme_check(file: Path) -> None:
    """Every problem of a programme file, with its line."""
    from shared.programmes import check_file

    problems = check_file(file)
    for problem in problems:
        click.echo(str(problem), err=True)
    if problems:
        sys.exit(2)
    click.echo(f"{file}: no problem")


@programme.command("load")
@home_option
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what it would move and what forbids it; change nothing.")
@click.option("--json", "as_json", is_flag=True)
def programme_load(file: Path, dry_run: bool, as_json: bool) -> None:
    """Take a version of a programme file into use in this home; on a lead, at all nodes of the programme."""
    from services.node.loadingcli import run

    sys.exit(run(the_home(), file, dry_run=dry_run, as_json=as_json))


@polku.group()
@home_option
def lead() -> None:
    """The lead's partners."""


@polku.group()
@home_option
def node() -> None:
    """This node's place in programmes."""


@node.command("join")
@home_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def node_join(file: Path) -> None:
    """Answer an invite."""
    from services.node.admitting import join

    home = join(the_home("node"), file)
    click.echo(f"{home.name} answered; it is joined when the lead has taken the answer in")


@polku.command()
@home_option
@click.argument("key", metavar="PROGRAMME")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--scale", type=click.IntRange(1, 1000), default=1, show_default=True)
def synth(key: str, out: Path, seed: int, scale: int) -> None:
    """Synthetic people whose totals are the programme's published figures, as CSV."""
    from services.node.synth import synthesize
    from shared.programmes import load_file
    from shared.programmes.files import programme_file

    synthesize(load_file(programme_file(key)), out, seed=seed, scale=scale)


@polku.command("import")
@home_option
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only check.")
@click.option("--skip-bad", is_flag=True, help="Leave bad rows out instead of stopping.")
def import_(directory: Path, dry_run: bool, skip_bad: bool) -> None:
    """Bring a set of CSV files in through the services' own commands."""
    from services.node.importcommand import run

    sys.exit(run(the_home("node"), directory, dry_run=dry_run, skip_bad=skip_bad))


@polku.group()
@home_option
def period() -> None:
    """Reporting periods."""


@period.command("confirm")
@home_option
@click.argument("key", metavar="PROGRAMME")
@click.argument("name", metavar="PERIOD")
@click.option("--yes", is_flag=True, help="Confirm without asking.")
@click.option("--again", is_flag=True, help="Confirm anew a period that is confirmed.")
def period_confirm(key: str, name: str, yes: bool, again: bool) -> None:
    """Show what is unmarked, unfinished or missing in a period, then confirm it."""
    from services.node.confirming import run

    sys.exit(run(the_home("node"), key, name, yes=yes, again=again))


@polku.command()
@home_option
@click.option("--json", "as_json", is_flag=True)
def complete(as_json: bool) -> None:
    """Per stream: how far the node is, how far the lead, and whether that is the same to the byte."""
    from services.node.complete import lead_state, lines, node_state

    home = the_home()
    state = lead_state(home) if home.role == "lead" else node_state(home)
    click.echo(json.dumps(state, indent=2) if as_json else "\n".join(lines(state)))
    sys.exit(0 if state["complete"] else 1)


@polku.command()
@home_option
@click.option("--check", is_flag=True, required=True, help="Compute every stored score again and compare.")
@click.option("--json", "as_json", is_flag=True)
def score(check: bool, as_json: bool) -> None:
    """Whether every stored score follows from its answers and its pinned instrument."""
    from services.node.scores import run

    sys.exit(run(the_home(), as_json=as_json))


@polku.command()
@click.option("--dir", "directory", type=click.Path(file_okay=False, path_type=Path), default=Path("var/demo"))
@click.option("--port", type=click.IntRange(1, 63000), default=8400, show_default=True)
@click.option("--once", is_flag=True, help="Load, wait until all has arrived, print the reports, stop.")
def demo(directory: Path, port: int, once: bool) -> None:
    """A lead and a node, joined for real, with synthetic people whose totals are the published figures."""
    from services.node.demo import run_demo

    sys.exit(run_demo(directory.absolute(), port, once=once))


@polku.command()
@home_option
def migrate() -> None:
    """Bring the home's database to this release; on PostgreSQL, give each service's role its rights."""
    from services.node.migrating import bring_up_to_date

    click.echo(f"up to date; roles: {', '.join(bring_up_to_date(the_home())) or 'none'}")


for _command in (*peerscli.COMMANDS, *leavecli.COMMANDS):
    node.add_command(_command)
_MORE = (operating, keepcli, keyscli, reportcli, carrycli, referralcli, pathcli, rightscli, workercli, instrumentcli)
for _command in (command for module in _MORE for command in module.COMMANDS):
    polku.add_command(_command)
for _command in (*closingcli.COMMANDS, *logocli.COMMANDS):
    programme.add_command(_command)
for _command in usercli.COMMANDS:
    user.add_command(_command)
for _command in (*leadcli.COMMANDS, *samplecli.COMMANDS, *releasecli.COMMANDS):
    lead.add_command(_command)
