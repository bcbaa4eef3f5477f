"""Digests: once a day what waits, once a week also figures; nobody's name, and nothing at all when nothing waits."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from threading import Thread

import pytest
from sqlalchemy import Executable

from bot_service.actions import review, team
from bot_service.actions.deciding import Decision
from bot_service.actions.digests import build_all, send_due, send_now
from bot_service.actions.histories import load_record
from bot_service.clinical.catalogue import ENGAGEMENT
from bot_service.clock import real_now
from bot_service.errors import OutcomeUnknown
from bot_service.storage import cases, clinics, notices, outbox, reviews, tables
from bot_service.storage.cases import Raised
from bot_service.storage.staff import Member
from bot_service.web.case_cards import title_of
from tests.actions.told import open_cases
from tests.notice_clinic import NoticeClinic, with_mail
from tests.patience import PATIENT_S
from tests.running_clinic import Person, RunningClinic
from tests.web.lives import Browser, live, look, say

DAY = timedelta(days=1)


def london(day: int, hour: int, minute: int = 0) -> datetime:
    """September 2026 in London, an hour ahead of UTC; the 21st is a Monday."""
    return datetime(2026, 9, day, hour - 1, minute, tzinfo=UTC)


@pytest.fixture
def there(clinic: RunningClinic) -> NoticeClinic:
    return with_mail(clinic, digests=True)


@pytest.fixture
def here(sqlite_clinic: RunningClinic) -> NoticeClinic:
    return with_mail(sqlite_clinic, digests=True)


def subjects(there: NoticeClinic, member: Member) -> list[str]:
    return [each for each in there.mail.subjects(member) if each.startswith("Stepwise digest")]


def text_for(there: NoticeClinic, member: Member, *, weekly: bool = False) -> str:
    """The digest that the member would get now."""
    with there.clinic.db.read() as tx:
        clinic = clinics.load_clinic(tx, there.clinic.clinic.id)
        found = build_all(tx, clinic, there.clinic.clock.now(), weekly=weekly, asked=True)
    return next("\n".join([each.subject, *each.lines]) for each in found if each.member.id == member.id)


async def test_what_is_not_urgent_waits_for_the_opening_and_comes_once_a_day_until_somebody_looks(there: NoticeClinic) -> None:
    person = await there.clinic.opted_in()
    await person.say("can you ask my physio to ring me?")
    await there.service.move_clock(london(22, 7, 59))
    assert there.mail.taken == []
    await there.service.move_clock(london(22, 8, 1))
    assert subjects(there, there.anna) == ["Stepwise digest, 22 Sep: Nothing is due today; 1 patient can wait for a later day."]
    (mail,) = there.mail.taken
    assert f"- {person.episode().ref}: message for the physio (due 24 Sep)" in mail.text and "http://127.0.0.1:8000/" in mail.text
    assert "Jo" not in mail.text and "Park" not in mail.text and "ring me" not in mail.text
    await there.service.move_clock(london(23, 12))
    assert len(subjects(there, there.anna)) == 2
    there.acknowledge(person)
    await there.service.move_clock(london(25, 12))
    assert len(subjects(there, there.anna)) == 2, "nothing waits, nothing is said"
    assert {row.status for row in there.clinic.messages(kind="digest")} == {"sent"}


async def test_it_names_every_flag_that_nobody_looks_after_and_no_other_and_goes_to_no_former_member(
    here: NoticeClinic,
) -> None:
    person = await here.clinic.opted_in()
    await here.service.move_clock(london(22, 8, 30))
    await person.say("can you ask my physio to ring me?")
    await person.say("done, 9")
    found = {title_of(case.rule).lower(): case for case in open_cases(person).values()}
    assert len(found) > 1
    first, *rest = found
    review.acknowledge_case(here.clinic.db, Decision(here.anna, person.episode().id, ""), found[first].id, here.clinic.clock.now())
    team.disable(here.clinic.db, here.lead, here.ben.id, here.clinic.clock.now(), real_now())
    await here.service.move_clock(london(23, 8, 1))
    line = next(line for line in here.mail.taken[-1].text.splitlines() if line.startswith(f"- {person.episode().ref}: "))
    assert all(title in line.lower() for title in rest) and first not in line.lower()
    with here.clinic.db.read() as tx:
        told = build_all(tx, clinics.load_clinic(tx, here.clinic.clinic.id), here.clinic.clock.now(), weekly=True)
    assert {here.anna.id, here.deputy.id} <= {each.member.id for each in told} and here.ben.id not in {each.member.id for each in told}


def test_two_replicas_whose_tick_comes_at_the_same_moment_send_it_once(there: NoticeClinic) -> None:
    """The wrong build fails here: it does not look whether another was quicker, and makes a new key each time."""
    clinic = there.clinic
    say(clinic.in_care("Jo Park"), "can you ask my physio to ring me?")
    send_due(clinic.db, clinic.clock.now(), "http://x")
    clinic.clock.move_to(london(22, 8, 1))
    now, queued = clinic.clock.now(), list[int]()
    both = [Thread(target=lambda: queued.append(send_due(clinic.db, now, "http://x"))) for _ in range(2)]
    with clinic.db.begin() as tx:  # both have seen that it is due before either can write
        clinics.lock(tx, clinic.clinic.id)
        for each in both:
            each.start()
        for each in both:
            each.join(0.5)
    for each in both:
        each.join(PATIENT_S)
    assert sorted(queued) == [0, 1] and len(clinic.messages(kind="digest")) == 1


async def test_it_keeps_to_the_clinics_working_days(here: NoticeClinic) -> None:
    person = await here.clinic.opted_in()
    await here.service.move_clock(london(25, 19))
    before = len(subjects(here, here.anna))
    await person.say("can you ask my physio to ring me?")
    await here.service.move_clock(london(28, 7, 59))
    assert len(subjects(here, here.anna)) == before, "over a weekend"
    await here.service.move_clock(london(28, 8, 1))
    assert len(subjects(here, here.anna)) == before + 1


async def test_on_the_first_working_day_of_a_week_the_week_comes_instead_also_when_nothing_needs_doing(there: NoticeClinic) -> None:
    there.choose(there.ben, weekly=False)
    await there.service.tick()
    await there.service.move_clock(london(28, 8, 1))
    assert subjects(there, there.anna) == ["Stepwise digest, week to 28 Sep: Nothing needs you today."]
    assert subjects(there, there.ben) == [], "he wants none of the week, and nothing waits"
    assert "Nobody." in there.mail.taken[0].text and "Nothing: all went out." in there.mail.taken[0].text
    assert {row.kind for row in there.clinic.messages() if row.staff_id} == {"weekly"}
    await there.service.move_clock(london(29, 12))
    assert len(subjects(there, there.anna)) == 1


async def test_who_wants_no_daily_digest_gets_none(here: NoticeClinic) -> None:
    here.choose(here.anna, daily=False)
    person = await here.clinic.opted_in()
    await person.say("can you ask my physio to ring me?")
    await here.service.move_clock(london(25, 12))
    assert subjects(here, here.anna) == []


async def test_a_single_six_is_a_line_and_no_flag_and_the_score_is_not_named(here: NoticeClinic) -> None:
    person = await here.clinic.opted_in()
    await here.service.move_clock(london(22, 8, 30))
    await person.say("6")
    with here.clinic.db.read() as tx:
        assert cases.list_open(tx, person.episode()) == []
    await here.service.move_clock(london(23, 8, 1))
    assert f"- {person.episode().ref}: session pain above the ceiling on 22 Sep" in here.mail.taken[-1].text
    assert subjects(here, here.anna) == ["Stepwise digest, 23 Sep: Nothing needs you today."]
    assert "6/10" not in here.mail.taken[-1].text


def ready(clinic: RunningClinic, name: str, days: str) -> Person:
    person = clinic.in_care(name)
    live(clinic, person, days)
    look(person)
    return person


def test_it_counts_what_the_caseload_counts(here: NoticeClinic) -> None:
    clinic = here.clinic
    ready(clinic, "Jo Park", "done 2/1, " * 14 + "done 2/1")
    say(clinic.in_care("Ana Ruiz"), "I can't feel my legs and I wet myself")
    say(clinic.in_care("Tom Hill"), "please ask my physio to call me")
    told = re.sub(r"^Stepwise digest, .*?: ", "", text_for(here, here.anna).partition("\n")[0])
    words = Browser(clinic).sign_in().get("/?whose=mine")
    assert told == "1 patient needs you today; 1 is ready for a step; 1 can wait for a later day."
    assert told in words, "the page behind the link says the same"


def test_the_figures_of_the_week_are_the_mean_of_what_each_patients_days_say(here: NoticeClinic) -> None:
    clinic = here.clinic
    people = [clinic.in_care("Jo Park"), clinic.in_care("Ana Ruiz")]
    live(clinic, people[0], "done 2/1, missed, done 2/1, no, done 2/1, done 2/1, partly 3/1, " * 2 + "done 2/1")
    live(clinic, people[1], "missed, " * 10 + "done 2/1, unsent, done 2/1, done 2/1, no")
    shares: dict[tuple[str, int], list[Fraction]] = {}
    with clinic.db.read() as tx:
        for person in people:
            record = load_record(tx, person.episode(), clinic.clock.now())
            for week in (0, 1):
                days = [record.today - DAY * (7 * week + back) for back in range(1, 8)]
                told = {day: record.status(day) for day in days if record.status(day) in ("done", "partly", "not_done", "no_reply")}
                done = sum(Fraction({"done": 2, "partly": 1}.get(state, 0), 2) for state in told.values())
                heard = sum(state != "no_reply" or day in record.replies for day, state in told.items())
                shares.setdefault(("done", week), []).append(Fraction(done, len(told)))
                shares.setdefault(("heard", week), []).append(Fraction(heard, len(told)))
    wanted = {key: int(100 * sum(found) / len(found) + Fraction(1, 2)) for key, found in shares.items()}
    text = text_for(here, here.anna, weekly=True)
    assert f"Done of what was asked: {wanted['done', 0]} % over 2 patients, before {wanted['done', 1]} % over 2 patients." in text, (
        wanted,
        text,
    )
    assert f"Answered: {wanted['heard', 0]} % over 2 patients, before {wanted['heard', 1]} % over 2 patients." in text


def test_it_says_who_moved_and_what_was_not_sent_and_why(here: NoticeClinic) -> None:
    clinic = here.clinic
    person = ready(clinic, "Jo Park", "done 2/1, " * 11 + "paused, paused, unsent, done 2/1, done 2/1, done 2/1")
    with clinic.db.read() as tx:
        pending = reviews.find_pending(tx, person.episode())
    assert pending is not None
    review.approve(clinic.db, Decision(clinic.physio, person.episode().id, "settled"), pending.id, clinic.clock.now())
    text = text_for(here, here.anna, weekly=True)
    assert f"- {person.episode().ref}: intermediate stage since" in text
    assert "What we did not send, or cannot be sure of:\n- 2 exercise prompts: paused\n- 1 exercise prompt: too late" in text


def test_a_case_is_called_by_the_rule_that_holds_now_as_on_the_caseload(here: NoticeClinic) -> None:
    clinic = here.clinic
    person, now = clinic.in_care("Jo Park"), clinic.clock.now()
    with clinic.db.begin() as tx:
        for rule, sentence in (("D5", "No reply."), ("D4", "40 % done.")):
            cases.raise_case(tx, now, person.episode(), Raised(ENGAGEMENT, rule, "three_days", sentence, {}), now + DAY)
        (case,) = cases.list_open(tx, person.episode())
        cases.note_over(tx, case, ["D5"], date(2026, 9, 21))
    assert case.rule == "D5"
    title = title_of("D4")
    assert f"- {person.episode().ref}: {title[:1].lower()}{title[1:]} (due" in text_for(here, here.anna)
    assert title in Browser(clinic).sign_in().get(f"/patients/{person.invitation.ref}")


async def test_the_cover_gets_the_digest_and_the_deputy_and_the_lead_what_is_overdue(here: NoticeClinic) -> None:
    person = await here.clinic.opted_in()
    await person.say("can you ask my physio to ring me?")
    ref = person.episode().ref
    with here.clinic.db.begin() as tx:
        notices.add_leave(tx, here.clinic.clock.now(), here.anna, here.ben, date(2026, 9, 22), date(2026, 9, 22))
    await here.service.move_clock(london(22, 9))
    assert len(subjects(here, here.ben)) == 1 and subjects(here, here.anna) == []
    await here.service.move_clock(london(24, 9))
    assert len(subjects(here, here.ben)) == 1 and len(subjects(here, here.anna)) == 2
    assert subjects(here, here.deputy) == []
    await here.service.move_clock(london(25, 9))
    deputy = next(each.text for each in here.mail.taken if each.address == here.deputy.email)
    assert "you are deputy" in deputy and f"- {ref} (Anna Reed): message for the physio (overdue)" in deputy
    assert subjects(here, here.lead) == []
    await here.service.move_clock(london(29, 9))
    lead = [each.text for each in here.mail.taken if each.address == here.lead.email]
    assert f"- {ref} (Anna Reed)" in lead[-1] and "you are clinic lead" in lead[-1]


async def test_a_daily_digest_in_doubt_is_sent_again_and_a_weekly_one_is_not(there: NoticeClinic) -> None:
    person = await there.clinic.opted_in()
    await person.say("can you ask my physio to ring me?")
    there.mail.fails = lambda _: OutcomeUnknown("silence")
    await there.service.move_clock(london(22, 8, 1))
    there.mail.fails = None
    await there.service.move_clock(london(22, 8, 10))
    assert [each.text.count("was sent before") for each in there.mail.taken] == [0] and len(there.mail.taken) == 1
    assert there.mail.taken[0].values.keys() == {"replaces"}
    assert set(outbox.MUST_ARRIVE) & {"digest", "weekly", "flag_notice"} == {"digest", "flag_notice"}


def test_sending_now_reaches_those_named_and_only_those_whom_something_reaches(here: NoticeClinic) -> None:
    now = here.clinic.clock.now()
    told = send_now(here.clinic.db, here.lead, [here.anna.id, here.ben.id], now, "http://x", weekly=True)
    assert [each.id for each in told] == [here.anna.id, here.ben.id]
    with here.clinic.db.begin() as tx:
        clinics.mark_sender(tx, here.mail_sender.id, "unused", None)
    assert send_now(here.clinic.db, here.lead, [here.anna.id], now, "http://x", weekly=True) == []


async def test_a_record_that_no_longer_reads_keeps_nobody_from_an_answer_or_a_digest(there: NoticeClinic) -> None:
    broken, whole = await there.clinic.opted_in(), await there.clinic.opted_in("Ana Ruiz")
    for person in (broken, whole):
        await person.say("can you ask my physio to ring me?")
    spoil(
        there, tables.prescriptions.update().where(tables.prescriptions.c.episode_id == broken.episode().id).values(document={"no": "plan"})
    )
    there.clinic.clock.move_to(london(22, 8, 1))
    answered = len(whole.texts)
    await whole.say("I can't feel my legs and I wet myself")
    assert any("999" in text for text in whole.texts[answered:])
    (mail,) = [each for each in there.mail.taken if each.address == there.anna.email and each.text.startswith("Stepwise digest")]
    assert f"- {broken.episode().ref}: message for the physio" in mail.text and f"- {whole.episode().ref}: " in mail.text


async def test_a_clinic_whose_digest_cannot_be_put_together_is_asked_again_tomorrow(there: NoticeClinic) -> None:
    await there.service.tick()
    spoil(there, tables.clinics.update().values(zone="Nowhere/Nothing"))
    there.clinic.clock.move_to(london(22, 8, 1))
    now = there.clinic.clock.now()
    assert send_due(there.clinic.db, now, "http://x") == 0
    with there.clinic.db.read() as tx:
        assert notices.next_digest_at(tx) == now + DAY


def spoil(there: NoticeClinic, change: Executable) -> None:
    with there.clinic.db.begin() as tx:
        tx.run(change)
    there.clinic.db.documents.clear()
