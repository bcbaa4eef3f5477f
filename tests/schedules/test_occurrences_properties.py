"""Properties of the schedule: nothing lost, nothing repeated, whatever the zone, the cut in time or the journey."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from schedules.occurrences import MIN_APART, Occurrence, expires_at, next_occurrence
from schedules.quiet import is_quiet
from schedules.rhythm import WEEKDAYS, QuietHours, Rhythm, SlotTime
from schedules.wall_time import local

ODD_ZONES = [
    "Europe/London",
    "America/Nuuk",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "America/Havana",
    "Africa/Cairo",
    "America/Santiago",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "America/St_Johns",
    "Africa/Casablanca",
    "UTC",
    "America/Los_Angeles",
    "Pacific/Auckland",
]
ZONES = st.sampled_from(ODD_ZONES)
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
DAYS = st.frozensets(st.sampled_from(WEEKDAYS), min_size=1)
DATES = st.dates(date(2025, 1, 1), date(2027, 12, 31))
INSTANTS = st.integers(0, 3 * 365 * 24 * 60).map(lambda minutes: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))


@st.composite
def rhythms(draw: st.DrawFn) -> Rhythm:
    numbers = draw(st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True))
    slots = tuple(SlotTime(number, draw(TIMES), draw(DAYS)) for number in numbers)
    quiet = QuietHours(draw(TIMES), draw(TIMES))
    return Rhythm(draw(ZONES), slots, draw(DATES), quiet, timedelta(minutes=draw(st.integers(10, 1440))))


def chain(rhythm: Rhythm, after: tuple[date, int] | None, until: date, not_before: datetime | None = None) -> list[Occurrence]:
    found = []
    while (occurrence := next_occurrence(rhythm, after, not_before)) and occurrence.day < until:
        found.append(occurrence)
        after = occurrence.key
    return found


@given(rhythms(), st.integers(0, 30))
def test_cutting_time_in_two_by_key_loses_and_repeats_nothing(rhythm: Rhythm, cut: int) -> None:
    whole = chain(rhythm, None, rhythm.start + timedelta(days=40))
    assert whole, "every rhythm here has a weekday"
    cut = min(cut, len(whole) - 1)
    assert whole[: cut + 1] + chain(rhythm, whole[cut].key, rhythm.start + timedelta(days=40)) == whole


@given(rhythms(), st.integers(0, 40 * 24 * 60))
def test_cutting_time_in_two_by_instant_loses_and_repeats_nothing(rhythm: Rhythm, minutes: int) -> None:
    until = rhythm.start + timedelta(days=40)
    whole = chain(rhythm, None, until)
    cut = datetime.combine(rhythm.start, time(0), UTC) + timedelta(minutes=minutes)
    assert [item for item in whole if item.due_at < cut] + chain(rhythm, None, until, not_before=cut) == whole


@given(rhythms())
def test_a_local_day_and_slot_come_up_exactly_once_in_order_on_their_own_date(rhythm: Rhythm) -> None:
    until = rhythm.start + timedelta(days=60)
    whole = chain(rhythm, None, until)
    assert sorted(item.due_at for item in whole) == [item.due_at for item in whole]
    days = [rhythm.start + timedelta(days=n) for n in range(60)]
    expected = [(day, slot.number) for day in days for slot in rhythm.slots_on(day)]
    assert sorted(item.key for item in whole) == sorted(expected)
    assert all(local(item.due_at, rhythm.zone).date() == item.day for item in whole)


@given(rhythms())
def test_no_prompt_may_be_sent_in_quiet_hours_unless_the_patient_chose_that_time(rhythm: Rhythm) -> None:
    for item in chain(rhythm, None, rhythm.start + timedelta(days=10)):
        expiry = expires_at(item, rhythm)
        assert item.due_at < expiry <= item.due_at + rhythm.expires_after
        if rhythm.quiet.covers(local(item.due_at, rhythm.zone).time()):
            assert expiry == item.due_at + rhythm.expires_after
        elif not is_quiet(item.due_at, rhythm):
            step = (expiry - item.due_at) / 12
            sendable = [item.due_at + step * n for n in range(12)] + [expiry - timedelta(seconds=1)]
            assert not any(rhythm.quiet.covers(local(moment, rhythm.zone).time()) for moment in sendable)


@given(st.lists(st.tuples(ZONES, st.integers(0, 60 * 60)), min_size=1, max_size=8), rhythms(), INSTANTS)
def test_a_traveller_gets_at_most_one_prompt_per_date_and_slot_and_twelve_hours_between(
    journeys: list[tuple[str, int]], rhythm: Rhythm, now: datetime
) -> None:
    """Reliability A5: zones change at random moments while prompts come due; the caller passes when each slot last came up."""
    sent: list[Occurrence] = []
    last_due: dict[int, datetime] = {}
    key = None
    for zone, minutes in journeys:
        rhythm = Rhythm(zone, rhythm.slots, rhythm.start, rhythm.quiet, rhythm.expires_after)
        leaves = now + timedelta(minutes=minutes)
        occurrence = next_occurrence(rhythm, key, now, last_due)
        while occurrence is not None and occurrence.due_at < leaves:
            sent.append(occurrence)
            key, last_due[occurrence.slot] = occurrence.key, occurrence.due_at
            occurrence = next_occurrence(rhythm, key, None, last_due)
        now = leaves
    assert len({item.key for item in sent}) == len(sent)
    for number in last_due:
        of_slot = [item for item in sent if item.slot == number]
        for earlier, later in pairwise(of_slot):
            assert later.day > earlier.day
            assert later.due_at - earlier.due_at >= MIN_APART


def test_a_flight_to_the_next_zone_costs_no_prompt_and_one_around_the_world_waits_twelve_hours() -> None:
    slots = (SlotTime(1, time(9), frozenset(WEEKDAYS)), SlotTime(2, time(18), frozenset(WEEKDAYS)))

    def living_in(zone: str) -> Rhythm:
        return Rhythm(zone, slots, date(2026, 6, 1), QuietHours(time(21), time(8)), timedelta(hours=3))

    morning = next_occurrence(living_in("America/Los_Angeles"), None)
    assert morning is not None
    soon = morning.due_at + timedelta(hours=1)
    near = next_occurrence(living_in("America/Denver"), morning.key, soon, {1: morning.due_at})
    far = next_occurrence(living_in("Pacific/Auckland"), morning.key, soon, {1: morning.due_at})
    assert near is not None
    assert near.key == (date(2026, 6, 1), 2)
    assert far is not None
    assert far.key == (date(2026, 6, 2), 2)
