"""The example sentences of the simulated endpoint, one file per language, and how they are read."""

import functools
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import regex
import yaml

LANGUAGES = ("en", "fr", "it", "pt", "hi")
# The four that a set of four shows; `balanced` weighs them and is what a default draw often is.
POLES = ("tradition", "reason", "security", "expression")
STANCES = (*POLES, "balanced")


@dataclass(frozen=True)
class Stance:
    """What one position says: `leads` follow a frame or open a text, `positions` are short."""

    keywords: regex.Pattern[str]
    leads: tuple[str, ...]
    sentences: tuple[str, ...]
    closings: tuple[str, ...]
    positions: tuple[str, ...]


@dataclass(frozen=True)
class Topic:
    keywords: regex.Pattern[str]
    frames: tuple[str, ...]


@dataclass(frozen=True)
class Phrases:
    """All texts of one language; the topic `general` matches nothing and suits everything."""

    language: str
    names: tuple[str, ...]
    common_words: frozenset[str]
    stances: dict[str, Stance]
    topics: dict[str, Topic]
    refusals: tuple[str, ...]
    preambles: tuple[str, ...]
    selves: tuple[str, ...]


@functools.cache
def phrases(language: str) -> Phrases:
    """Return the sentences of a language of LANGUAGES, read once. KeyError for another."""
    if language not in LANGUAGES:
        raise KeyError(language)
    path = Path(__file__).with_name(f"{language}.yaml")
    with path.open(encoding="utf-8") as file:
        found = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return Phrases(
        language=language,
        names=tuple(found["names"]),
        common_words=frozenset(found["common_words"].split()),
        stances={name: _stance(found["stances"][name]) for name in STANCES},
        topics={name: _topic(topic) for name, topic in found["topics"].items()},
        refusals=tuple(found["refusals"]),
        preambles=tuple(found["preambles"]),
        selves=tuple(found["selves"]),
    )


def _stance(found: dict[str, Any]) -> Stance:
    return Stance(
        keywords=_words_that_begin_with(found["keywords"]),
        leads=tuple(found["leads"]),
        sentences=tuple(found["sentences"]),
        closings=tuple(found["closings"]),
        positions=tuple(found["positions"]),
    )


def _topic(found: dict[str, Any]) -> Topic:
    return Topic(
        keywords=_words_that_begin_with(found.get("keywords", "")),
        frames=tuple(found["frames"]),
    )


def _words_that_begin_with(stems: str) -> regex.Pattern[str]:
    """Return a pattern for words with one of the stems; `stem=` asks for the whole word."""
    parts = [
        regex.escape(stem[:-1]) + r"\b" if stem.endswith("=") else regex.escape(stem)
        for stem in unicodedata.normalize("NFC", stems).split()
    ]
    return regex.compile(r"\b(?:" + "|".join(parts) + ")" if parts else r"(?!)", regex.IGNORECASE)
