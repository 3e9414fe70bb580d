"""`polku person back`: somebody who had left has come back."""

from datetime import datetime
from typing import Any

import click

from services.node.actor import actor
from services.node.homeoption import home_option, the_home
from services.node.rightscli import person_argument, programme_argument, whom


@click.command("back")
@home_option
@programme_argument
@person_argument
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Today by default.")
def back(programme: str, subject: str | None, day: datetime | None) -> None:
    """Somebody who had left has come back: the start stays the first one, the exit will be the next one."""
    from services.node.reaching import services_of
    from shared.ops.clock import today_in_helsinki, utcnow

    home, on = the_home("node"), day.date() if day else today_in_helsinki(utcnow())
    with services_of(home) as rpc:
        who = whom(home, rpc, programme, subject)
        asked: dict[str, Any] = {"programme": programme, "subject": who, "date": on.isoformat(), "by": actor()}
        new = rpc.call("intake", "resume_participation", **asked)["new"]
    click.echo("recorded" if new else "was recorded already")
