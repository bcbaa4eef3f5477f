"""Whether all prompts of the busiest minute can leave before they lapse, asked at the start and by `stepwise doctor`."""

from __future__ import annotations

from bot_service.storage import waves
from bot_service.storage.database import Tx
from plans.loading import load_library
from schedules.spreading import minutes_needed


def find_crowded(tx: Tx) -> list[str]:
    """Senders through which more prompts fall due at once than can leave before they lapse."""
    limit = min((plan.rules.delivery.expires_after_min for plan in load_library().values()), default=0)
    return [
        f"{wave.prompts} prompts fall due at {wave.at:%H:%M} UTC through {wave.sender}, which takes {minutes} minutes to send them; "
        f"after {limit} they lapse. Give some patients another time of day, or another bot or number."
        for wave in waves.list_largest(tx)
        if (minutes := minutes_needed(wave.prompts, wave.per_s)) > limit
    ]
