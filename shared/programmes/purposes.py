"""What a programme processes personal data for, on which legal basis, and how long: rules as data (decision 0206).

A programme file says under `purposes` what is other than the defaults. They are what the papers say of such projects:
the fund's record is a legal obligation (reference §2.1), working with people a task in the public interest, measuring
how they fare needs a basis of its own (§7.2): consent. No time is taken for granted: the grant decision says it.
Where the obligation stands follows from the funding period (decision 0239).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.contracts.purposes import PURPOSES
from shared.documents.checking import Found, items

DEFAULT_BASIS = {"esf_record": "legal_obligation", "support": "public_task", "measurement": "consent"}

DEFAULT_LAW = {
    "esf_2014_2020": "(EU) 1303/2013, (EU) 1304/2013",
    "esf_plus_2021_2027": "(EU) 2021/1057, (EU) 2021/1060",
}
"""By funding period, where the fund's record is demanded: regulations, by numbers that all languages share. Of 2014-20
participants were told so (reference §2.1, seen). Of ESF+ the first lists the data (§1.3, seen); that the second is told
too is from memory (§7.2). Of 2007-13 our sources say nothing."""


@dataclass(frozen=True)
class Purpose:
    """One purpose; `law` in the programme file's words. `keep_until`: until that day; `keep_months`: so long after the
    person has left, or the project has ended. The later of both holds; neither: nobody has said."""

    key: str
    basis: str
    law: str = ""
    keep_until: date | None = None
    keep_months: int | None = None

    def due_on(self, ended_on: date | None, last_day: date) -> date | None:
        """The first day on which it is kept no longer; None if nobody has said how long, or the person is still in and
        the project goes on. `last_day` is the project's."""
        days = [] if self.keep_until is None else [date.fromordinal(self.keep_until.toordinal() + 1)]
        if self.keep_months is not None:
            days.append(_months_after(ended_on or last_day, self.keep_months))
        return max(days, default=None)

    def kept_by_law(self, today: date) -> date | None:
        """Until which day nobody may erase it; None: somebody may."""
        if self.basis != "legal_obligation" or self.keep_until is None or self.keep_until < today:
            return None
        return self.keep_until


def _months_after(day: date, months: int) -> date:
    """The same day of a later month, or that month's last."""
    years, month = divmod(day.month - 1 + months, 12)
    for number in range(day.day, 27, -1):
        try:
            return date(day.year + years, month + 1, number)
        except ValueError:
            continue
    return date(day.year + years, month + 1, day.day)


def purposes(document: Mapping[str, Any]) -> tuple[Purpose, ...]:
    """Every purpose, as the document says it, else by the defaults; of an empty document too, where none is in use."""
    said = {item["key"]: item for item in document.get("purposes", ())}
    return tuple(_purpose(key, said.get(key, {}), document) for key in PURPOSES)


def _purpose(key: str, item: Mapping[str, Any], document: Mapping[str, Any]) -> Purpose:
    until, basis = item.get("keep_until"), item.get("basis", DEFAULT_BASIS[key])
    by_period = DEFAULT_LAW.get(document.get("funding_programme", ""), "")
    law = item.get("law", by_period if (key, basis) == ("esf_record", "legal_obligation") else "")
    return Purpose(key, basis, law, date.fromisoformat(until) if until else None, item.get("keep_months"))


def purpose_rules(document: dict[str, Any]) -> Found:
    """What no schema can say of them."""
    seen: set[str] = set()
    for index, item in items(document, "purposes"):
        key = item.get("key")
        if isinstance(key, str):
            if key in seen:
                yield ("purposes", index, "key"), f'the purpose "{key[:40]}" stands in this list twice'
            seen.add(key)
        if key == "esf_record" and item.get("basis") == "consent":
            yield ("purposes", index, "basis"), "the fund's record is no matter of consent: nobody could withdraw it"
        if item.get("basis") == "legal_obligation" and not item.get("law"):
            yield ("purposes", index, "basis"), 'the key "law" is missing: a legal obligation stands somewhere'
        yield from _not_before_the_end(document, index, item)


def _not_before_the_end(document: dict[str, Any], index: int, item: dict[str, Any]) -> Iterable[tuple[Any, str]]:
    period = document.get("period")
    end, until = period.get("end") if isinstance(period, dict) else None, item.get("keep_until")
    if isinstance(end, str) and isinstance(until, str) and until < end:
        yield ("purposes", index, "keep_until"), "before the project ends"
