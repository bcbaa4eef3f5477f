"""A patient for whom a clinician opened running: prompted on free days, offered the next step after settled runs, never past the range."""

from __future__ import annotations

from collections import Counter
from datetime import date, time, timedelta
from itertools import pairwise

from bot_service.actions import review
from bot_service.actions.histories import load_record
from bot_service.sample.personas import Habits, Moment, Pain, Persona
from bot_service.storage import entries, prescriptions, reviews
from plans.model import Prescription
from plans.running import RUN, RUN_SLOT
from tests.acceptance.playground import Got, Playground

EVERYTHING = Habits(done=1.0, partly=0.0, answers=1.0, next_day=1.0, taps=1.0, typos=0.0, vague=0.0, slips=0.0, minutes=20, evening=0.0)
LOW = Pain(1.0, 0.5, 3, load=0.3, noise=0.2, flare=0.0, late=0.0)
FIRST = date(2026, 6, 1)
WALK, ONE, TWO, FOUR = "A brisk walk", "8 times: 1 minute", "8 times: 2 minutes", "5 times: 4 minutes"


def running(playground: Playground, steps: tuple[int, int], moments: dict[date, Moment] | None = None) -> None:
    """Somebody in the intermediate stage, with running opened after the first day."""
    iris = Persona("Iris", at=time(8), stage="intermediate", baseline=2, pain=LOW, habits=EVERYTHING, moments=moments or {})
    playground.join(iris)
    playground.play(days=1)
    decision = playground.decision("Iris", "ready to walk")
    review.set_running(playground.db, decision, steps, playground.player.clock.now())


def runs(playground: Playground) -> list[Got]:
    return [message for message in playground.got("Iris") if "Your run for today" in message.text]


def made(playground: Playground) -> list[tuple[str, str]]:
    """What was offered, and what became of it, the first one first."""
    with playground.db.read() as tx:
        found = reviews.list_proposals(tx, playground.episode("Iris"))
    return [(item.offered[1], item.status) for item in reversed(found) if item.offered and item.rule == RUN]


def document(playground: Playground) -> Prescription:
    with playground.db.read() as tx:
        return prescriptions.load(tx, playground.episode("Iris").prescription_id)


def test_two_settled_runs_offer_the_next_step_and_never_one_beyond_the_opened_range(playground: Playground) -> None:
    running(playground, (1, 3))
    playground.play(days=40)
    days = [message.day for message in runs(playground)]
    assert {day.strftime("%a") for day in days} == {"Tue", "Thu", "Sat"}
    assert all(later - earlier >= timedelta(days=2) for earlier, later in pairwise(days))
    assert made(playground) == [("2", "accepted"), ("3", "accepted")]
    shown = [next(step for step in (WALK, ONE, TWO, FOUR) if step in message.text) for message in runs(playground)]
    assert [step for step, before in zip(shown, ["", *shown], strict=False) if step != before] == [WALK, ONE, TWO]
    assert min(Counter(shown).values()) >= 2 and document(playground).run_step == 3
    with playground.db.read() as tx:
        episode = playground.episode("Iris")
        kept = [entry for entry in entries.list_current(tx, episode) if entry.slot == RUN_SLOT]
        authors = {item.staff_id for item in prescriptions.list_of_episode(tx, episode.patient_id, episode.id)}
    assert {"session", "pain_during", "pain_24h"} <= {entry.kind for entry in kept}, "each run is logged with pain during and at 24 h"
    assert authors == {playground.decision_by.id}
    assert playground.open_rules("Iris") == set()


def test_an_unsettled_run_holds_the_step_and_says_how_to_go_on(playground: Playground) -> None:
    hard = FIRST + timedelta(days=10)  # the second run at step 2
    running(playground, (1, 3), {hard: Moment(during=6), hard + timedelta(days=1): Moment(after=4)})
    playground.play(days=24)
    said = [message for message in playground.got("Iris") if "That run was too much" in message.text]
    assert [message.day for message in said] == [hard, hard + timedelta(days=1)]
    assert all(f"go back to the one before: {WALK}" in message.text for message in said)
    eased = {message.day: WALK in message.text for message in runs(playground) if message.day > hard}
    assert list(eased.values())[:2] == [True, False], "one step back while the signed plan eases the exercises"
    offered = [message.day for message in playground.got("Iris") if "Your last runs have settled" in message.text]
    assert made(playground) == [("2", "accepted"), ("3", "accepted")]
    assert offered == [FIRST + timedelta(days=6), FIRST + timedelta(days=20)], "once the case is closed and both runs settled"


def test_after_a_severe_run_none_is_prompted_until_the_physio_has_looked(playground: Playground) -> None:
    hard = FIRST + timedelta(days=10)
    running(playground, (1, 3), {hard: Moment(during=9), hard + timedelta(days=1): Moment(after=2)})
    playground.play(days=20)
    assert any("Please do not run again" in message.text for message in playground.got("Iris") if message.day == hard)
    assert max(message.day for message in runs(playground)) == hard
    assert made(playground) == [("2", "accepted")]


def test_a_run_is_optional_for_adherence(playground: Playground) -> None:
    running(playground, (1, 3))
    playground.play(days=9)
    with playground.db.read() as tx:
        record = load_record(tx, playground.episode("Iris"), playground.player.clock.now())
    ran = {session.day for session in record.sessions if session.slot == RUN_SLOT}
    assert ran and all(record.status(day) == "rest" and not record.counts(day) for day in ran)
    assert ran <= {day.day for day in record.loading_days}, "its pain counts all the same"


def test_at_most_one_message_a_day_comes_unasked_with_running_open(playground: Playground) -> None:
    running(playground, (1, 9))
    playground.play(days=28)
    unasked = Counter(message.day for message in playground.got("Iris") if message.at.time() == time(8))
    assert max(unasked.values()) == 1 and len(unasked) >= 26
