"""The synthetic study itself: its cohorts, prompts and cells, and the loop that fills it."""

import hashlib
import json
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from annotation.models import PromptCell
from exports.synthetic.conversations import Place, converse
from exports.synthetic.rolls import K, Rolls
from sampling.models import Arm, Endpoint, Plan, PlanEndpoint
from studies.models import Cohort, Prompt, PromptText, Study, StudyVersion

PLACES = (("US", "en"), ("FR", "fr"), ("IT", "it"), ("BR", "pt"), ("IN", "hi"))
PROMPTS = 500
OVERLAP = 1_000_000


def synthesize(*, seed: int, comparisons: int) -> Study:
    """Store a closed study of kind `test` with exactly that many comparisons, or nothing.

    Raises ValueError when the same seed and number were used before: their rows are there.
    """
    slug = f"synthetic-{seed}-{comparisons}"
    if Study.objects.filter(slug=slug).exists():
        raise ValueError(f"{slug} is there already: use it, or choose another seed")
    rolls = Rolls(seed)
    with transaction.atomic():
        study = make_study(slug=slug, seed=seed)
        plan = make_plan(study)
        prompts = make_prompts(study=study, count=min(PROMPTS, comparisons))
        places = [
            make_place(plan=plan, prompts=prompts, rolls=rolls, where=where) for where in PLACES
        ]
        left = comparisons
        while left > 0:
            left -= converse(version=study.versions.get(), places=places, rolls=rolls, at_most=left)
        Study.objects.filter(pk=study.pk).update(state=Study.State.CLOSED)
    return study


def make_study(*, slug: str, seed: int) -> Study:
    study = Study.objects.create(slug=slug, kind=Study.Kind.TEST, seed=f"{seed:032x}")
    body = {"title": {"en": "Synthetic study"}, "turns": {"min": 1, "max": 4}}
    source = json.dumps(body)
    StudyVersion.objects.create(
        study=study,
        n=1,
        body=body,
        source=source,
        sha256=hashlib.sha256(source.encode()).hexdigest(),
        frozen_at=timezone.now(),
    )
    return study


def make_plan(study: Study) -> Plan:
    endpoint, _ = Endpoint.objects.get_or_create(
        name="synthetic",
        defaults={
            "kind": Endpoint.Kind.SIMULATED,
            "base_url": "$SIMULATED_URL",
            "model": "synthetic",
            "seats": 64,
        },
    )
    plan = Plan.objects.create(
        study=study, study_kind=study.kind, version="independent.1", body={"k": K}, sha256="0" * 64
    )
    PlanEndpoint.objects.create(
        plan=plan,
        study_kind=study.kind,
        rank=0,
        endpoint=endpoint,
        endpoint_kind=endpoint.kind,
    )
    return plan


def make_prompts(*, study: Study, count: int) -> list[Prompt]:
    return Prompt.objects.bulk_create(
        Prompt(study=study, key=f"prompt-{n:04}", category="everyday") for n in range(count)
    )


def make_place(
    *, plan: Plan, prompts: Sequence[Prompt], rolls: Rolls, where: tuple[str, str]
) -> Place:
    """A cohort with an arm, and a cell and a text for every prompt."""
    country, language = where
    study = plan.study
    cohort = Cohort.objects.create(
        study=study, slug=f"{country}-{language}".lower(), country=country, language=language
    )
    arm = Arm.objects.create(study=study, cohort=cohort, name="main", plan=plan)
    texts = [rolls.words(12) for _ in prompts]
    PromptText.objects.bulk_create(
        PromptText(prompt=prompt, language=language, messages=[{"role": "user", "content": text}])
        for prompt, text in zip(prompts, texts, strict=True)
    )
    cells = PromptCell.objects.bulk_create(
        PromptCell(
            study=study,
            cohort=cohort,
            prompt=prompt,
            overlap=OVERLAP,
            shuffle_key=rolls.random.random(),
        )
        for prompt in prompts
    )
    prompt_texts = {cell.pk: text for cell, text in zip(cells, texts, strict=True)}
    return Place(cohort=cohort, arm=arm, plan=plan, prompts=prompt_texts)
