"""The lab's pages: who may see them, what can be asked, and what a run looks like."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from console.lab.forms import MOST_LETTERS
from sampling import single_set
from sampling.canonical import fingerprint_text
from sampling.errors import EndpointUnavailable
from sampling.lab.making import _wish
from sampling.models import LabRun, LabSet, ReaderMark
from studies.models import Audit, Researcher
from tests import factories
from tests.factories import World
from tests.sampling.lab_runs import asked, member, question, way

pytestmark = pytest.mark.django_db

HOSTILE = '<script>alert(1)</script> & "quoted" <img src=x onerror=alert(2)>'
CANDIDATES = [f"Answer {slot} in words of its own." for slot in range(4)]
GUARD: dict[str, Any] = {
    "passed": True,
    "findings": [{"measure": "language", "action": "mark", "slots": [1], "said": "in French"}],
    "measured": {},
    "notes": [],
    "earlier": [],
}


def signed_in(researcher: Researcher) -> Client:
    client = Client()
    client.force_login(researcher)
    return client


def lab_world(**traits: Any) -> World:
    """A study whose plan has an endpoint, and a prompt in English."""
    world = factories.world(**traits)
    member(world.study)
    return world


def run_of(world: World, **traits: Any) -> LabRun:
    return asked(world.endpoint, study=world.study, **traits)


def finish(run: LabRun, *, texts: list[str] = CANDIDATES, seconds: float = 2.5) -> None:
    """Every set of the run ready, with these texts, as a worker would have stored it."""
    candidates = [
        {"slot": slot, "text": text, "finish_reason": "stop", "n_tokens": 7, "provenance": {}}
        for slot, text in enumerate(texts)
    ]
    told = {
        "state": "ready",
        "reason": None,
        "candidates": candidates,
        "calls": [{"usage": {"completion_tokens": 28}}],
        "guard": GUARD,
        "diversity": {"distance": 0.81, "words": [7, 7, 8, 9]},
        "seconds": seconds,
    }
    run.sets.update(state="ready", result=told, ended_at=timezone.now())


def fail(run: LabRun) -> None:
    for row in run.sets.all():
        told = single_set.failed_as_json(_wish(row), EndpointUnavailable("refused"))
        LabSet.objects.filter(pk=row.pk).update(
            state="failed", result=told, ended_at=timezone.now()
        )


def form(world: World, **changes: Any) -> dict[str, Any]:
    return {
        "study": world.study.slug,
        "text": "Should I lend money to my brother?",
        "prompt": "",
        "language": "en",
        "ways": ["independent", "persona"],
        "endpoints": [world.endpoint.name],
        **changes,
    }


# --- who may see what -----------------------------------------------------------------------------

PAGES = [
    ("get", "/console/lab/"),
    ("post", "/console/lab/"),
    ("get", "/console/lab/batch/"),
    ("post", "/console/lab/batch/"),
    ("get", "/console/lab/{run}/"),
    ("post", "/console/lab/{run}/again/"),
    ("get", "/console/lab/reading/{study}/en/"),
    ("post", "/console/lab/reading/{study}/en/"),
]
FOREIGN = {
    "/console/lab/?study={study}",
    "/console/lab/batch/?study={study}",
    "/console/lab/{run}/",
    "/console/lab/reading/{study}/en/",
}


@pytest.mark.parametrize(("method", "page"), PAGES)
def test_nobody_sees_the_lab_without_signing_in(client: Client, method: str, page: str) -> None:
    address = page.format(run=uuid.uuid4(), study="any")

    response = getattr(client, method)(address)

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("page", sorted(FOREIGN))
def test_what_belongs_to_a_study_is_not_there_for_others(page: str) -> None:
    world = lab_world()
    address = page.format(run=run_of(world).pk, study=world.study.slug)
    member_of_it, other = member(world.study), factories.researcher(factories.world().study)

    assert signed_in(member_of_it).get(address).status_code == 200
    assert signed_in(other).get(address).status_code == 404


def test_others_can_neither_ask_for_a_study_nor_ring_for_its_runs_nor_mark_its_texts() -> None:
    world = lab_world()
    run = run_of(world)
    finish(run)
    stranger = signed_in(factories.researcher(factories.world().study))
    field = f"verdict-{run.sets.get().pk}-0"

    answers = [
        stranger.post("/console/lab/", form(world)),
        stranger.post(f"/console/lab/{run.pk}/again/"),
        stranger.post(f"/console/lab/reading/{world.study.slug}/en/", {field: "acceptable"}),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert LabRun.objects.count() == 1
    assert not ReaderMark.objects.exists()


def test_an_endpoint_of_somebody_elses_study_cannot_be_chosen() -> None:
    world, other = lab_world(), factories.world()

    response = signed_in(member(world.study)).post(
        "/console/lab/", form(world, endpoints=[other.endpoint.name])
    )

    assert response.status_code == 422
    assert not LabRun.objects.exists()


def test_a_researcher_without_studies_is_told_so() -> None:
    page = signed_in(factories.researcher()).get("/console/lab/").content.decode()

    assert "You belong to no study yet." in page


# --- asking ---------------------------------------------------------------------------------------


def test_making_sets_leads_to_the_run_whose_sets_are_waiting() -> None:
    world = lab_world()

    response = signed_in(member(world.study)).post("/console/lab/", form(world))

    run = LabRun.objects.get()
    assert response.status_code == 303
    assert response["Location"] == f"/console/lab/{run.pk}/"
    assert list(run.sets.order_by("place").values_list("way", "state")) == [
        ("independent", "waiting"),
        ("persona", "waiting"),
    ]


def test_a_prompt_of_the_study_and_a_plan_of_it_can_be_picked() -> None:
    world = lab_world()
    key, plan = world.prompts[0].key, f"{world.study.slug}/{world.plan.version}"

    signed_in(member(world.study)).post(
        "/console/lab/", form(world, text="", prompt=key, ways=[plan])
    )

    row = LabSet.objects.get()
    assert (row.prompt_key, row.way, row.strategy) == (key, plan, "independent")
    assert row.context == world.prompts[0].texts.get().messages


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"text": ""}, "Type a prompt, or pick one"),
        ({"prompt": "PICKED"}, "not both"),
        ({"text": "", "prompt": "PICKED", "language": "hi"}, "does not have this prompt"),
        ({"ways": []}, "Choose at least one."),
        ({"endpoints": []}, "Choose at least one."),
        ({"text": "a\x00b"}, "Null characters are not allowed."),
        ({"text": "x" * (MOST_LETTERS + 1)}, "at most 4000 characters"),
        ({"language": "xx"}, "not one of the available choices"),
        ({"ways": ["mix"]}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_asked_is_said_and_the_text_is_kept(
    changes: dict[str, Any], said: str
) -> None:
    world = lab_world()
    picked = {key: world.prompts[0].key for key, value in changes.items() if value == "PICKED"}

    response = signed_in(member(world.study)).post(
        "/console/lab/", form(world, **{**changes, **picked})
    )

    page = response.content.decode()
    assert response.status_code == 422
    assert said in page
    if "text" not in changes:
        assert "Should I lend money to my brother?</textarea>" in page
    assert not LabRun.objects.exists()


def test_a_batch_asks_each_way_in_each_language_for_the_drawn_prompts() -> None:
    world = lab_world(state="draft")
    for _ in range(3):
        factories.prompt(world.study, languages=("en", "fr"))
    asks = form(world, n="3", seed="1", languages=["en", "fr"])

    response = signed_in(member(world.study)).post("/console/lab/batch/", asks)

    run = LabRun.objects.get()
    keys = set(run.sets.values_list("prompt_key", flat=True))
    assert response.status_code == 303
    assert run.kind == "batch"
    assert len(keys) == 3
    assert run.sets.filter(language="en").count() == 6


def test_a_batch_of_too_much_is_refused_with_the_number() -> None:
    world = lab_world(state="draft")
    for _ in range(40):
        factories.prompt(world.study, languages=("en", "fr", "it", "pt", "hi"))
    ways = ["independent", "persona", "nc_single"]
    asks = form(world, n="40", seed="1", languages=["en", "fr", "it", "pt", "hi"], ways=ways)

    response = signed_in(member(world.study)).post("/console/lab/batch/", asks)

    assert response.status_code == 422
    assert "more than 400" in response.content.decode()


# --- a run ----------------------------------------------------------------------------------------


def shown(run: LabRun, **headers: str) -> str:
    page = signed_in(run.asked_by).get(f"/console/lab/{run.pk}/", headers=headers)
    return page.content.decode()


def test_a_run_that_is_being_made_says_how_far_and_looks_again() -> None:
    run = run_of(lab_world(), ways=[way(), way("persona")])

    page = shown(run)

    assert "0 of 2 sets made" in page
    assert '<meta http-equiv="refresh" content="5">' in page
    assert 'hx-trigger="every 3s"' in page


def test_a_run_that_is_over_rests() -> None:
    run = run_of(lab_world())
    finish(run)

    page = shown(run)

    assert "1 of 1 set made" in page
    assert "http-equiv" not in page
    assert "hx-trigger" not in page


def test_what_htmx_gets_is_the_part_of_the_page_that_changes() -> None:
    run = run_of(lab_world())
    finish(run)

    page, part = shown(run), shown(run, HX_Request="true")

    assert part.startswith('\n<div id="run"') or part.lstrip().startswith('<div id="run"')
    assert part.strip() in page


def test_a_ready_set_shows_texts_seconds_tokens_wording_and_what_the_guard_found() -> None:
    run = run_of(lab_world())
    finish(run)

    page = shown(run)

    for said in (*CANDIDATES, "<dd>2.5</dd>", "<dd>28</dd>", "<dd>0.81</dd>"):
        assert said in page
    assert "in French" in page.partition("Only marked:")[2]


def test_a_failed_endpoint_is_a_state_with_its_reason_and_no_text() -> None:
    run = run_of(lab_world())
    fail(run)

    page = shown(run)

    assert 'data-state="failed"' in page
    assert "The model could not be reached." in page
    assert "1 failed" in page
    assert 'class="texts"' not in page


def test_what_a_model_wrote_is_text_and_never_markup() -> None:
    world = lab_world()
    run = run_of(world, questions=[question(HOSTILE)])
    finish(run, texts=[HOSTILE, *CANDIDATES[1:]])
    reader = signed_in(run.asked_by)

    pages = [
        shown(run),
        reader.get(f"/console/lab/reading/{world.study.slug}/en/").content.decode(),
    ]

    for page in pages:
        assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2
        assert "<script>alert" not in page
        assert "<img" not in page


def test_a_run_that_stands_still_can_be_rung_for_and_others_cannot_be_seen_to() -> None:
    run = run_of(lab_world())
    assert "Go on making sets" not in shown(run)
    LabRun.objects.update(created_at=timezone.now() - timedelta(minutes=1))

    page = shown(run)
    response = signed_in(run.asked_by).post(f"/console/lab/{run.pk}/again/")

    assert "Go on making sets" in page
    assert response["Location"] == f"/console/lab/{run.pk}/"


def test_a_batch_is_a_picture_and_a_table_for_each_endpoint() -> None:
    world = lab_world()
    questions = [question(language=language) for language in ("en", "fr")]
    run = run_of(world, kind=LabRun.Kind.BATCH, questions=questions, ways=[way(), way("persona")])
    finish(run)

    page = shown(run)

    assert page.count("<svg viewBox=") == 5
    assert page.count("<circle") == 5 * 4
    assert page.count('<th scope="row">') == 4
    assert "100%" in page
    assert "21–100 · 1/1" in page
    assert " style=" not in page


def test_a_batch_of_which_nothing_is_made_yet_shows_only_its_progress() -> None:
    run = run_of(lab_world(), kind=LabRun.Kind.BATCH)

    page = shown(run)

    assert "0 of 1 set made" in page
    assert "<figure" not in page


def test_a_batch_whose_endpoint_failed_has_figures_without_measures() -> None:
    run = run_of(lab_world(), kind=LabRun.Kind.BATCH)
    fail(run)

    page = shown(run)

    assert "0–79 · 0/1" in page
    assert page.count("<circle") == 1


@pytest.mark.parametrize("kind", list(LabRun.Kind))
def test_the_queries_of_a_run_do_not_grow_with_its_sets(
    kind: LabRun.Kind, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    questions = [question(f"Question {number}?") for number in range(12)]
    run = run_of(lab_world(), kind=kind, questions=questions, ways=[way(), way("persona")])
    finish(run)
    client = signed_in(run.asked_by)

    with django_assert_max_num_queries(8):
        client.get(f"/console/lab/{run.pk}/")


def test_the_queries_of_the_lab_do_not_grow_with_its_runs(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    world = lab_world()
    for _ in range(5):
        run_of(world)
    client = signed_in(member(world.study))

    with django_assert_max_num_queries(14):
        client.get("/console/lab/")


# --- readers --------------------------------------------------------------------------------------


def read(world: World, fields: dict[str, str], *, by: Researcher | None = None) -> Any:
    address = f"/console/lab/reading/{world.study.slug}/en/"
    return signed_in(by or member(world.study)).post(address, fields)


def test_a_reader_sees_texts_and_not_who_wrote_them() -> None:
    world = lab_world()
    run = run_of(world, ways=[way("persona")])
    finish(run)

    page = signed_in(run.asked_by).get(f"/console/lab/reading/{world.study.slug}/en/")

    text = page.content.decode()
    assert all(one in text for one in CANDIDATES)
    assert "persona" not in text
    assert world.endpoint.name not in text


def test_a_mark_keeps_the_text_by_its_hash_and_the_plan_by_its_own() -> None:
    world = lab_world()
    run = run_of(world)
    finish(run)
    row = run.sets.get()

    response = read(
        world, {f"verdict-{row.pk}-1": "invented", f"note-{row.pk}-1": "zork is no word"}
    )

    mark = ReaderMark.objects.get()
    assert response.status_code == 303
    assert (mark.slot, mark.verdict, mark.note) == (1, "invented", "zork is no word")
    assert mark.text_sha256 == fingerprint_text(CANDIDATES[1])
    assert (mark.plan_sha256, mark.language) == (row.plan_sha256, "en")
    assert mark.endpoint == world.endpoint
    assert Audit.objects.filter(action="lab.mark").count() == 1


def test_a_mark_of_the_same_reader_corrects_the_earlier_one_and_the_trail_has_both() -> None:
    world = lab_world()
    run = run_of(world)
    finish(run)
    field = f"verdict-{run.sets.get().pk}-0"

    read(world, {field: "acceptable"})
    read(world, {field: "against_itself"})

    assert ReaderMark.objects.get().verdict == "against_itself"
    assert Audit.objects.filter(action="lab.mark").count() == 2


def test_the_latest_marks_can_be_seen_again_and_are_the_readers_own() -> None:
    world = lab_world()
    run = run_of(world)
    finish(run)
    key = run.sets.get().pk
    read(world, {f"verdict-{key}-2": "other", f"note-{key}-2": "too long"})
    address = f"/console/lab/reading/{world.study.slug}/en/?again"

    mine = signed_in(member(world.study)).get(address).content.decode()
    others = signed_in(factories.researcher(world.study)).get(address).content.decode()

    assert f'name="verdict-{key}-2" value="other" checked' in mine
    assert 'value="too long"' in mine
    assert "too long" not in others


def test_a_set_that_was_read_is_not_asked_for_again_by_its_reader_but_by_others() -> None:
    world = lab_world()
    run = run_of(world)
    finish(run)
    reader, other = member(world.study), factories.researcher(world.study)
    read(world, {f"verdict-{run.sets.get().pk}-0": "acceptable"}, by=reader)
    address = f"/console/lab/reading/{world.study.slug}/en/"

    assert "nothing left for you to read" in signed_in(reader).get(address).content.decode()
    assert CANDIDATES[0] in signed_in(other).get(address).content.decode()


@pytest.mark.parametrize(
    ("name", "verdict", "said"),
    [
        ("verdict-{}-0", "splendid", "could not be read"),
        ("verdict-{}-9", "acceptable", "could not be read"),
        ("verdict-zork-0", "acceptable", "could not be read"),
        ("note-{}-0", "only a note", "Mark at least one text."),
    ],
)
def test_marks_that_mean_nothing_are_refused_whole_and_kept_on_the_page(
    name: str, verdict: str, said: str
) -> None:
    world = lab_world()
    run = run_of(world)
    finish(run)
    key = str(run.sets.get().pk)

    response = read(world, {name.format(key): verdict, f"note-{key}-2": "kept"})

    page = response.content.decode()
    assert response.status_code == 422
    assert said in page
    assert 'value="kept"' in page
    assert not ReaderMark.objects.exists()


def test_the_share_accepted_is_shown_with_its_n_and_its_interval() -> None:
    world = lab_world()
    run = run_of(world)
    finish(run)
    key = run.sets.get().pk
    verdicts = ["acceptable", "acceptable", "acceptable", "invented"]
    read(world, {f"verdict-{key}-{slot}": one for slot, one in enumerate(verdicts)})

    page = signed_in(member(world.study)).get("/console/lab/").content.decode()

    assert "75%" in page
    assert "30–95 · 3/4" in page
    assert "invented words 1" in page


def test_a_share_names_the_plans_whose_record_it_is() -> None:
    world = lab_world()
    factories.reader_mark(factories.lab_set(world.study, plan_sha256=world.plan.sha256))

    page = signed_in(member(world.study)).get("/console/lab/").content.decode()

    assert f"<td>{world.plan.version}</td>" in page


def test_a_language_that_there_is_not_is_not_found() -> None:
    world = lab_world()

    address = f"/console/lab/reading/{world.study.slug}/xx/"

    assert signed_in(member(world.study)).get(address).status_code == 404


def test_a_way_that_cannot_answer_the_prompt_is_refused_with_the_choices_kept() -> None:
    texts = [{"text": f"{n} words of our own", "prompt": "another"} for n in ("Two", "Three")]
    body = {"k": 2, "first_turn": {"strategy": "given", "texts": texts}}
    endpoint = factories.endpoint()
    plan = factories.plan(endpoints=[endpoint], body=body)
    name = f"{plan.study.slug}/{plan.version}"
    asked_for = {"study": plan.study.slug, "text": "Why?", "language": "en", "ways": [name]}

    response = signed_in(member(plan.study)).post(
        "/console/lab/", {**asked_for, "endpoints": [endpoint.name]}
    )

    assert response.status_code == 422
    assert f"{name} brings no texts" in response.content.decode()
    assert not LabRun.objects.exists()


def test_ways_that_ask_several_endpoints_for_one_set_are_named_and_not_offered() -> None:
    world = lab_world()

    shown = signed_in(member(world.study)).get("/console/lab/").content.decode()

    assert 'value="multi_model"' not in shown
    assert "asks several endpoints: multi_model" in shown
