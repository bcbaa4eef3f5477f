"""Exercises that did not reach a patient for days, through no fault of theirs: a case for as long as that goes on."""

from __future__ import annotations

from datetime import datetime

from bot_service.actions.histories import local_today
from bot_service.clinical.adherence import unsent_days
from bot_service.clinical.in_words import listed, short_day
from bot_service.clinical.record import Record
from bot_service.storage import cases, outbox
from bot_service.storage.cases import Raised
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode

RULE = "X9"
IN_A_ROW = 3
"""Exercise days without exercises before somebody has to look (default)."""


def found_unsent(tx: Tx, episode: Episode, record: Record, now: datetime) -> Raised | None:
    """What staff should see; the open case is closed once exercises have gone out. One that was closed needs days of its own again.

    Nothing while the chat takes no messages, which is a case already (X1).
    """
    open_cases = {case.rule: case for case in cases.list_open(tx, episode)}
    days = unsent_days(record, IN_A_ROW)
    if not days:
        if RULE in open_cases:
            cases.close_case(tx, now, episode, open_cases[RULE].id, cases.SETTLED, "exercises have gone out again")
        return None
    closed = cases.list_last_closed(tx, episode.id).get(RULE)
    if "X1" in open_cases or episode.patient_status != "opted_in" or (closed and days[0] <= local_today(closed[0], episode.zone)):
        return None
    sentence = (
        f"The exercises of {listed(short_day(day) for day in days)} were not sent by us, {IN_A_ROW} exercise days in a row. "
        "See why at the messages, look at the times in the prescription, and get in touch."
    )
    detail = {"occurred": days[-1].isoformat(), "basis": "default"}
    return Raised(RULE, RULE, "three_days", sentence, detail, messages=outbox.prompts_of_days(tx, episode.id, days))
