"""The words of two people who may be one."""

DUPLICATE_WORDS: dict[str, tuple[str, str, str]] = {
    "duplicates": ("Sama ihminen kahdesti?", "Samma person två gånger?", "The same person twice?"),
    "duplicates_lead": (
        "Näiden kahden tiedot ovat lähellä toisiaan. Sano, ovatko he sama ihminen. Tietoja ei yhdistetä; raportti "
        "laskee heidät yhdeksi, ja sen voi perua.",
        "Uppgifterna om de här två ligger nära varandra. Säg om det är samma person. Uppgifterna slås inte ihop; "
        "rapporten räknar dem som en, och det kan tas tillbaka.",
        "What is known of these two is close. Say whether they are one person. Nothing is merged; the report counts "
        "them as one, and that can be taken back.",
    ),
    "pairs_waiting": ("Katsomatta: {n}", "Ogranskade: {n}", "Not looked at: {n}"),
    "pairs_judged": ("Kaikki parit: {n}", "Alla par: {n}", "All pairs: {n}"),
    "pairs_none": ("Ei pareja, joita pitäisi katsoa.", "Inga par att granska.", "No pairs to look at."),
    "pairs_show_judged": ("Näytä myös jo katsotut", "Visa också de granskade", "Show those looked at too"),
    "pairs_show_waiting": ("Näytä vain katsomattomat", "Visa bara de ogranskade", "Show only those not looked at"),
    "pair_likely": ("Todennäköisesti sama", "Sannolikt samma", "Likely the same"),
    "pair_maybe": ("Ehkä sama", "Kanske samma", "Maybe the same"),
    "pair_score": ("{n} / 100", "{n} / 100", "{n} / 100"),
    "pair_token": ("Lempinimi", "Smeknamn", "Nickname"),
    "pair_unknown": ("ei tiedossa", "inte känt", "not known"),
    "pair_same": ("Sama ihminen", "Samma person", "The same person"),
    "pair_apart": ("Eri ihmiset", "Två personer", "Not the same"),
    "pair_later": ("Myöhemmin", "Senare", "Later"),
    "pair_unlink": ("Peru: eri ihmiset", "Ta tillbaka: två personer", "Take back: not the same"),
    "pair_is_same": ("Merkitty samaksi ihmiseksi.", "Antecknade som samma person.", "Noted as the same person."),
    "pair_is_apart": ("Merkitty eri ihmisiksi.", "Antecknade som två personer.", "Noted as not the same."),
    "pair_noted_same": (
        "Merkitty: sama ihminen. Raportti laskee heidät yhdeksi.",
        "Antecknat: samma person. Rapporten räknar dem som en.",
        "Noted: the same person. The report counts them as one.",
    ),
    "pair_noted_apart": ("Merkitty: eri ihmiset.", "Antecknat: två personer.", "Noted: not the same."),
    "problem_pair_changed": (
        "Joku muu ehti sanoa tästä parista toisin. Katso se uudelleen.",
        "Någon annan hann säga annat om det här paret. Se på det på nytt.",
        "Somebody else has said otherwise of this pair meanwhile. Look at it again.",
    ),
    "speaks_for": ("Puolesta", "För", "For"),
    "speaks_against": ("Vastaan", "Emot", "Against"),
    "speaks_nothing": ("Ei mitään", "Ingenting", "Nothing"),
    "speaks_for_code": ("Sama henkilötunnus", "Samma personbeteckning", "The same identity code"),
    "speaks_for_names": ("Samat nimet", "Samma namn", "The same names"),
    "speaks_for_names_near": ("Nimet melkein samat", "Namnen nästan lika", "Names nearly the same"),
    "speaks_for_names_swapped": (
        "Samat nimet toisin päin",
        "Samma namn i omvänd ordning",
        "The same names the other way round",
    ),
    "speaks_for_token": ("Sama lempinimi", "Samma smeknamn", "The same nickname"),
    "speaks_for_born": ("Sama syntymäaika", "Samma födelsedatum", "The same birth date"),
    "speaks_for_born_near": (
        "Syntymäajat melkein samat: yksi numero, tai päivä ja kuukausi toisin päin",
        "Födelsedatumen nästan lika: en siffra, eller dag och månad ombytta",
        "Birth dates nearly the same: one digit, or day and month swapped",
    ),
    "speaks_against_code": ("Eri henkilötunnukset", "Olika personbeteckningar", "Different identity codes"),
    "speaks_against_given": (
        "Sama sukunimi, mutta aivan eri etunimi: sisarukset?",
        "Samma efternamn men helt annat förnamn: syskon?",
        "One family name, but quite another given name: siblings?",
    ),
    "speaks_against_names": ("Eri nimet", "Olika namn", "Different names"),
    "speaks_against_born": ("Eri syntymäajat", "Olika födelsedatum", "Different birth dates"),
}
