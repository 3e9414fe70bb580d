"""What people read, in Finnish, Finland-Swedish and English, by the words of the project's glossary.

One table instead of gettext catalogues: a few hundred phrases, no plural rules, and a test that none is blank.
Phrases may hold ``{names}``, which are filled in by `Words`.
"""

from collections.abc import Callable, Mapping
from typing import Literal, get_args

from services.portal.words_certificate import CERTIFICATE_WORDS
from services.portal.words_closing import CLOSING_WORDS
from services.portal.words_coming import COMING_WORDS
from services.portal.words_contacts import CONTACT_WORDS
from services.portal.words_copy import COPY_WORDS
from services.portal.words_duplicates import DUPLICATE_WORDS
from services.portal.words_encounters import ENCOUNTER_WORDS
from services.portal.words_erasing import ERASING_WORDS
from services.portal.words_filled import FILLED_WORDS
from services.portal.words_mistakes import MISTAKE_WORDS
from services.portal.words_outcomes import OUTCOME_WORDS
from services.portal.words_partners import PARTNER_WORDS
from services.portal.words_people import PEOPLE_WORDS
from services.portal.words_plan import PLAN_WORDS
from services.portal.words_programme import PROGRAMME_WORDS
from services.portal.words_recording import RECORDING
from services.portal.words_records import RECORD_WORDS
from services.portal.words_refused import REFUSED_WORDS
from services.portal.words_releases import RELEASE_WORDS
from services.portal.words_rights import RIGHTS_WORDS
from services.portal.words_round import ROUND_WORDS
from services.portal.words_sample import SAMPLE_WORDS
from services.portal.words_stepping import STEPPING_WORDS
from services.portal.words_steps import STEP_WORDS
from services.portal.words_tasks import TASK_WORDS
from services.portal.words_workers import WORKER_WORDS

Lang = Literal["fi", "sv", "en"]
LANGS: tuple[Lang, ...] = get_args(Lang)
LANG_NAMES: Mapping[Lang, str] = {"fi": "Suomi", "sv": "Svenska", "en": "English"}

Words = Callable[..., str]

_TABLE: dict[str, tuple[str, str, str]] = {
    # frame
    "skip": ("Siirry sisältöön", "Gå till innehållet", "Skip to content"),
    "language": ("Kieli", "Språk", "Language"),
    "navigation": ("Sivut", "Sidor", "Pages"),
    "start": ("Alku", "Start", "Start"),
    "log_out": ("Kirjaudu ulos", "Logga ut", "Log out"),
    "change_password": ("Vaihda salasana", "Byt lösenord", "Change password"),
    "logged_in_as": ("Kirjautuneena {name}", "Inloggad som {name}", "Logged in as {name}"),
    # login
    "log_in": ("Kirjaudu sisään", "Logga in", "Log in"),
    "user_name": ("Käyttäjätunnus", "Användarnamn", "User name"),
    "password": ("Salasana", "Lösenord", "Password"),
    "login_help": (
        "Tunnuksen antaa se, joka hoitaa oman organisaatiosi Polkua.",
        "Användarnamnet får du av den som sköter din organisations Polku.",
        "Whoever runs your organisation's Polku gives you a user name.",
    ),
    "login_failed": (
        "Käyttäjätunnus tai salasana on väärin.",
        "Användarnamnet eller lösenordet är fel.",
        "The user name or the password is wrong.",
    ),
    "login_wait": (
        "Liian monta yritystä. Yritä uudelleen {time} kuluttua.",
        "För många försök. Försök igen om {time}.",
        "Too many attempts. Try again in {time}.",
    ),
    # password page
    "password_title": ("Uusi salasana", "Nytt lösenord", "New password"),
    "password_first": (
        "Kirjauduit kertakäyttöisellä salasanalla. Valitse oma salasanasi, ennen kuin jatkat.",
        "Du loggade in med ett engångslösenord. Välj ett eget lösenord innan du fortsätter.",
        "You logged in with a one-time password. Choose your own before you go on.",
    ),
    "password_rule": (
        "Vähintään 12 merkkiä. Pitkä lause, jonka vain sinä tiedät, on hyvä salasana.",
        "Minst 12 tecken. En lång mening som bara du känner till är ett bra lösenord.",
        "At least 12 characters. A long sentence that only you know is a good password.",
    ),
    "password_now": ("Nykyinen salasana", "Nuvarande lösenord", "Present password"),
    "password_new": ("Uusi salasana", "Nytt lösenord", "New password"),
    "password_again": ("Uusi salasana uudelleen", "Det nya lösenordet igen", "New password again"),
    "password_save": ("Tallenna salasana", "Spara lösenordet", "Save password"),
    "password_wrong": (
        "Nykyinen salasana on väärin.",
        "Det nuvarande lösenordet är fel.",
        "The present password is wrong.",
    ),
    "password_short": (
        "Uudessa salasanassa on oltava vähintään 12 merkkiä.",
        "Det nya lösenordet måste ha minst 12 tecken.",
        "The new password must have at least 12 characters.",
    ),
    "password_long": (
        "Uudessa salasanassa saa olla enintään 256 merkkiä.",
        "Det nya lösenordet får ha högst 256 tecken.",
        "The new password may have at most 256 characters.",
    ),
    "password_trivial": (
        "Uusi salasana on liian helppo arvata.",
        "Det nya lösenordet är för lätt att gissa.",
        "The new password is too easy to guess.",
    ),
    "password_is_name": (
        "Uusi salasana ei saa olla käyttäjätunnus.",
        "Det nya lösenordet får inte vara användarnamnet.",
        "The new password must not be the user name.",
    ),
    "password_differs": (
        "Uudet salasanat eivät ole samat.",
        "De nya lösenorden är inte lika.",
        "The new passwords are not the same.",
    ),
    "password_same": (
        "Uusi salasana on sama kuin nykyinen.",
        "Det nya lösenordet är detsamma som det nuvarande.",
        "The new password is the same as the present one.",
    ),
    # errors
    "error_400": ("Pyyntöä ei voitu lukea", "Begäran kunde inte läsas", "The request could not be read"),
    "error_401": ("Kirjaudu ensin sisään", "Logga in först", "Log in first"),
    "error_403": ("Tämä ei ole sallittu", "Detta är inte tillåtet", "This is not allowed"),
    "error_404": ("Sivua ei ole", "Sidan finns inte", "There is no such page"),
    "error_405": ("Näin sivua ei voi käyttää", "Sidan kan inte användas så", "The page cannot be used this way"),
    "error_413": ("Lähetys on liian suuri", "Det som skickades är för stort", "What was sent is too large"),
    "error_500": ("Jokin meni vikaan", "Något gick fel", "Something went wrong"),
    "error_503": (
        "Palvelu ei vastaa juuri nyt",
        "Tjänsten svarar inte just nu",
        "The service does not answer now",
    ),
    "error_503_help": (
        "Mitään ei ole kadonnut. Yritä hetken kuluttua uudelleen.",
        "Ingenting har gått förlorat. Försök igen om en stund.",
        "Nothing is lost. Try again in a moment.",
    ),
    "error_form": (
        "Lomake oli vanhentunut tai tuli muualta. Avaa sivu uudelleen ja yritä vielä kerran.",
        "Formuläret var föråldrat eller kom från en annan plats. Öppna sidan på nytt och försök igen.",
        "The form was out of date or came from elsewhere. Open the page again and try once more.",
    ),
    "reference": ("Viite", "Referens", "Reference"),
    # start pages
    "projects": ("Hankkeet", "Projekt", "Projects"),
    "no_projects": (
        "Täällä ei ole vielä yhtään hanketta.",
        "Här finns ännu inget projekt.",
        "There is no project here yet.",
    ),
    "no_pages": (
        "Roolillasi ei ole tässä versiossa omia sivuja.",
        "Din roll har inga egna sidor i den här versionen.",
        "Your role has no pages of its own in this release.",
    ),
    "open_report": ("Raportti", "Rapport", "Report"),
    "open_sessions": ("Kerrat", "Träffar", "Sessions"),
    "open_people": ("Ihmiset", "Personer", "People"),
    "as_json": ("Sama JSON-muodossa", "Samma som JSON", "The same as JSON"),
    # lists
    "page_of": ("Sivu {page} / {pages}", "Sida {page} / {pages}", "Page {page} / {pages}"),
    "previous": ("Edellinen", "Föregående", "Previous"),
    "next": ("Seuraava", "Nästa", "Next"),
    "total_sessions": ("{n} kertaa", "{n} träffar", "{n} sessions"),
    "total_people": ("{n} ihmistä", "{n} personer", "{n} people"),
    "no_sessions": (
        "Yhtään kertaa ei ole kirjattu.",
        "Inga träffar har registrerats.",
        "No session has been recorded.",
    ),
    "no_people": ("Ketään ei ole kirjattu.", "Ingen har registrerats.", "Nobody has been recorded."),
    "date": ("Päivä", "Datum", "Date"),
    "time": ("Kello", "Klockan", "Time"),
    "activity": ("Toiminta", "Verksamhet", "Activity"),
    "minutes": ("Minuuttia", "Minuter", "Minutes"),
    "place": ("Paikka", "Plats", "Place"),
    "counted": ("laskettu", "räknat", "counted"),
    "estimated": ("arvioitu", "uppskattat", "estimated"),
    "person_name": ("Nimi", "Namn", "Name"),
    "token_only": ("nimi ei tiedossa", "namnet okänt", "name not known"),
    "cannot_open": (
        "Nimeä ei voitu avata",
        "Namnet kunde inte öppnas",
        "The name could not be opened",
    ),
    "standing": ("Asema", "Ställning", "Standing"),
    "started_on": ("Aloitti", "Började", "Started"),
    "standing_visitor": ("kävijä", "besökare", "visitor"),
    "standing_client": ("asiakas", "klient", "client"),
    "standing_esf_participant": ("osallistuja (ESR)", "deltagare (ESF)", "participant (ESF)"),
    "read_logged": (
        "Tämän sivun avaaminen on kirjattu lokiin: kuka katsoi ja milloin.",
        "Att den här sidan öppnades har antecknats i loggen: vem som såg den och när.",
        "Opening this page has been logged: who looked and when.",
    ),
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
    # units
    "seconds": ("{n} s", "{n} s", "{n} s"),
    "minutes_short": ("{n} min", "{n} min", "{n} min"),
    "hours_short": ("{n} h", "{n} h", "{n} h"),
    "days_short": ("{n} pv", "{n} d", "{n} d"),
    **DUPLICATE_WORDS,
    **ENCOUNTER_WORDS,
    **RECORDING,
    **OUTCOME_WORDS,
    **CERTIFICATE_WORDS,
    **COPY_WORDS,
    **REFUSED_WORDS,
    **RIGHTS_WORDS,
    **ERASING_WORDS,
    **PEOPLE_WORDS,
    **PARTNER_WORDS,
    **PROGRAMME_WORDS,
    **RECORD_WORDS,
    **ROUND_WORDS,
    **STEPPING_WORDS,
    **STEP_WORDS,
    **PLAN_WORDS,
    **CLOSING_WORDS,
    **SAMPLE_WORDS,
    **FILLED_WORDS,
    **TASK_WORDS,
    **WORKER_WORDS,
    **COMING_WORDS,
    **CONTACT_WORDS,
    **RELEASE_WORDS,
    **MISTAKE_WORDS,
}


def words(lang: Lang) -> Words:
    """A function that gives the phrase of a key in `lang`; an unknown key is a KeyError."""
    place = LANGS.index(lang)

    def say(key: str, /, **values: object) -> str:
        return _TABLE[key][place].format_map(values)

    return say


def known_keys() -> frozenset[str]:
    """Every key of the table."""
    return frozenset(_TABLE)


def pick_lang(wanted: object) -> Lang | None:
    """The language if it is one of ours."""
    return next((lang for lang in LANGS if lang == wanted), None)


def in_language(names: Mapping[str, str], lang: Lang, fallback: str) -> tuple[str, str | None]:
    """A name of the programme file, never blank: in `lang`, else fi, sv, en, any other; else `fallback`.

    Returns the text and the language it is in, None for the fallback (a code has no language).
    """
    for code in (lang, *LANGS, *sorted(names)):
        text = names.get(code, "")
        if text.strip():
            return text, code
    return fallback, None
