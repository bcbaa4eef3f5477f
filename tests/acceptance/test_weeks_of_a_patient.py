"""Weeks of one patient at a time: what the phone got and what the physio should see, from what a person would do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from bot_service.actions import review
from bot_service.errors import ChannelUnavailable, DeliveryError, OutcomeUnknown
from bot_service.messages import Outbound
from bot_service.sample.personas import Habits, Moment, Pain, Persona, Remark
from bot_service.sample.understanding import says
from bot_service.storage import entries
from tests.acceptance.playground import Playground

EVERY_DAY = Habits(done=1.0, partly=0.0, answers=1.0, next_day=1.0, taps=0.5, typos=0.0, vague=0.0, slips=0.0, minutes=20, evening=0.0)
LOW = Pain(1.4, 0.5, 3, load=0.3, noise=0.2, flare=0.0, late=0.0)
FIRST = date(2026, 6, 1)
Open = Callable[..., Playground]


def test_a_good_fortnight_in_early_is_proposed_and_nothing_changes_until_the_physio_approves(playground: Playground) -> None:
    playground.join(Persona("Maya", at=time(8), baseline=2, pain=LOW, habits=EVERY_DAY))
    playground.play(days=15)
    proposal = playground.pending("Maya")
    assert proposal is not None
    assert (proposal.rule, proposal.to_stage) == ("C1", "intermediate")
    assert playground.episode("Maya").stage == "early"
    review.approve(playground.db, playground.decision("Maya"), proposal.id, playground.player.clock.now())
    playground.play(days=3)
    told = [message.text for message in playground.got("Maya")[-8:]]
    assert any("moved you on to the Intermediate Plan" in text for text in told)
    assert any("Sliding hamstring curl" in text for text in told)
    assert playground.open_rules("Maya") == set()


def test_a_hard_session_brings_the_easier_version_and_a_flag_and_two_settled_days_bring_the_usual_one_back(playground: Playground) -> None:
    hard = FIRST + timedelta(days=5)
    moments = {hard: Moment(during=7), hard + timedelta(days=1): Moment(after=6, during=2)}
    playground.join(Persona("Tom", at=time(8), baseline=2, pain=LOW, habits=EVERY_DAY, moments=moments))
    playground.play(days=6, hours=4)
    assert {"A3", "B3"} <= playground.open_rules("Tom")
    easier = [message.day for message in playground.got("Tom") if "easier version, as agreed" in message.text]
    assert easier[:1] == [hard + timedelta(days=1)]
    playground.play(days=4)
    last = [message for message in playground.got("Tom") if "Bridge hold" in message.text][-1]
    assert "5 × 30 s hold" in last.text
    assert {"A3", "B3"} <= playground.open_rules("Tom"), "open until settled for longer, or until somebody looks"
    playground.play(days=4)
    assert not {"A3", "B3"} & playground.open_rules("Tom"), "six settled loading days close pain cases"


def test_after_a_week_of_silence_the_prompts_stop_and_any_word_starts_them_again(playground: Playground) -> None:
    silent = ((FIRST + timedelta(days=4), FIRST + timedelta(days=17)),)
    back = Remark(FIRST + timedelta(days=18), time(12), "sorry, was abroad with no signal")
    playground.join(Persona("Daniel", at=time(8), baseline=2, pain=LOW, habits=EVERY_DAY, silent=silent, remarks=(back,)))
    playground.join(Persona("Vera", at=time(8), baseline=2, pain=LOW, habits=EVERY_DAY, silent=silent, stage="intermediate"))
    playground.play(days=17)
    got = [message for message in playground.got("Daniel") if message.day >= FIRST + timedelta(days=4)]
    stopped = next(message.day for message in got if "have not heard from you for a week" in message.text)
    assert stopped <= FIRST + timedelta(days=12)
    assert [message for message in got if message.day > stopped] == []
    nudged = {name: [got.day for got in playground.got(name) if says(got.text, ("nudge",))] for name in ("Daniel", "Vera")}
    assert nudged["Daniel"] == [], "exercises every day leave no room for another message"
    assert nudged["Vera"] == [silent[0][0] + timedelta(days=1)], "no nudge after three silent days"
    assert "D5" in playground.open_rules("Daniel")
    playground.play(days=4)
    assert any(message.day == FIRST + timedelta(days=19) and "Bridge hold" in message.text for message in playground.got("Daniel"))


def test_after_stop_nothing_is_sent_and_the_physio_knows(playground: Playground) -> None:
    enough = Remark(FIRST + timedelta(days=3), time(9, 30), "please stop these messages")
    playground.join(Persona("Peter", at=time(8), baseline=2, pain=LOW, habits=EVERY_DAY, remarks=(enough,)))
    playground.play(days=12)
    got = playground.got("Peter")
    assert "no more messages from us" in got[-1].text
    assert got[-1].day == enough.day
    assert playground.episode("Peter").patient_status == "opted_out"
    assert playground.open_rules("Peter") == {"X1"}


def test_a_pause_keeps_quiet_until_its_day_and_counts_against_nobody(playground: Playground) -> None:
    away = Remark(FIRST + timedelta(days=4), time(12), "on holiday, can you pause this for 6 days please?")
    playground.join(Persona("Marco", at=time(8), baseline=2, pain=LOW, habits=EVERY_DAY, remarks=(away,)))
    playground.play(days=15)
    quiet = [message.day for message in playground.got("Marco") if away.day < message.day < away.day + timedelta(days=6)]
    assert quiet == []
    paused = [prompt for prompt in playground.prompts("Marco") if prompt.status == "cancelled"]
    assert {prompt.day for prompt in paused} == {away.day + timedelta(days=back) for back in range(1, 6)}
    assert all((prompt.reason or "").startswith("on hold") for prompt in paused)
    assert any(message.day == away.day + timedelta(days=6) for message in playground.got("Marco"))
    assert not {"D4", "D5"} & playground.open_rules("Marco")


def test_red_flag_words_get_the_safety_text_at_once_and_no_exercises_until_a_clinician_clears_it(playground: Playground) -> None:
    worrying = Remark(FIRST + timedelta(days=6), time(22, 30), "since tonight I can't feel myself wiping on the toilet")
    playground.join(Persona("Kwame", at=time(8), baseline=2, pain=LOW, habits=EVERY_DAY, remarks=(worrying,)))
    playground.play(days=10)
    got = [message for message in playground.got("Kwame") if message.at.replace(tzinfo=None) >= datetime(2026, 6, 7, 22, 30)]
    assert "A&E" in got[0].text
    assert (got[0].day, got[0].at.hour) == (worrying.day, 22)
    assert not any("Bridge hold" in message.text for message in got)
    assert any("Were you seen" in message.text and message.day == worrying.day + timedelta(days=1) for message in got)
    case = next(case for case in playground.open_cases("Kwame") if case.case_key == "D1")
    assert case.words == worrying.words
    review.close_case(playground.db, playground.decision("Kwame", "rang, all clear"), case.id, playground.player.clock.now())
    playground.play(days=2)
    assert any("Bridge hold" in message.text for message in playground.got("Kwame")[-4:])


def test_a_correction_replaces_the_number_and_the_physio_sees_the_right_one(playground: Playground) -> None:
    slip = FIRST + timedelta(days=4)
    moments = {slip: Moment(during=1, slip=6, fix="sorry, wrong key. meant 1")}
    habits = Habits(done=1.0, partly=0.0, answers=1.0, next_day=1.0, taps=0.0, typos=0.0, vague=0.0, slips=0.0, minutes=20, evening=0.0)
    playground.join(Persona("Ellen", at=time(8), baseline=2, pain=LOW, habits=habits, moments=moments))
    playground.play(days=6)
    texts = [message.text for message in playground.got("Ellen") if message.day == slip]
    assert any(text.startswith("Recorded: 6") for text in texts)
    assert any(re.match(r"Corrected for .*: 1 out of 10\.", text) for text in texts)
    assert not {"A3", "A4"} & playground.open_rules("Ellen")


def test_in_sydney_every_prompt_comes_at_seven_in_the_morning_there(open_playground: Open) -> None:
    autumn = datetime(2026, 3, 23, 9, tzinfo=UTC)  # both London's and Sydney's clocks change in the weeks that follow
    playground = open_playground(autumn)
    playground.join(Persona("Liam", zone="Australia/Sydney", at=time(7), baseline=2, pain=LOW, habits=EVERY_DAY))
    playground.play(days=18)
    asked = [message.at for message in playground.got("Liam") if message.text.startswith(("Your exercises for", "One question about"))]
    assert len(asked) >= 16
    assert {at.time() for at in asked} == {time(7)}
    assert len({at.date() for at in asked}) == len(asked)


def test_after_an_outage_at_most_one_message_comes_and_the_days_are_shown_as_not_sent_by_us(open_playground: Open) -> None:
    off = datetime(2026, 6, 8, 3, tzinfo=UTC)
    playground = open_playground(downtime=((off, off + timedelta(days=2, hours=10)),))
    playground.join(Persona("Ada", at=time(8), baseline=2, pain=LOW, habits=EVERY_DAY))
    playground.play(days=12)
    by_day = {prompt.day: prompt for prompt in playground.prompts("Ada")}
    lost = [date(2026, 6, 8), date(2026, 6, 9), date(2026, 6, 10)]
    assert [by_day[day].status for day in lost] == ["expired"] * 3
    assert [message.day for message in playground.got("Ada") if message.day in lost[:2]] == []
    assert sum(message.day == lost[2] and "Bridge hold" in message.text for message in playground.got("Ada")) <= 1
    assert not {"D4", "D5"} & playground.open_rules("Ada")


def test_a_provider_that_refuses_for_a_while_only_makes_messages_late(open_playground: Open) -> None:
    tried: list[str] = []

    def refuses_each_message_once(outbound: Outbound) -> DeliveryError | None:
        if outbound.id in tried:
            return None
        tried.append(outbound.id)
        return ChannelUnavailable("connection refused")

    playground = open_playground(faults=refuses_each_message_once)
    playground.join(Persona("Ben", at=time(8), baseline=2, pain=LOW, habits=EVERY_DAY))
    playground.play(days=7)
    texts = [message.text for message in playground.got("Ben")]
    assert len(texts) == len(tried)
    assert {prompt.status for prompt in playground.prompts("Ben")} == {"sent"}


def test_a_prompt_of_unknown_fate_is_never_sent_twice_and_is_not_counted_as_unanswered(open_playground: Open) -> None:
    lost: list[str] = []

    def one_prompt_in_doubt(outbound: Outbound) -> DeliveryError | None:
        if not lost and outbound.text.startswith("One question about"):
            lost.append(outbound.id)
            return OutcomeUnknown("no answer in time")
        return None

    playground = open_playground(faults=one_prompt_in_doubt)
    playground.join(Persona("Carla", at=time(8), baseline=2, pain=LOW, habits=EVERY_DAY))
    playground.play(days=6)
    statuses = [prompt.status for prompt in playground.prompts("Carla")]
    assert statuses.count("in_doubt") == 1
    assert set(statuses) == {"in_doubt", "sent"}


def test_a_reply_of_the_evening_that_waits_for_the_service_until_after_midnight_counts_for_the_evening(open_playground: Open) -> None:
    prompted_at = datetime.combine(FIRST, time(19), UTC)  # 20:00 in London
    back = prompted_at + timedelta(hours=5)
    playground = open_playground(downtime=((prompted_at + timedelta(minutes=2), back),))
    playground.join(Persona("Ruth", at=time(20), baseline=2, pain=LOW, habits=replace(EVERY_DAY, taps=0.0, minutes=60)))
    playground.play(days=3, hours=12)
    with playground.db.read() as tx:
        told = {(each.kind, each.day): each for each in entries.list_current(tx, playground.episode("Ruth"))}
    session = told["session", FIRST]
    assert session.done_at is not None and prompted_at < session.done_at < prompted_at + timedelta(hours=4), "when it was written"
    assert ("session", FIRST + timedelta(days=1)) in told, "the next evening has a session of its own"
    asked = [got for got in playground.got("Ruth") if "One question about yesterday's session." in got.text]
    assert [got.day for got in asked] == [FIRST + timedelta(days=1), FIRST + timedelta(days=2), FIRST + timedelta(days=3)]
    assert asked[0].at.hour == 20, "timed from when it was done, as after any evening"
    assert ("pain_24h", FIRST) in told


def test_a_question_lost_with_its_prompt_is_asked_by_itself_the_same_day(open_playground: Open) -> None:
    bad = FIRST + timedelta(days=4)

    def fails(outbound: Outbound) -> DeliveryError | None:
        carries_both = "Today's exercises follow your answer." in outbound.text
        return ChannelUnavailable("down") if carries_both and playground.player.clock.now().date() == bad else None

    playground = open_playground(faults=fails)
    playground.join(Persona("Olu", at=time(8), baseline=2, pain=LOW, habits=EVERY_DAY))
    playground.play(days=7)
    asked = [got.day for got in playground.got("Olu") if "One question about" in got.text]
    assert bad in asked and len(asked) == len(set(asked))
    with playground.db.read() as tx:
        told = {(each.kind, each.day) for each in entries.list_current(tx, playground.episode("Olu"))}
    assert ("pain_24h", bad - timedelta(days=1)) in told
    lost = next(each for each in playground.prompts("Olu") if each.day == bad)
    assert lost.status in ("failed", "expired"), "the exercises of that day are shown as not sent by us"
