"""The phrases of forms that are filled at another partner. Part of the table in `words`."""

FILLED_WORDS: dict[str, tuple[str, str, str]] = {
    "filled_elsewhere": (
        "Onko lomake jo täytetty muualla?",
        "Är blanketten redan ifylld någon annanstans?",
        "Is the form filled in elsewhere already?",
    ),
    "filled_help": (
        "Kysy, jos ihminen toivoo sitä. Nimi ja syntymäaika eivät lähde täältä: muille toteuttajille menee suljettu "
        "tunniste, ja päätoteuttaja ei näe kysymystä eikä vastausta. Turvakiellossa olevasta kukaan ei kerro.",
        "Fråga om personen önskar det. Namn och födelsedatum lämnar inte det här stället: de andra genomförarna får en "
        "förseglad kod, och huvudgenomföraren ser varken fråga eller svar. Om den som har spärrmarkering berättar "
        "ingen.",
        "Ask if the person wishes it. Name and birth date do not leave this place: the other partners get a sealed "
        "code, and the lead sees neither question nor answer. Nobody tells of a person with a protected address.",
    ),
    "filled_ask": (
        "Ihminen toivoo tätä: kysy muilta toteuttajilta",
        "Personen önskar det: fråga de andra genomförarna",
        "The person wishes it: ask the other partners",
    ),
    "filled_ask_again": (
        "Ihminen toivoo tätä: kysy uudelleen",
        "Personen önskar det: fråga på nytt",
        "The person wishes it: ask again",
    ),
    "filled_at": ("Täytetty: {partner}, {day}.", "Ifylld: {partner}, {day}.", "Filled in: {partner}, {day}."),
    "filled_nowhere": (
        "Ei tiedossa muualla. Kysyttyjä toteuttajia: {n}.",
        "Inte känd någon annanstans. Tillfrågade genomförare: {n}.",
        "Not known elsewhere. Partners asked: {n}.",
    ),
    "filled_not_at": ("Ei tiedossa: {partners}.", "Inte känd: {partners}.", "Not known: {partners}."),
    "filled_waits": (
        "Vastausta odotetaan: {k} / {n}.",
        "Svar väntas: {k} av {n}.",
        "Not answered yet: {k} of {n}.",
    ),
    "filled_cannot_say": (
        "Ei voi vastata (tunnisteavain puuttuu tai hanke on siellä päätetty): {partners}.",
        "Kan inte svara (igenkänningsnyckeln saknas eller projektet är avslutat där): {partners}.",
        "Cannot answer (the key for recognising is missing, or the project is closed there): {partners}.",
    ),
    "filled_asked_on": ("Kysytty {day}.", "Frågat {day}.", "Asked on {day}."),
    "filled_not_asked": (
        "Ei kysytty, koska yhteyttä ei ole vahvistettu tai aiempiin kysymyksiin ei ole vastattu: {partners}.",
        "Inte tillfrågade, för att kontakten inte är bekräftad eller tidigare frågor är obesvarade: {partners}.",
        "Not asked, because the contact is not confirmed or earlier questions are not answered: {partners}.",
    ),
    "filled_protected": (
        "Turvakielto: muilta ei kysytä.",
        "Spärrmarkering: andra tillfrågas inte.",
        "Protected address: others are not asked.",
    ),
    "filled_asked": ("Kysymys on lähetetty.", "Frågan är skickad.", "The question has been sent."),
    "filled_asked_nobody": (
        "Uutta kysyttävää ei ollut: vastausta odotetaan, tai kenenkään yhteyttä ei ole vahvistettu.",
        "Det fanns inget nytt att fråga: svar väntas, eller ingens kontakt är bekräftad.",
        "There was nothing new to ask: an answer is awaited, or nobody's contact is confirmed.",
    ),
    "problem_filled_programme": (
        "Muilta ei voi kysyä vielä: hankkeen tunnisteavain ei ole täällä.",
        "Det går inte att fråga ännu: projektets igenkänningsnyckel finns inte här.",
        "Others cannot be asked yet: the project's key for recognising is not here.",
    ),
    "problem_filled_person": (
        "Muilta ei voi kysyä: nimi, syntymäaika tai henkilötunnus puuttuu, tai ihmisellä on turvakielto.",
        "Det går inte att fråga: namn, födelsedatum eller personbeteckning saknas, eller personen har spärrmarkering.",
        "Others cannot be asked: name, birth date or identity code is missing, or the address is protected.",
    ),
}
