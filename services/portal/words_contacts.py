"""The words of how a person is reached, and the texts that a worker sends, which reveal nothing to others."""

CONTACT_WORDS: dict[str, tuple[str, str, str]] = {
    "contact": ("Yhteystiedot", "Kontaktuppgifter", "How to reach them"),
    "contact_links": ("Ota yhteyttä", "Ta kontakt", "Get in touch"),
    "contact_call": ("Soita", "Ring", "Call"),
    "contact_message": ("Tekstiviesti", "Textmeddelande", "Text message"),
    "contact_email": ("Sähköposti", "E-post", "E-mail"),
    "contact_preferred": ("toivottu tapa", "önskat sätt", "preferred"),
    "contact_none": ("Ei yhteystietoja.", "Inga kontaktuppgifter.", "No contact details."),
    "contact_protected": (
        "Turvakielto: yhteystietoja ei säilytetä.",
        "Spärrmarkering: kontaktuppgifter sparas inte.",
        "Protected address: no contact details are kept.",
    ),
    "contact_died": (
        "Hän on kuollut: yhteystietoja ei näytetä.",
        "Personen har avlidit: kontaktuppgifter visas inte.",
        "The person has died: contact details are not shown.",
    ),
    "contact_restricted": (
        "Tietojen käsittelyä on rajoitettu: yhteystietoja ei näytetä.",
        "Behandlingen är begränsad: kontaktuppgifterna visas inte.",
        "Processing is restricted: contact details are not shown.",
    ),
    "contact_texts": (
        "Viestissä ei lue hanketta eikä asiaa: puhelinta voi lukea muukin. Lisää oma nimesi.",
        "Meddelandet nämner varken projekt eller ärende: andra kan läsa telefonen. Lägg till ditt namn.",
        "The message names neither project nor matter: others may read the phone. Add your own name.",
    ),
    "phone": ("Puhelin", "Telefon", "Phone"),
    "email": ("Sähköposti", "E-post", "E-mail"),
    "contact_way": ("Toivottu tapa", "Önskat sätt", "Preferred way"),
    "contact_language": ("Yhteydenpidon kieli", "Kontaktspråk", "Contact language"),
    "contact_any": ("Ei väliä", "Spelar ingen roll", "No matter"),
    "contact_unknown": ("Ei tiedossa", "Okänt", "Not known"),
    "contact_noted": (
        "Yhteystiedot on tallennettu.",
        "Kontaktuppgifterna är sparade.",
        "The contact details are saved.",
    ),
    "problem_phone": (
        "Puhelinnumero: 5–15 numeroa, alussa + tai 0.",
        "Telefonnummer: 5–15 siffror, i början + eller 0.",
        "A phone number: 5 to 15 digits, beginning with + or 0.",
    ),
    "problem_email": ("Tarkista sähköpostiosoite.", "Kontrollera e-postadressen.", "Check the e-mail address."),
    "problem_contact_changed": (
        "Joku muu muutti yhteystietoja juuri. Katso ne uudelleen.",
        "Någon annan ändrade kontaktuppgifterna just nu. Se dem på nytt.",
        "Somebody else has just changed the contact details. Look at them again.",
    ),
    "text_subject": ("Yhteydenotto", "Kontakt", "Getting in touch"),
    "text_call_me": (
        "Hei! Voisitko ottaa minuun yhteyttä, kun sinulle sopii? Voit vastata tähän tai soittaa.",
        "Hej! Kan du kontakta mig när det passar dig? Du kan svara på det här eller ringa.",
        "Hello! Could you get in touch with me when it suits you? You can answer this or call.",
    ),
    "text_how_are_you": (
        "Hei! Soittaisin sinulle mielelläni ja kysyisin, mitä sinulle kuuluu. Mikä päivä ja aika sopisi?",
        "Hej! Jag skulle gärna ringa dig och fråga hur du har det. Vilken dag och tid passar?",
        "Hello! I would like to call you and ask how you are. Which day and time would suit you?",
    ),
    "text_our_meeting": (
        "Hei! Muistutan tapaamisestamme {day}. Kerrothan, jos et pääse.",
        "Hej! En påminnelse om vår träff {day}. Säg gärna till om du inte kan komma.",
        "Hello! A reminder of our meeting on {day}. Please tell me if you cannot come.",
    ),
}
