"""Start and exit records of the European Social Fund: the forms as data (`deploy/forms/KEY.yaml`), and their rules."""

from shared.forms.files import find_form
from shared.forms.model import Form, Indicator, Question, Result

__all__ = ["Form", "Indicator", "Question", "Result", "find_form"]
