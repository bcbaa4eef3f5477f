"""Decisions from the page: carried out once, refused when the page is out of date, and nothing typed is ever lost."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from bot_service.actions.clinic_settings import set_quiet
from bot_service.storage import audit, cases, entries, episodes, reviews, tables
from bot_service.storage.cases import Case
from tests.running_clinic import Person, RunningClinic
from tests.web.lives import Browser, a_member, a_minute_on, another_clinic, live, look, say

READY = "done 2/1, " * 14 + "done 2/1"


@pytest.fixture
def ready(sqlite_clinic: RunningClinic) -> Person:
    """Fifteen good days: a step is proposed."""
    person = sqlite_clinic.in_care("Jo Park")
    live(sqlite_clinic, person, READY)
    look(person)
    return person


def path_of(person: Person) -> str:
    return f"/patients/{person.invitation.ref}"


def open_page(person: Person) -> Browser:
    browser = Browser(person.clinic).sign_in()
    browser.get(path_of(person))
    return browser


def decide(browser: Browser, person: Person, decision: str, **more: str) -> None:
    fields = {"decision": decision, "proposal": browser.hidden("proposal"), "shown": browser.hidden("shown"), "reason": "settled well"}
    browser.post(f"{path_of(person)}/decision", fields | more)


def open_cases(person: Person) -> list[Case]:
    with person.clinic.db.read() as tx:
        return cases.list_open(tx, person.episode())


def test_approving_moves_the_stage_and_tells_the_patient_in_half_a_minute(ready: Person) -> None:
    browser = open_page(ready)
    assert "Approve: move to Intermediate Plan" in browser.words
    decide(browser, ready, "approve")
    assert browser.status == 200
    assert "Approved. The patient is told" in browser.words
    assert ready.episode().stage == "intermediate"
    assert "The patient hears of it at 19:00:30. Undo" in browser.words
    assert not any("moved you on" in text for text in ready.texts)
    a_minute_on(ready.clinic)
    assert any("moved you on to the Intermediate Plan" in text for text in ready.texts)
    assert "settled well" in browser.words
    assert 'name="proposal"' not in browser.page


def test_a_page_that_is_out_of_date_is_refused_and_keeps_what_was_typed(ready: Person) -> None:
    browser = open_page(ready)
    with ready.clinic.db.begin() as tx:
        old = next(entry for entry in reversed(entries.list_current(tx, ready.episode())) if entry.kind == "pain_during")
        entries.add(tx, ready.episode(), ready.clinic.clock.now(), kind="pain_during", day=old.day, slot=1, score=3, supersedes_id=old.id)
    look(ready)
    decide(browser, ready, "approve", reason="looks <good> & steady")
    assert browser.status == 409
    assert "the patient's record has changed; look at the page again" in browser.words
    assert "looks &lt;good&gt; &amp; steady</textarea>" in browser.page
    assert ready.episode().stage == "early"
    decide(browser, ready, "approve")  # the page that came back is up to date
    assert ready.episode().stage == "intermediate"


@pytest.mark.parametrize("shown", ["", "x", "99", "-1", "٣"])
def test_a_form_without_the_evidence_version_it_showed_is_refused(ready: Person, shown: str) -> None:
    browser = open_page(ready)
    decide(browser, ready, "approve", shown=shown)
    assert browser.status == 409
    assert ready.episode().stage == "early"


def test_what_is_decided_once_cannot_be_decided_again(ready: Person) -> None:
    first, second = open_page(ready), open_page(ready)
    decide(first, ready, "approve")
    decide(second, ready, "hold")
    assert second.status == 409
    assert ready.episode().stage == "intermediate"


def test_a_hold_lasts_until_the_day_that_was_named(ready: Person) -> None:
    browser = open_page(ready)
    until = (ready.clinic.clock.now() + timedelta(days=10)).date()
    decide(browser, ready, "hold", until=until.isoformat(), reason="running test first")
    assert "Held. The patient is told" in browser.words
    with ready.clinic.db.read() as tx:
        assert [(each.status, each.hold_until, each.reason) for each in reviews.list_proposals(tx, ready.episode())] == [
            ("held", until, "running test first")
        ]
    a_minute_on(ready.clinic)
    assert "keep to your present exercises" in ready.texts[-1]


def test_a_patient_for_whom_nothing_is_proposed_can_be_held_and_released(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    live(sqlite_clinic, person, "done 2/1, " * 13 + "done 2/1")
    browser = open_page(person)
    assert 'value="hold"' in browser.page and "Release the hold" not in browser.words
    until = (sqlite_clinic.clock.now() + timedelta(days=10)).date()
    browser.post(f"{path_of(person)}/decision", decision="hold", until=until.isoformat(), reason="race on Sunday")
    assert "Next step held until Thu 15 Oct. Why: race on Sunday, by Anna Reed." in browser.words.partition("Needs a look")[0]
    assert "Held until Thu 15 Oct, by Anna Reed: race on Sunday" in browser.words.partition("Decisions so far")[2]
    live(sqlite_clinic, person, READY)
    look(person)
    browser.get(path_of(person))
    assert "Approve" not in browser.words
    browser.post(f"{path_of(person)}/release")
    assert "Released. A step is proposed again" in browser.words and "Approve: move to Intermediate Plan" in browser.words
    assert "Held until Thu 15 Oct, released since, by Anna Reed: race on Sunday" in browser.words
    browser.post(f"{path_of(person)}/release")
    assert browser.status == 409 and "Nothing is held for this patient." in browser.words


def test_a_step_back_that_nobody_proposed_is_among_the_decisions(ready: Person) -> None:
    browser = open_page(ready)
    decide(browser, ready, "approve")
    ready.clinic.clock.move_to(ready.clinic.clock.now() + timedelta(hours=1))
    browser.post(f"{path_of(ready)}/decision", decision="step_back", reason="flared at work")
    assert re.search(
        r"Stepped back, by Anna Reed: flared at work .* Approved “Early stage complete”, by Anna Reed",
        browser.words.partition("Decisions so far (2)")[2],
    )


def test_a_step_back_closes_the_pain_cases_that_it_answers_if_asked_to(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park", stage="intermediate")
    live(sqlite_clinic, person, "done 2/1, -, done 7/6")
    say(person, "tell my physio I am fine")
    look(person)
    browser = open_page(person)
    pain = {f"close-{case.id}": "yes" for case in open_cases(person) if case.rule in ("A3", "B3")}
    message = next(case for case in open_cases(person) if case.rule == "X3")
    assert len(pain) == 2 and all(f'name="{name}"' in browser.page for name in pain) and f'name="close-{message.id}"' not in browser.page
    browser.post(f"{path_of(person)}/decision", pain, decision="hold", reason="sore")
    assert {case.rule for case in open_cases(person)} == {"A3", "B3", "X3"}
    also = {f"close-{message.id}": "yes"}
    browser.post(f"{path_of(person)}/decision", pain | also, decision="step_back", reason="two sore days")
    assert [case.rule for case in open_cases(person)] == ["X3"] and person.episode().stage == "early"
    assert "two sore days" in browser.words.partition("Closed before (2)")[2]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"reason": "  "}, "Write a short reason"),
        ({"reason": "x" * 1001}, "longer than 1000 characters"),
        ({"decision": "hold", "until": "next week"}, "year-month-day"),
        ({"decision": "dance"}, "Choose approve, hold or step back."),
    ],
    ids=["no reason", "long reason", "odd date", "odd decision"],
)
def test_what_does_not_fit_is_explained_and_changes_nothing(ready: Person, fields: dict[str, str], sentence: str) -> None:
    browser = open_page(ready)
    decide(browser, ready, **({"decision": "approve"} | fields))
    assert browser.status == 422
    assert sentence in browser.words
    with ready.clinic.db.read() as tx:
        assert reviews.find_pending(tx, ready.episode()) is not None


def test_nobody_else_decides(ready: Person) -> None:
    open_page(ready)
    for member, status in ((a_member(ready.clinic, "viewer", "v@example.org"), 403), (another_clinic(ready.clinic), 404)):
        browser = Browser(ready.clinic).sign_in(member)
        browser.post(f"{path_of(ready)}/decision", decision="step_back", reason="x")
        assert browser.status == status
    assert ready.episode().stage == "early"


def test_a_step_back_after_approval_returns_to_the_stage_before(ready: Person) -> None:
    browser = open_page(ready)
    decide(browser, ready, "approve")
    assert "Step back to Early Plan" in browser.words
    browser.post(f"{path_of(ready)}/decision", decision="step_back", reason="flared")
    assert ready.episode().stage == "early"
    assert "Stepped back." in browser.words
    assert "Step back" not in browser.words.partition("Stepped back.")[2].partition("Pain")[0]


def test_a_red_flag_says_what_closing_it_does_and_closing_lets_prompts_go_on(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    say(person, "I cannot feel my legs")
    browser = open_page(person)
    assert "On hold after a red flag" in browser.words
    assert "I cannot feel my legs" in browser.words
    assert "Closing a red flag lets exercise prompts go on" in browser.words
    case = open_cases(person)[0]
    browser.post(f"{path_of(person)}/cases/{case.id}/acknowledge")
    assert "Being looked after" in browser.words and "Seen by Anna Reed" in browser.words
    browser.post(f"{path_of(person)}/cases/{case.id}/note", words="rang, <b>no answer</b>")
    assert "Note by Anna Reed, Mon 21 Sep, 10:00: rang, <b>no answer</b>" in browser.words
    browser.post(f"{path_of(person)}/cases/{case.id}/note", words=" ")
    assert browser.status == 409 and "Write something first." in browser.words
    browser.post(f"{path_of(person)}/cases/{case.id}/close", reason="")
    assert browser.status == 422
    browser.post(f"{path_of(person)}/cases/{case.id}/close", reason="y" * 1001)
    assert browser.status == 422 and "y" * 1001 in browser.page
    shown = browser.hidden("shown")
    say(person, "and now my foot drops too")
    browser.post(f"{path_of(person)}/cases/{case.id}/close", reason="seen at A&E, all clear", shown=shown)
    assert browser.status == 409 and "written since" in browser.words and open_cases(person)
    browser.get(path_of(person))
    browser.post(f"{path_of(person)}/cases/{case.id}/close", reason="seen at A&E, all clear", shown=browser.hidden("shown"))
    assert open_cases(person) == []
    assert "On hold" not in browser.words.partition("Closed before")[0]
    assert "seen at A&E, all clear" in browser.words
    assert "start again on your next exercise day" in person.texts[-1]
    browser.post(f"{path_of(person)}/cases/{case.id}/close", reason="again")
    assert browser.status == 409


def test_unknown_cases_and_ids_that_are_none_are_refused(ready: Person) -> None:
    browser = open_page(ready)
    for case in ("11111111-1111-4111-8111-111111111111", "no-id"):
        browser.post(f"{path_of(ready)}/cases/{case}/close", reason="x")
        assert browser.status == 409
    browser.get(path_of(ready))
    decide(browser, ready, "approve", proposal="no-id")
    assert browser.status == 409
    assert ready.episode().stage == "early"


def test_pausing_and_resuming(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    browser = open_page(person)
    today = sqlite_clinic.clock.now().date()
    browser.post(f"{path_of(person)}/pause", until=today.isoformat(), reason="holiday")
    assert browser.status == 409 and "must lie ahead" in browser.words and "holiday</textarea>" in browser.page
    until = today + timedelta(days=9)
    browser.post(f"{path_of(person)}/pause", until=until.isoformat(), reason="holiday")
    assert "Paused until Wed 30 Sep. Why: holiday, by Anna Reed." in browser.words
    browser.post(f"{path_of(person)}/resume")
    assert "Resumed. The patient is told." in browser.words
    browser.post(f"{path_of(person)}/resume")
    assert browser.status == 409 and "Nothing is paused for this patient." in browser.words


def test_writing_to_a_patient(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    browser = open_page(person)
    assert "<textarea" not in browser.page.partition('id="care-title"')[2].partition('id="notes-title"')[0].partition("Write to")[2]
    browser.get(f"{path_of(person)}/message")
    assert "It is not watched live" in browser.words and "On simulated phone a message can arrive at any time." in browser.words
    assert browser.page.count("<form") == 2, "the message and signing out: no other form can lose a draft"
    browser.post(f"{path_of(person)}/message", words="Well done.\r\nSee you Tuesday <3")
    assert "Your message is on its way." in browser.words and "The message has not gone out yet. It goes at 10:00:30." in browser.words
    a_minute_on(sqlite_clinic)
    assert "Well done.\nSee you Tuesday <3" in person.texts[-1]
    browser.post(f"{path_of(person)}/message", words="  ")
    assert browser.status == 409 and "Write something first." in browser.words
    browser.post(f"{path_of(person)}/message", words="z" * 1501)
    assert browser.status == 422 and "z" * 1501 in browser.page
    say(person, "stop")
    browser.post(f"{path_of(person)}/message", words="are you there?")
    assert browser.status == 409 and "get in touch another way" in browser.words and "are you there?" in browser.page
    assert "are you there?" not in person.texts[-1]
    browser.get(f"{path_of(person)}/message")
    assert "Pause or write" in browser.words, "nobody can write: back on the patient's page"


def test_the_message_page_says_whether_whatsapps_window_is_open_and_when_quiet_hours_end(sqlite_clinic: RunningClinic) -> None:
    person, clock = sqlite_clinic.in_care("Jo Park"), sqlite_clinic.clock
    say(person, "hello")
    with sqlite_clinic.db.begin() as tx:
        tx.run(tables.senders.update().values(channel="whatsapp"))
    browser = Browser(sqlite_clinic).sign_in()
    browser.get(f"{path_of(person)}/message")
    assert "WhatsApp's window for free messages is open until Tue 22 Sep, 09:50." in browser.words
    clock.move_to(clock.now() + timedelta(hours=36))  # 22:00
    browser.get(f"{path_of(person)}/message")
    assert "window for free messages is closed: the patient gets a neutral message" in browser.words
    assert "The patient has quiet hours now: it goes out on Wed 23 Sep, 08:00." in browser.words
    browser.post(f"{path_of(person)}/message", words="Well done")
    assert "It goes on Wed 23 Sep, 08:00, London time." in browser.words, "and can be taken back all night"


def test_the_clinics_own_quiet_hours_count_on_the_message_page_and_for_what_waits(sqlite_clinic: RunningClinic) -> None:
    person, clock = sqlite_clinic.in_care("Jo Park"), sqlite_clinic.clock
    set_quiet(sqlite_clinic.db, a_member(sqlite_clinic, "admin", "admin@example.org"), "18:00", "09:30", clock.now())
    clock.move_to(clock.now().replace(hour=19, minute=0))
    browser = Browser(sqlite_clinic).sign_in()
    browser.get(f"{path_of(person)}/message")
    assert "The patient has quiet hours now: it goes out on Tue 22 Sep, 09:30." in browser.words
    browser.post(f"{path_of(person)}/message", words="Well done")
    assert "It goes on Tue 22 Sep, 09:30, London time." in browser.words


def test_a_message_taken_back_is_a_draft_again(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    browser = open_page(person)
    browser.post(f"{path_of(person)}/message", words="See you <Tuesday>")
    browser.post(f"{path_of(person)}/undo", message=browser.hidden("message"))
    assert "Taken back. Nothing was sent" in browser.words and "See you &lt;Tuesday&gt;</textarea>" in browser.page
    a_minute_on(sqlite_clinic)
    assert not any("Tuesday" in text for text in person.texts)


def test_undo_puts_the_plan_back_until_the_patient_was_told(ready: Person) -> None:
    browser = open_page(ready)
    decide(browser, ready, "approve", **{"tick-0": "yes"})
    assert "own checks" not in browser.words.partition("Needs a look")[0]
    browser.post(f"{path_of(ready)}/undo", decided=browser.hidden("decided"))
    assert "Undone. Nothing of it went to the patient" in browser.words and ready.episode().stage == "early"
    assert "Early stage complete" in browser.words and "Approve: move to Intermediate Plan" in browser.words
    told = browser.words.partition("Decisions so far (1)")[2]
    assert re.search(
        r"Approved “Early stage complete”, by Anna Reed: settled well Ticked: Sitting .* Undone Tue 6 Oct, 19:00 by Anna Reed", told
    )
    decide(browser, ready, "approve")
    decided = browser.hidden("decided")
    a_minute_on(ready.clinic)
    browser.post(f"{path_of(ready)}/undo", decided=decided)
    assert browser.status == 409 and "It is too late to undo this: the patient has been told" in browser.words
    assert ready.episode().stage == "intermediate"


def test_the_physios_own_checks_are_kept_with_the_decision_ticked_or_not(ready: Person) -> None:
    browser = open_page(ready)
    assert re.search(r'type="checkbox" form="decision" name="tick-0"[^>]*> (?:<span>)?Sitting and everyday bending', browser.page)
    decide(browser, ready, "approve", reason="", **{"tick-0": "yes"})
    assert re.search(r'name="tick-0" value="yes" checked', browser.page), "a refused form keeps its ticks"
    decide(browser, ready, "approve")
    told = "one of your own checks was not ticked, which the record keeps: Sitting and everyday bending"
    assert told in browser.words.partition("Approved.")[2].partition("Needs a look")[0] and ready.episode().stage == "intermediate"
    assert "Not ticked: Sitting and everyday bending are more comfortable than at the start." in browser.words
    browser.get(f"{path_of(ready)}/summary")
    assert "by Anna Reed. Not ticked: Sitting and everyday bending" in browser.words


@pytest.mark.parametrize("what", ["hold", "step_back"])
def test_checks_for_a_step_up_are_not_missing_from_any_other_decision(ready: Person, what: str) -> None:
    browser = open_page(ready)
    decide(browser, ready, "approve", **{"tick-0": "yes"})
    a_minute_on(ready.clinic)
    browser.post(f"{path_of(ready)}/decision", decision=what, reason="flared at work", until="2026-10-20")
    assert "Not ticked" not in browser.words
    browser.get(f"{path_of(ready)}/summary")
    assert "Last decision: " in browser.words and "Not ticked" not in browser.words


def test_a_step_up_while_pain_is_high_is_shown_first_and_wants_a_reason_of_its_own(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    live(sqlite_clinic, person, "done 2/1, done 4/2, done 7/6")
    look(person)
    browser = open_page(person)
    posted = {"decision": "step_up", "reason": "feels ready", "shown": browser.hidden("shown"), "tick-0": "yes"}
    browser.post(f"{path_of(person)}/decision", posted)
    assert "Look again before you go on" in browser.words and person.episode().stage == "early"
    assert "Session pain above 3, this step's limit (the ceiling is 5): 4 on 23 Sep and 7 on 24 Sep." in browser.words
    assert "Pain 24 hours later above 3, or not settled (usual pain 2): 6 on 24 Sep." in browser.words
    assert browser.page.index("Go back</button>") < browser.page.index("Step up all the same</button>")
    browser.post(f"{path_of(person)}/decision", posted, back="1")
    assert "feels ready</textarea>" in browser.page and re.search(r'name="tick-0" value="yes" checked', browser.page)
    browser.post(f"{path_of(person)}/decision", posted, again="1", despite=" ")
    assert browser.status == 422 and "Say why you go on all the same" in browser.words and person.episode().stage == "early"
    browser.post(f"{path_of(person)}/decision", posted, again="1", despite="lifted furniture once")
    assert person.episode().stage == "intermediate"
    assert "feels ready All the same, because: lifted furniture once Shown before:" in browser.words
    assert "4 on 23 Sep and 7 on 24 Sep" in browser.words


def test_nobody_steps_up_over_a_red_flag(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    say(person, "I cannot feel my legs")
    browser = open_page(person)
    assert "Step up to" not in browser.words
    browser.post(f"{path_of(person)}/decision", decision="step_up", reason="x", despite="y", shown=browser.hidden("shown"))
    assert browser.status == 409 and "clear the red flag" in browser.words and person.episode().stage == "early"


def test_a_closed_case_is_opened_again_and_a_red_flag_holds_prompts_again(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    say(person, "I cannot feel my legs")
    browser, case = open_page(person), open_cases(person)[0]
    browser.post(f"{path_of(person)}/cases/{case.id}/close", reason="seen in clinic", shown=browser.hidden("shown"))
    assert open_cases(person) == []
    browser.post(f"{path_of(person)}/cases/{case.id}/reopen", reason="it is back")
    assert [each.id for each in open_cases(person)] == [case.id] and "Opened again by Anna Reed" in browser.words
    assert "On hold after a red flag" in browser.words
    browser.post(f"{path_of(person)}/cases/{case.id}/reopen", reason="again")
    assert browser.status == 409 and "open already" in browser.words


def test_every_decision_is_in_the_audit_trail(ready: Person) -> None:
    browser = open_page(ready)
    decide(browser, ready, "approve")
    browser.post(f"{path_of(ready)}/pause", reason="holiday")
    with ready.clinic.db.read() as tx:
        assert audit.verify(tx) is None
        whole = episodes.load(tx, ready.invitation.episode_id)
    assert whole.stage == "intermediate"
    assert re.search(r"Approved “Early stage complete”, by Anna Reed: settled well", browser.words)


def test_running_is_opened_and_closed_on_the_page_with_the_word_about_a_physiotherapist(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park", stage="advanced")
    browser = open_page(person)
    assert "Return to sport needs a physiotherapist" in browser.words and "Nothing about running is sent" in browser.words
    browser.post(f"{path_of(person)}/run", run="open", first="1", last="", reason="walks well")
    assert browser.status == 422 and "Choose the first and the last step" in browser.words
    browser.post(f"{path_of(person)}/run", run="open", first="4", last="2", reason="walks well")
    assert browser.status == 409 and "open a range of them" in browser.words
    browser.post(f"{path_of(person)}/run", run="open", first="1", last="4", reason="walks well")
    assert browser.status == 200 and "Open: steps 1 to 4. Now at step 1: A brisk walk" in browser.words
    browser.post(f"{path_of(person)}/run", run="close", reason="race is over")
    assert "Running is closed. The patient is told." in browser.words and "Nothing about running is sent" in browser.words


def test_who_may_not_decide_gets_no_form_for_running(sqlite_clinic: RunningClinic) -> None:
    person = sqlite_clinic.in_care("Jo Park", stage="advanced")
    browser = Browser(sqlite_clinic).sign_in(a_member(sqlite_clinic, "lead", "lead@riverside.example"))
    browser.get(path_of(person))
    assert "Return to running" in browser.words and 'name="first"' not in browser.page


@pytest.mark.parametrize("reason", ["x", "ok", "seen", "all fine ."])
def test_a_red_flag_is_not_cleared_by_a_reason_that_says_nothing(sqlite_clinic: RunningClinic, reason: str) -> None:
    person = sqlite_clinic.in_care("Jo Park")
    say(person, "I cannot feel my legs")
    browser, case, told = open_page(person), open_cases(person)[0], len(person.texts)
    browser.post(f"{path_of(person)}/cases/{case.id}/close", shown=browser.hidden("shown"), reason=reason)
    assert browser.status == 422 and "Say in a few words what was done before you clear the red flag" in browser.words
    assert reason in browser.page and [each.id for each in open_cases(person)] == [case.id] and len(person.texts) == told
