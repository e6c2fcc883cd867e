# ruff: noqa: E501 a table reads best with a case on each line
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import study_reading
from console.study_reading import InvalidStudyFile
from tests.console.study_files import DEMO, small


def told(data: bytes) -> list[str]:
    """What is told about a file, one line for each problem."""
    with pytest.raises(InvalidStudyFile) as caught:
        study_reading.read(data)
    return [str(problem) for problem in caught.value.problems]


def test_the_example_of_the_docs_is_valid() -> None:
    file = study_reading.read(small()).file
    assert [prompt.key for prompt in file.prompts] == ["lend-to-a-friend", "after-an-answer"]
    assert [item.role for item in file.prompts[1].texts["en"]] == ["user", "assistant", "user"]


FRENCH = ("country: IN, language: en", "country: FR, language: fr")
BY_CATEGORY = (
    "{strategy: community_alignment}",
    "{strategy: community_alignment}\n    by_category: {facts: {strategy: independent}}",
)
CHECKED = ("our-server]", "our-server]\n    checks: {safety: {endpoint: our-server}}")
SIMULATED = ("kind: model,", "kind: simulated,")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("turns: {", "turn: {", "4: turn: unknown field -> did you mean 'turns'?"),
        ("  min_words: 3", "  min_word: 3", "8: explanation.min_word: unknown field"),
        ("title: {en", "titel: {en", "1: title: is missing -> add it"),
        ("min: 2", "min: two", "4: turns.min: must be a whole number, not 'two'"),
        ("min: 2", "min: '2'", "4: turns.min: must be a whole number, not '2'"),
        ("min: 2", "min: 2.5", "4: turns.min: must be a whole number, not 2.5"),
        ("min: 2", "min: 9", "4: turns: min is larger than max"),
        ("own_prompt_share: 0", "own_prompt_share: 1.5", "5: own_prompt_share: must be at most 1"),
        ("own_prompt_share: 0", "own_prompt_share: -1", "5: own_prompt_share: must be at least 0"),
        ("rule: chosen", "rule: share", "6: explanation: rule: share needs a share"),
        ("rule: chosen", "rule: soon", "7: explanation.rule: 'soon' is not known -> use 'never'"),
        ("kind: test", "kind: tests", "2: kind: 'tests' is not known"),
        ("title: {en: \"Small example\"}", "title: {}", "3: title: "),
        ("title: {en: \"Small example\"}", "title: {en: \" \"}", "3: title.en: is empty"),
        ("title: {en: \"Small example\"}", "title: Small", "3: title: must be named fields"),
        ("title: {en", "title: {xx", "3: title.xx: 'xx' is not known -> use 'en', 'fr'"),
        ("overlap: 10", "overlap: 10\nown_prompts: {guidance: {FR: {en: \"Ask\"}}}", "own_prompts.guidance.FR: no cohort is in 'FR' -> use a cohort's country: IN"),
        ("overlap: 10", "overlap: 10\nown_prompts: {helplines: {IN: []}}", "own_prompts.helplines.IN"),
        ("overlap: 10", "overlap: 10\nown_prompts: {limit: 5}", "own_prompts.limit: must be at least 20"),
        ("overlap: 10", "overlap: 10\nattention_category: checks", "attention_category: no prompt is of the category 'checks' -> use one of: money, work"),
        ("overlap: 10", "overlap: 10\nrepeats: {share: 0.9, after: 2}", "repeats.share: must be at most 0.5"),
        ("overlap: 10", "overlap: 10\nskips: -1", "skips: must be at least 0"),
        ("plan: made-to-differ", "plan: other", "25: cohorts[in-en].arms[main].plan: no plan is"),
        ("endpoints: [our-server]", "endpoints: [other]", "22: plans.made-to-differ.endpoints[0]: "),
        ("strategy: community_alignment", "strategy: magic", "unknown strategy 'magic'"),
        ("strategy: community_alignment", "temperature: 3", "names no strategy"),
        ("{strategy: community_alignment}", "{strategy: independent, temperature: 3}", "23: plans."),
        (*CHECKED, "checks.safety.endpoint: our-server serves chat, and here safety is needed -> "),
        ("our-server]", "our-server]\n    checks: {sense: {endpoint: x}}", "no endpoint is named 'x'"),
        (*BY_CATEGORY, "plans.made-to-differ.by_category.facts: no prompt has the category 'facts' -> "),
        ("{strategy: community_alignment}", "{strategy: independent, temprature: 1}", "'temperature'?"),
        ("our-server]", "our-server]\n    guard: {qqq: mark}", "use one of empty, duplicate, error_text"),
        ("country: IN", "country: india", "25: cohorts[in-en].country: 'india' has the wrong form"),
        ("country: IN", "country: ZZ", "25: cohorts[in-en].country: 'ZZ' is no country"),
        (*FRENCH, "3: title: no French text, and cohort in-en is in French -> add a line `fr: ...`"),
        ("after-an-answer", "lend-to-a-friend", "45: prompts[lend-to-a-friend].key: "),
        ("value: 35+", "value: 18-34", "options[18-34].value: '18-34' is already the value of entry 1"),
        ("role: user, content: \"And", "role: assistant, content: \"And", "texts.en: the last message"),
        ("role: assistant", "role: robot", "prompts[after-an-answer].texts.en[1].role: 'robot'"),
        ("My boss reads my messages. What can I do?", "", "texts.en[0].content: is empty"),
        ("\"A friend wants to borrow money for a wedding. Should I lend it?\"", "5", "must be a text"),
        ("MODEL_API_KEY", "SECRET_KEY", "19: endpoints[our-server].secret: is the site's own key"),
        ("MODEL_API_KEY", "hunter2", "19: endpoints[our-server].secret: 'hunter2' has the wrong form"),
        ("$MODEL_BASE_URL", "http://u:p@host/v1", "19: endpoints[our-server].base_url: "),
        ("seats: 16", "seats: 0", "19: endpoints[our-server].seats: must be at least 1, not 0"),
        (*SIMULATED, "19: endpoints[our-server]: a simulated endpoint must say on the page"),
        ("purposes: [take_part]", "purposes: [other]", "27: consent.purposes: take_part is missing"),
        ("overlap: 10", "overlap: 10\noverlap: 20", "15: overlap: stands here a second time"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_line_its_field_and_what_to_do(
    old: str, new: str, expected: str
) -> None:
    lines = told(small((old, new)))
    assert any(expected in line for line in lines), lines
    assert all(" -> " in line for line in lines)


ASK = "questionnaire:\n  bank: community_alignment\n  ask: [year_of_birth, gender]"
SENSITIVE = (
    "questionnaire:\n",
    "questionnaire:\n  bank: community_alignment\n  ask: [political]\n",
)
AGE = "    - key: age_band\n      kind: single\n"
OLDER = '{value: 35+, label: {en: "35 or older"}}'
CHECK = "{key: a, label: {en: x}, why: {en: x}, options: [{value: y, label: {en: y}}, {value: n, label: {en: n}}]}"
RIGHT = CHECK.replace("label: {en: y}", "label: {en: y}, right: true")
READING = f"{{cohorts: [xx], text: {{en: x}}, questions: [{RIGHT}]}}"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[take_part]", "[take_part, take_part]", "consent.purposes[1]: 'take_part' stands here twice"),
        ("[take_part]", "[take_part, my_own]", "consent.purposes[1]: no words are known for 'my_own' -> word it"),
        ("[take_part]", "[take_part]\n  asks: {recontact: {en: x}}", "consent.asks.recontact: is no purpose"),
        ("[take_part]", "[take_part, my_own]\n  asks: {my_own: {fr: x}}", "consent.asks.my_own: no English text"),
        ("[take_part]", "[take_part]\n  by_country: {FR: {en: x}}", "consent.by_country.FR: no cohort is in FR -> use one of: IN"),
        ("[take_part]", "[take_part]\n  by_country: {IN: {hi: x}}", "consent.by_country.IN: no English text, which people see whose"),
        ("[take_part]", "[take_part, conversations]", "endpoints[our-server]: has no operator, and the consent"),
        (*SENSITIVE, "consent.purposes: sensitive questions are asked without a consent"),
        ("questionnaire:\n", f"{ASK}\n  quota: [sex]\n", "questionnaire.quota[0]: no question is named 'sex'"),
        ("questionnaire:\n", "questionnaire:\n  ask: [gender]\n", "questionnaire.ask: names no bank"),
        ("questionnaire:\n", ASK.replace("gender", "sex") + "\n", "questionnaire.ask[1]: the bank has no question 'sex' -> use one of: year_of_birth"),
        ("questionnaire:\n", f"{ASK}\n", "questions[age_band].key: 'age_band' is the key of another question, or of its bands"),
        (AGE, AGE.replace("single", "multiple\n      at_most: 0"), "questions[age_band].at_most: must be at least 1, not 0"),
        (AGE, AGE.replace("single", "essay"), "questions[age_band]: unknown kind 'essay'"),
        (AGE, AGE.replace("kind: single", "min: 3"), "questions[age_band]: names no kind -> add a line `kind: ...`"),
        (AGE, AGE + "      ask_if: {key: other, one_of: [a]}\n", "ask_if.key: 'other' is not asked before it"),
        (AGE, AGE + "      section: me\n", "questions[age_band].section: no section is named 'me'"),
        (OLDER, OLDER.replace("{en", "{fr"), "options[35+].label: no English text, and cohort in-en is in English"),
        ("prompts:\n", "tutorial: {bank: other}\nprompts:\n", "tutorial: no tutorial is named 'other': use everyday"),
        ("prompts:\n", f"tutorial: {{check: [{CHECK}]}}\nprompts:\n", "tutorial.check[a]: exactly one option has `right: true`"),
        ("prompts:\n", f"tutorial: {{bank: everyday, reading: {READING}}}\nprompts:\n", "tutorial.reading.cohorts[0]: no cohort is named 'xx'"),
    ],
)  # fmt: skip
def test_a_fault_in_what_people_are_asked_is_told_with_its_place(
    old: str, new: str, expected: str
) -> None:
    lines = told(small((old, new)))
    assert any(expected in line for line in lines), lines


def test_an_option_of_one_country_needs_the_language_of_its_cohorts_only() -> None:
    abroad = OLDER.replace("{en", "{fr").replace("label", "countries: [FR], label")

    assert study_reading.read(small((OLDER, abroad))).file


def test_a_bank_and_own_questions_are_asked_together() -> None:
    changes = [("questionnaire:\n", f"{ASK}\n  quota: [year_of_birth]\n"), ("age_band", "group")]
    asked = study_reading.read(small(*changes)).file.questionnaire.all_questions()

    assert [(one.key, one.quota) for one in asked] == [
        ("year_of_birth", True),
        ("gender", False),
        ("group", False),
    ]


def test_a_plan_may_check_with_endpoints_that_serve_it() -> None:
    near = '  - {name: near, serves: embeddings, kind: model, base_url: "http://e/v1", model: m, seats: 2}'
    sense = "our-server]\n    checks: {sense: {endpoint: near, cosine: 0.9}, when_away: go_on}"

    file = study_reading.read(small(("\nplans:", f"\n{near}\nplans:"), ("our-server]", sense))).file

    checks = file.plans["made-to-differ"].checks
    assert checks
    assert list(checks.endpoints()) == [("sense", "near", "embeddings")]


def test_several_faults_are_told_at_once_in_the_order_of_the_file() -> None:
    lines = told(small(("min: 2", "min: x"), ("seats: 16", "seats: x"), ("kind: test", "kind: x")))
    assert [line.split(":")[0] for line in lines] == ["2", "4", "19"]


def test_a_real_study_cannot_use_a_simulated_endpoint() -> None:
    notice = ("seats: 16", 'seats: 16, notice: {en: "Example sentences."}')
    lines = told(small(SIMULATED, notice, ("kind: test", "kind: real")))
    assert "plans.made-to-differ.endpoints[0]: a study of kind real cannot" in lines[0]


def test_the_same_text_under_two_keys_is_refused() -> None:
    same = 'texts: {en: "A friend wants to borrow money for a wedding. Should I lend it?"}'
    second = f"prompts:\n  - {{key: again, category: money, {same}}}"
    assert "the same text as prompt 'again'" in told(small(("prompts:", second)))[0]


@pytest.mark.parametrize("data", [b"", b"- 1\n- 2\n", b"words", b"a: \x00", b"\xff", b"study: [\n"])
def test_a_file_that_is_no_study_file_is_refused_with_a_line(data: bytes) -> None:
    assert all(line.split(":")[0].isdigit() for line in told(data))


DEMO_LINES = DEMO.read_text().splitlines()


@given(st.integers(0, len(DEMO_LINES) - 1), st.sampled_from(["", "  x: 1", "- y", "z", "\t"]))
def test_any_line_of_a_file_may_be_wrong_and_is_told_not_raised(at: int, line: str) -> None:
    broken = "\n".join([*DEMO_LINES[:at], line, *DEMO_LINES[at + 1 :]])
    problems = []
    try:
        study_reading.read(broken.encode())
    except InvalidStudyFile as fault:
        problems = fault.problems
    assert all(1 <= problem.line <= len(DEMO_LINES) and problem.todo for problem in problems)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("contact: {name: Ana, email: nobody}", "1: contact.email: 'nobody' has the wrong form"),
        ("contact: {name: Ana}", "1: contact.email: is missing -> add it"),
        ("thanks: So", "1: thanks: must be named fields, not 'So'"),
    ],
)
def test_who_answers_for_a_study_and_its_thanks_are_checked(line: str, expected: str) -> None:
    [problem] = told(f"{line}\n".encode() + small())
    assert problem.startswith(expected)


def test_thanks_privacy_and_contact_go_into_the_rules() -> None:
    lines = b'contact: {name: Ana, email: "a@b.org"}\nthanks: {en: Good.}\nprivacy: {en: Kept.}\n'
    rules = study_reading.read(lines + small()).file.rules()
    assert rules["contact"] == {"name": "Ana", "email": "a@b.org", "phone": ""}
    assert (rules["thanks"], rules["privacy"]) == ({"en": "Good."}, {"en": "Kept."})


COMPARING = [
    ("{tie: maybe}", "comparing.tie: must be true or false, not 'maybe'"),
    ("{ties: true}", "comparing.ties: unknown field -> did you mean 'tie'?"),
    ("{layouts: {narrow: [grid]}}", "comparing.layouts.narrow[0]: 'grid' is not known"),
    ("{layouts: {wide: []}}", "comparing.layouts.wide: "),
    ("{reasons: general-2}", "comparing.reasons: must be general-1, or a version"),
    ("{reasons: 1}", "comparing.reasons: must be named fields, not 1"),
    ("{reasons: {version: 1}}", "comparing.reasons.offered: is missing"),
    (
        "{reasons: {version: 1, offered: [{key: a, label: {fr: Ton}}]}}",
        "offered[a].label: no English text",
    ),
    (
        "{reasons: {version: 1, offered: [{key: a, label: {en: A}}, {key: a, label: {en: B}}]}}",
        "is already the key of entry 1",
    ),
]


@pytest.mark.parametrize(("said", "expected"), COMPARING)
def test_what_is_wrong_beside_the_choice_is_told(said: str, expected: str) -> None:
    [problem] = told(small(("conversations: 2", f"comparing: {said}\nconversations: 2")))
    assert problem.startswith("11: comparing.")
    assert expected in problem


def test_what_is_said_beside_the_choice_is_kept_as_it_stands() -> None:
    said = "{tie: true, layouts: {narrow: [pager, stack]}, reasons: {version: 3, offered: [{key: a, label: {en: A}}]}}"
    file = study_reading.read(
        small(("conversations: 2", f"comparing: {said}\nconversations: 2"))
    ).file
    assert file.rules()["comparing"] == {
        "tie": True,
        "layouts": {"narrow": ["pager", "stack"]},
        "reasons": {
            "version": 3,
            "offered": [{"key": "a", "label": {"en": "A"}, "after": "chosen"}],
        },
    }
    assert "comparing" not in study_reading.read(small()).file.rules()
