"""Many prompts for the same minute through one sender: who gets theirs how much later, always the same for the same patient."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from uuid import UUID

MINUTE = timedelta(minutes=1)


def minutes_needed(prompts: int, per_s: float) -> int:
    """How many minutes it takes to send that many at that rate; 1 when one minute will do."""
    return max(1, ceil(prompts / (per_s * 60)))


def time_later(patient_id: UUID, prompts: int, per_s: float, room: timedelta) -> timedelta:
    """How much later than the chosen time a patient's prompt falls due: nothing when all leave within a minute.

    Spread evenly over the minutes that the crowd needs, the same every day as long as it needs as many, and always less than `room`.
    """
    if minutes_needed(prompts, per_s) == 1:
        return timedelta(0)
    return (patient_id.int & 0xFFFF_FFFF) / 2**32 * min(timedelta(seconds=prompts / per_s), room)
