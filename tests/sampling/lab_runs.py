"""Short ways to runs of the lab, for its tests."""

from typing import Any

from sampling import plans
from sampling.lab import asking
from sampling.lab.asking import Question, Way
from sampling.models import Endpoint, LabRun
from studies.models import Membership, Researcher, Study
from tests import factories


def way(strategy: str = "independent") -> Way:
    return Way(strategy, plans.of_strategy(strategy))


def question(text: str = "What matters most to you?", language: str = "en") -> Question:
    return Question(({"role": "user", "content": text},), language)


def member(study: Study) -> Researcher:
    """A researcher of the study: the one that it has, else a new one."""
    found = Membership.objects.filter(study=study).select_related("researcher").first()
    return found.researcher if found else factories.researcher(study)


def asked(*endpoints: Endpoint, study: Study | None = None, **traits: Any) -> LabRun:
    """A run of independent draws for one question, on the given endpoints."""
    owner = study or factories.study()
    by = traits.pop("by", None) or member(owner)
    traits = {"kind": LabRun.Kind.ONE, "questions": [question()], "ways": [way()], **traits}
    return asking.ask(study=owner, by=by, endpoints=endpoints or [factories.endpoint()], **traits)
