"""What people read about referrals, and about the other partners' nodes; part of `words`."""

PARTNER_WORDS: dict[str, tuple[str, str, str]] = {
    # referrals
    "show_whom": ("Näytä, kuka hän on", "Visa vem det är", "Show who it is"),
    "referrals": ("Ohjaukset", "Hänvisningar", "Referrals"),
    "referrals_in": ("Meille ohjatut", "Hänvisade till oss", "Referred to us"),
    "referrals_out": ("Meiltä ohjatut", "Hänvisade av oss", "Referred by us"),
    "no_referrals": ("Ei ketään.", "Ingen.", "Nobody."),
    "nobody_kept": ("Tietoja ei säilytetä", "Uppgifterna sparas inte", "Nothing is kept"),
    "referred_by": ("Ohjaaja:", "Hänvisad av:", "Referred by:"),
    "referred_to": ("Ohjattu:", "Hänvisad till:", "Referred to:"),
    "born": ("Syntynyt {day}", "Född {day}", "Born {day}"),
    "birth_date_left_out": (
        "Ohjaaja kertoi syntymäajan tai henkilötunnuksen, joka ei voi olla oikea. Sitä ei säilytetty: kysy se "
        "ihmiseltä itseltään.",
        "Avsändaren uppgav ett födelsedatum eller en personbeteckning som inte kan stämma. Uppgiften sparades inte: "
        "fråga personen själv.",
        "The sender told a birth date or an identity code that cannot be right. It was not kept: ask the person.",
    ),
    "referral_sent": ("Odottaa vastausta", "Väntar på svar", "Waiting for an answer"),
    "referral_received": ("Odottaa meidän vastaustamme", "Väntar på vårt svar", "Waiting for our answer"),
    "referral_accepted": ("Otettu vastaan", "Mottagen", "Taken"),
    "referral_declined": ("Ei otettu vastaan", "Inte mottagen", "Not taken"),
    "referral_withdrawn": ("Peruttu", "Återtagen", "Withdrawn"),
    "referral_undone": (
        "Otettiin ensin vastaan, sitten ei. Osallistuminen on täällä yhä päättynyt: tarkistakaa yhdessä",
        "Mottogs först, sedan inte. Deltagandet är fortfarande avslutat här: kontrollera tillsammans",
        "Taken first, then not. The participation has still ended here: check together",
    ),
    "accept_referral": ("Ota vastaan", "Ta emot", "Take the person"),
    "decline_referral": ("Älä ota vastaan", "Ta inte emot", "Do not take the person"),
    "decline_why": ("Syy", "Orsak", "Reason"),
    "decline_means": (
        "Lähettäjä saa tietää syyn. Ihmisen tiedot poistuvat täältä.",
        "Avsändaren får veta orsaken. Personens uppgifter tas bort här.",
        "The sender is told the reason. Who the person is, is deleted here.",
    ),
    "declined_no_places": ("ei tilaa", "inga platser", "no places"),
    "declined_not_suitable": ("ei sovi tähän toimintaan", "passar inte i verksamheten", "not suited to this activity"),
    "declined_other_partner": ("kuuluu toiselle toteuttajalle", "hör till en annan genomförare", "for another partner"),
    "declined_not_reached": ("ei tavoitettu", "nåddes inte", "not reached"),
    "declined_person_refused": ("ihminen ei halunnut", "personen ville inte", "the person did not want to"),
    "declined_other": ("muu syy", "annan orsak", "another reason"),
    "tell_sender": ("Kerro lähettäjälle", "Berätta för avsändaren", "Tell the sender"),
    "what_became": ("Mitä tapahtui", "Vad som hände", "What became of the person"),
    "tell_means": (
        "Lähettäjä näkee vain tämän, ei muuta.",
        "Avsändaren ser bara detta, inget annat.",
        "The sender sees this and nothing else.",
    ),
    "became_started": ("aloitti", "började", "started"),
    "became_did_not_come": ("ei tullut", "kom inte", "did not come"),
    "became_outcome": ("tulos", "utfall", "outcome"),
    "withdraw_referral": ("Peru ohjaus", "Återta hänvisningen", "Withdraw the referral"),
    "withdraw_means": (
        "Jos vastaanottaja on jo ottanut ihmisen vastaan, se jää voimaan: soita sinne.",
        "Om mottagaren redan har tagit emot personen gäller det: ring dit.",
        "If the receiver has taken the person already, that holds: call them.",
    ),
    "refer_on": ("Ohjaa eteenpäin", "Hänvisa vidare", "Refer on"),
    "refer_where": ("Mille toteuttajalle", "Till vilken genomförare", "To which partner"),
    "agreed_to_tell": (
        "Mitä hänestä saa kertoa (ihmisen luvalla)",
        "Vad som får berättas om personen (med personens tillåtelse)",
        "What the person agreed to have told",
    ),
    "agreed_name": ("nimi tai lempinimi", "namn eller smeknamn", "name or nickname"),
    "agreed_birth_date": ("syntymäaika", "födelsedatum", "birth date"),
    "agreed_identity_code": ("henkilötunnus", "personbeteckning", "identity code"),
    "agreed_start_record": ("aloitusilmoituksen tiedot", "uppgifterna i utgångsblanketten", "what the start form says"),
    "agreed_hint": (
        "Rasti vain se, mihin ihminen on suostunut. Ilman nimeä ketään ei ohjata. Rastit jäävät kirjatuiksi.",
        "Kryssa bara för det som personen har samtyckt till. Utan namn hänvisas ingen. Kryssen sparas.",
        "Tick only what the person has agreed to. Without a name nobody is referred. The ticks are kept on record.",
    ),
    "refer_why": ("Miksi, mitä toivotaan", "Varför, vad som önskas", "Why, and what is hoped for"),
    "refer_why_hint": (
        "Kulkee salattuna vastaanottajalle. Päätoteuttaja ei voi lukea sitä.",
        "Går krypterat till mottagaren. Huvudgenomföraren kan inte läsa det.",
        "Travels encrypted to the receiver. The lead cannot read it.",
    ),
    "send_referral": ("Lähetä", "Skicka", "Send"),
    "refer_from_people": (
        "Ohjaus lähetetään ihmisen kohdalta:",
        "En hänvisning skickas vid personens namn:",
        "A referral is sent from a person's row:",
    ),
    "no_partners": (
        "Yhtään toista toteuttajaa ei ole vielä vahvistettu. Koordinaattori tekee sen sivulla Toteuttajat.",
        "Ingen annan genomförare är bekräftad ännu. Koordinatorn gör det på sidan Genomförare.",
        "No other partner is confirmed yet. The coordinator does that on the page Partners.",
    ),
    "referral_done_sent": ("Ohjaus lähtee.", "Hänvisningen skickas.", "The referral is on its way."),
    "referral_done_accepted": ("Otettu vastaan.", "Mottagen.", "Taken."),
    "referral_done_declined": ("Ei otettu vastaan.", "Inte mottagen.", "Not taken."),
    "referral_done_withdrawn": ("Ohjaus on peruttu.", "Hänvisningen är återtagen.", "The referral is withdrawn."),
    "referral_done_told": ("Lähettäjälle kerrotaan.", "Avsändaren får veta.", "The sender is told."),
    "problem_referral_closed": (
        "Tämä ohjaus on jo ratkaistu tai peruttu. Tässä se on nyt.",
        "Den här hänvisningen är redan avgjord eller återtagen. Så här är den nu.",
        "This referral has been decided or withdrawn already. This is how it stands.",
    ),
    "problem_not_confirmed": (
        "Toisen toteuttajan avaimia ei ole vahvistettu. Koordinaattori tekee sen sivulla Toteuttajat.",
        "Den andra genomförarens nycklar är inte bekräftade. Koordinatorn gör det på sidan Genomförare.",
        "The other partner's keys are not confirmed. The coordinator does that on the page Partners.",
    ),
    "problem_start_date": (
        "Osallistujalla (ESR) on aloituspäivä, hankkeen ajalta eikä tulevaisuudessa.",
        "En deltagare (ESF) har ett startdatum, under projekttiden och inte i framtiden.",
        "A participant (ESF) has a start day, within the project and not in the future.",
    ),
    "problem_born_after_start": (
        "Aloituspäivä on ennen syntymäaikaa, joka meille kerrottiin.",
        "Startdatumet är före det födelsedatum som vi fick veta.",
        "The start day is before the birth date that we were told.",
    ),
    "problem_agreed": (
        "Ketään ei ohjata, jos hän ei ole antanut lupaa kertoa nimeään.",
        "Ingen hänvisas som inte har gett tillåtelse att berätta sitt namn.",
        "Nobody is referred who has not agreed to their name being told.",
    ),
    "problem_reason_long": (
        "Teksti on liian pitkä: enintään 2000 merkkiä.",
        "Texten är för lång: högst 2000 tecken.",
        "The text is too long: at most 2000 characters.",
    ),
    "problem_referral_open": (
        "Tämä toteuttaja ei ole vielä vastannut edelliseen ohjaukseen.",
        "Den här genomföraren har inte svarat på den förra hänvisningen ännu.",
        "This partner has not answered the earlier referral yet.",
    ),
    "problem_referral_refused": (
        "Ohjausta ei voitu lähettää.",
        "Hänvisningen kunde inte skickas.",
        "The referral could not be sent.",
    ),
    # partners
    "partners": ("Toteuttajat", "Genomförare", "Partners"),
    "partners_why": (
        "Lukekaa toisillenne kuusi sanaa puhelimessa tai kasvokkain, ennen kuin ketään ohjataan tai tunnisteavain "
        "annetaan. Niin kukaan välissä ei voi esiintyä toisena.",
        "Läs de sex orden för varandra i telefon eller ansikte mot ansikte innan någon hänvisas eller "
        "igenkänningsnyckeln ges. Så kan ingen däremellan utge sig för någon annan.",
        "Read the six words to each other by telephone or face to face before anybody is referred or the recognition "
        "key is given. So nobody in between can pretend to be the other.",
    ),
    "own_words": ("Meidän kuusi sanaamme", "Våra sex ord", "Our six words"),
    "own_words_hint": (
        "Lue nämä toisille. Niitä ei tarvitse salata.",
        "Läs dessa för de andra. De behöver inte hållas hemliga.",
        "Read these to the others. They need not be kept secret.",
    ),
    "other_nodes": ("Muut", "De andra", "The others"),
    "no_nodes": (
        "Muita ei ole vielä mukana, tai päätoteuttaja ei ole vielä kertonut heistä.",
        "Inga andra är med ännu, eller huvudgenomföraren har inte berättat om dem ännu.",
        "Nobody else is in yet, or the lead has not said so yet.",
    ),
    "node_unconfirmed": ("Odottaa vahvistusta", "Väntar på bekräftelse", "Waiting to be confirmed"),
    "node_confirmed": ("Vahvistettu", "Bekräftad", "Confirmed"),
    "node_changed": (
        "Avaimet ovat vaihtuneet: lukekaa sanat uudelleen",
        "Nycklarna har ändrats: läs orden på nytt",
        "The keys have changed: read the words again",
    ),
    "node_expelled": ("Ei ole enää mukana", "Är inte med längre", "Not in any more"),
    "their_words": ("Heidän kuusi sanaansa", "Deras sex ord", "Their six words"),
    "their_words_hint": (
        "Kirjoita sanat sellaisina kuin kuulet ne, välilyönnein tai viivoin.",
        "Skriv orden så som du hör dem, med mellanslag eller streck.",
        "Type the words as you hear them, with spaces or hyphens.",
    ),
    "confirm_node": ("Vahvista", "Bekräfta", "Confirm"),
    "tag_key": ("Tunnisteavain", "Igenkänningsnyckel", "Recognition key"),
    "tag_key_from": ("Avaimen antaa", "Nyckeln ges av", "The key is given by"),
    "tag_keys_here": ("Täällä: {n}.", "Här: {n}.", "Here: {n}."),
    "tag_key_none": ("Sitä ei ole vielä täällä.", "Den finns inte här ännu.", "It is not here yet."),
    "tag_key_has": ("Tunnisteavain on annettu", "Igenkänningsnyckeln är given", "Has the recognition key"),
    "tag_key_on_its_way": (
        "Tunnisteavain on matkalla",
        "Igenkänningsnyckeln är på väg",
        "The recognition key is on its way",
    ),
    "tag_key_waits": (
        "Saa tunnisteavaimen, kun on vahvistettu",
        "Får igenkänningsnyckeln när den är bekräftad",
        "Is given the recognition key once confirmed",
    ),
    "no_steward": (
        "Hankkeessa ihmiset lasketaan toteuttajittain: avainta ei ole.",
        "I projektet räknas personer per genomförare: det finns ingen nyckel.",
        "The project counts people per partner: there is no key.",
    ),
    "renew_tag_key": ("Tee uusi avain", "Gör en ny nyckel", "Make a new key"),
    "renew_means": (
        "Uusi avain lähtee kaikille vahvistetuille. Vanha jää voimaan, kunnes siitä luovutaan.",
        "Den nya nyckeln går till alla bekräftade. Den gamla gäller tills den ges upp.",
        "The new key goes to all who are confirmed. The old one stays until it is given up.",
    ),
    "retire_tag_key": ("Luovu avaimesta {n}", "Ge upp nyckel {n}", "Give up key {n}"),
    "retire_means": (
        "Vanhan avaimen tunnisteet poistuvat täältä ja muilta. Tee tämä vasta, kun kaikilla on uusi avain.",
        "Den gamla nyckelns märken tas bort här och hos de andra. Gör detta först när alla har den nya nyckeln.",
        "The old key's marks are deleted here and at the others. Do this only when all have the new key.",
    ),
    "partner_done_confirmed": ("Vahvistettu.", "Bekräftad.", "Confirmed."),
    "partner_done_handed": (
        "Vahvistettu; tunnisteavain lähtee.",
        "Bekräftad; igenkänningsnyckeln skickas.",
        "Confirmed; the recognition key is on its way.",
    ),
    "partner_done_renewed": (
        "Uusi avain on käytössä ja lähtee muille.",
        "Den nya nyckeln är i bruk och skickas till de andra.",
        "The new key is in use, and on its way to the others.",
    ),
    "partner_done_retired": ("Avaimesta on luovuttu.", "Nyckeln är uppgiven.", "The key is given up."),
    "problem_words": (
        "Nämä eivät ole sen avainten sanat, jonka päätoteuttaja ilmoittaa. Tarkista kirjoitus. Jos sanat ovat oikein, "
        "älä anna mitään, ja kysy molemmilta.",
        "Det här är inte orden för de nycklar som huvudgenomföraren uppger. Kontrollera stavningen. Om orden är rätt: "
        "ge inget, och fråga båda.",
        "These are not the words of the keys that the lead gives out. Check the spelling. If the words are right, hand "
        "over nothing, and ask both.",
    ),
    "problem_tag_key": (
        "Tätä ei voi tehdä nyt: avain on uusin, tai kaikilla ei ole vielä uutta tunnistetta.",
        "Det här kan inte göras nu: nyckeln är den nyaste, eller alla har inte det nya märket ännu.",
        "This cannot be done now: the key is the newest, or not everybody has the new mark yet.",
    ),
}
