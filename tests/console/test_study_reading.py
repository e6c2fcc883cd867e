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
        ("plan: made-to-differ", "plan: other", "25: cohorts[in-en].arms[main].plan: no plan is"),
        ("endpoints: [our-server]", "endpoints: [other]", "22: plans.made-to-differ.endpoints[0]: "),
        ("strategy: community_alignment", "strategy: magic", "unknown strategy 'magic'"),
        ("strategy: community_alignment", "temperature: 3", "names no strategy"),
        ("{strategy: community_alignment}", "{strategy: independent, temperature: 3}", "23: plans."),
        (*CHECKED, "checks.safety.endpoint: our-server serves chat, and here safety is needed -> "),
        ("our-server]", "our-server]\n    checks: {sense: {endpoint: x}}", "no endpoint is named 'x'"),
        (*BY_CATEGORY, "plans.made-to-differ.by_category.facts: no prompt has the category 'facts' -> "),
        ("{strategy: community_alignment}", "{strategy: independent, temprature: 1}", "'temperature'?"),
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
