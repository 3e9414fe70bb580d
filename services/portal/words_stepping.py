"""What people read on the page of a person's steps; part of `words`."""

STEPPING_WORDS: dict[str, tuple[str, str, str]] = {
    "steps_on": ("Nyt vaiheessa", "På steget nu", "On now"),
    "steps_on_none": ("Ei missään vaiheessa.", "Inte på något steg.", "On no step."),
    "steps_earlier": ("Aiemmin", "Tidigare", "Earlier"),
    "step_since": ("{day} alkaen", "sedan {day}", "since {day}"),
    "step_away_since": ("tauolla {day} alkaen", "på paus sedan {day}", "paused since {day}"),
    "step_away": ("tauolla {since} – {until}", "på paus {since} – {until}", "paused {since} – {until}"),
    "step_choose": ("Valitse vaihe", "Välj ett steg", "Choose a step"),
    "step_enter": ("Aloita vaihe", "Börja ett steg", "Begin a step"),
    "step_past": ("Kirjaa aika vaiheessa", "Anteckna en tid på ett steg", "Record a time on a step"),
    "step_past_hint": (
        "Hän on lopettanut hankkeessa, joten aika on päättynyt viimeistään silloin. Jos kirjattu aika on väärä, poista "
        "se ensin alta ja kirjaa oikea tähän.",
        "Personen har slutat i projektet, så tiden tog slut senast då. Om en antecknad tid är fel, ta först bort den "
        "nedan och anteckna den rätta här.",
        "The person has left the project, so the time ended then at the latest. If a recorded time is wrong, remove it "
        "below first, and record the right one here.",
    ),
    "step_leave": ("Päätä vaihe", "Avsluta steget", "End the step"),
    "step_pause": ("Tauolle", "Ta paus", "Pause"),
    "step_return": ("Palasi tauolta", "Tillbaka från pausen", "Back from the pause"),
    "step_tap_enter": ("Aloita tänään", "Börja i dag", "Begin today"),
    "step_tap_leave": ("Päätä tänään", "Avsluta i dag", "End today"),
    "proposal_take": ("Tee", "Gör", "Do it"),
    "step_done_enter": ("Vaihe on aloitettu.", "Steget har börjat.", "The step has begun."),
    "step_done_past": ("Aika on kirjattu.", "Tiden är antecknad.", "The time is recorded."),
    "step_done_leave": ("Vaihe on päätetty.", "Steget är avslutat.", "The step has ended."),
    "step_done_pause": ("Tauko on merkitty.", "Pausen är antecknad.", "The pause is noted."),
    "step_done_return": ("Paluu on merkitty.", "Återkomsten är antecknad.", "The return is noted."),
    "problem_step_day": (
        "Valitse päivä, joka on hankkeen aikana eikä ole tulevaisuudessa.",
        "Välj en dag under projektet som inte ligger i framtiden.",
        "Choose a day within the project that is not in the future.",
    ),
    "problem_step_taken": (
        "Ihminen on silloin jo tässä vaiheessa tai toisessa, jota ei voi tehdä yhtä aikaa. Mitään ei tallennettu.",
        "Personen är då redan på det här steget eller på ett annat som inte kan pågå samtidigt. Inget sparades.",
        "The person is on this step then, or on another that cannot go on at the same time. Nothing was saved.",
    ),
    "problem_step_left": (
        "Ihminen on lopettanut hankkeessa. Kirjaa ensin, milloin hän palasi. Mitään ei tallennettu.",
        "Personen har slutat i projektet. Anteckna först när personen kom tillbaka. Inget sparades.",
        "The person has left the project. Note first when they came back. Nothing was saved.",
    ),
    "problem_step_past": (
        "Aika menee päällekkäin toisen kirjatun ajan tai tauon kanssa tai päättyy lopettamisen jälkeen. Mitään ei "
        "tallennettu.",
        "Tiden överlappar en annan antecknad tid eller en paus, eller slutar efter det att personen slutade. Inget "
        "sparades.",
        "The time overlaps another recorded one or a pause, or ends after the person left. Nothing was saved.",
    ),
    "problem_step_condition": (
        "Hankkeen ehto vaiheelle ei täyty vielä sinä päivänä. Mitään ei tallennettu.",
        "Projektets villkor för steget är inte uppfyllt den dagen. Inget sparades.",
        "The project’s condition for the step is not met on that day. Nothing was saved.",
    ),
    "problem_step_leave": (
        "Vaihe ei voi päättyä ennen kuin se on alkanut eikä ennen viimeistä taukoa. Mitään ei tallennettu.",
        "Steget kan inte sluta innan det har börjat eller före den senaste pausen. Inget sparades.",
        "The step cannot end before it has begun, nor before the last pause. Nothing was saved.",
    ),
    "problem_step_pause": (
        "Ihminen ei ole vaiheessa sinä päivänä tai on silloin jo tauolla. Mitään ei tallennettu.",
        "Personen är inte på steget den dagen eller är redan på paus. Inget sparades.",
        "The person is not on the step on that day, or is away already. Nothing was saved.",
    ),
    "problem_step_return": (
        "Paluu ei voi olla ennen taukoa eikä samaan aikaan kuin vaihe, jota ei voi tehdä yhtä aikaa. "
        "Mitään ei tallennettu.",
        "Återkomsten kan inte vara före pausen och inte samtidigt med ett steg som utesluter det här. Inget sparades.",
        "Nobody returns before the pause, or while on a step that cannot go on at the same time. Nothing was saved.",
    ),
    "problem_step_changed": (
        "Joku on muuttanut vaihetta tällä välin. Mitään ei tallennettu; katso tilanne alta.",
        "Någon har ändrat steget under tiden. Inget sparades; se läget nedan.",
        "Somebody has changed the step meanwhile. Nothing was saved; see below how it stands.",
    ),
}
