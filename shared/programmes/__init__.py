"""Programmes as data: reading, checking and addressing a programme file (`deploy/programmes/KEY.yaml`)."""

from shared.documents.values import Named, canonical, digest
from shared.programmes.checking import check_document, check_file, load_file, parse
from shared.programmes.figures import FigureGroup, FigureOutcome, Figures
from shared.programmes.model import (
    Activity,
    Area,
    Asking,
    Group,
    InstrumentUse,
    Location,
    Partner,
    Period,
    Programme,
    Tagging,
    TargetGroup,
    Topic,
)
from shared.programmes.problems import InvalidProgramme, Problem, ProgrammeRefused
from shared.programmes.workflow import (
    Condition,
    Outcome,
    Product,
    ReportingPeriod,
    Step,
    TaskRule,
    WorkArea,
)

__all__ = [
    "Activity",
    "Area",
    "Asking",
    "Condition",
    "FigureGroup",
    "FigureOutcome",
    "Figures",
    "Group",
    "InstrumentUse",
    "InvalidProgramme",
    "Location",
    "Named",
    "Outcome",
    "Partner",
    "Period",
    "Problem",
    "Product",
    "Programme",
    "ProgrammeRefused",
    "ReportingPeriod",
    "Step",
    "Tagging",
    "TargetGroup",
    "TaskRule",
    "Topic",
    "WorkArea",
    "canonical",
    "check_document",
    "check_file",
    "digest",
    "load_file",
    "parse",
]
