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
    "came_back": ("Ihminen on palannut", "Personen har kommit tillbaka", "They have come back"),
    "came_back_means": (
        "Aloitus pysyy ensimmäisenä, lopetus poistuu. Uusi lopetus kirjataan, kun ihminen taas lopettaa.",
        "Starten förblir den första, avslutet faller bort. Ett nytt avslut antecknas när personen lämnar igen.",
        "The start stays the first one, the exit falls away. A new exit is recorded when they leave again.",
    ),
    "came_back_day": ("Palasi", "Kom tillbaka", "Came back on"),
    "came_back_save": ("Kirjaa paluu", "Anteckna återkomsten", "Record the return"),
    "came_back_saved": ("Paluu on kirjattu.", "Återkomsten är antecknad.", "The return is recorded."),
    "came_back_on": ("Palasi {day}.", "Kom tillbaka {day}.", "Came back on {day}."),
    "problem_back": (
        "Paluu ei voi olla ennen lopetusta eikä tulevaisuudessa.",
        "Återkomsten kan inte vara före avslutet eller i framtiden.",
        "The return can be neither before the exit nor in the future.",
    ),
    "problem_back_person": (
        "Ihminen ei ole lopettanut, joten paluuta ei voi kirjata.",
        "Personen har inte lämnat projektet, så ingen återkomst kan antecknas.",
        "They have not left, so no return can be recorded.",
    ),
    # informed
    "informed_title": ("Tietosuojasta kertominen", "Information om dataskydd", "Being informed"),
    "informed_never": (
        "Ei kirjattu, että ihmiselle olisi kerrottu tietojen käsittelystä.",
        "Det är inte antecknat att personen har informerats om behandlingen.",
        "It is not recorded that the person was informed about the processing.",
    ),
    "informed_add": ("Kirjaa kertominen", "Anteckna informationen", "Record it"),
    "informed_notice": ("Tietosuojaselosteen versio", "Dataskyddsbeskrivningens version", "Version of the notice"),
    "informed_notice_hint": ("Numero selosteessa.", "Numret i beskrivningen.", "The number on the notice."),
    "informed_consents": ("Ihminen suostuu", "Personen samtycker till", "The person agrees to"),
    "informed_consents_hint": (
        "Vain tähän tarvitaan suostumus. Tyhjä: ei suostu, tai ei kysytty. Aiempi suostumus ei peruunnu tästä.",
        "Bara för detta behövs samtycke. Tomt: nej, eller inte frågat. Ett tidigare samtycke återkallas inte härmed.",
        "Consent is needed for this alone. Empty: no, or not asked. An earlier consent is not withdrawn by it.",
    ),
    "informed_then": (
        "{day}, seloste {notice}, {language}; suostui: {agreed}",
        "{day}, beskrivning {notice}, {language}; samtyckte till: {agreed}",
        "{day}, notice {notice}, {language}; agreed to: {agreed}",
    ),
    "informed_no_consent": ("ei mihinkään", "inget", "nothing"),
    "rights_done_informed": ("Kirjattu.", "Antecknat.", "Recorded."),
    "problem_notice": (
        "Anna selosteen versio numerona, 1–9999.",
        "Ange beskrivningens version som ett nummer, 1–9999.",
        "Give the notice's version as a number, 1–9999.",
    ),
    "problem_informed_day": (
        "Päivä ei voi olla tulevaisuudessa eikä yli vuosi ennen hanketta.",
        "Dagen kan inte vara i framtiden eller mer än ett år före projektet.",
        "The day can be neither in the future nor more than a year before the project.",
    ),
    "problem_consent_older": (
        "Suostumus on peruttu myöhemmin kuin valittuna päivänä. Uusi suostumus merkitään sille päivälle, jona se "
        "annettiin.",
        "Samtycket har återkallats senare än på den valda dagen. Ett nytt samtycke antecknas på den dag då det gavs.",
        "The consent was withdrawn later than on the chosen day. A new one is written down on the day it was given.",
    ),
    # service language
    "service_language": ("Palvelukieli", "Servicespråk", "Language of service"),
    "interpreter": ("Tarvitsee tulkin", "Behöver tolk", "Needs an interpreter"),
    "problem_language_changed": (
        "Joku muu muutti kieltä juuri. Katso se uudelleen.",
        "Någon annan ändrade språket just nu. Se det på nytt.",
        "Somebody else has just changed the language. Look at it again.",
    ),
    "language_noted": ("Kieli on tallennettu.", "Språket är sparat.", "The language is saved."),
    # missing evidence
    "field_paid_by_project": (
        "kysymys, maksaako hanke hänelle",
        "frågan om projektet betalar personen",
        "whether the project pays them",
    ),
}
