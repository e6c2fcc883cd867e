"""Opening a study: everything that must be there is looked at, and every plan is frozen first."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from annotation.breaking_off import drop_sets_of_closed_studies
from annotation.models import PromptCell
from sampling.endpoints import resolve
from sampling.errors import EndpointMisconfigured
from sampling.models import Arm, Endpoint, Plan
from studies import launching
from studies.consenting import CONVERSATIONS
from studies.launching import TransitionRefused
from studies.models import Cohort, PromptText, Study
from studies.panels import panel_of

# What people are told before they agree, by the field of the study file that says it.
TOLD = {
    "minutes": "how long a sitting takes",
    "pay": "what is paid",
    "contact": "whom to ask about the study",
}


@transaction.atomic
def open_study(*, study: Study, by: str, unrehearsed_because: str = "") -> Study:
    """Freeze the study's plans and open it. Raises TransitionRefused with every reason not to."""
    if reasons := tuple(_reasons_against(study)):
        raise TransitionRefused(*reasons)
    freeze_plans(study)
    return launching.open_study(study=study, by=by, unrehearsed_because=unrehearsed_because)


@transaction.atomic
def reopen(*, study: Study, by: str, reason: str = "") -> Study:
    """The same after a pause."""
    if reasons := tuple(_reasons_against(study)):
        raise TransitionRefused(*reasons)
    freeze_plans(study)
    return launching.reopen(study=study, by=by, reason=reason)


@transaction.atomic
def close(*, study: Study, by: str, reason: str = "") -> Study:
    """End the study for good, and drop the sets that nobody will see any more.

    A sweep drops what is asked for at this very moment. Raises TransitionRefused unless the study
    is open or paused.
    """
    closed = launching.close(study=study, by=by, reason=reason)
    drop_sets_of_closed_studies()
    return closed


def all_warnings(study: Study) -> Iterator[str]:
    """What to know before a study opens here: of the study, and of this installation."""
    yield from warnings_about(study)
    yield from _uncallable_endpoints(study)


def warnings_about(study: Study) -> Iterator[str]:
    """What does not keep a study from opening, and would rather be known before."""
    for cohort in study.cohorts.order_by("slug"):
        shares = list(cohort.arms.filter(share__gt=0).values_list("share", flat=True))
        parts = sum(shares)
        cells = PromptCell.objects.filter(cohort=cohort, retired_at=None).order_by("overlap")
        for overlap in cells.values_list("overlap", flat=True).distinct():
            if len(shares) > 1 and overlap % parts:
                yield (
                    f"Cohort {cohort.slug}: the overlap {overlap} is no multiple of the {parts}"
                    " parts of its arms, so that no prompt gets each arm by its share."
                )

    if study.kind == Study.Kind.REAL:
        yield from _untold(study)


def _uncallable_endpoints(study: Study) -> Iterator[str]:
    """Endpoints that the environment gives no address or key here, or does not allow, in words."""
    for row in Endpoint.objects.filter(plan_endpoints__plan__arms__cohort__study=study).distinct():
        try:
            resolve(row)
        except EndpointMisconfigured as fault:
            yield f"No answers will come from {row.name}: {fault.message}."


def _untold(study: Study) -> Iterator[str]:
    """What people would want to know before they agree, and to be asked."""
    newest = study.versions.order_by("-n").values_list("body", flat=True).first() or {}
    for field, told in TOLD.items():
        if not newest.get(field):
            yield f"People are not told {told}: the study file has no `{field}`."
    asking = study.consent_documents.filter(version=newest.get("consent_version", 1))
    if not asking.filter(purposes__contains=[CONVERSATIONS]).exists():
        yield (
            "People are not asked whether their conversations may be sent and kept, which may tell"
            f" what they believe: `{CONVERSATIONS}` is not among the purposes of the consent."
        )
    if newest.get("own_prompt_share"):
        yield from _helpless(study, (newest.get("own_prompts") or {}).get("helplines") or {})
    serving = Endpoint.objects.filter(plan_endpoints__plan__arms__cohort__study=study, operator="")
    for name in serving.order_by("name").values_list("name", flat=True).distinct():
        yield f"People are not told who runs the endpoint {name}: it has no `operator`."
    yield from _unpaid_checks(newest)


def _unpaid_checks(body: Mapping[str, Any]) -> Iterator[str]:
    """A failed check is paid, which a panel must be told in a way of its own."""
    tutorial = body.get("tutorial") or {}
    if not (tutorial.get("check") or tutorial.get("reading")):
        return
    for name, said in (body.get("panels") or {}).items():
        panel = panel_of(name, said)
        if not {**panel.codes, **panel.urls}.get("quality_term"):
            yield (
                f"Whoever fails the check is paid, and goes back to {name} with nothing: its"
                " `codes` have no `quality_term`."
            )


def _helpless(study: Study, helplines: Collection[str]) -> Iterator[str]:
    """Countries where somebody who writes of hurting themselves is told of nobody to talk to."""
    for country in study.cohorts.order_by("country").values_list("country", flat=True).distinct():
        if country not in helplines:
            yield (
                f"People in {country} open conversations with words of their own, and the study"
                " file names no `helplines` there."
            )


def freeze_plans(study: Study) -> None:
    Plan.objects.filter(study=study, frozen_at=None).update(frozen_at=timezone.now())


def _reasons_against(study: Study) -> Iterator[str]:
    if not study.versions.exists():
        yield "The study has no rules: load a study file."
    cohorts = Cohort.objects.filter(study=study).order_by("slug")
    if not cohorts:
        yield "The study has no cohort: load a study file."
    arms = Arm.objects.filter(cohort=OuterRef("pk"), share__gt=0)
    for cohort in cohorts.exclude(Exists(arms)):
        yield f"Cohort {cohort.slug} has no arm: give it a plan."
    cells = PromptCell.objects.filter(cohort=OuterRef("pk"), retired_at=None)
    for cohort in cohorts.exclude(Exists(cells)):
        yield f"Cohort {cohort.slug} has no prompts."
    yield from _unreadable_prompts(study)


def _unreadable_prompts(study: Study) -> Iterator[str]:
    texts = PromptText.objects.filter(
        prompt=OuterRef("prompt"), language=OuterRef("cohort__language")
    )
    cells = PromptCell.objects.filter(study=study, retired_at=None).exclude(Exists(texts))
    for cell in cells.select_related("prompt", "cohort"):
        language = cell.cohort.get_language_display()
        yield f"Prompt {cell.prompt.key} has no text in {language}, for cohort {cell.cohort.slug}."
