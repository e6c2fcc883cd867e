"""Addresses of the live channel: a signed token says which set a page may follow.

Checking a token needs no database, so that an open page costs no connection. A token tells its
holder a set's state and progress, and never a text.
"""

from urllib.parse import urlencode
from uuid import UUID

from django.core import signing

PATH = "/live/"
SALT = "sampling.live"
MAX_AGE = 24 * 3600  # seconds; a page that was open for longer fetches itself anew


def live_url(set_id: UUID) -> str:
    """Where a page follows the set: events `refetch`, `away`, and `set` (see sampling.hub)."""
    token = signing.TimestampSigner(salt=SALT).sign(str(set_id))
    return f"{PATH}?{urlencode({'token': token})}"


def set_of_token(token: str) -> UUID | None:
    """The set that a token lets follow; None when it is not ours or too old."""
    try:
        return UUID(signing.TimestampSigner(salt=SALT).unsign(token, max_age=MAX_AGE))
    except (signing.BadSignature, ValueError):
        return None
