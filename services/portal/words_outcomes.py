"""What people read of indicators, outcomes and confirmed periods; part of `words`."""

OUTCOME_WORDS: dict[str, tuple[str, str, str]] = {
    # outcomes
    "outcomes": ("Tulokset", "Utfall för deltagarna", "Outcomes"),
    "outcomes_caption": (
        "Mitä osallistujille kuului toiminnan jälkeen, eri ihmisiä",
        "Vad det blev av deltagarna, olika personer",
        "What became of the participants, different people",
    ),
    "outcome": ("Tulos", "Utfall", "Outcome"),
    "outcome_people": ("Eri ihmisiä", "Olika personer", "Different people"),
    "outcome_unknown": ("Ei tiedossa", "Okänt", "Unknown"),
    "outcome_of": ("{n} osallistujaa", "{n} deltagare", "{n} participants"),
    "outcomes_note": (
        "Se, joka on saanut kaksi tulosta, on mukana molemmissa. ”Ei tiedossa” on niiden osallistujien määrä, "
        "joilla ei ole yhtään kirjattua tulosta.",
        "Den som har två utfall ingår i båda. ”Okänt” är antalet deltagare som inte har något registrerat utfall.",
        "Whoever has two outcomes is in both. “Unknown” is the number of participants without any recorded outcome.",
    ),
    # confirmed
    "confirmed": ("Vahvistetut kaudet", "Bekräftade perioder", "Confirmed periods"),
    "confirmed_caption": (
        "Mitkä raportointikaudet kukin organisaatio on vahvistanut",
        "Vilka rapporteringsperioder varje organisation har bekräftat",
        "Which reporting periods each organisation has confirmed",
    ),
    "confirmed_note": (
        "Saapunut on se, mikä on kirjattu. Vahvistettu kausi tarkoittaa, että organisaatio on katsonut, mitä siltä "
        "ajalta on merkitsemättä tai kesken, ja vahvistanut kauden.",
        "Mottaget är det som har registrerats. En bekräftad period betyder att organisationen har sett efter vad som "
        "är omarkerat eller oavslutat och bekräftat perioden.",
        "What has arrived is what was recorded. A confirmed period means that the organisation has looked at what is "
        "unmarked or unfinished in it, and confirmed it.",
    ),
    "reporting_period": ("Raportointikausi", "Rapporteringsperiod", "Reporting period"),
    "confirmed_on": ("vahvistettu {day}", "bekräftad {day}", "confirmed {day}"),
    "not_confirmed": ("ei vahvistettu", "inte bekräftad", "not confirmed"),
    # indicators
    "indicators": ("Indikaattorit", "Indikatorer", "Indicators"),
    "indicators_caption": (
        "Millä rahoittaja seuraa hanketta: suunniteltu ja toteutunut, toteutunut sukupuolittain",
        "Vad finansiären följer projektet med: planerat och utfall, utfallet enligt kön",
        "What the funder follows the project by: planned and realised, the realised by gender",
    ),
    "indicators_note": (
        "Jokainen ihminen lasketaan hankkeessa kerran. Tunnuksella merkityissä riveissä ovat vain ne, joiden tiedot "
        "ovat täydelliset; aloittaneissa ovat kaikki.",
        "Varje person räknas en gång i projektet. Rader med kod omfattar bara dem vilkas uppgifter är fullständiga; "
        "bland dem som börjat finns alla.",
        "Everybody counts once in a project. Rows with a code hold only those whose records are complete; among those "
        "who started is everybody.",
    ),
    "unproved_records": (
        "Allekirjoitusta tai muuta vahvistusta odottaa {n} aloitustietoa: ne lasketaan vain aloittaneisiin.",
        "{n} startuppgifter väntar på underskrift eller annan bekräftelse: de finns bara bland dem som börjat.",
        "Start records that wait for a signature or other confirmation: {n}. They are only among those who started.",
    ),
    # funding
    "funding_caption": (
        "Mistä hankkeen rahat tulevat: myönnetty tai suunniteltu ja toteutunut",
        "Varifrån projektets pengar kommer: beviljat eller planerat, och utfall",
        "Where the project's money comes from: granted or planned, and realised",
    ),
    "funding_note": (
        "Luvut ovat hankkeen tiedostosta: suunniteltu sellaisena kuin se oli viimeisenä päivänä, toteuma koko "
        "hankkeelta sellaisena kuin hanke on sen itse julkaissut. Summaa ei lasketa yhteen sen kanssa, mitä se "
        "sisältää.",
        "Talen är från projektets fil: det planerade som det var den sista dagen, utfallet för hela projektet som "
        "projektet själv har publicerat det. En summa läggs inte ihop med det som den innehåller.",
        "The sums are from the project's file: planned as it held on the last day, realised of the whole project as "
        "the project itself has published it. A total is not added up with what it includes.",
    ),
    "of_which": ("Mitä sisältää", "Vad som ingår", "What it includes"),
    "realised": ("Toteutunut", "Utfall", "Realised"),
    "gender_f": ("Naisia", "Kvinnor", "Women"),
    "gender_m": ("Miehiä", "Män", "Men"),
    "gender_x": ("Muunsukupuolisia", "Av annat kön", "Non-binary"),
    "gender_unknown": ("Sukupuoli ei tiedossa", "Kön okänt", "Gender unknown"),
}
