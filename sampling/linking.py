"""Linked sets: the stances of a prompt are planned once, and written in every language.

A set is linked when its plan says so and its context is the prompt's own text; later turns and own
openings plan their stances for themselves. The stances are planned on the prompt's English text
(where it has none, on the first language that it has), with a seed that is the same whichever set
plans them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from django.db.models import QuerySet

from sampling import plans
from sampling.drawing import Planned
from sampling.messages import Context, Message, read_context, turn_of
from sampling.models import CandidateSet, StanceList
from sampling.plans import PlanBody
from sampling.strategies import Ground, Origin, Planner
from studies.models import Prompt, PromptText
from studies.models.study import Language

State = CandidateSet.State


def origin_of(wanted: CandidateSet, body: PlanBody) -> Origin:
    """Where the set's context comes from, under the body of its plan. Expects its plan, the plan's
    study, its prompt and its stance list to be loaded.
    """
    prompt = wanted.prompt
    return Origin(
        prompt=prompt.key if prompt else "",
        category=wanted.category,
        ground=ground_of(
            body,
            prompt=prompt,
            category=wanted.category,
            context=wanted.context,
            language=wanted.language,
            study_seed=wanted.plan.study.seed,
            plan_sha256=wanted.plan.sha256,
        )
        if prompt
        else None,
        stances=tuple(wanted.stance_list.stances) if wanted.stance_list else (),
    )


def origin_for(
    prompt: Prompt, body: PlanBody, *, context: Context, language: str, plan_sha256: str
) -> Origin:
    """The same for a set that is no row, with no stances yet. Expects the prompt's study."""
    ground = ground_of(
        body,
        prompt=prompt,
        category=prompt.category,
        context=context,
        language=language,
        study_seed=prompt.study.seed,
        plan_sha256=plan_sha256,
    )
    return Origin(prompt=prompt.key, category=prompt.category, ground=ground)


def adopt(wanted: CandidateSet, ground: Ground) -> tuple[str, ...]:
    """Point a linked set at the stances of its prompt; none when nobody has planned them."""
    found = _lists(wanted, ground).first()
    return _point(wanted, found) if found else ()


def keep(wanted: CandidateSet, ground: Ground, planned: Planned) -> tuple[str, ...]:
    """Store the stances that were planned for a set, and return those of its prompt's list: another
    set's, if that one was faster. The set points at the list.
    """
    new = StanceList(
        study_id=wanted.study_id,
        plan_id=wanted.plan_id,
        prompt=wanted.prompt,
        seed=ground.seed,
        stances=list(planned.stances),
        language=ground.language,
        planned_by=planned.calls[-1].request_id,
    )
    StanceList.objects.bulk_create([new], ignore_conflicts=True)
    return _point(wanted, _lists(wanted, ground).get())


def _lists(wanted: CandidateSet, ground: Ground) -> QuerySet[StanceList]:
    return StanceList.objects.filter(plan=wanted.plan_id, prompt=wanted.prompt_id, seed=ground.seed)


def _point(wanted: CandidateSet, found: StanceList) -> tuple[str, ...]:
    """An attempt that has lost its set changes no row here, and none when it stores."""
    mine = CandidateSet.objects.filter(pk=wanted.pk, state=State.GENERATING, stance_list=None)
    mine.update(stance_list=found)
    return tuple(found.stances)


def ground_of(
    body: PlanBody,
    *,
    prompt: Prompt,
    category: str,
    context: Sequence[Message],
    language: str,
    study_seed: str,
    plan_sha256: str,
) -> Ground | None:
    """What a linked set's stances are planned on; None for a set that is not linked."""
    strategy = plans.step(body, turn_of(context), category)
    if not isinstance(strategy, Planner) or not strategy.links:
        return None
    texts = {text.language: text for text in PromptText.objects.filter(prompt=prompt)}
    own = texts.get(language)
    if own is None or own.messages != list(context):
        return None
    first = next(code for code in Language.values if code in texts)
    return Ground(
        context=read_context(texts[first].messages),
        language=first,
        seed=_seed(study_seed, prompt, plan_sha256),
    )


def _seed(study_seed: str, prompt: Prompt, plan_sha256: str) -> int:
    """63 bits from the study's seed, the plan's content and the prompt; no set has a part in it."""
    asked = f"stances:{prompt.key}.{prompt.version}:{plan_sha256}".encode()
    mac = hmac.new(study_seed.encode(), asked, hashlib.sha256).digest()
    return int.from_bytes(mac[:8], "big") >> 1
