"""Short error texts in place of an answer, and real advice that speaks of errors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampling.guard.error_texts import error_sentence
from sampling.guard.shapes import error_text

ERRORS = [
    "overloaded",
    "The server is overloaded.",
    "The server is currently overloaded with other requests. Sorry about that!",
    "An error occurred, please try again later",
    "An unexpected error has occurred while processing your request. Please try again.",
    "An error occurred while generating the response.",
    "Something went wrong.",
    "Oops! Something went wrong on our end. Please try again in a few minutes.",
    "Service is busy",
    "Sorry, the service is busy right now. Try again later.",
    "The model is temporarily unavailable.",
    "The engine is currently at capacity, please retry.",
    "Request timed out.",
    "The request timed out after 60 seconds.",
    "Too many requests, slow down.",
    "You have exceeded your current quota.",
    "Failed to generate a response.",
    "Unable to process your request at this time.",
    "We couldn’t complete your request.",
    "Please try again later.",
    "Connection error",
    "Unauthorized",
    "Invalid API key provided",
    "Model not found",
    "null",
    "[object Object]",
    "Une erreur est survenue, veuillez réessayer plus tard.",
    "Une erreur inattendue s'est produite.",
    "Désolé, le service est actuellement indisponible. Réessayez dans quelques minutes.",
    "Le serveur est surchargé.",
    "Trop de requêtes.",
    "La requête a expiré.",
    "Impossible de traiter votre demande.",
    "Si è verificato un errore, riprova più tardi.",
    "Si è verificato un errore durante l'elaborazione della richiesta.",
    "Il servizio è momentaneamente non disponibile.",
    "Il server è sovraccarico. Riprovare più tardi.",
    "Troppe richieste.",
    "Impossibile elaborare la richiesta.",
    "Ocorreu um erro, tente novamente mais tarde.",
    "Ocorreu um erro inesperado ao processar sua solicitação.",
    "O servidor está sobrecarregado no momento.",
    "O serviço está indisponível. Por favor, tente de novo mais tarde.",
    "Muitas solicitações.",
    "Não foi possível processar a sua solicitação.",
    "एक त्रुटि हुई, कृपया बाद में पुनः प्रयास करें।",
    "कोई त्रुटि हो गई है। कृपया बाद में फिर से कोशिश करें।",
    "सर्वर अभी व्यस्त है।",
    "सेवा अभी उपलब्ध नहीं है।",
    "कुछ गलत हो गया।",
    "बहुत अधिक अनुरोध।",
    # As servers and gateways word them, with and without a verb.
    "That model is currently overloaded with other requests. You can retry your request, or contact"
    " us through our help center at help.example.com if the error persists.",
    "The server had an error while processing your request. Sorry about that!",
    "There was an error generating a response",
    "There was a problem with your request. Please try again.",
    "No response from model.",
    "Upstream error",
    "Serveur surchargé",
    "surchargé",
    "Délai d’attente dépassé.",
    "Un problème est survenu. Veuillez réessayer plus tard.",
    "Quelque chose s'est mal passé.",
    "Servizio temporaneamente non disponibile.",
    "sovraccarico",
    "C'è stato un errore.",
    "Tempo scaduto.",
    "Serviço temporariamente indisponível.",
    "Servidor sobrecarregado",
    "Houve um problema. Tente novamente.",
    "Tempo esgotado.",
    "मॉडल अतिभारित है।",
    "ओवरलोड",
    "आंतरिक सर्वर त्रुटि",
    "अनुरोध का समय समाप्त हो गया।",
]

ADVICE = [
    "Something went wrong between you two, so talk to him before Sunday.",
    "An error occurred in your thinking: a loan is never only a loan.",
    "If the service is busy, wait; if it is rude, complain to the owner.",
    "Tell her that you are overloaded and need two evenings for yourself.",
    "You are overloaded. Say no to the next favour and sleep.",
    "The server was unkind to you, but leave a tip all the same.",
    "Try again later, when he has slept and you have both eaten.",
    "Please try again: nobody learns to dance in one evening.",
    "The system is broken, and only a vote will change it.",
    "Our town is busy. The service is unavailable on Sundays, so plan ahead.",
    "Too many requests from one cousin are a reason to say no.",
    "Your request failed because you asked in anger; ask again gently.",
    "Errors happen, and forgiving one early keeps a family together.",
    "He timed out of the race, and nobody thinks less of him.",
    "Une erreur est survenue dans votre couple, et en parler vous aidera.",
    "Réessayez plus tard, quand il aura dormi.",
    "Le service est surchargé le dimanche : allez-y le lundi.",
    "Si è verificato un errore di fiducia: parlane con tua sorella.",
    "Il servizio civile è una scuola di vita.",
    "Ocorreu um erro na sua família, e só o perdão o apaga.",
    "O serviço público está sobrecarregado, e por isso mesmo vale a pena ajudar.",
    "आपसे एक त्रुटि हुई है, इसलिए पहले माफ़ी माँगिए।",
    "वह अभी व्यस्त है, इसलिए शाम को बात कीजिए।",
    "बाद में फिर से कोशिश करें, जब सब शांत हों।",
    "There was a problem with your mother, so call her first.",
    "You can retry your request for a raise in spring.",
    "Un problème est survenu entre vous, et il faut en parler.",
    "Il tempo è scaduto per le scuse: parla con lui oggi.",
    "Houve um problema na família, e só a conversa o resolve.",
    "आप पर काम का बोझ है, इसलिए आराम कीजिए।",
]


@pytest.mark.parametrize("text", ERRORS)
def test_a_short_error_is_no_candidate(text: str) -> None:
    assert error_text(text)
    assert error_text(f"  {text.upper()}\n")


@pytest.mark.parametrize("text", ADVICE)
def test_advice_that_speaks_of_errors_is_one(text: str) -> None:
    assert not error_text(text)


short = st.sampled_from([text for text in ERRORS if error_sentence(text)])


@given(st.lists(short, min_size=1, max_size=3), st.sampled_from([" ", "\n", "\n\n", " — "]))
def test_errors_in_a_row_are_an_error(errors: list[str], between: str) -> None:
    assert error_text(between.join(f"{error.rstrip('.')}." for error in errors))


@given(short, st.sampled_from(ADVICE))
def test_an_error_that_an_answer_quotes_does_not_make_it_one(error: str, advice: str) -> None:
    assert not error_sentence(f"{advice} {error}")
    assert not error_sentence(f"{error.rstrip('.')}. {advice}")


@given(st.text(max_size=200))
def test_no_text_at_all_is_too_odd_to_be_told(text: str) -> None:
    assert error_sentence(text) in {True, False}
