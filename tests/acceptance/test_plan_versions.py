"""One episode of care through two versions of its plan: it keeps the one it was prescribed until a physiotherapist moves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import update

from bot_service.actions import review
from bot_service.actions.clinic_settings import set_numbers
from bot_service.actions.deciding import Decision
from bot_service.app import Service
from bot_service.channels.simulator import Simulator
from bot_service.storage import audit, prescriptions, reviews
from bot_service.storage.prescriptions import Prescribed
from bot_service.storage.tables import plan_versions
from plans.loading import LIBRARY, content_hash, load_library
from tests.plans.test_moving import released
from tests.running_clinic import Person, RunningClinic, open_quickly
from tests.web.lives import Browser, a_day_on, live, look
from tests.web.test_rewriting import fields as fields_of_editor

PLAN = "proximal_hamstring_tendinopathy"
NAME = f"{PLAN}.toml"
OLD, NEW = load_library()[PLAN].version, "9.0.0"
FEWER, MORE = "{ sets = 3, reps = 12, rest_s = 120", "{ sets = 4, reps = 12, rest_s = 120"
CHANGED = {
    f'version = "{OLD}"': f'version = "{NEW}"',
    f'type = "isotonic"\ndose = {FEWER}, tempo = "3-0-3" }}\nside = "each_when_single"': (
        f'type = "isotonic"\ndose = {MORE}, tempo = "3-0-3" }}\nside = "each_when_single"'
    ),
    f'id = "I1_1", text = "Two legs, 12 at a time.", dose = {FEWER}': f'id = "I1_1", text = "Two legs, 12 at a time.", dose = {MORE}',
    "Keep them level. Lower for three seconds.": "Keep them level. Lower slowly, for three seconds.",
    "min_reply_rate_pct = 70": "min_reply_rate_pct = 75",
}
Restart = Callable[[Person], Person]


@pytest.fixture
def restart(tmp_path: Path) -> Iterator[Restart]:
    """`restart(person)`: the service stops, finds the newer file in its library, and starts on the same database."""
    opened = []

    def begin(person: Person) -> Person:
        before, numbers = person.clinic, count(7000)
        text = (LIBRARY / NAME).read_text(encoding="utf-8")
        for old, new in CHANGED.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (tmp_path / NAME).write_text(text, encoding="utf-8")
        opened.append(db := open_quickly(before.db.engine.url.render_as_string(hide_password=False), seed=2))
        service = Service(before.service.settings, db, load_library(tmp_path), before.clock, in_threads=False)
        service.register_plans()
        service.recover()
        service.add_channel(before.clinic.id, before.sender.name, Simulator(lambda: f"new{next(numbers)}", before.phones.take), None)
        after = RunningClinic(
            service, db, before.clock, before.phones, before.clinic, before.physio, before.admin, before.sender, before.plan, numbers
        )
        return Person(after, person.invitation, person.address)

    yield begin
    for db in opened:
        db.close()


def decision(person: Person, reason: str) -> Decision:
    return Decision(person.clinic.physio, person.episode().id, reason)


def history(person: Person) -> list[Prescribed]:
    with person.clinic.db.read() as tx:
        return prescriptions.list_of_episode(tx, person.id, person.episode().id)


def shown_sets(person: Person) -> int:
    return history(person)[-1].document.exercise("I1").dose.sets


def test_an_episode_keeps_its_version_through_every_decision_until_the_physio_moves_it(clinic: RunningClinic, restart: Restart) -> None:
    person = clinic.in_care("Jo Park")
    live(clinic, person, ", ".join(["done 2/1"] * 18))
    look(person)
    person = restart(person)
    clinic, path = person.clinic, f"/patients/{person.invitation.ref}"
    assert clinic.service.library[PLAN].version == NEW
    db, clock = clinic.db, clinic.clock
    with db.read() as tx:
        proposed = reviews.find_pending(tx, person.episode())
    assert proposed is not None and proposed.to_stage == "intermediate"
    review.approve(db, decision(person, "settled"), proposed.id, clock.now())
    assert (history(person)[-1].document.plan_version, shown_sets(person)) == (OLD, 3)
    review.hold(db, decision(person, "let it settle"), None, None, clock.now())
    review.step_back(db, decision(person, "too soon"), clock.now())
    review.step_up(db, decision(person, "ready now"), clock.now())
    browser = Browser(clinic).sign_in()
    browser.get(f"{path}/prescription")
    assert f"Plan version {OLD} (newest: {NEW})" in browser.words
    browser.post(f"{path}/prescription", {**editor(browser), "rest-I1": "90"}, step="save", reason="in a hurry")
    assert browser.status == 200 and f"plan version {OLD} (newest: {NEW})" in browser.words
    assert {item.document.plan_version for item in history(person)} == {OLD} and shown_sets(person) == 3
    days_on(person, 3)
    assert "Bridge, two legs to single leg: 3 × 12" in person.texts[-1]

    kept = history(person)
    browser.get(f"{path}/prescription")
    browser.post(f"{path}/prescription", moving(browser), step="check")
    assert f"Move to version {NEW}: check what changes" in browser.words
    for words in ("3 × 12", "4 × 12", "Lower slowly, for three seconds", "min reply rate pct 70 75", f"Plan version {OLD} {NEW}"):
        assert words in browser.words
    assert history(person) == kept, "looking changes nothing"
    browser.post(f"{path}/prescription", moving(browser), step="save", reason="")
    assert "Write a short reason" in browser.words and history(person) == kept
    since = clock.now() - timedelta(seconds=1)
    browser.post(f"{path}/prescription", moving(browser), step="save", reason="the wrong patient")
    browser.post(f"{path}/undo", decided=browser.hidden("decided"))
    assert "Undone" in browser.words and history(person) == kept
    browser.get(f"{path}/prescription")
    browser.post(f"{path}/prescription", moving(browser), step="save", reason="the newer dose suits them")
    assert browser.status == 200 and f"plan version {NEW} (the newest)" in browser.words
    *before, now = history(person)
    assert before == kept and (now.number, now.document.plan_version, shown_sets(person)) == (kept[-1].number + 2, NEW, 4)
    assert now.document.exercise("I1").dose.rest_s == 90, "what was written for this patient goes along"
    assert now.staff_id == clinic.physio.id and now.reason == "the newer dose suits them"
    with db.read() as tx:
        assert audit.was_recorded(tx, clinic.physio.email, "plan_version_moved", person.id, since=since)
    days_on(person, 2)
    (news,) = [text for text in person.texts if "4 × 12 (before: 3 × 12)" in text]
    assert "has changed your exercises" in news
    assert "Bridge, two legs to single leg: 4 × 12" in person.texts[-1]
    review.step_back(db, decision(person, "sore"), clock.now())
    assert history(person)[-1].document.plan_version == NEW, "from now on this is the version that is kept"


def test_a_patient_of_the_released_version_goes_up_and_back_and_to_a_lower_ceiling_with_what_was_signed(clinic: RunningClinic) -> None:
    """Their database has 0.2.0 as the release stored it: without the text of the flare plan as it is written in the file."""
    kept = released()
    content = {name: value for name, value in kept.model_dump(mode="json").items() if name != "flare_plan_written"}
    with clinic.db.begin() as tx:
        row = {"plan_id": kept.id, "version": kept.version, "content_hash": content_hash(kept), "content": content}
        tx.run(plan_versions.insert().values(**row, first_seen_at=clinic.clock.now()))
    clinic.plan = kept
    person = clinic.in_care("Jo Park", stage="intermediate")
    with clinic.db.begin() as tx:
        tx.run(update(plan_versions).where(plan_versions.c.version == kept.version).values(content=content))
    clinic.db.plans.clear()
    live(clinic, person, "done 2/1, done 2/1")
    look(person)
    browser, path = Browser(clinic).sign_in(), f"/patients/{person.invitation.ref}"

    def agreed() -> tuple[str, str]:
        document = history(person)[-1].document
        assert document.flare_plan is not None and "Your messages will show it. After 2 settled exercise days" in document.flare_plan
        return document.stage, document.flare_plan.partition(". ")[0][-1]

    def lower(ceiling: str, **more: str) -> None:
        browser.get(f"{path}/prescription")
        browser.post(f"{path}/prescription", {**editor(browser), "own-pain_ceiling": ceiling, **more}, step="save", reason="sore")
        assert browser.status == 200, browser.words

    lower("4")
    assert agreed() == ("intermediate", "4")
    for decided, stage in (("step_back", "early"), ("step_up", "intermediate")):
        browser.get(path)
        browser.post(f"{path}/decision", decision=decided, reason="sore", despite="seen today", shown=browser.hidden("shown"))
        assert (browser.status, agreed()) == (200, (stage, "4"))
    lower("3", **{"own-session_pain.green_max": "2"})
    assert (browser.status, agreed()) == (200, ("intermediate", "3"))
    a_day_on(clinic)
    browser.get(f"{path}/prescription")
    told = len(person.texts)
    browser.post(f"{path}/prescription", moving(browser), step="save", reason="clearer words")
    a_day_on(clinic)
    (news,) = [text for text in person.texts[told:] if "has changed the advice in it" in text]
    assert f"The advice for days with more pain is now: {history(person)[-1].document.flare_plan}" in news and "your exercises" not in news


def test_a_step_back_that_the_signed_words_cannot_follow_is_refused_with_the_remedy(clinic: RunningClinic) -> None:
    clinic.plan = released().model_copy(update={"flare_plan": "Other words, above 5."})
    person = clinic.in_care("Jo Park", stage="intermediate")
    live(clinic, person, "done 2/1")
    set_numbers(clinic.db, clinic.admin, clinic.plan, {"pain_ceiling": 4}, clinic.physio.id, clinic.clock.now())
    browser, path = Browser(clinic).sign_in(), f"/patients/{person.invitation.ref}"
    browser.get(path)
    browser.post(f"{path}/decision", decision="step_back", reason="sore", shown=browser.hidden("shown"))
    assert browser.status == 409 and "leave it unsigned" in browser.words and "Change its days" not in browser.words


def days_on(person: Person, days: int) -> None:
    for _ in range(days):
        a_day_on(person.clinic)


def editor(browser: Browser) -> dict[str, str]:
    """What the form of the prescription itself posts: not the button beside it that moves the patient."""
    return {name: text for name, text in fields_of_editor(browser.page).items() if name != "version"}


def moving(browser: Browser) -> dict[str, str]:
    """What the button that moves the patient, or that carries the move out, posts."""
    return {name: browser.hidden(name) for name in ("shown", "based_on", "version")}
