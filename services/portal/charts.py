"""Bar charts as inline SVG: no script, no style attribute, readable in black and white and by a screen reader.

Widths are percentages and heights pixels, so the drawing follows the page's width while its text keeps its size.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

Tone = Literal["sessions", "people", "heads"]
"""What is drawn; a colour of the style sheet goes with each."""

LABEL_CHARACTERS = 40
"""Where a label is broken: what fits beside the margins of a 360 px wide screen."""

_LINE, _BAR, _GAP, _TOP = 18, 20, 16, 4
_WIDEST = 80.0  # per cent; the rest is for the number after the bar


@dataclass(frozen=True)
class Bar:
    """One bar: its label, its value (not negative) and the value as people read it."""

    label: str
    value: float
    shown: str


def bar_chart(
    bars: Sequence[Bar], *, chart_id: str, title: str, tone: Literal["sessions", "people", "heads"]
) -> Markup:
    """A chart of horizontal bars from 0, in the order given; `chart_id` must be unique on the page."""
    widest = max((bar.value for bar in bars), default=0) or 1
    parts: list[Markup] = []
    y = _TOP
    for bar in bars:
        for line in textwrap.wrap(bar.label, LABEL_CHARACTERS) or ["–"]:
            y += _LINE
            parts.append(Markup('<text class="chart-label" x="0" y="{}">{}</text>').format(y - 5, line))
        width = f"{_WIDEST * bar.value / widest:.2f}%"
        parts.append(
            Markup(
                '<rect class="chart-bar chart-{}" x="0" y="{}" width="{}" height="{}"/>'
                '<line class="chart-axis" x1="0" y1="{}" x2="0" y2="{}"/>'
                '<text class="chart-value" x="{}" dx="8" y="{}">{}</text>'
            ).format(tone, y, width, _BAR, y - 2, y + _BAR + 2, width, y + _BAR - 5, bar.shown)
        )
        y += _BAR + _GAP
    height = max(y - _GAP + _TOP, 1)
    said = "; ".join(f"{bar.label}: {bar.shown}" for bar in bars)
    return Markup(
        '<svg class="chart" role="img" aria-labelledby="{id}-title {id}-desc" width="100%" height="{height}">'
        '<title id="{id}-title">{title}</title><desc id="{id}-desc">{said}</desc>{body}</svg>'
    ).format(id=chart_id, height=height, title=title, said=said, body=Markup("").join(parts))
