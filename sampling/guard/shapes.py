"""Shapes that no candidate may have: errors, template tokens, markers, loops."""

from __future__ import annotations

import json
from collections import Counter
from itertools import groupby
from operator import eq

import regex

from sampling.guard.error_texts import error_sentence
from sampling.guard.openings import numbered
from sampling.guard.style import style
from sampling.guard.words import words

_TOKEN = regex.compile(
    r"<[|｜][^<>|｜\n]{1,60}[|｜]>"  # <|end_of_text|>, <|im_start|>, and the full-width kind
    r"|</?s>|<(?:bos|eos|pad|unk|mask)>"
    r"|<(?:start|end)_of_(?:turn|text|image)>"
    r"|\[/?INST\]|<</?SYS>>|\[/?(?:SYSTEM|AVAILABLE)_[A-Z]+\]"
    r"|</?(?:think|thinking|tool_call|assistant|system|user)>"
    r"|\[(?:CLS|SEP|PAD|MASK|UNK|EOS|BOS)\]"
    r"|\uFFFD",
    regex.IGNORECASE,
)
_TOKEN_START = regex.compile(r"[<\[\uFFFD]")  # cheap, and most texts have none
_MARKER = regex.compile(r"#{3,}")
_LABEL = regex.compile(
    r"^\s*[*_]*(?:response|answer|réponse|risposta|resposta|उत्तर)\s+(?:\d{1,2}|[A-H])\s*[:.\-–]",
    regex.IGNORECASE,
)
# What is left of an array or of a sentence pattern: `[so]`, `value1: so`.
_ARRAY = regex.compile(r"^\s*\[[^\[\]\n]*\][.!?।]?\s*$|^\s*\[\s*[\"']|^\s*\p{L}{3,12}_?\d\s*[:：]")

_STATUS = (
    r"(?:400 bad request|401 unauthorized|403 forbidden|404 not found|405 method not allowed"
    r"|408 request timeout|413 (?:payload|request entity) too large"
    r"|422 unprocessable (?:entity|content)"
    r"|429 too many requests|500 internal server error|502 bad gateway"
    r"|503 service (?:temporarily )?unavailable|504 gateway time-?out)"
)
# Said at the start of a text; a candidate that speaks about errors says it later, in a sentence.
_ERROR_START = regex.compile(
    rf"^\W*(?:{_STATUS}|http/\d(?:\.\d)?\s+\d{{3}}|https?\s+(?:error|status)\b"
    r"|(?:http\s+)?error\s*(?:code)?\s*:?\s*[45]\d\d\b|internal server error|bad gateway"
    r"|service (?:temporarily )?unavailable|gateway time-?out|too many requests\s*(?:[:(\[]|$)"
    r"|rate limit (?:exceeded|reached)|upstream (?:connect error|request timeout)"
    r"|no healthy upstream|traceback \(most recent call last\)|cuda out of memory"
    r"|(?:openai\.)?(?:api|runtime|value|key|type|connection|timeout)\w*error\b"
    r"|err(?:or|ore|eur|o)\s*:|त्रुटि\s*:|(?:connection|read) (?:refused|reset|timed out)"
    r"|<!doctype\b|<html\b|<\?xml\b|<head\b|<body\b)",
    regex.IGNORECASE,
)
_HTML = regex.compile(r"<(?:html|head|title|body|center|h1)[\s/>]", regex.IGNORECASE)
_ERROR_KEYS = frozenset(
    {"error", "errors", "detail", "message", "code", "status", "exception", "object"}
)
_SSE = regex.compile(r"^[ \t]*(?:data|event):[ \t]*[{\[]", regex.MULTILINE)


def special_token(text: str) -> bool:
    """Whether a token of a chat template, or a broken character, stands in the text."""
    return _TOKEN_START.search(text) is not None and _TOKEN.search(text) is not None


def leaked_marker(text: str) -> bool:
    """Whether a marker, a label, a number or a bracket of the set's format stands in the text."""
    return (
        _MARKER.search(text) is not None
        or _LABEL.match(text) is not None
        or _ARRAY.match(text) is not None
        or numbered(text)
    )


def formatted(text: str) -> bool:
    """Whether the text uses Markdown: style is a confound, so it is marked."""
    return any(count for name, count in style(text).items() if name != "lines")


def error_text(text: str) -> bool:
    """Whether the text is an error of a server and no answer: a status line, a stack trace, HTML, a
    JSON error, a raw stream, or a sentence in which a server speaks of itself.
    """
    if (
        error_sentence(text)
        or _ERROR_START.search(text)
        or ("<" in text and _HTML.search(text))
        or _SSE.search(text)
    ):
        return True
    return _json_error(text.strip().strip("`"))


def _json_error(text: str) -> bool:
    if not text.startswith(("{", "[{", "json")):
        return False
    try:
        value = json.loads(text.removeprefix("json"))
    except (ValueError, RecursionError):
        return regex.search(r'^\W*"?error"?\s*:', text) is not None
    items = value if isinstance(value, list) else [value]
    return any(isinstance(item, dict) and bool(_ERROR_KEYS & item.keys()) for item in items)


def loops(text: str) -> bool:
    """Whether the text goes round: five words in a row said three times or more, or one word six
    times in a row.
    """
    found = words(text)
    fives = Counter(zip(*(found[at:] for at in range(5)), strict=False))
    if fives and max(fives.values()) >= 3:
        return True
    if not any(map(eq, found, found[1:])):
        return False
    return any(len([*same]) >= 6 for _, same in groupby(found))
