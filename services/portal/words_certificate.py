"""What people read of a report's certificate, and of reports as files; part of `words`."""

CERTIFICATE_WORDS: dict[str, tuple[str, str, str]] = {
    "certificate": ("Todistus", "Intyg", "Certificate"),
    "certificate_signed": (
        "Tämän tiedoston lopussa on päätoteuttajan ({lead}) sähköisesti allekirjoittama todistus. "
        "Allekirjoittajan avain kuutena sanana:",
        "I slutet av den här filen finns ett intyg som huvudgenomföraren ({lead}) har undertecknat elektroniskt. "
        "Undertecknarens nyckel som sex ord:",
        "At the end of this file is a certificate that the lead ({lead}) has signed electronically. "
        "The signing key as six words:",
    ),
    "certificate_how": (
        "Tarkista komennolla polku verify TIEDOSTO; siihen ei tarvita tietokantaa eikä verkkoa. "
        "Vertaa kuutta sanaa niihin, jotka päätoteuttaja on itse kertonut.",
        "Kontrollera med kommandot polku verify FIL; det behövs varken databas eller nät. "
        "Jämför de sex orden med dem som huvudgenomföraren själv har uppgett.",
        "Check it with the command polku verify FILE; neither a database nor a network is needed. "
        "Compare the six words with those that the lead itself has told you.",
    ),
    "certificate_unaltered": (
        "Todistus todistaa, ettei tiedosto ole muuttunut sen jälkeen, kun päätoteuttaja allekirjoitti sen.",
        "Intyget bevisar att filen inte har ändrats sedan huvudgenomföraren undertecknade den.",
        "The certificate proves that the file has not changed since the lead signed it.",
    ),
    "certificate_held": (
        "Todistus todistaa, että päätoteuttajalla oli jokaiselta organisaatiolta tavulleen ne rivit, jotka "
        "organisaatio on allekirjoittanut, siihen riviin asti, joka luvuissa on mukana.",
        "Intyget bevisar att huvudgenomföraren från varje organisation hade exakt de rader som organisationen har "
        "undertecknat, till den rad som ingår i siffrorna.",
        "The certificate proves that the lead held, from each organisation and to the byte, the lines that it has "
        "signed, up to the line that is in the figures.",
    ),
    "as_csv": ("Taulukoina (CSV)", "Som tabeller (CSV)", "As tables (CSV)"),
    "as_html": ("Tiedostona (HTML)", "Som fil (HTML)", "As a file (HTML)"),
    "downloads": ("Lataa todistuksen kanssa", "Ladda ner med intyg", "Download with a certificate"),
    # tables of the CSV
    "code": ("Tunnus", "Kod", "Code"),
    "name": ("Nimi", "Namn", "Name"),
    "matter": ("Asia", "Sak", "What"),
    "value": ("Arvo", "Värde", "Value"),
    "programme": ("Hanke", "Projekt", "Project"),
    "first_day": ("Ensimmäinen päivä", "Första dagen", "First day"),
    "last_day": ("Viimeinen päivä", "Sista dagen", "Last day"),
    "whole": ("hankkeen koko aika", "hela projekttiden", "the whole project"),
    "lines_newer": (
        "Uudemmalla Polun versiolla tehtyjä rivejä, eivät mukana",
        "Rader av en nyare version av Polku, ingår inte",
        "Lines of a newer release of Polku, not contained",
    ),
    "lines_refused": (
        "Rivejä, joita ei voitu lukea, eivät mukana",
        "Rader som inte kunde läsas, ingår inte",
        "Lines that could not be read, not contained",
    ),
    "records_unproved": (
        "Aloitustietoja, joita ei ole allekirjoitettu tai muuten vahvistettu",
        "Startuppgifter som inte är undertecknade eller på annat sätt bekräftade",
        "Start records that are not signed or otherwise confirmed",
    ),
    "people_erased": ("Poistettuja ihmisiä", "Raderade personer", "Erased people"),
    "lines_erased": ("Poistettuja rivejä", "Raderade rader", "Erased lines"),
    "confirmed_day": ("Vahvistettu", "Bekräftad", "Confirmed"),
    "epoch": ("Historia nro", "Historik nr", "Epoch"),
    "heard_at": ("Viimeksi kuultu", "Senast hörd", "Last heard from"),
}
