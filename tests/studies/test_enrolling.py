"""How a person comes into a study, and how their visit ends."""

from datetime import timedelta

import pytest
from django.utils import timezone

from studies import access
from studies.enrolling import (
    CODE_ALPHABET,
    Entry,
    LinkExpired,
    LinkUsed,
    StudyNotOpen,
    begin_work,
    change_language,
    completion_code,
    consent_document,
    decline_consent,
    document_read,
    end_sitting,
    give_consent,
)
from studies.models import ConsentDocument, ConsentRecord, Enrolment, Sitting
from studies.rules import current_rules
from tests import factories
from tests.factories import World

pytestmark = pytest.mark.django_db


def entered(of: World, *, token: str = "", arrival: str = "arrival", yes: bool = True) -> Entry:
    invitation = access.find_invitation(token or access.invite_openly(of.cohort))
    assert invitation is not None
    answer = give_consent if yes else decline_consent
    return answer(invitation=invitation, document=of.consent, ui_language="fr", arrival=arrival)


def test_consent_makes_a_person_with_a_record_and_a_way_back() -> None:
    world = factories.world()
    entry = entered(world)
    record = ConsentRecord.objects.get()
    assert (entry.enrolment.state, entry.enrolment.ui_language) == ("consented", "fr")
    assert (record.granted, record.document, record.purpose) == (True, world.consent, "take_part")
    assert entry.enrolment.purposes == ["take_part"]
    assert access.find_returning(entry.return_token) == entry.enrolment


def test_the_token_of_the_way_back_is_in_no_row() -> None:
    entry = entered(factories.world())
    assert entry.return_token not in str(Enrolment.objects.values().get())


def test_the_same_form_sent_twice_makes_one_person() -> None:
    world = factories.world()
    first, second = entered(world), entered(world)
    assert first == second
    assert Enrolment.objects.count() == 1


def test_an_open_link_makes_a_new_person_at_every_arrival() -> None:
    world = factories.world()
    first, second = entered(world, arrival="a"), entered(world, arrival="b")
    assert first.enrolment.pseudonym != second.enrolment.pseudonym
    assert first.return_token != second.return_token


def test_a_no_is_stored_with_its_exit_code() -> None:
    world = factories.world()
    entry = entered(world, yes=False)
    sitting = entry.enrolment.sittings.get()
    assert entry.enrolment.state == "no_consent"
    assert (sitting.state, sitting.exit_code) == ("returned", "no_consent")
    assert ConsentRecord.objects.get().granted is False


def test_a_personal_link_is_used_once_and_a_no_does_not_use_it() -> None:
    world = factories.world()
    [token] = access.invite_personally(world.cohort)
    entered(world, token=token, arrival="no", yes=False)
    first = entered(world, token=token, arrival="a")
    assert entered(world, token=token, arrival="a") == first
    with pytest.raises(LinkUsed):
        entered(world, token=token, arrival="b")


def test_an_expired_link_lets_nobody_in() -> None:
    world = factories.world()
    past = timezone.now() - timedelta(days=1)
    factories.invitation(world.cohort, token="old", expires_at=past)
    with pytest.raises(LinkExpired):
        entered(world, token="old")


@pytest.mark.parametrize(
    ("state", "code"),
    [("draft", "not_yet"), ("rehearsed", "not_yet"), ("paused", "paused"), ("closed", "closed")],
)
def test_a_study_that_is_not_open_lets_nobody_in(state: str, code: str) -> None:
    world = factories.world(state=state)
    with pytest.raises(StudyNotOpen) as refusal:
        entered(world)
    assert refusal.value.code == code
    assert not Enrolment.objects.exists()


def test_the_consent_text_is_the_rules_version_in_the_language_or_in_english() -> None:
    world = factories.world(consent_version=2)
    newer = factories.consent_document(world.study, version=2)
    portuguese = factories.consent_document(world.study, version=2, locale="pt")
    factories.consent_document(world.study, version=3)
    assert consent_document(cohort=world.cohort, locale="en") == newer
    assert consent_document(cohort=world.cohort, locale="pt-br") == portuguese
    assert consent_document(cohort=world.cohort, locale="hi") == newer
    with pytest.raises(ConsentDocument.DoesNotExist):
        consent_document(cohort=factories.world(consent_version=9).cohort, locale="en")


def test_the_consent_text_of_the_cohorts_country_comes_before_the_general_one() -> None:
    world = factories.world(country="IT")
    factories.consent_document(world.study, locale="it")
    english = factories.consent_document(world.study, country="IT")
    italian = factories.consent_document(world.study, country="IT", locale="it")
    foreign = factories.consent_document(world.study, country="FR")

    assert consent_document(cohort=world.cohort, locale="it") == italian
    assert consent_document(cohort=world.cohort, locale="hi") == english
    american = factories.cohort(world.study, country="US")
    assert consent_document(cohort=american, locale="en") == world.consent
    for posted, document in (
        (italian, italian),
        (world.consent, world.consent),
        (foreign, english),
    ):
        assert document_read(str(posted.pk), cohort=world.cohort, locale="en") == document
    assert document_read("none", cohort=world.cohort, locale="it") == italian


def test_work_begins_with_a_sitting_by_the_rules_of_the_study() -> None:
    enrolment = entered(factories.world(conversations=3, sitting_hours=1)).enrolment
    sitting = begin_work(enrolment, current_rules(enrolment.study))
    assert (enrolment.state, sitting.state, sitting.target) == ("enrolled", "open", 3)
    left = sitting.deadline - timezone.now()
    assert timedelta(minutes=59) < left <= timedelta(hours=1)


def test_beginning_twice_gives_the_sitting_that_is_there() -> None:
    enrolment = entered(factories.world()).enrolment
    assert begin_work(enrolment, current_rules(enrolment.study)) == begin_work(
        enrolment, current_rules(enrolment.study)
    )


def test_no_work_begins_in_a_paused_study() -> None:
    enrolment = entered(factories.world()).enrolment
    enrolment.study.state = "paused"
    with pytest.raises(StudyNotOpen):
        begin_work(enrolment, current_rules(enrolment.study))


def test_the_interface_language_changes_and_the_task_stays() -> None:
    enrolment = entered(factories.world()).enrolment
    change_language(enrolment=enrolment, ui_language="hi")
    enrolment.refresh_from_db()
    assert (enrolment.ui_language, enrolment.cohort.language) == ("hi", "en")


@pytest.mark.parametrize(
    ("exit_code", "state"),
    [
        ("complete", "complete"),
        ("timeout", "expired"),
        ("partial", "withdrawn"),
        ("withdrawn", "withdrawn"),
    ],
)
def test_the_end_of_a_sitting_is_told_in_the_enrolment(exit_code: str, state: str) -> None:
    sitting = factories.person(factories.world())
    ended = [
        end_sitting(
            sitting_id=sitting.pk,
            state=Sitting.State.COMPLETE,
            exit_code=Sitting.ExitCode(exit_code),
        )
        for _ in range(2)
    ]
    assert ended == [True, False]
    sitting.enrolment.refresh_from_db()
    assert sitting.enrolment.state == state


def test_the_completion_code_is_the_sittings_own_and_stays() -> None:
    world = factories.world()
    first, second = factories.person(world), factories.person(world)
    code = completion_code(first)
    assert code == completion_code(Sitting.objects.get(pk=first.pk))
    assert code != completion_code(second)
    assert len(code) == 8
    assert set(code) <= set(CODE_ALPHABET)
