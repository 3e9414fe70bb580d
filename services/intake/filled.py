"""Whether somebody's start form is filled at another partner of the programme already.

On the person's wish their tag (`tags`) goes by letter to every confirmed node; each looks among its own participants
and answers yes, no, or that it cannot say. Two letters (as JSON, of the form in `shared/contracts/filled.py`):

- `filled_question`, from whoever asks: the tag under each tag key that it has; no name, no subject;
- `filled_answer`, from who was asked; with a yes the day on which the form was signed.

The lead carries both sealed, and learns neither. Nothing is recorded in a stream: what was answered is of use to who
fills in the form, and goes with the person. Of somebody with a protected address, or whose processing is restricted,
no node says that they are there: it answers no.
"""

import json
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Engine

from services.intake import filled_store, peers, store
from services.intake.domain import form_filled_on, is_protected, tag_of
from services.intake.peers import Desk
from services.intake.referrals import Place
from services.intake.tags import Also
from shared.contracts.commands import load
from shared.contracts.errors import HomeHeld, InvalidInput, PolkuError, UnknownPerson
from shared.contracts.filled import MOST_KEYS, AnswerLetter, QuestionLetter
from shared.journal import Unit
from shared.journal.closing import is_sealed, refuse_new
from shared.journal.crypto import read_secret
from shared.journal.directory import Member, member
from shared.journal.holding import is_held
from shared.journal.post import LetterRefused
from shared.journal.posting import waiting_for
from shared.journal.unit import new_id
from shared.ops.clock import day_of, today_in_helsinki
from shared.programmes import Programme
from shared.storage import snapshot
from shared.storage.restricting import refuse_restricted, restricted_among

QUESTION, ANSWER = "filled_question", "filled_answer"
KINDS = (QUESTION, ANSWER)
MOST_WAITING = 20
"""Letters of ours that may wait for a node: one of an older release takes no question until it is upgraded, and 50
letters that it cannot take would keep our referrals from it."""


def ask(place: Place, subject: str, *, by: str, now: datetime) -> tuple[list[str], int | None]:
    """Ask every confirmed node; the partners that are asked now, and the position.

    Left alone is a node that has the question already and answers yet, and one for which `MOST_WAITING` letters wait.
    Raises
    `UnknownPerson`, `ProgrammeIsClosed`, `HomeHeld`, `ProcessingRestricted`, `ConsentWithdrawn`, `InvalidInput` (no tag
    in the programme file, no tag key here, a protected address, nothing to recognise the person by).
    """
    programme, today = place.programme, today_in_helsinki(now)
    with place.journal.unit(now) as unit:
        connection = unit.connection
        definition = store.shelf.get(connection, programme)
        refuse_new(connection, unit.home, programme)
        if is_held(connection):  # no fact is recorded that would be refused
            raise HomeHeld
        person = store.locked_participation(connection, programme, subject)
        if person is None:
            raise UnknownPerson(field="subject", programme=programme)
        if is_protected(json.loads(person.record)):
            raise InvalidInput(field="subject", reason="nobody is asked about somebody with a protected address")
        refuse_restricted(restricted_among(connection, [subject]), subject, "esf_record", "intake", field="subject")
        tags = _tags(connection, place, definition, person)
        on_the_way = waiting_for(connection, programme)
        known = {row.node: row for row in filled_store.questions_about(connection, subject)}
        to = [
            node
            for node in peers.confirmed_partners(connection, place.desk, programme).values()
            if not _waits(known.get(node.node), today, on_the_way) and on_the_way.get(node.node, 0) < MOST_WAITING
        ]
        question = new_id()
        nodes = [(node.node, node.partner) for node in to]
        filled_store.put_question(connection, question, programme, subject, nodes, asked_on=today)
        letter = json.dumps({"kind": QUESTION, "question": question, "tags": tags}).encode()
        for node in to:
            peers.write(unit, place.desk, programme, node, letter, subject)
        asked = sorted(node.partner for node in to)
        unit.audit(by, "ask_filled", programme=programme, subject=subject, partners=asked)
    return asked, unit.pos


def _waits(known: Any | None, today: date, on_the_way: Collection[str]) -> bool:
    """Whether a question is under way: it lies here yet, or went today. Older, taken, and not answered: the node was
    restored from before, and is asked again."""
    return known is not None and known.answer is None and (known.node in on_the_way or known.asked_on == today)


def _tags(connection: Connection, place: Place, definition: Programme, person: Any) -> list[dict[str, Any]]:
    if definition.tag is None:
        raise InvalidInput(field="programme", reason="its file does not say that people are counted once (tag)")
    keys = store.tag_keys(connection, definition.key)[-MOST_KEYS:]
    if not keys:
        raise InvalidInput(field="programme", reason="its tag key has not come here yet")
    identity = store.open_identity(place.keys.vault, person.person, person.wrapped_key, person.box)
    found = []
    for key in keys:
        secret = read_secret(place.desk.directory, "tag", key.number)
        if tag := tag_of(identity, key.basis, definition.key, secret):
            found.append({"key_no": key.key_no, "tag": tag})
    if not found:
        raise InvalidInput(field="subject", reason="nobody is recognised without what the programme's tag is made of")
    return found


def show(engine: Engine, desk: Desk, programme: str, subject: str) -> dict[str, Any]:
    """What was asked and answered about a person (`shared.contracts.filled.ShowFilled`). Raises `UnknownProgramme`,
    `UnknownPerson`."""
    with snapshot(engine) as connection:
        definition = store.shelf.get(connection, programme)
        person = store.find_participation(connection, programme, subject)
        if person is None:
            raise UnknownPerson(field="subject", programme=programme)
        rows = filled_store.questions_about(connection, subject)
        own = member(connection, programme, desk.node)
    others = {partner.key for partner in definition.partners} - {own.partner if own else ""}
    why_not = "no_tag" if definition.tag is None else None
    if is_protected(json.loads(person.record)):
        why_not = "protected"
    return {
        "why_not": why_not,
        "not_asked": sorted(others - {row.partner for row in rows}),
        "answers": [
            {"partner": row.partner, "answer": row.answer}
            | {name: str(getattr(row, name) or "") or None for name in ("signed_on", "asked_on")}
            for row in rows
        ],
    }


def take(place: Place, sender: Member, said: Mapping[str, Any], now: datetime, taken: Also) -> int | None:
    """The effect of a letter that has come, `taken` in the same unit of work; the position.

    Raises `LetterRefused` if it can never have one.
    """
    try:
        if said["kind"] == QUESTION:
            return _answer(place, sender, load(QuestionLetter, said), now, taken)
        return _hear(place, sender, load(AnswerLetter, said), now, taken)
    except InvalidInput:
        raise LetterRefused("malformed") from None


def _answer(place: Place, sender: Member, letter: dict[str, Any], now: datetime, taken: Also) -> int | None:
    wanted = {tag["key_no"]: tag["tag"] for tag in letter["tags"]}
    found = _recognised(place, wanted)
    with place.journal.unit(now) as unit:
        taken(unit)
        filled = _filled(unit, place.programme, found or [])
        first = min(filled, default=None)
        answer = "cannot_say" if found is None else "yes" if filled else "no"
        back = {"kind": ANSWER, "question": letter["question"], "answer": answer, "signed_on": first and first[0]}
        # About our own person, if it is a yes: erased before it was taken, it is taken back.
        subject = first and first[1]
        peers.write(unit, place.desk, place.programme, sender, json.dumps(back).encode(), subject)
        log = {"programme": place.programme, "node": sender.node, "answer": answer}
        unit.audit(f"post:{sender.node}", "answer_filled", **log, subjects=[subject] if subject else [])
    return unit.pos


def _recognised(place: Place, wanted: Mapping[int, str]) -> list[str] | None:
    """Our participants with this tag, in order; None if we cannot say. Every identity is opened for it, none is shown;
    before the transaction that writes, which is short."""
    programme = place.programme
    with snapshot(place.journal.engine) as connection:
        if store.shelf.get(connection, programme).tag is None:
            raise LetterRefused("no_tag")
        keys = [key for key in store.tag_keys(connection, programme) if key.key_no in wanted]
        if not keys or is_sealed(connection, place.journal.home, programme):
            return None
        key = keys[-1]
        secret = read_secret(place.desk.directory, "tag", key.number)

        def is_meant(row: Any) -> bool:
            identity = store.open_identity(place.keys.vault, row.person, row.wrapped_key, row.box)
            return tag_of(identity, key.basis, programme, secret) == wanted[key.key_no]

        rows = filled_store.closed_participants(connection, programme)
        return [row.subject.hex() for row in rows if is_meant(row)]


def _filled(unit: Unit, programme: str, subjects: list[str]) -> list[tuple[str, str]]:
    """Those of these people whose form is filled here and may be told: the day, and who."""
    restricted, found = restricted_among(unit.connection, subjects), []
    for subject in subjects:
        row = store.locked_participation(unit.connection, programme, subject)
        record = json.loads(row.record) if row is not None else {}
        day = form_filled_on(record)
        if day is not None and not is_protected(record) and _may_be_told(restricted, subject):
            found.append((day, subject))
    return found


def _may_be_told(restricted: Mapping[str, frozenset[str]], subject: str) -> bool:
    try:
        refuse_restricted(restricted, subject, "esf_record", "intake")
    except PolkuError:
        return False
    return True


def _hear(place: Place, sender: Member, letter: dict[str, Any], now: datetime, taken: Also) -> int | None:
    signed_on = day_of(letter["signed_on"])
    with place.journal.unit(now) as unit:
        taken(unit)
        told = (letter["question"], sender.node, letter["answer"], signed_on)
        if not filled_store.set_answer(unit.connection, place.programme, *told):
            raise LetterRefused("unknown_question")
    return unit.pos
