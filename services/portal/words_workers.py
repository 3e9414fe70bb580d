"""The words of who works with whom, of a person's page and of handing people over."""

WORKER_WORDS: dict[str, tuple[str, str, str]] = {
    "person_page": ("ihmisen sivu", "personens sida", "the person’s page"),
    "persons_worker": ("Työntekijä", "Medarbetare", "Worker"),
    "worker_me": ("Minä", "Jag", "Me"),
    "worker_none": ("Ei vielä kenenkään", "Ingens ännu", "Nobody’s yet"),
    "worker_take": ("Otan hänet itselleni", "Jag börjar arbeta med personen", "I will work with them"),
    "worker_choose": (
        "Kuka työskentelee hänen kanssaan?",
        "Vem arbetar med personen?",
        "Who works with this person?",
    ),
    "worker_gone": ("{name} (ei enää käyttäjä)", "{name} (inte längre användare)", "{name} (no user any more)"),
    "worker_noted": ("Työntekijä on merkitty.", "Medarbetaren är antecknad.", "The worker is noted."),
    "problem_worker_changed": (
        "Työntekijää ei vaihdettu: joku muu ehti ensin. Katso, kuka hän on nyt.",
        "Medarbetaren byttes inte: någon annan hann före. Se vem det är nu.",
        "The worker was not changed: somebody else was first. See who it is now.",
    ),
    "problem_worker": ("Valitse työntekijä.", "Välj en medarbetare.", "Choose a worker."),
    "people_team": (
        "Omasi ovat ensin. Tiimi näkee kaikki.",
        "Dina egna står först. Teamet ser alla.",
        "Your own stand first. The team sees everybody.",
    ),
    "people_own_only": (
        "Näet omasi, sinulle siirretyt ja ne, joilla ei vielä ole työntekijää.",
        "Du ser dina egna, dem som har överförts till dig och dem som ännu inte har någon medarbetare.",
        "You see your own, those who were handed over to you, and those who have no worker yet.",
    ),
    "others_person": (
        "Tämä ihminen on toisen työntekijän. Koordinaattori tai hänen työntekijänsä voi siirtää hänet sinulle.",
        "En annan medarbetare arbetar med personen. Den medarbetaren eller en koordinator kan överföra personen till "
        "dig.",
        "This person is another worker’s. A coordinator, or that worker, can hand them over to you.",
    ),
    "others_person_short": ("Toisen työntekijän", "En annan medarbetares", "Another worker’s"),
    "hand_over": ("Siirrä ihmisiä", "Överför personer", "Hand people over"),
    "hand_over_lead": (
        "Kun työntekijä on poissa, lähtee tai työmäärä jaetaan uudelleen. Avoimet tehtävät siirtyvät mukana.",
        "När en medarbetare är borta, slutar eller arbetet fördelas om. De öppna uppgifterna följer med.",
        "When a worker is away, leaves, or the work is shared anew. Open tasks go along.",
    ),
    "hand_over_from": ("Keneltä", "Från vem", "From whom"),
    "hand_over_show": ("Näytä", "Visa", "Show"),
    "hand_over_to": ("Kenelle", "Till vem", "To whom"),
    "hand_over_reason": ("Miksi", "Varför", "Why"),
    "hand_over_absent": ("on poissa", "är borta", "is away"),
    "hand_over_back": ("palasi töihin", "är tillbaka", "is back"),
    "hand_over_leaves": ("lopettaa työn", "slutar", "leaves the job"),
    "hand_over_workload": ("työmäärä", "arbetsmängden", "workload"),
    "hand_over_wish": ("ihmisen toive", "personens önskemål", "the person’s wish"),
    "hand_over_since": ("Mistä päivästä", "Från vilken dag", "Since which day"),
    "hand_over_people": ("Ketkä tässä hankkeessa", "Vilka i det här projektet", "Who in this project"),
    "hand_over_counts": (
        "Tässä hankkeessa {here}, kaikissa hankkeissa {all}; avoimia tehtäviä {tasks}.",
        "I det här projektet {here}, i alla projekt {all}; öppna uppgifter {tasks}.",
        "In this project {here}, in all projects {all}; open tasks {tasks}.",
    ),
    "hand_over_ticked": ("Siirrä valitut", "Överför de valda", "Hand over those ticked"),
    "hand_over_all": (
        "Siirrä kaikki, joka hankkeessa ({n})",
        "Överför alla, i alla projekt ({n})",
        "Hand over everybody, in every project ({n})",
    ),
    "hand_over_nobody": (
        "{name} ei työskentele kenenkään kanssa.",
        "{name} arbetar inte med någon.",
        "{name} works with nobody.",
    ),
    "handed_over": ("Siirretty: {n} ihmistä.", "Överförda: {n} personer.", "Handed over: {n} people."),
    "problem_hand_over_to": (
        "Valitse, kenelle siirretään: joku muu kuin nykyinen työntekijä.",
        "Välj till vem: någon annan än den nuvarande medarbetaren.",
        "Choose to whom: somebody else than the present worker.",
    ),
    "problem_hand_over_nobody": (
        "Valitse ainakin yksi ihminen.",
        "Välj minst en person.",
        "Choose at least one person.",
    ),
    "problem_hand_over_day": (
        "Päivä voi olla tänään tai enintään kuukausi sitten.",
        "Dagen kan vara i dag eller högst en månad sedan.",
        "The day can be today or at most a month ago.",
    ),
    "problem_hand_over_changed": (
        "Mitään ei siirretty: joku näistä on jo siirtynyt toiselle. Katso luettelo uudelleen.",
        "Ingenting överfördes: någon av dem har redan en annan medarbetare. Se listan på nytt.",
        "Nothing was handed over: somebody of these is another worker’s by now. Look at the list again.",
    ),
}
