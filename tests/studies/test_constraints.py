"""Every rule of the tables of `studies`, broken by raw SQL."""

import json

import pytest
from django.db import transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from studies import auditing
from studies.models import Cohort, QuotaCell
from tests import factories
from tests.breaking import (
    Case,
    Change,
    breaks,
    breaks_each,
    copy,
    delete,
    held,
    refused,
    sql,
    update,
)

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
    ("invitation_kind_known", factories.invitation, {"kind": "secret"}),
    ("invitation_names_its_panel", factories.invitation, {"kind": "panel"}),
    ("invitation_names_its_panel", factories.invitation, {"panel": "prolific"}),
    ("identity_only_hashes", factories.identity, {"external_hmac": "60fd12a0b3c4d5e6f7a8b9c0"}),
    ("identity_only_hashes", factories.identity, {"arrived_with": "SESSION-1"}),
    ("sitting_only_hashes", factories.sitting, {"panel_session_hmac": "SESSION-1"}),
    ("quota_place_state_known", factories.quota_place, {"state": "lost", "lease_until": None}),
    ("quota_place_lease_while_reserved", factories.quota_place, {"lease_until": None}),
    ("quota_place_lease_while_reserved", factories.quota_place, {"state": "filled"}),
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
    ("answer_once", factories.answer, {"place": 1}),
    ("sensitive_answer_once", factories.sensitive_answer, {"place": 1}),
    ("consent_record_one_at_a_time", factories.consent_record, {"granted": False}),
    ("tutorial_try_once", factories.tutorial_try, {"passed": False}),
    ("tutorial_passed_once", factories.tutorial_try, {"n": 2}),
    ("enrolment_pseudonym", factories.enrolment, {"return_token_sha256": "other"}),
    ("studies_enrolment_return_token_sha256_key", factories.enrolment, {"pseudonym": "other"}),
    ("studies_invitation_token_sha256_key", factories.invitation, {"kind": "personal"}),
    ("sitting_one_open", factories.sitting, {"target": 5}),
    ("quota_set_name", factories.quota_set, {"country": "US"}),
    ("quota_cell_name", factories.quota_cell, {"position": 9}),
    ("studies_quotaplace_enrolment_id_key", factories.quota_place, {}),
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


@breaks("sitting_over_for_good")
def test_a_sitting_that_is_over_stays_as_it_ended() -> None:
    sitting = factories.sitting(state="partial", exit_code="partial")
    with refused("sitting_over_for_good"):
        update(sitting, state="open", exit_code=None)
    with refused("sitting_over_for_good"):
        update(sitting, exit_code="complete")


@breaks("enrolment_left_for_good")
@pytest.mark.parametrize("state", ["withdrawn", "no_consent"])
def test_whoever_has_left_is_never_brought_back(state: str) -> None:
    person = factories.enrolment(state=state)
    with refused("enrolment_left_for_good"):
        update(person, state="enrolled")


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


@breaks("consent_record_of_own_study", "answer_of_own_study", "sensitive_answer_of_own_study")
def test_what_people_were_asked_is_of_their_own_study() -> None:
    consent, answer = factories.consent_record(), factories.answer()
    with refused("consent_record_of_own_study"):
        copy(consent, document_id=factories.consent_document().pk)
    for name, row in (
        ("answer_of_own_study", answer),
        ("sensitive_answer_of_own_study", factories.sensitive_answer()),
    ):
        questions = [*row.questionnaire.questions]
        foreign = factories.questionnaire(questions=questions)
        with refused(name):
            copy(row, questionnaire_id=foreign.pk)


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


@breaks("consent_document_country")
def test_a_consent_text_is_for_a_country_or_for_any() -> None:
    for country in ("it", "I"):
        with refused("consent_document_country"):
            factories.consent_document(country=country)


@breaks("consent_record_purpose_asked")
def test_only_what_a_document_asks_for_can_be_agreed_to() -> None:
    record = factories.consent_record()
    with refused("consent_record_purpose_asked"):
        copy(record, purpose="public_release")


@breaks("consent_record_keeps_agreement")
def test_the_newest_record_of_each_purpose_is_what_counts() -> None:
    person = factories.enrolment()
    document = factories.consent_document(
        person.study, version=3, purposes=["take_part", "recontact"]
    )
    seen = []
    for purpose, granted in [("take_part", True), ("recontact", True), ("recontact", False)]:
        factories.consent_record(person, document=document, purpose=purpose, granted=granted)
        seen.append((person.purposes, person.consent_version))

    assert seen == [(["take_part"], 3), (["recontact", "take_part"], 3), (["take_part"], 3)]
    held("consent_record_keeps_agreement")


@breaks("enrolment_agreed_as_recorded", "enrolment_begins_without_agreement")
def test_nobody_agrees_without_a_record() -> None:
    person = factories.enrolment()
    with refused("enrolment_agreed_as_recorded"):
        update(person, purposes=["public_release"])
    with refused("enrolment_agreed_as_recorded"):
        update(person, consent_version=1)
    for change in ({"purposes": ["take_part"]}, {"consent_version": 1}):
        with refused("enrolment_begins_without_agreement"):
            copy(person, pseudonym="other", return_token_sha256="other", **change)


@breaks("sensitive_answer_agreed_to", "sensitive_answers_go_with_consent")
def test_sensitive_answers_are_there_only_with_the_consent_for_them() -> None:
    given = factories.sensitive_answer()
    consent = given.enrolment.consent_records.get()
    stranger = factories.enrolment(factories.cohort(given.enrolment.study, slug="other"))
    with refused("sensitive_answer_agreed_to"):
        copy(given, enrolment_id=stranger.pk)
    with refused("sensitive_answers_go_with_consent"):
        copy(consent, granted=False, given_at=timezone.now())
    delete(given)
    copy(consent, granted=False, given_at=timezone.now())
    with refused("sensitive_answer_agreed_to"):
        given.save(force_insert=True)


@breaks("answer_was_asked", "sensitive_answer_was_asked")
def test_an_answer_answers_a_question_in_the_table_of_its_kind() -> None:
    answer, sensitive = factories.answer(), factories.sensitive_answer()
    both = factories.questionnaire(
        answer.enrolment.study,
        version=2,
        questions=[{"key": "age_band", "sensitive": True}, {"key": "political"}],
    )
    for change in ({"key": "shoe_size"}, {"questionnaire_id": both.pk}):
        with refused("answer_was_asked"):
            copy(answer, **change)
    with refused("sensitive_answer_was_asked"):
        copy(sensitive, key="age_band")


@breaks("answer_value_form", "sensitive_answer_value_form")
def test_an_answer_is_a_text_a_number_or_a_list() -> None:
    with refused("answer_value_form"):
        copy(factories.answer(), value=Jsonb(True))
    with refused("sensitive_answer_value_form"):
        copy(factories.sensitive_answer(), value=Jsonb({"a": 1}))


@breaks("answer_stands", "sensitive_answer_stands")
def test_an_answer_changes_only_while_the_questions_are_asked() -> None:
    for name, make in (
        ("answer_stands", factories.answer),
        ("sensitive_answer_stands", factories.sensitive_answer),
    ):
        person = factories.enrolment(state="consented")
        answer = make(person)
        update(answer, value=Jsonb("55+"))
        update(person, state="enrolled")
        with refused(name):
            update(answer, value=Jsonb("18-34"))


@breaks("tutorial_two_tries", "tutorial_try_never_changes")
def test_a_try_stands_and_there_is_no_third() -> None:
    tried = factories.tutorial_try()
    with refused("tutorial_two_tries"):
        copy(tried, n=3, passed=False)
    with refused("tutorial_try_never_changes"):
        update(tried, passed=False)


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


# --- Panels and quotas


HASH, OTHER_HASH = "a" * 64, "b" * 64


@breaks(
    "identity_one_person",
    "identity_pseudonym",
    "identity_of_enrolment",
    "studies_identity_arrived_with_key",
)
def test_a_panels_person_is_one_person_of_the_study() -> None:
    first = factories.identity()
    second = factories.enrolment(Cohort.objects.get())
    news = {"arrived_with": OTHER_HASH, "external_hmac": HASH, "pseudonym": second.pseudonym}
    with refused("identity_one_person"):
        copy(first, **{**news, "external_hmac": first.external_hmac})
    with refused("identity_pseudonym"):
        copy(first, **{**news, "pseudonym": first.pseudonym})
    with refused("identity_of_enrolment"):
        copy(first, **{**news, "pseudonym": "nobody"})
    with refused("studies_identity_arrived_with_key"):
        copy(first, **{**news, "arrived_with": first.arrived_with})
    copy(first, **news)


@breaks("studies_sitting_panel_session_hmac_key")
def test_a_submission_is_one_sitting() -> None:
    over = factories.sitting(panel_session_hmac=HASH, state="complete", exit_code="complete")
    copy(over, panel_session_hmac=OTHER_HASH)
    with refused("studies_sitting_panel_session_hmac_key"):
        copy(over)


@breaks("cohort_quota_of_country")
def test_a_cohort_has_a_quota_of_its_own_country() -> None:
    study = factories.study()
    india, france = factories.cohort(study, country="IN"), factories.cohort(study, country="FR")
    quota = factories.quota_set(india)
    update(factories.cohort(study, country="IN", language="hi"), quota_set_id=quota.pk)
    with refused("cohort_quota_of_country"):
        update(france, quota_set_id=quota.pk)
    with refused("cohort_quota_of_country"):
        update(quota, country="FR")


@breaks("quota_cell_target")
def test_no_cell_is_over_its_target() -> None:
    cohort = factories.cohort()
    cell = factories.quota_cell(factories.quota_set(cohort), target=1)
    factories.quota_place(factories.enrolment(cohort), cell=cell)
    with refused("quota_cell_target"):
        factories.quota_place(factories.enrolment(cohort), cell=cell)
    with refused("quota_cell_target"):
        update(cell, target=0)
    update(cell, target=None)
    factories.quota_place(factories.enrolment(cohort), cell=cell)


@breaks("quota_place_counted", "quota_cell_starts_empty", "quota_cell_counted")
def test_places_are_counted_and_nobody_sets_the_count() -> None:
    place = factories.quota_place()
    cell = place.cell
    with refused("quota_cell_counted"):
        update(cell, taken=0)
    with refused("quota_cell_starts_empty"):
        copy(cell, name="another", taken=1)
    counts = [taken(cell)]
    for change in ({"state": "filled"}, {"state": "released"}, {"state": "filled"}):
        update(place, **change, lease_until=None)
        counts.append(taken(cell))
    delete(place)
    assert [*counts, taken(cell)] == [1, 1, 0, 1, 0]
    held("quota_place_counted")


@breaks("quota_place_of_own_set", "quota_place_never_moves")
def test_a_place_is_of_the_persons_own_quota_and_stays_theirs() -> None:
    study = factories.study()
    india, france = factories.cohort(study, country="IN"), factories.cohort(study, country="FR")
    theirs = factories.quota_cell(factories.quota_set(france))
    place = factories.quota_place(factories.enrolment(india))
    beside = factories.quota_cell(place.cell.quota_set)
    with refused("quota_place_of_own_set"):
        factories.quota_place(factories.enrolment(india), cell=theirs)
    with refused("quota_place_never_moves"):
        update(place, enrolment_id=factories.enrolment(india).pk)
    with refused("quota_place_never_moves"):
        update(place, cell_id=beside.pk)
    update(place, state="released", lease_until=None)
    update(place, cell_id=beside.pk, state="reserved", lease_until=factories.in_hours(1))
    assert (taken(place.cell), taken(beside)) == (0, 1)


@breaks("enrolment_settles_place")
def test_a_place_follows_its_person() -> None:
    place = factories.quota_place()
    states = []
    for state in ("complete", "enrolled", "expired", "withdrawn"):
        update(place.enrolment, state=state)
        place.refresh_from_db()
        states.append(place.state)
    assert states == ["filled", "filled", "filled", "released"]
    assert taken(place.cell) == 0
    held("enrolment_settles_place")


def taken(cell: QuotaCell) -> int:
    [(count,)] = sql("SELECT taken FROM studies_quotacell WHERE id = %s", [cell.pk])
    return int(count)
