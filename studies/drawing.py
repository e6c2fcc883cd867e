"""Chance that can be repeated: a draw comes from the study's seed, and names what it is for."""

import hmac
from uuid import UUID


def unit(seed: str, *purpose: str | int | UUID) -> float:
    """A number in [0, 1) for this purpose under this seed: always the same one."""
    words = ":".join(str(part) for part in purpose)
    digits = hmac.digest(seed.encode(), words.encode(), "sha256")[:8]
    # 53 bits, as many as a float holds: rounding up to 1.0 is impossible.
    return (int.from_bytes(digits) >> 11) / (1 << 53)
