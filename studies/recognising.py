"""Who is asking: the enrolment of a request, with its cohort and study.

Every page and every form begins with this read, so the statement is written once per process. The
ORM takes longer to write the same one, and to build its three models, than a page takes for all
its other reads.
"""

from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Model

from studies.models import Cohort, Enrolment, Study

Row = TypeVar("Row", bound=Model)


def find_enrolment(enrolment_id: UUID) -> Enrolment | None:
    """The enrolment with `cohort` and `study` loaded; None when there is none. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [enrolment_id])
        row = cursor.fetchone()
    if row is None:
        return None
    values = iter(row)
    enrolment = _next(Enrolment, values)
    enrolment.cohort, enrolment.study = _next(Cohort, values), _next(Study, values)
    enrolment.cohort.study = enrolment.study
    return enrolment


def _next(model: type[Row], values: Iterator[Any]) -> Row:
    """The model of the next columns of a row."""
    names = _names(model)
    return model.from_db(connection.alias, names, list(islice(values, len(names))))


@cache
def _statement() -> str:
    columns = ", ".join(
        f"{model._meta.db_table}.{field.column}"
        for model in (Enrolment, Cohort, Study)
        for field in model._meta.concrete_fields
    )
    return f"""
        SELECT {columns} FROM studies_enrolment
        JOIN studies_cohort ON studies_cohort.id = studies_enrolment.cohort_id
        JOIN studies_study ON studies_study.id = studies_enrolment.study_id
        WHERE studies_enrolment.id = %s
    """  # noqa: S608 names of our own tables


@cache
def _names(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]
