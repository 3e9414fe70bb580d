"""The instruments of this distribution: `deploy/instruments/KEY.VERSION.yaml`."""

from functools import cache
from pathlib import Path

from shared.contracts.errors import UnknownInstrument
from shared.contracts.fields import CODE
from shared.instruments.checking import load_file
from shared.instruments.model import Instrument

DIRECTORY = Path(__file__).resolve().parents[2] / "deploy" / "instruments"


def has_instrument(key: str, version: str) -> bool:
    """Whether this release has the instrument in that version."""
    return all(CODE.fullmatch(word) for word in (key, version)) and _file(key, version).is_file()


@cache
def find_instrument(key: str, version: str) -> Instrument:
    """The instrument in that version, read once. Raises `UnknownInstrument`, or `InvalidInstrument` if its file is
    damaged."""
    if not has_instrument(key, version):
        raise UnknownInstrument(field="instrument", instrument=key, version=version)
    return load_file(_file(key, version))


def _file(key: str, version: str) -> Path:
    return DIRECTORY / f"{key}.{version}.yaml"
