"""What a researcher asks of the lab: one prompt, or a batch over the study's prompts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sampling import ways
from sampling.errors import BadRequest
from sampling.lab import asking
from sampling.lab.asking import Question, Way
from sampling.messages import message, read_context
from sampling.models import Endpoint, LabRun
from studies.models import Researcher, Study
from studies.models.study import Language

MOST_LETTERS = 4000
MOST_PROMPTS = 40
UNMAKEABLE = {
    "texts": gettext_lazy("%(way)s brings no texts for such a question. Leave it out."),
    "endpoints": gettext_lazy("%(way)s asks several endpoints for one set. Leave it out."),
}
NOTHING = gettext_lazy("Choose at least one.")


class LabForm(forms.Form):
    """Ways and endpoints, which both kinds of run ask for; and the run that follows."""

    kind = LabRun.Kind.ONE
    ways = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, error_messages={"required": NOTHING}
    )
    endpoints = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, error_messages={"required": NOTHING}
    )

    def __init__(self, *args: Any, study: Study, by: Researcher, **options: Any) -> None:
        super().__init__(*args, **options)
        self.study, self.by = study, by
        self._ways = {way.name: way for way in asking.ways_of(study)}
        self._endpoints = {row.name: row for row in asking.endpoints_for(by)}
        self.fields["ways"].choices = [(name, name) for name in self._ways]  # type: ignore[attr-defined]
        self.fields["endpoints"].choices = [  # type: ignore[attr-defined]
            (name, _endpoint_label(row)) for name, row in self._endpoints.items()
        ]
        self.initial.setdefault("ways", [name for name in ways.usable() if name in self._ways])
        self.initial.setdefault("endpoints", list(self._endpoints))

    def questions(self) -> Sequence[Question]:
        """What the run is asked. Raises BadRequest."""
        raise NotImplementedError  # each kind of run, in a class of its own, asks something else

    def ask(self) -> LabRun | None:
        """The run that the form asks for; None, with an error in the form, when it cannot be."""
        try:
            return asking.ask(
                study=self.study,
                by=self.by,
                kind=self.kind,
                questions=self.questions(),
                ways=self._chosen_ways(),
                endpoints=[self._endpoints[name] for name in self.cleaned_data["endpoints"]],
            )
        except asking.CannotBeMade as fault:
            self.add_error("ways", UNMAKEABLE[fault.lacking] % {"way": fault.way.name})
            return None
        except BadRequest:
            said = _("This would be no set at all, or more than %(most)s. Choose others.")
            self.add_error(None, said % {"most": asking.MOST_SETS})
            return None

    def _chosen_ways(self) -> list[Way]:
        return [self._ways[name] for name in self.cleaned_data["ways"]]


class OneForm(LabForm):
    """One prompt, typed or picked, in one language."""

    text = forms.CharField(required=False, max_length=MOST_LETTERS, widget=forms.Textarea)
    prompt = forms.ChoiceField(required=False)
    language = forms.ChoiceField(choices=Language.choices)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        keys = asking.texts_of(self.study).values_list("prompt__key", flat=True)
        listed = [(key, key) for key in dict.fromkeys(keys)]
        self.fields["prompt"].choices = [("", _("the text above")), *listed]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Exactly one of the two: a text, or a prompt that the study has in the language."""
        given: dict[str, Any] = super().clean() or {}
        text, key, language = (given.get(name) for name in ("text", "prompt", "language"))
        if not text and not key and "text" not in self.errors:
            self.add_error("text", _("Type a prompt, or pick one of the study’s."))
        elif text and key:
            self.add_error("text", _("Either type a prompt or pick one of the study’s, not both."))
        elif key and language and not self._picked(key, language):
            self.add_error("prompt", _("The study does not have this prompt in this language."))
        return given

    def questions(self) -> Sequence[Question]:
        text, language = self.cleaned_data["text"], self.cleaned_data["language"]
        if text:
            return [Question(read_context([message("user", text)]), language)]
        picked = self._picked(self.cleaned_data["prompt"], language)
        return [picked] if picked else []

    def _picked(self, key: str, language: str) -> Question | None:
        return asking.question_of(self.study, key=key, language=language)


class BatchForm(LabForm):
    """A sample of the study's prompts, in some languages."""

    kind = LabRun.Kind.BATCH
    n = forms.IntegerField(min_value=1, max_value=MOST_PROMPTS, initial=5)
    seed = forms.IntegerField(min_value=0, max_value=2**31 - 1, initial=1)
    languages = forms.MultipleChoiceField(
        choices=Language.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": NOTHING},
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        there = asking.texts_of(self.study).values_list("language", flat=True)
        self.initial.setdefault("languages", sorted(set(there)))

    def questions(self) -> Sequence[Question]:
        given = self.cleaned_data
        return asking.questions_of(
            self.study, languages=given["languages"], n=given["n"], seed=given["seed"]
        )


def _endpoint_label(row: Endpoint) -> str:
    model = row.model if row.kind == Endpoint.Kind.MODEL else _("example sentences")
    return f"{row.name} ({model})"
