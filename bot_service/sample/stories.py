"""The twelve patients of the sample clinic: who they are, what happens to them over eight weeks, and how it stands at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta

from bot_service.sample.personas import Habits, Moment, Pain, Persona, Remark

_EARLY, _INTERMEDIATE = (0, 1, 2, 3, 4, 5, 6), (0, 2, 4)
_QUIET = Pain(3.2, 0.4, 2.2, noise=0.3, flare=0.0, late=0.0)
"""Pain that goes as hoped, for those whose story is another."""
_RELIABLE = Habits(done=0.97, partly=0.02, answers=0.98, next_day=0.98, vague=0.0, slips=0.0, minutes=25, evening=0.05)


@dataclass(frozen=True)
class Story:
    """A patient of the sample clinic. Enrolled so many days before the end; for the last `left_alone` days the physio has not
    decided anything, so that it is there to be decided.
    """

    key: str
    about: str
    persona: Persona
    phone: str
    enrolled: int
    left_alone: int = 3


def sample_stories(end: date) -> tuple[Story, ...]:
    """The twelve, as they stand on `end`, the clinic's local date."""
    return (
        _steady(end),
        _flare_up(end),
        _worse_next_day(end),
        _silent(end),
        _says_no(end),
        _red_flag(end),
        _corrects(end),
        _on_holiday(end),
        _just_enrolled(),
        _in_sydney(),
        _near_sport(),
        _opted_out(end),
    )


def _steady(end: date) -> Story:
    """Early until about six weeks ago. A couple of fours in Intermediate kept the next step back until just now."""
    sessions = _days(end, _INTERMEDIATE, range(17, 23))
    fours = {day: Moment(during=4) for day in sessions[-2:]}
    low = {day: Moment(during=1 + (day.day % 2), outcome="done") for day in _days(end, _INTERMEDIATE, range(17))}
    persona = Persona(
        name="Maya Okafor",
        at=time(7, 30),
        baseline=3,
        pain=Pain(2.6, 0.3, 1.6, noise=0.25, flare=0.0, late=0.0),
        habits=Habits(done=1.0, partly=0.0, answers=1.0, next_day=1.0, taps=0.4, vague=0.0, slips=0.0, typos=0.03, minutes=30, evening=0.0),
        moments={**fours, **low, **_settled(end, range(17), 0)},
    )
    return Story("steady", "Improves steadily; the next stage is due and waits for a decision.", persona, "+447700900101", 56, 14)


def _flare_up(end: date) -> Story:
    hard = _last(end, _INTERMEDIATE, 2)
    before = {hard - timedelta(days=2): Moment(during=2), hard - timedelta(days=1): Moment(after=1)}
    persona = Persona(
        name="Tom Hartley",
        at=time(8),
        stage="intermediate",
        baseline=2,
        pain=Pain(2.2, 0.8, 3, noise=0.3, flare=0.0, late=0.0),
        habits=Habits(done=0.95, answers=0.97, taps=0.2, vague=0.0, slips=0.0, minutes=40, evening=0.0),
        moments={**before, hard: Moment(during=7, outcome="done"), hard + timedelta(days=1): Moment(after=6)},
    )
    return Story("flare_up", "A hard session two days ago, and still sore the day after.", persona, "+447700900102", 24)


def _worse_next_day(end: date) -> Story:
    """The session itself is comfortable; the day after is not."""
    late = [_day(end, 4), _day(end, 2)]
    moments = {day: Moment(during=2, outcome="done") for day in late} | {_day(end, 3): Moment(after=4), _day(end, 1): Moment(after=5)}
    persona = Persona(
        name="Priya Nair",
        at=time(8, 30),
        baseline=2,
        pain=Pain(2.4, 1.2, 4, noise=0.3, flare=0.0, late=0.0),
        habits=Habits(done=0.93, answers=0.97, taps=0.6, vague=0.0, slips=0.0, minutes=30, evening=0.0),
        moments=moments,
    )
    return Story("worse_next_day", "Comfortable in the session, worse a day later.", persona, "+447700900103", 12, 4)


def _silent(end: date) -> Story:
    persona = Persona(
        name="Daniel Reyes",
        baseline=4,
        at=time(18),
        pain=Pain(4.2, 2, 4, noise=0.5, flare=0.0, late=0.0),
        habits=Habits(done=0.8, partly=0.1, answers=0.85, next_day=0.8, taps=0.7, minutes=60),
        moments={_day(end, 9): Moment(during=4, outcome="done", after=3), _day(end, 8): Moment(outcome="no", after=3)},
        silent=((_day(end, 7), end + timedelta(days=400)),),
    )
    return Story("silent", "Nothing heard for a week.", persona, "+447700900104", 30, 9)


def _says_no(end: date) -> Story:
    reasons = ("time", "forgot", "time")
    refused: Mapping[date, Moment] = {
        day: Moment(outcome="no", reason=reasons[at % 3]) for at, day in enumerate(_days(end, _EARLY, range(1, 6)))
    }
    persona = Persona(
        name="Joan Ellis",
        baseline=3,
        at=time(9),
        pain=Pain(3.4, 2.2, 5, noise=0.4, flare=0.0, late=0.0),
        habits=Habits(done=0.42, partly=0.1, answers=0.95, next_day=0.85, taps=0.5, vague=0.0, minutes=60, evening=0.1),
        moments=refused,
    )
    return Story("says_no", "Answers, but mostly that it was not done.", persona, "+447700900105", 34, 9)


def _red_flag(end: date) -> Story:
    words = "Odd one, since last night I can't feel myself wiping when I go to the toilet. Bit worried"
    persona = Persona(
        name="Kwame Boateng",
        at=time(7),
        stage="intermediate",
        baseline=2,
        pain=Pain(2.4, 1, 3, noise=0.3, flare=0.0, late=0.0),
        habits=_RELIABLE,
        remarks=(Remark(_day(end, 1), time(13, 10), words),),
    )
    return Story("red_flag", "Wrote something yesterday that must be checked at once.", persona, "+447700900106", 26)


def _corrects(end: date) -> Story:
    persona = Persona(
        name="Ellen Lindqvist",
        at=time(8),
        baseline=3,
        pain=_QUIET,
        habits=Habits(done=0.95, answers=1.0, next_day=1.0, taps=0.0, vague=0.0, slips=0.0, typos=0.12, minutes=20, evening=0.0),
        moments={_day(end, 1): Moment(during=2, slip=7, fix="sorry, fat thumbs! meant 2", outcome="done", after=1)},
    )
    return Story("corrects", "Typed the wrong number yesterday and put it right.", persona, "+447700900107", 12)


def _on_holiday(end: date) -> Story:
    words = "We're off to Cornwall, can you pause this for 12 days please?"
    persona = Persona(
        name="Marco Bianchi",
        at=time(8, 30),
        stage="intermediate",
        baseline=2,
        pain=Pain(2.2, 0.8, 3, noise=0.3, flare=0.0, late=0.0),
        habits=_RELIABLE,
        remarks=(Remark(_day(end, 4), time(19, 20), words),),
    )
    return Story("on_holiday", "On holiday; the reminders are paused.", persona, "+447700900108", 24)


def _just_enrolled() -> Story:
    persona = Persona(name="Sofia Marques", at=time(8), usual=4, pain=Pain(4, 1.5, 4, flare=0.0, late=0.0), habits=_RELIABLE)
    return Story("just_enrolled", "Enrolled yesterday.", persona, "+447700900109", 1)


def _in_sydney() -> Story:
    persona = Persona(name="Liam Doyle", zone="Australia/Sydney", at=time(7), baseline=3, pain=_QUIET, habits=_RELIABLE)
    return Story("in_sydney", "Moved to Sydney; the messages follow the sun there.", persona, "+61491570110", 47)


def _near_sport() -> Story:
    """Advanced from the start here; the faster block was opened about three weeks ago."""
    persona = Persona(
        name="Hannah Fischer",
        at=time(17, 30),
        stage="advanced",
        baseline=1,
        pain=Pain(1.0, 0.2, 2, load=0.4, noise=0.2, flare=0.0, late=0.0),
        habits=Habits(done=1.0, partly=0.0, answers=1.0, next_day=1.0, taps=0.6, vague=0.0, slips=0.0, minutes=25, evening=0.0),
    )
    return Story("near_sport", "Advanced plan; close to the talk about going back to sport.", persona, "+447700900111", 38)


def _opted_out(end: date) -> Story:
    persona = Persona(
        name="Peter Novak",
        at=time(8),
        pain=Pain(3.6, 2.5, 5, noise=0.4, flare=0.0, late=0.0),
        habits=Habits(done=0.7, partly=0.1, answers=0.8, next_day=0.7, taps=0.5, vague=0.0),
        remarks=(Remark(_day(end, 2), time(8, 40), "please stop these messages, it's not for me"),),
    )
    return Story("opted_out", "Stopped all messages.", persona, "+447700900112", 20)


def _day(end: date, ago: int) -> date:
    return end - timedelta(days=ago)


def _days(end: date, weekdays: tuple[int, ...], ago: range) -> list[date]:
    """The days with sessions among those so many days before the end, the latest first."""
    return [day for day in (_day(end, back) for back in ago) if day.weekday() in weekdays]


def _last(end: date, weekdays: tuple[int, ...], at_least: int) -> date:
    """The latest day with a session, at least so many days before the end."""
    return _days(end, weekdays, range(at_least, at_least + 7))[0]


def _settled(end: date, ago: range, score: int) -> dict[date, Moment]:
    """Next-day answers on the rest days of Intermediate."""
    return {day: Moment(after=score) for day in (_day(end, back) for back in ago) if day.weekday() not in _INTERMEDIATE}
