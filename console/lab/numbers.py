"""Numbers as the reader's language writes them."""

from annotation.templatetags.reading import with_decimals


def number(value: float, digits: int = 0) -> str:
    """The value rounded to so many digits."""
    return with_decimals(round(value, digits), digits)
