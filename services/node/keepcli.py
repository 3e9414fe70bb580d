"""Commands that keep a home and take a person out of it: `polku backup`, `restore`, `person`."""

from pathlib import Path

import click

from services.node import backcli, contactcli, rightscli
from services.node.actor import actor
from services.node.homeoption import home_option, home_path, the_home
from shared.contracts.purposes import PURPOSES
from shared.ops.clock import utcnow


@click.command()
@home_option
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--new-passphrase", is_flag=True, help="Make and show another recovery passphrase, for this backup on.")
def backup(file: Path, new_passphrase: bool) -> None:
    """Write an encrypted snapshot of this home, running or not; the first one shows the recovery passphrase."""
    from services.node.backup import back_up

    passphrase = back_up(the_home(), file, utcnow(), new_passphrase=new_passphrase)
    if passphrase is not None:
        click.echo(f"recovery passphrase, shown this once; nothing restores without it: {passphrase}")
    click.echo(f"wrote {file}, {file.stat().st_size} bytes")


@click.command()
@home_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Else $POLKU_RECOVERY_PASSPHRASE (or …_FILE), else a prompt.",
)
def restore(file: Path, passphrase_file: Path | None) -> None:
    """Make this home, which must not exist, from a backup: the only way back."""
    from services.node.backup import restore as run
    from services.node.restoring import passphrase_from, what_next

    home = run(file, home_path(), passphrase_from(passphrase_file), utcnow())
    for line in what_next(home):
        click.echo(line)


@click.group()
@home_option
def person() -> None:
    """A participant's rights."""


@person.command("erase")
@home_option
@click.argument("programme")
@click.argument("subject", metavar="[PERSON]", required=False)
@click.option("--yes", is_flag=True, help="Do not ask again.")
@click.option("--purpose", type=click.Choice(PURPOSES), help="Only what is recorded for this purpose.")
def person_erase(programme: str, subject: str | None, yes: bool, purpose: str | None) -> None:
    """Erase a person from a programme; PERSON is the subject, without it you are asked whom you mean."""
    from services.node.erasing import choose, end_purpose, erase, leftovers, preview
    from services.node.reaching import services_of

    home = the_home("node")
    with services_of(home) as rpc:
        if subject is None:
            asked = click.prompt("identity code, name or token", err=True)
            subject = choose(home, rpc, programme, asked, actor())
        seen = None
        if not yes:
            seen, told = preview(rpc, programme, subject, purpose)
            for line in told:
                click.echo(line, err=True)
            what = f"Everything recorded for {purpose}" if purpose else "Everything"
            click.confirm(f"{what} about this person in this programme will be gone. Erase?", abort=True, err=True)
        if purpose is not None:
            ending = end_purpose(rpc, programme, subject, purpose, "asked", actor(), seen)
            click.echo(
                f"erased; receipts: polku person receipts {programme} {subject}" if ending else "nothing was left"
            )
            return
        erased = erase(rpc, programme, subject, actor(), seen)
    click.echo("erased" if erased else "was erased already")
    for line in leftovers(home, programme):
        click.echo(line)


for _command in (*rightscli.PERSON_COMMANDS, contactcli.contact, backcli.back):
    person.add_command(_command)

COMMANDS: tuple[click.Command, ...] = (backup, restore, person)
