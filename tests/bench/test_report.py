"""What a row says of its figures."""

from bench.report import REPORTED, beside_limit, bounded, line, reported


def test_a_ratio_whose_range_spans_its_reach_is_neither_met_nor_missed() -> None:
    row = beside_limit(row="x", unit="s", ours=[1.0, 1.2, 1.1], limits=[1.0] * 3, at_most=1.1)
    assert (row.ok, row.ratio, row.spread) == (None, 1.1, (1.0, 1.2))
    assert "unclear" in line(row)


def test_a_figure_with_nothing_to_reach_has_no_verdict() -> None:
    rows = [
        reported(row="x", figure=4.0, unit="s"),
        beside_limit(row="x", unit="s", ours=[4.0, 4.2], limits=[1.0, 1.0]),
    ]
    assert [(row.ok, row.reach) for row in rows] == [(None, REPORTED)] * 2
    assert not any("unclear" in line(row) or "MISSED" in line(row) for row in rows)


def test_a_bound_is_met_up_to_itself() -> None:
    assert bounded(row="x", figure=2.0, unit="s", at_most=2.0).ok is True
    assert bounded(row="x", figure=2.1, unit="s", at_most=2.0).ok is False


def test_a_ratio_between_two_bounds_misses_them_on_either_side() -> None:
    def verdict(ours: float) -> bool | None:
        return beside_limit(
            row="x", unit="s", ours=[ours], limits=[1.0], at_least=0.9, at_most=1.1
        ).ok

    assert [verdict(ours) for ours in (0.8, 1.0, 1.2)] == [False, True, False]
