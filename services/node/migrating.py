"""`polku migrate`: the home's database at this release and, on PostgreSQL, every service's role with its rights.

A process of the full footing has a role of its own (`shared.storage.roles`) and finds it in its POLKU_DATABASE_URL; so
somebody has to come first who may make tables and roles: this command, with the owner's URL. A role's password is in
POLKU_PASSWORD_ROLE (POLKU_PASSWORD_INTAKE …) or the file that POLKU_PASSWORD_ROLE_FILE names.
"""

import os

from sqlalchemy import inspect

from services.node.opening import open_database
from shared.contracts.errors import InvalidInput
from shared.ops.settings import Home, from_environment
from shared.storage.roles import give_roles, roles_for

VARIABLE = "POLKU_PASSWORD_"


def bring_up_to_date(home: Home) -> list[str]:
    """Migrate; the full names of the roles that were given their rights: those with a password."""
    given = {name.removeprefix(VARIABLE).removesuffix("_FILE") for name in os.environ if name.startswith(VARIABLE)}
    engine = open_database(home)
    known = roles_for(inspect(engine).get_table_names())
    for name in sorted(given - {role.upper() for role in known}):
        raise InvalidInput(field=f"{VARIABLE}{name}", reason=f"there is no such role; there are {', '.join(known)}")
    if given and engine.dialect.name != "postgresql":
        raise InvalidInput(field=f"{VARIABLE}{min(given)}", reason="SQLite knows no roles")
    passwords = {role: from_environment(f"{VARIABLE}{role.upper()}") for role in known}
    wanted = {role: password for role, password in passwords.items() if password}
    return give_roles(engine, wanted) if wanted else []
