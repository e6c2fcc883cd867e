"""The synthetic study: exact in size, the same from the same seed, whole in every row."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import Count

from annotation.models import Comparison, PromptCell, Turn
from exports.synthetic import synthesize
from sampling.models import CandidateSet

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("size", [1, 7, 250])
def test_it_has_exactly_as_many_comparisons_as_asked(size: int) -> None:
    study = synthesize(seed=1, comparisons=size)

    stored = Comparison.objects.filter(conversation__assignment__cohort__study=study)

    assert stored.count() == size


def test_the_same_seed_gives_the_same_judgements() -> None:
    assert judgements(seed=9) == judgements(seed=9)
    assert judgements(seed=9) != judgements(seed=10)


def judgements(*, seed: int) -> list[tuple[str, str]]:
    """What a study of that seed holds; nothing of it stays."""
    with transaction.atomic():
        synthesize(seed=seed, comparisons=60)
        told = list(Comparison.objects.order_by("pk").values_list("explanation", "outcome"))
        transaction.set_rollback(True)
    return told


def test_a_study_that_is_there_already_is_not_made_twice() -> None:
    synthesize(seed=9, comparisons=5)

    with pytest.raises(ValueError, match="is there already"):
        synthesize(seed=9, comparisons=5)


def test_every_deferred_constraint_holds_when_it_is_checked() -> None:
    synthesize(seed=2, comparisons=120)

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    sizes = CandidateSet.objects.annotate(n=Count("candidates")).values_list("n", flat=True)
    assert set(sizes) == {4}


def test_what_was_taken_is_counted_by_the_cells() -> None:
    synthesize(seed=3, comparisons=80)

    taken = sum(PromptCell.objects.values_list("taken", flat=True))

    assert taken == Turn.objects.filter(number=0).count()


def test_the_command_refuses_a_size_that_makes_no_sense() -> None:
    with pytest.raises(CommandError, match="1 or more"):
        call_command("generate_synthetic", seed=1, comparisons=0)


def test_it_never_reads_a_table_whole_because_that_was_once_small() -> None:
    synthesize(seed=4, comparisons=5)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE annotation_turn, annotation_comparison, sampling_candidateset")
    synthesize(seed=5, comparisons=5)  # plans made for five rows are in the session now
    before = whole_reads()

    synthesize(seed=6, comparisons=300)

    assert whole_reads() - before < 50


def whole_reads() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(seq_scan) FROM pg_stat_xact_user_tables"
            " WHERE relname ~ '^(annotation|sampling)_'"
        )
        return int(cursor.fetchone()[0])
