"""When the 24-hour question is asked: 16 to 36 hours after the session, never lost, within the day's messages (clinical.md 0.4)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bot_service.storage import tables
from bot_service.storage.outbox import CAPPED, WENT_OUT
from plans.thresholds import Weekday
from tests.running_clinic import Person, RunningClinic

TUESDAY = date(2026, 9, 22)
MIDNIGHT = datetime(2026, 9, 21, 23, tzinfo=UTC)
"""Where Tuesday begins in London."""
WEEKS: dict[str, tuple[Weekday, ...]] = {
    "every day": (),
    "a rest day on Thursday": ("mon", "tue", "wed", "fri"),
    "a rest day on Wednesday": ("tue", "thu"),
}
PROMPTS = [time(6), time(8), time(13)]
LATER = [timedelta(minutes=minutes) for minutes in (5, 475, 485, 605, 700, 725, 895)]


@dataclass
class Told:
    """One patient who does the session of Tuesday `done_at`."""

    person: Person
    what: str
    done_at: datetime
    a_day: int

    def asked_at(self) -> list[datetime]:
        """When the question about Tuesday was put."""
        with self.person.clinic.db.read() as tx:
            rows = tx.all(tables.questions.select().where(tables.questions.c.episode_id == self.person.invitation.episode_id))
        return [row.opened_at for row in rows if (row.kind, row.day) == ("pain_24h", TUESDAY)]

    def most_a_day(self) -> int:
        """The most unsolicited messages of one local day."""
        zone_offset = timedelta(hours=1)
        sent = [each for each in self.person.messages() if each.kind in CAPPED and each.status in WENT_OUT and each.sent_at]
        return max(Counter((each.sent_at + zone_offset).date() for each in sent if each.sent_at).values())


def patients(clinic: RunningClinic) -> list[Told]:
    found = []
    for week, days in WEEKS.items():
        for at in PROMPTS:
            for later in LATER:
                done_at = MIDNIGHT + timedelta(hours=at.hour, minutes=at.minute) + later
                for both in (False, True):
                    if done_at >= MIDNIGHT + timedelta(days=1) or (both and (days or at >= time(17))):
                        continue
                    person = clinic.in_care(at=at, days=days, own_prompt=frozenset({2}) if both else frozenset())
                    what = f"{week}, prompted at {at}{' and in the evening' if both else ''}, done {later} after"
                    found.append(Told(person, what, done_at, 2 if both else 1))
    return found


async def test_whenever_a_session_is_done_its_question_comes_16_to_36_hours_later_within_the_days_messages(
    clinic: RunningClinic,
) -> None:
    told = patients(clinic)
    for each in sorted(told, key=lambda each: each.done_at):
        await clinic.service.move_clock(each.done_at)
        await each.person.say("done, 3")
    await clinic.service.move_clock(MIDNIGHT + timedelta(days=3))
    wrong = []
    for each in told:
        hours = [(at - each.done_at) / timedelta(hours=1) for at in each.asked_at()]
        if len(hours) != 1 or not 16 <= hours[0] <= 36 or each.most_a_day() > each.a_day:
            wrong.append(f"{each.what}: asked after {hours} h, up to {each.most_a_day()} messages a day")
    assert not wrong, "\n".join(wrong)
