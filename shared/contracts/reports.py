"""Questions to the lead: the report, its certificate, whether everything has arrived."""

from shared.contracts.commands import HexBytes, Question
from shared.contracts.fields import Day, Digest, ProgrammeKey


class AskReport(Question):
    """`reporting.report`: figures of days `from_` to `to`, both included; None: from the beginning, to the end."""

    programme = ProgrammeKey(required=True)
    from_ = Day(allow_none=True, load_default=None)
    to = Day(allow_none=True, load_default=None)


class CertifyReport(Question):
    """`reporting.certify`: the certificate of a file with this SHA-256 (its certificate left out), written from figures
    that came with `proof`."""

    proof = HexBytes(required=True)
    digest = Digest(required=True)


class AskCompleteness(Question):
    """`reporting.completeness`: of one programme, or of all."""

    programme = ProgrammeKey(allow_none=True, load_default=None)
