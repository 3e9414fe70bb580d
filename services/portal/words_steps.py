"""What people read of how steps stand, and in notices by e-mail; part of `words`."""

STEP_WORDS: dict[str, tuple[str, str, str]] = {
    "steps_now": ("Vaiheiden tilanne", "Hur stegen står", "How the steps stand"),
    "steps_now_caption": (
        "Kunkin vaiheen tilanne: ketkä siinä ovat olleet tai mitä sen hyväksi on tehty",
        "Hur varje steg står: vem som har varit på det eller vad som har gjorts för det",
        "How each step stands: who has been on it, or what has been done for it",
    ),
    "steps_now_note": (
        "Luvut kertyvät hankkeen alusta. Yksilön vaiheista lasketaan osallistumisia: sama ihminen kahden "
        "toteuttajan toiminnassa on kaksi. Muut vaiheet etenevät tapaamisista ja tuotoksista.",
        "Siffrorna räknas från projektets början. För individens steg räknas deltaganden: samma person hos två "
        "genomförare är två. De andra stegen går framåt genom träffar och produkter.",
        "The figures add up from the project’s first day. Of individual steps they are participations: one person with "
        "two partners is two. The other steps advance by sessions, meetings and products.",
    ),
    "step_state_not_begun": ("ei aloitettu", "inte påbörjat", "not begun"),
    "step_state_going_on": ("käynnissä", "pågår", "going on"),
    "step_state_done": ("valmis", "klart", "done"),
    "step_state_not_set": ("etenemistä ei ole määritelty", "framsteg inte bestämt", "no way to advance was set"),
    "step_state_people": ("ihmiset vaiheessa", "personer på steget", "by the people on it"),
    "step_entered": ("aloittanut: {n}", "gått in på steget: {n}", "entered: {n}"),
    "step_on": ("nyt vaiheessa: {n}", "på steget nu: {n}", "on it now: {n}"),
    "step_paused": ("tauolla: {n}", "på paus: {n}", "paused: {n}"),
    "step_left": ("lopettanut: {n}", "lämnat: {n}", "left: {n}"),
    "step_sessions": (
        "kertoja {n}: {first} – {last}",
        "träffar {n}: {first} – {last}",
        "sessions {n}: {first} – {last}",
    ),
    "step_no_session": ("ei vielä yhtään kertaa", "inga träffar ännu", "no session yet"),
    "product_begun": ("{name}: aloitettu {day}", "{name}: påbörjad {day}", "{name}: begun {day}"),
    "product_finished": ("{name}: valmis {day}", "{name}: klar {day}", "{name}: finished {day}"),
    "product_none": ("{name}: ei aloitettu", "{name}: inte påbörjad", "{name}: not begun"),
    "step_details": ("Mitä on tehty", "Vad som har gjorts", "What has been done"),
    # notices by e-mail
    "notice_one": ("1 tehtävä odottaa", "1 uppgift väntar", "1 task waits"),
    "notice_many": ("{n} tehtävää odottaa", "{n} uppgifter väntar", "{n} tasks wait"),
    "notice_why": (
        "Tämän viestin lähetti Polku. Se tulee enintään kerran päivässä ja vain, kun jokin odottaa.",
        "Det här meddelandet skickades av Polku. Det kommer högst en gång om dagen och bara när något väntar.",
        "This message was sent by Polku. It comes at most once a day, and only when something waits.",
    ),
}
