"""A sender whose rate goes by the clinic's own clock, so that minutes of waiting take no time."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from bot_service.storage import tables
from tests.running_clinic import RunningClinic


def rated(clinic: RunningClinic, per_s: float = 1000.0) -> None:
    """Give the senders that rate; waiting for it moves the clinic's clock."""
    with clinic.db.begin() as tx:
        tx.run(update(tables.senders).values(rate_per_s=per_s))

    async def sleep(seconds: float) -> None:
        clinic.clock.move_to(clinic.clock.now() + timedelta(seconds=seconds + 0.001))  # a clock counts microseconds only

    clinic.service.delivery.real = clinic.clock.now
    clinic.service.delivery.sleep = sleep
