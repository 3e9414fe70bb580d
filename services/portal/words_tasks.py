"""What people read of tasks and proposals; part of `words`."""

TASK_WORDS: dict[str, tuple[str, str, str]] = {
    "open_tasks": ("Tehtävät", "Uppgifter", "Tasks"),
    "tasks_total": ("Avoimia tehtäviä {n}", "Öppna uppgifter: {n}", "Open tasks: {n}"),
    "no_tasks": ("Mikään ei odota.", "Inget väntar.", "Nothing waits."),
    "task_due": ("Viimeistään", "Senast", "Due"),
    "task_late": ("myöhässä", "försenad", "late"),
    "task_close": ("Merkitse", "Markera", "Mark as"),
    "task_save": ("Tallenna", "Spara", "Save"),
    "task_marked": ("Tehtävä on merkitty.", "Uppgiften är markerad.", "The task is marked."),
    "task_done": ("tehty", "gjord", "done"),
    "task_reason_not_needed": ("ei tarpeen", "behövs inte", "not needed"),
    "task_reason_done_elsewhere": ("tehty muualla", "gjord annanstans", "done elsewhere"),
    "task_reason_refused": ("ihminen ei halua", "personen vill inte", "the person does not want it"),
    "task_reason_not_reached": ("ihmistä ei tavoiteta", "personen nås inte", "the person cannot be reached"),
    "task_reason_has_left": ("ihminen on lopettanut", "personen har slutat", "the person has left"),
    "task_reason_mistake": ("virheellinen kirjaus", "felaktig anteckning", "recorded by mistake"),
    "problem_task_how": (
        "Valitse, miten tehtävä päättyi.",
        "Välj hur uppgiften avslutades.",
        "Choose how the task has ended.",
    ),
    "problem_task_closed": (
        "Tehtävä oli jo merkitty toisin. Katso lista uudelleen.",
        "Uppgiften var redan markerad på annat sätt. Se listan på nytt.",
        "The task had been marked otherwise already. Look at the list again.",
    ),
    "proposals": ("Ehdotukset", "Förslag", "Proposals"),
    "proposals_note": (
        "Hankkeen ehdot täyttyvät {n} kertaa. Päätös on työntekijän ja ihmisen itsensä.",
        "Projektets villkor är uppfyllda {n} gånger. Beslutet är medarbetarens och personens eget.",
        "The project’s conditions are met {n} times. It is for the worker and the person to decide.",
    ),
    "proposal": ("Ehdotus", "Förslag", "Proposal"),
    "proposal_enter": ("voi aloittaa", "kan börja", "may enter"),
    "proposal_complete": ("on valmis", "är klar", "is done"),
    "proposal_since": ("Alkaen", "Sedan", "Since"),
}
