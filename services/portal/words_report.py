"""The lead's report: its head, whether all has arrived, activities, why there is no number, charts, the proof."""

REPORT_WORDS: dict[str, tuple[str, str, str]] = {
    # report head
    "report": ("Raportti", "Rapport", "Report"),
    "period": ("Ajalta", "Period", "Period"),
    "whole_project": ("koko hanke", "hela projektet", "the whole project"),
    "from_on": ("alkaen {day}", "från och med {day}", "from {day}"),
    "until": ("{day} asti", "till och med {day}", "until {day}"),
    "as_of": ("Luvut haettu", "Siffrorna hämtade", "Figures taken"),
    "audience": ("Kenelle", "För vem", "For whom"),
    "audience_internal": ("sisäinen", "intern", "internal"),
    "audience_funder": (
        "rahoittaja (luottamuksellinen)",
        "finansiären (konfidentiell)",
        "the funder (confidential)",
    ),
    "audience_steering": ("ohjausryhmä", "styrgruppen", "the steering group"),
    "audience_public": ("julkinen", "offentlig", "public"),
    # arrived
    "arrived_true": ("Kaikki saapunut", "Allt mottaget", "Everything has arrived"),
    "arrived_true_text": (
        "Luvuissa on mukana kaikki, minkä liittyneet organisaatiot ovat omassa Polussaan kirjanneet.",
        "Siffrorna innehåller allt som de anslutna organisationerna har registrerat i sin egen Polku.",
        "The figures contain everything that the organisations that have joined recorded in their own Polku.",
    ),
    "arrived_false": ("Osa puuttuu", "En del fattas", "Something is missing"),
    "arrived_false_text": (
        "Osa organisaatioiden kirjaamasta ei ole vielä saapunut. Luvut voivat muuttua, eikä 0 tarkoita, "
        "ettei mitään ole tapahtunut.",
        "En del av det som organisationerna har registrerat är ännu inte mottaget. Siffrorna kan ändras, "
        "och 0 betyder inte att ingenting har hänt.",
        "Some of what the organisations have recorded has not arrived yet. The figures may change, and 0 does "
        "not mean that nothing happened.",
    ),
    "arrived_null": (
        "Ei tiedossa, onko kaikki saapunut",
        "Det är inte känt om allt är mottaget",
        "Not known whether everything has arrived",
    ),
    "arrived_null_since": (
        "Ainakin yhdestä organisaatiosta on viimeksi kuultu {moment}. Sen jälkeen kirjatusta ei tiedetä.",
        "Från minst en organisation hördes senast {moment}. Om det som registrerats därefter vet man inget.",
        "At least one organisation was last heard from {moment}. What was recorded since is not known.",
    ),
    "arrived_null_never": (
        "Ainakin yhdestä organisaatiosta ei ole kuultu vielä kertaakaan.",
        "Från minst en organisation har man ännu aldrig hört något.",
        "At least one organisation has not been heard from yet.",
    ),
    "newer_facts": (
        "{n} kirjausta on tehty tätä uudemmalla Polun versiolla. Ne eivät ole mukana luvuissa.",
        "{n} registreringar har gjorts med en nyare version av Polku. De ingår inte i siffrorna.",
        "{n} records were made with a newer release of Polku. They are not in the figures.",
    ),
    "refused_lines": (
        "{n} riviä on saapunut, mutta niitä ei voitu lukea. Ne eivät ole mukana luvuissa.",
        "{n} rader är mottagna men kunde inte läsas. De ingår inte i siffrorna.",
        "{n} lines have arrived but could not be read. They are not in the figures.",
    ),
    # activities
    "activities": ("Toiminta", "Verksamhet", "Activities"),
    "activities_caption": (
        "Kerrat, tunnit, osallistujat ja kävijämäärät toiminnoittain",
        "Träffar, timmar, deltagare och besökarantal per verksamhet",
        "Sessions, hours, participants and head-counts by activity",
    ),
    "no_activities": (
        "Saapuneessa ei ole yhtään kertaa tältä ajalta.",
        "I det som mottagits finns inga träffar för perioden.",
        "What has arrived contains no session in this period.",
    ),
    "held": ("Toteutunut", "Utfall", "Held"),
    "by_person": ("Laskettu henkilöittäin", "Räknat per person", "Counted by person"),
    "by_head": ("Laskettu kävijämääränä", "Räknat som besökarantal", "Counted by head"),
    "sessions": ("Kertoja", "Träffar", "Sessions"),
    "hours": ("Tunteja", "Timmar", "Hours"),
    "participants": ("Osallistujia (eri ihmisiä)", "Deltagare (olika personer)", "Participants (different people)"),
    "attendances": ("Läsnäoloja", "Närvaro (gånger)", "Attendances"),
    "heads": ("Kävijämäärä", "Besökarantal", "Head-count"),
    "bases_title": ("Mitä on laskettu", "Vad som har räknats", "What has been counted"),
    "basis_participants": (
        "Jokainen ihminen kerran, kävi hän miten monta kertaa tahansa.",
        "Varje person en gång, hur många gånger personen än har varit med.",
        "Each person once, however often they came.",
    ),
    "basis_attendances": (
        "Jokainen käynti erikseen: sama ihminen kymmenellä kerralla on kymmenen läsnäoloa.",
        "Varje gång för sig: samma person på tio träffar är tio närvarogånger.",
        "Each time on its own: one person at ten sessions is ten attendances.",
    ),
    "basis_heads": (
        "Montako kävijää paikalla oli, nimiä kysymättä. Sama ihminen lasketaan joka kerralla.",
        "Hur många besökare som var på plats, utan att fråga efter namn. Samma person räknas varje gång.",
        "How many were there, without asking for names. One person counts each time.",
    ),
    "bases_apart": (
        "Nämä ovat eri asioita, joten niitä ei lasketa yhteen eikä taulukossa ole summariviä.",
        "De är olika saker. Därför läggs de inte ihop, och tabellen har ingen summarad.",
        "These are different things, so they are never added up and the table has no line of totals.",
    ),
    # five values
    "values_title": ("Merkit", "Tecken", "Signs"),
    "zero_means": ("0: kirjattu, ei yhtään", "0: registrerat, inga", "0: recorded, and there were none"),
    "dash_means": (
        "–: ei kirjattu tällä tavalla laskettuna. Tämä on eri asia kuin 0.",
        "–: inte registrerat räknat på det här sättet. Det är inte samma sak som 0.",
        "–: not recorded, counted in this way. This is not the same as 0.",
    ),
    "value_none": ("ei kirjattu", "inte registrerat", "not recorded"),
    "value_unknown": ("ei tiedossa", "okänt", "unknown"),
    "value_refused": ("ei halua vastata", "vill inte svara", "refused"),
    "value_not_asked": ("ei kysytty", "inte tillfrågad", "not asked"),
    "value_not_set": ("ei asetettu", "inte satt", "not set"),
    "value_not_due": ("ei vielä ajankohtainen", "ännu inte aktuellt", "not due yet"),
    "value_not_arrived": ("ei vielä saapunut", "ännu inte mottaget", "not arrived yet"),
    # charts
    "chart_sessions": ("Kertoja", "Träffar", "Sessions"),
    "chart_people": ("Osallistujia, eri ihmisiä", "Deltagare, olika personer", "Participants, different people"),
    "chart_heads": ("Kävijämäärä", "Besökarantal", "Head-count"),
    "charts": ("Luvut kuvina", "Siffrorna i bild", "The figures as charts"),
    "charts_note": (
        "Jokaisella kuvalla on oma asteikkonsa.",
        "Varje bild har sin egen skala.",
        "Each chart has a scale of its own.",
    ),
    # proof
    "proof": ("Mihin luvut perustuvat", "Vad siffrorna bygger på", "What the figures rest on"),
    "proof_lead": (
        "Jokainen organisaatio numeroi ja allekirjoittaa kirjauksensa omassa Polussaan. Tästä näkee, mihin riviin "
        "asti ne ovat mukana näissä luvuissa.",
        "Varje organisation numrerar och undertecknar sina registreringar i sin egen Polku. Här syns till vilken rad "
        "de ingår i siffrorna.",
        "Each organisation numbers and signs its records in its own Polku. This shows up to which line they are in "
        "these figures.",
    ),
    "proof_caption": (
        "Mukana olevat kirjaukset organisaatioittain",
        "Registreringar som ingår, per organisation",
        "Records contained, by organisation",
    ),
    "partner": ("Organisaatio", "Organisation", "Organisation"),
    "node": ("Oma Polku", "Egen Polku", "Own Polku"),
    "watermark": ("Mukana riviin", "Ingår till rad", "Contained up to line"),
    "head": ("Viimeinen rivi", "Sista raden", "Last line"),
    "chain": ("Ketjun tarkistussumma", "Kedjans kontrollsumma", "Digest of the chain"),
    "manifest_age": ("Tieto viimeisestä rivistä", "Uppgiften om sista raden", "Last line known"),
    "age_old": ("{age} vanha", "{age} gammal", "{age} old"),
    "state": ("Tila", "Läge", "State"),
    "state_complete": ("kaikki mukana", "allt ingår", "all contained"),
    "state_to_head": ("viimeiseen riviin asti", "till sista raden", "up to the last line"),
    "state_missing": ("rivejä puuttuu: {lines}", "rader fattas: {lines}", "lines missing: {lines}"),
    "state_unknown": ("ei tiedossa", "okänt", "not known"),
    "state_closed": (
        "päätetty {on}, täydellinen riviin {line} asti",
        "avslutad {on}, fullständig till och med rad {line}",
        "closed {on}, complete through line {line}",
    ),
    "state_expelled": ("jäsenyys päättynyt {on}", "medlemskapet upphörde {on}", "membership ended {on}"),
    "state_not_joined": ("ei ole liittynyt", "har inte anslutit sig", "has not joined"),
    "never_heard": ("ei vielä saapunut", "ännu inte mottaget", "not arrived yet"),
    "means_title": ("Mitä ”kaikki saapunut” tarkoittaa", "Vad ”allt mottaget” betyder", "What “arrived” means"),
    "means_text": (
        "Päätoteuttajalla on jokaisesta liittyneestä organisaatiosta jokainen rivi, jonka se on allekirjoittanut "
        "kirjatuksi, tavulleen samana. Lisäksi jokaiselta on kuultu niin äskettäin, ettei tieto ole vanhentunut.",
        "Huvudgenomföraren har från varje organisation som har anslutit sig varje rad som den har undertecknat som "
        "registrerad, exakt likadan. Dessutom har man hört från alla så nyligen att uppgiften inte är föråldrad.",
        "The lead holds, from every organisation that has joined, every line that it has signed as recorded, the same "
        "to the byte. And each has been heard from so recently that this is not out of date.",
    ),
    "not_proved_title": (
        "Mitä tämä raportti ei todista",
        "Vad den här rapporten inte bevisar",
        "What this report does not prove",
    ),
    "not_proved_recorded": (
        "Ettei mitään olisi jäänyt kirjaamatta. Kirjaamatonta ei voi nähdä täältä.",
        "Att ingenting har blivit oregistrerat. Det som inte har registrerats syns inte här.",
        "That everything that happened was recorded. What nobody recorded cannot be seen from here.",
    ),
    "not_proved_follow": (
        "Että luvut seuraavat riveistä. Sen voi tarkistaa laskemalla kaiken uudelleen "
        "(komento polku reporting rebuild --check).",
        "Att siffrorna följer av raderna. Det kan kontrolleras genom att räkna om allt "
        "(kommandot polku reporting rebuild --check).",
        "That the figures follow from the lines. Computing everything anew shows that "
        "(the command polku reporting rebuild --check).",
    ),
    "not_proved_confirmed": (
        "Että vahvistettu kausi olisi virheetön. Organisaatio on katsonut sen läpi; saapunut ja vahvistettu ovat eri "
        "asioita.",
        "Att en bekräftad period är felfri. Organisationen har gått igenom den; mottaget och bekräftat är olika saker.",
        "That a confirmed period is free of mistakes. The organisation has looked through it; arrived and confirmed "
        "are different things.",
    ),
}
