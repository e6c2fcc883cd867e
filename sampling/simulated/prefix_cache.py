"""Which prompt prefixes a server has read before, in whole blocks, as vLLM's prefix cache counts.

Nothing is sped up by it: it tells a test whether calls that should share a prefix do so.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from sampling.simulated import tokens

BLOCK = 16
KEPT = 20_000


class PrefixCache:
    """`queries` and `hits` are tokens of prompts: those looked up, and those that were there."""

    def __init__(self) -> None:
        self.queries = 0
        self.hits = 0
        self._known: OrderedDict[int, None] = OrderedDict()

    def read(self, prompt: Iterable[str], *, count: int, times: int = 1) -> int:
        """Read a prompt (`count` tokens) for so many answers; return how many tokens of its
        beginning were known before.

        The last token is always read anew, and further answers find all whole blocks before it.
        """
        blocks = list(_blocks(tokens_of(prompt)))[: max(0, count - 1) // BLOCK]
        known = 0
        for block in blocks:
            if block not in self._known:
                break
            known += BLOCK
        for block in blocks:
            self._known[block] = None
            self._known.move_to_end(block)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        self.queries += count * times
        self.hits += known + BLOCK * len(blocks) * (times - 1)
        return known


def tokens_of(prompt: Iterable[str]) -> list[str]:
    return [piece for text in prompt for piece in tokens.pieces(text)]


def _blocks(pieces: list[str]) -> Iterator[int]:
    """Yield a hash for each whole block, of it and all before it."""
    before = 0
    for at in range(0, len(pieces) - BLOCK + 1, BLOCK):
        before = hash((before, *pieces[at : at + BLOCK]))
        yield before
