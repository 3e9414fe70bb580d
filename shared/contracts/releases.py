"""Commands about releases: a report is frozen, listed and read again."""

from shared.contracts.commands import Command, HexBytes, Question
from shared.contracts.fields import Code, EntityId, ProgrammeKey

LANGUAGES = ("fi", "sv", "en")


class MakeRelease(Command):
    """`reporting.make_release`: keep this certified JSON report for ever, as it is, and tell the nodes of it.

    `release` is the random id that stands in the document; the same once more adds nothing. `language` is that of the
    document's labels.
    """

    programme = ProgrammeKey(required=True)
    release = EntityId(required=True)
    language = Code(*LANGUAGES, required=True)
    document = HexBytes(required=True)


class ReadRelease(Question):
    """`reporting.read_release`: the document, the programme's file of then, and a proof to certify other forms by."""

    programme = ProgrammeKey(required=True)
    release = EntityId(required=True)


class ListReleases(Question):
    """`pathways.list_releases` on a node, as far as its lead has told; `reporting.list_releases` on a lead, which says
    of each too whether its document is there."""

    programme = ProgrammeKey(required=True)
