"""Judges a drawn set: every measure of every text and of the set, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from sampling.guard.asked import Asked
from sampling.guard.cuts import cut_slots
from sampling.guard.echoes import asks_back, echoes, only_asks
from sampling.guard.language import detect, in_another_language
from sampling.guard.likeness import likeness, normalised
from sampling.guard.openings import has_preamble, runs_on
from sampling.guard.refusals import identifies_itself, refuses
from sampling.guard.scripts import foreign_letters
from sampling.guard.settings import MAX_CHARS, Action, GuardSettings
from sampling.guard.shapes import error_text, formatted, leaked_marker, loops, special_token
from sampling.guard.style import style
from sampling.guard.verdict import Finding, Verdict
from sampling.guard.words import count_words
from sampling.messages import unusable
from sampling.strategies.strategy import Draft

# Measures of one text that are a yes or a no, with what a finding says.
SHAPES: dict[str, tuple[Callable[[str], bool], str]] = {
    "error_text": (error_text, "an error stood in place of an answer"),
    "special_tokens": (special_token, "template tokens stood in an answer"),
    "markers": (leaked_marker, "a marker or a label stood in an answer"),
    "loop": (loops, "an answer went round in a loop"),
    "preamble": (has_preamble, "an answer began by announcing itself"),
    "run_on": (runs_on, "an answer was a piece of a longer text"),
    "refusal": (refuses, "the model refused to answer"),
    "self_identification": (identifies_itself, "the model spoke of itself"),
    "formatting": (formatted, "an answer was formatted"),
}


def judge(
    drafts: Sequence[Draft],
    *,
    k: int,
    language: str,
    settings: GuardSettings,
    baseline: bool,
    asked: Asked = Asked(),  # noqa: B008 (frozen)
    notes: Sequence[str] = (),
    earlier: Sequence[Verdict] = (),
) -> Verdict:
    """The verdict on a round's drafts, at most one per slot.

    `baseline`: likeness, refusals and length are only marked, unless the plan says else. `asked`:
    what the answers are held against for echoes. It never passes fewer than k non-empty, distinct,
    storable texts, whatever the plan says.
    """
    drafts = sorted(drafts, key=lambda draft: draft.slot)
    judging = _Judging(k=k, language=language, settings=settings, baseline=baseline, asked=asked)
    findings = [*judging.count(drafts)]
    findings += judging.unwritten(drafts)
    written = [draft for draft in drafts if _measurable(draft.text)]
    findings += judging.each(written)
    measured, of_set = judging.together(written)
    return Verdict(
        findings=(*findings, *of_set),
        measured=measured,
        notes=tuple(notes),
        earlier=tuple(earlier),
    )


def _measurable(text: str) -> bool:
    return bool(text.strip()) and not unusable(text) and len(text) <= MAX_CHARS


class _Judging:
    """One judgement: the settings as they apply to this set."""

    def __init__(
        self, *, k: int, language: str, settings: GuardSettings, baseline: bool, asked: Asked
    ) -> None:
        self._k = k
        self._asked = asked
        self._language = language
        self._settings = settings
        self._baseline = baseline

    def _action(self, measure: str) -> Action:
        return self._settings.action(measure, baseline=self._baseline)

    def _finding(self, measure: str, slots: Sequence[int], said: str) -> Finding:
        return Finding(measure, self._action(measure), tuple(slots), said)

    def count(self, drafts: Sequence[Draft]) -> Iterator[Finding]:
        """Exactly the slots 0 to k - 1; what is missing can be drawn again, what is too much cannot
        be judged.
        """
        slots = [draft.slot for draft in drafts]
        missing = sorted(set(range(self._k)) - set(slots))
        if len(set(slots)) < len(slots) or set(slots) - set(range(self._k)):
            yield Finding("count", "fail", tuple(slots), "more answers came than were asked for")
        elif missing:
            said = f"{len(slots)} of {self._k} answers could be had"
            yield Finding("count", "repair", tuple(missing), said)

    def unwritten(self, drafts: Sequence[Draft]) -> Iterator[Finding]:
        """Texts that are not there, cannot be stored, or are too long to be measured."""
        empty = [d.slot for d in drafts if not d.text.strip() or unusable(d.text)]
        endless = [d.slot for d in drafts if len(d.text) > MAX_CHARS]
        if empty:
            yield self._finding("empty", empty, "an answer was empty or could not be stored")
        if endless:
            said = f"an answer had more than {MAX_CHARS} characters"
            yield Finding("too_long", "repair", tuple(endless), said)

    def each(self, written: Sequence[Draft]) -> Iterator[Finding]:
        """The measures of single texts."""
        for measure, (found_in, said) in SHAPES.items():
            if slots := [draft.slot for draft in written if found_in(draft.text)]:
                yield self._finding(measure, slots, said)
        if cut := cut_slots(written):
            yield self._finding("cut_off", cut, "an answer was cut off")
        yield from self._repetitions(written)
        yield from self._lengths(written)
        yield from self._languages(written)

    def _lengths(self, written: Sequence[Draft]) -> Iterator[Finding]:
        counts = {draft.slot: count_words(draft.text) for draft in written}
        least, most = self._settings.min_words, self._settings.max_words
        if short := [slot for slot, count in counts.items() if count < least]:
            yield self._finding("too_short", short, f"an answer had fewer than {least} words")
        if long := [slot for slot, count in counts.items() if count > most]:
            yield self._finding("too_long", long, f"an answer had more than {most} words")
        if len(counts) > 1:
            ratio = max(counts.values()) / max(1, *[min(counts.values())])
            if ratio > self._settings.max_length_ratio:
                longest = max(counts, key=lambda slot: counts[slot])
                said = f"the longest answer was {ratio:.1f} times the shortest"
                yield self._finding("length_spread", [longest], said)

    def _repetitions(self, written: Sequence[Draft]) -> Iterator[Finding]:
        """Texts that repeat what the set was asked with."""
        asked = self._asked
        echoing = [
            draft.slot
            for draft in written
            if echoes(draft.text, own=asked.ours.get(draft.slot, ()), said=asked.said)
        ]
        if echoing:
            yield self._finding("echo", echoing, "an answer repeated its instruction")
        asking = [d.slot for d in written if asks_back(d.text, message=asked.message)]
        if len(written) > 1 and all(only_asks(draft.text) for draft in written):
            asking = [draft.slot for draft in written]
        if asking:
            yield self._finding("question_back", asking, "the question was given back")

    def _languages(self, written: Sequence[Draft]) -> Iterator[Finding]:
        """Texts that are surely in another language, or hold letters of another script."""
        language, said = self._language, "".join(self._asked.said)
        wrong = [d.slot for d in written if in_another_language(d.text, language)]
        if wrong:
            yield self._finding("language", wrong, "an answer was not in the language asked for")
        foreign = [
            draft.slot
            for draft in written
            if foreign_letters(draft.text, language=language, said=said)
        ]
        if foreign:
            text = "letters of another script stood in an answer"
            yield self._finding("foreign_script", foreign, text)

    def together(self, written: Sequence[Draft]) -> tuple[dict[str, object], list[Finding]]:
        """The measures of the set, and the values that the rows keep."""
        texts = [draft.text for draft in written]
        shares = likeness(texts)
        same = [normalised(text) or text for text in texts]
        twins, near = set(), set()
        for one, other in combinations(range(len(written)), 2):
            if same[one] == same[other]:
                twins.add(written[other].slot)
            elif shares[one, other] >= self._settings.likeness:
                near.add(written[other].slot)
        findings = []
        if twins:
            findings.append(self._finding("duplicate", sorted(twins), "two answers were the same"))
        if near - twins:
            said = "two answers were nearly the same"
            findings.append(self._finding("near_duplicate", sorted(near - twins), said))
        measured: dict[str, object] = {
            "words": {str(draft.slot): count_words(draft.text) for draft in written},
            "characters": {str(draft.slot): len(draft.text) for draft in written},
            "style": {str(draft.slot): dict(style(draft.text)) for draft in written},
            "language": {str(draft.slot): detect(draft.text) for draft in written},
            "likeness": [[round(float(share), 3) for share in row] for row in shares],
        }
        return measured, findings
