"""What the command line does to users."""

import pytest

from services.portal.errors import UnknownUser, UserExists
from services.portal.passwords import Hasher
from services.portal.users import add_user, list_users, remove_user, reset_user
from shared.contracts.errors import InvalidInput
from tests.services.portal.documents import START
from tests.services.portal.samples import CHEAP, Portal


def test_new_home_has_no_user(lead: Portal) -> None:
    assert list_users(lead.engine) == []


def test_users_are_listed_with_roles_and_without_hashes(lead: Portal) -> None:
    lead.add_user("veikko", "operator", "reporter")
    lead.add_user("anna", "auditor")
    users = list_users(lead.engine)
    assert [(user.name, sorted(user.roles), user.must_change) for user in users] == [
        ("anna", ["auditor"], True),
        ("veikko", ["operator", "reporter"], True),
    ]
    assert "argon2" not in repr(users)
    assert users[0].created_at == START


@pytest.mark.parametrize("name", ["", "Anna", "a" * 65, "anna laine", "-anna", "anna\n", "<b>"])
def test_unusable_names_are_refused(lead: Portal, name: str) -> None:
    with pytest.raises(InvalidInput, match="^name: "):
        lead.add_user(name, "reporter")


def test_roles_are_those_of_the_home(lead: Portal, node: Portal) -> None:
    with pytest.raises(InvalidInput, match="^role: a lead home has the roles reporter, operator, auditor"):
        lead.add_user("anna", "case_worker")
    with pytest.raises(InvalidInput, match="^role: "):
        node.add_user("anna", "reporter")
    with pytest.raises(InvalidInput, match="^role: "):
        node.add_user("anna")


def test_second_user_of_the_same_name_is_refused(lead: Portal) -> None:
    lead.add_user("anna", "reporter")
    with pytest.raises(UserExists):
        lead.add_user("anna", "reporter")


def test_unknown_users_cannot_be_reset_or_removed(lead: Portal) -> None:
    with pytest.raises(UnknownUser):
        reset_user(lead.engine, "anna", START, CHEAP)
    with pytest.raises(UnknownUser):
        remove_user(lead.engine, "anna")


def test_one_time_passwords_are_long_and_never_the_same(lead: Portal) -> None:
    made = {lead.add_user(f"user{n}", "reporter") for n in range(20)}
    made.add(reset_user(lead.engine, "user1", START, CHEAP))
    assert len(made) == 21
    assert {len(password) for password in made} == {23}


def test_hash_outlives_stronger_parameters_and_is_renewed_at_login(lead: Portal) -> None:
    password = add_user(lead.engine, "anna", ["reporter"], START, Hasher(memory_kib=16, passes=1), home_role="lead")
    assert lead.log_in("anna", password).status_code == 303
    with lead.engine.connect() as connection:
        encoded = connection.exec_driver_sql("SELECT password_hash FROM portal_user").scalar_one()
    assert not CHEAP.outdated(encoded)


def test_default_parameters_are_those_of_owasp() -> None:
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in Hasher().hash("x")
