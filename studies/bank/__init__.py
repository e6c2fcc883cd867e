"""Questions and a tutorial that come with the program, in every language of the data.

A study file names a bank and what it takes from it; what it took is written into the study's own
rows, so that a study stays as it was when a bank changes.
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from studies.questions import AnyQuestion, read_questions

FOLDER = Path(__file__).parent
QUESTIONS = ("community_alignment",)
TUTORIALS = ("everyday",)


@cache
def questions(name: str) -> dict[str, AnyQuestion]:
    """The questions of a bank by key, in its order. KeyError for a name not in QUESTIONS."""
    if name not in QUESTIONS:
        raise KeyError(name)
    return {question.key: question for question in read_questions(_read(name)["questions"])}


@cache
def value_sets(name: str) -> dict[str, dict[str, str]]:
    """Question -> stored value -> what the data set of that name calls it; KeyError as above."""
    if name not in QUESTIONS:
        raise KeyError(name)
    sets: dict[str, dict[str, str]] = _read(name)["value_sets"]
    return sets


@cache
def tutorial(name: str) -> dict[str, Any]:
    """The fields of a tutorial. KeyError for a name that is not in TUTORIALS."""
    if name not in TUTORIALS:
        raise KeyError(name)
    return _read(f"tutorial_{name}")


def _read(name: str) -> dict[str, Any]:
    with (FOLDER / f"{name}.yaml").open(encoding="utf-8") as file:
        found: dict[str, Any] = yaml.safe_load(file)
    return found
