"""Judges a drawn set: every measure of every text and of the set, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from sampling.guard.language import detect, mixes_scripts
from sampling.guard.likeness import likeness, normalised
from sampling.guard.settings import MAX_CHARS, Action, GuardSettings
from sampling.guard.shapes import error_text, formatted, leaked_marker, loops, special_token
from sampling.guard.verdict import Finding, Verdict
from sampling.guard.words import count_words, ends
from sampling.messages import unusable
from sampling.strategies.strategy import Draft

# Measures of one text that are a yes or a no, with what a finding says.
SHAPES: dict[str, tuple[Callable[[str], bool], str]] = {
    "error_text": (error_text, "an error stood in place of an answer"),
    "special_tokens": (special_token, "template tokens stood in an answer"),
    "markers": (leaked_marker, "a marker or a label stood in an answer"),
    "loop": (loops, "an answer went round in a loop"),
    "cut_off": (lambda text: not ends(text), "an answer was cut off"),
    "formatting": (formatted, "an answer was formatted"),
}


def judge(
    drafts: Sequence[Draft],
    *,
    k: int,
    language: str,
    settings: GuardSettings,
    baseline: bool,
    notes: Sequence[str] = (),
    earlier: Sequence[Verdict] = (),
) -> Verdict:
    """The verdict on a round's drafts, at most one per slot.

    `baseline`: likeness and length are only marked, unless the plan says else. It never passes
    fewer than k non-empty, distinct, storable texts, whatever the plan says.
    """
    drafts = sorted(drafts, key=lambda draft: draft.slot)
    judging = _Judging(k=k, language=language, settings=settings, baseline=baseline)
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

    def __init__(self, *, k: int, language: str, settings: GuardSettings, baseline: bool) -> None:
        self._k = k
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

    def _languages(self, written: Sequence[Draft]) -> Iterator[Finding]:
        """Texts that are surely in another language, or change their script inside a word."""
        wrong = [
            draft.slot
            for draft in written
            if detect(draft.text) not in {None, self._language} or mixes_scripts(draft.text)
        ]
        if wrong:
            yield self._finding("language", wrong, "an answer was not in the language asked for")

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
            "language": {str(draft.slot): detect(draft.text) for draft in written},
            "likeness": [[round(float(share), 3) for share in row] for row in shares],
        }
        return measured, findings
