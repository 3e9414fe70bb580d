"""The phrases of a controller's sample. Part of the table in `words`."""

SAMPLE_WORDS: dict[str, tuple[str, str, str]] = {
    "sample": ("Tarkastajan otos", "Granskarens stickprov", "Controller's sample"),
    "sample_help": (
        "Päätoteuttaja arpoo rivit luvun takaa ja antaa ne tiedostona. Avaa tiedosto tässä: näet, keitä rivit ovat ja "
        "mikä on näyttö. Tiedostossa ei ole nimiä.",
        "Huvudgenomföraren drar rader bakom en siffra och ger dem som en fil. Öppna filen här: du ser vilka raderna är "
        "och vad underlaget är. Filen innehåller inga namn.",
        "The lead draws rows behind a figure and gives them as a file. Open the file here: you see who the rows are "
        "and what the evidence is. The file has no names.",
    ),
    "sample_draw_help": (
        "Arvo rivit luvun takaa. Saat tiedoston, jossa on rivinumeroita eikä yhtään nimeä. Anna se toteuttajille: he "
        "näkevät omat ihmisensä ja heidän lomakkeensa, tai kohtaamisensa.",
        "Dra rader bakom en siffra. Du får en fil med radnummer och inga namn. Ge den till genomförarna: de ser sina "
        "egna personer och deras blanketter, eller sina möten.",
        "Draw rows behind a figure. You get a file with line numbers and no names. Give it to the partners: they see "
        "their own people and their forms, or their encounters.",
    ),
    "sample_draw": ("Arvo ja lataa tiedosto", "Dra och ladda ner filen", "Draw and download the file"),
    "sample_outcome": ("Tulos", "Utfall", "Outcome"),
    "sample_step": ("Vaihe", "Steg", "Step"),
    "sample_clock": ("Kello", "Klockan", "Time"),
    "sample_step_hint": (
        "Vaiheet lasketaan hankkeen alusta: ensimmäinen päivä ei rajaa niitä.",
        "Stegen räknas från projektets början: den första dagen begränsar dem inte.",
        "Steps are counted from the project's start: the first day does not limit them.",
    ),
    "sample_recorded": ("Kirjattu", "Antecknat", "Written down"),
    "sample_started": ("Aloittaneita osallistujia", "Deltagare som börjat", "Participants started"),
    "sample_seed_hint": (
        "Jätä tyhjäksi: siemen arvotaan, ja se lukee tiedostossa. Samalla siemenellä saa samat rivit uudelleen.",
        "Lämna tomt: fröet dras och står i filen. Med samma frö får man samma rader på nytt.",
        "Leave empty: a seed is made and stands in the file. The same seed gives the same rows again.",
    ),
    "problem_sample_size": (
        "Anna luku väliltä 1–200.",
        "Ange ett tal mellan 1 och 200.",
        "Give a number from 1 to 200.",
    ),
    "problem_sample_seed": (
        "Siemenessä on numeroita 0–9 ja kirjaimia a–f, parillinen määrä.",
        "Fröet har siffror 0–9 och bokstäver a–f, ett jämnt antal.",
        "A seed has digits 0–9 and letters a–f, an even number of them.",
    ),
    "problem_sample_days": (
        "Näistä päivistä ei voi arpoa: tarkista järjestys.",
        "Det går inte att dra av dessa dagar: kontrollera ordningen.",
        "Nothing can be drawn of these days: check their order.",
    ),
    "sample_file": ("Otoksen tiedosto", "Stickprovets fil", "The sample's file"),
    "sample_show": ("Näytä", "Visa", "Show"),
    "sample_another": ("Avaa toinen tiedosto", "Öppna en annan fil", "Open another file"),
    "sample_figure": ("Luku", "Siffra", "Figure"),
    "sample_rows": ("Rivejä", "Rader", "Rows"),
    "sample_of": ("{n} / {all}", "{n} / {all}", "{n} / {all}"),
    "sample_seed": ("Arvonnan siemen", "Dragningens frö", "Seed of the draw"),
    "sample_line": ("Rivi {n}", "Rad {n}", "Line {n}"),
    "sample_erased": (
        "Tiedot on poistettu sen jälkeen.",
        "Uppgifterna har raderats sedan dess.",
        "The data have been erased since.",
    ),
    "sample_removed": (
        "Kirjaus on sen jälkeen poistettu virheellisenä.",
        "Registreringen har sedan dess tagits bort som felaktig.",
        "The record has been taken back since as a mistake.",
    ),
    "sample_unknown": (
        "Tällaista riviä ei ole täällä.",
        "Någon sådan rad finns inte här.",
        "There is no such line here.",
    ),
    "sample_others": (
        "{n} riviä on muiden toteuttajien.",
        "{n} rader är andra genomförares.",
        "{n} rows are other partners'.",
    ),
    "sample_nobody": (
        "Otoksessa ei ole täkäläisiä rivejä.",
        "Stickprovet har inga rader härifrån.",
        "The sample has no rows from here.",
    ),
    "problem_sample_file": (
        "Tämä ei ole päätoteuttajan otostiedosto.",
        "Det här är inte en stickprovsfil från huvudgenomföraren.",
        "This is no sample file of the lead's.",
    ),
    "problem_sample_programme": (
        "Tiedosto on toisesta hankkeesta.",
        "Filen är från ett annat projekt.",
        "The file is of another project.",
    ),
}
