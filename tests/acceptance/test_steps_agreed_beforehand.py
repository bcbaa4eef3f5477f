"""A patient whose clinician has agreed to the next steps beforehand: offered, taken, left, and not offered over an open flag."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from bot_service.actions import review
from bot_service.sample.personas import Habits, Moment, Pain, Persona, Remark
from bot_service.storage import prescriptions, reviews
from bot_service.storage.reviews import Proposed
from tests.acceptance.playground import Got, Playground

EVERYTHING = Habits(done=1.0, partly=0.0, answers=1.0, next_day=1.0, taps=1.0, typos=0.0, vague=0.0, slips=0.0, minutes=20, evening=0.0)
LOW = Pain(1.0, 0.5, 3, load=0.3, noise=0.2, flare=0.0, late=0.0)
FIRST = date(2026, 6, 1)
OFFER = "Would you like to try it"


def agreed(name: str, *, takes_steps: bool = True, moments: dict[date, Moment] | None = None, remarks: tuple[Remark, ...] = ()) -> Persona:
    return Persona(
        name, at=time(8), stage="intermediate", baseline=2, rungs_preauthorised=True, takes_steps=takes_steps,
        pain=LOW, habits=EVERYTHING, moments=moments or {}, remarks=remarks,
    )  # fmt: skip


def offers(playground: Playground, name: str) -> list[Got]:
    return [message for message in playground.got(name) if OFFER in message.text]


def made(playground: Playground, name: str) -> list[Proposed]:
    with playground.db.read() as tx:
        return [item for item in reviews.list_proposals(tx, playground.episode(name)) if item.offered]


def shown(playground: Playground, name: str, since: date) -> list[str]:
    """How the bridge stands in the messages from a day on."""
    lines = [line for message in playground.got(name) if message.day >= since for line in message.text.splitlines()]
    return [line.split(": ")[1].split(",")[0] for line in lines if line.startswith("1. Bridge")]


def test_after_two_settled_weeks_the_next_step_is_offered_taken_and_in_the_next_prompt(playground: Playground) -> None:
    playground.join(agreed("Iris"))
    playground.play(days=19)
    (offer,) = offers(playground, "Iris")
    assert offer.day == FIRST + timedelta(days=14)
    assert offer.text.startswith("Recorded:"), "joined to an answer, not a message of its own"
    assert "Bridge" in offer.text and "Two legs, 15 at a time." in offer.text
    assert offer.labels[:2] == ("Yes", "Not yet")
    assert set(shown(playground, "Iris", FIRST)[:-2]) == {"3 × 12"}
    assert set(shown(playground, "Iris", offer.day + timedelta(days=1))) == {"3 × 15"}
    assert [item.status for item in made(playground, "Iris")] == ["accepted"]
    assert playground.pending("Iris") is None, "the physio was not asked"
    with playground.db.read() as tx:
        new = prescriptions.list_of_episode(tx, playground.episode("Iris").patient_id, playground.episode("Iris").id)[-1]
    assert (new.staff_id, new.number) == (playground.decision_by.id, 2)
    assert playground.open_rules("Iris") == set()


def test_a_week_later_the_next_exercise_has_its_turn(playground: Playground) -> None:
    playground.join(agreed("Iris"))
    playground.play(days=27)
    exercises = [item.offered[0] for item in reversed(made(playground, "Iris")) if item.offered]
    assert exercises[:2] == ["I1", "I2"]
    first, second = (message.day for message in offers(playground, "Iris")[:2])
    assert second - first >= timedelta(days=7)


def test_a_step_left_for_now_changes_nothing_and_comes_again_only_after_two_more_settled_weeks(playground: Playground) -> None:
    playground.join(agreed("Jonas", takes_steps=False))
    playground.play(days=27)
    assert {item.status for item in made(playground, "Jonas")} == {"declined"}
    assert set(shown(playground, "Jonas", FIRST)) == {"3 × 12"}
    bridge = [message.day for message in offers(playground, "Jonas") if "Bridge" in message.text]
    assert bridge == [FIRST + timedelta(days=14)]
    others = [message.day for message in offers(playground, "Jonas") if "Bridge" not in message.text]
    assert all(day - bridge[0] >= timedelta(days=7) for day in others)
    assert playground.pending("Jonas") is None


def test_while_a_flag_is_open_no_step_is_offered_and_once_it_is_closed_it_comes(playground: Playground) -> None:
    worry = Remark(FIRST + timedelta(days=12), time(12), "I have some tingling down my left leg")
    playground.join(agreed("Karin", remarks=(worry,)))
    playground.play(days=17)
    case = next(case for case in playground.open_cases("Karin") if case.case_key == "D1")
    assert len(shown(playground, "Karin", worry.day)) >= 2, "the exercises go on meanwhile"
    assert offers(playground, "Karin") == [] == made(playground, "Karin")
    review.close_case(playground.db, playground.decision("Karin", "rang, all clear"), case.id, playground.player.clock.now())
    playground.play(days=3)
    assert len(offers(playground, "Karin")) == 1


def test_after_a_hard_session_the_two_settled_weeks_begin_anew(playground: Playground) -> None:
    hard = FIRST + timedelta(days=9)
    playground.join(agreed("Karin", moments={hard: Moment(during=6), hard + timedelta(days=1): Moment(after=6)}))
    playground.play(days=27)
    assert min(message.day for message in offers(playground, "Karin")) >= hard + timedelta(days=14)


def test_after_a_severe_session_no_step_is_offered_before_a_clinician_has_looked(playground: Playground) -> None:
    hard = FIRST + timedelta(days=9)
    playground.join(agreed("Karin", moments={hard: Moment(during=9), hard + timedelta(days=1): Moment(after=2)}))
    playground.play(days=27)
    assert playground.open_rules("Karin") == set(), "the case has closed by itself after six settled days"
    assert offers(playground, "Karin") == []


def test_offers_cost_no_message_of_their_own(playground: Playground) -> None:
    playground.join(agreed("Iris"))
    playground.join(Persona("Lena", at=time(8), stage="intermediate", baseline=2, pain=LOW, habits=EVERYTHING))
    playground.play(days=16)
    assert len(offers(playground, "Iris")) == 1
    asked = {name: [m.at for m in playground.got(name) if m.at.time() == time(8)] for name in ("Iris", "Lena")}
    assert asked["Iris"] == asked["Lena"]
    assert all(isinstance(at, datetime) for at in asked["Iris"])
