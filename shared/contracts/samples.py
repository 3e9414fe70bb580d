"""Commands about a controller's sample: the lead draws rows behind a figure, the node shows those people's evidence."""

from marshmallow import fields, validate

from shared.contracts.commands import MAX_ITEMS, Command, HexBytes
from shared.contracts.fields import Code, Day, NodeName, Number, ProgrammeKey, PublicKey

MOST_ROWS = 200
"""Of one sample: a controller looks at each on paper."""


class DrawSample(Command):
    """`reporting.draw_sample`: rows behind an indicator of the report on the days `from_` to `to`, as nodes and the
    numbers of lines; nobody is named, not even by a subject. The same `seed` (hex) draws the same rows of the same
    lines; without one it is made and told. `indicator` in small letters, as `co01` or `participants_started`.
    """

    programme = ProgrammeKey(required=True)
    indicator = Code(required=True)
    size = Number(1, MOST_ROWS, required=True)
    seed = HexBytes(allow_none=True, load_default=None)
    from_ = Day(allow_none=True, load_default=None)
    to = Day(allow_none=True, load_default=None)


class ShowSample(Command):
    """`intake.show_sample`: the people of these start records of ours, by the numbers of their lines, with the evidence
    of their start and exit records; identities come back sealed to `reply_to`. Logged as read. Of another `node` nobody
    is shown.
    """

    programme = ProgrammeKey(required=True)
    node = NodeName(required=True)
    lines = fields.List(Number(1, 2**62), required=True, validate=validate.Length(min=1, max=min(MOST_ROWS, MAX_ITEMS)))
    reply_to = PublicKey(required=True)
