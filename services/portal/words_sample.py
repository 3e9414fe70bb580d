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
    "sample_unknown": (
        "Tällaista aloitustietoa ei ole täällä.",
        "Någon sådan utgångsuppgift finns inte här.",
        "There is no such start record here.",
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
