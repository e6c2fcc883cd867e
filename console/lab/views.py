"""The lab's pages. No model is called here: a run is rows, which workers fill."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.views.answering import SeeOther, see_other
from console.lab import showing
from console.lab.forms import BatchForm, LabForm, OneForm
from console.lab.reading import ReadingForm
from sampling import ways
from sampling.lab import asking, figures, marking
from sampling.models import LabRun, ReaderMark
from studies.access_rules import researcher, signed_in
from studies.models import Study
from studies.models.study import Language

RUNS_SHOWN = 12
READ_AT_ONCE = 2  # sets on a page of reading


@require_http_methods(["GET", "POST"])
@never_cache
@researcher
def one(request: HttpRequest) -> HttpResponse:
    """Ask for one prompt's sets side by side; the study's runs; what readers accepted."""
    return _asking_page(request, OneForm, "console/lab/one.html")


@require_http_methods(["GET", "POST"])
@never_cache
@researcher
def batch(request: HttpRequest) -> HttpResponse:
    """Ask for the sets of a sample of the study's prompts."""
    return _asking_page(request, BatchForm, "console/lab/batch.html")


def _asking_page(request: HttpRequest, form_class: type[LabForm], template: str) -> HttpResponse:
    studies = list(Study.objects.filter(memberships__researcher=signed_in(request)))
    study = _chosen(request, studies)
    if study is None:
        return render(request, "console/lab/none.html")
    posted = request.POST if request.method == "POST" else None
    form = form_class(posted, study=study, by=signed_in(request))
    if form.is_valid() and (run := form.ask()):
        return see_other("lab_run", run_id=run.pk)
    runs = LabRun.objects.filter(study=study).select_related("asked_by").order_by("-created_at")
    shares = marking.accepted(ReaderMark.objects.filter(set__run__study=study))
    shown = {
        "form": form,
        "study": study,
        "studies": studies,
        "need_a_plan": ways.need_a_plan(),
        "left_out": asking.ways_left_out(study),
        "runs": runs.counted()[:RUNS_SHOWN],
        "accepted": showing.accepted_rows(shares, marking.plans_by_body(study) if shares else {}),
        "reading": _reading_links(study),
    }
    return render(request, template, shown, status=422 if posted is not None else 200)


@require_GET
@never_cache
@researcher
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """A run as its rows are now; to htmx only the part that changes."""
    found = _run(request, run_id)
    progress = showing.progress_of(found)
    shown: dict[str, object] = {"run": found, "progress": progress, "study": found.study}
    if found.kind == LabRun.Kind.BATCH:
        shown["figures"] = showing.figures_of(figures.of_sets(found.sets.all()))
    else:
        sets = list(found.sets.select_related("endpoint").order_by("place"))
        shown |= {"endpoints": showing.sets_of(sets), "asked": sets[0]}
    shown["reading"] = _reading_links(found.study)
    template = (
        "console/lab/_run.html" if request.headers.get("HX-Request") else "console/lab/run.html"
    )
    return render(request, template, shown)


@require_POST
@researcher
def again(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Ring for a run that stands still. Pressing it twice does no harm."""
    found = _run(request, run_id)
    asking.go_on(found)
    return see_other("lab_run", run_id=found.pk)


@require_http_methods(["GET", "POST"])
@never_cache
@researcher
def reading(request: HttpRequest, slug: str, language: str) -> HttpResponse:
    """Texts in one language to be marked, without a word on who wrote them."""
    reader = signed_in(request)
    study = get_object_or_404(Study, slug=slug, memberships__researcher=reader)
    if language not in Language.values:
        raise Http404
    here = reverse("lab_reading", args=[slug, language])
    posted = request.POST if request.method == "POST" else None
    form = ReadingForm(posted, study=study, language=language, by=reader)
    if posted is not None and form.store():
        return SeeOther(here)
    unread = marking.sets_to_read(study, language=language, by=reader)
    read = marking.sets_read(study, language=language, by=reader)
    chosen = (read if "again" in request.GET else unread)[:READ_AT_ONCE]
    form.show(list(chosen) if posted is None else form.posted_sets())
    shown = {"form": form, "study": study, "text_language": language, "here": here}
    shown |= {"in_words": Language(language).label, "left": unread.count(), "read": read.exists()}
    return render(request, "console/lab/reading.html", shown, status=200 if posted is None else 422)


def _chosen(request: HttpRequest, studies: list[Study]) -> Study | None:
    """The study that the address or the form names, else the newest; None when there is none.

    Raises Http404 for one that is not the researcher's.
    """
    slug = request.POST.get("study") or request.GET.get("study")
    if slug:
        return get_object_or_404(Study, pk__in=[study.pk for study in studies], slug=slug)
    return max(studies, key=lambda study: study.created_at, default=None)


def _run(request: HttpRequest, run_id: UUID) -> LabRun:
    theirs = LabRun.objects.select_related("study", "asked_by")
    return get_object_or_404(theirs, pk=run_id, study__memberships__researcher=signed_in(request))


def _reading_links(study: Study) -> list[tuple[str, str]]:
    """Where the texts of each language are read, for the languages that have any."""
    there = asking.languages_made(study)
    return [
        (str(label), reverse("lab_reading", args=[study.slug, code]))
        for code, label in Language.choices
        if code in there
    ]
