"""What a server refuses to start with."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def refuse_unsafe_settings() -> None:
    """Raise ImproperlyConfigured when a server would start with an unsafe setting."""
    faults = []
    if not settings.SECRET_KEY_IS_SET:
        faults.append("SECRET_KEY is not set: make one with `openssl rand -hex 32`")
    elif len(settings.SECRET_KEY) < 32:
        faults.append("SECRET_KEY is shorter than 32 characters")
    if settings.DEBUG and not settings.PLAIN_HTTP:
        faults.append("DEBUG is on for a public address: unset DEBUG")
    if not settings.PLAIN_HTTP and not settings.BASE_URL.startswith("https://"):
        faults.append(f"BASE_URL={settings.BASE_URL}: a public address must be https")
    if faults:
        raise ImproperlyConfigured("; ".join(faults))
