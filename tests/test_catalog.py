"""The database's own catalog, against the tests: every rule of our tables is broken by one of them.

Keys, NOT NULL, single-column foreign keys and Django's own "not negative" checks are broken here,
each by a statement of its own on a row of a world that holds one of everything. All others must be
registered by `tests.breaking` in some tests/<app>/test_constraints.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import DatabaseError, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from annotation.models import Draft, Submission
from sampling.models import TokenBudget
from studies import auditing
from tests import breaking, factories
from tests.breaking import refuser, settle, sql

pytestmark = pytest.mark.django_db

KEYS = {"id", "ready_id", "current_id"}  # the last two are the id, while the row is in that state
APPS = ("studies", "sampling", "annotation", "exports", "console")


@dataclass(frozen=True)
class Rule:
    """A constraint of the catalog: `kind` is p, u, f, c or n, as PostgreSQL has it."""

    table: str
    name: str
    kind: str
    columns: tuple[str, ...]


def rules() -> list[Rule]:
    """Every constraint of our tables; unique indexes that are no constraint count as one."""
    rows = sql(
        """
        SELECT rel.relname, con.conname, con.contype, ARRAY(
            SELECT attname::text FROM unnest(con.conkey) WITH ORDINALITY AS key (number, place)
            JOIN pg_attribute ON attrelid = con.conrelid AND attnum = key.number
            ORDER BY place)
        FROM pg_constraint AS con JOIN pg_class AS rel ON rel.oid = con.conrelid
        WHERE rel.relname = ANY (%s)
        UNION ALL
        SELECT rel.relname, made.relname, 'u', '{}'
        FROM pg_index AS ind
        JOIN pg_class AS rel ON rel.oid = ind.indrelid
        JOIN pg_class AS made ON made.oid = ind.indexrelid
        WHERE ind.indisunique AND rel.relname = ANY (%s)
            AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = ind.indexrelid)
        ORDER BY 1, 2
        """,
        [tables(), tables()],
    )
    return [Rule(table, name, kind, tuple(columns)) for table, name, kind, columns in rows]


def triggers() -> set[str]:
    rows = sql(
        """
        SELECT tgname FROM pg_trigger JOIN pg_class AS rel ON rel.oid = tgrelid
        WHERE NOT tgisinternal AND rel.relname = ANY (%s)
        """,
        [tables()],
    )
    return {name for (name,) in rows}


def tables() -> list[str]:
    models = [model for app in APPS for model in apps.get_app_config(app).get_models()]
    return [model._meta.db_table for model in models]


def broken_here(rule: Rule) -> bool:
    """Whether one of the tests below breaks it, by its kind."""
    if rule.kind in "pn" or _is_plain_reference(rule):
        return True
    return _is_never_negative(rule) or (rule.kind == "u" and not KEYS.isdisjoint(rule.columns))


def _is_plain_reference(rule: Rule) -> bool:
    return rule.kind == "f" and len(rule.columns) == 1 and "_fk_" in rule.name


def _is_never_negative(rule: Rule) -> bool:
    return rule.kind == "c" and [f"{rule.table}_{c}_check" for c in rule.columns] == [rule.name]


def test_every_rule_of_the_tables_has_a_test_that_breaks_it() -> None:
    for path in Path(__file__).parent.glob("*/test_constraints.py"):
        import_module(f"tests.{path.parent.name}.test_constraints")
    named = {rule.name for rule in rules() if not broken_here(rule)} | triggers()

    assert named - breaking.REGISTERED == set(), "no test breaks these"
    assert breaking.REGISTERED - named - {rule.name for rule in rules()} == set(), "no such rules"


@pytest.fixture
def one_of_everything() -> None:
    """A row in every table."""
    world = factories.world(prompts=2)
    factories.researcher(world.study)
    first = factories.judged_turn(world)
    factories.turn(world, after=first)
    factories.comparison_mark(first)
    person = first.conversation.assignment.enrolment
    factories.answer(person)
    factories.sensitive_answer()
    factories.tutorial_try(person)
    factories.invitation(world.cohort, kind="personal", used_by=person)
    factories.identity(person)
    factories.quota_place(person)
    call = factories.model_call(factories.candidate_set(state="generating"))
    call.set.seats.create(
        endpoint=call.endpoint, attempt=1, streams=1, lease_until=factories.in_hours(1)
    )
    factories.stance_list()
    Draft.objects.create(enrolment=person, form="message", body={})
    Submission.objects.create(enrolment=person, key="k", kind="message", result={})
    call.set.token_uses.create(endpoint=call.endpoint, attempt=1, tokens=9, at=timezone.now())
    TokenBudget.objects.create(study=world.study)
    factories.reader_mark()
    factories.candidate_score()
    factories.withdrawal_code(person)
    factories.enquiry(person)
    factories.decision(person)
    factories.a_break(first.conversation.assignment.sitting)
    factories.report(factories.turn(world, within=factories.conversation(world)))
    auditing.record(by="test", action="study.open", on=f"study:{world.study.slug}")
    settle()


@pytest.mark.usefixtures("one_of_everything")
def test_there_is_a_row_in_every_table() -> None:
    empty = [table for table in tables() if not sql(f"SELECT 1 FROM {table} LIMIT 1")]

    assert empty == []


@pytest.mark.usefixtures("one_of_everything")
def test_what_may_not_be_missing_is_refused_when_it_is() -> None:
    missed, every = [], rules()
    for rule in every:
        if rule.kind == "n" and rule.columns[0] not in generated(rule.table):
            with alone(rule, among=every):
                fault = attempt(f"UPDATE {rule.table} SET {rule.columns[0]} = NULL")
            missed += [] if _names(fault, rule) else [rule]

    assert missed == []


@pytest.mark.usefixtures("one_of_everything")
def test_what_counts_is_never_negative() -> None:
    every = rules()
    counted, missed = [rule for rule in every if _is_never_negative(rule)], []
    for rule in counted:
        with alone(rule, among=every):
            fault = attempt(f"UPDATE {rule.table} SET {rule.columns[0]} = -1")
        missed += [] if refuser(fault) == rule.name else [rule]

    assert counted
    assert missed == []


@pytest.mark.usefixtures("one_of_everything")
def test_a_reference_leads_to_a_row_that_is_there() -> None:
    every = rules()
    plain, missed = [rule for rule in every if _is_plain_reference(rule)], []
    for rule in plain:
        [column], table = rule.columns, rule.table
        nowhere = "-1" if "int" in type_of(table, column) else f"'{uuid4()}'"
        with alone(rule, among=every):
            fault = attempt(f"UPDATE {table} SET {column} = {nowhere}")
        missed += [] if refuser(fault) == rule.name else [rule]

    assert plain
    assert missed == []


@pytest.mark.usefixtures("one_of_everything")
def test_a_key_is_there_once() -> None:
    every = rules()
    keys, missed = [rule for rule in every if rule.kind in "pu" and broken_here(rule)], []
    for rule in keys:
        with alone(rule, among=every):
            columns = ", ".join(sorted(set(columns_of(rule.table)) - generated(rule.table)))
            fault = attempt(
                f"INSERT INTO {rule.table} ({columns}) OVERRIDING SYSTEM VALUE"
                f" SELECT {columns} FROM {rule.table}"
            )
        missed += [] if refuser(fault) == rule.name else [rule]

    assert keys
    assert missed == []


def attempt(statement: str) -> BaseException | None:
    """How a statement failed, its deferred checks included."""
    try:
        with transaction.atomic():
            sql(statement)
            sql("SET CONSTRAINTS ALL IMMEDIATE")
    except DatabaseError as fault:
        return fault
    return None


@contextmanager
def alone(rule: Rule, *, among: list[Rule]) -> Iterator[None]:
    """The table with this rule and no other, so that nothing else refuses first; undone after."""
    point = transaction.savepoint()
    sql(f"ALTER TABLE {rule.table} DISABLE TRIGGER USER")
    if rule.kind != "n":  # PostgreSQL looks for what is missing before it looks at other rules
        sql("; ".join(_without_others(rule, among)))
    yield
    transaction.savepoint_rollback(point)


def _without_others(rule: Rule, among: list[Rule]) -> Iterator[str]:
    """The statements that take every other rule from the table."""
    yield "SELECT"
    for other in among:
        if other.table == rule.table and other.name != rule.name and other.kind in "cpu":
            index_only = other.kind == "u" and not other.columns
            yield (
                f"DROP INDEX {other.name}"
                if index_only
                else f"ALTER TABLE {rule.table} DROP CONSTRAINT {other.name} CASCADE"
            )
    for table, name in other_references(rule):
        yield f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}"


def other_references(rule: Rule) -> list[tuple[Any, ...]]:
    """Every other foreign key from or to the table, with the table that it is of."""
    return sql(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint"
        " WHERE contype = 'f' AND conname <> %s AND %s::regclass IN (conrelid, confrelid)",
        [rule.name, rule.table],
    )


def columns_of(table: str) -> list[str]:
    return [name for (name,) in _columns(table, "true")]


def generated(table: str) -> set[str]:
    return {name for (name,) in _columns(table, "attgenerated <> ''")}


def type_of(table: str, column: str) -> str:
    [(name,)] = sql(
        "SELECT format_type(atttypid, NULL) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attname = %s",
        [table, column],
    )
    return str(name)


def _columns(table: str, condition: str) -> list[tuple[Any, ...]]:
    return sql(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
        f" AND NOT attisdropped AND {condition}",
        [table],
    )


def _names(fault: BaseException | None, rule: Rule) -> bool:
    diagnosis = getattr(fault.__cause__ if fault else None, "diag", None)
    return (getattr(diagnosis, "table_name", ""), getattr(diagnosis, "column_name", "")) == (
        rule.table,
        rule.columns[0],
    )


def test_the_rules_can_be_taken_back_and_made_again() -> None:
    """Runs the SQL of the migrations backwards and forwards; the catalog is the same after."""
    modules = migrations_of_rules()
    before = (set(rules()), triggers())
    for module in reversed(modules):
        sql(module.REVERSE.replace("%", "%%"))
    bare = (set(rules()), triggers())
    for module in modules:
        sql(module.FORWARD.replace("%", "%%"))

    assert bare[1] == set()
    assert (set(rules()), triggers()) == before


def migrations_of_rules() -> list[ModuleType]:
    """The modules of our migrations that have SQL of rules, in the order in which they run."""
    graph = MigrationLoader(None).graph
    ordered: dict[tuple[str, str], None] = {}
    for leaf in graph.leaf_nodes():
        ordered.update(dict.fromkeys(graph.forwards_plan(leaf)))
    found = [import_module(f"{app}.migrations.{name}") for app, name in ordered if app in APPS]
    return [module for module in found if hasattr(module, "FORWARD")]
