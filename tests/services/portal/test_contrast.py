"""The style sheet's colours against WCAG 2.2: text 4.5 to 1, drawings and edges of controls 3 to 1."""

import re

import pytest

from services.portal.rendering import stylesheet

TEXT = [
    ("ink", "page"),
    ("ink", "paper"),
    ("ink", "accent-soft"),
    ("ink", "good-soft"),
    ("ink", "warn-soft"),
    ("ink", "open-soft"),
    ("quiet", "page"),
    ("quiet", "paper"),
    ("quiet", "accent-soft"),
    ("accent", "paper"),
    ("accent", "page"),
    ("accent", "accent-soft"),
    ("paper", "accent"),
    ("people", "paper"),
    ("heads", "paper"),
    ("good", "paper"),
    ("good", "good-soft"),
    ("warn", "paper"),
    ("warn", "warn-soft"),
    ("open", "open-soft"),
    ("bad", "bad-soft"),
]
DRAWN = [
    ("edge", "paper"),
    ("edge", "page"),
    ("bar-sessions", "paper"),
    ("people", "paper"),
    ("heads", "paper"),
    ("accent", "page"),
    ("bad", "page"),
]


def colours() -> dict[str, str]:
    """The colours that the style sheet names."""
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", stylesheet()))


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_formula_gives_the_known_ratios() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize(("text", "ground"), TEXT)
def test_text_can_be_read(text: str, ground: str) -> None:
    assert contrast(colours()[text], colours()[ground]) >= 4.5


@pytest.mark.parametrize(("drawn", "ground"), DRAWN)
def test_drawings_and_controls_can_be_seen(drawn: str, ground: str) -> None:
    assert contrast(colours()[drawn], colours()[ground]) >= 3


def test_every_named_colour_is_checked_and_few_are_used_by_number() -> None:
    checked = {name for pair in TEXT + DRAWN for name in pair}
    assert set(colours()) - checked == {"line"}  # thin lines between rows carry no meaning
    body = stylesheet().split("}", 1)[1]
    assert set(re.findall(r"#[0-9a-f]{3,6}\b", body)) == {"#103d49"}
    assert contrast("#103d49", colours()["paper"]) >= 4.5
