"""The breaker of an endpoint: after some failures in a row, or when it asks for a pause, it rests.

Columns of the endpoint's row: `failures`, and `open_until`. Null: closed. In the future: open,
nothing is claimed for it. In the past: half open, one seat tries it; success closes the breaker,
failure opens it for longer. Each function is a conditional update.
"""

from datetime import timedelta
from uuid import UUID

from django.db.models import Case, DateTimeField, ExpressionWrapper, F, Q, Value, When
from django.db.models.functions import Greatest, Least, Now, Power

from sampling.models import Endpoint
from sampling.retrying import LONGEST_RETRY_AFTER

THRESHOLD = 5  # failures in a row
FIRST_REST = 5.0  # seconds, doubled by each further failure
LONGEST_REST = 30.0  # seconds


def note_success(endpoint_id: UUID) -> None:
    """The endpoint gave whole answers: it is closed again. Writes only when it was not."""
    troubled = Endpoint.objects.filter(Q(failures__gt=0) | Q(open_until__isnull=False))
    troubled.filter(pk=endpoint_id).update(failures=0, open_until=None)


def note_failure(endpoint_id: UUID, *, pause: float = 0.0) -> None:
    """The endpoint gave no whole answer. Calls that were under way when it opened do not count.

    `pause` is the time in seconds that it asked for, if it did: it gets it at once, within reason,
    and from everybody, also when it rests already and for less.
    """
    not_open = Endpoint.objects.filter(Q(open_until=None) | Q(open_until__lte=Now()))
    count = F("failures") + 1
    many = Q(failures__gte=THRESHOLD - 1)
    doubled = Least(FIRST_REST * Power(2.0, count - THRESHOLD), LONGEST_REST)
    asked = min(pause, LONGEST_RETRY_AFTER)
    seconds = Greatest(Case(When(many, then=doubled), default=0.0), asked)
    until = ExpressionWrapper(Now() + seconds * timedelta(seconds=1), DateTimeField())
    opens = until if asked else Case(When(many, then=until), default=Value(None))
    counted = not_open.filter(pk=endpoint_id).update(failures=count, open_until=opens)
    if asked and not counted:
        later = Now() + timedelta(seconds=asked)
        Endpoint.objects.filter(pk=endpoint_id, open_until__lt=later).update(open_until=later)
