"""`--home`, before or after the command, and the home it names."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from shared.ops.settings import Home, load_home

F = TypeVar("F", bound=Callable[..., Any])


def _remember(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(dict)["home"] = value


def home_option(command: F) -> F:
    """`--home` before or after the command."""
    text = "The home's directory (default: $POLKU_HOME, then ./var/polku)."
    return click.option("--home", metavar="DIR", expose_value=False, callback=_remember, help=text)(command)


def home_path() -> Path:
    """The directory that `--home` names, or its defaults."""
    given = click.get_current_context().find_root().obj or {}
    return Path(given.get("home") or os.environ.get("POLKU_HOME") or "var/polku")


def the_home(role: str | None = None) -> Home:
    """The home of this command, which must have `role`."""
    home = load_home(home_path())
    if role is not None and home.role != role:
        raise click.UsageError(f"this is a {home.role} home; the command is for a {role}")
    return home


def health_port_option(command: F) -> F:
    """`--health-port`: for processes of one home that share a machine without containers."""
    text = "The port of /ready and /metrics."
    return click.option("--health-port", type=click.IntRange(1, 65535), help=text)(command)
