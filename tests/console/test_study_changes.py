from console import study_reading
from console.study_changes import changes
from tests.console.study_files import small


def changed(*pairs: tuple[str, str]) -> list[str]:
    before, after = (study_reading.read(source).file for source in (small(), small(*pairs)))
    return changes(before, after)


def test_a_file_does_not_differ_from_itself() -> None:
    assert changed() == []


def test_short_values_are_shown_and_long_ones_only_named() -> None:
    assert changed(("overlap: 10", "overlap: 12")) == ["overlap: 10 -> 12"]
    assert changed(("Should I lend it?", "Should I?")) == [
        "prompts[lend-to-a-friend].texts.en: changed"
    ]


def test_entries_are_told_by_their_key_and_order_does_not_matter() -> None:
    lines = changed(("key: after-an-answer", "key: new-key"))
    assert lines == ["prompts[after-an-answer]: removed", "prompts[new-key]: added"]


def test_what_the_file_left_out_and_what_it_now_says_is_no_difference() -> None:
    assert changed(("endpoints: [our-server]", "endpoints: [our-server]\n    k: 4")) == []
