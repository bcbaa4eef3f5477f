"""The patient's page: every number agrees with the record, everything is escaped, and nobody sees another clinic's."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from datetime import timedelta

import pytest
from markupsafe import escape

from bot_service.actions.histories import load_record
from bot_service.clinical.adherence import adherence, reply_rate
from bot_service.clinical.progression import standing
from bot_service.clinical.record import Record
from bot_service.storage import entries, episodes
from bot_service.web.strips import WORDS
from bot_service.web.times import long_day
from tests.actions.told import DAY1
from tests.running_clinic import START, Person, RunningClinic
from tests.web.lives import Browser, a_member, another_clinic, live, look, say

NASTY = """<script>alert(1)</script>"><img src=x onerror=alert(2)>{{ 7*7 }}'--&amp;"""


def the_record(person: Person) -> Record:
    with person.clinic.db.read() as tx:
        return load_record(tx, person.episode(), person.clinic.clock.now())


@pytest.mark.parametrize("seed", range(5))
def test_every_number_on_the_page_is_that_of_the_record(sqlite_clinic: RunningClinic, seed: int) -> None:
    draw = random.Random(seed)
    kinds = ["done 3/1", "done 1/0", "done 7/5", "partly 4", "no", "missed", "unsent", "paused", "-"]
    person = sqlite_clinic.in_care("Jo Park", zone=draw.choice(["Europe/London", "Pacific/Auckland"]))
    live(sqlite_clinic, person, ", ".join(draw.choices(kinds, k=draw.randint(5, 45))))
    look(person)
    record = the_record(person)
    lifted = [(day.day, draw.choice((4, 7.5, 12))) for day in record.loading_days if draw.random() < 0.5]
    with sqlite_clinic.db.begin() as tx:
        for day, kilos in lifted:
            entries.add(tx, person.episode(), sqlite_clinic.clock.now(), kind="load", day=day, slot=1, outcome=f"{kilos:g} kg")
    browser = Browser(sqlite_clinic).sign_in()
    page, words = browser.get(f"/patients/{person.invitation.ref}"), browser.words

    def figure(share: int | None) -> str:
        return "–" if share is None else f"{share} %"

    assert f"Done, last 14 days {figure(adherence(record, 14))} Replies, last 14 days {figure(reply_rate(record, 14))}" in words
    strip = [(day, "wrote" if status == "no_reply" and day in record.replies else status) for day, status in record.strip()]
    assert re.findall(r'<li class="(\w+)" title', page) == [status for _, status in strip]
    for status, (_, name) in WORDS.items():
        assert f"{name} {sum(found == status for _, found in strip)}" in words
    since_care_began = [(day, "wrote" if status == "no_reply" and day in record.replies else status) for day, status in record.strip(999)]
    calendar = Counter(re.findall(r'<td class="(\w+)"><span class="hidden">', page))
    assert calendar == Counter(status for _, status in since_care_began)
    loads = re.findall(r'<th scope="row">([^<]+)</th><td class="number">([\d.]+) kg</td>', page)
    assert [(day, float(kilos)) for day, kilos in loads] == [(long_day(day), kilos) for day, kilos in reversed(lifted)]
    score = r'<td class="number">(?:<mark>)?([^<]+)(?:</mark> <span[^<]+</span>)?</td>'
    rows = re.findall(rf'<th scope="row">([^<]+)</th>{score}{score}', page)
    assert [(pain, later) for _, pain, later in rows] == [
        ("–" if day.pain is None else str(day.pain), "–" if day.pain_24h is None else str(day.pain_24h))
        for day in reversed(record.loading_days)
    ]
    assert page.count('<circle class="during"') - 1 == len(record.rated_days)
    assert page.count('<rect class="after"') - 1 == len(record.answered_days)
    for criterion in standing(record, sqlite_clinic.plan, set()).criteria:
        detail = "for you to test" if criterion.key.startswith("checklist") else criterion.detail
        assert f"{criterion.text} {detail}" in words


async def test_a_day_whose_exercises_are_still_to_come_is_no_rest_day(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    await sqlite_clinic.service.move_clock(DAY1 - timedelta(hours=3))
    browser, link = Browser(sqlite_clinic).sign_in(), f"/patients/{person.invitation.ref}"

    def today() -> list[str]:
        page = browser.get(link)
        return [re.findall(pattern, page)[-1] for pattern in (r'<li class="(\w+)" title', r'<td class="(\w+)"><span class="hidden">')]

    assert today() == ["waiting", "waiting"]
    with sqlite_clinic.db.begin() as tx:
        episodes.place_hold(tx, START, person.episode(), "red_flag", why="", by="rule D1", from_day=START.date())
    assert today() == ["paused", "paused"]
    with sqlite_clinic.db.begin() as tx:
        episodes.change(tx, person.episode().id, next_prompt_day=START.date() + timedelta(days=2))
    assert today() == ["rest", "rest"]


def test_what_patients_write_is_shown_as_they_wrote_it(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care(NASTY[:100])
    live(sqlite_clinic, person, "done 2/1")
    say(person, f"tell my physio {NASTY}")
    say(person, f"I cannot feel my legs {NASTY}")
    browser = Browser(sqlite_clinic).sign_in()
    for path in ("/", f"/patients/{person.invitation.ref}", "/phone", f"/phone/{person.invitation.ref}", "/?q=%3Cscript%3E%22"):
        page = browser.get(path)
        assert browser.status == 200
        assert "<script>alert" not in page and "<img src=x" not in page
        assert " style=" not in page
    assert str(escape(f"tell my physio {NASTY}")) in browser.get(f"/patients/{person.invitation.ref}")


def test_another_clinics_patient_looks_like_nobody(sqlite_clinic: RunningClinic) -> None:
    ref = sqlite_clinic.in_care("Jo Park").invitation.ref
    other = Browser(sqlite_clinic).sign_in(another_clinic(sqlite_clinic))
    missing = other.client.get("/patients/P999ZZZ")
    assert missing.status_code == 404
    assert other.client.get(f"/patients/{ref}").content == missing.content
    for what in ("decision", "pause", "resume", "message"):
        other.get("/")
        there, nowhere = (
            other.client.post(f"/patients/{each}/{what}", data={"token": other.token, "reason": "x"}) for each in (ref, "P999ZZZ")
        )
        assert (there.status_code, there.content) == (404, nowhere.content)


def test_a_viewer_sees_everything_and_decides_nothing(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    live(sqlite_clinic, person, "done 2/1, " * 14 + "done 2/1")
    look(person)
    path = f"/patients/{person.invitation.ref}"
    viewer = Browser(sqlite_clinic).sign_in(a_member(sqlite_clinic, "viewer", "viewer@example.org"))
    page = viewer.get(path)
    assert "can be considered, your decision" in viewer.words
    assert "<textarea" not in page and "/decision" not in page and "/close" not in page
    viewer.post(f"{path}/pause", reason="let me")
    assert viewer.status == 403
    assert "Only a physiotherapist can decide this." in viewer.words


def test_the_transcript_shows_both_sides_states_and_corrections(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    live(sqlite_clinic, person, "done 2/1")
    say(person, "my physio should know I slept badly")
    browser = Browser(sqlite_clinic).sign_in()
    browser.get(f"/patients/{person.invitation.ref}")
    assert "my physio should know I slept badly" in browser.words
    assert "Answer · sent" in browser.words


def test_the_page_shows_the_words_of_steps_agreed_beforehand_and_what_became_of_each_offer(sqlite_clinic: RunningClinic) -> None:
    asked = sqlite_clinic.in_care("Ann Other")
    person = sqlite_clinic.in_care("Jo Park", stage="intermediate", rungs_preauthorised=True)
    live(sqlite_clinic, person, "-, " + "done 2/1, -, " * 6 + "done 2/1")
    look(person)
    browser = Browser(sqlite_clinic).sign_in()
    path = f"/patients/{person.invitation.ref}"
    browser.get(path)
    assert "The next step is: Two legs, 15 at a time. Your physio has agreed to this step. Would you like to try it" in browser.words
    assert "One more can join: Hip hinge, short-range deadlift." in browser.words
    assert "Offered to the patient" not in browser.words
    say(person, "sorry, 1")
    browser.get(path)
    assert "Bridge, two legs to single leg: Two legs, 15 at a time. Offered to the patient; no answer yet." in browser.words
    say(person, "not yet")
    browser.get(path)
    assert "Offered to the patient; not yet on" in browser.words
    browser.get(f"/patients/{asked.invitation.ref}")
    assert "Next steps within the stage: each needs your approval." in browser.words


def test_the_load_that_was_used_stands_beside_the_patients_words(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    asyncio.run(sqlite_clinic.service.move_clock(DAY1))
    say(person, "done with 8 kg, 3")
    browser = Browser(sqlite_clinic).sign_in()
    browser.get(f"/patients/{person.invitation.ref}")
    assert "Load used, Tue 22 Sep: 8 kg" in browser.words
