"""The typed view of what a study file stated."""

from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from pytest_django import DjangoAssertNumQueries

from studies.models import StudyVersion
from studies.reason_lists import SHIPPED, ReasonList
from studies.rules import (
    Contact,
    FirstSets,
    Pay,
    current_rules,
    in_language,
    rules_by_version,
    rules_of,
)
from tests import factories

pytestmark = pytest.mark.django_db


def test_rules_say_what_the_version_says() -> None:
    version = factories.study_version(
        turns={"min": 3, "max": 4},
        own_prompt_share=0.25,
        explanation={"rule": "share", "share": 0.5, "min_words": 3, "question": {"en": "Why?"}},
    )
    rules = rules_of(version)
    assert (rules.turns_min, rules.turns_max, rules.own_prompt_share) == (3, 4, 0.25)
    assert (rules.explanation.rule, rules.explanation.min_words) == ("share", 3)
    assert rules.explanation.question == {"en": "Why?"}


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({}, FirstSets("shared", 1)),
        ({"sets": "shared"}, FirstSets("shared", 1)),
        ({"sets": "fresh"}, FirstSets("fresh", 1)),
        ({"sets": {"replicas": 4}}, FirstSets("replicas", 4)),
    ],
)
def test_how_first_sets_are_shared_is_a_rule_of_the_study(
    said: dict[str, Any], rule: FirstSets
) -> None:
    assert rules_of(factories.study_version(**said)).first_sets == rule


def test_a_version_is_read_once_per_process(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    version = factories.study_version()
    rules_by_version(version.pk)
    with django_assert_num_queries(0):
        rules_by_version(version.pk)


def test_the_newest_frozen_version_counts() -> None:
    world = factories.world(state="draft")
    factories.study_version(world.study, n=2, conversations=9)
    assert current_rules(world.study).version_id == world.version.pk


def test_a_study_without_a_frozen_version_has_no_rules() -> None:
    with pytest.raises(StudyVersion.DoesNotExist):
        current_rules(factories.study())


@pytest.mark.parametrize(
    ("locale", "text"), [("pt-br", "Olá"), ("pt", "Olá"), ("en", "Hello"), ("hi", "Hello")]
)
def test_texts_are_read_in_the_language_of_the_interface(locale: str, text: str) -> None:
    assert in_language({"en": "Hello", "pt": "Olá"}, locale) == text


def test_texts_without_english_are_read_in_any_language() -> None:
    assert in_language({"fr": "Bonjour"}, "hi") == "Bonjour"
    assert in_language({}, "hi") == ""


def test_what_people_are_told_about_pay_and_contact_is_a_rule_too() -> None:
    there = {"IN": {"amount": 0.1, "currency": "INR"}}
    rules = rules_of(
        factories.study_version(
            pay={"amount": 3.5, "currency": "EUR", "per": "hour", "by_country": there},
            contact={"name": "Ana", "email": "a@b.org", "phone": ""},
        )
    )
    assert rules.contact == Contact(name="Ana", email="a@b.org")
    assert rules.pay is not None
    assert rules.pay.in_country("FR") == Pay(Decimal("3.5"), "EUR", "hour")
    assert rules.pay.in_country("IN") == Pay(Decimal("0.1"), "INR", "hour")


def test_a_study_without_a_word_on_comparing_has_the_plain_form() -> None:
    comparing = rules_of(factories.study_version()).comparing
    assert (comparing.narrow, comparing.wide) == (("stack",), ("grid",))
    assert (comparing.tie, comparing.strength, comparing.sentences) == (False, False, False)
    assert comparing.reasons is None


def test_reasons_go_by_the_name_of_their_list() -> None:
    own = {"version": 3, "offered": [{"key": "tone", "label": {"en": "Its tone"}}]}
    of_study = rules_of(factories.study_version(comparing={"reasons": own})).comparing.reasons
    ours = rules_of(factories.study_version(comparing={"reasons": "general-1"})).comparing.reasons
    assert of_study is not None
    assert of_study.codes("chosen").keys() == {"own-3/tone"}
    assert of_study.codes("none") == {}
    assert ours is SHIPPED["general-1"]


@pytest.mark.parametrize("shipped", SHIPPED.values(), ids=SHIPPED)
def test_a_shipped_list_speaks_every_language_of_the_interface(shipped: ReasonList) -> None:
    languages = {code.split("-")[0] for code, _ in settings.LANGUAGES}
    keys = [one.key for one in shipped.reasons]
    assert len(keys) == len(set(keys))
    assert all(languages <= one.label.keys() for one in shipped.reasons)


@pytest.mark.parametrize(
    ("texts", "locale", "told", "lang"),
    [
        ({"en": "Hello", "pt": "Olá"}, "pt-br", "Olá", "pt"),
        ({"en": "Hello", "pt": "Olá"}, "ar", "Hello", "en"),
        ({"fr": "Bonjour"}, "ar", "Bonjour", "fr"),
        ({}, "hi", "", "hi"),
    ],
)
def test_a_text_knows_the_language_that_it_is_told_in(
    texts: dict[str, str], locale: str, told: str, lang: str
) -> None:
    found = in_language(texts, locale)

    assert (found, found.lang) == (told, lang)
