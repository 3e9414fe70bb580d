"""Commands about a controller's sample: the lead draws rows behind a figure, the node shows those people's evidence."""

from marshmallow import fields, validate

from shared.contracts.commands import MAX_ITEMS, Command, HexBytes
from shared.contracts.fields import Code, Day, NodeName, Number, ProgrammeKey, PublicKey

MOST_ROWS = 200
"""Of one sample: a controller looks at each on paper."""


BEHIND = ("indicator", "outcome", "step", "encounters")
"""The kinds of figures that rows are behind: of start records, of what became of people, of entries of a step; and
encounters, in which nobody is named."""


def behind(figure: str) -> dict[str, str]:
    """What `DrawSample` asks for a figure as people write it: `co01`, `outcome:education`, `step:outreach`,
    `encounters`."""
    kind, parted, key = figure.partition(":")
    if parted and kind in ("outcome", "step"):
        return {"behind": kind, "indicator": key}
    return {"behind": "encounters" if figure == "encounters" else "indicator", "indicator": figure}


class DrawSample(Command):
    """`reporting.draw_sample`: rows behind a figure of the report on the days `from_` to `to`, as nodes and the
    numbers of lines; nobody is named, not even by a subject. The same `seed` (hex) draws the same rows of the same
    lines; without one it is made and told. `indicator` is that of `behind`: an indicator in small letters, as `co01` or
    `participants_started`; the key of an outcome; that of a step, from the project's first day on; or `encounters`.
    """

    programme = ProgrammeKey(required=True)
    behind = Code(*BEHIND, load_default="indicator")
    indicator = Code(required=True)
    size = Number(1, MOST_ROWS, required=True)
    seed = HexBytes(allow_none=True, load_default=None)
    from_ = Day(allow_none=True, load_default=None)
    to = Day(allow_none=True, load_default=None)


class ShowSample(Command):
    """`intake.show_sample`: what these lines of ours say, by their numbers: the people of start records, outcomes and
    entries of steps, with the evidence of their start and exit records; encounters. Identities come back sealed to
    `reply_to`. Logged as read. Of another `node` nobody is shown.
    """

    programme = ProgrammeKey(required=True)
    node = NodeName(required=True)
    lines = fields.List(Number(1, 2**62), required=True, validate=validate.Length(min=1, max=min(MOST_ROWS, MAX_ITEMS)))
    reply_to = PublicKey(required=True)
