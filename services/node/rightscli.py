"""`polku person export|correct|restrict|informed|withdraw|receipts`, `polku retention`; erasing is in `keepcli`."""

import json
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any, TextIO

import click

from services.node.actor import actor
from services.node.control import Rpc
from services.node.homeoption import home_option, the_home
from shared.contracts.errors import InvalidInput, unless_refused
from shared.contracts.purposes import PURPOSES
from shared.contracts.releases import LANGUAGES
from shared.contracts.rights_facts import GROUNDS
from shared.ops.settings import Home

programme_argument = click.argument("programme", metavar="PROGRAMME")
person_argument = click.argument("subject", metavar="[PERSON]", required=False)


def changes_option(said: str, *, required: bool = False) -> Callable[[Any], Any]:
    """`--changes FILE`: a JSON object with what is to be another; `said` explains it."""
    return click.option(
        "--changes",
        type=click.File(encoding="utf-8"),
        metavar="FILE",
        required=required,
        help=f"{said} - reads from stdin.",
    )


def changed_members(changes: TextIO) -> dict[str, Any]:
    """What the file of `changes_option` names. Raises `InvalidInput`."""
    try:
        wanted = json.loads(changes.read())
    except (ValueError, RecursionError):
        wanted = None
    if not isinstance(wanted, dict) or not wanted:
        raise InvalidInput(field="changes", reason="no JSON object with members to change")
    return wanted


@click.command("export")
@home_option
@programme_argument
@person_argument
@click.option("--format", "form", type=click.Choice(["json", "html"]), default="json", show_default=True)
@click.option("--lang", type=click.Choice(LANGUAGES), help="Of html; the person's own language by default.")
def export(programme: str, subject: str | None, form: str, lang: Any) -> None:
    """A copy of everything kept here about a person, on stdout; PERSON is the subject, else you are asked whom."""
    from services.node.reaching import services_of
    from services.portal.copying import as_html, gather
    from services.portal.logos import pictures
    from shared.ops.clock import today_in_helsinki, utcnow

    home = the_home("node")
    with services_of(home) as rpc:
        who, today = whom(home, rpc, programme, subject), today_in_helsinki(utcnow())
        copy = gather(rpc, home.name, programme, who, by=actor(), today=today)
        if form == "html":
            said = as_html(rpc, copy, lang, pictures(home.path))
        else:
            said = json.dumps(copy, indent=2, ensure_ascii=False)
    click.echo(said)


@click.command("correct")
@home_option
@programme_argument
@person_argument
@changes_option('What is wrong and what is right, as JSON: {"family_name": "…", "municipality": null};', required=True)
def correct(programme: str, subject: str | None, changes: TextIO) -> None:
    """Correct what is recorded of a person: identity and start record; null takes a member away."""
    from services.node.reaching import services_of
    from shared.contracts.contacts import Contact
    from shared.contracts.rights import IdentityChanges
    from shared.journal.crypto import load_keys
    from shared.journal.sealed import seal_command

    wanted = changed_members(changes)
    for name in set(Contact().fields) & set(wanted):
        raise InvalidInput(field=name, reason="how somebody is reached is changed by polku person contact")
    home = the_home("node")
    identity = {name: value for name, value in wanted.items() if name in IdentityChanges().fields}
    given: dict[str, Any] = {"record": {name: value for name, value in wanted.items() if name not in identity}}
    if identity:
        given["sealed"] = seal_command(load_keys(home.keys).newest("bus").public or b"", identity)
    with services_of(home) as rpc:
        who: dict[str, Any] = {"programme": programme, "subject": whom(home, rpc, programme, subject), "by": actor()}
        changed = rpc.call("intake", "correct_person", **who, **given)["changed"]
    click.echo(f"corrected: {', '.join(changed)}" if changed else "nothing was another")


@click.command("restrict")
@home_option
@programme_argument
@person_argument
@click.option("--ground", type=click.Choice(GROUNDS), help="Why: GDPR, article 18(1), a to d.")
@click.option("--lift", is_flag=True, help="The restriction ends.")
def restrict(programme: str, subject: str | None, ground: str | None, lift: bool) -> None:
    """Restrict the processing about a person: what is recorded stays, nobody records more, until it is lifted."""
    from services.node.reaching import services_of

    if (ground is None) != lift:
        raise click.UsageError("either --ground, or --lift")
    home = the_home("node")
    with services_of(home) as rpc:
        who: dict[str, Any] = {"programme": programme, "subject": whom(home, rpc, programme, subject), "by": actor()}
        new = rpc.call("intake", "restrict_person", **who, ground=ground, lift=lift)["new"]
    state = "lifted" if lift else "restricted"
    click.echo(state if new else ("was not restricted" if lift else "was restricted already"))


@click.command("informed")
@home_option
@programme_argument
@person_argument
@click.option("--notice", type=click.IntRange(1, 9999), required=True, help="The number of the notice's version.")
@click.option("--language", metavar="CODE", required=True, help="In which language, ISO 639.")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Today by default.")
@click.option("--consent", "consents", type=click.Choice(PURPOSES), multiple=True, help="To what they agreed.")
def informed(
    programme: str, subject: str | None, notice: int, language: str, day: datetime | None, consents: tuple[str, ...]
) -> None:
    """Record that a person was informed about the processing, and agreed to what needs a consent."""
    from services.node.reaching import services_of
    from shared.ops.clock import today_in_helsinki, utcnow

    home, on = the_home("node"), day.date() if day else today_in_helsinki(utcnow())
    with services_of(home) as rpc:
        who = whom(home, rpc, programme, subject)
        said = {"notice": notice, "language": language, "date": on.isoformat(), "consents": list(consents)}
        item = {"key": secrets.token_hex(32), "subject": who, **said}
        unless_refused(*rpc.call("intake", "record_informed", programme=programme, by=actor(), items=[item])["results"])
    click.echo("recorded")


@click.command("withdraw")
@home_option
@programme_argument
@person_argument
@click.option("--purpose", type=click.Choice(PURPOSES), required=True)
def withdraw(programme: str, subject: str | None, purpose: str) -> None:
    """A person withdraws their consent to a purpose: what was recorded for it is erased, nothing more is recorded."""
    from services.node.erasing import end_purpose
    from services.node.reaching import services_of

    home = the_home("node")
    with services_of(home) as rpc:
        who = whom(home, rpc, programme, subject)
        ending = end_purpose(rpc, programme, who, purpose, "withdrawn", actor())
    click.echo(f"withdrawn; receipts: polku person receipts {programme} {who}" if ending else "was withdrawn already")


@click.command("receipts")
@home_option
@programme_argument
@person_argument
@click.option("--json", "as_json", is_flag=True)
def receipts(programme: str, subject: str | None, as_json: bool) -> None:
    """What of a person's purposes has ended, and who has cleared it away: to be shown to them."""
    from services.node.reaching import services_of

    home = the_home("node")
    with services_of(home) as rpc:
        who = whom(home, rpc, programme, subject)
        endings = rpc.call("intake", "list_receipts", programme=programme, subject=who)["endings"]
    if as_json:
        click.echo(json.dumps(endings, indent=2))
        return
    for row in endings:
        click.echo(f"{row['occurred_on']}  {row['purpose']}: {row['why']}")
        for given in row["receipts"]:
            click.echo(f"    {given['holder']}: erased, {given['rows']} rows, {given['received_at']}")
        for holder in row["waiting"]:
            click.echo(f"    {holder}: has not answered yet")
    if not endings:
        click.echo("nothing has ended")


@click.command("duplicates")
@home_option
@programme_argument
@click.option("--judged", is_flag=True, help="Those too about whom somebody has said something.")
@click.option("--json", "as_json", is_flag=True)
def duplicates(programme: str, judged: bool, as_json: bool) -> None:
    """Pairs of people who may be one, the likeliest first. Reading it is logged; `link` and `apart` say what is so."""
    from services.node.reaching import services_of
    from shared.journal.sealed import ReplyKey

    reply, pairs = ReplyKey(), list[dict[str, Any]]()
    asked: dict[str, Any] = {"programme": programme, "judged": judged, "by": actor()}
    with services_of(the_home("node")) as rpc:
        while True:
            page = {"reply_to": reply.public_hex, "offset": len(pairs), "limit": 100}
            found = rpc.call("intake", "list_duplicates", timeout=60.0, **asked, **page)
            pairs += found["pairs"]
            if len(pairs) >= found["total"] or not found["pairs"]:
                break
    for row in (person for pair in pairs for person in pair["people"]):
        row |= reply.opened(row.pop("sealed"))
    if as_json:
        click.echo(json.dumps(pairs, indent=2, ensure_ascii=False))
        return
    for pair in pairs:
        click.echo(f"{pair['score']}{' likely' if pair['likely'] else ''}  {pair['verdict'] or 'not judged'}")
        for row in pair["people"]:
            name = " ".join(filter(None, (row["given_name"], row["family_name"]))) or row["token"] or "-"
            click.echo(f"    {row['person']}  {name}  {row['birth_date'] or '-'}  {row['standing']}")
    if not pairs:
        click.echo("no pairs")


def _judge(programme: str, one: str, other: str, verdict: str) -> None:
    from services.node.reaching import services_of

    with services_of(the_home("node")) as rpc:
        who: dict[str, Any] = {"programme": programme, "subject": one, "same_as": other, "by": actor()}
        new = rpc.call("intake", "judge_pair", **who, verdict=verdict)["new"]
    click.echo("noted" if new else "was noted already")


@click.command("link")
@home_option
@programme_argument
@click.argument("one", metavar="PERSON")
@click.argument("other", metavar="PERSON")
def link(programme: str, one: str, other: str) -> None:
    """Two people are one: reports count them once, nothing is merged."""
    _judge(programme, one, other, "same")


@click.command("apart")
@home_option
@programme_argument
@click.argument("one", metavar="PERSON")
@click.argument("other", metavar="PERSON")
def apart(programme: str, one: str, other: str) -> None:
    """Two people are two: a link is taken back, and they are not listed again."""
    _judge(programme, one, other, "apart")


@click.command()
@home_option
@click.option("--dry-run", is_flag=True, help="Only say who and what falls due, and why.")
@click.option("--json", "as_json", is_flag=True)
def retention(dry_run: bool, as_json: bool) -> None:
    """Erase what the programmes' retention rules let go today; people are named by their subject alone."""
    from services.node.reaching import services_of
    from services.node.retaining import apply, due, lines

    with services_of(the_home("node")) as rpc:
        programmes = [listed["programme"] for listed in rpc.call("pathways", "list_programmes")]
        found = [row for programme in programmes for row in due(rpc, programme)]
        done = {} if dry_run else {programme: apply(rpc, programme, actor()) for programme in programmes}
    if as_json:
        click.echo(json.dumps({"due": found, "done": None if dry_run else done}, indent=2))
        return
    for line in lines(found, done, dry_run=dry_run):
        click.echo(line)


COMMANDS: tuple[click.Command, ...] = (retention,)
_RIGHTS = (export, correct, restrict, informed, withdraw, receipts)
PERSON_COMMANDS: tuple[click.Command, ...] = (*_RIGHTS, duplicates, link, apart)


def whom(home: Home, rpc: Rpc, programme: str, subject: str | None) -> str:
    """The subject that is given; else whoever is chosen on the terminal."""
    from services.node.erasing import choose

    if subject is not None:
        return subject
    return choose(home, rpc, programme, click.prompt("identity code, name or token", err=True), actor())
