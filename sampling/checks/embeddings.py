"""Embeddings of texts, by the protocol's own address, and the cosines between them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sampling.calls import Endpoint
from sampling.errors import BrokenStream

PATH = "/embeddings"
LARGEST = 2**53


def body_of(endpoint: Endpoint, texts: Sequence[str]) -> dict[str, object]:
    return {"model": endpoint.model, "input": list(texts), "encoding_format": "float"}


def read_cosines(told: Mapping[str, Any], *, count: int) -> NDArray[np.float64]:
    """The symmetric matrix of the cosines of `count` texts. Raises BrokenStream for an answer that
    is not one vector for each, all of one length and none of them zero.
    """
    vectors = np.array(_vectors(told, count), dtype=np.float64)
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.all(np.isfinite(lengths)) or not np.all(lengths > 0):
        raise BrokenStream("an embedding had no direction")
    unit = vectors / lengths[:, None]
    cosines: NDArray[np.float64] = np.clip(unit @ unit.T, -1.0, 1.0)
    return cosines


def _vectors(told: Mapping[str, Any], count: int) -> list[list[float]]:
    data = told.get("data")
    if not isinstance(data, list) or len(data) != count:
        raise BrokenStream(f"not {count} embeddings came")
    found: dict[int, list[float]] = {}
    for place, one in enumerate(data):
        vector = one.get("embedding") if isinstance(one, Mapping) else None
        if not isinstance(vector, list) or not vector or not all(map(_is_number, vector)):
            raise BrokenStream("the embeddings had another shape")
        found[_index(one.get("index", place))] = vector
    if sorted(found) != list(range(count)) or len({len(one) for one in found.values()}) != 1:
        raise BrokenStream("the embeddings had another shape")
    return [found[place] for place in range(count)]


def _index(value: object) -> int:
    if not isinstance(value, int):
        raise BrokenStream("the embeddings had another shape")
    return value


def _is_number(value: object) -> bool:
    """Also no whole number that is too large to be a float."""
    if isinstance(value, int):
        return abs(value) < LARGEST
    return isinstance(value, float) and math.isfinite(value)
