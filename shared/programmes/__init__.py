"""Programmes as data: reading, checking and addressing a programme file (`deploy/programmes/KEY.yaml`)."""

from shared.documents.values import Named, canonical, digest
from shared.programmes.checking import check_document, check_file, load_file, parse
from shared.programmes.model import (
    Activity,
    Area,
    FigureGroup,
    Figures,
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
    FigureOutcome,
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
