"""Which fields could stand where pydantic found one that it does not know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

Model = type[BaseModel]


def fields_at(root: Model, loc: Sequence[int | str]) -> list[str]:
    """The fields of what holds the last part of `loc`, a place in `root` as pydantic gives it: with
    the keys of mappings, the numbers of lists and the tags of unions.
    """
    here = [root]
    for part in loc[:-1]:
        inside = [found for one in here for found in _models(one, part)]
        here = inside or [one for one in here if _has_tag(one, part)] or here
    return list(dict.fromkeys(name for one in here for name in one.model_fields))


def _models(holder: Model, part: int | str) -> Iterator[Model]:
    field = holder.model_fields.get(str(part))
    if field:
        yield from _in(field.annotation)


def _in(annotation: Any) -> Iterator[Model]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for one in get_args(annotation):
        yield from _in(one)


def _has_tag(model: Model, part: int | str) -> bool:
    literals = (one.annotation for one in model.model_fields.values())
    return any(get_origin(one) is Literal and get_args(one) == (part,) for one in literals)
