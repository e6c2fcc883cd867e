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
                "en": "Fits my values",
                "fr": "Proche de mes valeurs",
                "it": "Vicina ai miei valori",
                "pt": "Próxima dos meus valores",
                "hi": "मेरे मूल्यों के क़रीब",
                "ar": "قريبة من قيمي",
            },
        ),
        Reason(
            "useful",
            {
                "en": "Useful to me",
                "fr": "Utile pour moi",
                "it": "Utile per me",
                "pt": "Útil para mim",
                "hi": "मेरे काम का",
                "ar": "مفيدة لي",
            },
        ),
        Reason(
            "place",
            {
                "en": "Fits where I live",
                "fr": "Adaptée à ma région",
                "it": "Adatta a dove vivo",
                "pt": "Combina com onde vivo",
                "hi": "मेरे इलाक़े के हिसाब से",
                "ar": "تناسب مكان عيشي",
            },
        ),
        Reason(
            "sides",
            {
                "en": "Sees several sides",
                "fr": "Voit plusieurs côtés",
                "it": "Vede più lati",
                "pt": "Vê vários lados",
                "hi": "कई पहलू देखता है",
                "ar": "ترى عدة جوانب",
            },
        ),
        Reason(
            "clear",
            {
                "en": "Takes a clear stand",
                "fr": "Prend clairement position",
                "it": "Prende posizione",
                "pt": "Toma posição",
                "hi": "साफ़ राय देता है",
                "ar": "تتخذ موقفًا واضحًا",
            },
        ),
        Reason(
            "tone",
            {
                "en": "I like its tone",
                "fr": "J’aime son ton",
                "it": "Mi piace il tono",
                "pt": "Gosto do tom",
                "hi": "लहजा पसंद है",
                "ar": "تعجبني نبرتها",
            },
        ),
        Reason(
            "not-my-values",
            {
                "en": "Far from my values",
                "fr": "Loin de mes valeurs",
                "it": "Lontane dai miei valori",
                "pt": "Longe dos meus valores",
                "hi": "मेरे मूल्यों से दूर",
                "ar": "بعيدة عن قيمي",
            },
            after="none",
        ),
        Reason(
            "not-my-place",
            {
                "en": "Do not fit where I live",
                "fr": "Inadaptées à ma région",
                "it": "Non adatte a dove vivo",
                "pt": "Não combinam com onde vivo",
                "hi": "मेरे इलाक़े के लिए ठीक नहीं",
                "ar": "لا تناسب مكان عيشي",
            },
            after="none",
        ),
        Reason(
            "wrong",
            {
                "en": "Something is wrong in them",
                "fr": "Contiennent une erreur",
                "it": "C’è qualcosa di sbagliato",
                "pt": "Há algo errado nelas",
                "hi": "इनमें कुछ ग़लत है",
                "ar": "فيها شيء غير صحيح",
            },
            after="none",
        ),
        Reason(
            "no-answer",
            {
                "en": "Do not answer me",
                "fr": "Ne me répondent pas",
                "it": "Non mi rispondono",
                "pt": "Não me respondem",
                "hi": "मेरी बात का जवाब नहीं",
                "ar": "لا تجيب عن سؤالي",
            },
            after="none",
        ),
    ),
)

SHIPPED: Mapping[str, ReasonList] = {GENERAL_1.name: GENERAL_1}
