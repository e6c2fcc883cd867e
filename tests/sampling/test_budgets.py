"""What attempts cost: settled on storing, bounded for a study."""

import io

import pytest
from django.core.management import CommandError, call_command

from sampling import budgets, generating
from sampling.models import CandidateSet, Endpoint, ModelCall, TokenBudget, TokenUse
from tests.sampling.conftest import Engine
from tests.sampling.test_generating import state


def usage_of(asked: CandidateSet) -> int:
    """What the endpoint said of the set's calls."""
    counts = [call.usage for call in ModelCall.objects.filter(set=asked) if call.usage]
    return sum(one["prompt_tokens"] + one["completion_tokens"] for one in counts)


def test_asking_estimates_more_than_answers_use(engine: Engine) -> None:
    asked = engine.ask()
    generating.work()

    assert state(asked) == "ready"
    assert 0 < usage_of(asked) <= asked.tokens


def test_what_a_set_used_takes_the_place_of_its_estimate(engine: Engine) -> None:
    Endpoint.objects.update(tokens_per_minute=100_000)
    asked = engine.ask()
    generating.work()

    assert TokenUse.objects.get().tokens == usage_of(asked)


def test_a_failed_attempt_is_counted_too(engine: Engine) -> None:
    engine.server.order("empty", times=None)
    asked = engine.ask()
    budgets.set_budget(asked.study, total=10**6)
    generating.work(rounds=1)

    assert state(asked) == "pending"
    assert TokenBudget.objects.get().spent == usage_of(asked) > 0


def test_a_stream_that_was_cut_counts_what_was_sent_and_came(engine: Engine) -> None:
    engine.server.order("cut", times=None)
    asked = engine.ask()
    budgets.set_budget(asked.study, total=None)
    generating.work(rounds=1)

    assert state(asked) == "pending"
    assert TokenBudget.objects.get().spent > 0


def test_a_budget_that_comes_later_counts_what_was_used_before(engine: Engine) -> None:
    first = engine.ask()
    generating.work()

    assert budgets.set_budget(first.study, total=10**6).spent == usage_of(first)

    second = engine.ask()
    generating.work()
    assert TokenBudget.objects.get().spent == usage_of(first) + usage_of(second)


def test_sets_wait_for_tokens_until_there_are_more(engine: Engine) -> None:
    asked = engine.ask()
    budgets.set_budget(asked.study, total=asked.tokens - 1)

    assert generating.work() == 0
    assert state(asked) == "pending"
    waiting = budgets.Spent(asked.study.slug, asked.tokens - 1, 0, 1)
    assert budgets.spent_budgets() == [waiting]

    call_command("token_budget", asked.study.slug, "--total", "1000000", stdout=io.StringIO())

    assert budgets.spent_budgets() == []
    assert generating.work() == 1


def test_the_command_says_how_a_budget_stands(engine: Engine) -> None:
    slug, out = engine.plan.study.slug, io.StringIO()

    call_command("token_budget", slug, stdout=out)
    call_command("token_budget", slug, "--total", "500", stdout=out)
    call_command("token_budget", slug, "--unlimited", stdout=out)

    assert out.getvalue().splitlines() == [
        "no budget, and nothing is counted",
        "0 tokens used, of 500",
        "0 tokens used, no limit",
    ]


@pytest.mark.parametrize("options", [["nowhere"], ["{slug}", "--total", "-1"]])
def test_what_the_command_cannot_do_it_says(engine: Engine, options: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("token_budget", *(one.format(slug=engine.plan.study.slug) for one in options))
