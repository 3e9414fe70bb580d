"""intake on the bus, of how people are reached: a part of the service."""

from typing import Any

from services.intake import contacts
from services.intake.sealing import inside, vault_of
from shared.bus.entrypoints import rpc
from shared.bus.home import ServiceHome
from shared.contracts.commands import load
from shared.contracts.contacts import AddContacts, Contact, ContactContent, ReadContacts, SetContact, SetLanguages
from shared.journal.sealed import seal_reply


class ContactMethods:
    """Put before intake's service class."""

    home: ServiceHome

    @rpc
    def set_contact(self, **command: Any) -> dict[str, Any]:
        body = load(SetContact, command)
        self.home.follow_to(body["after"])
        content = inside(self.home.keys, ContactContent, "sealed", body["sealed"])
        who = (self.home.journal, vault_of(self.home.keys), body["programme"], body["subject"])
        told = (content["was"], content["now"], body["contact_language"])
        return {"changed": contacts.set_contact(*who, *told, by=body["by"], now=self.home.now())}

    @rpc
    def set_languages(self, **command: Any) -> dict[str, Any]:
        body = load(SetLanguages, command)
        self.home.follow_to(body["after"])
        who, told = (self.home.journal, body["programme"], body["subject"]), (body["was"], body["now"])
        return {"changed": contacts.set_languages(*who, *told, by=body["by"], now=self.home.now())}

    @rpc
    def add_contacts(self, **command: Any) -> dict[str, Any]:
        body = load(AddContacts, command)
        self.home.follow_to(body["after"])
        new = [
            contacts.NewContact(
                item["key"], item["subject"], inside(self.home.keys, Contact, f"items.{number}.sealed", item["sealed"])
            )
            for number, item in enumerate(body["items"])
        ]
        common = {"by": body["by"], "now": self.home.now(), "skip_bad": body["skip_bad"]}
        place = (self.home.journal, vault_of(self.home.keys), body["programme"])
        return {"pos": None, "results": contacts.add_contacts(*place, new, **common)}

    @rpc
    def read_contacts(self, **command: Any) -> list[dict[str, Any]]:
        body = load(ReadContacts, command)
        common = {"by": body["by"], "now": self.home.now(), "own_only": body["own_only"]}
        place = (self.home.journal, vault_of(self.home.keys), body["programme"])
        found = contacts.read_contacts(*place, body["people"], **common)
        reply_to = body["reply_to"]
        return [
            {"person": subject, **coded, "sealed": seal_reply(reply_to, how)} for subject, (coded, how) in found.items()
        ]
