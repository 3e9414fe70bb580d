"""Synthetic encounters whose heads are exactly a programme's figures; nicknames say that they are made up."""

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from services.node.synthshares import even, shares
from shared.programmes import Programme
from shared.programmes.figures import FigureEncounters

_TIMES = ("10:00", "13:30", "16:00", "19:30", "21:00")


def encounter_rows(
    programme: Programme, figure: FigureEncounters, scale: int, chance: random.Random
) -> Iterator[Sequence[Any]]:
    """Rows of encounters.csv: the figures times `scale`, over the partners and the whole period."""
    number, partners = figure.encounters * scale, programme.synthetic_partners
    weights = [chance.lognormvariate(0, 0.5) for _ in range(number)]
    new = shares(figure.people_new * scale, weights)
    known = shares(figure.people_known * scale, weights[::-1])
    days = (programme.period.end - programme.period.start).days
    whose = [
        partner for partner, count in zip(partners, even(number, len(partners)), strict=True) for _ in range(count)
    ]
    for place, partner in enumerate(whose):
        day = programme.period.start + timedelta(days=chance.randrange(days + 1))
        location = chance.choice(programme.locations) if programme.locations and chance.random() < 0.6 else None
        area = location.area if location and location.area else _one(programme.areas, chance)
        heads = new[place] + known[place]
        women = round(heads * chance.uniform(0.2, 0.7)) if chance.random() < 0.85 else ""
        regulars = [f"synteettinen kävijä {chance.randrange(1, 26):02}" for _ in range(min(known[place], 2))]
        yield (
            *(f"e{place + 1:05}", programme.key, partner, day.isoformat(), chance.choice(_TIMES)),
            *(location.key if location else "", area, chance.choice((1, 2, 2, 3))),
            *(new[place], known[place], women),
            ";".join(programme.languages) if chance.random() < 0.9 else "",
            ";".join(_some(programme.topics, chance)),
            ";".join(_some(programme.services, chance)),
            ";".join(dict.fromkeys(f"{name} {partner}" for name in regulars)) if chance.random() < 0.4 else "",
        )


def _one(things: Sequence[Any], chance: random.Random) -> str:
    return str(chance.choice(things).key) if things and chance.random() < 0.8 else ""


def _some(things: Sequence[Any], chance: random.Random) -> list[str]:
    """None to two of them, in their order."""
    picked = chance.sample(range(len(things)), min(len(things), chance.choice((0, 1, 1, 2))))
    return [things[place].key for place in sorted(picked)]
