"""Referrals: somebody is sent on to another partner of the programme by sealed letter, and what came of it comes back.

Each end has a record of its own (`referral_store.referral`) and moves it by the tables in `domain`. Three letters (as
JSON, of the form in `shared/contracts/referrals.py`), between nodes that have confirmed each other alone:

- `referral`, from the sender: who, why, and of the start record what the person agreed to;
- `referral_withdrawal`, from the sender;
- `referral_state`, from the receiver: all that it has decided and told until now, with a number that only grows.

Letters come once but in any order, so each is understood without the others. The receiver alone decides: a withdrawal
that comes after its decision changes nothing, and the sender, who had withdrawn, learns what was decided.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from services.intake import filled_store, peers, referral_store, start_store, store, text_store, worker_store
from services.intake.domain import (
    AT_RECEIVER,
    AT_SENDER,
    Arrival,
    check_arrival,
    form_filled_on,
    is_protected,
    moved,
    next_revision,
    shared_identity,
    start_record,
    with_birth_date,
    without_impossible,
)
from services.intake.operations import Vault, record_start
from services.intake.peers import Desk
from services.intake.workers import take_on
from shared.contracts.commands import load
from shared.contracts.errors import (
    AlreadyRecordedDiffers,
    InvalidInput,
    NotFound,
    ReferralClosed,
    UnknownCode,
    UnknownPerson,
)
from shared.contracts.record_facts import ParticipationEnded
from shared.contracts.referral_facts import (
    ReferralAccepted,
    ReferralAnswered,
    ReferralDeclined,
    ReferralFollowedUp,
    ReferralRecalled,
    ReferralReceived,
    ReferralSent,
    ReferralWithdrawn,
)
from shared.contracts.referrals import LONGEST_REASON, ReferralLetter, StateLetter, WithdrawalLetter
from shared.journal import Journal, Unit
from shared.journal.directory import Member
from shared.journal.post import LetterRefused
from shared.journal.unit import new_id
from shared.ops.clock import today_in_helsinki, wire_time
from shared.programmes import Programme
from shared.storage.once import Done, already_done, remember

REFERRAL, WITHDRAWAL, STATE = "referral", "referral_withdrawal", "referral_state"
KINDS = (REFERRAL, WITHDRAWAL, STATE)
OUT, IN = "out", "in"


@dataclass(frozen=True, slots=True)
class NewReferral:
    """A referral to be sent; `text` is the reason in clear, None if nobody wrote one."""

    key: str
    subject: str
    partner: str
    agreed: tuple[str, ...]
    text: str | None

    def __repr__(self) -> str:
        return "NewReferral(…)"  # never a reason in a log


@dataclass(frozen=True, slots=True)
class Place:
    """Where a referral is worked on: the node's journal, what it writes letters with, its keys, the programme."""

    journal: Journal
    desk: Desk
    keys: Vault
    programme: str


def send(place: Place, new: NewReferral, *, by: str, now: datetime) -> tuple[str, bool, int | None]:
    """Refer a person to a partner; the referral, whether it is new, and the position.

    Raises `UnknownPerson`, `NodeNotConfirmed`, `InvalidInput` (nothing may be told; an open referral to this partner),
    `AlreadyRecordedDiffers`.
    """
    programme = place.programme
    if new.text is not None and len(new.text) > LONGEST_REASON:
        raise InvalidInput(field="sealed.text", reason=f"longer than {LONGEST_REASON} characters")
    content = json.dumps(["referral", programme, new.subject, new.partner, sorted(new.agreed), new.text]).encode()
    with place.journal.unit(now) as unit:
        connection = unit.connection
        if known := already_done(connection, store.keys, [new.key]).get(new.key):
            if not place.keys.is_digest(known.digest, content):
                raise AlreadyRecordedDiffers(field="key")
            return known.made.hex(), False, None
        to = peers.confirmed_partner(connection, place.desk, programme, new.partner)
        person = store.locked_participation(connection, programme, new.subject)
        if person is None:
            raise UnknownPerson(field="subject", programme=programme)
        if any(row.node == to.node for row in referral_store.open_referrals(connection, programme, new.subject)):
            raise InvalidInput(field="partner", reason="a referral to this partner waits for its answer")
        identity = store.open_identity(place.keys.vault, person.person, person.wrapped_key, person.box)
        told: dict[str, Any] = {"identity": shared_identity(identity, new.agreed), "standing": person.standing}
        record = json.loads(person.record)
        if "start_record" in new.agreed:
            # The age is that of the start day; they make their own of the birth date.
            told["record"] = {name: value for name, value in record.items() if name != "age"}
            told["form_signed_on"] = form_filled_on(record)
        elif is_protected(record):
            told["record"] = {"protected_address": "yes"}  # whatever was agreed: their lists must not name the person
        number, ref = new_id(), new_id() if new.text else None
        if new.text and ref:
            owner = store.Owner(person.person, person.wrapped_key, person.person)
            text_store.add_text(connection, place.keys.vault, ref, programme, new.subject, owner, new.text)
            told["text"] = new.text
        _add(unit, number, OUT, programme, to, moved(AT_SENDER, None, "send"), subject=new.subject, text_ref=ref)
        remember(connection, store.keys, {new.key: Done(place.keys.digest(content), bytes.fromhex(number))})
        fact = {"partner": new.partner, "agreed": list(new.agreed), "text_ref": ref}
        unit.record(ReferralSent(new.subject, **_said(programme, number, now), **fact))
        letter = {"kind": REFERRAL, "referral": number, "subject": new.subject, **told}
        _write(unit, place.desk, programme, to, letter, new.subject)
        unit.audit(by, "send_referral", programme=programme, referral=number, node=to.node, subject=new.subject)
    return number, True, unit.pos


def withdraw(place: Place, number: str, *, by: str, now: datetime, own_only: bool = False) -> int | None:
    """Take a referral back that was not answered; None if it was withdrawn already. Raises `NotFound` (with `own_only`
    also of a person whose worker is another than `by`), `ReferralClosed`, `NodeNotConfirmed`."""
    with place.journal.unit(now) as unit:
        row = _ours(unit.connection, place.programme, OUT, number, by if own_only else None)
        if row.state == "withdrawn":
            return None
        state = moved(AT_SENDER, row.state, "withdraw")
        to = peers.confirmed_partner(unit.connection, place.desk, place.programme, row.partner)
        referral_store.set_referral(unit.connection, row.referral, wire_time(now), state=state)
        unit.record(ReferralWithdrawn(row.subject.hex(), **_said(place.programme, number, now)))
        # Not about a person: who is erased now is to be taken back all the same.
        _write(unit, place.desk, place.programme, to, {"kind": WITHDRAWAL, "referral": number})
        unit.audit(by, "withdraw_referral", programme=place.programme, referral=number)
    return unit.pos


def recall(unit: Unit, desk: Desk, programme: str, subject: str) -> None:
    """Before a person is erased: take back what was not answered, so that the other node deletes the identity too."""
    reachable = peers.confirmed_partners(unit.connection, desk, programme)
    for row in referral_store.open_referrals(unit.connection, programme, subject):
        if to := reachable.get(row.partner):
            _write(unit, desk, programme, to, {"kind": WITHDRAWAL, "referral": row.referral.hex()})


def withdraw_from(unit: Unit, desk: Desk, programme: str, subject: str, nodes: Collection[str]) -> None:
    """Take the person's referrals to these nodes back, as far as they were not answered; letters about them are gone.
    Whoever is not confirmed any more hears nothing, and has nothing by us that could be accepted."""
    reachable = peers.confirmed_partners(unit.connection, desk, programme)
    for row in referral_store.open_referrals(unit.connection, programme, subject):
        if row.node not in nodes:
            continue
        state, number = moved(AT_SENDER, row.state, "withdraw"), row.referral.hex()
        referral_store.set_referral(unit.connection, row.referral, wire_time(unit.now), state=state)
        unit.record(ReferralWithdrawn(subject, **_said(programme, number, unit.now)))
        if to := reachable.get(row.partner):  # it may have been carried already, and not acknowledged yet
            _write(unit, desk, programme, to, {"kind": WITHDRAWAL, "referral": number})


def accept(
    place: Place,
    number: str,
    standing: str,
    start_date: date | None,
    *,
    by: str,
    now: datetime,
    worker: str | None = None,
    paid: str | None = None,
    own_only: bool = False,
) -> tuple[str, bool, int | None]:
    """Take a person who was referred to us, to be with `worker`: subject, whether that is new, position.

    `paid`: whether the project pays them, asked anew; None: not asked, and what the sender told holds.
    Raises as `withdraw`, and what `check_arrival` raises.
    """
    programme = place.programme
    with place.journal.unit(now) as unit:
        connection = unit.connection
        row = _ours(connection, programme, IN, number, by if own_only else None)
        if row.state == "accepted":
            return row.subject.hex(), False, None
        state = moved(AT_RECEIVER, row.state, "accept")
        to = peers.confirmed_partner(connection, place.desk, programme, row.partner)
        definition = store.shelf.get(connection, programme)
        told = referral_store.open_referred(connection, place.keys.vault, row)
        today = today_in_helsinki(now)
        # An older release looked at less when it came.
        identity, _ = without_impossible(told["identity"], definition, today)
        record = start_record(told.get("record"), definition) | ({"paid_by_project": paid} if paid else {})
        arrival = Arrival("", standing, start_date, record, identity)
        check_arrival(arrival, definition, today)
        arrival = with_birth_date(arrival, today)
        subject, ref = new_id(), new_id() if told.get("text") else None
        store.add_people(connection, place.keys.vault, programme, [(new_id(), subject, arrival)])
        if ref:
            owner = store.owners(connection, programme, [subject])[subject]
            text_store.add_text(connection, place.keys.vault, ref, programme, subject, owner, told["text"])
        record_start(unit, definition, subject, arrival, continues=told["subject"])
        if day := told.get("form_signed_on"):
            said = {"answer": "yes", "signed_on": date.fromisoformat(day)}
            filled_store.put_question(connection, new_id(), programme, subject, [(to.node, to.partner)], **said)
        columns = {"state": state, "subject": bytes.fromhex(subject), "text_ref": _raw(ref), "box": None}
        revision = next_revision(row.revision, now)
        referral_store.set_referral(connection, row.referral, wire_time(now), revision=revision, **columns)
        unit.record(ReferralAccepted(subject, **_said(programme, number, now)))
        take_on(unit, programme, [subject], worker)
        _tell(unit, place.desk, to, _ours(connection, programme, IN, number))
        unit.audit(by, "accept_referral", programme=programme, referral=number, subject=subject)
    return subject, True, unit.pos


def decline(place: Place, number: str, reason: str, *, by: str, now: datetime, own_only: bool = False) -> int | None:
    """Do not take the person, and delete the identity; None if it was declined already. Raises as `withdraw`."""
    with place.journal.unit(now) as unit:
        row = _ours(unit.connection, place.programme, IN, number, by if own_only else None)
        if row.state == "declined":
            return None
        state = moved(AT_RECEIVER, row.state, "decline")
        to = peers.confirmed_partner(unit.connection, place.desk, place.programme, row.partner)
        columns = {"state": state, "reason": reason, "box": None, "revision": next_revision(row.revision, now)}
        referral_store.set_referral(unit.connection, row.referral, wire_time(now), **columns)
        unit.record(ReferralDeclined(None, **_said(place.programme, number, now), reason=reason))
        _tell(unit, place.desk, to, _ours(unit.connection, place.programme, IN, number))
        unit.audit(by, "decline_referral", programme=place.programme, referral=number, reason=reason)
    return unit.pos


def follow_up(
    place: Place, number: str, became: str, outcome: str | None, *, by: str, now: datetime, own_only: bool = False
) -> int | None:
    """Tell the sender what became of a person whom we took; None if that was told already. Raises as `withdraw`,
    `InvalidInput`, `UnknownCode`."""
    programme = place.programme
    if (became == "outcome") != (outcome is not None):
        raise InvalidInput(field="outcome", reason='named with became "outcome", and only then')
    with place.journal.unit(now) as unit:
        row = _ours(unit.connection, programme, IN, number, by if own_only else None)
        state = moved(AT_RECEIVER, row.state, "tell")
        if outcome is not None and outcome not in store.shelf.get(unit.connection, programme).outcome_by_key:
            raise UnknownCode(field="outcome", programme=programme, value=outcome)
        if (row.became, row.outcome) == (became, outcome):
            return None
        to = peers.confirmed_partner(unit.connection, place.desk, programme, row.partner)
        columns = {"state": state, "became": became, "outcome": outcome}
        revision = next_revision(row.revision, now)
        referral_store.set_referral(unit.connection, row.referral, wire_time(now), revision=revision, **columns)
        said = _said(programme, number, now)
        unit.record(ReferralFollowedUp(row.subject.hex(), **said, became=became, outcome=outcome))
        _tell(unit, place.desk, to, _ours(unit.connection, programme, IN, number))
        unit.audit(by, "follow_up_referral", programme=programme, referral=number, subject=row.subject.hex())
    return unit.pos


def take(unit: Unit, desk: Desk, keys: Vault, programme: str, sender: Member, said: Any) -> None:
    """The effect of a letter that has come; raises `LetterRefused` if it can never have one."""
    kind = said["kind"]
    form = {REFERRAL: ReferralLetter, WITHDRAWAL: WithdrawalLetter, STATE: StateLetter}[kind]
    try:
        letter = load(form, said)
        if kind == REFERRAL:
            _take_referral(unit, keys, programme, sender, letter)
        elif kind == WITHDRAWAL:
            _take_withdrawal(unit, desk, programme, sender, letter["referral"])
        else:
            _take_state(unit, programme, sender, letter)
    except (InvalidInput, ReferralClosed) as error:
        raise LetterRefused("malformed" if isinstance(error, InvalidInput) else "too_late") from None


def _take_referral(unit: Unit, keys: Vault, programme: str, sender: Member, letter: dict[str, Any]) -> None:
    shared_identity(letter["identity"], ["name"])  # somebody must be meant
    known = referral_store.find_theirs(unit.connection, programme, sender.node, letter["referral"])
    state = moved(AT_RECEIVER, known.state if known else None, "referral")
    if known is not None:
        return  # here already, or taken back before it came
    number = new_id()
    what = {name: letter[name] for name in ("subject", "record", "form_signed_on", "text")}
    what["identity"], what["left_out"] = without_impossible(
        letter["identity"], store.shelf.get(unit.connection, programme), today_in_helsinki(unit.now)
    )
    box = referral_store.seal_referred(unit.connection, keys.vault, programme, number, what)
    _add(unit, number, IN, programme, sender, state, theirs=letter["referral"], box=box)
    unit.record(ReferralReceived(None, **_said(programme, number, unit.now), partner=sender.partner))


def _take_withdrawal(unit: Unit, desk: Desk, programme: str, sender: Member, theirs: str) -> None:
    row = referral_store.find_theirs(unit.connection, programme, sender.node, theirs)
    state = moved(AT_RECEIVER, row.state if row else None, "withdrawal")
    if row is None:
        _add(unit, new_id(), IN, programme, sender, state, theirs=theirs, partner="")
    elif row.state == "received":
        referral_store.set_referral(unit.connection, row.referral, wire_time(unit.now), state=state, box=None)
        unit.record(ReferralRecalled(None, **_said(programme, row.referral.hex(), unit.now)))
    elif row.revision:
        _tell(unit, desk, sender, row)  # it was decided before; perhaps the sender has lost that, by a restore


def _take_state(unit: Unit, programme: str, sender: Member, letter: dict[str, Any]) -> None:
    """What the receiver decided and told. What is no newer than what we have heard changes nothing."""
    if subject_sent := referral_store.whom_we_sent(unit.connection, programme, letter["referral"]):
        # The person first, then the referral: so erasing goes, and neither waits for the other for ever.
        store.locked_participation(unit.connection, programme, subject_sent.hex())
    row = referral_store.find_referral(unit.connection, programme, OUT, letter["referral"])
    if row is None or row.node != sender.node:
        raise LetterRefused("unknown_referral")  # or the person was erased here meanwhile
    if letter["revision"] <= row.revision:
        return
    state = moved(AT_SENDER, row.state, letter["state"])
    definition = store.shelf.get(unit.connection, programme)
    if letter["outcome"] not in definition.outcome_by_key:
        letter["outcome"] = None  # of another version of the programme file: no code of ours
    became = (letter["became"], letter["outcome"])
    told = {name: letter[name] for name in ("revision", "reason", "became", "outcome")}
    referral_store.set_referral(unit.connection, row.referral, wire_time(unit.now), state=state, **told)
    subject, said = row.subject.hex(), _said(programme, row.referral.hex(), unit.now)
    if state != row.state:
        unit.record(ReferralAnswered(subject, **said, answer=letter["state"], reason=letter["reason"]))
        if state == "accepted":
            _transferred(unit, programme, definition, subject, date.fromisoformat(letter["on"]))
    if became[0] and became != (row.became, row.outcome):
        unit.record(ReferralFollowedUp(subject, **said, became=became[0], outcome=became[1]))


def _transferred(unit: Unit, programme: str, definition: Programme, subject: str, said: date) -> None:
    """The participation here ends on the day that the other node said; its clock may be wrong either way."""
    person = store.locked_participation(unit.connection, programme, subject)
    first = (person.started_on if person else None) or definition.period.start
    day = min(max(said, first), today_in_helsinki(unit.now))
    if store.end_participation(unit.connection, subject, day, "transferred"):
        start_store.forget_exit_form(
            unit.connection, programme, subject
        )  # of an exit before, after which they came back
        unit.record(ParticipationEnded(subject, reason="transferred", occurred_on=day.isoformat()), programme)


def _tell(unit: Unit, desk: Desk, to: Member, row: Any) -> None:
    """All that we have decided and told of a referral; of nobody by name, so it is no letter about a person."""
    said = {name: getattr(row, name) for name in ("revision", "state", "reason", "became", "outcome")}
    letter = {"kind": STATE, "referral": row.theirs.hex(), "on": today_in_helsinki(unit.now).isoformat(), **said}
    _write(unit, desk, row.programme, to, letter)


def _write(
    unit: Unit, desk: Desk, programme: str, to: Member, letter: dict[str, Any], subject: str | None = None
) -> None:
    peers.write(unit, desk, programme, to, json.dumps(letter, ensure_ascii=False).encode(), subject)


def _ours(connection: Connection, programme: str, direction: str, number: str, theirs: str | None = None) -> Any:
    """A referral, locked; `theirs`: not if it is of a person whose worker is another. One that waits for our answer is
    of nobody of ours yet, so it is everybody's."""
    row = referral_store.find_referral(connection, programme, direction, number)
    subjects = {row.subject.hex()} if row is not None and row.subject and theirs is not None else set()
    if row is None or subjects - worker_store.visible_to(connection, programme, subjects, theirs or ""):
        raise NotFound(what=f"referral in programme {programme}")
    return row


def _add(unit: Unit, number: str, direction: str, programme: str, other: Member, state: str, **more: Any) -> None:
    ids = {name: _raw(more.pop(name, None)) for name in ("subject", "theirs", "text_ref")}
    columns = {"partner": other.partner, "node": other.node, "state": state, "revision": 0} | ids | more
    referral_store.add_referral(
        unit.connection, number, wire_time(unit.now), programme=programme, direction=direction, **columns
    )


def _raw(number: str | None) -> bytes | None:
    return bytes.fromhex(number) if number else None


def _said(programme: str, number: str, now: datetime) -> dict[str, Any]:
    return {"programme": programme, "referral": number, "occurred_on": today_in_helsinki(now).isoformat()}
