"""What people read where something is taken back that was recorded by mistake. Part of the table in `words`."""

MISTAKE_WORDS: dict[str, tuple[str, str, str]] = {
    "mistake_removed": ("Kirjaus on poistettu.", "Registreringen är borttagen.", "The record has been removed."),
    "outcomes_recorded": ("Kirjatut tulokset", "Antecknade utfall", "Recorded outcomes"),
    "mistake_means": (
        "Kirjaus poistuu myös hankkeen luvuista. Tehtävät, jotka se avasi tai päätti, jäävät ennalleen.",
        "Registreringen försvinner också ur projektets siffror. Uppgifter som den öppnade eller avslutade blir kvar "
        "som de är.",
        "The record goes from the project's figures too. Tasks that it opened or ended stay as they are.",
    ),
}
