"""What people read of encounters, doors and visitors; part of `words`."""

ENCOUNTER_WORDS: dict[str, tuple[str, str, str]] = {
    # the report
    "encounters": ("Kohtaamiset", "Möten", "Encounters"),
    "encounters_caption": (
        "Etsivän ja jalkautuvan työn ja avointen ovien kohtaamiset, kävijämääriä",
        "Möten i uppsökande arbete och öppen verksamhet, antal personer",
        "Encounters in outreach and drop-in, as heads",
    ),
    "encounters_note": (
        "Kohtaamisissa ketään ei nimetä. Sama ihminen voi olla mukana monta kertaa, joten näitä lukuja ei lasketa "
        "yhteen osallistujien eikä toimintojen kävijämäärien kanssa. Jos kohtaamisella on monta aihetta tai ohjattiin "
        "moneen paikkaan, se on jokaisella rivillä.",
        "I möten namnges ingen. Samma person kan finnas med flera gånger, så de här talen läggs inte ihop med "
        "deltagare eller med verksamheternas besökarantal. Ett möte med flera ämnen eller hänvisningar finns på "
        "varje rad.",
        "Nobody is named in encounters. The same person may be in several, so these numbers are not added to "
        "participants, nor to the heads of activities. An encounter with several topics or places guided to stands in "
        "each row.",
    ),
    "encounters_all": ("Kaikki", "Alla", "All"),
    "encounters_told_by": ("Erittely", "Indelning", "Told apart by"),
    "encounters_by_location": ("Paikka", "Plats", "Location"),
    "encounters_by_area": ("Alue", "Område", "Area"),
    "encounters_by_topic": ("Aihe", "Ämne", "Topic"),
    "encounters_by_guided_to": ("Minne ohjattiin", "Vart man hänvisade", "Guided to"),
    "people_new": ("Uusia", "Nya", "New"),
    "people_known": ("Ennestään tuttuja", "Bekanta från förr", "Known before"),
    "encounters_missing": (
        "{what}: {n} kohtaamisesta ei kirjattu",
        "{what}: inte antecknat för {n} möten",
        "{what}: not recorded at {n} encounters",
    ),
    "encounters_without": ("{what}: ei kirjattu", "{what}: inte antecknat", "{what}: not recorded at"),
    "name_word": ("Nimi", "Namn", "Name"),
}
