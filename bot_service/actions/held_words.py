"""Why a message did not go out, and what a hold is called, in the words of the pages and the digests alike."""

from __future__ import annotations

from bot_service.actions.histories import HELD
from bot_service.storage.check_ins import MERGED

HOLDS = {
    "pause": "Paused",
    "red_flag": "On hold after a red flag",
    "lost_contact": "Prompts stopped: no reply for a week",
    "physio_first": "On hold: physio first",
}


def reason_in_words(stored: str) -> str:
    """Why a message did not go out: a stored reason may hold an id or the kind of a hold."""
    if stored.startswith(MERGED):
        return "asked together with the exercises"
    hold = HOLDS.get(stored.removeprefix(f"{HELD}: "))
    return hold[0].lower() + hold[1:] if hold else stored
