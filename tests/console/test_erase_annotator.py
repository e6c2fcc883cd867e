"""The command that deletes an annotator's words."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from sampling.explaining import Unknown, explain
from sampling.models import CandidateSet
from studies.models import Audit
from tests import factories
from tests.annotation.talking import judge, say, shown_first_turn

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    said = StringIO()
    call_command("erase_annotator", *arguments, stdout=said)
    return said.getvalue()


def test_a_dry_run_says_what_would_go_and_changes_nothing() -> None:
    world = factories.world()
    enrolment, scene = shown_first_turn(world)
    judge(enrolment, scene, place=None, explanation="Because.")

    said = run(world.study.slug, enrolment.pseudonym, "--dry-run")

    enrolment.refresh_from_db()
    assert "annotation_comparison: 1" in said
    assert enrolment.state == "enrolled"
    assert not Audit.objects.exists()


def test_the_words_go_and_what_was_sent_for_them_cannot_be_explained_any_more() -> None:
    world = factories.world()
    enrolment, scene = shown_first_turn(world)
    judge(enrolment, scene)
    say(enrolment, scene)
    set_id = CandidateSet.objects.get(shared=False).pk

    run(world.study.slug, enrolment.pseudonym)

    with pytest.raises(Unknown, match="deleted"):
        explain(str(set_id))
    assert run(world.study.slug, enrolment.pseudonym) == "nothing left to delete\n"
    assert Audit.objects.latest("seq").actor == "command:erase_annotator"


def test_an_unknown_annotator_is_a_mistake() -> None:
    with pytest.raises(CommandError, match="no annotator"):
        run(factories.world().study.slug, "nobody")
