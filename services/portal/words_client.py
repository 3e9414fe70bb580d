"""What people read of who leaves without the fund's record, and of the dead. Part of the table in `words`."""

CLIENT_WORDS: dict[str, tuple[str, str, str]] = {
    "client_leaves": (
        "Hänellä ei ole aloituspäivää. Lopettaminen jää tänne eikä näy hankkeen luvuissa. Hänen avoimet tehtävänsä "
        "ja vaiheensa päättyvät.",
        "Personen har ingen startdag. Avslutet stannar här och syns inte i projektets siffror. Personens öppna "
        "uppgifter och steg avslutas.",
        "There is no start day. That they left stays here and is in none of the project's figures. Their open tasks "
        "and steps end.",
    ),
    "client_starts": (
        "Jos hän on hankkeen osallistuja, täytä ensin:",
        "Om personen är deltagare i projektet, fyll först i:",
        "If they are a participant of the project, fill in first:",
    ),
    "client_back_means": (
        "Lopetus poistuu, ja se, mitä häneltä kysytään toistuvasti, alkaa uudelleen.",
        "Avslutet faller bort, och det som frågas regelbundet börjar på nytt.",
        "That they left falls away, and what is asked of them again and again begins anew.",
    ),
    "has_died": ("kuoli {day}", "avled {day}", "died on {day}"),
    "problem_died": (
        "{who}: kuollut {day}. Sen jälkeiselle päivälle ei voi kirjata mitään.",
        "{who}: avliden {day}. För dagarna efter det kan inget antecknas.",
        "{who}: died on {day}. Nothing can be recorded for a day after that.",
    ),
    "problem_register_refused": (
        "Tätä ei voitu tallentaa. Tarkista päivä, kesto ja paikka.",
        "Det här kunde inte sparas. Kontrollera datum, längd och plats.",
        "This could not be saved. Check the day, the length and the place.",
    ),
}
