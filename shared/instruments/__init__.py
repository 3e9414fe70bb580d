"""Instruments as data: what people are asked and how scores follow from it (`deploy/instruments/KEY.VERSION.yaml`).

An instrument is pinned: what a version says never changes once it is released, a change is a new version beside it.
"""

from shared.instruments.checking import check_file, load_file, parse
from shared.instruments.files import find_instrument, has_instrument
from shared.instruments.model import Instrument, Item, Scale

__all__ = ["Instrument", "Item", "Scale", "check_file", "find_instrument", "has_instrument", "load_file", "parse"]
