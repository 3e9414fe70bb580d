"""What people read where something is taken back that was recorded by mistake. Part of the table in `words`."""

MISTAKE_WORDS: dict[str, tuple[str, str, str]] = {
    "mistake_removed": ("Kirjaus on poistettu.", "Registreringen är borttagen.", "The record has been removed."),
    "outcomes_recorded": ("Kirjatut tulokset", "Antecknade utfall", "Recorded outcomes"),
    "problem_pause_removed": (
        "Ihminen oli sillä välin toisessa vaiheessa, jota ei voi tehdä yhtä aikaa tämän kanssa. Taukoa ei poistettu.",
        "Personen var under tiden på ett annat steg som inte kan pågå samtidigt. Pausen togs inte bort.",
        "The person was on another step meanwhile that cannot go on at the same time. The pause was not removed.",
    ),
    "problem_form_removed": (
        "Korjattava lomake on sillä välin poistettu vahingossa kirjattuna. Jos tallennat, tästä tulee uusi lomake.",
        "Blanketten som skulle rättas har under tiden tagits bort som ett misstag. Om du sparar blir det här en ny "
        "blankett.",
        "The form to be corrected has been removed meanwhile as a mistake. If you save, this becomes a new form.",
    ),
    "wishes_recorded": (
        "Yllä on se, mitä kirjoitit. Kirjattuna on:",
        "Ovan står det som du skrev. Antecknat är:",
        "Above is what you wrote. Recorded is:",
    ),
    "problem_plan_changed": (
        "Joku muu on muuttanut suunnitelmaa sillä välin. Tässä se on nyt, ja siinä on myös se, mitä kirjoitit uutta. "
        "Tarkista ja tallenna uudelleen.",
        "Någon annan har ändrat planen under tiden. Så här är den nu, med det nya som du skrev. Kontrollera och spara "
        "på nytt.",
        "Somebody else has changed the plan in the meantime. This is how it stands, with what you wrote anew. Check it "
        "and save again.",
    ),
    "evidence_uninformed": (
        "Ei merkintää siitä, että hänelle on kerrottu henkilötietojen käsittelystä.",
        "Ingen anteckning om att personen har informerats om behandlingen av personuppgifter.",
        "No note that the person was informed of the processing of personal data.",
    ),
    "mistake_means_try": (
        "Yritys ei enää näy missään. Tehtävät, jotka se avasi tai päätti, jäävät ennalleen.",
        "Försöket syns inte längre någonstans. Uppgifter som det öppnade eller avslutade blir kvar som de är.",
        "The try is shown nowhere any more. Tasks that it opened or ended stay as they are.",
    ),
    "mistake_means_return": (
        "Aiempi lopettaminen on taas voimassa, ja lopetusilmoitus sen mukana. Avoimet tehtävät päättyvät, kuten "
        "aina, kun joku lopettaa.",
        "Det tidigare avslutet gäller igen, och blanketten för slutläge med det. Öppna uppgifter avslutas, som "
        "alltid när någon slutar.",
        "The exit before it holds again, and with it the end form. Open tasks end, as when somebody leaves.",
    ),
    "problem_before_back": (
        "Päivä on ennen paluuta. Jos paluu kirjattiin vahingossa, poista se ensin ja korjaa sitten lopettaminen.",
        "Dagen är före återkomsten. Om återkomsten antecknades av misstag, ta först bort den och rätta sedan slutet.",
        "The day is before the return. If that was recorded by mistake, remove it first, then correct the exit.",
    ),
    "mistake_means": (
        "Kirjaus poistuu myös hankkeen luvuista. Tehtävät, jotka se avasi tai päätti, jäävät ennalleen.",
        "Registreringen försvinner också ur projektets siffror. Uppgifter som den öppnade eller avslutade blir kvar "
        "som de är.",
        "The record goes from the project's figures too. Tasks that it opened or ended stay as they are.",
    ),
}
