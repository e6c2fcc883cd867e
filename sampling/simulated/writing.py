"""Composes answers from the example sentences: seeded, in the asked form, each from one stance."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sampling.simulated.ask import Ask
from sampling.simulated.instruction import Instruction, read_instruction
from sampling.simulated.phrases import POLES, STANCES, Phrases, phrases

# What a model says when nobody asks it for a side: mostly one corner, as real ones do.
DEFAULT_WEIGHTS = {"balanced": 10, "reason": 5, "expression": 3, "security": 1, "tradition": 1}
SHORT = 12
# Words in a sentence of ours, roughly.
SENTENCE = 20


def write(ask: Ask, *, index: int, language: str = "") -> str:
    """Return the whole text of one choice, before any token limit or stop string."""
    instruction = read_instruction(ask)
    if language:
        instruction = replace(instruction, language=language)
    draw = random.Random(f"{ask.seed}:{index}:{ask.digest}")  # noqa: S311
    writer = Writer(instruction, draw)
    if ask.choice:
        return draw.choice(ask.choice)
    if ask.schema is not None:
        return compact(writer.fill(ask.schema))
    if instruction.sections:
        stances = writer.stances_of_set(instruction.sections)
        return "\n\n".join(f"### {writer.answer(stance)}" for stance in stances)
    return writer.answer(writer.single_stance(), at_least=ask.min_tokens)


def compact(value: object) -> str:
    """Return JSON as a grammar without free white space writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Writer:
    """Writes the texts of one choice; no sentence or frame comes twice in it."""

    def __init__(self, instruction: Instruction, draw: random.Random) -> None:
        self.instruction = instruction
        self.draw = draw
        self.phrases: Phrases = phrases(instruction.language)
        self.used: set[str] = set()
        self.definitions: dict[str, Any] = {}
        self._set: Iterator[str] | None = None

    def stances_of_set(self, count: int) -> list[str]:
        """Return `count` stances, different ones as far as there are."""
        poles = self.draw.sample(POLES, len(POLES))
        order = poles if count <= len(poles) else [*poles, "balanced"]
        return [order[place % len(order)] for place in range(count)]

    def single_stance(self) -> str:
        """Return the stance asked for, else a drawn one that no earlier answer has taken."""
        if self.instruction.stance:
            return self.instruction.stance
        if self.instruction.position:
            return random.Random(self.instruction.position).choice(POLES)  # noqa: S311
        free = [name for name in STANCES if name not in self.instruction.avoided] or list(STANCES)
        if self.instruction.avoided:
            return self.draw.choice(free)
        return self.draw.choices(free, [DEFAULT_WEIGHTS[name] for name in free])[0]

    def answer(self, stance: str, *, at_least: int = 0) -> str:
        """Return one answer of about the asked length, and of at least that many tokens."""
        if self.instruction.words <= SHORT:
            return self._fresh(self.phrases.stances[stance].positions)
        parts = [self._opening(stance)]
        words = len(parts[0].split())
        wanted = self.instruction.sentences
        # A token is at most a word long, so the words asked for are also a floor in tokens.
        goal = max(self.instruction.words, at_least)
        source = self._supply(stance)
        while (len(parts) < wanted) if wanted else (words < goal - 8):
            parts.append(self._fitting(source, goal - words))
            words += len(parts[-1].split())
        return " ".join(parts)

    def _fitting(self, source: Iterator[str], room: int) -> str:
        """Return the next sentence, of the next two the one that fits best where little is left."""
        offered = [next(source) for _ in range(2 if room < 2 * SENTENCE else 1)]
        text = min(offered, key=lambda text: abs(room - len(text.split())))
        self.used.add(text)
        return text

    def _opening(self, stance: str) -> str:
        lead = self._fresh(self.phrases.stances[stance].leads)
        frames = self.phrases.topics[self.instruction.topic].frames
        general = self.phrases.topics["general"].frames
        frame = self._fresh(frames if self.draw.random() < 0.7 else general)
        form = self.draw.random()
        if form < 0.15:
            return self._fresh(self.phrases.stances[stance].sentences)
        if form < 0.3:
            return lead[0].upper() + lead[1:]
        return f"{frame} {lead}"

    def _supply(self, stance: str) -> Iterator[str]:
        """Yield sentences of the stance, then a closing, then the balanced ones, then anything."""
        own = self.phrases.stances[stance]
        sentences = self._shuffled(own.sentences)
        yield from sentences[:3]
        yield self._fresh(own.closings)
        yield from sentences[3:]
        while True:
            for name in ("balanced", *POLES):
                yield from self._shuffled(self.phrases.stances[name].sentences)

    def _shuffled(self, texts: tuple[str, ...]) -> list[str]:
        fresh = [text for text in texts if not self._is_used(text)] or list(texts)
        self.draw.shuffle(fresh)
        return fresh

    def _fresh(self, texts: tuple[str, ...]) -> str:
        text = self._shuffled(texts)[0]
        self.used.add(text)
        return text

    def _is_used(self, text: str) -> bool:
        return text in self.used or text in self.instruction.said

    def fill(self, schema: dict[str, Any]) -> Any:
        """Return a value of the JSON schema; each free string is one answer."""
        if "$ref" in schema:
            return self.fill(self.definitions[schema["$ref"].rsplit("/", 1)[-1]])
        self.definitions |= schema.get("$defs", {})
        if "enum" in schema:
            return self.draw.choice(schema["enum"])
        kind = schema.get("type", "object" if "properties" in schema else "string")
        if kind == "array":
            size = schema.get("minItems", schema.get("maxItems", 4))
            return [self.fill(schema.get("items", {})) for _ in range(size)]
        if kind == "object":
            return {name: self.fill(part) for name, part in schema.get("properties", {}).items()}
        if kind == "string":
            # Cut wherever the bound falls, as constrained decoding does.
            return self._next_text()[: schema.get("maxLength")]
        return self._scalar(kind)

    def _scalar(self, kind: str) -> object:
        if kind == "number":
            return round(self.draw.uniform(0.05, 0.4), 2)
        if kind == "integer":
            return self.draw.randint(1, 5)
        if kind == "boolean":
            return self.draw.random() < 0.5
        return None

    def _next_text(self) -> str:
        self._set = self._set or self._all_stances()
        return self.answer(next(self._set))

    def _all_stances(self) -> Iterator[str]:
        if self.instruction.stance:
            yield self.instruction.stance
        while True:
            yield from self.stances_of_set(len(STANCES))
