"""Urgent flags reach people: at once, again, then the deputy and the lead, until somebody acknowledges them; nobody's name is in them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from bot_service.actions import review
from bot_service.actions.deciding import Decision
from bot_service.errors import (
    ChannelMisconfigured,
    ChannelUnavailable,
    DeliveryError,
    MessageRejected,
    OutcomeUnknown,
    RecipientStopped,
    TemporarilyRefused,
)
from bot_service.messages import Outbound
from bot_service.storage import cases, clinics, notices, staff, tables
from tests.notice_clinic import EMERGENCY, NoticeClinic, with_mail
from tests.running_clinic import Person, RunningClinic

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def london(day: int, hour: int, minute: int = 0) -> datetime:
    """September 2026 in London, an hour ahead of UTC; the 21st is a Monday."""
    return datetime(2026, 9, day, hour - 1, minute, tzinfo=UTC)


async def flagged(there: NoticeClinic, at: datetime | None = None, words: str = EMERGENCY) -> Person:
    person = await there.clinic.opted_in()
    if at is not None:
        await there.service.move_clock(at)
    await person.say(words)
    return person


async def test_a_red_flag_is_told_at_once_without_name_words_or_score(there: NoticeClinic) -> None:
    person = await flagged(there)
    (notice,) = there.mail.taken
    ref = person.episode().ref
    assert notice.address == there.anna.email and notice.text.startswith(f"Red flag for {ref}\n")
    assert f"http://127.0.0.1:8000/patients/{ref}" in notice.text and "your patient" in notice.text
    assert not any(word in notice.text for word in ("Jo", "Park", "legs", "wet"))
    (row,) = there.clinic.messages(kind="flag_notice")
    assert (row.status, row.staff_id, row.patient_id) == ("sent", there.anna.id, None)
    assert str(row.content).find("Park") == -1


async def test_a_severe_session_is_told_at_once_and_a_message_to_the_physio_is_not(here: NoticeClinic) -> None:
    person = await here.clinic.opted_in()
    await person.say("can you ask my physio to ring me?")
    assert here.mail.taken == []
    await here.service.move_clock(london(22, 8, 30))
    await person.say("9")
    assert here.mail.subjects(here.anna) == [f"Flag for {person.episode().ref}"]
    assert "9" not in here.mail.taken[0].text.replace(person.episode().ref, "").replace("127.0.0.1:8000", "")


async def test_what_is_written_after_somethings_wrong_is_told_at_once_also_on_a_case_that_could_wait(here: NoticeClinic) -> None:
    person = await here.clinic.opted_in()
    await person.say("can you ask my physio to ring me?")
    await person.say("Something's wrong")
    await person.say("it just is not right today")
    assert here.mail.subjects(here.anna) == [f"Flag for {person.episode().ref}"]
    with here.clinic.db.read() as tx:
        (case,) = cases.list_open(tx, person.episode())
    assert (case.rule, case.urgency, case.words) == ("X3", "same_day", "it just is not right today")


async def test_unacknowledged_it_climbs_reminder_deputy_lead_in_working_hours_and_stops(there: NoticeClinic) -> None:
    person = await flagged(there, london(22, 17, 30))
    ref, steps = person.episode().ref, []
    for at in (london(22, 17, 59), london(23, 8, 29), london(23, 8, 31), london(23, 11, 29), london(23, 11, 31), london(23, 17, 29)):
        await there.service.move_clock(at)
        steps.append(len(there.mail.taken))
    assert steps == [1, 1, 2, 2, 3, 3], "an hour and four hours of the clinic's day, over the night between"
    await there.service.move_clock(london(30, 12))
    assert [(each.address, each.text.partition("\n")[0]) for each in there.mail.taken] == [
        (there.anna.email, f"Red flag for {ref}"),
        (there.anna.email, f"Reminder: red flag for {ref}"),
        (there.deputy.email, f"Deputy: red flag for {ref}"),
        (there.lead.email, f"Clinic lead: red flag for {ref}"),
    ]
    assert (
        "Nobody has acknowledged it yet." in there.mail.taken[1].text
        and "acknowledged" not in there.mail.taken[0].text
        and "as deputy" in there.mail.taken[2].text
    )


@pytest.mark.parametrize("after", [MINUTE, 2 * HOUR, 5 * HOUR])
async def test_once_acknowledged_nobody_else_is_told(there: NoticeClinic, after: timedelta) -> None:
    person = await flagged(there, london(22, 9))
    await there.service.move_clock(london(22, 9) + after)
    told = len(there.mail.taken)
    there.acknowledge(person)
    await there.service.move_clock(london(29, 9))
    assert len(there.mail.taken) == told
    with there.clinic.db.read() as tx:
        assert tx.all(tables.alerts.select()) == []


async def test_what_the_patient_writes_after_that_is_told_anew_and_once(there: NoticeClinic) -> None:
    person = await flagged(there, london(22, 9))
    await person.say("hello?")
    assert len(there.mail.taken) == 1, "somebody is told of it until they look"
    there.acknowledge(person)
    for minutes, words in enumerate(("hello?", "is it bad", "please say something"), 1):
        await there.service.move_clock(london(22, 9, minutes))
        await person.say(words)
    assert there.mail.subjects(there.anna) == [f"Red flag for {person.episode().ref}"] * 2


async def test_a_notice_that_waits_when_somebody_acknowledges_is_not_sent(here: NoticeClinic) -> None:
    here.mail.fails = lambda _: ChannelUnavailable("down")
    person = await flagged(here, london(22, 9))
    here.acknowledge(person)
    here.mail.fails = None
    await here.service.move_clock(london(22, 12))
    assert here.mail.taken == []
    (row,) = here.clinic.messages(kind="flag_notice")
    assert (row.status, row.reason) == ("cancelled", "acknowledged already")


async def test_every_further_hit_notifies_again_and_the_climb_goes_on_from_the_first(there: NoticeClinic) -> None:
    person = await flagged(there, london(22, 9))
    await there.service.move_clock(london(22, 9, 30))
    await person.say("my calf is swollen and hot")
    ref = person.episode().ref
    assert there.mail.subjects(there.anna) == [f"Red flag for {ref}"] * 2
    await there.service.move_clock(london(22, 10, 1))
    assert there.mail.subjects(there.anna)[2:] == [f"Reminder: red flag for {ref}"]
    there.acknowledge(person)
    await there.service.move_clock(london(23, 9))
    await person.say("I have chest pain and cannot breathe")
    assert there.mail.subjects(there.anna)[3:] == [f"Red flag for {ref}"], "and it waits for somebody again"
    await there.service.move_clock(london(23, 10, 1))
    assert there.mail.subjects(there.anna)[4:] == [f"Reminder: red flag for {ref}"]


async def test_the_clinics_limits_and_initials_are_its_own(here: NoticeClinic) -> None:
    with here.clinic.db.begin() as tx:
        changed = {"notice_remind_min": 20, "notice_deputy_min": 40, "notice_lead_days": 2, "notice_initials": True}
        tx.run(tables.clinics.update().values(settings=changed))
    person = await flagged(here, london(22, 9))
    seen = []
    for at in (london(22, 9, 19), london(22, 9, 21), london(22, 9, 41), london(24, 8, 59), london(24, 9, 1)):
        await here.service.move_clock(at)
        seen.append(len(here.mail.taken))
    assert seen == [1, 2, 3, 3, 4]
    assert here.mail.taken[0].text.startswith(f"Red flag for {person.episode().ref} (J.P.)\n") and "Park" not in here.mail.taken[0].text


async def test_somebody_who_wants_no_notice_at_night_gets_it_when_the_clinic_opens(here: NoticeClinic) -> None:
    here.choose(here.anna, at_night=False)
    await flagged(here, london(22, 23))
    await here.service.move_clock(london(23, 7, 59))
    assert here.mail.taken == []
    await here.service.move_clock(london(23, 8, 1))
    assert len(here.mail.subjects(here.anna)) == 1 and here.mail.subjects(here.deputy) == []


async def test_while_the_physio_is_away_the_cover_is_told_and_the_notice_says_why(there: NoticeClinic) -> None:
    with there.clinic.db.begin() as tx:
        notices.add_leave(tx, there.clinic.clock.now(), there.anna, there.ben, date(2026, 9, 22), date(2026, 9, 23))
    person = await flagged(there, london(22, 9))
    assert there.mail.subjects(there.anna) == [] and there.mail.subjects(there.ben) == [f"Red flag for {person.episode().ref}"]
    assert "you look after Anna Reed's patients" in there.mail.taken[0].text
    there.acknowledge(person, there.ben)
    await there.service.move_clock(london(24, 9))
    await person.say("my calf is swollen and hot")
    assert len(there.mail.subjects(there.anna)) == 1 and len(there.mail.subjects(there.ben)) == 1


async def test_a_member_who_left_is_told_nothing_and_the_deputy_is_told_instead(here: NoticeClinic) -> None:
    person = await here.clinic.opted_in()
    with here.clinic.db.begin() as tx:
        staff.disable(tx, here.clinic.clock.now(), here.anna.id)
    await person.say(EMERGENCY)
    assert [each.address for each in here.mail.taken] == [here.deputy.email]


async def test_while_nothing_reaches_anybody_a_flag_waits_in_one_row_looked_at_seldom_and_is_told_as_soon_as_somebody_is_reached(
    clinic: RunningClinic,
) -> None:
    person = await clinic.opted_in()
    await clinic.service.move_clock(london(22, 9))
    await person.say(EMERGENCY)
    looked, until = 0, london(29, 9)
    while (at := next_look(clinic)) < until:
        await clinic.service.move_clock(at)
        looked += 1
    assert 10 < looked < 25, "10 minutes after, 20, 40 and so on, then once a day"
    await clinic.service.move_clock(until)
    assert clinic.messages(kind="flag_notice") == []
    there = with_mail(clinic)
    await clinic.service.tick()
    assert there.mail.subjects(there.anna) == [f"Red flag for {person.episode().ref}"]


def next_look(clinic: RunningClinic) -> datetime:
    with clinic.db.read() as tx:
        (row,) = tx.all(tables.alerts.select())
    return row.at  # type: ignore[no-any-return]  # the column type


async def test_a_flag_from_before_anybody_could_be_told_is_told_when_the_service_starts_and_only_once(there: NoticeClinic) -> None:
    there.mail.fails = lambda _: ChannelUnavailable("down")
    old, new, seen = [await there.clinic.opted_in(name) for name in ("Jo Park", "Ana Ruiz", "Tom Hill")]
    for person in (old, new, seen):
        await person.say(EMERGENCY)
    there.acknowledge(seen)
    case = open_case(old)
    with there.clinic.db.begin() as tx:  # as it was before notices existed: a case and nothing else
        tx.run(tables.alerts.delete().where(tables.alerts.c.case_id == case))
        tx.run(tables.outbox.delete().where(tables.outbox.c.occurrence_key.startswith(f"flag:{case.hex}")))
        tx.run(tables.case_events.delete().where(tables.case_events.c.case_id == case, tables.case_events.c.what == "notice_tell"))
    there.mail.fails = None
    for _ in range(2):
        there.service.recover()
        await there.service.move_clock(there.clinic.clock.now() + 3 * MINUTE)
    refs = [person.episode().ref for person in (old, new)]
    assert sorted(there.mail.subjects(there.anna)) == sorted(f"Red flag for {ref}" for ref in refs)


def open_case(person: Person) -> UUID:
    with person.clinic.db.read() as tx:
        return next(case.id for case in cases.list_open(tx, person.episode()) if case.case_key == "D1")


async def test_one_that_nobody_was_told_of_before_care_ended_is_told_once_and_climbs_no_further(sqlite_clinic: RunningClinic) -> None:
    person = await sqlite_clinic.opted_in()
    await sqlite_clinic.service.move_clock(london(22, 9))
    await person.say(EMERGENCY)
    review.discharge(sqlite_clinic.db, Decision(sqlite_clinic.physio, person.episode().id, "moved"), sqlite_clinic.clock.now())
    there = with_mail(sqlite_clinic)
    await sqlite_clinic.service.move_clock(london(25, 9))
    assert [each.address for each in there.mail.taken] == [there.anna.email]


def once(error: DeliveryError) -> object:
    """A fault of the first message only."""
    left = [error]
    return lambda _outbound: left.pop() if left else None


async def test_a_notice_in_doubt_gets_a_new_one_that_names_the_old(there: NoticeClinic) -> None:
    there.mail.fails = once(OutcomeUnknown("silence"))  # type: ignore[assignment]
    await flagged(there, london(22, 9))
    await there.service.move_clock(london(22, 9, 2))
    old, new = there.clinic.messages(kind="flag_notice")
    assert (old.status, new.status) == ("in_doubt", "sent")
    (arrived,) = there.mail.taken
    assert arrived.values == {"replaces": str(old.id)} and "was sent before" in arrived.text
    await there.service.move_clock(london(22, 9, 12))
    assert there.mail.subjects(there.deputy) == [], "it arrived: nobody else is alarmed"


@pytest.mark.parametrize("error", [ChannelUnavailable("down"), TemporarilyRefused("greylisted")])
async def test_a_server_that_is_down_for_hours_loses_nothing_and_the_notice_arrives_within_minutes_of_its_return(
    there: NoticeClinic, error: DeliveryError
) -> None:
    there.mail.fails = lambda _: error
    person = await flagged(there, london(22, 9))
    await there.service.move_clock(london(22, 11))
    there.mail.fails = None
    await there.service.move_clock(london(22, 11, 10))
    assert f"Red flag for {person.episode().ref}" in there.mail.subjects(there.anna)
    assert {row.status for row in there.clinic.messages(kind="flag_notice")} == {"sent"}


@pytest.mark.parametrize("error", [RecipientStopped("no such user"), MessageRejected("spam")])
async def test_when_the_mail_is_refused_for_good_the_next_person_is_told_at_once(here: NoticeClinic, error: DeliveryError) -> None:
    here.mail.fails = lambda outbound: error if outbound.address == here.anna.email else None
    person = await flagged(here, london(22, 9))
    assert here.mail.subjects(here.deputy) == [f"Deputy: red flag for {person.episode().ref}"]
    with here.clinic.db.read() as tx:
        (sender,) = [each for each in clinics.list_senders(tx) if each.channel == "email"]
    assert sender.status == "active", "one address is not the server's fault"


async def test_refused_credentials_stop_the_mail_and_lose_nothing(here: NoticeClinic) -> None:
    here.mail.fails = lambda _: ChannelMisconfigured("wrong password")
    await flagged(here, london(22, 9))
    await here.service.move_clock(london(22, 9, 30))
    assert here.mail.tried == 1
    with here.clinic.db.begin() as tx:
        (sender,) = [each for each in clinics.list_senders(tx) if each.channel == "email"]
        assert sender.status == "broken"
        clinics.mark_sender(tx, sender.id, "active", None)
    here.mail.fails = None
    await here.service.move_clock(london(22, 9, 31))
    assert len(here.mail.subjects(here.anna)) == 1


async def test_a_crash_during_the_call_sends_again_and_says_so(there: NoticeClinic) -> None:
    """The wrong build that forgets the notice, or that sends it twice without saying so, fails here."""

    def dies(_: Outbound) -> DeliveryError | None:
        raise SystemExit

    there.mail.fails = dies
    person = await there.clinic.opted_in()
    with pytest.raises(SystemExit):
        await person.say(EMERGENCY)
    there.mail.fails = None
    there.service.recover() if there.clinic.db.is_sqlite else _lapse(there)
    await there.service.tick()
    await there.service.move_clock(there.clinic.clock.now() + 2 * MINUTE)
    assert len(there.mail.taken) == 1 and "was sent before" in there.mail.taken[0].text


def _lapse(there: NoticeClinic) -> None:
    """The dead worker's lease is over."""
    with there.clinic.db.begin() as tx:
        tx.run(tables.outbox.update().where(tables.outbox.c.status == "sending").values(lease_until=datetime(2020, 1, 1, tzinfo=UTC)))
    there.service.delivery.looked_after_at = -1e9
