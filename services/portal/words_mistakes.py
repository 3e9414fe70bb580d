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
    "mistake_means": (
        "Kirjaus poistuu myös hankkeen luvuista. Tehtävät, jotka se avasi tai päätti, jäävät ennalleen.",
        "Registreringen försvinner också ur projektets siffror. Uppgifter som den öppnade eller avslutade blir kvar "
        "som de är.",
        "The record goes from the project's figures too. Tasks that it opened or ended stay as they are.",
    ),
}
