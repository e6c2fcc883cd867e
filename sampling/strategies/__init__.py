"""The ways of making a candidate set, by name.

`strategy.py` says what a strategy is and what it may do; each module here is one of them. To add
one: a subclass of Strategy with its parameters as fields, and its class in REGISTRY.
"""

from sampling.strategies.independent import Independent
from sampling.strategies.mixing import CommunityAlignment, Mix
from sampling.strategies.nc_single import NcSingle
from sampling.strategies.nc_structured import NcStructured
from sampling.strategies.persona import Persona
from sampling.strategies.strategy import (
    Answer,
    Ask,
    Caller,
    Draft,
    Drawn,
    Ground,
    Origin,
    Strategy,
    Style,
    together,
)

REGISTRY: dict[str, type[Strategy]] = {
    "independent": Independent,
    "persona": Persona,
    "nc_single": NcSingle,
    "nc_structured": NcStructured,
    "community_alignment": CommunityAlignment,
    "mix": Mix,
}

__all__ = [
    "REGISTRY",
    "Answer",
    "Ask",
    "Caller",
    "Draft",
    "Drawn",
    "Ground",
    "Origin",
    "Strategy",
    "Style",
    "together",
]
