"""The README of an archive, in three languages."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from services.portal.formats import day
from services.portal.words import LANGS, Lang
from shared.ops.clock import parse_wire_time, today_in_helsinki

_PURPOSES = {
    "esf_record": (
        "rahoittajan aloitus- ja lopetustiedot",
        "finansiärens start- och slutuppgifter",
        "the fund's records",
    ),
    "support": ("työ ihmisten kanssa", "arbetet med personerna", "working with people"),
    "measurement": ("miten ihmisillä menee", "hur personerna mår", "how people fare"),
}
_NOT_SAID = (
    "hanketiedosto ei kerro: katso päätöstä",
    "projektfilen säger det inte: se beslutet",
    "the programme file does not say: see the grant decision",
)
_LEAD_WORD = ("päätoteuttaja", "huvudgenomförare", "lead")
_MONTHS = ("{n} kk lopettamisesta", "{n} mån. efter avslutet", "{n} months after leaving")
_NODE = (
    """{programme}: toteuttajan {partner} arkisto, tehty {day}.

documents/  hanketiedoston versiot, lomakkeet ja mittarit, joita käytettiin
lead/       mitä päätoteuttaja on lähettänyt ja kuitannut
evidence/   raportointikaudet, mitä jäi kesken ja miksi, ilman ihmisiä
personal/   HENKILÖTIETOJA: rivit ihmisistä ja näytöstä (csv/; polku import lukee ne takaisin),
            näyttöluettelo, rivit allekirjoitettuina
            Käsittelyn rajoitus (tietosuoja-asetus, 18 artikla): rivit erikseen (restricted/, restricted.csv).
            Lue ne takaisin vasta, kun rajoitus voidaan heti asettaa uudelleen (polku person restrict).

Vain kansiossa personal/ on henkilötietoja. Säilytä se lukittuna ja poista se viimeistään: {until}.
Ilman sitä arkisto on edelleen eheä. Kirjoitettuja tekstejä (keskustelut, suunnitelmat) ei arkistoida.

Kuka säilyttää, mitä ja mihin asti:
{kept}

Tarkistus: polku verify KANSIO
""",
    """{programme}: genomförarens {partner} arkiv, gjort {day}.

documents/  projektfilens versioner, blanketter och mätare som användes
lead/       vad huvudgenomföraren har sänt och kvitterat
evidence/   rapporteringsperioder, vad som lämnades öppet och varför, utan personer
personal/   PERSONUPPGIFTER: rader om personer och underlag (csv/; polku import läser dem tillbaka),
            lista över underlag, raderna som de undertecknades
            Begränsad behandling (dataskyddsförordningen, artikel 18): raderna för sig (restricted/, restricted.csv).
            Läs dem tillbaka först när begränsningen genast kan sättas på nytt (polku person restrict).

Bara mappen personal/ har personuppgifter. Håll den låst och radera den senast: {until}.
Utan den är arkivet fortfarande helt. Skrivna texter (samtal, planer) arkiveras inte.

Vem sparar vad, och hur länge:
{kept}

Kontroll: polku verify MAPP
""",
    """{programme}: archive of the partner {partner}, made {day}.

documents/  versions of the programme file, forms and instruments that were used
lead/       what the lead has sent and receipted
evidence/   reporting periods, what was left open and why, without people
personal/   PERSONAL DATA: rows about people and their evidence (csv/; polku import reads them back),
            the evidence list, the lines as they were signed
            Restricted processing (GDPR, article 18): the rows apart (restricted/, restricted.csv).
            Read them back only where the restriction is set again at once (polku person restrict).

Only the folder personal/ holds personal data. Keep it locked and delete it by: {until}.
Without it the archive is still whole. Texts that were typed (talks, plans) are not archived.

Who keeps what, until when:
{kept}

Check: polku verify FOLDER
""",
)
_LEAD = (
    """{programme}: päätoteuttajan arkisto, tehty {day}. Siinä ei ole henkilötietoja eikä ihmisten tunnuksia.

reports/    jokaisen raportointikauden ja koko hankkeen raportit todistuksineen (JSON, HTML, CSV);
            release-…: vahvistetut raportit sellaisina kuin ne vahvistettiin (releases.json)
documents/  hanketiedoston versiot
partners.*  toteuttajat ja kunkin viimeinen rivi, joka päätoteuttajalla on

Kuka säilyttää, mitä ja mihin asti:
{kept}

Tarkistus: polku verify KANSIO, ja jokainen raportti: polku verify TIEDOSTO
""",
    """{programme}: huvudgenomförarens arkiv, gjort {day}. Det har inga personuppgifter och inga koder för personer.

reports/    rapporter för varje rapporteringsperiod och för hela projektet, med intyg (JSON, HTML, CSV);
            release-…: fastställda rapporter som de fastställdes (releases.json)
documents/  projektfilens versioner
partners.*  genomförarna och den sista raden av var och en som huvudgenomföraren har

Vem sparar vad, och hur länge:
{kept}

Kontroll: polku verify MAPP, och varje rapport: polku verify FIL
""",
    """{programme}: archive of the lead, made {day}. It holds no personal data and no codes of people.

reports/    reports of every period and of the whole project, with certificates (JSON, HTML, CSV);
            release-…: frozen reports as they were frozen (releases.json)
documents/  versions of the programme file
partners.*  the partners, and the last line of each that the lead has

Who keeps what, until when:
{kept}

Check: polku verify FOLDER, and each report: polku verify FILE
""",
)
_LACKING = (
    "EI KOKONAINEN: {n} riviä, jotka päätoteuttajalla on, puuttuu. Oma Polku on palautettu varmuuskopiosta.\n\n",
    "INTE HELT: {n} rader som huvudgenomföraren har saknas. Er Polku har återställts från en säkerhetskopia.\n\n",
    "NOT WHOLE: {n} lines that the lead has are not here. Your Polku was restored from a backup.\n\n",
)


def readme(role: str, lang: Lang, said: Mapping[str, Any]) -> str:
    """The README of this role's archive; `said` is the manifest."""
    place = LANGS.index(lang)
    text = (_LEAD if role == "lead" else _NODE)[place]
    kept = "\n".join(f"- {_kept(row, role, lang)}" for row in said["kept"])
    made = today_in_helsinki(parse_wire_time(said["made_at"]))
    until = day(date.fromisoformat(said["personal_until"]), lang) if said.get("personal_until") else _NOT_SAID[place]
    lacking = _LACKING[place].format(n=said["lacking"]) if said.get("lacking") else ""
    return lacking + text.format(
        programme=said["programme"], partner=said.get("partner"), day=day(made, lang), kept=kept, until=until
    )


def _kept(row: Mapping[str, Any], role: str, lang: Lang) -> str:
    place = LANGS.index(lang)
    times = [day(date.fromisoformat(row["keep_until"]), lang)] if row["keep_until"] else []
    times += [_MONTHS[place].format(n=row["keep_months"])] if row["keep_months"] is not None else []
    law = f" ({row['law']})" if row["law"] else ""
    who = _LEAD_WORD[place] if role == "lead" else row["who"]
    return f"{who}: {_PURPOSES[row['purpose']][place]}: {' / '.join(times) or _NOT_SAID[place]}{law}"
