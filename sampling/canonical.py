"""One way to write a value as JSON, so that equal values have equal hashes everywhere."""

from __future__ import annotations

import hashlib
import json


def canonical(value: object) -> str:
    """`value` as JSON with sorted keys and no spaces.

    Raises ValueError for a number that JSON does not have.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def fingerprint(value: object) -> str:
    """SHA-256 of the canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def fingerprint_text(text: str) -> str:
    """SHA-256 of the text itself, as 64 hexadecimal digits; also of one that no row can hold."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
