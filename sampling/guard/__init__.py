"""Holds a drawn set against what a candidate may never be, and says so as data."""

from sampling.guard.asked import Asked, asked_of
from sampling.guard.judging import judge
from sampling.guard.mending import mend
from sampling.guard.settings import GuardSettings
from sampling.guard.verdict import Finding, Verdict

__all__ = ["Asked", "Finding", "GuardSettings", "Verdict", "asked_of", "judge", "mend"]
