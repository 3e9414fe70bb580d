"""`polku referral send|list|accept|decline|withdraw|follow-up`: sending people on to a partner, and taking them."""

import json
import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TextIO

import click

from services.node.actor import actor
from services.node.homeoption import home_option, the_home
from shared.contracts.catalogue import STANDINGS
from shared.contracts.referral_facts import AGREED, BECAME, DECLINES

programme_argument = click.argument("programme", metavar="PROGRAMME")
referral_argument = click.argument("number", metavar="REFERRAL")


@click.group()
@home_option
def referral() -> None:
    """People who are sent on to another partner of the programme, and those who come from one."""


@referral.command()
@home_option
@programme_argument
@click.argument("partner", metavar="PARTNER")
@click.argument("subject", metavar="[PERSON]", required=False)
@click.option("--agreed", type=click.Choice(AGREED), multiple=True, required=True, help="What they agreed to be told.")
@click.option("--reason", type=click.File(encoding="utf-8"), metavar="FILE", help="Why, in words; - reads from stdin.")
def send(programme: str, partner: str, subject: str | None, agreed: tuple[str, ...], reason: TextIO | None) -> None:
    """Refer a person to a partner whose node is confirmed; PERSON is the subject, without it you are asked whom."""
    from services.node.erasing import choose
    from services.node.reaching import services_of
    from shared.journal.crypto import load_keys
    from shared.journal.sealed import seal_command

    home = the_home("node")
    try:
        text = reason.read().strip() if reason else ""
    except UnicodeDecodeError:
        raise click.BadParameter("the file is not UTF-8", param_hint="--reason") from None
    with services_of(home) as rpc:
        if subject is None:
            asked = click.prompt("identity code, name or token", err=True)
            subject = choose(home, rpc, programme, asked, actor())
        given: dict[str, Any] = {"programme": programme, "partner": partner, "subject": subject, "agreed": list(agreed)}
        if text:
            given["sealed"] = seal_command(load_keys(home.keys).newest("bus").public or b"", {"text": text})
        done = rpc.call("intake", "send_referral", by=actor(), key=secrets.token_hex(32), **given)
    click.echo(f"{done['referral']}  on its way to {partner}")


@referral.command("list")
@home_option
@programme_argument
@click.option("--json", "as_json", is_flag=True)
def list_(programme: str, as_json: bool) -> None:
    """Referrals sent and received, the newest change first. Reading it is logged."""
    from services.node.reaching import services_of
    from shared.journal.sealed import ReplyKey

    reply = ReplyKey()
    rows: list[dict[str, Any]] = []
    with services_of(the_home("node")) as rpc:
        while True:
            asked: dict[str, Any] = {"programme": programme, "reply_to": reply.public_hex}
            found = rpc.call("intake", "list_referrals", by=actor(), offset=len(rows), limit=500, **asked)
            rows += found["referrals"]
            if len(rows) >= found["total"] or not found["referrals"]:
                break
    for row in rows:
        row |= reply.opened(row.pop("sealed"))
    click.echo(json.dumps(rows, indent=2, ensure_ascii=False) if as_json else "\n".join(_lines(rows)))


@referral.command()
@home_option
@programme_argument
@referral_argument
@click.option("--standing", type=click.Choice(STANDINGS), default="client", show_default=True)
@click.option("--start-date", type=click.DateTime(["%Y-%m-%d"]), help="An ESF participant has one.")
@click.option("--paid-by-project", "paid", type=click.Choice(("yes", "no")), help="Left out: it was not asked.")
def accept(programme: str, number: str, standing: str, start_date: datetime | None, paid: str | None) -> None:
    """Take the person: they come in here, and their participation at the sender ends as transferred."""
    day = start_date.date().isoformat() if start_date else None
    done = _call("accept_referral", programme, number, standing=standing, start_date=day, paid_by_project=paid)
    click.echo(f"{done['subject']}  has come in" + ("" if done["new"] else " already"))


@referral.command()
@home_option
@programme_argument
@referral_argument
@click.option("--reason", type=click.Choice(DECLINES), required=True)
def decline(programme: str, number: str, reason: str) -> None:
    """Do not take the person; who they are is deleted here."""
    _call("decline_referral", programme, number, reason=reason)
    click.echo("declined")


@referral.command()
@home_option
@programme_argument
@referral_argument
def withdraw(programme: str, number: str) -> None:
    """Take back a referral that was not answered. If the other side has decided meanwhile, that holds."""
    _call("withdraw_referral", programme, number)
    click.echo("withdrawn")


@referral.command("follow-up")
@home_option
@programme_argument
@referral_argument
@click.argument("became", type=click.Choice(BECAME), metavar="|".join(BECAME))
@click.option("--outcome", metavar="KEY", help="With outcome: which of the programme file's outcomes.")
def follow_up(programme: str, number: str, became: str, outcome: str | None) -> None:
    """Tell the sender what became of a person whom we took."""
    _call("follow_up_referral", programme, number, became=became, outcome=outcome)
    click.echo("told")


COMMANDS = (referral,)


def _call(method: str, programme: str, number: str, **given: Any) -> dict[str, Any]:
    from services.node.reaching import services_of

    with services_of(the_home("node")) as rpc:
        done: dict[str, Any] = rpc.call("intake", method, by=actor(), programme=programme, referral=number, **given)
    return done


def _lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        name = " ".join(filter(None, (row["given_name"], row["family_name"]))) or row["token"] or "-"
        more = " ".join(filter(None, (row["reason"], row["became"], row["outcome"])))
        way = "to" if row["direction"] == "out" else "from"
        state = f"{row['state']} {more}".strip()
        yield f"{row['referral']}  {way} {row['partner']}  {state}  {name}  {row['changed_at'][:10]}"
        if row["left_out"]:
            yield f"    told, cannot be right, not kept: {', '.join(row['left_out'])}"
        if row["text"]:
            yield "    " + " ".join(row["text"].split())
    if not rows:
        yield "no referrals"
