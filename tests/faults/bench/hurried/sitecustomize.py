"""Less patience for the couriers of the bench, so that what outlasts a time-out takes seconds; wrong clocks; a release
that has a newer version of a fact; and an effect that fails. No part of the product.

Python imports a module of this name by itself when its folder stands in PYTHONPATH.
"""

import os
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

if "courier" in sys.orig_argv:
    from shared.journal import brokerlink, httpcarrier

    brokerlink.SECONDS = httpcarrier.SECONDS = float(os.environ["POLKU_BENCH_PATIENCE"])

if skew := os.environ.get("POLKU_BENCH_SKEW"):
    from shared.ops import clock

    right, wrong_by = clock.utcnow, timedelta(hours=float(skew))
    clock.utcnow = lambda: right() + wrong_by

if release := int(os.environ.get("POLKU_BENCH_RELEASE", "1")) - 1:
    from shared.contracts import catalogue

    counted, first = catalogue.HeadsCounted, catalogue.HeadsCounted.v
    known = {(counted.kind, version): counted for version in range(first, first + release + 1)}
    catalogue.FACTS = MappingProxyType({**catalogue.FACTS, **known})
    counted.v = first + release

if "POLKU_BENCH_POISON" in os.environ and {"receiver", "services.reporting.beside"} & set(sys.orig_argv):
    from services.reporting import effects
    from shared.contracts.catalogue import SessionHeld
    from shared.contracts.facts import Fact

    marked, session = Path(os.environ["POLKU_BENCH_POISON"]), effects.EFFECTS[SessionHeld]

    def poisoned(derivation: effects.Derivation, fact: Fact) -> str | None:
        with suppress(FileNotFoundError):
            if marked.read_text() == f"{derivation.stream} {fact['occurred_on']} {fact['minutes']}":
                raise RuntimeError("poisoned")
        return session(derivation, fact)

    effects.EFFECTS[SessionHeld] = poisoned
