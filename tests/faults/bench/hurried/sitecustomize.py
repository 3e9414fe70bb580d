"""Less patience for the couriers of the bench, so that what outlasts a time-out takes seconds; and wrong clocks.
No part of the product.

Python imports a module of this name by itself when its folder stands in PYTHONPATH.
"""

import os
import sys
from datetime import timedelta

if "courier" in sys.orig_argv:
    from shared.journal import brokerlink, httpcarrier

    brokerlink.SECONDS = httpcarrier.SECONDS = float(os.environ["POLKU_BENCH_PATIENCE"])

if skew := os.environ.get("POLKU_BENCH_SKEW"):
    from shared.ops import clock

    right, wrong_by = clock.utcnow, timedelta(hours=float(skew))
    clock.utcnow = lambda: right() + wrong_by
