"""Short errors that a server, a proxy or a client library writes where an answer should stand.

The whole text has to be such an error: it is taken apart at its marks, and each clause must be a
whole clause of the lists below. One clause of real advice beside them, and the text is an answer
that speaks of an error ("Something went wrong between you two, so talk to him").
"""

from __future__ import annotations

import unicodedata

import regex

# No server says more about itself in a sentence or four.
_MOST_CHARS = 320

# Clauses are compared in lower case, without marks; an apostrophe is a blank.
_BREAK = regex.compile(r"[.!?…।,;:()\[\]{}\"“”«»\n]+|\s[-–—]+\s")
_NOT_WORD = regex.compile(r"[^\p{L}\p{M}\p{N}]+")
# Its points end no clause.
_ADDRESS = regex.compile(r"(?:https?://)?[\w-]+(?:\.[\w-]+)+(?:/\S*)?(?<!\.)")

_AGAIN = {
    "en": r"(?:please )?(?:(?:try|retry)(?: your request)?(?: again)?|come back)"
    r"(?: later| soon| shortly"
    r"| in (?:a few|a couple of|\d+|some) (?:moments?|minutes?|seconds?|s))",
    "fr": r"(?:veuillez |merci de |svp )?(?:réessayez|réessayer|ressayer|essayez à nouveau)"
    r"(?: plus tard| ultérieurement| dans (?:quelques|\d+) (?:instants|minutes|secondes))",
    "it": r"(?:per favore |si prega di )?(?:riprova|riprovare|riprovate)"
    r"(?: più tardi| tra (?:qualche|pochi|\d+) (?:minuti|minuto|istanti|secondi))",
    "pt": r"(?:por favor |favor )?(?:tente|tentar)(?: novamente| de novo| outra vez)"
    r"(?: mais tarde| em (?:alguns|\d+) (?:instantes|minutos|segundos))",
    "hi": r"(?:कृपया )?(?:बाद में |थोड़ी देर (?:में|बाद) |कुछ देर (?:में|बाद) )"
    r"(?:पुनः|फिर से|दोबारा) (?:प्रयास|कोशिश) करें",
}
# Alone they could be advice; behind an error they belong to it.
_WEAK = (
    r"(?:we |i )?(?:are |am |re |m )?(?:very |so )?(?:sorry|oops|apologies|apologize|apologise)"
    r"(?: about that| for (?:the|any) inconvenience)?|please|slow down|thank you|thanks",
    r"(?:please )?(?:try|retry)(?: again)?",
    r"(?:you can |you may |please )?retry your request",
    r"(?:or )?(?:please )?contact (?:us|support)(?: (?:through|at|via) our help cent(?:er|re))?"
    r"(?: at)?(?: if (?:the|this) (?:error|problem|issue) persists)?",
    r"please include (?:the|this|your) request id(?: \w+)* in your (?:message|email)",
    r"(?:nous sommes )?(?:désolée?s?|oups)|veuillez (?:réessayer|patienter)|réessayez",
    r"(?:ci )?(?:scusiamo|dispiace)|spiacenti|ops|riprova(?:re)?",
    r"(?:pedimos )?desculpas?(?: pelo (?:inconveniente|transtorno))?|desculpe|ops"
    r"|por favor|tente (?:novamente|de novo)",
    r"क्षमा करें|माफ़ करें|माफ़ कीजिए|हमें खेद है|कृपया (?:पुनः|फिर से) (?:प्रयास|कोशिश) करें",
)

_NOW = r"(?: (?:right now|at the moment|at this time|for now|now|with other requests))*"
_THING = (
    r"(?:(?:the|our|this|that|your|ai|language|api|model|inference|chat|web) )*"
    r"(?:servers?|service|system|model|api|engine|endpoint|backend|gateway|proxy|website)"
)
_STATE = (
    r"(?:is|are|was|has|been|being|currently|temporarily|momentarily|still|too|very|now|not"
    r"|experiencing|under|at|out|of|high|heavy|full|a|error|down|offline|unavailable|available"
    r"|overloaded|overload|busy|capacity|maintenance|memory|load|demand|traffic|loading|ready"
    r"|responding|reachable|unreachable|failed|crashed|timed)"
)
_TASK = (
    r"(?:(?:the|a|an|your|this|that|our|any|chat|api) )*"
    r"(?:requests?|responses?|answers?|completions?|messages?|prompts?|text|outputs?|data|server"
    r"|service|model|connection|api)"
)
_STRONG = (
    # English
    rf"{_THING}(?: {_STATE})+{_NOW}",
    r"(?:overloaded|unavailable|unauthorized|forbidden|not found|bad request|busy|timed? ?out)",
    r"(?:but )?(?:there was |there has been )?(?:an?|some) (?:\w+ ){0,2}error"
    rf"(?: has)?(?: occurred| happened)?(?: (?:while|during|when|in) (?:\w+ ){{0,3}}{_TASK})?",
    rf"{_THING} (?:had|has|met|encountered|returned|reported) (?:an?|some) (?:\w+ ){{0,2}}error"
    rf"(?: (?:while|during|when|in) (?:\w+ ){{0,3}}{_TASK})?",
    r"(?:there (?:was|has been) )?(?:an )?error (?:while |when |in )?(?:generating|processing"
    rf"|fetching|loading|creating|handling|completing|producing|reading) {_TASK}",
    r"(?:there (?:was|has been) )(?:an?|some) (?:\w+ )?(?:problem|issue)"
    rf"(?: (?:while|during|when|in|with) (?:\w+ ){{0,3}}{_TASK})?",
    r"(?:an?|some) (?:\w+ )?(?:problem|issue) (?:has )?(?:occurred|happened)",
    r"something (?:went|has gone) wrong(?: on our (?:end|side)| on the server)?"
    rf"(?: (?:while|when) (?:\w+ ){{0,2}}{_TASK})?",
    r"(?:internal|unknown|unexpected|server|network|connection|api|model|fatal|gateway|timeout"
    r"|inference|generation|runtime|upstream|proxy|http|service)(?: \w+)? error",
    rf"{_TASK} (?:has |was |is |have )?(?:timed out|timeout|failed|aborted|cancelled|canceled"
    r"|refused|reset|rejected|closed|invalid|not found|not available)"
    r"(?: (?:after|by) (?:\w+ ){0,3}\w+)?",
    r"too many (?:requests|connections|tokens)",
    r"(?:you (?:have |ve )?)(?:exceeded|reached|hit) (?:your|the) (?:\w+ ){0,3}(?:quota|limit)s?",
    r"(?:rate|token|usage|request) (?:limit|quota)(?: has been| was)?(?: exceeded| reached| hit)?",
    r"(?:we (?:are |were )?|i (?:am |was )?|the \w+ )?(?:failed to|unable to|could not|couldn t"
    r"|can ?not|can t) (?:generate|process|complete|fetch|load|reach|connect to|get|retrieve"
    rf"|return|handle|fulfil|fulfill|parse|produce) {_TASK}{_NOW}",
    r"(?:invalid|incorrect|missing|no) (?:api )?(?:key|token|credentials|model)(?: provided)?",
    r"no (?:response|answer|output|content|choices)(?: (?:was )?(?:received|generated|available"
    rf"|returned))?(?: (?:from|by) {_THING})?",
    r"null|none|undefined|nan|n a|object object|error",
    # French
    r"(?:une|des) erreurs?(?: \w+)? (?:(?:est|sont) survenues?|s est produite|se sont produites)"
    r"(?: (?:lors|pendant|durant) (?:de |du |la |le |l |d )*(?:\w+ )*(?:demande|requête|réponse))?",
    r"(?:le |notre |la )?(?:service|serveur|système|modèle|passerelle)(?: est| n est)?"
    r"(?: (?:pas|actuellement|temporairement|momentanément|trop|très))*"
    r" (?:surchargée?|occupée?|indisponible|disponible|saturée?|hors ligne|en maintenance)"
    r"(?: pour le moment| pour l instant| actuellement)?",
    r"trop de (?:requêtes|demandes)(?: \w+)?",
    r"surchargée?|indisponible|surcharge(?: du (?:serveur|service|modèle|système))?",
    r"délai (?:d attente |de réponse )?(?:est )?(?:dépassé|expiré|écoulé)",
    r"quelque chose (?:s est mal passé|a mal tourné|n a pas fonctionné)",
    r"un (?:problème|incident)(?: technique)? (?:est survenu|s est produit)",
    r"(?:la |votre )?(?:requête|demande|connexion) (?:a |est )?(?:expirée?|échouée?|refusée?"
    r"|échoué|interrompue)",
    r"(?:impossible de|nous n avons pas pu|nous ne pouvons pas) (?:traiter|générer|charger)"
    r" (?:votre|la|une|cette) (?:demande|requête|réponse)",
    r"(?:erreur|service|délai) (?:interne|du serveur|indisponible|inconnue?|dépassé|de connexion)"
    r"(?: du serveur)?",
    # Italian
    r"(?:si (?:è|sono) verificat[oi]|c è stato|ci sono stati) (?:un |un altro |degli |dei )?"
    r"(?:error[ei]|problem[ai])(?: \w+)?"
    r"(?: durante (?:l |la |il )?(?:\w+ )*(?:richiesta|risposta))?",
    r"(?:il |la |nostro )*(?:servizio|server|sistema|modello)(?: è| non è)?"
    r"(?: (?:al momento|attualmente|momentaneamente|temporaneamente|troppo|non))*"
    r" (?:sovraccarico|occupato|disponibile|indisponibile|irraggiungibile|in manutenzione)"
    r"(?: al momento| in questo momento)?",
    r"troppe richieste|sovraccarico|non disponibile|indisponibile",
    r"(?:il )?tempo (?:di attesa |massimo |limite )?(?:è )?(?:scaduto|esaurito|superato)",
    r"(?:la )?(?:richiesta|connessione) (?:è )?(?:scaduta|fallita|non riuscita|rifiutata)",
    r"(?:impossibile|non è stato possibile|non è possibile) (?:elaborare|generare|completare"
    r"|caricare) (?:la |una |la tua )?(?:richiesta|risposta)",
    r"qualcosa è andato storto",
    r"errore (?:interno|del server|di rete|di connessione|sconosciuto|imprevisto)(?: del server)?",
    # Portuguese
    r"(?:ocorreu|houve|aconteceu) (?:um|algum) (?:erro|problema)(?: \w+)?"
    r"(?: (?:ao|durante o|no) (?:\w+ ){0,3}(?:solicitação|pedido|resposta|requisição))?",
    r"(?:o |nosso |a )*(?:serviço|servidor|sistema|modelo)(?: está| não está| encontra se)?"
    r"(?: (?:no momento|atualmente|temporariamente|momentaneamente|muito))*"
    r" (?:sobrecarregado|ocupado|indisponível|disponível|fora do ar|em manutenção)"
    r"(?: no momento| agora)?",
    r"muitas (?:solicitações|requisições)|muitos pedidos|sobrecarregado|indisponível",
    r"(?:o )?tempo (?:limite |de espera |de resposta )?(?:foi )?(?:esgotado|excedido|expirado"
    r"|esgotou)",
    r"(?:a |o )?(?:solicitação|requisição|pedido|conexão) (?:expirou|falhou|foi recusad[ao])",
    r"(?:não foi possível|não conseguimos) (?:processar|gerar|concluir|carregar)"
    r" (?:a |o |uma |sua |seu )*(?:solicitação|resposta|requisição|pedido)",
    r"algo deu errado",
    r"erro (?:interno|do servidor|de rede|de conexão|desconhecido|inesperado)(?: do servidor)?",
    # Hindi
    r"(?:एक |कोई |कुछ )?(?:आंतरिक |अज्ञात |अप्रत्याशित |सर्वर |तकनीकी )*(?:त्रुटि|एरर)"
    r"(?: (?:हुई|हो गई|आई|आ गई|उत्पन्न हुई)(?: है)?)?",
    r"(?:एक |कोई |कुछ )?(?:तकनीकी |आंतरिक )?समस्या (?:हुई|हो गई|आई|आ गई)(?: है)?",
    r"(?:सर्वर|सेवा|सिस्टम|मॉडल)(?: (?:अभी|फ़िलहाल|वर्तमान में|इस समय|बहुत|अस्थायी रूप से))*"
    r" (?:व्यस्त|उपलब्ध नहीं|अनुपलब्ध|ओवरलोड|अतिभारित|डाउन|बंद)(?: है| हैं)?",
    r"ओवरलोड|अतिभारित|अनुपलब्ध|समय समाप्त(?: हो गया)?(?: है)?",
    r"कुछ (?:गलत|ग़लत|गड़बड़) हो गया(?: है)?|कुछ गड़बड़ हो गई(?: है)?",
    r"बहुत (?:अधिक|ज़्यादा|सारे) अनुरोध",
    r"(?:आपका )?अनुरोध (?:विफल|असफल)(?: रहा| हो गया| हुआ)?(?: है)?|अनुरोध का समय समाप्त(?: हो गया)?",
    r"(?:आपके )?अनुरोध को (?:पूरा|संसाधित) नहीं (?:कर सके|किया जा सका)",
)


def _any_of(*patterns: str) -> regex.Pattern[str]:
    joined = "|".join(f"(?:{unicodedata.normalize('NFC', one)})" for one in patterns)
    return regex.compile(rf"(?:and |but |et |e |mais |ma |mas |और )?(?:{joined})")


_ERROR = _any_of(*_STRONG, *_AGAIN.values())
_APOLOGY = _any_of(*_WEAK)


def error_sentence(text: str) -> bool:
    """Whether the whole text is what a server says about itself, in one of the data languages."""
    if len(text) > _MOST_CHARS:
        return False
    found = False
    for clause in _clauses(text):
        if _ERROR.fullmatch(clause):
            found = True
        elif not _APOLOGY.fullmatch(clause):
            return False  # most answers end here, at their first clause
    return found


def _clauses(text: str) -> list[str]:
    """What stands between the marks, in lower case and single blanks."""
    lower = _ADDRESS.sub(" ", unicodedata.normalize("NFC", text).casefold())
    parts = (_NOT_WORD.sub(" ", part).strip() for part in _BREAK.split(lower))
    return [part for part in parts if part]
