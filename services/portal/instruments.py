"""Names of instruments, as their own files say them."""

from collections.abc import Mapping
from typing import Any

from services.portal.labels import Label, label_of
from services.portal.words import Lang
from shared.instruments import find_instrument, has_instrument


def instrument_title(document: Mapping[str, Any], key: str, version: str, lang: Lang) -> Label:
    """An instrument's own name, with its version where the project uses several; its code if this release lacks it."""
    if not has_instrument(key, version):
        return Label(f"{key} {version}", None)
    label = label_of(find_instrument(key, version).name, lang, key)
    several = sum(use["key"] == key for use in document.get("instruments") or []) > 1
    return Label(f"{label.text} ({version})", label.lang) if several else label
