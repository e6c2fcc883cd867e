"""Lists of reasons that annotators may tick in place of typing.

A list never changes once a study may have used it: other words, or another reason, are a list of
another name. The labels stand here and not among the messages of the interface, because they are
part of what was asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Texts = Mapping[str, str]
After = Literal["chosen", "none"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, and after which outcome it is offered (a tie is offered those of a choice)."""

    key: str
    label: Texts
    after: After = "chosen"


@dataclass(frozen=True, slots=True)
class ReasonList:
    """Reasons under a name that says the version. What is stored is `name/key`."""

    name: str
    reasons: tuple[Reason, ...]

    def codes(self, after: After) -> dict[str, Reason]:
        """The reasons that are offered after an outcome, by what is stored of them."""
        return {f"{self.name}/{one.key}": one for one in self.reasons if one.after == after}


def as_reason_list(said: Mapping[str, Any]) -> ReasonList:
    """A study's own list, as its file has it: `version` and `offered`."""
    reasons = (
        Reason(key=one["key"], label=one["label"], after=one.get("after", "chosen"))
        for one in said["offered"]
    )
    return ReasonList(name=f"own-{said['version']}", reasons=tuple(reasons))


GENERAL_1 = ReasonList(
    name="general-1",
    reasons=(
        Reason(
            "values",
            {
                "en": "It fits what matters to me",
                "fr": "Elle correspond à ce qui compte pour moi",
                "it": "Corrisponde a ciò che conta per me",
                "pt": "Combina com o que é importante para mim",
                "hi": "यह मेरे लिए ज़रूरी बातों से मेल खाता है",
                "ar": "توافق ما يهمّني",
            },
        ),
        Reason(
            "useful",
            {
                "en": "I could act on it",
                "fr": "Je peux m’en servir",
                "it": "Posso metterla in pratica",
                "pt": "Dá para colocar em prática",
                "hi": "मैं इस पर अमल कर सकूँ",
                "ar": "يمكنني العمل بها",
            },
        ),
        Reason(
            "place",
            {
                "en": "It fits where I live",
                "fr": "Elle correspond à l’endroit où je vis",
                "it": "È adatta al posto in cui vivo",
                "pt": "Combina com o lugar onde vivo",
                "hi": "यह मेरे इलाक़े के हिसाब से ठीक है",
                "ar": "تناسب المكان الذي أعيش فيه",
            },
        ),
        Reason(
            "sides",
            {
                "en": "It sees several sides",
                "fr": "Elle voit plusieurs côtés",
                "it": "Considera più punti di vista",
                "pt": "Considera vários lados",
                "hi": "यह कई पहलू देखता है",
                "ar": "تنظر من عدة جوانب",
            },
        ),
        Reason(
            "clear",
            {
                "en": "It takes a clear stand",
                "fr": "Elle prend clairement position",
                "it": "Prende una posizione chiara",
                "pt": "Toma uma posição clara",
                "hi": "यह साफ़ राय देता है",
                "ar": "تتّخذ موقفًا واضحًا",
            },
        ),
        Reason(
            "tone",
            {
                "en": "I like its tone",
                "fr": "J’aime son ton",
                "it": "Mi piace il tono",
                "pt": "Gosto do tom",
                "hi": "इसका लहजा मुझे पसंद है",
                "ar": "تعجبني نبرتها",
            },
        ),
        Reason(
            "not-my-values",
            {
                "en": "They miss what matters to me",
                "fr": "Elles passent à côté de ce qui compte pour moi",
                "it": "Trascurano ciò che conta per me",
                "pt": "Deixam de lado o que é importante para mim",
                "hi": "मेरे लिए ज़रूरी बातें छूट गईं",
                "ar": "أغفلت ما يهمّني",
            },
            after="none",
        ),
        Reason(
            "not-my-place",
            {
                "en": "They do not fit where I live",
                "fr": "Elles ne correspondent pas à l’endroit où je vis",
                "it": "Non sono adatte al posto in cui vivo",
                "pt": "Não combinam com o lugar onde vivo",
                "hi": "ये मेरे इलाक़े के हिसाब से ठीक नहीं",
                "ar": "لا تناسب المكان الذي أعيش فيه",
            },
            after="none",
        ),
        Reason(
            "wrong",
            {
                "en": "Something in them is wrong",
                "fr": "Elles contiennent une erreur",
                "it": "Contengono qualcosa di sbagliato",
                "pt": "Há algo errado nelas",
                "hi": "इनमें कुछ ग़लत है",
                "ar": "فيها شيء غير صحيح",
            },
            after="none",
        ),
        Reason(
            "no-answer",
            {
                "en": "They do not answer me",
                "fr": "Elles ne me répondent pas",
                "it": "Non rispondono alla mia domanda",
                "pt": "Não respondem ao que perguntei",
                "hi": "ये मेरी बात का जवाब नहीं देते",
                "ar": "لا تجيب عن سؤالي",
            },
            after="none",
        ),
    ),
)

SHIPPED: Mapping[str, ReasonList] = {GENERAL_1.name: GENERAL_1}
