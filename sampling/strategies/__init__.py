"""The ways of making a candidate set, by name.

`strategy.py` says what a strategy is and what it may do; each module here is one of them. To add
one: a subclass of Strategy with its parameters as fields, and its class in REGISTRY. Those of other
packages (`outside.py`) join it when the plans are loaded.
"""

from sampling.strategies.given import Given
from sampling.strategies.independent import Independent
from sampling.strategies.mix import CommunityAlignment, Mix
from sampling.strategies.multi_model import MultiModel
from sampling.strategies.nc_planned import NcPlanned
from sampling.strategies.nc_sequential import NcSequential
from sampling.strategies.nc_single import NcSingle
from sampling.strategies.nc_structured import NcStructured
from sampling.strategies.persona import Persona
from sampling.strategies.pool import Pool
from sampling.strategies.strategy import (
    STYLES,
    Answer,
    Ask,
    BrokenPlan,
    Caller,
    Draft,
    Drawn,
    Ground,
    Instructed,
    Origin,
    Planner,
    Strategy,
    Style,
    Temperature,
    stamps,
    together,
)
from sampling.strategies.verbalized import Verbalized

REGISTRY: dict[str, type[Strategy]] = {
    "independent": Independent,
    "multi_model": MultiModel,
    "persona": Persona,
    "nc_single": NcSingle,
    "nc_structured": NcStructured,
    "nc_sequential": NcSequential,
    "nc_planned": NcPlanned,
    "verbalized": Verbalized,
    "pool": Pool,
    "given": Given,
    "community_alignment": CommunityAlignment,
    "mix": Mix,
}

__all__ = [
    "REGISTRY",
    "STYLES",
    "Answer",
    "Ask",
    "BrokenPlan",
    "Caller",
    "Draft",
    "Drawn",
    "Ground",
    "Instructed",
    "Origin",
    "Planner",
    "Strategy",
    "Style",
    "Temperature",
    "stamps",
    "together",
]
