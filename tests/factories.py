"""Small valid rows for tests. Each function makes one row, and the parents that it was not given.

`world()` makes an open study with everything an annotator needs; `judged_turn()` goes all the way
to a comparison. Traits are keywords; whatever else a row has goes in as its own fields.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotation.models import (
    Assignment,
    Break,
    Comparison,
    ComparisonMark,
    Conversation,
    PromptCell,
    Report,
    Turn,
)
from sampling.canonical import fingerprint
from sampling.models import (
    Arm,
    Candidate,
    CandidateScore,
    CandidateSet,
    Endpoint,
    LabRun,
    LabSet,
    ModelCall,
    Plan,
    PlanEndpoint,
    ReaderMark,
    StanceList,
)
from studies.access import digest
from studies.models import (
    Answer,
    Cohort,
    ConsentDocument,
    ConsentRecord,
    Decision,
    Enquiry,
    Enrolment,
    Identity,
    Invitation,
    Membership,
    Prompt,
    PromptText,
    Questionnaire,
    QuotaCell,
    QuotaPlace,
    QuotaSet,
    Researcher,
    SensitiveAnswer,
    Sitting,
    Study,
    StudyVersion,
    TutorialTry,
    WithdrawalCode,
)

Messages = list[dict[str, str]]
_numbers = itertools.count(1)

RULES: dict[str, Any] = {
    "title": {"en": "Everyday questions", "fr": "Questions de tous les jours"},
    "turns": {"min": 2, "max": 3},
    "own_prompt_share": 0.0,
    "after_none": "end",
    "explanation": {"rule": "never", "min_words": 0},
    "conversations": 2,
    "sitting_hours": 48,
    "assignment_minutes": 120,
    "overlap": 3,
    "instructions": {"en": "Pick the answer that speaks for you.", "fr": "Choisissez la vôtre."},
    "consent_version": 1,
    "questionnaire_version": 1,
}
QUESTIONS: list[dict[str, Any]] = [
    {
        "key": "age_band",
        "kind": "single",
        "label": {"en": "How old are you?", "fr": "Quel âge avez-vous ?"},
        "options": [
            {"value": "18-34", "label": {"en": "18 to 34", "fr": "De 18 à 34 ans"}},
            {"value": "55+", "label": {"en": "55 or older", "fr": "55 ans ou plus"}},
            {
                "value": "prefer_not_to_say",
                "label": {"en": "I prefer not to say", "fr": "Je préfère ne pas le dire"},
            },
        ],
    }
]
OPENINGS = {
    "en": "My brother wants to borrow money. Should I lend it?",
    "fr": "Mon frère veut emprunter de l’argent. Dois-je lui en prêter ?",
    "it": "Mio fratello vuole un prestito. Glielo faccio?",
    "pt": "Meu irmão quer dinheiro emprestado. Devo emprestar?",
    "hi": "मेरा भाई उधार चाहता है। क्या मुझे देना चाहिए?",
}


@dataclass(frozen=True, kw_only=True)
class World:
    """A study with one cohort, one arm and its prompts, ready for annotators."""

    study: Study
    version: StudyVersion
    cohort: Cohort
    endpoint: Endpoint
    plan: Plan
    arm: Arm
    prompts: list[Prompt]
    cells: list[PromptCell]
    consent: ConsentDocument
    questionnaire: Questionnaire

    @property
    def cell(self) -> PromptCell:
        return self.cells[0]


def number() -> int:
    """A number that no other row of this run has."""
    return next(_numbers)


# --- Studies --------------------------------------------------------------------------------------


def study(*, kind: str = "test", state: str = "draft", **fields: Any) -> Study:
    fields.setdefault("slug", f"study-{number()}")
    fields.setdefault("seed", "5eed" * 8)
    return Study.objects.create(kind=kind, state=state, **fields)


def study_version(
    of: Study | None = None, *, n: int = 1, frozen: bool = False, **rules: Any
) -> StudyVersion:
    """A version with RULES, some of them overridden by keyword."""
    body = {**RULES, **rules}
    return StudyVersion.objects.create(
        study=of or study(),
        n=n,
        body=body,
        source="study: test\n",
        sha256=fingerprint(body),
        frozen_at=timezone.now() if frozen else None,
    )


def cohort(
    of: Study | None = None, *, country: str = "US", language: str = "en", slug: str = ""
) -> Cohort:
    slug = slug or f"{country.lower()}-{language}"
    return Cohort.objects.create(study=of or study(), slug=slug, country=country, language=language)


def prompt(of: Study | None = None, *, languages: Iterable[str] = ("en",), **fields: Any) -> Prompt:
    """A prompt with one user message per language; each prompt's words are its own."""
    fields = {"key": f"prompt-{number()}", "category": "family", **fields}
    made = Prompt.objects.create(study=of or study(), **fields)
    PromptText.objects.bulk_create(
        PromptText(prompt=made, language=language, messages=[user(opening(made, language))])
        for language in languages
    )
    return made


def opening(of: Prompt, language: str = "en") -> str:
    return f"{OPENINGS[language]} ({of.key})"


def consent_document(
    of: Study | None = None, *, body: str = "You may stop at any time.", **fields: Any
) -> ConsentDocument:
    fields = {"locale": "en", "version": 1, "purposes": ["take_part"], **fields}
    return ConsentDocument.objects.create(
        study=of or study(), body=body, sha256=digest(body), **fields
    )


def questionnaire(
    of: Study | None = None,
    *,
    version: int = 1,
    questions: Sequence[dict[str, Any]] = QUESTIONS,
    sections: dict[str, Any] | None = None,
) -> Questionnaire:
    return Questionnaire.objects.create(
        study=of or study(),
        version=version,
        questions=list(questions),
        sections=sections or {},
    )


def researcher(*studies: Study, password: str = "correct horse battery") -> Researcher:
    """A researcher with access to the given studies."""
    made = Researcher.objects.create_user(f"r{number()}@example.org", password)
    Membership.objects.bulk_create(Membership(study=one, researcher=made) for one in studies)
    return made


# --- People ---------------------------------------------------------------------------------------


def enrolment(of: Cohort | None = None, *, state: str = "enrolled", **fields: Any) -> Enrolment:
    """An annotator. `return_token=` sets the token of the way back."""
    cohort_ = of or cohort()
    token = fields.pop("return_token", None) or f"return-token-{number()}"
    fields.setdefault("pseudonym", f"person-{number()}")
    fields.setdefault("ui_language", "en")
    return Enrolment.objects.create(
        study_id=cohort_.study_id,
        cohort=cohort_,
        state=state,
        return_token_sha256=digest(token),
        **fields,
    )


def invitation(of: Cohort | None = None, *, kind: str = "open", **fields: Any) -> Invitation:
    """A link into a cohort. `token=` sets its token."""
    token = fields.pop("token", None) or f"join-token-{number()}"
    return Invitation.objects.create(
        cohort=of or cohort(), kind=kind, token_sha256=digest(token), **fields
    )


def consent_record(
    of: Enrolment | None = None,
    *,
    document: ConsentDocument | None = None,
    purpose: str = "take_part",
    granted: bool = True,
) -> ConsentRecord:
    person = of or enrolment()
    made = ConsentRecord.objects.create(
        enrolment=person,
        document=document or consent_document(person.study, purposes=["take_part", purpose]),
        purpose=purpose,
        granted=granted,
        app_version="test",
    )
    person.refresh_from_db(fields=["purposes", "consent_version"])
    return made


def answer(of: Enrolment | None = None, *, key: str = "age_band", value: str = "18-34") -> Answer:
    person = of or enrolment()
    form = Questionnaire.objects.filter(study=person.study_id).first()
    return Answer.objects.create(
        enrolment=person,
        questionnaire=form or questionnaire(person.study),
        key=key,
        value=value,
    )


def sensitive_answer(of: Enrolment | None = None) -> SensitiveAnswer:
    """An answer of somebody who agreed to sensitive questions."""
    person = of or enrolment()
    consent_record(
        person,
        document=consent_document(person.study, version=7, purposes=["sensitive_questions"]),
        purpose="sensitive_questions",
    )
    asked = {**QUESTIONS[0], "key": "political", "sensitive": True}
    return SensitiveAnswer.objects.create(
        enrolment=person,
        questionnaire=questionnaire(person.study, version=7, questions=[asked]),
        key="political",
        value="18-34",
    )


def tutorial_try(of: Enrolment | None = None) -> TutorialTry:
    return TutorialTry.objects.create(
        enrolment=of or enrolment(), item="check", n=1, given={}, passed=True
    )


def sitting(of: Enrolment | None = None, *, target: int = 2, **fields: Any) -> Sitting:
    fields.setdefault("deadline", in_hours(48))
    return Sitting.objects.create(enrolment=of or enrolment(), target=target, **fields)


def identity(of: Enrolment | None = None, **fields: Any) -> Identity:
    """Whom a panel sent: hashes, as the database has them."""
    person = of or enrolment()
    fields = {
        "panel": "prolific",
        "external_hmac": digest(f"person {number()}"),
        "arrived_with": digest(f"submission {number()}"),
        **fields,
    }
    return Identity.objects.create(study_id=person.study_id, pseudonym=person.pseudonym, **fields)


# --- Quotas ---------------------------------------------------------------------------------------


def quota_set(of: Cohort | None = None, **fields: Any) -> QuotaSet:
    """A quota without cells, of this cohort."""
    cohort_ = of or cohort()
    fields.setdefault("name", cohort_.country.lower())
    made = QuotaSet.objects.create(study_id=cohort_.study_id, country=cohort_.country, **fields)
    cohort_.quota_set = made
    cohort_.save(update_fields=["quota_set"])
    return made


def quota_cell(of: QuotaSet | None = None, *, target: int | None = 2, **fields: Any) -> QuotaCell:
    fields = {"name": f"cell-{number()}", "position": number(), **fields}
    return QuotaCell.objects.create(quota_set=of or quota_set(), target=target, **fields)


def quota_place(
    of: Enrolment | None = None, *, cell: QuotaCell | None = None, **fields: Any
) -> QuotaPlace:
    """A place of this person, reserved for an hour, in a cell of their cohort's quota."""
    person = of or enrolment()
    state = fields.setdefault("state", "reserved")
    fields.setdefault("lease_until", in_hours(1) if state == "reserved" else None)
    mine = cell or quota_cell(person.cohort.quota_set or quota_set(person.cohort))
    return QuotaPlace.objects.create(enrolment=person, cell=mine, **fields)


def withdrawal_code(of: Enrolment | None = None, **fields: Any) -> WithdrawalCode:
    fields.setdefault("code_sha256", digest(f"code-{number()}"))
    return WithdrawalCode.objects.create(enrolment=of or enrolment(), **fields)


def enquiry(of: Enrolment | None = None, **fields: Any) -> Enquiry:
    fields.setdefault("text", "When am I paid?")
    return Enquiry.objects.create(enrolment=of or enrolment(), **fields)


def decision(of: Enrolment | None = None, **fields: Any) -> Decision:
    """A decision that pays; another kind takes no amount."""
    person = of or enrolment()
    fields = {
        "kind": "paid",
        "reason": "For two conversations.",
        "amount": 6,
        "currency": "USD",
        "by": fields.pop("by", None) or researcher(person.study),
        **fields,
    }
    return Decision.objects.create(enrolment=person, **fields)


# --- Sampling -------------------------------------------------------------------------------------


def endpoint(*, kind: str = "simulated", **fields: Any) -> Endpoint:
    fields = {
        "name": f"endpoint-{number()}",
        "base_url": "http://127.0.0.1:9/v1",
        "model": "simulated",
        "seats": 8,
        **fields,
    }
    return Endpoint.objects.create(kind=kind, **fields)


def plan(
    of: Study | None = None,
    *,
    k: int = 4,
    endpoints: Sequence[Endpoint] = (),
    body: dict[str, Any] | None = None,
    frozen: bool = False,
    version: str = "",
) -> Plan:
    """A plan of k independent draws, on the given endpoints in that order."""
    owner = of or study()
    body = body or {"k": k, "first_turn": {"strategy": "independent"}}
    made = Plan.objects.create(
        study=owner,
        study_kind=owner.kind,
        version=version or f"plain.{number()}",
        body=body,
        sha256=fingerprint(body),
    )
    PlanEndpoint.objects.bulk_create(
        PlanEndpoint(
            plan=made,
            study_kind=owner.kind,
            rank=rank,
            endpoint=one,
            endpoint_kind=one.kind,
        )
        for rank, one in enumerate(endpoints)
    )
    if frozen:
        _freeze(Plan, made)
    return made


def arm(of: Cohort | None = None, *, of_plan: Plan | None = None, **fields: Any) -> Arm:
    cohort_ = of or cohort()
    fields.setdefault("name", "main")
    chosen = of_plan or plan(cohort_.study)
    return Arm.objects.create(study_id=cohort_.study_id, cohort=cohort_, plan=chosen, **fields)


def stance_list(of: Plan | None = None, for_: Prompt | None = None, **fields: Any) -> StanceList:
    """Four stances of a plan for a prompt of its study."""
    by = of or plan()
    fields = {
        "seed": 7,
        "stances": ["Help him.", "Only in writing.", "Keep it.", "Ask your heart."],
        "language": "en",
        **fields,
    }
    return StanceList.objects.create(
        study_id=by.study_id, plan=by, prompt=for_ or prompt(by.study), **fields
    )


def candidate_set(
    of: Plan | None = None,
    *,
    context: Messages | None = None,
    state: str = "pending",
    **fields: Any,
) -> CandidateSet:
    """A set in any state but ready (see ready_set)."""
    by = of or plan()
    asked = context or [user(f"What matters most to you? ({number()})")]
    fields = {
        "k": by.body["k"],
        "language": "en",
        "seed": 7,
        "shared": False,
        "streams": 1,
        "priority": CandidateSet.Priority.PERSON,
        "lease_until": in_hours(1) if state == "generating" else None,
        "reason": "endpoint_unavailable" if state == "failed" else None,
        **fields,
    }
    return CandidateSet.objects.create(
        study_id=by.study_id,
        plan=by,
        context=asked,
        context_sha256=fingerprint(asked),
        state=state,
        **fields,
    )


def ready_set(
    of: Plan | None = None,
    *,
    context: Messages | None = None,
    texts: Sequence[str] = (),
    **fields: Any,
) -> CandidateSet:
    """A set with all its candidates; the texts are made up unless they are given."""
    with transaction.atomic():
        return make_ready(candidate_set(of, context=context, **fields), texts=texts)


def make_ready(
    made: CandidateSet, *, texts: Sequence[str] = (), calls: Sequence[ModelCall] = ()
) -> CandidateSet:
    """Give a set all its candidates; the first ones come from the given calls, in that order."""
    words = texts or [f"Answer {slot} of set {made.pk}." for slot in range(made.k)]
    with transaction.atomic():
        Candidate.objects.bulk_create(
            Candidate(
                set=made,
                k=made.k,
                slot=slot,
                text=text,
                role="draw",
                call=calls[slot] if slot < len(calls) else None,
                finish_reason="stop",
            )
            for slot, text in enumerate(words)
        )
        made.state, made.last_slot, made.ready_at = "ready", made.k - 1, timezone.now()
        made.save(update_fields=["state", "last_slot", "ready_at"])
    return made


def candidate_score(of: Candidate | None = None, **fields: Any) -> CandidateScore:
    fields = {"scorer": "model@1/default.1", "logprob": -42.5, "n_tokens": 17, **fields}
    return CandidateScore.objects.create(
        candidate=of or ready_set().candidates.get(slot=0),
        endpoint=fields.pop("endpoint", None) or endpoint(),
        **fields,
    )


def model_call(of: CandidateSet | None = None, *, n: int = 0, **fields: Any) -> ModelCall:
    now = timezone.now()
    called = fields.pop("endpoint", None) or endpoint()
    fields = {
        "attempt": 1,
        "model": called.model,
        "purpose": "draw",
        "request": {"model": called.model},
        "started_at": now,
        "ended_at": now,
        **fields,
    }
    return ModelCall.objects.create(set=of or candidate_set(), endpoint=called, n=n, **fields)


def lab_set(of: Study | None = None, **fields: Any) -> LabSet:
    """A set of a lab run that waits to be made."""
    owner = of or study()
    run = LabRun.objects.create(study=owner, asked_by=researcher(owner), kind="one", seed=7)
    fields = {
        "place": 0,
        "context": [user("What matters most to you?")],
        "language": "en",
        "way": "independent",
        "strategy": "independent",
        "body": {"first_turn": {"strategy": "independent"}},
        "plan_sha256": "0" * 64,
        "endpoint": fields.pop("endpoint", None) or endpoint(),
        "seed": 7,
        **fields,
    }
    return LabSet.objects.create(run=run, **fields)


def reader_mark(of: LabSet | None = None, **fields: Any) -> ReaderMark:
    row = of or lab_set()
    fields = {"slot": 0, "verdict": "acceptable", "by": row.run.asked_by, **fields}
    return ReaderMark.objects.create(
        set=row,
        text_sha256="0" * 64,
        way=row.way,
        strategy=row.strategy,
        plan_sha256=row.plan_sha256,
        language=row.language,
        endpoint=row.endpoint,
        **fields,
    )


# --- Annotation -----------------------------------------------------------------------------------


def cell(
    of: Cohort | None = None, *, of_prompt: Prompt | None = None, overlap: int = 3, **fields: Any
) -> PromptCell:
    cohort_ = of or cohort()
    fields.setdefault("shuffle_key", 0.5)
    return PromptCell.objects.create(
        study_id=cohort_.study_id,
        cohort=cohort_,
        prompt=of_prompt or prompt(cohort_.study, languages=[cohort_.language]),
        overlap=overlap,
        **fields,
    )


def world(
    *,
    language: str = "en",
    country: str = "US",
    kind: str = "test",
    state: str = "open",
    prompts: int = 1,
    overlap: int = 3,
    k: int = 4,
    questions: Sequence[dict[str, Any]] = QUESTIONS,
    sections: dict[str, Any] | None = None,
    purposes: Sequence[str] = ("take_part",),
    consent: str = "You may stop at any time.",
    **rules: Any,
) -> World:
    """A study in the given state, all its rows frozen, with one cohort. Rules go by keyword."""
    owner = study(kind=kind)
    version = study_version(owner, overlap=overlap, **rules)
    pool = cohort(owner, country=country, language=language)
    served = endpoint(kind="model" if kind == "real" else "simulated")
    by = plan(owner, k=k, endpoints=[served])
    openings = [prompt(owner, languages=[language]) for _ in range(prompts)]
    made = World(
        study=owner,
        version=version,
        cohort=pool,
        endpoint=served,
        plan=by,
        arm=arm(pool, of_plan=by),
        prompts=openings,
        cells=[cell(pool, of_prompt=one, overlap=overlap) for one in openings],
        consent=consent_document(owner, body=consent, purposes=list(purposes)),
        questionnaire=questionnaire(owner, questions=questions, sections=sections),
    )
    for row in (version, by, *openings):
        _freeze(type(row), row)
    owner.state = state
    owner.save(update_fields=["state"])
    return made


def person(of: World, **fields: Any) -> Sitting:
    """An annotator who consented and sits down; their enrolment is `.enrolment`."""
    joined = enrolment(of.cohort, **fields)
    consent_record(joined, document=of.consent)
    return sitting(joined, target=of.version.body["conversations"])


def assignment(
    of: World, *, by: Sitting | None = None, cell: PromptCell | None = None, **fields: Any
) -> Assignment:
    """An assignment of the world's first prompt. `own=True`: of the annotator's own prompt."""
    sat = by or person(of)
    own = fields.pop("own", False)
    state = fields.setdefault("state", "open")
    fields = {
        "claim_no": 1,
        "p_prompt": 1.0,
        "p_arm": 1.0,
        "deadline": in_hours(2) if state == "open" else None,
        **fields,
    }
    return Assignment.objects.create(
        enrolment_id=sat.enrolment_id,
        sitting=sat,
        cohort=of.cohort,
        cell=None if own else cell or of.cell,
        arm=of.arm,
        **fields,
    )


def a_break(of: Sitting | None = None, **fields: Any) -> Break:
    """A break that somebody takes at the moment."""
    return Break.objects.create(sitting=of or sitting(), **{"began_at": timezone.now(), **fields})


def conversation(of: World, *, under: Assignment | None = None, **fields: Any) -> Conversation:
    return Conversation.objects.create(
        assignment=under or assignment(of),
        study_version=of.version,
        plan=of.plan,
        app_version="test",
        **fields,
    )


def turn(
    of: World,
    *,
    within: Conversation | None = None,
    after: Comparison | None = None,
    answered_by: CandidateSet | None = None,
    shown: bool = True,
    ready: bool = True,
    message: str = "",
    **fields: Any,
) -> Turn:
    """The first turn of a conversation, or the one after a comparison, and its set.

    `ready=False` leaves the set pending, and the turn unshown.
    """
    talk = after.conversation if after else within or conversation(of)
    said = message or _message(of, talk, after)
    context = [*_context_before(after), user(said)]
    make = ready_set if ready else candidate_set
    answers = answered_by or make(of.plan, context=context, language=of.cohort.language)
    shown = shown and answers.state == "ready"
    order = list(range(answers.k)) if shown else None
    fields = {"asks_explanation": False, "display_order": order, **fields}
    return Turn.objects.create(
        conversation=talk,
        number=after.turn_no + 1 if after else 0,
        message=said,
        set=answers,
        k=answers.k,
        prev_comparison=after,
        carried=after.carried if after else None,
        layout="stack" if shown else "",
        showing_no=1 if shown else None,
        shown_at=timezone.now() if shown else None,
        **fields,
    )


def comparison(of: Turn, *, choice: int | None = 0, revision: int = 1, **fields: Any) -> Comparison:
    """The judgement of a turn: the candidate of that slot chosen, or with None "none of these"."""
    picked = None if choice is None else of.set.candidates.get(slot=choice)
    fields = {
        "outcome": "none" if picked is None else "chosen",
        "chosen": picked,
        "carried": picked,
        "interface_lang": of.conversation.assignment.enrolment.ui_language,
        "submitted_at": timezone.now(),
        "app_version": "test",
        **fields,
    }
    return Comparison.objects.create(
        turn=of,
        conversation_id=of.conversation_id,
        turn_no=of.number,
        set_id=of.set_id,
        revision=revision,
        **fields,
    )


def report(of: Turn | None = None, **fields: Any) -> Report:
    """A report of the first candidate that a turn shows."""
    seen: Any = of or turn(world())
    fields = {
        "candidate": seen.set.candidates.get(slot=0),
        "display_order": seen.display_order,
        "reason": "dangerous",
        **fields,
    }
    return Report.objects.create(
        turn=seen,
        set=seen.set,
        k=seen.k,
        layout=seen.layout,
        showing_no=seen.showing_no,
        asked_at=seen.asked_at,
        shown_at=seen.shown_at,
        **fields,
    )


def judged_turn(of: World | None = None, **traits: Any) -> Comparison:
    """A first turn, shown and judged, with all that it takes."""
    return comparison(turn(of or world(), **traits))


def comparison_mark(
    of: Comparison | None = None, *, slot: int | None = 1, **fields: Any
) -> ComparisonMark:
    """A mark on the candidate of that slot, or with None on the comparison: ruled out, unless a
    kind is given."""
    judged = of or judged_turn()
    return ComparisonMark.objects.create(
        comparison=judged,
        set_id=judged.set_id,
        candidate=None if slot is None else judged.set.candidates.get(slot=slot),
        **{"kind": "ruled_out", **fields},
    )


# --- Parts ----------------------------------------------------------------------------------------


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def in_hours(hours: float) -> datetime:
    return timezone.now() + timedelta(hours=hours)


def _message(of: World, talk: Conversation, after: Comparison | None) -> str:
    if after:
        return f"Why do you think so? ({number()})"
    given = talk.assignment.cell
    if given is None:
        return f"Something of my own: what is a good life? ({number()})"
    return opening(given.prompt, of.cohort.language)


def _context_before(after: Comparison | None) -> Messages:
    if after is None or after.carried is None:
        return []
    return [*after.turn.set.context, assistant(after.carried.text)]


def _freeze(model: type[Any], row: Any) -> None:
    row.frozen_at = timezone.now()
    row.save(update_fields=["frozen_at"])
