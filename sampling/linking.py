"""Linked sets: the stances of a prompt are planned once, and written in every language.

A set is linked when its plan says so and its context is the prompt's own text; later turns and own
openings plan their stances for themselves. The stances are planned on the prompt's English text
(where it has none, on the first language that it has), with a seed that is the same whichever set
plans them.
"""

from __future__ import annotations

import hashlib
import hmac

from django.db.models import QuerySet

from sampling import plans
from sampling.drawing import Planned
from sampling.messages import read_context, turn_of
from sampling.models import CandidateSet, StanceList
from sampling.strategies import Ground, Origin, Planner
from studies.models import Prompt, PromptText
from studies.models.study import Language

State = CandidateSet.State


def origin_of(wanted: CandidateSet) -> Origin:
    """Where the set's context comes from. Expects its plan, the plan's study, its prompt and its
    stance list to be loaded.
    """
    prompt = wanted.prompt
    return Origin(
        prompt=prompt.key if prompt else "",
        category=wanted.category,
        ground=_ground(wanted, prompt) if prompt else None,
        stances=tuple(wanted.stance_list.stances) if wanted.stance_list else (),
    )


def adopt(wanted: CandidateSet) -> None:
    """Point a linked set at the stances of its prompt, where somebody has planned them."""
    if wanted.stance_list is not None or wanted.prompt is None:
        return
    ground = _ground(wanted, wanted.prompt)
    found = ground and _lists(wanted, ground.seed).first()
    if found:
        _point(wanted, found)


def keep(wanted: CandidateSet, planned: Planned) -> None:
    """Store the stances planned for a set and point it at its prompt's list: at another set's,
    if that one was faster.
    """
    ground, prompt = origin_of(wanted).ground, wanted.prompt
    if ground is None or prompt is None:
        raise ValueError(f"set {wanted.pk} is not linked")
    new = StanceList(
        study_id=wanted.study_id,
        plan_id=wanted.plan_id,
        prompt=prompt,
        seed=ground.seed,
        stances=list(planned.stances),
        language=ground.language,
        planned_by=planned.calls[-1].request_id,
    )
    StanceList.objects.bulk_create([new], ignore_conflicts=True)
    _point(wanted, _lists(wanted, ground.seed).get())


def _lists(wanted: CandidateSet, seed: int) -> QuerySet[StanceList]:
    return StanceList.objects.filter(plan=wanted.plan_id, prompt=wanted.prompt_id, seed=seed)


def _point(wanted: CandidateSet, found: StanceList) -> None:
    """An attempt that has lost its set finds no row here, and none when it stores."""
    mine = CandidateSet.objects.filter(pk=wanted.pk, state=State.GENERATING, stance_list=None)
    mine.update(stance_list=found)
    wanted.stance_list = found


def _ground(wanted: CandidateSet, prompt: Prompt) -> Ground | None:
    """What a linked set's stances are planned on; None for a set that is not linked."""
    turn = turn_of(wanted.context)
    strategy = plans.step(plans.read(wanted.plan.body), turn, wanted.category)
    if not isinstance(strategy, Planner) or not strategy.links:
        return None
    texts = {text.language: text for text in PromptText.objects.filter(prompt=prompt)}
    own = texts.get(wanted.language)
    if own is None or own.messages != wanted.context:
        return None
    language = next(code for code in Language.values if code in texts)
    context = read_context(texts[language].messages)
    return Ground(context=context, language=language, seed=_seed(wanted, prompt))


def _seed(wanted: CandidateSet, prompt: Prompt) -> int:
    """63 bits from the study's seed, the plan's content and the prompt; no set has a part in it."""
    asked = f"stances:{prompt.key}.{prompt.version}:{wanted.plan.sha256}".encode()
    mac = hmac.new(wanted.plan.study.seed.encode(), asked, hashlib.sha256).digest()
    return int.from_bytes(mac[:8], "big") >> 1
