"""Which rung to offer the patient, of those that a clinician has agreed to beforehand: one at a time, and not again too soon."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot_service.clinical.progression import Proposal
from bot_service.clinical.record import Record

BETWEEN_OFFERS = timedelta(days=7)
"""One change at a time: from the day on which the patient was offered a rung, or answered, to the next offer (default)."""


@dataclass(frozen=True)
class PastOffer:
    """A rung that the patient was offered. `last_day` is the local day of the answer, of the offer while there is none."""

    exercise: str
    last_day: date
    declined: bool


def next_offer(offers: Sequence[Proposal], past: Iterable[PastOffer], record: Record) -> Proposal | None:
    """Which of the rungs to offer the patient today, if any.

    One at a time. One that the patient declined comes again only after a further settled period, as long as the one that made it due
    (`deload.rung_settled_days`; default).
    """
    known = list(past)
    if any(record.today - offer.last_day < BETWEEN_OFFERS for offer in known):
        return None
    again = timedelta(days=record.rules.deload.rung_settled_days)
    declined = {offer.exercise for offer in known if offer.declined and record.today - offer.last_day < again}
    return next((offer for offer in offers if offer.exercise not in declined), None)
