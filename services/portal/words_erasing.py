"""What is read on the pages on which a person is corrected or erased, and on their receipt; part of `words`."""

KINDS_ERASED: tuple[tuple[str, str], ...] = (
    ("intake.participation_started", "erases_start"),
    ("intake.participation_", "erases_exit"),
    ("intake.exit_form", "erases_exit"),
    ("intake.client_", "erases_exit"),
    ("intake.follow_up", "erases_follow_up"),
    ("intake.record_attempted", "erases_attempts"),
    ("intake.attempt", "erases_attempts"),
    ("intake.eura_entered", "erases_eura"),
    ("activities.attendance", "erases_attendance"),
    ("activities.conversation", "erases_talks"),
    ("activities.action", "erases_agreed"),
    ("activities.meeting", "erases_agreed"),
    ("pathways.step", "erases_steps"),
    ("pathways.pause", "erases_steps"),
    ("pathways.plan", "erases_plan"),
    ("pathways.outcome", "erases_outcomes"),
    ("pathways.task", "erases_tasks"),
    ("pathways.person_left", "erases_other"),
    ("intake.referral", "erases_referrals"),
    ("intake.visit", "erases_visits"),
    ("measurement.answers", "erases_answers"),
    ("measurement.assessment", "erases_answers"),
    ("measurement.score", "erases_scores"),
)
"""What a kind of line is, to whoever decides about erasing it, by how the kind begins; else `erases_other`."""

ERASING_WORDS: dict[str, tuple[str, str, str]] = {
    # correcting
    "correct_who": ("Korjaa henkilötietoja", "Rätta personuppgifter", "Correct who they are"),
    "correct_means": (
        "Korjaa vain se, mikä on väärin. Vanha tieto jää ihmisen omaan kopioon ja poistuu hänen mukanaan.",
        "Rätta bara det som är fel. Den gamla uppgiften står kvar i personens egen kopia och raderas med personen.",
        "Correct only what is wrong. What it was stays in the person's own copy, and goes with the person.",
    ),
    "correct_token": ("Lempinimi tai tunnus", "Smeknamn eller kännetecken", "Nickname or token"),
    "correct_identity_code": ("Henkilötunnus", "Personbeteckning", "Identity code"),
    "correct_code_hint": (
        "Tyhjä, jos sitä ei saa tai tarvitse kysyä.",
        "Tomt, om den inte får eller behöver frågas.",
        "Empty, if it may not or need not be asked.",
    ),
    "code_required_hint": (
        "Hankkeen osallistujilta kysytään henkilötunnus.",
        "Projektets deltagare tillfrågas om sin personbeteckning.",
        "The project's participants are asked for their identity code.",
    ),
    "code_required_later": (
        "Tarvitaan viimeistään aloitusilmoituksessa. Syntymäaika tulee siitä itsestään.",
        "Behövs senast på utgångsblanketten. Födelsedatumet följer av den.",
        "Needed on the start form at the latest. The birth date follows from it.",
    ),
    "problem_code_required": (
        "Henkilötunnus puuttuu: hanke kysyy sen jokaiselta osallistujaltaan.",
        "Personbeteckningen saknas: projektet frågar varje deltagare om den.",
        "The identity code is missing: the project asks each of its participants for it.",
    ),
    "problem_born_otherwise": (
        "Syntymäaika ei ole sama kuin henkilötunnuksessa. Tarkista se, tai korjaa tunnus sivulla Oikeudet.",
        "Födelsedatumet är ett annat än i personbeteckningen. Kontrollera det, eller rätta beteckningen på sidan "
        "Rättigheter.",
        "The birth date is another than the identity code tells. Check it, or correct the code on the page Rights.",
    ),
    "correct_protected": ("Turvakielto", "Spärrmarkering", "Protected address"),
    "correct_protected_hint": (
        "Kun turvakielto kirjataan, kotikunta, alue ja yhteystiedot poistetaan eikä nimi näy luetteloissa.",
        "När spärrmarkeringen antecknas raderas hemkommun, område och kontaktuppgifter, och namnet syns inte i listor.",
        "Once it is noted, municipality, area and contact details are deleted, and no list shows the name.",
    ),
    "correct_save": ("Tallenna korjaus", "Spara rättelsen", "Save the correction"),
    "correct_start": ("Aloitusilmoituksen tiedot", "Utgångsblankettens uppgifter", "What the start form says"),
    "correct_contact": (
        "Yhteystiedot ja työntekijä",
        "Kontaktuppgifter och medarbetare",
        "Contact details and worker",
    ),
    "problem_identity_code": (
        "Henkilötunnus ei ole oikea, tai se ei sovi syntymäaikaan tai aloituspäivään.",
        "Personbeteckningen är inte riktig, eller passar inte ihop med födelsedatumet eller startdagen.",
        "The identity code is not valid, or does not fit the birth date or the start day.",
    ),
    "problem_token_or_name": (
        "Anna nimi, lempinimi tai tunnus.",
        "Ange ett namn, ett smeknamn eller ett kännetecken.",
        "Give a name, a nickname or a token.",
    ),
    "problem_too_long": ("Teksti on liian pitkä.", "Texten är för lång.", "The text is too long."),
    "problem_not_corrected": (
        "Korjausta ei voi tallentaa näin: jokin tieto on ristiriidassa muiden kanssa.",
        "Rättelsen kan inte sparas så här: någon uppgift går inte ihop med de andra.",
        "The correction cannot be saved like this: something contradicts the rest.",
    ),
    # erasing
    "erase": ("Poista", "Radera", "Erase"),
    "rights_erase": ("Poista tietoja", "Radera uppgifter", "Erase data"),
    "rights_erase_means": (
        "Kun ihminen pyytää poistoa. Ennen poistamista näet, mitä häviää ja mitä täytyy säilyttää.",
        "När personen ber om radering. Före raderingen ser du vad som försvinner och vad som måste sparas.",
        "When the person asks for it. Before anything is erased you see what goes and what has to be kept.",
    ),
    "rights_erase_who": (
        "Poistamisesta päättää koordinaattori: pyydä häntä.",
        "Koordinatorn beslutar om radering: vänd dig till koordinatorn.",
        "A coordinator decides about erasing: ask one.",
    ),
    "erase_all": ("Kaikki tässä hankkeessa", "Allt i det här projektet", "Everything in this project"),
    "erase_goes": ("Poistetaan", "Raderas", "Will be erased"),
    "erase_nothing": (
        "Tätä varten ei ole kirjattu mitään.",
        "Inget har antecknats för detta.",
        "Nothing is recorded for this.",
    ),
    "erase_identity": (
        "Nimi, syntymäaika, henkilötunnus, yhteystiedot ja kaikki muu, mistä ihmisen tunnistaa.",
        "Namn, födelsedatum, personbeteckning, kontaktuppgifter och allt annat som personen känns igen på.",
        "Name, birth date, identity code, contact details and whatever else the person is known by.",
    ),
    "erase_to_lead": (
        "Näistä {n} on myös päätoteuttajalla, ilman nimeä. Se poistaa ne, kun saa tiedon.",
        "Av dessa finns {n} också hos huvudgenomföraren, utan namn. Den raderar dem när den får veta det.",
        "The lead has {n} of these too, without a name. It erases them when it hears of it.",
    ),
    "erase_kept": ("Täytyy säilyttää", "Måste sparas", "Has to be kept"),
    "kept_by_law": (
        "{purpose}: säilytetään {day} asti ({law}). Sitä ennen tätä ei voi poistaa.",
        "{purpose}: sparas till {day} ({law}). Före det går det inte att radera.",
        "{purpose}: kept until {day} ({law}). Before that it cannot be erased.",
    ),
    "erase_no_day": (
        "{purpose}: lakisääteinen velvoite, mutta hankkeen tiedostossa ei ole päivää, johon asti se säilytetään. "
        "Tarkista rahoituspäätöksestä, ennen kuin poistat.",
        "{purpose}: rättslig förpliktelse, men projektets fil säger inte till vilken dag det sparas. Kontrollera "
        "finansieringsbeslutet innan du raderar.",
        "{purpose}: a legal obligation, but the project's file names no day until which it is kept. Check the grant "
        "decision before you erase.",
    ),
    "erase_instead": ("Nämä voi poistaa heti:", "De här går att radera genast:", "These can be erased at once:"),
    "erase_stays": ("Säilyy", "Finns kvar", "Stays"),
    "erase_left": ("Mitä jää jäljelle", "Vad som blir kvar", "What is left"),
    "erase_restricted": (
        "Käsittelyä on rajoitettu. Varmista, että ihminen ei enää tarvitse tietoja.",
        "Behandlingen är begränsad. Försäkra dig om att personen inte längre behöver uppgifterna.",
        "Processing is restricted. Make sure that the person does not need the data any more.",
    ),
    "erase_sure": (
        "Ihminen on pyytänyt poistoa, ja olen lukenut tämän. Poistettua ei saa takaisin.",
        "Personen har bett om radering, och jag har läst det här. Det raderade går inte att få tillbaka.",
        "The person has asked for it, and I have read this. What is erased cannot be brought back.",
    ),
    "erase_now": ("Poista lopullisesti", "Radera för gott", "Erase for good"),
    "erase_back": ("Älä poista", "Radera inte", "Do not erase"),
    "stays_identity": (
        "Nimi ja muut henkilötiedot, niin kauan kuin jotain muuta säilyy",
        "Namn och andra personuppgifter, så länge något annat finns kvar",
        "Name and other personal details, as long as anything else is kept",
    ),
    "problem_erase_sure": (
        "Merkitse, että ihminen on pyytänyt poistoa.",
        "Kryssa för att personen har bett om radering.",
        "Tick that the person has asked for it.",
    ),
    "problem_erase_changed": (
        "Ihmisestä on kirjattu jotain sen jälkeen, kun avasit sivun. Mitään ei poistettu: katso uudelleen.",
        "Något har antecknats om personen efter att du öppnade sidan. Inget raderades: se på nytt.",
        "Something was recorded about the person after you opened this page. Nothing was erased: look again.",
    ),
    "problem_erase_kept": (
        "Mitään ei poistettu: laki vaatii säilyttämään tämän.",
        "Inget raderades: lagen kräver att detta sparas.",
        "Nothing was erased: the law wants this kept.",
    ),
    "problem_erase_unsure": (
        "Vastausta ei saatu, joten ei tiedetä, poistettiinko tiedot. Avaa ihmisen oikeuksien sivu hetken kuluttua "
        "uudelleen: jos sivua ei enää ole tai siinä on poiston päivä, tiedot on poistettu. Muuten poista uudelleen.",
        "Inget svar kom, så det är oklart om uppgifterna raderades. Öppna sidan om personens rättigheter på nytt om en "
        "stund: om sidan inte finns längre eller om där står vilken dag de raderades, är de raderade. Radera annars "
        "på nytt.",
        "No answer came, so nobody knows whether the data were erased. Open the page of the person’s rights again in a "
        "moment: if there is no such page any more, or it gives the day of erasing, they are erased. If not, erase "
        "again.",
    ),
    "erased_title": ("Tiedot on poistettu", "Uppgifterna är raderade", "The data are erased"),
    "erased_all": (
        "{node} poisti {day} yhden ihmisen kaikki tiedot tästä hankkeesta. Tällä sivulla ei ole nimeä, koska sitä ei "
        "enää ole.",
        "{node} raderade {day} en persons alla uppgifter i det här projektet. Den här sidan nämner inget namn, för det "
        "finns inte längre.",
        "On {day} {node} erased all data about one person in this project. This page gives no name, since there is "
        "none any more.",
    ),
    "erased_people": ("Takaisin ihmisiin", "Tillbaka till personerna", "Back to the people"),
    "left_lead": (
        "Siihen asti, kun päätoteuttaja on vastannut: yksi rivi, jossa on satunnainen numero",
        "Tills huvudgenomföraren har svarat: en rad med ett slumpmässigt nummer",
        "Until the lead has answered: one line with a random number",
    ),
    "left_figures": (
        "Luvut jo julkaistuissa raporteissa; niissä ei ole nimiä",
        "Siffror i redan publicerade rapporter; de innehåller inga namn",
        "Figures in reports published before; they name nobody",
    ),
    "left_digests": (
        "Tarkistussummat, joista ei voi lukea mitään",
        "Kontrollsummor som inget kan läsas ur",
        "Digests, from which nothing can be read",
    ),
    "left_backups": (
        "Varmuuskopiot, enintään 30 päivää",
        "Säkerhetskopior, högst 30 dagar",
        "Backups, for at most 30 days",
    ),
    "left_files": (
        "Tietokannan vanhat tiedostonosat, kunnes ne kirjoitetaan yli",
        "Gamla delar av databasens filer, tills de skrivs över",
        "Old parts of the database's files, until they are written over",
    ),
    "erases_start": (
        "Aloitusilmoitus ja sen muutokset",
        "Utgångsblanketten och dess ändringar",
        "Start form, changes to it",
    ),
    "erases_exit": (
        "Lopettaminen ja lopetusilmoitus",
        "Avslut och blankett för slutläge",
        "Leaving and exit form",
    ),
    "erases_follow_up": ("Yhteydenotot jälkeenpäin", "Kontakter efteråt", "Contacts afterwards"),
    "erases_attempts": ("Yritykset saada lomake", "Försök att få blanketten", "Tries to get a form"),
    "erases_eura": ("Merkinnät EURAan tallentamisesta", "Anteckningar om införing i EURA", "Notes on entries in EURA"),
    "erases_attendance": ("Läsnäolot", "Närvaro", "Attendance"),
    "erases_talks": ("Keskustelut", "Samtal", "Conversations"),
    "erases_agreed": ("Sovitut asiat ja tapaamiset", "Överenskommelser och träffar", "Agreed actions and meetings"),
    "erases_steps": ("Vaiheet", "Steg", "Steps"),
    "erases_plan": ("Suunnitelma", "Planen", "Plan"),
    "erases_outcomes": ("Tulokset", "Utfall", "Outcomes"),
    "erases_tasks": ("Työntekijän tehtävät", "Medarbetarens uppgifter", "The worker's tasks"),
    "erases_referrals": ("Ohjaukset", "Hänvisningar", "Referrals"),
    "erases_visits": ("Käynnit", "Besök", "Visits"),
    "erases_texts": ("Vapaat tekstit", "Fria texter", "Free texts"),
    "erases_answers": ("Kyselyjen vastaukset", "Enkätsvar", "Answers to questionnaires"),
    "erases_scores": ("Kyselyjen pisteet", "Enkäternas poäng", "Scores of questionnaires"),
    "erases_other": ("Muut kirjaukset", "Övriga anteckningar", "Other entries"),
    "entries": ("kirjauksia", "anteckningar", "entries"),
    # the receipt
    "receipts_show": (
        "Näytä tai tulosta kuittaus ihmiselle",
        "Visa eller skriv ut kvittot för personen",
        "Show or print the receipt for the person",
    ),
    "receipts_title": ("Kuittaus poistamisesta", "Kvitto på raderingen", "Receipt for what was erased"),
    "receipts_of": (
        "Kuittaus poistamisesta: {name}",
        "Kvitto på raderingen: {name}",
        "Receipt for what was erased: {name}",
    ),
    "receipts_intro": (
        "{node} kertoo {day}, mitä sinusta on poistettu hankkeessa {programme} ja kuka on sen kuitannut.",
        "{node} berättar {day} vad som har raderats om dig i projektet {programme} och vem som har bekräftat det.",
        "On {day} {node} tells you what was erased about you in the project {programme}, and who has confirmed it.",
    ),
    "receipts_none": (
        "Mitään ei ole poistettu.",
        "Inget har raderats.",
        "Nothing has been erased.",
    ),
    "receipts_given": ("Poiston ovat kuitanneet:", "Raderingen har bekräftats av:", "Erasing has been confirmed by:"),
    "receipts_waiting": ("Vielä odotetaan:", "Väntar ännu på:", "Still waiting for:"),
    "yours_esf_record": (
        "Rahoittajan aloitus- ja lopetustiedot",
        "Finansiärens start- och slutuppgifter",
        "The fund's start and exit record",
    ),
    "yours_support": ("Työskentely kanssasi", "Arbetet med dig", "Working with you"),
    "yours_measurement": ("Kyselyt voinnistasi", "Enkäter om hur du mår", "Questions on how you fare"),
    "ended_withdrawn": (
        "Peruit suostumuksesi. Poistettu {day}.",
        "Du återtog ditt samtycke. Raderat {day}.",
        "You withdrew your consent. Erased {day}.",
    ),
    "ended_asked": (
        "Pyysit poistamista. Poistettu {day}.",
        "Du bad om radering. Raderat {day}.",
        "You asked for it. Erased {day}.",
    ),
    "ended_retention": (
        "Säilytysaika päättyi. Poistettu {day}.",
        "Förvaringstiden var slut. Raderat {day}.",
        "Its time was over. Erased {day}.",
    ),
}
