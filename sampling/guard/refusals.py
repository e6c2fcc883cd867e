"""Answers that refuse to answer, and models that speak of themselves, in the five data languages.

Every list is tried on every text: models refuse in English whatever they were asked in. Lists are
narrow on purpose. "I cannot support this shelter" is an answer; "I cannot provide an opinion" is
none.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

import regex

from sampling.guard.words import pieces

# A refusal comes first; further down, "I cannot give legal advice" is caution in an answer.
_OPENING_CHARS = 280

_AI = {
    "en": r"(?:ai|artificial intelligence)(?: (?:language )?"
    r"(?:model|assistant|system|chatbot|program))?|(?:large )?language model"
    r"|(?:virtual|digital) assistant|chat ?bot|computer program|machine learning model",
    "fr": r"ia|intelligence artificielle|modèle (?:de langage|linguistique|d'ia)(?: \w+)?"
    r"|assistant(?:e)? (?:ia|virtuel(?:le)?|numérique)|chatbot|agent conversationnel"
    r"|programme informatique",
    "it": r"ia|ai|intelligenza artificiale|modello (?:linguistico|di linguaggio)(?: \w+)?"
    r"|assistente (?:ia|ai|virtuale|digitale)|chatbot|programma (?:informatico|per computer)",
    "pt": r"ia|inteligência artificial|modelo (?:de linguagem|de língua)(?: \w+)?"
    r"|assistente (?:de ia|virtual|digital)|chatbot|programa de computador",
    "hi": r"(?:एआई|ai|कृत्रिम बुद्धिमत्ता|आर्टिफ़िशियल इंटेलिजेंस|आर्टिफिशियल इंटेलिजेंस)"
    r"(?: (?:भाषा )?(?:मॉडल|सहायक|असिस्टेंट))?|(?:बड़ा )?भाषा मॉडल|चैटबॉट"
    r"|कंप्यूटर प्रोग्राम|वर्चुअल असिस्टेंट",
}
_MAKERS = r"(?:openai|anthropic|google|meta|mistral(?: ai)?|alibaba|deepseek|microsoft|ibm)"

_SELF = {
    "en": (
        # "As an AI engineer" goes on with a profession, "as an AI" with a mark or with itself.
        rf"\bas (?:an? )?(?:{_AI['en']})(?=\s*[,.;:)–—-]|\s+(?:i\b|i'm\b|my\b|trained\b"
        r"|developed\b|created\b|designed\b|without\b|that\b))",
        r"\bi(?: am|'m) (?:just |only |merely |simply |not a (?:human|person),? but )?"
        rf"an? (?:{_AI['en']})"
        r"(?=\s*(?:[,.;:!)–—-]|$|(?:and|so|trained|developed|created|designed|without|that)\b))",
        rf"\bi(?: was| am|'m)? (?:trained|created|developed|made|built) by {_MAKERS}",
        r"\bmy (?:training data|knowledge cut-?off|programming does)\b",
    ),
    "fr": (
        rf"\ben tant qu(?:e |')(?:une? )?(?:simple )?(?:{_AI['fr']})"
        r"(?=\s*[,.;:)–—-]|\s+(?:je|j')\b)",
        r"\bje (?:ne )?suis (?:qu'|juste |seulement |simplement )?(?:une? )?(?:simple )?"
        rf"(?:{_AI['fr']})(?=\s*(?:[,.;:!)–—-]|$|et\b|qui\b))",
    ),
    "it": (
        rf"\b(?:in quanto|in qualità di|essendo|come) (?:un'|un |una )?(?:{_AI['it']})"
        r"(?=\s*[,;:)–—-]|\s+(?:non|io|sono)\b)",
        rf"\bsono (?:solo |soltanto |semplicemente )?(?:un'|un |una )?(?:{_AI['it']})"
        r"(?=\s*(?:[,.;:!)–—-]|$|e\b|che\b))",
    ),
    "pt": (
        rf"\b(?:como|enquanto|sendo|por ser) (?:uma? )?(?:{_AI['pt']})"
        r"(?=\s*[,;:)–—-]|\s+(?:não|eu|sou)\b)",
        rf"\bsou (?:apenas |só |somente )?(?:uma? )?(?:{_AI['pt']})"
        r"(?=\s*(?:[,.;:!)–—-]|$|e\b|que\b))",
    ),
    "hi": (rf"(?:{_AI['hi']}) (?:के रूप में|होने के नाते|के नाते|हूँ|हूं)",),
}

_REFUSAL = {
    "en": (
        r"(?:\bsorry|apologi(?:[sz]e|es)|unfortunately)\W+(?:\w+\W+){0,6}?i(?: am|'m)? "
        r"(?:can(?:no|')t|can not|cannot|won't|will not|must decline|not able|unable|don't feel"
        r"|do not feel|not comfortable|not (?:allowed|authori[sz]ed|permitted))",
        r"\bi(?: am|'m)? (?:(?:can't|can ?not|won't|will not|not able to|unable to|must decline to"
        r"|have to decline to|decline to|refuse to|not comfortable|not in a position to"
        r"|not (?:programmed|allowed|authori[sz]ed|permitted) to|don't feel comfortable"
        r"|do not feel comfortable)) ?"
        r"(?:assist(?:ing)?|help(?:ing)? (?:you )?with (?:this|that|your)|provid(?:e|ing)"
        r"|answer(?:ing)?|respond(?:ing)?|discuss(?:ing)?|comment(?:ing)?|fulfil(?:l)?|comply|engag(?:e|ing)"
        r"|offer(?:ing)? (?:an? |any |personal )*(?:advice|opinions?|guidance)"
        r"|giv(?:e|ing) (?:you )?(?:an? |any |personal )*(?:advice|opinions?|answer)"
        r"|tak(?:e|ing) (?:a |any )?(?:sides?|positions?|stance)"
        r"|express(?:ing)? (?:an? |any |personal )*(?:opinions?|views?|preferences?)"
        r"|generat(?:e|ing)|writ(?:e|ing) (?:this|that|such)|creat(?:e|ing) (?:this|that|such))",
        r"\bi (?:do not|don't) (?:have|hold|possess|form) (?:any |an |a |the )?"
        r"(?:personal )?(?:opinions?|beliefs?|feelings|emotions|views|preferences|experiences?"
        r"|values|ability to)",
        rf"\bas (?:an? )?(?:{_AI['en']})\W+(?:\w+\W+){{0,4}}?(?:can(?:no|')t|can not|cannot|unable"
        r"|not able|won't|do not|don't)",
    ),
    "fr": (
        r"\b(?:désolée?|navrée?|malheureusement|regrette|mes excuses|m'excuse|demande pardon)\W+"
        r"(?:\w+\W+){0,5}?je (?:ne (?:peux|puis|suis pas (?:en mesure|capable|autorisé))"
        r"|suis dans l'(?:incapacité|impossibilité))",
        r"\b(?:je ne (?:peux|puis|suis|saurais|souhaite) (?:pas )?"
        r"(?:en mesure |capable |autorisée? )?|je (?:me )?refuse "
        r"|je (?:dois|préfère) (?:refuser|décliner) "
        r"|je suis dans l'(?:incapacité|impossibilité) |il m'est impossible )(?:de |d'|à |pas )?"
        r"(?:vous |te |t'|y )?(?:aider (?:avec|sur|à|dans)|répondre|assister"
        r"|discuter|commenter|(?:fournir|donner|offrir|exprimer) (?:de |d'|un |une |des |mon )?"
        r"(?:\w+ )?(?:avis|conseils?|opinions?|réponse|informations?)|prendre (?:position|parti)"
        r"|traiter (?:cette|votre) demande)",
        r"\bje n'ai pas (?:d'|de )(?:opinions?|avis|croyances|sentiments|préférences)",
    ),
    "it": (
        r"\b(?:mi (?:di)?spiace|spiacente|desolat[oa]|mi scuso|mi scusi|scusa(?:mi|te)?"
        r"|le mie scuse|purtroppo)\W+(?:\w+\W+){0,6}?non "
        r"(?:posso|sono in grado|mi è possibile|sono autorizzat)",
        r"\b(?:non (?:posso|sono in grado di|mi è possibile|sono autorizzat[oa] a)|mi rifiuto di"
        r"|devo rifiutar(?:e|mi) di) "
        r"(?:aiutar(?:ti|la|vi) (?:con|in|su|a)|assister(?:e|ti|la)|risponder(?:e|ti|le)"
        r"|discutere|commentare"
        r"|(?:fornir|dar|offrir|esprimer)(?:e|ti|le) (?:un |un'|una |dei |delle |alcun )?(?:\w+ )?"
        r"(?:consigli[o]?|opinion[ei]|parer[ei]|rispost[ae]|informazioni)|prendere posizione"
        r"|soddisfare (?:questa|la tua|la sua))",
        r"\bnon ho (?:opinioni|convinzioni|sentimenti|preferenze)(?: personali)?\b",
    ),
    "pt": (
        r"\b(?:desculpem?|desculpas?|sinto muito|lamento|infelizmente|perdão)\W+"
        r"(?:\w+\W+){0,6}?não (?:posso|consigo|sou capaz|estou (?:apt|autorizad|em condições))",
        r"\b(?:não (?:posso|consigo|sou capaz de|estou (?:apt|autorizad)[oa] a|tenho permissão para"
        r"|me sinto confortável em)|me recuso a|recuso-me a|devo (?:me )?recusar(?:-me)?(?: a)?) "
        r"(?:te |lhe |o |a )?(?:ajud(?:ar|á-l[oa]) (?:com|nisso|nesse|nessa|a)|auxiliar|responder"
        r"|discutir|comentar|opinar|(?:fornecer|dar|oferecer|expressar) (?:um |uma |minha )?"
        r"(?:\w+ )?(?:conselhos?|opini(?:ão|ões)|respostas?|informações)|tomar (?:partido|posição)"
        r"|atender (?:a |ao )?(?:esse|essa|este|esta|seu|sua))",
        r"\bnão (?:tenho|possuo) (?:opini(?:ão|ões)|crenças|sentimentos|preferências)"
        r"(?: pessoa(?:l|is))?\b",
    ),
    "hi": (
        r"(?:क्षमा (?:करें|करना|कीजिए|कीजिएगा|चाहत[ाी])|माफ़ (?:करें|करना|कीजिए|कीजिएगा)"
        r"|माफ (?:करें|करना|कीजिए|कीजिएगा)|माफ़?ी (?:चाहत|माँगत|मांगत)[ाी]|खेद है|अफ़?सोस है)"
        r"[^।.!?]{0,60}(?:नहीं (?:कर|दे|बता) (?:सक|पाऊँग|पाऊंग|पाउंग)|असमर्थ)",
        r"मैं [^।.!?]{0,50}(?:मदद|सहायता|उत्तर|जवाब|सलाह|राय|टिप्पणी) नहीं (?:कर|दे) सकत",
        r"मैं [^।.!?]{0,50}(?:मदद|सहायता|उत्तर|जवाब|सलाह|राय)[^।.!?]{0,20} "
        r"(?:में असमर्थ|से (?:इनकार|इंकार) करत[ाी])",
        r"मुझे [^।.!?]{0,50}(?:मदद|सहायता|उत्तर|जवाब|सलाह|राय)[^।.!?]{0,20} की "
        r"(?:अनुमति|इजाज़त|इजाजत) नहीं",
        r"मेर(?:ी|े पास) कोई (?:व्यक्तिगत |निजी |अपनी )?(?:राय|विचार|मत|भावना)[^।.!?]{0,12} नहीं",
    ),
}

# By language, pieces of which every entry of its list holds one: a text without them need not be
# held against the list.
_REFUSING = {
    "en": "sorry apologies unfortunately cannot unable decline refuse not t won",
    "fr": "désolé désolée navré navrée malheureusement regrette je il",
    "it": "non rifiuto rifiutare rifiutarmi",
    "pt": "não recuso recusar",
    "hi": "नहीं असमर्थ इनकार इंकार",
}
_MAKER_PIECES = "openai anthropic google meta mistral alibaba deepseek microsoft ibm"
_SELVES = {
    "en": f"ai intelligence model assistant chatbot chat program training knowledge programming"
    f" {_MAKER_PIECES}",
    "fr": "ia intelligence modèle assistant assistante chatbot agent programme",
    "it": "ia ai intelligenza modello assistente chatbot programma",
    "pt": "ia inteligência modelo assistente chatbot programa",
    "hi": "एआई ai कृत्रिम इंटेलिजेंस भाषा चैटबॉट कंप्यूटर वर्चुअल",
}
_OPENING_PIECES = 80

List = tuple[frozenset[str], regex.Pattern[str]]


def _lists(pieces_of: Mapping[str, str], patterns: Mapping[str, Sequence[str]]) -> tuple[List, ...]:
    return tuple(
        (frozenset(pieces_of[language].split()), regex.compile(_composed("|".join(listed))))
        for language, listed in patterns.items()
    )


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


_SELF_LISTS = _lists(_SELVES, _SELF)
_REFUSAL_LISTS = _lists(_REFUSING, _REFUSAL)


@lru_cache(maxsize=32)
def _plain(text: str) -> str:
    """Lower case, straight apostrophes, single blanks, composed as the lists are."""
    return " ".join(_composed(text).casefold().replace("’", "'").split())


def refuses(text: str) -> bool:
    """Whether the text opens with a refusal to answer."""
    opening = pieces(text)[:_OPENING_PIECES]
    return any(
        pattern.search(_plain(text)[:_OPENING_CHARS]) is not None
        for hints, pattern in _REFUSAL_LISTS
        if not hints.isdisjoint(opening)
    )


def identifies_itself(text: str) -> bool:
    """Whether the text says that a model wrote it."""
    return any(
        pattern.search(_plain(text)) is not None
        for hints, pattern in _SELF_LISTS
        if not hints.isdisjoint(pieces(text))
    )
