"""Rules of intake: who comes in, with which standing, what the start record says, and by what people are recognised."""

import hmac
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared import hetu
from shared.contracts.errors import InvalidInput, ReferralClosed, UnknownCode
from shared.contracts.people import CONTACT
from shared.forms import find_form
from shared.forms.records import QUESTIONS, age_on, arrival_problems, taken
from shared.programmes import Programme

OLDEST = 120
"""Full years; an older age is a slip of the pen, and no fact takes it."""

EARLIEST = timedelta(days=366)
"""How long before the programme's first day a form may have been signed: an older one is another project's."""

STANDING_NEEDS_NAME = ("client", "esf_participant")
"""A visitor may be known by a token alone; from client on a person has a name (glossary: standing)."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One person coming in: what is asked openly (`record`, coded) and the identity, which only the vault keeps."""

    key: str
    standing: str
    start_date: date | None
    record: dict[str, Any]
    identity: dict[str, Any]

    @property
    def age(self) -> int | None:
        """On the start day; None if either day is not known."""
        born = self.identity.get("birth_date")
        return age_on(date.fromisoformat(born), self.start_date) if born and self.start_date else None


@dataclass(frozen=True, slots=True)
class Before:
    """Who somebody was before a change: the standing, and the identity as the vault had it."""

    standing: str | None
    identity: Mapping[str, Any]

    def __repr__(self) -> str:
        return "Before(…)"  # never an identity in a log


def check_arrival(arrival: Arrival, programme: Programme, today: date, before: Before | None = None) -> None:
    """Refuse what contradicts itself or the programme; raises `InvalidInput` or `UnknownCode` naming the field.

    `before`: what somebody who is known was; None: they come in now.
    """
    identity, record, before = arrival.identity, arrival.record, before or Before(None, {})
    named = identity.get("given_name") or identity.get("family_name")
    if arrival.standing in STANDING_NEEDS_NAME and not named:
        raise InvalidInput(field="given_name", reason=f"a {arrival.standing} has a name")
    if not named and not identity.get("token"):
        raise InvalidInput(field="token", reason="a visitor has a token or a name")
    if arrival.standing == "esf_participant" and record.get("paid_by_project") == "yes":
        raise InvalidInput(field="paid_by_project", reason=PAID)
    if arrival.start_date is None:
        if arrival.standing == "esf_participant":
            raise InvalidInput(field="start_date", reason="an ESF participant has a start date")
    else:
        _check_start(arrival.start_date, programme, today)
    if identity.get("birth_date"):
        _check_birth(date.fromisoformat(identity["birth_date"]), arrival.start_date, today)
    _check_code(identity)
    is_known = identity.get("identity_code") == before.identity.get("identity_code")
    if not (is_known and before.standing == arrival.standing):  # an older release did not look: who is here stays so
        _check_coded(identity, arrival.start_date, today)
    _check_code_asked(arrival, programme, before)
    for field in ("form_signed_on", "eura_on"):
        if record.get(field):
            check_evidence(field, date.fromisoformat(record[field]), programme, today)
    check_contact(identity, record)
    if is_protected(record):
        for field in WHERE_PEOPLE_LIVE:
            if record.get(field):
                raise InvalidInput(field=field, reason="is left out of who has a protected address")
    if record.get("area") and record["area"] not in programme.area_by_key:
        raise UnknownCode(field="area", programme=programme.key, value=record["area"])
    if record.get("target_group") and record["target_group"] not in programme.target_group_by_key:
        raise UnknownCode(field="target_group", programme=programme.key, value=record["target_group"])
    problems = arrival_problems(
        find_form(programme.funding_programme),
        record,
        arrival.start_date,
        participant=arrival.standing == "esf_participant",
        asked="form_signed_on" in record,
        here=programme.esf_record == "here",
    )
    for field, reason in problems:
        raise InvalidInput(field=field, reason=reason)


def _check_start(start: date, programme: Programme, today: date) -> None:
    if start > today:
        raise InvalidInput(field="start_date", reason="in the future")
    if start not in programme.period:
        raise InvalidInput(field="start_date", reason="outside the programme's period")


def check_evidence(field: str, day: date, programme: Programme, today: date) -> None:
    """Refuse a day on which nobody signed, asked or told anything for this programme. Raises `InvalidInput`."""
    if day > today:
        raise InvalidInput(field=field, reason="in the future")
    if day < programme.period.start - EARLIEST:
        raise InvalidInput(field=field, reason="more than a year before the programme's period")


def _check_birth(born: date, start: date | None, today: date, field: str = "birth_date", said: str = "") -> None:
    if born > today:
        raise InvalidInput(field=field, reason=f"{said}in the future")
    if start is not None and born > start:
        raise InvalidInput(field=field, reason=f"{said}after start_date")
    if age_on(born, start or today) > OLDEST:
        raise InvalidInput(field=field, reason=f"{said}more than {OLDEST} years ago")


def _check_code(identity: Mapping[str, Any]) -> None:
    """An identity code can exist, and tells the birth date that is written beside it. Raises `InvalidInput`."""
    code, born = identity.get("identity_code"), identity.get("birth_date")
    if not code:
        return
    coded = hetu.birth_date(code)
    if coded is None:
        raise InvalidInput(field="identity_code", reason="is not valid")
    if born and coded.isoformat() != born:
        raise InvalidInput(field="identity_code", reason="tells another birth date than birth_date")


def _check_coded(identity: Mapping[str, Any], start: date | None, today: date) -> date | None:
    """The birth date that a valid code tells where none is written beside it; None: there is no such code. Raises
    `InvalidInput` if nobody is born on it."""
    coded = None if identity.get("birth_date") else hetu.birth_date(identity.get("identity_code") or "")
    if coded is not None:
        _check_birth(coded, start, today, "identity_code", "tells a birth date ")
    return coded


def with_birth_date(arrival: Arrival, today: date) -> Arrival:
    """The same, with the birth date that the identity code tells where none is written beside it: nobody is asked twice
    (reference §1.2)."""
    try:
        coded = _check_coded(arrival.identity, arrival.start_date, today)
    except InvalidInput:  # of an older release, that did not look
        return arrival
    born = {} if coded is None else {"birth_date": coded.isoformat()}
    return replace(arrival, identity=arrival.identity | born)


def _check_code_asked(arrival: Arrival, programme: Programme, before: Before) -> None:
    """Refuse a code that is new and not asked, and a new participant without one, or one whose code is taken away. Who
    was taken in before the programme said so is not held up: their address may have to be protected."""
    code, known = arrival.identity.get("identity_code"), before.identity.get("identity_code")
    if programme.identity_code == "not_asked" and code and code != known:
        raise InvalidInput(field="identity_code", reason="is not asked in this programme")
    lacking = programme.identity_code == "required" and arrival.standing == "esf_participant" and not code
    if lacking and (known or before.standing != arrival.standing):
        raise InvalidInput(field="identity_code", reason="is required of this programme's ESF participants")


PAID = "who is paid by the project is not its participant"
WHERE_PEOPLE_LIVE = ("municipality", "area")
_PHONE = re.compile(r"(?:\+[1-9]|0)[0-9]{4,14}", re.ASCII)
_EMAIL = re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", re.ASCII)


def check_contact(identity: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    """Refuse a phone number or an e-mail address that cannot be, and any of who has a protected address. Raises
    `InvalidInput` naming the member."""
    for field in CONTACT:
        if identity.get(field) and is_protected(record):
            raise InvalidInput(field=field, reason="is left out of who has a protected address")
    if (phone := identity.get("phone")) and not _PHONE.fullmatch(phone):
        raise InvalidInput(field="phone", reason="no phone number: + or 0 and digits, 5 to 15 in all")
    if (email := identity.get("email")) and not (len(email) <= 254 and _EMAIL.fullmatch(email)):
        raise InvalidInput(field="email", reason="no e-mail address")


def without_contact(identity: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """An identity as it may be kept beside this record: of who has a protected address not how they are reached."""
    gone = CONTACT if is_protected(record) else ()
    return {name: value for name, value in identity.items() if name not in gone}


def is_protected(record: Mapping[str, Any]) -> bool:
    """Whether the person has a protected address (turvakielto): then nothing says where they live, and no list has
    their name."""
    return record.get("protected_address") == "yes"


def form_filled_on(record: Mapping[str, Any]) -> str | None:
    """The day of the proof that a start form is filled: signed, or entered in EURA; None if there is none."""
    return record.get("form_signed_on") or record.get("eura_on")


TAG_CONTEXT = b"polku-tag-1"
_NOT_DECOMPOSED = str.maketrans(dict(zip("øđðłħŧı", "oddlhti", strict=True)) | {"æ": "ae", "œ": "oe"})
"""Letters that Unicode does not take apart into a letter and a mark; small ones, after folding case."""


def normalised_name(name: str) -> str:
    """A name as it is compared: its letters alone, in one case and without marks.

    So these are one: capital and small letters; ä and a, ö and o, å and a, é and e, ø and o, ß and ss (as people type
    them on another keyboard); single and double spaces, hyphens, apostrophes and full stops, and none of them
    (Mari-Anne, Mari Anne, Marianne). These stay two, and are counted as two people: ä and ae, aa and å; a name in
    another alphabet and its transliteration; all given names and only the first; a nickname; a changed or misspelt
    name; given and family name the wrong way round.
    """
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    return "".join(letter for letter in letters.translate(_NOT_DECOMPOSED) if letter.isalpha())


def is_meant(identity: Mapping[str, Any], query: Mapping[str, Any], *, protected: bool = False) -> bool:
    """Whether a person's identity is the one asked for: the identity code, or a name or token, in any case; of who is
    not `protected` also by how words of it begin, if that is asked."""
    if query.get("beginning") and not protected and _begins(identity, query.get("name") or ""):
        return True
    if query.get("identity_code"):
        return bool(_same(identity.get("identity_code"), query["identity_code"]))
    given, family = identity.get("given_name") or "", identity.get("family_name") or ""
    names = (family, f"{given} {family}", f"{family} {given}", identity.get("token"))
    return any(_same(name, query.get("name")) for name in names)


def _begins(identity: Mapping[str, Any], asked: str) -> bool:
    said = " ".join(identity.get(name) or "" for name in ("given_name", "family_name", "token"))
    words = re.split(r"[\s;-]+", said.casefold())
    wanted = re.split(r"[\s-]+", asked.casefold().strip())
    return bool(wanted[0]) and all(any(word.startswith(one) for word in words) for one in wanted)


def _same(ours: str | None, asked: str | None) -> bool:
    return bool(ours and asked) and " ".join(str(ours).split()).casefold() == " ".join(str(asked).split()).casefold()


def tag_of(identity: Mapping[str, Any], basis: str, programme: str, key: bytes) -> str | None:
    """The tag of a person (architecture §4), 64 hex digits; None if what is known of them does not allow one.

    HMAC-SHA-256 under the programme's tag key, of a context, the programme, the basis and what the basis names: so
    nothing can be compared across programmes, whatever keys they have.
    """
    if basis == "identity_code":
        code = hetu.normalise(identity.get("identity_code") or "")
        parts = [code if hetu.is_valid(code) else ""]
    else:
        names = (normalised_name(identity.get(name) or "") for name in ("family_name", "given_name"))
        parts = [*names, identity.get("birth_date") or ""]
    if not all(parts):
        return None
    message = b"\0".join(part.encode() for part in (programme, basis, *parts))
    return hmac.digest(key, TAG_CONTEXT + b"\0" + message, "sha256").hex()


AT_SENDER: Mapping[tuple[str | None, str], str] = {
    (None, "send"): "sent",
    ("sent", "withdraw"): "withdrawn",
    ("sent", "accepted"): "accepted",
    ("sent", "declined"): "declined",
    # The other side had decided before it heard that we took it back: what it decided holds.
    ("withdrawn", "accepted"): "accepted",
    ("withdrawn", "declined"): "declined",
    ("accepted", "accepted"): "accepted",  # with what became of the person
    # The other side was restored from a backup of before its decision, and has decided anew. What our taking note of
    # the first has ended stays so until somebody here sees it: no figure changes by itself.
    ("accepted", "declined"): "undone",
    ("undone", "declined"): "undone",
    ("undone", "accepted"): "accepted",
    ("declined", "accepted"): "accepted",
    ("declined", "declined"): "declined",
}
"""What a referral becomes at the node that sent it: by state and what happens there or comes by letter."""

AT_RECEIVER: Mapping[tuple[str | None, str], str] = {
    (None, "referral"): "received",
    (None, "withdrawal"): "withdrawn",  # letters have no order: the referral comes yet, and is not taken
    ("withdrawn", "referral"): "withdrawn",
    ("received", "withdrawal"): "withdrawn",
    ("received", "accept"): "accepted",
    ("received", "decline"): "declined",
    ("accepted", "tell"): "accepted",
    **{(state, "withdrawal"): state for state in ("accepted", "declined", "withdrawn")},
    **{(state, "referral"): state for state in ("received", "accepted", "declined")},
}
"""The same at the node that received it. It alone decides what both ends agree on."""


_COUNTED_FROM = datetime(2000, 1, 1, tzinfo=UTC)


def next_revision(last: int, now: datetime) -> int:
    """The number of what the receiver says next: seconds since 2000, and above the last that it knows.

    A counter would not do: restored from a backup, the receiver would give out its numbers anew for other decisions.
    """
    return max(last + 1, int((now - _COUNTED_FROM).total_seconds()))


_TAG_KEY_EVERY = timedelta(minutes=30)
"""999,999, the most that facts and letters say, come in 2057."""


def next_tag_key_no(last: int, now: datetime) -> int:
    """The number of the programme's next tag key: half hours since 2000, one key in each. `last`: of the newest here, 0
    if there is none. Raises `InvalidInput` if this half hour's has been given out.

    A counter would do as badly as above: two keys with one number, and people compared by them as if it were one.
    """
    number = (now - _COUNTED_FROM) // _TAG_KEY_EVERY
    if number <= last:
        then = f"{_COUNTED_FROM + (last + 1) * _TAG_KEY_EVERY:%Y-%m-%d %H:%M} UTC"
        raise InvalidInput(
            field="key_no", reason=f"the newest was made in this half hour, or the clock is wrong: not before {then}"
        )
    return number


def moved(table: Mapping[tuple[str | None, str], str], state: str | None, event: str) -> str:
    """The state after `event`; raises `ReferralClosed` if it cannot happen in this state."""
    if (state, event) not in table:
        raise ReferralClosed(state=state or "unknown")
    return table[state, event]


def shared_identity(identity: Mapping[str, Any], agreed: Collection[str]) -> dict[str, Any]:
    """Of an identity what the person agreed to have told. Raises `InvalidInput` if that does not name anybody."""
    if "name" not in agreed:
        raise InvalidInput(field="agreed", reason="who has not agreed to their name being told is not referred")
    names = ("given_name", "family_name")
    told = [*names] if any(identity.get(name) for name in names) else ["token"]
    if not any(identity.get(name) for name in told):
        raise InvalidInput(field="identity", reason="names nobody")
    told += [name for name in ("birth_date", "identity_code") if name in agreed]
    return {name: identity[name] for name in told if identity.get(name)}


def without_impossible(
    identity: Mapping[str, Any], programme: Programme, today: date
) -> tuple[dict[str, Any], list[str]]:
    """An identity as another partner told it, without a birth date that nobody can have and an identity code that is
    none or not asked here, and what was left out: with it the person could not be taken, whatever start day is chosen.
    """
    left_out = []
    try:
        if identity.get("birth_date"):
            _check_birth(date.fromisoformat(identity["birth_date"]), None, today)
    except InvalidInput:
        left_out.append("birth_date")
    kept = {name: value for name, value in identity.items() if name not in left_out}
    try:
        _check_code(kept)
        _check_coded(kept, None, today)
    except InvalidInput:
        left_out.append("identity_code")
    else:
        if kept.get("identity_code") and programme.identity_code == "not_asked":
            left_out.append("identity_code")
    # How to reach somebody is asked anew by whoever takes them.
    return {name: value for name, value in kept.items() if name not in (*left_out, *CONTACT)}, left_out


def start_record(told: dict[str, Any] | None, definition: Programme) -> dict[str, Any]:
    """The start record as we can keep it: left out is a key that our version of the programme file lacks, and what the
    fund's form does not take. A refusal stays with the form that proves it, which is the sender's."""
    record = {"gender": "unknown"} | {name: value for name, value in (told or {}).items() if value is not None}
    form = find_form(definition.funding_programme)
    answers = taken(form, record, here=definition.esf_record == "here")
    for name in set(QUESTIONS) & set(record):
        if name not in answers or (answers[name] == "refused" and form.question_by_key[name].special):
            del record[name]
    for name, known in (("area", definition.area_by_key), ("target_group", definition.target_group_by_key)):
        if record.get(name) not in known:
            record.pop(name, None)
    return record


@dataclass(frozen=True, slots=True)
class HandOver:
    """Whose people go to whom and why; `people`: these alone, of `programme`; `back`: those who came from `to`."""

    worker: str
    to: str
    reason: str
    programme: str | None = None
    people: Sequence[str] | None = None
    back: bool = False


LONGEST_AGO = timedelta(days=31)
"""How long ago a hand-over that is written down today may have been."""


def check_hand_over(wanted: HandOver, day: date, today: date) -> None:
    """Refuse a hand-over to the same worker, of a day that cannot be, or of people of no programme. Raises
    `InvalidInput` naming the member."""
    if wanted.worker == wanted.to:
        raise InvalidInput(field="to", reason="is the same worker")
    if day > today:
        raise InvalidInput(field="date", reason="in the future")
    if day < today - LONGEST_AGO:
        raise InvalidInput(field="date", reason=f"more than {LONGEST_AGO.days} days ago")
    if wanted.people is not None and wanted.programme is None:
        raise InvalidInput(field="programme", reason="is missing: people are of one programme")
