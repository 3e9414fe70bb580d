"""contacts.csv: how people are reached (decision 0185)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.intake.domain import check_contact
from services.node.csvcells import Cells, person_of
from services.node.csvrows import CONTACTS, OfPerson, row_key
from shared.contracts.contacts import plain_phone
from shared.contracts.errors import InvalidInput
from shared.contracts.people import CONTACT_WAYS
from shared.programmes import Programme


@dataclass(frozen=True, slots=True)
class ContactRow(OfPerson):
    """How one person is reached; the partner is the person's. A person has one row: `before` counts for nothing."""

    line: int
    participant: str
    programme: str
    partner: str
    phone: str | None
    email: str | None
    contact_way: str | None
    before: int = 0

    def __repr__(self) -> str:
        return f"<ContactRow of line {self.line}>"

    @property
    def key(self) -> str:
        """Made of whose it is alone: a digest of a telephone number could be guessed."""
        return row_key(self.programme, self.partner, CONTACTS, self.participant)


def contact(
    line: int, raw: list[str], report: Callable[[str, str], None], programmes: Mapping[str, Programme]
) -> ContactRow | None:
    """The row, its partner still blank, or None after reporting every bad cell. A number may have spaces in it."""
    cells = Cells(CONTACTS, raw, report)
    who, key, _ = person_of(cells, programmes)
    typed, email = cells.text("phone"), cells.text("email")
    phone = plain_phone(typed) if typed else None
    way = cells.one_of("contact_way", CONTACT_WAYS)
    for column, value in (("phone", phone), ("email", email)):
        try:
            check_contact({column: value}, {})
        except InvalidInput as error:
            cells.bad(column, str(error.params["reason"]))
    if cells.ok and not (phone or email or way):
        cells.bad("phone", "is empty, and so are the others: the row says nothing")
    if not cells.ok or who is None or key is None:
        return None
    return ContactRow(line, who, key, "", phone, email, way)
