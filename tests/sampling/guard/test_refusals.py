"""Refusals and models that speak of themselves, and the answers that look a little like them."""

import pytest

from sampling.guard.refusals import identifies_itself, refuses
from tests.sampling.guard.samples import phrases

REFUSALS = [
    "As an AI, I cannot support any political decision.",
    "As an AI language model, I do not have personal beliefs or opinions.",
    "I'm sorry, but I can't assist with that request.",
    "I’m sorry, but as an assistant I am not able to answer this.",
    "I cannot provide an opinion on religious matters.",
    "I am unable to provide personal advice.",
    "Unfortunately, I cannot help you with that.",
    "I don't have personal feelings, so I can only list the facts.",
    "I won't take sides in this matter.",
    "I'm not comfortable discussing this topic.",
    "Je suis désolé, mais je ne peux pas répondre à cette question.",
    "Désolée, je ne suis pas en mesure de vous aider.",
    "Je ne peux pas vous donner d'avis sur ce sujet.",
    "En tant qu'IA, je n'ai pas d'opinion personnelle.",
    "Mi dispiace, ma non posso rispondere a questa domanda.",
    "Non posso fornire consigli su questo argomento.",
    "Purtroppo non sono in grado di aiutarti.",
    "Non ho opinioni personali su questo.",
    "Desculpe, mas não posso ajudar com isso.",
    "Sinto muito, eu não consigo responder a essa pergunta.",
    "Não posso dar conselhos sobre política.",
    "Não tenho opiniões pessoais sobre o assunto.",
    "क्षमा करें, मैं इस विषय पर सलाह नहीं दे सकता।",
    "मैं इस सवाल का जवाब नहीं दे सकती।",
    "मुझे खेद है, लेकिन मैं इसमें मदद नहीं कर सकता।",
    "मैं आपकी सहायता करने में असमर्थ हूँ।",
    "मेरी कोई व्यक्तिगत राय नहीं है।",
    "My apologies, but I am not able to say which of them is right.",
    "I'm not permitted to give advice on elections.",
    "Je présente mes excuses, mais je ne peux pas me prononcer là-dessus.",
    "Je m'excuse, mais je suis dans l'incapacité de traiter cela.",
    "Je refuse de répondre à cette question.",
    "Il m'est impossible de donner un avis personnel.",
    "Chiedo scusa, ma non posso esprimermi su questo.",
    "Le mie scuse, ma non sono in grado di farlo.",
    "Mi rifiuto di rispondere a questa domanda.",
    "Peço desculpas, mas não posso fazer isso.",
    "Não estou apta a dar conselhos médicos.",
    "Não estou autorizada a responder sobre esse tema.",
    "Eu me recuso a responder a essa pergunta.",
    "क्षमा चाहता हूँ, लेकिन मैं यह नहीं बता सकता।",
    "माफ़ी चाहती हूँ, मैं इसका उत्तर नहीं दे पाऊँगी।",
    "मैं इस सवाल का जवाब देने से इनकार करता हूँ।",
    "मुझे राजनीति पर राय देने की अनुमति नहीं है।",
]

ANSWERS = [
    "No, I cannot support it: the street is too narrow for so many people.",
    "I'm sorry to hear that. Call her tonight, and say nothing about the money.",
    "Unfortunately, brothers rarely pay back, so lend only what you can lose.",
    "I can't recommend it enough: sell the car and take the train.",
    "You are unable to say no, and he knows it. Practise with small things.",
    "Tell them that you cannot help with the rent this year, and mean it.",
    "I don't have children, but I was one: strict fathers are remembered kindly.",
    "Say nothing to them. Nobody has a right to know your salary.",
    "Je ne peux pas imaginer une famille sans dimanche, alors refusez.",
    "Désolé pour votre mère : rentrez, votre travail attendra.",
    "Non posso immaginare una casa senza nonni, quindi tienili con te.",
    "Mi dispiace per tuo padre. Vai da lui, il lavoro aspetta.",
    "Não posso imaginar um domingo sem família, então recuse.",
    "Sinto muito pela sua mãe. Volte, o trabalho espera.",
    "मैं ऐसा नहीं कर सकता था, इसलिए घर लौट आया; आप भी लौटिए।",
    "माफ़ कीजिए और आगे बढ़िए, क्योंकि परिवार सबसे पहले आता है।",
    "Accept her apologies, and do not ask again why she could not come.",
    "Je refuse de croire qu'un dimanche sans famille soit un vrai dimanche.",
    "Présentez vos excuses, même si vous ne pouvez pas tout réparer.",
    "Chiedi scusa a tua madre, anche se non può capire tutto.",
    "Mi rifiuto di credere che il lavoro venga prima dei figli.",
    "Peça desculpas a ela, mesmo que não possa consertar tudo.",
    "Eu me recuso a viver longe dos meus pais, e você deveria recusar também.",
    "Não estou autorizada a dirigir, então peço carona; peça você também.",
    "बेटे को माफ़ी माँगने दीजिए, जवाब देने से इनकार मत कीजिए।",
    "मुझे अपने पिता से शादी की अनुमति नहीं मिली, फिर भी मैंने इंतज़ार किया।",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_seen_in_every_language(text: str) -> None:
    assert refuses(text)
    assert refuses(text.replace("'", "’"))


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_that_says_no_is_no_refusal(text: str) -> None:
    assert not refuses(text)
    assert not identifies_itself(text)


def test_caution_at_the_end_of_an_answer_is_no_refusal() -> None:
    answer = "Lend it to him, with a date on paper, and tell your wife about it first. " * 5

    assert not refuses(answer + "I cannot provide legal advice.")


SELVES = [
    "As an AI, I see both sides.",
    "As an AI language model I was not raised in a family.",
    "I am just a language model, so weigh this yourself.",
    "I'm an AI assistant.",
    "I was trained by OpenAI to be careful.",
    "My training data ends in 2023.",
    "En tant que modèle de langage, je vois deux chemins.",
    "En tant qu’IA, je vois deux chemins.",
    "Je suis un modèle de langage et je n'ai pas de famille.",
    "Je ne suis qu'une intelligence artificielle.",
    "In quanto intelligenza artificiale, non vivo in famiglia.",
    "Come modello linguistico, non ho figli.",
    "Sono un assistente virtuale.",
    "Como uma inteligência artificial, não tenho filhos.",
    "Como modelo de linguagem, vejo dois caminhos.",
    "Sou apenas um modelo de linguagem.",
    "एक एआई के रूप में, मैं दोनों पक्ष देखता हूँ।",
    "मैं एक भाषा मॉडल हूँ।",
    "मैं केवल एक चैटबॉट हूँ।",
]

PEOPLE = [
    "As an AI engineer you will earn well, but ask what the machines are for.",
    "As an aid to memory, write it down.",
    "I am an artist, and artists starve: keep the job.",
    "Use an AI assistant for the forms, and your own heart for the letter.",
    "A language model writes the letter, but you have to mean it.",
    "I'm an AI researcher's mother; let her choose.",
    "En tant que père, vous décidez.",
    "L'intelligence artificielle changera ce métier, alors apprenez-la.",
    "Come modello di vita scegli tua nonna.",
    "Sono un padre anch'io, e capisco.",
    "Materie come intelligenza artificiale e robotica piacciono ai giovani.",
    "Como modelo de vida, escolha a sua avó.",
    "Sou uma mãe também, e entendo.",
    "एआई के बारे में सीखना अच्छा है, पर परिवार पहले आता है।",
]


@pytest.mark.parametrize("text", SELVES)
def test_a_model_that_speaks_of_itself_is_seen(text: str) -> None:
    assert identifies_itself(text)


@pytest.mark.parametrize("text", PEOPLE)
def test_people_and_machines_in_an_answer_are_let_be(text: str) -> None:
    assert not identifies_itself(text)


def test_no_phrase_that_people_wrote_is_taken_for_either() -> None:
    assert [text for text in phrases() if refuses(text) or identifies_itself(text)] == []
