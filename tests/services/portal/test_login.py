"""One-time passwords, sessions that rotate and end, and guessing that is slowed down."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from services.portal import attempts, auth, store
from services.portal.errors import LoginRefused
from services.portal.metrics import LOGINS
from services.portal.users import remove_user, reset_user
from tests.services.portal.samples import CHEAP, PASSWORD, Portal


def cookie(portal: Portal) -> str:
    """The browser's token."""
    found = portal.client.get_cookie("polku")
    assert found is not None
    return found.value


def test_new_user_changes_the_one_time_password_and_is_in(lead: Portal) -> None:
    first = lead.add_user("worker", "reporter")
    assert lead.log_in("worker", first).headers["Location"] == "/"
    assert lead.client.get("/").headers["Location"] == "/password"
    changed = lead.post("/password", form="/password", old=first, new=PASSWORD, again=PASSWORD)
    assert changed.headers["Location"] == "/"
    assert lead.client.get("/").status_code == 200
    fresh = lead.app.test_client()
    lead.client = fresh
    assert lead.log_in("worker", first).status_code == 403
    assert lead.log_in("worker").status_code == 303


def test_one_time_password_nobody_used_for_two_weeks_is_refused(lead: Portal) -> None:
    first = lead.add_user("worker", "reporter")
    lead.clock.forward(days=14, seconds=1)
    assert lead.log_in("worker", first).status_code == 403


def test_weak_new_passwords_are_refused_with_the_reason(lead: Portal) -> None:
    first = lead.add_user("pikkumyykoodari", "reporter")
    lead.log_in("pikkumyykoodari", first)
    tried = {
        "short": "Uudessa salasanassa on oltava vähintään 12 merkkiä.",
        "salasana12345": "Uusi salasana on liian helppo arvata.",
        "PikkuMyyKoodari": "Uusi salasana ei saa olla käyttäjätunnus.",
        first: "Uusi salasana on sama kuin nykyinen.",
    }
    for new, reason in tried.items():
        answer = lead.post("/password", form="/password", old=first, new=new, again=new)
        assert (answer.status_code, reason in answer.get_data(as_text=True)) == (400, True), new
    answer = lead.post("/password", form="/password", old=first, new=PASSWORD, again=PASSWORD + "x")
    assert "eivät ole samat" in answer.get_data(as_text=True)


def test_changing_the_password_needs_the_present_one(lead: Portal) -> None:
    lead.user_logged_in("worker", "reporter")
    answer = lead.post("/password", form="/password", old="wrong", new="another long one", again="another long one")
    assert answer.status_code == 403
    lead.client = lead.app.test_client()
    assert lead.log_in("worker").status_code == 303


def test_token_changes_at_login_and_password_change_and_logout(lead: Portal) -> None:
    first = lead.add_user("worker", "reporter")
    lead.client.get("/login")
    tokens = [cookie(lead)]
    lead.log_in("worker", first)
    tokens.append(cookie(lead))
    lead.post("/password", form="/password", old=first, new=PASSWORD, again=PASSWORD)
    tokens.append(cookie(lead))
    lead.post("/logout", form="/")
    tokens.append(cookie(lead))
    assert len(set(tokens)) == 4
    for token in tokens:
        assert auth.find_session(lead.engine, token, lead.clock()) is None


def test_login_over_a_live_session_ends_that_session(lead: Portal) -> None:
    lead.user_logged_in("worker", "reporter")
    before = cookie(lead)
    assert lead.post("/login", form="/", name="worker", password=PASSWORD).status_code == 303
    assert cookie(lead) != before
    assert auth.find_session(lead.engine, before, lead.clock()) is None


def test_password_reset_while_the_login_was_computing_wins(lead: Portal) -> None:
    lead.user_logged_in("worker", "reporter")

    def slowly(work: Callable[[], bool], /) -> bool:
        found = work()
        reset_user(lead.engine, "worker", lead.clock(), CHEAP)
        return found

    typed = auth.Credentials("worker", PASSWORD, "10.0.0.1")
    context = replace(lead.context, blocking=slowly)  # type: ignore[arg-type]
    with pytest.raises(LoginRefused):
        auth.log_in(context, typed, "")
    with lead.engine.connect() as connection:
        assert connection.execute(select(store.session_table)).all() == []


def test_password_change_ends_every_other_session_of_the_user(lead: Portal) -> None:
    lead.user_logged_in("worker", "reporter")
    elsewhere, lead.client = lead.client, lead.app.test_client()
    lead.log_in("worker")
    assert elsewhere.get("/").status_code == 200
    lead.post("/password", form="/password", old=PASSWORD, new="seitsemän veljestä", again="seitsemän veljestä")
    assert elsewhere.get("/").status_code == 303
    assert lead.client.get("/").status_code == 200


def test_session_ends_after_half_an_hour_without_a_request(lead: Portal) -> None:
    lead.user_logged_in("worker", "reporter")
    for _ in range(3):
        lead.clock.forward(minutes=29)
        assert lead.client.get("/").status_code == 200
    lead.clock.forward(minutes=30)
    assert lead.client.get("/").status_code == 303


def test_session_ends_after_twelve_hours_however_busy(lead: Portal) -> None:
    lead.user_logged_in("worker", "reporter")
    for _ in range(12 * 3 - 1):
        lead.clock.forward(minutes=20)
        assert lead.client.get("/").status_code == 200
    lead.clock.forward(minutes=20)
    assert lead.client.get("/").status_code == 303


def test_ended_sessions_are_deleted_at_the_next_login(lead: Portal) -> None:
    lead.user_logged_in("worker", "reporter")
    lead.clock.forward(hours=13)
    lead.client = lead.app.test_client()
    lead.log_in("worker")
    with lead.engine.connect() as connection:
        assert len(connection.execute(select(store.session_table)).all()) == 1


def test_removed_or_reset_user_is_out_at_once(lead: Portal) -> None:
    lead.user_logged_in("worker", "reporter")
    reset_user(lead.engine, "worker", lead.clock(), CHEAP)
    assert lead.client.get("/").status_code == 303
    lead.user_logged_in("other", "reporter")
    remove_user(lead.engine, "other")
    assert lead.client.get("/").status_code == 303


def test_database_holds_neither_tokens_nor_passwords_nor_typed_names(lead: Portal) -> None:
    lead.user_logged_in("worker", "reporter")
    elsewhere = lead.app.test_client()
    token, lead.client = cookie(lead), elsewhere
    lead.log_in("my secret typed as name", "x")
    with lead.engine.connect() as connection:
        rows = [
            str(tuple(row))
            for table in ("portal_user", "portal_session", "portal_attempt")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    everything = " ".join(rows)
    assert "$argon2id$" in everything
    for secret in (token, PASSWORD, "my secret"):
        assert secret not in everything


def test_unknown_user_and_wrong_password_read_alike(lead: Portal) -> None:
    lead.add_user("worker", "reporter")
    known, unknown = lead.log_in("worker", "wrong"), lead.log_in("nobody", "wrong")
    assert known.status_code == unknown.status_code == 403
    pages = [answer.get_data(as_text=True).replace("nobody", "worker") for answer in (known, unknown)]
    assert pages[0] == pages[1]


def test_unknown_user_costs_a_hash_too(lead: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    verify = CHEAP.verify
    monkeypatch.setattr(CHEAP, "verify", lambda encoded, typed: seen.append(encoded) or verify(encoded, typed))
    lead.log_in("nobody", "wrong")
    assert seen == [CHEAP.nobody]


def test_sixth_guess_waits_even_with_the_right_password(lead: Portal) -> None:
    lead.user_logged_in("worker", "reporter")
    lead.client = lead.app.test_client()
    for _ in range(5):
        assert lead.log_in("worker", "wrong").status_code == 403
    limited = lead.log_in("worker")
    assert limited.status_code == 429
    assert int(limited.headers["Retry-After"]) == attempts.FIRST_DELAY
    lead.clock.forward(seconds=attempts.FIRST_DELAY)
    assert lead.log_in("worker").status_code == 303


def test_account_that_does_not_exist_is_slowed_down_alike(lead: Portal) -> None:
    statuses = [lead.log_in("nobody", "wrong").status_code for _ in range(6)]
    assert statuses == [403] * 5 + [429]


def test_one_address_cannot_try_many_accounts(lead: Portal) -> None:
    statuses = [lead.log_in(f"user{n}", "wrong").status_code for n in range(25)]
    assert statuses == [403] * 20 + [429] * 5
    with lead.engine.connect() as connection:
        assert len(connection.execute(select(store.attempt_table)).all()) == 21  # refused ones fill no table


def test_login_forgets_the_failures_of_the_account_but_not_of_the_address(lead: Portal) -> None:
    lead.user_logged_in("worker", "reporter")
    lead.client = lead.app.test_client()
    for _ in range(7):
        statuses = [lead.log_in("worker", "wrong").status_code for _ in range(2)]
        lead.clock.forward(hours=1)
        statuses.append(lead.log_in("worker").status_code)
        lead.post("/logout", form="/")
        assert statuses == [403, 403, 303]
    with lead.engine.connect() as connection:
        rows = connection.execute(select(store.attempt_table)).all()
    assert {row.key.split(":")[0]: row.failures for row in rows} == {"address": 14}


@given(st.integers(0, 10_000), st.sampled_from([attempts.FREE_PER_ACCOUNT, attempts.FREE_PER_ADDRESS]))
def test_delay_never_shrinks_and_never_exceeds_a_quarter_of_an_hour(failures: int, free: int) -> None:
    now, later = attempts.delay(failures, free), attempts.delay(failures + 1, free)
    assert 0 <= now <= later <= 900
    assert (now == 0) == (failures < free)


def test_outcomes_are_counted(lead: Portal) -> None:
    def counted() -> list[float]:
        return [LOGINS.labels(outcome)._value.get() for outcome in ("succeeded", "refused", "limited")]

    before = counted()
    first = lead.add_user("worker", "reporter")
    lead.log_in("worker", first)
    lead.client = lead.app.test_client()
    for _ in range(6):
        lead.log_in("worker", "wrong")
    assert [now - then for now, then in zip(counted(), before, strict=True)] == [1, 5, 1]


def test_session_times_are_kept_to_the_minute_not_written_at_each_request(lead: Portal) -> None:
    lead.user_logged_in("worker", "reporter")
    token = cookie(lead)
    seen = auth.find_session(lead.engine, token, lead.clock())
    again = auth.find_session(lead.engine, token, lead.clock() + timedelta(seconds=59))
    assert seen is not None
    assert seen == again
