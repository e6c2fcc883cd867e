"""What attempts cost in tokens: settled when they are stored, and bounded for a whole study.

An endpoint's `tokens_per_minute` and a study's budget are both held by the claim, which takes the
estimate of `sampling.demand` before anything is sent. When the attempt is stored, what was really
used takes the estimate's place. An attempt that was cut short or whose worker vanished leaves no
calls: its estimate counts for a minute at its endpoint, and not against the study.

When a study has too few tokens left for a set, its sets wait; nobody is shown an error.
"""

from dataclasses import dataclass

from django.db import connection, transaction

from sampling.models import TokenBudget
from studies.models import Study

# Part of the statement that stores an attempt, given `held`, the set's row, and `calls`, its calls
# as JSON with the tokens that each used: takes the estimate's place, and locks the study's budget,
# where it has one.
SETTLE = """
used AS (
    SELECT endpoint.id AS endpoint_id, sum(one.tokens)::bigint AS tokens
    FROM jsonb_to_recordset(%(calls)s::jsonb) AS one (endpoint text, tokens bigint)
    JOIN sampling_endpoint AS endpoint ON endpoint.name = one.endpoint
    GROUP BY endpoint.id
), counted AS (
    UPDATE sampling_tokenuse AS noted SET tokens = coalesce(
        (SELECT used.tokens FROM used WHERE used.endpoint_id = noted.endpoint_id), 0)
    FROM held WHERE noted.set_id = held.id AND noted.attempt = %(attempt)s
), settled AS (
    UPDATE sampling_tokenbudget AS budget
    SET spent = budget.spent + coalesce((SELECT sum(used.tokens) FROM used), 0)
    FROM held WHERE budget.study_id = held.study_id
)"""

_SPENT = """
SELECT coalesce(sum(coalesce(
    (call.usage ->> 'total_tokens')::bigint,
    (call.usage ->> 'prompt_tokens')::bigint + (call.usage ->> 'completion_tokens')::bigint,
    0)), 0)::bigint
FROM sampling_modelcall AS call JOIN sampling_candidateset AS s ON s.id = call.set_id
WHERE s.study_id = %s
"""


@transaction.atomic
def set_budget(study: Study, *, total: int | None) -> TokenBudget:
    """Bound the tokens of a study, or with None only count them; returns the budget.

    The first time, what the study's calls used so far is counted. Locks out the storing of sets
    while it does, so that none is missed or counted twice.
    """
    budget = TokenBudget.objects.select_for_update().filter(study=study).first()
    if budget is None:
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE sampling_modelcall IN SHARE ROW EXCLUSIVE MODE")
            cursor.execute(_SPENT, [study.pk])
            (spent,) = cursor.fetchone()
        return TokenBudget.objects.create(study=study, total=total, spent=spent)
    budget.total = total
    budget.save(update_fields=["total"])
    return budget


@dataclass(frozen=True)
class Spent:
    """A study whose budget leaves no room for some of its sets: `waiting` of them."""

    study: str
    total: int
    spent: int
    waiting: int


_WAITING = """
SELECT study.slug, given.total, given.spent, count(*)
FROM sampling_tokenbudget AS given
JOIN studies_study AS study ON study.id = given.study_id
JOIN sampling_candidateset AS s ON s.study_id = given.study_id AND s.state = 'pending'
WHERE greatest(s.tokens, 1) > given.total - given.spent
GROUP BY study.slug, given.total, given.spent ORDER BY study.slug
"""


def spent_budgets() -> list[Spent]:
    """The studies whose sets wait for tokens, by name."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        return [Spent(*row) for row in cursor.fetchall()]
