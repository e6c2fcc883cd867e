"""How candidates come to be: endpoints, plans, arms, sets, candidates, calls and seats; the lab.

A candidate set keeps the messages it was asked with and knows no turn: a turn points at its set.
"""

from sampling.models.candidate import Candidate, CandidateScore, ModelCall
from sampling.models.candidate_set import CandidateSet, Seat
from sampling.models.endpoint import Endpoint
from sampling.models.lab import LabRun, LabSet, ReaderMark
from sampling.models.plan import Arm, Plan, PlanEndpoint, StanceList
from sampling.models.tokens import TokenBudget, TokenUse

__all__ = [
    "Arm",
    "Candidate",
    "CandidateScore",
    "CandidateSet",
    "Endpoint",
    "LabRun",
    "LabSet",
    "ModelCall",
    "Plan",
    "PlanEndpoint",
    "ReaderMark",
    "Seat",
    "StanceList",
    "TokenBudget",
    "TokenUse",
]
