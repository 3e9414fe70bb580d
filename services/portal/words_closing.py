"""The phrases of closing a programme. Part of the table in `words`."""

CLOSING_WORDS: dict[str, tuple[str, str, str]] = {
    "closing": ("Hankkeen päättäminen", "Avsluta projektet", "Closing the project"),
    "closing_help": (
        "Kun hanke päätetään, siihen ei enää kirjata mitään uutta. Ensin jokaisella keskeneräisellä asialla on oltava "
        "loppu tai syy.",
        "När projektet avslutas antecknas inget nytt i det. Först måste allt som är öppet få ett slut eller en orsak.",
        "When the project is closed, nothing new is recorded for it. First everything that is open needs an end or a "
        "reason.",
    ),
    "closing_state_open": ("Hanke on auki.", "Projektet är öppet.", "The project is open."),
    "closing_state_closed": (
        "Päätetty {on}. Vain korjauksia voi kirjata, kunnes viimeinen kausi on vahvistettu.",
        "Avslutat {on}. Bara rättelser kan antecknas tills den sista perioden är bekräftad.",
        "Closed {on}. Only corrections can be recorded until the last period is confirmed.",
    ),
    "closing_state_final": (
        "Päätetty {on}, ja viimeinen kausi on vahvistettu: mitään ei enää korjata.",
        "Avslutat {on}, och den sista perioden är bekräftad: inget rättas längre.",
        "Closed {on}, and the last period is confirmed: nothing is corrected any more.",
    ),
    "closing_state_sealed": (
        "Päätetty {on} ja sinetöity: viimeinen rivi on kirjoitettu.",
        "Avslutat {on} och förseglat: den sista raden är skriven.",
        "Closed {on} and sealed: the last line is written.",
    ),
    "closing_due": (
        "Säilytysaika on kulunut umpeen: {n} ihmisestä on jotain, mikä kuuluu poistaa. Pyydä sitä, joka hoitaa tätä "
        "Polkua, ajamaan polku retention.",
        "Förvaringstiden har gått ut: om {n} personer finns något som ska raderas. Be den som sköter den här Polku att "
        "köra polku retention.",
        "The time for keeping has passed: of {n} people there is something to be erased. Ask whoever runs this Polku "
        "for polku retention.",
    ),
    "closing_nothing": ("Mikään ei ole tiellä.", "Inget står i vägen.", "Nothing stands in the way."),
    "closing_exit": ("Ei ole kirjattu lopettaneeksi", "Avslut saknas", "Have not left"),
    "closing_task": ("Avoimet tehtävät", "Öppna uppgifter", "Open tasks"),
    "closing_evidence": ("Lomake tai vastaus puuttuu", "Blankett eller svar saknas", "A form or an answer is missing"),
    "closing_period": ("Vahvistamattomat kaudet", "Obekräftade perioder", "Periods not confirmed"),
    "closing_receipts": (
        "Rivejä ilman päätoteuttajan kuittausta",
        "Rader utan huvudgenomförarens kvittens",
        "Lines without the lead's receipt",
    ),
    "closing_more": ("ja {n} muuta", "och {n} till", "and {n} more"),
    "closing_reason": ("Syy kaikille näille", "Orsak för alla dessa", "Reason for all of these"),
    "closing_choose": ("Valitse syy", "Välj en orsak", "Choose a reason"),
    "closing_day": ("Lopetuspäivä", "Slutdag", "Day of leaving"),
    "closing_apply": ("Kirjaa kaikille", "Anteckna för alla", "Record for all"),
    "closing_one_by_one": (
        "Yksitellen: omalta sivultaan, tai polku programme close --worklist.",
        "En i taget: på sin egen sida, eller polku programme close --worklist.",
        "One by one: on their own page, or polku programme close --worklist.",
    ),
    "closing_close": ("Päätä hanke", "Avsluta projektet", "Close the project"),
    "closing_sure": (
        "Ymmärrän, ettei hankkeeseen kirjata enää mitään uutta.",
        "Jag förstår att inget nytt längre antecknas i projektet.",
        "I understand that nothing new is recorded for the project any more.",
    ),
    "closing_sure_seal": (
        "Ymmärrän, ettei mitään voi enää lisätä eikä korjata.",
        "Jag förstår att inget kan läggas till eller rättas längre.",
        "I understand that nothing can be added or corrected any more.",
    ),
    "closing_seal": ("Kirjoita viimeinen rivi", "Skriv den sista raden", "Write the last line"),
    "closing_seal_help": (
        "Viimeisen rivin jälkeen päätoteuttaja ei ota tästä hankkeesta vastaan mitään.",
        "Efter den sista raden tar huvudgenomföraren inte emot något mer i projektet.",
        "After the last line the lead takes no more of this project.",
    ),
    "closing_archive": ("Arkisto", "Arkiv", "Archive"),
    "closing_archive_help": (
        "Tee arkisto, kun viimeinen rivi on kirjoitettu: polku programme archive {key} --out KANSIO",
        "Gör arkivet när den sista raden är skriven: polku programme archive {key} --out MAPP",
        "Make the archive when the last line is written: polku programme archive {key} --out FOLDER",
    ),
    "closing_kept": ("Kuinka kauan tiedot säilytetään", "Hur länge uppgifterna sparas", "How long the data are kept"),
    "closing_kept_not_said": (
        "hanketiedosto ei kerro",
        "projektfilen säger det inte",
        "the programme file does not say",
    ),
    "closing_kept_until": ("{day} asti", "till och med {day}", "until {day}"),
    "closing_kept_months": ("{n} kk lopettamisesta", "{n} mån. efter avslutet", "{n} months after leaving"),
    "closing_esf_record": ("Aloitus- ja lopetustiedot", "Start- och slutuppgifter", "Start and exit records"),
    "closing_support": ("Työ ihmisten kanssa", "Arbetet med personerna", "Working with people"),
    "closing_measurement": ("Miten ihmisillä menee", "Hur personerna mår", "How people fare"),
    "closing_left": ("Jätetty auki syystä: {n}", "Lämnat öppet av en orsak: {n}", "Left open for a reason: {n}"),
    "closing_left_not_obtainable": ("Ei enää saatavissa", "Går inte längre att få", "Cannot be had any more"),
    "closing_left_agreed_with_funder": (
        "Sovittu rahoittajan kanssa",
        "Avtalat med finansiären",
        "Agreed with the funder",
    ),
    "closing_left_not_over": ("Kausi on kesken", "Perioden pågår", "The period is not over"),
    "closing_left_on_its_way": ("Matkalla", "På väg", "On its way"),
    "closing_left_restricted": ("Käsittelyä rajoitettu", "Behandlingen begränsad", "Processing restricted"),
    "closing_done": ("Kirjattu.", "Antecknat.", "Recorded."),
    "problem_closing_refused": (
        "{n} lopettamista ei voinut kirjata: avaa ihmisen oma sivu, siellä lukee miksi.",
        "{n} avslut kunde inte antecknas: öppna personens egen sida, där står varför.",
        "{n} exits could not be recorded: open the person's own page, which says why.",
    ),
    "problem_closing_blocked": (
        "Hanketta ei päätetty: jotain on vielä auki.",
        "Projektet avslutades inte: något är ännu öppet.",
        "The project was not closed: something is still open.",
    ),
    "problem_closing_seal": (
        "Viimeistä riviä ei kirjoitettu: kausi on vahvistamatta, tai kaikki ei ole vielä perillä. Yritä uudelleen.",
        "Den sista raden skrevs inte: en period är obekräftad, eller allt har inte kommit fram. Försök igen.",
        "The last line was not written: a period is not confirmed, or not everything has been heard. Try again.",
    ),
    "problem_closing_reason": ("Valitse syy ja päivä.", "Välj orsak och dag.", "Choose a reason and a day."),
    "problem_closing_sure": (
        "Merkitse ruutu, jos haluat päättää hankkeen.",
        "Kryssa för rutan om du vill avsluta projektet.",
        "Tick the box if you want to close the project.",
    ),
    "refused_closed": (
        "Hanke on päätetty tämän toteuttajan osalta: siihen ei enää kirjata mitään uutta.",
        "Projektet är avslutat för den här genomförarens del: inget nytt antecknas i det.",
        "The project is closed at this partner: nothing new is recorded for it.",
    ),
}
