"""What pages say of one row that was left out, while the others were saved; part of `words`."""

REFUSED_WORDS: dict[str, tuple[str, str, str]] = {
    "problem_left_out": (
        "Ei kirjattu, koska käsittelyä on rajoitettu tai suostumus on peruttu: {who}. Muut on tallennettu.",
        "Antecknades inte: behandlingen är begränsad eller samtycket har återkallats: {who}. De andra har sparats.",
        "Not recorded, because processing is restricted or consent was withdrawn: {who}. The others are saved.",
    ),
}
