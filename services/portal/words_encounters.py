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
    "encounters_untold": (
        "ei kirjattu tai jää toteuttajalle",
        "inte antecknat eller stannar hos genomföraren",
        "not recorded, or stays with the partner",
    ),
    "name_word": ("Nimi", "Namn", "Name"),
    # outreach, written down
    "record_encounter": ("Kirjaa kohtaaminen", "Anteckna ett möte", "Write down an encounter"),
    "correct_encounter": ("Korjaa kohtaamista", "Rätta mötet", "Correct the encounter"),
    "encounter_saved": ("Kohtaaminen on tallennettu.", "Mötet är sparat.", "The encounter is saved."),
    "encounter_removed": ("Kirjaus on poistettu.", "Anteckningen är borttagen.", "The record has been removed."),
    "encounters_recorded": ("Kirjattu {n}", "Antecknade: {n}", "Recorded: {n}"),
    "encounter_remove_means": (
        "Kohtaaminen poistuu, ja samoin se, ketkä kävijät olivat paikalla.",
        "Mötet tas bort, och likaså vilka besökare som var med.",
        "The encounter goes, and so does which visitors were there.",
    ),
    "how_many": ("Kuinka monta", "Hur många", "How many"),
    "met_people_new": ("Uusia", "Nya", "New"),
    "met_people_known": ("Tuttuja", "Bekanta", "Known"),
    "met_women": ("Heistä naisia", "Av dem kvinnor", "Of them women"),
    "met_staff": ("Työntekijöitä", "Medarbetare", "Workers"),
    "blank_means": (
        "Tyhjä tarkoittaa: ei kirjattu. Jos ei ketään, kirjoita 0.",
        "Tomt betyder: inte antecknat. Om ingen, skriv 0.",
        "Blank means: not recorded. If nobody, write 0.",
    ),
    "choice_topics": ("Mistä puhuttiin", "Vad vi talade om", "What it was about"),
    "choice_guided_to": ("Minne ohjattiin", "Vart vi hänvisade", "Guided to"),
    "choice_languages": ("Kielet", "Språk", "Languages"),
    "nicknames": ("Lempinimet", "Smeknamn", "Nicknames"),
    "nicknames_hint": (
        "Vain jos ihminen on itse kertonut lempinimensä. Monta: erota pilkulla. Salataan ja jää tänne.",
        "Bara om personen själv har berättat sitt smeknamn. Flera: kommatecken emellan. Krypteras och stannar här.",
        "Only if people told their own nickname. Several: a comma between. Encrypted, and stays here.",
    ),
    "nicknames_correct": (
        "Tyhjä: paikalla olleet kävijät pysyvät. Kirjoitetut korvaavat heidät.",
        "Tomt: besökarna som var med står kvar. De som skrivs ersätter dem.",
        "Blank: the visitors who were there stay. Those written take their place.",
    ),
    "problem_count": (
        "Anna luku, tai jätä tyhjäksi.",
        "Ange ett tal eller lämna tomt.",
        "Give a number, or leave it blank.",
    ),
    "problem_women": (
        "Naisia on enemmän kuin kohdattuja ihmisiä.",
        "Kvinnorna är fler än de personer som möttes.",
        "There are more women than people who were met.",
    ),
    "problem_token": (
        "Lempinimi on liian pitkä tai siinä on merkkejä, jotka eivät käy.",
        "Smeknamnet är för långt eller har tecken som inte duger.",
        "The nickname is too long, or has characters that will not do.",
    ),
    "problem_token_new": (
        "Uutta kävijää ei voi lisätä jälkikäteen: kirjaa hänet ovella tai uutena kohtaamisena.",
        "En ny besökare kan inte läggas till i efterhand: anteckna personen vid dörren eller som ett nytt möte.",
        "Somebody new cannot be added afterwards: record them at the door, or as an encounter of their own.",
    ),
    "problem_token_several": (
        "Monella on sama lempinimi. Käytä ovisivun ruutua tai tarkempaa nimeä.",
        "Flera har samma smeknamn. Använd rutan på dörrsidan eller ett noggrannare namn.",
        "Several people go by this nickname. Use the tile at the door, or a more exact one.",
    ),
    "problem_encounter": (
        "Tätä ei voitu tallentaa. Tarkista päivä ja luvut.",
        "Det här kunde inte sparas. Kontrollera datum och antal.",
        "This could not be saved. Check the day and the numbers.",
    ),
    "problem_encounter_changed": (
        "Joku muu on muuttanut kohtaamista sillä välin. Tällainen se on nyt; tee muutoksesi uudelleen.",
        "Någon annan har ändrat mötet under tiden. Så här är det nu; gör din ändring på nytt.",
        "Somebody else has changed the encounter in the meantime. This is how it stands; make your change again.",
    ),
    # the door
    "door": ("Ovi", "Dörren", "Door"),
    "doors_open": ("Lasketaan nyt", "Räknas nu", "Being counted"),
    "open_door": ("Aloita", "Börja", "Begin"),
    "door_count": ("uusia {new} · tuttuja {known}", "nya {new} · bekanta {known}", "new {new} · known {known}"),
    "plus_new": ("Uusi +1", "Ny +1", "New +1"),
    "plus_known": ("Tuttu +1", "Bekant +1", "Known +1"),
    "plus_new_woman": ("Uusi nainen +1", "Ny kvinna +1", "New woman +1"),
    "plus_new_other": ("Uusi muu +1", "Ny annan +1", "New other +1"),
    "plus_known_woman": ("Tuttu nainen +1", "Bekant kvinna +1", "Known woman +1"),
    "plus_known_other": ("Tuttu muu +1", "Bekant annan +1", "Known other +1"),
    "undo_last": ("Peru viimeisin", "Ångra senaste", "Undo the last"),
    "regulars": ("Tutut kävijät", "Bekanta besökare", "Regulars"),
    "no_regulars": ("Ei vielä ketään.", "Ingen ännu.", "Nobody yet."),
    "tiles_hint": (
        "Napautus kirjaa kävijän ja laskee hänet tutuksi. Toinen napautus peruu.",
        "Ett tryck antecknar besökaren, som räknas som bekant. Ett till ångrar.",
        "A tap records the visitor and counts them as known. Another tap undoes it.",
    ),
    "nickname_new": (
        "Lempinimi, jonka kävijä kertoo",
        "Smeknamn som besökaren berättar",
        "Nickname that the visitor tells",
    ),
    "nickname_add": ("Lisää kävijä", "Lägg till besökaren", "Add the visitor"),
    "is_woman": ("Nainen", "Kvinna", "Woman"),
    "door_more": (
        "Lisää aiheet ja ohjaukset",
        "Lägg till ämnen och hänvisningar",
        "Add topics and where people were guided",
    ),
    "visitor_unnamed": ("kävijä", "besökare", "visitor"),
    # a visitor registers
    "register_visitor": ("Rekisteröi asiakkaaksi", "Registrera som klient", "Register as a client"),
    "register_now": ("Rekisteröi", "Registrera", "Register"),
    "birth_date_hint": (
        "Vain jos hanke tarvitsee sen. Salataan ja jää tänne.",
        "Bara om projektet behöver det. Krypteras och stannar här.",
        "Only if the project needs it. Encrypted, and stays here.",
    ),
    "history_ask": (
        "Kysy: otetaanko aiemmat käynnit mukaan?",
        "Fråga: ska de tidigare besöken följa med?",
        "Ask: shall the earlier visits go along?",
    ),
    "history_yes": ("Kyllä, ihminen toivoo sitä", "Ja, personen önskar det", "Yes, the person wishes it"),
    "history_no": ("Ei: aloitetaan alusta", "Nej: vi börjar från början", "No: begin anew"),
    "history_hint": (
        "Ilman toivetta aiempia käyntejä ei voi enää yhdistää häneen, eikä lempinimi jää talteen.",
        "Utan önskan kan de tidigare besöken inte längre kopplas till personen, och smeknamnet sparas inte.",
        "Without the wish nothing leads from this person to the earlier visits any more, and the nickname is not kept.",
    ),
    "problem_name": ("Anna nimi.", "Ange namnet.", "Give the name."),
    "problem_history": (
        "Kysy ja valitse, otetaanko aiemmat käynnit mukaan.",
        "Fråga och välj om de tidigare besöken ska följa med.",
        "Ask, and choose whether the earlier visits go along.",
    ),
    "problem_registered": (
        "Tämä ihminen on jo rekisteröity.",
        "Personen är redan registrerad.",
        "This person is registered already.",
    ),
    "problem_registering": (
        "Tätä ei voitu tallentaa. Tarkista nimi ja syntymäaika.",
        "Det här kunde inte sparas. Kontrollera namn och födelsedatum.",
        "This could not be saved. Check the name and the birth date.",
    ),
    "problem_standing": (
        "Toiminta on tarkoitettu rekisteröidyille. Joku merkityistä on vielä kävijä: rekisteröi hänet ensin.",
        "Verksamheten är för registrerade. Någon av de markerade är ännu besökare: registrera personen först.",
        "The activity is for people who are registered. Somebody marked is not yet: register them first.",
    ),
}
