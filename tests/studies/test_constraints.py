"""Every rule of the tables of `studies`, broken by raw SQL."""

import json

import pytest
from django.db import transaction
from django.utils import timezone

from studies import auditing
from tests import factories
from tests.breaking import Case, Change, breaks, breaks_each, copy, delete, refused, sql, update

pytestmark = pytest.mark.django_db

NOW = timezone.now()
UNKNOWN: list[Case] = [
    ("study_kind_known", factories.study, {"kind": "pilot"}),
    ("study_state_known", factories.study, {"state": "running"}),
    ("study_has_seed", factories.study, {"seed": ""}),
    ("cohort_country", factories.cohort, {"country": "us"}),
    ("cohort_country", factories.cohort, {"country": "U"}),
    ("cohort_language", factories.cohort, {"language": "de"}),
    ("enrolment_state_known", factories.enrolment, {"state": "bored"}),
    ("invitation_kind_known", factories.invitation, {"kind": "panel"}),
    ("enrolment_erased_has_left", factories.enrolment, {"erased_at": NOW}),
    ("enquiry_has_text", factories.enquiry, {"text": " "}),
    ("enquiry_answer_is_whole", factories.enquiry, {"answer": "Tomorrow."}),
    ("enquiry_answer_is_whole", factories.enquiry, {"answered_at": NOW}),
    ("decision_kind_known", factories.decision, {"kind": "liked", "amount": None, "currency": ""}),
    ("decision_has_reason", factories.decision, {"reason": " "}),
    ("decision_pays_an_amount", factories.decision, {"amount": 0}),
    ("decision_pays_an_amount", factories.decision, {"currency": ""}),
    ("decision_pays_an_amount", factories.decision, {"kind": "other"}),
    ("sitting_state_known", factories.sitting, {"state": "paused", "exit_code": "partial"}),
    ("sitting_exit_code_when_over", factories.sitting, {"state": "complete"}),
    ("sitting_exit_code_when_over", factories.sitting, {"exit_code": "complete"}),
]
TWICE: list[Case] = [
    ("studies_study_slug_key", factories.study, {}),
    ("study_version_n", factories.study_version, {}),
    ("cohort_slug", factories.cohort, {}),
    ("prompt_version", factories.prompt, {}),
    ("consent_document_version", factories.consent_document, {}),
    ("questionnaire_version", factories.questionnaire, {}),
    ("answer_once", factories.answer, {"value": "55+"}),
    ("enrolment_pseudonym", factories.enrolment, {"return_token_sha256": "other"}),
    ("studies_enrolment_return_token_sha256_key", factories.enrolment, {"pseudonym": "other"}),
    ("studies_invitation_token_sha256_key", factories.invitation, {"kind": "personal"}),
    ("sitting_one_open", factories.sitting, {"target": 5}),
    ("studies_researcher_email_key", factories.researcher, {}),
    ("withdrawal_code_one", factories.withdrawal_code, {"code_sha256": "other"}),
    ("studies_withdrawalcode_code_sha256_key", factories.withdrawal_code, {"used_at": NOW}),
]


@breaks_each(UNKNOWN)
def test_a_value_that_means_nothing_is_refused(name: str, make: type, change: Change) -> None:
    row = make()
    with refused(name):
        if name.startswith(("enquiry", "decision")):  # never changes: it can only be born wrong
            copy(row, **change)
        else:
            update(row, **change)


@breaks_each(TWICE)
def test_what_is_unique_cannot_be_there_twice(name: str, make: type, change: Change) -> None:
    row = make()
    with refused(name):
        copy(row, **change)


@breaks("researcher_email_any_case")
def test_an_address_in_capitals_is_the_same_address() -> None:
    researcher = factories.researcher()
    with refused("researcher_email_any_case"):
        copy(researcher, email=researcher.email.upper())


@breaks("membership_once")
def test_a_researcher_is_a_member_of_a_study_once() -> None:
    membership = factories.researcher(factories.study()).memberships.get()
    with refused("membership_once"):
        copy(membership)


@breaks("prompt_text_language", "prompt_text_language_known")
def test_a_prompt_has_one_text_for_each_language_that_is_known() -> None:
    text = factories.prompt().texts.get()
    with refused("prompt_text_language"):
        copy(text)
    with refused("prompt_text_language_known"):
        copy(text, language="de")


def test_a_person_may_sit_again_after_a_sitting_is_over() -> None:
    sitting = factories.sitting(state="partial", exit_code="partial")

    copy(sitting, state="open", exit_code=None)

    assert sitting.enrolment.sittings.count() == 2


@breaks("invitation_only_personal_used", "studies_invitation_used_by_id_key")
def test_a_link_is_used_up_by_one_person_and_only_if_it_is_personal() -> None:
    person = factories.enrolment()
    shared = factories.invitation(person.cohort)
    used = factories.invitation(person.cohort, kind="personal", used_by=person)
    with refused("invitation_only_personal_used"):
        update(shared, used_by_id=person.pk)
    with refused("studies_invitation_used_by_id_key"):
        copy(used, token_sha256="other")


@breaks("prompt_text_messages")
@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "user", "content": " \t\n"}],
        [{"role": "user"}],
        [{"content": "hello"}],
        [{"role": "user", "content": None}],
        [{"role": "user", "content": ["hello"]}],
        [{"role": "user", "content": {"text": "hello"}}],
        [{"role": "system", "content": "obey"}, {"role": "user", "content": "hello"}],
        [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}],
        [{"role": "user", "content": "hello"}, "world"],
    ],
)
def test_a_text_is_messages_with_words_that_end_with_the_users(messages: list[object]) -> None:
    text = factories.prompt().texts.get()
    with refused("prompt_text_messages"):
        sql(
            "UPDATE studies_prompttext SET messages = %s::text::jsonb WHERE id = %s",
            [json.dumps(messages), text.pk],
        )


@breaks("enrolment_cohort_of_study")
def test_a_persons_cohort_is_one_of_their_study() -> None:
    person, elsewhere = factories.enrolment(), factories.cohort()
    with refused("enrolment_cohort_of_study"):
        copy(person, cohort_id=elsewhere.pk, pseudonym="other", return_token_sha256="other")


@breaks("enrolment_never_moves")
def test_a_person_stays_in_their_study_and_cohort() -> None:
    person = factories.enrolment()
    neighbour = factories.cohort(person.study, country="FR", language="fr")
    with refused("enrolment_never_moves"):
        update(person, cohort_id=neighbour.pk)
    with refused("enrolment_never_moves"):
        update(person, pseudonym="somebody else")


@breaks("consent_record_of_own_study", "answer_of_own_study")
def test_what_people_were_asked_is_of_their_own_study() -> None:
    consent, answer = factories.consent_record(), factories.answer()
    with refused("consent_record_of_own_study"):
        copy(consent, document_id=factories.consent_document().pk)
    with refused("answer_of_own_study"):
        update(answer, questionnaire_id=factories.questionnaire().pk)


@breaks("consent_record_append_only", "consent_document_append_only", "questionnaire_append_only")
def test_what_people_agreed_to_is_never_changed_or_removed() -> None:
    record = factories.consent_record()
    questions = factories.questionnaire()
    for name, row, change in (
        ("consent_record_append_only", record, {"granted": False}),
        ("consent_document_append_only", record.document, {"body": "You may not stop."}),
        ("questionnaire_append_only", questions, {"version": 2}),
    ):
        with refused(name):
            update(row, **change)
        with refused(name):
            delete(row)


@breaks("decision_append_only")
def test_a_decision_is_never_changed_or_removed() -> None:
    decision = factories.decision()
    with refused("decision_append_only"):
        update(decision, amount=1)
    with refused("decision_append_only"):
        delete(decision)


@breaks("enquiry_answered_once", "enquiry_never_deleted")
def test_an_enquiry_is_kept_and_answered_once() -> None:
    enquiry, researcher = factories.enquiry(), factories.researcher()
    answer = {"answer": "Tomorrow.", "answered_at": NOW, "answered_by_id": researcher.pk}
    with refused("enquiry_answered_once"):
        update(enquiry, text="Something else?")
    with refused("enquiry_answered_once"):
        update(enquiry, text="", answer="", erased_at=NOW)
    with refused("enquiry_never_deleted"):
        delete(enquiry)

    update(enquiry, **answer)
    with refused("enquiry_answered_once"):
        update(enquiry, answer="Never.")


@breaks("audit_append_only")
def test_the_trail_is_never_changed_or_cut() -> None:
    entry = auditing.record(by="test", action="study.open", on="study:x")
    with refused("audit_append_only"):
        update(entry, actor="nobody")
    with refused("audit_append_only"):
        delete(entry)


@breaks("study_version_frozen", "prompt_frozen")
def test_what_is_frozen_stays_as_it_is() -> None:
    version = factories.study_version(frozen=True)
    prompt = factories.prompt()
    update(prompt, frozen_at=timezone.now())
    for name, row in (("study_version_frozen", version), ("prompt_frozen", prompt)):
        with refused(name):
            update(row, frozen_at=None)
        with refused(name):
            update(row, frozen_at=timezone.now())
        with refused(name):
            delete(row)


@breaks("prompt_text_frozen")
def test_the_texts_of_a_frozen_prompt_are_frozen_with_it() -> None:
    frozen, other = factories.prompt(), factories.prompt(languages=["fr"])
    update(frozen, frozen_at=timezone.now())
    text, foreign = frozen.texts.get(), other.texts.get()
    with refused("prompt_text_frozen"):
        update(text, messages=[factories.user("Something else?")])
    with refused("prompt_text_frozen"):
        delete(text)
    with refused("prompt_text_frozen"):
        copy(text, language="it")
    with refused("prompt_text_frozen"):
        update(foreign, prompt_id=frozen.pk)
    with refused("prompt_text_frozen"):
        update(text, prompt_id=other.pk)


@breaks("cohort_fixed")
def test_country_and_language_stand_still_after_draft() -> None:
    cohort = factories.cohort()
    update(cohort, country="GB")
    update(cohort.study, state="rehearsed")
    with refused("cohort_fixed"):
        update(cohort, country="US")
    with refused("cohort_fixed"):
        update(cohort, language="fr")
    with refused("cohort_fixed"):
        update(cohort, study_id=factories.study().pk)


@breaks("study_opens_frozen")
def test_a_study_opens_only_onto_frozen_rows() -> None:
    study = factories.study()
    with refused("study_opens_frozen"):
        update(study, state="open")
    version = factories.study_version(study)
    with refused("study_opens_frozen"):
        update(study, state="open")
    update(version, frozen_at=timezone.now())
    factories.prompt(study)
    with refused("study_opens_frozen"):
        update(study, state="open")


@breaks("study_opens_frozen")
def test_a_study_is_not_born_open() -> None:
    study = factories.study()
    with refused("study_opens_frozen"):
        copy(study, slug="other", state="open")


@breaks("prompt_comes_frozen", "study_version_comes_frozen")
def test_nothing_unfrozen_comes_into_an_open_study() -> None:
    world = factories.world()
    with refused("prompt_comes_frozen"):
        copy(world.prompts[0], key="another", frozen_at=None)
    with refused("prompt_comes_frozen"):
        update(factories.prompt(), study_id=world.study.pk)
    with refused("study_version_comes_frozen"):
        copy(world.version, n=2, frozen_at=None)


def test_a_paused_study_takes_new_versions_again() -> None:
    world = factories.world(state="paused")
    with transaction.atomic():
        copy(world.version, n=2, frozen_at=None)

    assert world.study.versions.count() == 2
