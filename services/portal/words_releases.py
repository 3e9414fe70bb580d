"""What people read of releases, the reports that were frozen; part of `words`."""

RELEASE_WORDS: dict[str, tuple[str, str, str]] = {
    "release": ("Vahvistettu raportti", "Fastställd rapport", "Frozen report"),
    "releases": ("Vahvistetut raportit", "Fastställda rapporter", "Frozen reports"),
    "releases_note": (
        "Päätoteuttaja on vahvistanut nämä raportit: niiden luvut eivät enää muutu, vaikka rivejä tulee lisää. "
        "Komento polku verify TIEDOSTO kertoo, onko JSON-tiedosto jokin näistä.",
        "Huvudgenomföraren har fastställt de här rapporterna: siffrorna ändras inte längre, även om det kommer nya "
        "rader. Kommandot polku verify FIL berättar om en JSON-fil är någon av dem.",
        "The lead has frozen these reports: their figures do not change any more, whatever lines come later. "
        "The command polku verify FILE tells whether a JSON file is one of them.",
    ),
    "released_on": ("Vahvistettu", "Fastställd", "Frozen on"),
    "release_digest": ("Tunniste ja SHA-256", "Beteckning och SHA-256", "Id and SHA-256"),
    "release_follows": ("seuraa raporttia {release}", "följer på rapporten {release}", "follows {release}"),
    "release_files": ("Tiedostot", "Filer", "Files"),
    "release_gone": (
        "tiedosto on kadonnut: palvelin palautettiin vanhemmasta varmuuskopiosta",
        "filen är borta: servern återställdes från en äldre säkerhetskopia",
        "the file is gone: this lead was restored from an older backup",
    ),
}
