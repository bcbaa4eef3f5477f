"""A7 at a twelfth of the size, on simulated time: four hundred prompts due at once at 2 a second, and the answers that fall in between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as time_of_day
from statistics import quantiles

from bot_service.actions.consent import CONSENT_LINES
from bot_service.actions.prompt import queue_for_patient
from tests.actions.test_delivering import EIGHT
from tests.crowds import a_crowd
from tests.running_clinic import RunningClinic
from tests.simulated_time import rated

PROMPTS, ANSWERS, PER_S = 400, 25, 2.0
"""In the proportion of 5,000 prompts at 25 a second."""
BACK = EIGHT + timedelta(minutes=10)
"""The service was away at eight, so that all prompts wait when it comes back and none is spread."""


@dataclass(frozen=True)
class Verdict:
    """Times as the phones saw them, in seconds."""

    prompts: int
    last_prompt_s: float
    answer_p99_s: float
    most_in_a_second: int

    @property
    def is_good(self) -> bool:
        return self.prompts == PROMPTS and self.last_prompt_s <= 240 and self.answer_p99_s <= 30 and self.most_in_a_second <= PER_S


def busiest_second(moments: list[datetime]) -> int:
    first, most = 0, 0
    for last, at in enumerate(moments):
        while at - moments[first] >= timedelta(seconds=1):
            first += 1
        most = max(most, last - first + 1)
    return most


async def play(clinic: RunningClinic, lane: str) -> Verdict:
    """Everybody's prompt fell due at eight, and every eight seconds somebody is to be answered, in that lane."""
    crowd = a_crowd(clinic, [("Europe/London", time_of_day(8))] * PROMPTS)
    rated(clinic, PER_S)
    answers = [(BACK + timedelta(seconds=8 * number + 2), person) for number, person in enumerate(crowd[:ANSWERS])]
    let_time_pass = clinic.service.delivery.sleep

    async def sleep(seconds: float) -> None:
        await let_time_pass(seconds)
        while answers and answers[0][0] <= clinic.clock.now():
            at, person = answers.pop(0)
            with clinic.db.begin() as tx:
                lines = {"lines": CONSENT_LINES}
                queue_for_patient(tx, person.episode(), at, "reply", f"a:{person.id}", at, at + timedelta(hours=1), lines, lane=lane)

    clinic.service.delivery.sleep = sleep
    clinic.clock.move_to(BACK)
    while clinic.messages(status="due", kind="prompt") or len(clinic.messages(kind="prompt")) < PROMPTS or answers:
        await clinic.service.tick()
        await sleep(0.2)
    rows = {str(row.id): row for row in clinic.messages()}
    arrived = [(each.at, rows[each.outbound.id]) for each in clinic.phones.received]
    prompts = [(at - BACK).total_seconds() for at, row in arrived if row.kind == "prompt"]
    waits = [(at - row.due_at).total_seconds() for at, row in arrived if row.kind == "reply"]
    assert len(waits) == ANSWERS
    return Verdict(len(prompts), max(prompts), quantiles(waits, n=100)[98], busiest_second([at for at, _ in arrived]))


async def test_no_answer_waits_behind_hundreds_of_prompts(sqlite_clinic: RunningClinic) -> None:
    verdict = await play(sqlite_clinic, "now")
    assert verdict.is_good, verdict
    assert verdict.answer_p99_s < 1


async def test_the_same_verdict_condemns_a_build_with_one_lane(sqlite_clinic: RunningClinic) -> None:
    verdict = await play(sqlite_clinic, "bulk")
    assert verdict.prompts == PROMPTS and verdict.answer_p99_s > 30 and not verdict.is_good
