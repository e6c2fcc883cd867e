"""Random values that are all repeatable from one seed."""

import random
import uuid

K = 4
WORDS = (
    "time family choice money trust old new give keep speak plain neighbour work rest child "
    "promise honest care help free duty quiet friend home table bread letter road season voice "
    "answer reason heart safe share begin stay leave forgive learn teach listen decide together"
).split()
# Turns per conversation as in the Community Alignment data: 7, 47, 24 and 22 of 100.
TURNS, TURN_WEIGHTS = (1, 2, 3, 4), (7, 47, 24, 22)
NONE_SHARE = 0.05


class Rolls:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 repeatable on purpose, guards nothing

    def id(self) -> uuid.UUID:
        return uuid.UUID(int=self.random.getrandbits(128), version=4)

    def words(self, count: int) -> str:
        return " ".join(self.random.choices(WORDS, k=count)).capitalize() + "."

    def order(self) -> list[int]:
        return self.random.sample(range(K), K)

    def turns(self) -> int:
        return self.random.choices(TURNS, TURN_WEIGHTS)[0]

    def choice(self) -> int | None:
        """The slot that was chosen, or None for "none of these represents me"."""
        return None if self.random.random() < NONE_SHARE else self.random.randrange(K)
