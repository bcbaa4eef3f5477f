"""Charts as numbers: every score in its place, bands that meet, and words that say the same."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot_service.web.charts import LONGEST, PainChart, pain_chart, sparkline
from tests.builders import TODAY, a_prescription, an_episode, days_of, week

RULES = a_prescription().rules


def chart_of(text: str, count: int | None = None) -> PainChart:
    record = an_episode(days_of(text, count) if count else week(text))
    return pain_chart(record.loading_days, [(record.episode_start, "Early Plan")], RULES, record.baseline, record.episode_start, TODAY)


def test_scores_lie_where_the_scale_says() -> None:
    chart = chart_of("done 0/10, done 5/5, done 10/0")
    scale = {int(mark.text): mark.at for mark in chart.scores}
    assert [(point.score, point.y) for point in chart.during] == [(0, scale[0]), (5, (scale[4] + scale[6]) / 2), (10, scale[10])]
    assert [point.score for point in chart.after] == [10, 5, 0]
    assert [point.x for point in chart.during] == [point.x for point in chart.after]


def test_bands_cover_the_scale_without_gap_or_overlap() -> None:
    chart = chart_of("done 3/1")
    edges = sorted((band.y, band.y + band.height) for band in chart.bands)
    assert edges[0][0] == chart.top and abs(edges[-1][1] - chart.bottom) < 0.2
    assert all(abs(low - high) < 0.2 for (_, low), (high, _) in pairwise(edges))
    assert [band.kind for band in chart.bands] == ["green", "amber", "red", "severe"]


def test_a_long_course_shows_its_last_weeks() -> None:
    chart = chart_of("done 2/1", 200)
    assert len(chart.during) == LONGEST
    assert min(point.day for point in chart.during) == TODAY - timedelta(days=LONGEST - 1)
    assert chart.stages == ()
    assert all(chart.left <= point.x <= chart.right for point in chart.during)


def test_the_words_say_what_the_picture_shows() -> None:
    assert chart_of("done 3/1, done 7/2").summary == (
        "During or straight after: 2 scores, first 3, last 7, highest 7. 24 hours later: 2 scores, first 1, last 2, highest 2. "
        "1 of the session scores above the ceiling of 5."
    )
    assert chart_of("missed").summary == "No pain scores yet."


@given(st.lists(st.integers(0, 10), max_size=40), st.integers(0, 9))
def test_the_small_line_shows_the_latest_values_beneath_the_patients_own_ceiling(pains: list[int], ceiling: int) -> None:
    line = sparkline(pains, ceiling)
    assert (line is None) == (not pains)
    if line is not None:
        points = [tuple(map(float, pair.split(","))) for pair in line.line.split(" ")]
        assert len(points) == min(12, len(pains))
        assert line.words.endswith(", ".join(map(str, pains[-12:])))
        assert (line.last, (line.last_x, line.last_y)) == (pains[-1], points[-1])
        assert all(0 <= x <= line.width and 0 <= y <= line.height for x, y in points)
        assert all((y < line.ceiling_y) == (pain > ceiling) for pain, (_, y) in zip(pains[-12:], points, strict=True))
