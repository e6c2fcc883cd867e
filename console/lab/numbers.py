"""Numbers as the reader's language writes them."""

from django.utils.formats import number_format


def number(value: float, digits: int = 0) -> str:
    """The value rounded to so many digits: Django alone would only cut the others off."""
    return number_format(round(value, digits), digits)
