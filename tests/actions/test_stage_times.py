"""The times of a patient's messages through changes of stage: their own stay, and no two fall together, of which one would never go out."""

from __future__ import annotations

from datetime import time
from itertools import combinations

import pytest

from bot_service.actions.prescribing import resolved
from plans.loading import load_library
from plans.model import Prescription, prescribe

PLAN = load_library()["proximal_hamstring_tendinopathy"]
AT = {"early": (time(20, 30), time(18, 30)), "both the same": (time(18, 30), time(18, 30)), "usual": (time(8), time(18, 30))}


def together(document: Prescription) -> list[tuple[int, int]]:
    """Slots with messages at one time of one day."""
    prompted = [slot for slot in document.slots if slot.prompted]
    return [(a.number, b.number) for a, b in combinations(prompted, 2) if a.at == b.at and set(a.days) & set(b.days)]


@pytest.mark.parametrize("times", AT.values(), ids=list(AT))
def test_there_and_back_through_the_stages_no_two_messages_fall_together_and_the_main_time_stays(times: tuple[time, time]) -> None:
    at = {1: times[0], 2: times[1]}
    document = prescribe(PLAN, "early", at, own_prompt=frozenset({2}))
    for stage in ("intermediate", "early", "intermediate", "advanced", "intermediate", "early"):
        document = resolved(PLAN, stage, document)
        assert not together(document), f"{stage}: {[(slot.number, slot.at) for slot in document.slots]}"
        assert next(slot.at for slot in document.slots if slot.number == 1) == times[0]
