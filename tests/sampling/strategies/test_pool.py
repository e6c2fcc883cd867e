"""More answers than are needed, of which k are kept."""

from hypothesis import given
from hypothesis import strategies as st

from sampling.strategies.spreading import choose, quality_of
from tests.sampling.drawings import TEXTS, ScriptedSend, draw, plan

NEAR_TWIN = TEXTS[0].replace("because", "since")
EIGHT = [TEXTS[0], NEAR_TWIN, TEXTS[1], "Yes, do.", TEXTS[2], TEXTS[3], TEXTS[4], TEXTS[5]]


def test_four_of_eight_are_kept_and_the_rest_is_remembered() -> None:
    result = draw(ScriptedSend(EIGHT), plan("pool"))

    texts = [draft.text for draft in result.drafts]
    assert len(result.calls) == 8
    assert len(set(texts)) == 4
    assert not {TEXTS[0], NEAR_TWIN} <= set(texts)
    assert "Yes, do." not in texts
    left_over = result.drafts[0].provenance["left_over"]
    assert isinstance(left_over, list)
    assert sorted([*texts, *left_over]) == sorted(EIGHT)


def test_the_same_texts_always_give_the_same_choice() -> None:
    runs = [[d.text for d in draw(ScriptedSend(EIGHT), plan("pool")).drafts] for _ in range(2)]

    assert runs[0] == runs[1]


def test_a_pool_draws_from_several_strategies() -> None:
    parts = [
        {"step": {"strategy": "persona"}, "ask": 4},
        {"step": {"strategy": "independent"}, "ask": 2},
    ]

    result = draw(ScriptedSend(TEXTS), plan("pool", step={"made_of": parts}))

    assert len(result.calls) == 6
    assert {draft.role for draft in result.drafts} <= {"persona", "independent"}


def test_a_repair_round_fills_the_free_slots_of_a_new_pool() -> None:
    send = ScriptedSend([*TEXTS[:3], *["Yes, do."] * 5, *TEXTS[:3], TEXTS[3], *["Yes, do."] * 4])

    result = draw(send, plan("pool"))

    assert len(result.calls) == 16
    assert sorted(draft.text for draft in result.drafts) == sorted(TEXTS[:4])
    assert sum(draft.call is not None and draft.call >= 8 for draft in result.drafts) == 1


def test_progress_leaves_one_to_the_choice() -> None:
    told: list[int] = []

    draw(ScriptedSend(EIGHT), plan("pool"), report=lambda done, _: told.append(done))

    assert told == [1, 2, 3, 4]


@given(st.lists(st.sampled_from([*EIGHT, "", "###"]), min_size=1, max_size=12), st.integers(1, 8))
def test_a_choice_never_takes_a_text_twice(texts: list[str], k: int) -> None:
    chosen = choose(texts, k=k, words=20)

    taken = [texts[at] for at in chosen]
    assert len(taken) == len(set(taken)) <= k
    assert "" not in taken
    if len({text for text in texts if text not in {"", "###"}}) >= k:
        assert len(taken) == k


def test_a_text_with_a_fault_is_worth_less_than_one_without() -> None:
    whole = quality_of(TEXTS[0], words=16)

    assert whole > 0.9
    for faulty in (f"**{TEXTS[0]}**", TEXTS[0][:-1], f"{TEXTS[0]} <|end_of_text|>."):
        assert quality_of(faulty, words=16) < 0.1
    assert quality_of(" ", words=16) == 0
