"""Hypothesis strategies: histories of an episode as days of what was asked and answered, and the records made of them."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from bot_service.clinical.record import Record
from tests.builders import TODAY, Day, Told, a_prescription, an_episode

STAGES = ("early", "intermediate", "advanced")

scores = st.integers(0, 10)
known_or_not = st.none() | scores


@st.composite
def told(draw: st.DrawFn) -> Told:
    """One slot of one day; most are done, and hurt a little, as in life."""
    kind = draw(st.sampled_from(("done", "done", "done", "partly", "not_done", "missed", "unsent", "paused", "rest", "extra")))
    match kind:
        case "done" | "partly":
            pain = draw(st.integers(0, 4) | known_or_not)
            return Told("sent", "done" if kind == "done" else "partly", pain, draw(st.integers(0, 3) | known_or_not))
        case "not_done":
            return Told("sent", "not_done", reason=draw(st.sampled_from((None, "pain", "forgot"))))
        case "extra":
            return Told("sent", "done", draw(known_or_not), draw(known_or_not), optional=True)
        case "missed":
            return Told("sent")
        case "unsent":
            return Told("not_sent")
        case "paused":
            return Told("paused")
        case _:
            return Told()


days: st.SearchStrategy[Day] = st.tuples(told()) | st.tuples(told(), told())


def _steady(length: int) -> st.SearchStrategy[tuple[Day, ...]]:
    """A quiet run, so that proposals are really reached."""
    return st.tuples(st.integers(0, 2), st.integers(0, 2)).map(lambda pain: ((Told("sent", "done", *pain),),) * length)


histories: st.SearchStrategy[tuple[Day, ...]] = st.one_of(
    st.lists(days, min_size=1, max_size=45).map(tuple),
    st.tuples(st.lists(days, max_size=10).map(tuple), st.integers(10, 40).flatmap(_steady), st.lists(days, max_size=3).map(tuple)).map(
        lambda parts: parts[0] + parts[1] + parts[2]
    ),
)


@st.composite
def records(draw: st.DrawFn, history: st.SearchStrategy[tuple[Day, ...]] = histories) -> Record:
    """Records in any stage, with and without a known usual pain, a signed flare plan, an older stage start."""
    stage = draw(st.sampled_from(STAGES))
    days_told = draw(history)
    return an_episode(
        days_told,
        stage=stage,
        baseline=draw(st.none() | st.integers(0, 5)),
        episode_start=TODAY - timedelta(days=len(days_told) - 1 + draw(st.integers(0, 200))),
        stage_start=TODAY - timedelta(days=draw(st.integers(0, 120))),
        prescription=a_prescription(stage, signed=draw(st.booleans()), unlocked=stage == "advanced" and draw(st.booleans())),
    )
