"""The words of coming in and coming back: a new client, what is told at the start, returning; part of `words`."""

COMING_WORDS: dict[str, tuple[str, str, str]] = {
    "register_new": ("Rekisteröi uusi asiakas", "Registrera en ny klient", "Register a new client"),
    "register_new_hint": (
        "Katso ensin, onko ihminen jo luettelossa.",
        "Se först efter om personen redan finns i listan.",
        "Look first whether they are in the list already.",
    ),
    "protected_hint": (
        "Kotikuntaa, aluetta tai yhteystietoja ei tallenneta, eikä nimi näy luetteloissa.",
        "Varken hemkommun, område eller kontaktuppgifter sparas, och namnet syns inte i listor.",
        "Neither municipality, area nor contact details are kept, and no list shows the name.",
    ),
}
