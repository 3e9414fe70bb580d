"""What people read of different people across partners; part of `words`."""

PEOPLE_WORDS: dict[str, tuple[str, str, str]] = {
    "people": ("Eri ihmisiä", "Olika personer", "Different people"),
    "people_once": (
        "Ihmisiin kohdistuneessa toiminnassa oli {n} eri ihmistä. Jokainen on laskettu kerran, vaikka hän olisi ollut "
        "mukana usean toteuttajan toiminnassa.",
        "I verksamheten för enskilda personer deltog {n} olika personer. Var och en räknas en gång, också den som "
        "deltagit hos flera genomförare.",
        "{n} different people took part in activities for people. Each is counted once, also who took part with "
        "several partners.",
    ),
    "people_apart": (
        "Lisäksi {n} ihmistä ei voitu verrata muiden toteuttajien osallistujiin. Taulukoissa heidät on laskettu "
        "erikseen. Eri ihmisiä on kaikkiaan vähintään {least} ja enintään {most}.",
        "Dessutom kunde {n} personer inte jämföras med de andra genomförarnas deltagare. I tabellerna räknas de för "
        "sig. Sammanlagt är de olika personerna minst {least} och högst {most}.",
        "In addition, {n} people could not be compared with other partners' participants. The tables count them "
        "apart. In all there are at least {least} and at most {most} different people.",
    ),
    "people_not_joined": (
        "Hanke ei vertaa toteuttajien osallistujia keskenään: sama ihminen voi olla mukana usealla toteuttajalla. Eri "
        "ihmisiä on vähintään {least} ja enintään {most}.",
        "Projektet jämför inte genomförarnas deltagare med varandra: samma person kan finnas hos flera. De olika "
        "personerna är minst {least} och högst {most}.",
        "The project does not compare its partners' participants: the same person may be with several. There are at "
        "least {least} and at most {most} different people.",
    ),
    "links_now": ("Päivän työt", "Dagens arbete", "Day by day"),
    "links_people": ("Ihmisten asiat", "Personernas ärenden", "About people"),
    "links_project": ("Hanke", "Projektet", "Project"),
    "find_who": (
        "Hae nimellä, lempinimellä tai henkilötunnuksella",
        "Sök med namn, smeknamn eller personbeteckning",
        "Find by name, nickname or identity code",
    ),
    "find_button": ("Hae", "Sök", "Find"),
    "find_all": ("Näytä kaikki", "Visa alla", "Show all"),
    "found_people": ("Löytyi {n}.", "Hittade {n}.", "Found {n}."),
    "found_many_people": (
        "Löytyi {n}, joista tässä on vain {shown}. Kirjoita nimestä enemmän tai hae henkilötunnuksella.",
        "Hittade {n}, av vilka endast {shown} visas här. Skriv mer av namnet eller sök med personbeteckning.",
        "Found {n}, of whom only {shown} are shown. Type more of the name, or use the identity code.",
    ),
    "problem_find": (
        "Kirjoita nimestä vähintään kaksi kirjainta.",
        "Skriv minst två bokstäver av namnet.",
        "Type at least two letters of the name.",
    ),
}
