"""Deliberately broken receivers, for the tests of the bench: `POLKU_BROKEN` says which. No part of the product.

Python imports a module of this name by itself when its folder stands in PYTHONPATH. Each break is one that the bench
must find: it moves what makes a crash harmless to the wrong side of the commit, and takes its time in between.
"""

import os
import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path

PAUSE_SECONDS = 0.5
"""Between the two halves: as on a slow disk."""


def break_receipts() -> None:
    """The receipt is written before the lines are committed."""
    from shared.journal.carrier import RECEIPT
    from shared.journal.receiving import Receiver
    from shared.journal.statements import Receipt, write_receipt

    right = Receiver._decide_batch

    def wrong(self, work, **how):  # type: ignore[no-untyped-def]
        for arrival in work.batch:
            if arrival.segment and arrival.lines:
                at = arrival.segment.header
                says = Receipt(at.stream, at.epoch, at.last, at.chain, self._incarnation, work.now, "0" * 32)
                self.carrier.write(self.channel(at.stream), RECEIPT, write_receipt(says, self.signer))
                time.sleep(PAUSE_SECONDS)
        right(self, work, **how)

    Receiver._decide_batch = wrong  # type: ignore[method-assign]


def break_cursor() -> None:
    """The cursor of the figures is committed before the effects are."""
    from sqlalchemy import select

    from services.reporting import operations, store
    from shared.journal.lines import chain_start
    from shared.storage import transaction

    right = operations._derive_stream

    def where(connection, stream):  # type: ignore[no-untyped-def]
        at = connection.execute(select(store.cursor).where(store.cursor.c.stream == stream)).one_or_none()
        return (at.epoch, at.seq, at.chain) if at else (1, 0, chain_start(stream))

    def wrong(source, connection, stream):  # type: ignore[no-untyped-def]
        before = where(connection, stream)
        with connection.begin_nested() as effect:
            right(source, connection, stream)
            after = where(connection, stream)
            effect.rollback()
        store.set_cursor(connection, stream, *after)
        effects.append((stream, before))

    def derive(engine, *enough):  # type: ignore[no-untyped-def]
        more = derived(engine, *enough)
        time.sleep(PAUSE_SECONDS if effects else 0)
        for stream, before in effects:
            with transaction(engine) as connection:
                store.set_cursor(connection, stream, *before)
                right(connection, connection, stream)
        effects.clear()
        return more

    effects: list[tuple[str, tuple[int, int, bytes]]] = []
    derived = operations.derive
    operations._derive_stream = wrong
    operations.derive = derive


def break_effects() -> None:
    """A line whose effect fails is passed over."""
    from services.reporting.effects import EFFECTS, Derivation
    from shared.contracts.facts import Fact

    def quiet(effect: Callable[[Derivation, Fact], str | None]) -> Callable[[Derivation, Fact], str | None]:
        def wrong(derivation: Derivation, fact: Fact) -> str | None:
            try:
                return effect(derivation, fact)
            except Exception:
                return None

        return wrong

    for fact, effect in list(EFFECTS.items()):
        EFFECTS[fact] = quiet(effect)


BREAKS = {
    "effect_passed_over": break_effects,
    "receipt_before_commit": break_receipts,
    "cursor_before_effect": break_cursor,
}

runpy.run_path(str(Path(__file__).parents[1] / "hurried" / "sitecustomize.py"))  # of this name there can be only one
if os.environ.get("POLKU_BROKEN") and {"receiver", "services.reporting.beside"} & set(sys.orig_argv):
    BREAKS[os.environ["POLKU_BROKEN"]]()
