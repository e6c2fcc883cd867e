"""Makes a study of any size from a seed, by COPY with every constraint on, to measure with.

The rows are what the platform itself would have stored; the texts are random words.
"""

from exports.synthetic.studies import synthesize

__all__ = ["synthesize"]
