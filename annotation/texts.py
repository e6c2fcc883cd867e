"""Text at the edge: what an annotator typed is cleaned, or refused with a reason."""

MESSAGE_LIMIT = 4000  # graphemes
EXPLANATION_LIMIT = 2000


def clean(text: str, *, limit: int) -> str:
    """`text` as it is stored: line ends as \\n, no white space around it.

    Raises BadText: nul, surrogate, control (other than tab and line end), empty (nothing but white
    space or invisible characters), too_long (over `limit` graphemes).
    """
    raise NotImplementedError


def count_words(text: str) -> int:
    """Words in any script."""
    raise NotImplementedError
