"""Reporting a harmful answer: the exposure is kept, nobody else gets it, the person goes on."""

from typing import Any

import pytest
from django.test import Client

from annotation.conversing import follow
from annotation.models import Assignment, Report, Turn
from annotation.scenes import Stage
from sampling.models import CandidateSet
from studies.models import Audit, Study
from tests import factories
from tests.annotation import talking
from tests.annotation.visiting import Form, at_most, browser_of, page, send
from tests.racing import runners

pytestmark = pytest.mark.django_db


class Seen:
    """An annotator in front of four answers, one of which is harmful."""

    def __init__(self, **of_world: Any) -> None:
        self.world = factories.world(prompts=2, **of_world)
        self.enrolment, self.scene = talking.shown_first_turn(self.world)
        self.client = browser_of(self.enrolment)
        self.address = f"/conversation/{self.scene.conversation_id}/"
        self.harmful = str(self.scene.last.candidates[2].id)

    def form(self) -> Form:
        return page(self.client.get(self.address)).form_to("/report/")

    def report(self, **changes: str) -> Any:
        fields = {"candidate": self.harmful, "reason": "dangerous", **changes}
        return send(self.client, self.form(), **fields)

    def follow(self) -> Any:
        return follow(enrolment=self.enrolment, conversation_id=self.scene.conversation_id)


def test_a_report_keeps_the_exposure_and_goes_on_with_other_answers() -> None:
    seen = Seen()
    before = Turn.objects.get()
    response = seen.report()

    assert (response.status_code, response["Location"]) == (303, seen.address)
    told = Report.objects.get()
    assert (told.display_order, told.shown_at) == (before.display_order, before.shown_at)
    assert str(told.candidate_id) == seen.harmful
    assert told.set.retired_at is not None
    scene = talking.shown(seen.enrolment, seen.scene.conversation_id)
    assert scene.stage is Stage.JUDGE
    assert scene.last.set_id != told.set_id
    assert talking.judge(seen.enrolment, scene).revision == 1
    assert Audit.objects.get(action="candidate.report").object == f"candidate:{seen.harmful}"


def test_a_reported_set_is_shown_to_nobody_else() -> None:
    seen = Seen(overlap=9)
    others = [talking.joined(seen.world) for _ in range(2)]
    waits = [talking.opened(one) for one in others]  # one of them has the same prompt and set
    seen.report()
    for one, talk in zip(others, waits, strict=True):
        scene = follow(enrolment=one, conversation_id=talk.pk)
        assert scene.last.set_id != Report.objects.get().set_id
        assert scene.stage is Stage.WAITING
    later = talking.opened(talking.joined(seen.world))

    assert later.turns.get().set.retired_at is None


def test_a_page_of_a_closed_study_in_front_of_a_reported_set_is_still_a_page() -> None:
    seen = Seen()
    other = talking.joined(seen.world)
    talk = talking.opened(other)
    CandidateSet.objects.filter(turns__conversation=talk).update(retired_at=factories.in_hours(0))
    talking.write_set(talk.turns.get().set_id)
    Study.objects.update(state="closed")

    assert browser_of(other).get(f"/conversation/{talk.pk}/").status_code == 200


def test_a_report_keeps_within_the_budget_of_statements() -> None:
    seen = Seen()
    form = seen.form()
    with at_most(12):
        send(seen.client, form, candidate=seen.harmful, reason="other")


def test_whoever_was_shown_it_before_may_still_judge_it() -> None:
    seen = Seen(overlap=9)
    other, scene = talking.shown_first_turn(seen.world)
    while scene.last.set_id != seen.scene.last.set_id:
        other, scene = talking.shown_first_turn(seen.world)
    seen.report()

    assert talking.judge(other, scene).revision == 1


def test_leaving_with_a_report_gives_another_conversation_and_counts_as_no_skip() -> None:
    seen = Seen()
    response = seen.report(then="leave")

    assert response["Location"] == "/work/"
    assert Assignment.objects.get().reason == "reported"
    assert seen.client.get("/work/")["Location"] != seen.address


def test_a_report_after_the_choice_leaves_the_choice_alone() -> None:
    seen = Seen()
    talking.judge(seen.enrolment, seen.scene)
    seen.report()

    assert seen.follow().stage is Stage.JUDGED
    assert CandidateSet.objects.get().retired_at is not None


def test_reporting_twice_is_the_same_as_once() -> None:
    seen = Seen()
    form = seen.form()
    for _ in range(2):
        sent = send(seen.client, form, candidate=seen.harmful, reason="dangerous")
        assert sent.status_code == 303

    assert (Report.objects.count(), CandidateSet.objects.count()) == (1, 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": ""},
        {"reason": "boring"},
        {"candidate": ""},
        {"candidate": "x"},
        {"candidate": "other"},
    ],
)
def test_a_report_that_says_nothing_is_told_so(changes: dict[str, str]) -> None:
    seen = Seen()
    if changes.get("candidate") == "other":
        changes = {"candidate": str(factories.ready_set().candidates.get(slot=0).pk)}
    response = seen.report(**changes)

    assert response.status_code == 422
    assert "Please choose" in page(response).words
    assert not Report.objects.exists()


def test_a_report_in_somebody_elses_conversation_answers_404() -> None:
    seen = Seen()
    form = seen.form()
    stranger = browser_of(factories.person(factories.world()).enrolment)

    assert send(stranger, form, candidate=seen.harmful, reason="other").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_report_and_a_choice_at_the_same_moment_do_not_both_win() -> None:
    seen = Seen()
    form = seen.form()

    def report() -> int:
        client = browser_of(seen.enrolment)
        return int(send(client, form, candidate=seen.harmful, reason="other").status_code)

    with runners("reporter", "judge") as (reporter, judge):
        reporter.pause_before("INSERT INTO annotation_report")
        reporter.start(report)
        reporter.expect_paused()
        judge.start(talking.judge, seen.enrolment, seen.scene)
        judge.expect_blocked(by=reporter)
        reporter.go_on()
        assert reporter.result() == 303
        assert "OutOfOrder" in repr(judge.fault())
    assert seen.follow().stage is Stage.WAITING


def test_researchers_see_what_was_reported_in_their_studies() -> None:
    told, other = factories.report(), factories.report()
    researcher = factories.researcher(told.set.study)
    client = Client()
    client.force_login(researcher)
    shown = client.get("/console/reports/").content.decode()

    assert told.candidate.text in shown
    assert other.candidate.text not in shown
    assert "1 reported answer" in page(client.get("/console/")).words
