"""How an answer begins and breaks off: preambles, numbers that leaked, pieces of a longer text.

A model that is held to an array of strings lets one text run over all of them; each string then
begins in lower case, ends in a comma, or opens as a later paragraph would ("Another perspective
is").
"""

from __future__ import annotations

import unicodedata

import regex

_OPENING_CHARS = 160

_PREAMBLE = (
    r"(?:(?:sure|certainly|of course|absolutely|okay|ok|great question)[,!. ]+)?"
    r"(?:here(?: is| are|'s)|below (?:is|are)|these are|the following (?:is|are))\b[^.!?\n]{0,60}"
    r"\b(?:responses?|answers?|repl(?:y|ies)|perspectives|viewpoints|options)\b[^.!?\n]{0,80}(?:[:：]|\.?\s*$)",
    r"(?:(?:bien sûr|certainement|d'accord|volontiers)[ ,!.]+)?"
    r"(?:voici|voilà|ci-dessous)\b[^.!?\n]{0,60}"
    r"\b(?:réponses?|perspectives|points de vue)\b[^.!?\n]{0,80}(?:[:：]|\.?\s*$)",
    r"(?:(?:certo|certamente|va bene|ok)[ ,!.]+)?(?:ecco|di seguito|queste sono)\b[^.!?\n]{0,60}"
    r"\b(?:rispost[ae]|prospettive|punti di vista)\b[^.!?\n]{0,80}(?:[:：]|\.?\s*$)",
    r"(?:(?:claro|com certeza|certo|ok)[ ,!.]+)?"
    r"(?:aqui (?:está|estão|vai|vão)|a seguir|seguem?|eis)\b[^.!?\n]{0,60}"
    r"\b(?:respostas?|perspectivas|pontos de vista)\b[^.!?\n]{0,80}(?:[:：]|\.?\s*$)",
    r"(?:(?:ज़रूर|जरूर|बिल्कुल|ठीक है)[ ,!।]+)?(?:यह रहा|यह रही|ये रहे|ये रही|यहाँ|यहां|निम्नलिखित|नीचे)"
    r"[^।.!?\n]{0,60}(?:उत्तर|जवाब|प्रतिक्रिया|दृष्टिकोण)[^।.!?\n]{0,40}(?:[:：]|[।.]?\s*$)",
)

_CONTINUES = (
    r"another (?:perspective|view|viewpoint|point of view|opinion|option|approach|possibility)"
    r" (?:is|would be|could be|might be)\b",
    r"(?:in conclusion|to conclude|in summary|to sum up|on the other hand|on the one hand|secondly"
    r"|thirdly|lastly|furthermore|moreover|additionally)\b",
    r"(?:en conclusion|pour conclure|en résumé|d'un autre côté|d'autre part|par ailleurs|de plus"
    r"|toutefois|cependant|deuxièmement|troisièmement)\b",
    r"une autre (?:perspective|option|approche|solution|opinion|possibilité)"
    r" (?:est|serait|consiste)\b",
    r"(?:in conclusione|per concludere|in sintesi|d'altra parte|dall'altra parte|inoltre|tuttavia"
    r"|in secondo luogo|in terzo luogo)\b",
    r"un['a ]+altra (?:prospettiva|opzione|opinione|possibilità|idea) (?:è|sarebbe)\b",
    r"(?:em conclusão|para concluir|em resumo|por outro lado|além disso|no entanto|contudo"
    r"|em segundo lugar|em terceiro lugar)\b",
    r"outra (?:perspectiva|opção|opinião|possibilidade|ideia|abordagem) (?:é|seria)\b",
    r"(?:निष्कर्ष में|निष्कर्षतः|संक्षेप में|दूसरी ओर|दूसरी तरफ़|दूसरी तरफ|इसके अलावा|इसके अतिरिक्त)",
    r"एक (?:और|अन्य) (?:दृष्टिकोण|विकल्प|विचार|राय)\b",
)


def _any_of(patterns: tuple[str, ...]) -> regex.Pattern[str]:
    return regex.compile("|".join(unicodedata.normalize("NFC", one) for one in patterns))


_PREAMBLES = _any_of(_PREAMBLE)
_CONTINUATIONS = _any_of(_CONTINUES)
# Quotes, brackets and emphasis before the first letter.
_FIRST = regex.compile(r"^[\s\"'“”‘’«»(\[*_¿¡…-]*(\p{L}[\p{L}\p{M}]*(\S?))")
_TRAILING_COMMA = regex.compile(r"[,;،、][\"'”’»)\]*_\s]*$")
# Inside `"iPhones are dear."` a small letter is a name's.
_CAMEL = regex.compile(r"^\p{Ll}{1,2}\p{Lu}")
_NUMBER = regex.compile(r"^\s*[*_]*\(?\d{1,2}[.):](?:[*_]*)(?=\s|$)")
_SECOND_NUMBER = regex.compile(r"(?:^|\s)[*_]*\(?\d{1,2}[.)][*_]*\s", regex.MULTILINE)


def has_preamble(text: str) -> bool:
    """Whether the text begins by announcing an answer."""
    return _PREAMBLES.match(_opening(text)) is not None


def runs_on(text: str) -> bool:
    """Whether the text is a piece of a longer one: it begins in lower case, ends in a comma, or
    opens by going on from something.
    """
    if _TRAILING_COMMA.search(text[-40:]):
        return True
    first = _FIRST.match(text)
    if first and first.group(1)[0].islower() and not _CAMEL.match(first.group(1)):
        return True
    return _CONTINUATIONS.match(_opening(text)) is not None


def numbered(text: str) -> bool:
    """Whether the text begins with a number of its own; a list of several is formatting."""
    found = _NUMBER.match(text)
    return found is not None and _SECOND_NUMBER.search(text, found.end()) is None


def _opening(text: str) -> str:
    """The first words as the lists have them: lower case, straight apostrophes, no quotes."""
    start = unicodedata.normalize("NFC", text[:_OPENING_CHARS]).casefold().replace("’", "'")
    return start.lstrip(" \t\r\n\"'“”«»*_([-")
