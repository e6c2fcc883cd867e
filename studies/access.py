"""Links into a study: tokens, their digests, and who a token stands for.

Tokens are 256 random bits, or an HMAC of that size; the database keeps their SHA-256 only. The
token of a cohort's open link is derived from the site's secret, so the console can show it again at
any time, and so is that of its link for a panel; personal and return tokens are shown once and
cannot be recovered.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from studies.models import Cohort, Enrolment, Invitation


def new_token() -> str:
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """SHA-256 in hex: enough for tokens of this entropy, and what the rows keep."""
    return hashlib.sha256(token.encode()).hexdigest()


def open_token(cohort: Cohort) -> str:
    """The token of a cohort's open link: the same at every call on one site."""
    mac = hmac.digest(settings.SECRET_KEY.encode(), b"open-link:" + cohort.pk.bytes, "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def panel_token(cohort: Cohort, panel: str) -> str:
    """The token of a cohort's link for a panel: the same at every call on one site."""
    message = b"panel-link:" + cohort.pk.bytes + panel.encode()
    mac = hmac.digest(settings.SECRET_KEY.encode(), message, "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def panel_url(token: str) -> str:
    return f"{settings.BASE_URL}/panel/{token}/"


def join_url(token: str) -> str:
    return f"{settings.BASE_URL}/join/{token}/"


def return_url(token: str) -> str:
    return f"{settings.BASE_URL}/return/{token}/"


def invite_openly(cohort: Cohort) -> str:
    """Make the cohort's open link usable and return its token. Safe to call again."""
    token = open_token(cohort)
    Invitation.objects.get_or_create(
        token_sha256=digest(token),
        defaults={"cohort": cohort, "kind": Invitation.Kind.OPEN},
    )
    return token


def invite_by_panel(cohort: Cohort, panel: str) -> str:
    """Make the cohort's link for a panel usable and return its token. Safe to call again."""
    token = panel_token(cohort, panel)
    Invitation.objects.get_or_create(
        token_sha256=digest(token),
        defaults={"cohort": cohort, "kind": Invitation.Kind.PANEL, "panel": panel},
    )
    return token


def invite_personally(
    cohort: Cohort, *, count: int = 1, expires_at: datetime | None = None
) -> list[str]:
    """Make links for so many people and return their tokens, which are not kept. One query."""
    tokens = [new_token() for _ in range(count)]
    Invitation.objects.bulk_create(
        Invitation(
            token_sha256=digest(token),
            cohort=cohort,
            kind=Invitation.Kind.PERSONAL,
            expires_at=expires_at,
        )
        for token in tokens
    )
    return tokens


def find_invitation(token: str) -> Invitation | None:
    """The invitation of a token, with its cohort and study; None when there is none."""
    return (
        Invitation.objects.select_related("cohort__study")
        .filter(token_sha256=digest(token))
        .first()
    )


def is_expired(invitation: Invitation) -> bool:
    return invitation.expires_at is not None and invitation.expires_at <= timezone.now()


def find_returning(token: str) -> Enrolment | None:
    """The enrolment of a return token; None when there is none."""
    return (
        Enrolment.objects.select_related("cohort__study")
        .filter(return_token_sha256=digest(token))
        .first()
    )
