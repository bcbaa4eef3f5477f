"""The rows behind a flag that speaks of what was not answered, or of time: no entry of the patient's shows them."""

from __future__ import annotations

from dataclasses import replace

from bot_service.clinical.catalogue import Flag
from bot_service.storage import entries, outbox, prescriptions
from bot_service.storage.cases import Raised
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode

UNANSWERED = ("D4", "D5")
OF_THE_STAGE, OF_CARE = "D6", "D7"


def with_rows(tx: Tx, episode: Episode, flag: Flag, raised: Raised) -> Raised:
    """The same with the prompts that had no answer, or with the prescription from which the stage or the care is counted."""
    if flag.rule in UNANSWERED:
        told = {entry.day for entry in entries.list_current(tx, episode) if entry.kind == "session"}
        return replace(raised, messages=outbox.prompts_of_days(tx, episode.id, [day for day in flag.days if day not in told]))
    if flag.rule in (OF_THE_STAGE, OF_CARE):
        stage = episode.stage if flag.rule == OF_THE_STAGE else None
        return replace(raised, prescription_id=prescriptions.first_of(tx, episode.id, stage))
    return raised
