"""How often a process looks for cycles of garbage. Loads nothing: `polku` asks before it knows what it is."""

import gc


def collect_seldom() -> None:
    """Look for cycles seldom: loading, and a batch, make ten thousands of objects that live on, and looking through
    them all the time takes a tenth of the processor and finds nothing."""
    gc.set_threshold(50_000)
