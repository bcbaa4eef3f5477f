"""The drawing of an outcome measure: every value at its own height, and better only past what a source calls more than chance."""

from __future__ import annotations

from datetime import date, timedelta

from bot_service.clinical.outcome_measures import MEASURES, Value
from bot_service.web.outcome_chart import outcome_chart
from tests.running_clinic import RunningClinic
from tests.web.lives import Browser

DAY = date(2026, 9, 28)


def values(*told: int) -> list[Value]:
    return [Value(DAY + timedelta(days=14 * number), value) for number, value in enumerate(told)]


def test_a_value_past_the_important_change_lies_outside_of_the_band_and_one_within_it_inside() -> None:
    for first, last, outside in ((4, 6, False), (4, 8, True), (6, 2, True), (8, 10, False)):
        chart = outcome_chart(MEASURES["psfs"], values(first, last))
        assert chart is not None and chart.band is not None
        top, height = chart.band
        assert (chart.dots[-1].y < top or chart.dots[-1].y > top + height) == outside, (first, last)
        assert [dot.text for dot in chart.dots] == [str(first), str(last)]
    chart = outcome_chart(MEASURES["psfs"], values(8, 10))
    assert chart is not None and [mark.text for mark in chart.lines] == ["worse from 5"], "11 is off the scale"


def test_the_scale_and_the_days_are_named_and_no_band_is_drawn_where_no_change_is_published() -> None:
    chart = outcome_chart(MEASURES["change"], values(-2, 3))
    assert chart is not None and chart.band is None and chart.lines == ()
    assert [mark.text for mark in chart.scores] == ["−3", "0", "3"] and [mark.text for mark in chart.days] == ["28 Sep", "12 Oct"]
    assert chart.dots[1].y == chart.scores[2].at and chart.dots[0].y > chart.scores[1].at
    assert outcome_chart(MEASURES["change"], values(1)) is None


def test_both_sides_have_the_same_axes_and_stand_beside_each_other(sqlite_clinic: RunningClinic) -> None:
    weak, strong = values(12, 18), [Value(DAY + timedelta(days=60), 52)]
    left, right = outcome_chart(MEASURES["bridges_left"], weak, strong), outcome_chart(MEASURES["bridges_right"], [*strong, *strong], weak)
    assert left is not None and right is not None
    assert (left.scores, left.days, left.lines) == (right.scores, right.days, right.lines)
    assert [mark.text for mark in left.lines] == ["good above 30", "poor under 20"] and left.scores[-1].text == "60"
    person = sqlite_clinic.in_care("Jo Park")
    browser, path = Browser(sqlite_clinic).sign_in(), f"/patients/{person.invitation.ref}/outcomes"
    browser.get(path)
    for measure in ("bridges_left", "bridges_right", "visa_h"):
        for value in ("22", "28"):
            browser.post(path, measure=measure, value=value)
    together = browser.get(path).partition('<div class="sides">')[2].partition("</div>")[0]
    assert together.count("<svg") == 2 and "Single-leg bridges, left: 2 values, from 22 on" in together
    assert "Single-leg bridges, right</h2>" in together and "VISA-H" not in together
