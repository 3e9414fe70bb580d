"""Programmes as data: reading, checking and addressing a programme file (`deploy/programmes/KEY.yaml`)."""

from shared.programmes.checking import check_document, check_file, load_file, parse
from shared.programmes.model import (
    Activity,
    Area,
    FigureGroup,
    Figures,
    Group,
    Location,
    Named,
    Partner,
    Period,
    Programme,
    TargetGroup,
    canonical,
    digest,
)
from shared.programmes.problems import InvalidProgramme, Problem, ProgrammeRefused

__all__ = [
    "Activity",
    "Area",
    "FigureGroup",
    "Figures",
    "Group",
    "InvalidProgramme",
    "Location",
    "Named",
    "Partner",
    "Period",
    "Problem",
    "Programme",
    "ProgrammeRefused",
    "TargetGroup",
    "canonical",
    "check_document",
    "check_file",
    "digest",
    "load_file",
    "parse",
]
