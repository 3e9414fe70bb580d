"""The forms of this distribution: `deploy/forms/KEY.yaml`, one per funding period."""

from functools import cache
from pathlib import Path

from shared.forms.checking import load_file
from shared.forms.model import Form

DIRECTORY = Path(__file__).resolve().parents[2] / "deploy" / "forms"


@cache
def find_form(funding_programme: str) -> Form:
    """The form of a programme's `funding_programme`, read once. Raises `InvalidForm` if its file is damaged."""
    return load_file(DIRECTORY / f"{funding_programme}.yaml")
