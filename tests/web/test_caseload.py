"""The caseload: who stands where and why, what can be searched, and figures that agree with the whole record."""

from __future__ import annotations

import random
import re
from collections import Counter
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qsl, quote
from uuid import UUID

import pytest

from bot_service.actions.deciding import Decision
from bot_service.actions.histories import load_record
from bot_service.actions.review import acknowledge_case, pause
from bot_service.clinical.adherence import adherence, reply_rate
from bot_service.storage import caseload, cases, episodes, outbox, tables
from bot_service.storage.database import Tx
from bot_service.web.listing import GROUPS
from bot_service.web.recent import DAYS, recent_figures
from tests.drawn_clinic import DrawnClinic
from tests.listed import standings
from tests.notice_clinic import EMERGENCY
from tests.running_clinic import RunningClinic
from tests.web.lives import Browser, a_day_on, a_member, another_clinic, live, look, say

READY = "done 2/1, " * 14 + "done 2/1"


def names(page: str) -> list[str]:
    return re.findall(r'<a href="/patients/P\w+">([^<]+)</a>', page)


def test_those_who_need_somebody_come_first_with_the_reason_in_words(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    people = {name: clinic.in_care(name) for name in ("Ontrack", "Paused", "Lowdone", "Silent", "Stepping", "Flared", "Redflag")}
    clinic.enrol("Invited")
    days = {
        "Ontrack": "done 4/1, " * 14 + "done 4/1",
        "Paused": "done 4/1, " * 14 + "done 4/1",
        "Lowdone": "no, no, done 3/1, no, no, no, " * 2 + "no, no, done 3/1",
        "Silent": "done 4/2, done 4/2, " + "missed, " * 12 + "missed",
        "Stepping": READY,
        "Flared": "done 2/1, " * 12 + "done 6/5, done 8/6, done 3/1",
    }
    for name, text in days.items():
        live(clinic, people[name], text)
    look(*(people[name] for name in days))
    with clinic.db.begin() as tx:
        red = episodes.load(tx, people["Redflag"].invitation.episode_id)
        raised = cases.Raised("D1", "D1", "now", "Emergency wording. Read it now.", {"occurred": "2026-10-06"}, words="numb")
        cases.raise_case(tx, clinic.clock.now(), red, raised, clinic.clock.now())
    pause(clinic.db, Decision(clinic.physio, people["Paused"].invitation.episode_id, "holiday"), None, clinic.clock.now())

    browser = Browser(clinic).sign_in()
    assert names(browser.page) == ["Redflag", "Flared", "Stepping", "Silent", "Lowdone", "Invited", "Ontrack", "Paused"]
    words = browser.words
    assert "1 patient needs you today; 1 is ready for a step; 3 can wait for a later day." in words
    assert "Emergency wording. Read it now." in words
    assert "Pain 8/10" in words
    assert "moving to Intermediate Plan can be considered, your decision." in words
    assert "No reply since" in words
    assert "Invited, chat not opened yet." in words
    assert "Paused until resumed." in words


def test_it_says_so_when_nothing_needs_doing(browser: Browser) -> None:
    assert "Nothing needs you today." in browser.words
    assert "There are no patients yet. Enrol the first" in browser.words and '<a href="/enrol">' in browser.page
    browser.clinic.in_care("Jo Park")
    browser.get("/")
    assert "Nothing needs you today." in browser.words
    assert "On track" in browser.words


def test_a_case_that_somebody_looks_after_stands_behind_one_that_nobody_does(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    both = [clinic.in_care(name) for name in ("Alpha", "Beta")]
    for person in both:
        live(clinic, person, "done 2/1, done 8/2, done 3/1")
    look(*both)
    browser = Browser(clinic).sign_in()
    assert names(browser.page) == ["Alpha", "Beta"]
    with clinic.db.read() as tx:
        alpha = both[0].invitation.episode_id
        case = caseload.list_open_cases(tx, [alpha])[alpha][0]
    acknowledge_case(clinic.db, Decision(clinic.physio, alpha, ""), case.id, clinic.clock.now())
    browser.get("/")
    assert names(browser.page) == ["Beta", "Alpha"]
    assert "Being looked after</span> " in browser.page, "the sentence behind it does not stick to it"


def test_a_name_or_a_reference_finds_a_patient_and_filters_count(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    ref = clinic.in_care("Zoë Álvarez-Nkemelu").invitation.ref
    clinic.in_care("Tom Whitcombe")
    browser = Browser(clinic).sign_in()
    assert names(browser.get("/?q=zoe")) == ["Zoë Álvarez-Nkemelu"]
    assert names(browser.get("/?q=alv zo")) == ["Zoë Álvarez-Nkemelu"] and names(browser.get("/?q=zoe whitcombe")) == []
    assert names(browser.get(f"/?q={ref.lower()}")) == ["Zoë Álvarez-Nkemelu"]
    assert names(browser.get("/?q=nobody")) == []
    assert "No patient fits." in browser.words and "Nothing needs you today." not in browser.words
    with clinic.db.begin() as tx:
        tx.run(tables.name_tokens.delete())  # as if an earlier version had kept other words
    clinic.service.recover()
    assert names(browser.get("/?q=nkem")) == ["Zoë Álvarez-Nkemelu"]
    assert len(names(browser.get("/?q=P"))) == 2, "by any part of a reference"
    for unmeant in ("%", "_", "P%", f"{ref[:-1]}_", "/", "//"):
        assert names(browser.get(f"/?q={quote(unmeant)}")) == [], unmeant
    assert len(names(browser.get("/?show=track"))) == 2
    odd_ones = ("?show=<b>", "?page=-3", "?page=99999999999", "?whose=%00", "?q=%F0%9F%98%80%20%20", "?q=a%00%25_", "?page=٣")
    for odd in (*odd_ones, "?physio=%00&stage=early%00&side=up"):
        browser.get("/" + odd)
        assert browser.status == 200


def groups(page: str) -> dict[str, tuple[int, str]]:
    """Label to count and link of each group."""
    found = re.findall(r'<a href="([^"]+)"[^>]*>([^<]+) <span class="number">(\d+)</span></a>', page)
    return {label: (int(count), unescape(link)) for link, label, count in found}


def test_every_group_is_a_link_with_its_count_that_shows_exactly_them(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    DrawnClinic(clinic, seed=8).write(120)
    browser = Browser(clinic).sign_in()
    browser.get("/?whose=all&stage=early")
    offered = groups(browser.page)
    assert list(offered) == [label for label, _ in GROUPS.values()]
    assert offered["Everybody"][0] == sum(count for label, (count, _) in offered.items() if label not in ("Everybody", "Needs somebody"))
    for label, (count, link) in offered.items():
        browser.get(link)
        assert len(refs(browser.page)) == min(count, 50) and groups(browser.page) == offered, label
        assert re.search(r'aria-current="true"[^>]*>([^<]+) <', browser.page)[1] == label  # type: ignore[index]  # there is one
        shown = set(re.findall(r'<tr class="need-(\w+)">', browser.page))
        assert shown <= {need.name.lower() for need in GROUPS[dict(parse_qsl(link)).get("show", "all")][1]}, label


def test_filters_words_and_group_stay_in_the_address_from_page_to_page(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    DrawnClinic(clinic, seed=8).write(300)
    browser = Browser(clinic).sign_in()
    path, seen = "/?whose=all&show=needs&q=D0&side=left", []
    for number in range(1, 9):
        browser.get(path)
        seen += refs(browser.page)
        following = re.search(r'<a href="([^"]+)" rel="next">', browser.page)
        if following is None:
            break
        path = unescape(following[1])
        assert dict(parse_qsl(path[2:])) == {"whose": "all", "show": "needs", "q": "D0", "side": "left", "page": str(number + 1)}
        assert '<option value="left" selected>' in browser.page and 'name="show" value="needs"' in browser.page
    count = groups(browser.page)["Needs somebody"][0]
    assert number > 1
    assert len(seen) == len(set(seen)) == count and number == 1 + (count - 1) // 50
    assert refs(browser.get(f"{path}9")) == refs(browser.get(path)), "there is no such page: the last one"
    assert "Only those who fit D0 , Left." in browser.words


def test_an_empty_list_says_that_nothing_needs_doing_or_that_nobody_fits(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    clinic.in_care("Jo Park")
    browser = Browser(clinic).sign_in()
    for path, words in {
        "/?show=needs": "Nothing needs doing: nobody is in this group. Show everybody",
        "/?show=red": "Nothing needs doing: nobody is in this group.",
        "/?show=away": "Nobody is in this group. Show everybody",
        "/?q=xyzzy": "No patient fits. Show everybody",
        "/?stage=advanced": "No patient fits.",
    }.items():
        browser.get(path)
        assert words in browser.words, path
    alone = Browser(clinic).sign_in(a_member(clinic, "physio", "new@example.org"))
    assert "Nothing needs doing: you have no patients in care. Show the team's" in (alone.get("/?whose=mine"), alone.words)[1]
    with clinic.db.begin() as tx:
        episode = episodes.load(tx, load_first(tx, clinic))
        episodes.end(tx, clinic.clock.now(), episode, "finished", "better")
    assert "Nothing needs doing: nobody is in care." in (browser.get("/?whose=team"), browser.words)[1]
    assert names(browser.get("/?whose=all")) == ["Jo Park"]


def refs(page: str) -> list[str]:
    return re.findall(r'<a href="/patients/(\w+)">', page)


def load_first(tx: Tx, clinic: RunningClinic) -> UUID:
    return standings(tx, clinic.clinic.id, clinic.clock.now()).episodes[0]


def test_a_physio_sees_own_patients_first_and_the_clinic_on_request_but_no_other_clinic(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    clinic.in_care("Mine")
    colleague = a_member(clinic, "physio", "colleague@example.org")
    clinic.physio, own = colleague, clinic.physio
    clinic.in_care("Theirs")
    clinic.physio = own
    other = another_clinic(clinic)
    browser = Browser(clinic).sign_in()
    assert names(browser.page) == ["Mine"]
    assert names(browser.get("/?whose=team")) == ["Mine", "Theirs"]
    assert names(browser.sign_in(other).page) == []
    theirs = clinic.in_care("Theirs Too").invitation.ref
    for search in ("theirs", theirs, "t", "P", "%"):
        assert names(browser.get(f"/?whose=all&q={quote(search)}")) == [], search


def test_a_red_flag_of_a_colleagues_patient_is_in_everybodys_list(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    clinic.in_care("Mine")
    theirs, quiet = clinic.in_care("Theirs"), clinic.in_care("Quiet")
    with clinic.db.begin() as tx:
        for person in (theirs, quiet):
            episodes.change(tx, person.invitation.episode_id, physio_id=clinic.admin.id)
        raised = cases.Raised("D1", "D1", "now", "Emergency wording. Read it now.", {"occurred": "2026-10-06"}, words="numb")
        cases.raise_case(tx, clinic.clock.now(), theirs.episode(), raised, clinic.clock.now())
    assert names(Browser(clinic).sign_in().page) == ["Theirs", "Mine"]


def test_within_a_group_the_longest_overdue_comes_first_then_what_is_due_first_whatever_the_rule(sqlite_clinic: RunningClinic) -> None:
    clinic, now = sqlite_clinic, sqlite_clinic.clock.now()
    found = {  # hours until it is due, by which rule, and how urgent
        "Tomorrow": (24, "A3", "same_day"), "Overdue3": (-72, "D7", "three_days"), "Friday": (96, "A3", "same_day"),
        "Overdue1": (-24, "B3", "three_days"),
    }  # fmt: skip
    people = {name: clinic.in_care(name) for name in found}
    with clinic.db.begin() as tx:
        for name, (hours, rule, urgency) in found.items():
            episode = episodes.load(tx, people[name].invitation.episode_id)
            raised = cases.Raised(rule, rule, urgency, "Look.", {"occurred": "2026-09-20"})
            cases.raise_case(tx, now, episode, raised, now + timedelta(hours=hours))
    assert names(Browser(clinic).sign_in().get("/?show=review")) == ["Overdue3", "Overdue1", "Tomorrow", "Friday"]


def test_what_is_overdue_and_nobody_looks_after_stands_before_all_but_red_flags_that_somebody_looks_after(
    sqlite_clinic: RunningClinic,
) -> None:
    clinic, now = sqlite_clinic, sqlite_clinic.clock.now()
    found = {  # hours until it is due, by which rule on which case, how urgent, and whether somebody looks after it
        "Untaken": (24, "A3", "A3", "same_day", False), "Taken": (-72, "B3", "B3", "three_days", True),
        "Red": (-9, "D1", "D1", "now", True),
        "Forgotten": (-24, "D4", "engagement", "routine", False), "Adherence": (24, "D4", "engagement", "routine", False),
    }  # fmt: skip
    people = {name: clinic.in_care(name) for name in [*found, "Both"]}
    with clinic.db.begin() as tx:
        for name, (hours, rule, key, urgency, taken) in {**found, "Both": found["Taken"], "Both ": found["Forgotten"]}.items():
            episode = episodes.load(tx, people[name.strip()].invitation.episode_id)
            raised = cases.Raised(key, rule, urgency, "Look.", {"occurred": "2026-09-20"})
            case, _ = cases.raise_case(tx, now, episode, raised, now + timedelta(hours=hours))
            if taken:
                cases.acknowledge_case(tx, now, case, clinic.physio.name, clinic.physio.id)
    assert names(Browser(clinic).sign_in().page) == ["Red", "Untaken", "Both", "Forgotten", "Taken", "Adherence"]


def test_those_to_whom_exercises_did_not_go_out_can_be_listed(clinic: RunningClinic) -> None:
    lost, doubtful, before, sent = (clinic.in_care(name) for name in ("Lost", "Doubtful", "Longago", "Sent"))
    now = clinic.clock.now()
    with clinic.db.begin() as tx:
        for person, status, days in ((lost, "expired", 6), (doubtful, "in_doubt", 1), (before, "failed", 8), (sent, "delivered", 1)):
            for kind in ("prompt", "nudge"):
                at, episode = now - timedelta(days=days), episodes.load(tx, person.invitation.episode_id)
                outbox.queue(
                    tx, at, clinic_id=episode.clinic_id, patient_id=episode.patient_id, episode_id=episode.id, kind=kind,
                    key=f"{kind}:{episode.patient_id}:{days}", due_at=at, expires_at=at, content={},
                    status=status if kind == "prompt" else "failed", day=at.date(), slot=1, prescription_id=episode.prescription_id,
                )  # fmt: skip
    browser = Browser(clinic).sign_in()
    assert sorted(names(browser.get("/?unsent=week"))) == ["Doubtful", "Lost"]
    assert "Only those who fit Not sent by us, last 7 days." in browser.words and '<option value="week" selected>' in browser.page
    assert len(names(browser.get("/"))) == 4


def test_of_one_moment_newer_red_flag_words_stand_over_having_been_seen(sqlite_clinic: RunningClinic) -> None:
    clinic, now = sqlite_clinic, sqlite_clinic.clock.now()
    people = [clinic.in_care(f"Person {number}") for number in range(8)]
    with clinic.db.begin() as tx:
        for person in people:
            raised = cases.Raised("D1", "D1", "now", "Emergency wording.", {"occurred": "2026-09-20"}, words="numb")
            episode = episodes.load(tx, person.invitation.episode_id)
            cases.raise_case(tx, now, episode, raised, now)
            (case,) = cases.list_open(tx, episode)
            for what in ("seen_yes", "hit_again"):  # their ids are random: half of them sort the other way
                cases.record_event(tx, now, case.id, what, "patient")
        found = caseload.list_open_cases(tx, [person.invitation.episode_id for person in people])
    assert {case.says for open_cases in found.values() for case in open_cases} == {"hit_again"}


def test_a_red_flags_reason_says_whether_the_patient_was_seen_until_red_flag_words_come_again(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    person = clinic.in_care("Jo Park")
    browser = Browser(clinic).sign_in()

    def reason() -> str:
        browser.get("/")
        return unescape(re.findall(r'<span class="says">([^<]+)</span>', browser.page)[0])

    say(person, EMERGENCY)
    assert "Patient says" not in reason()
    a_day_on(clinic)
    say(person, "no")
    assert reason().endswith(" Patient says: has not been seen yet.")
    say(person, "yes, the hospital said all fine")
    assert reason().endswith(" Patient says: was seen.")
    say(person, EMERGENCY)
    assert "Patient says" not in reason()


@pytest.mark.parametrize("seed", range(4))
def test_the_figures_of_the_list_are_those_of_the_whole_record(sqlite_clinic: RunningClinic, seed: int) -> None:
    clinic, draw = sqlite_clinic, random.Random(seed)
    kinds = ["done 3/1", "done 7/5", "partly 4", "no", "missed", "unsent", "paused", "-", "done 2 + extra 6", "partly"]
    people = [clinic.in_care(f"Person {i}", zone=draw.choice(["Europe/London", "Australia/Sydney", "America/Adak"])) for i in range(6)]
    for person in people:
        live(clinic, person, ", ".join(draw.choices(kinds, k=draw.randint(1, 40))))
    now = clinic.clock.now()
    with clinic.db.read() as tx:
        ids = [person.invitation.episode_id for person in people]
        found = recent_figures(tx, caseload.list_patients(tx, ids).values(), now)
        for person in people:
            record = load_record(tx, episodes.load(tx, person.invitation.episode_id), now)
            figures = found[person.invitation.episode_id]
            assert (figures.adherence, figures.reply_rate) == (adherence(record, DAYS), reply_rate(record, DAYS))
            recent = [day.pain for day in record.rated_days if day.pain is not None and (record.today - day.day).days < 28]
            assert list(figures.pains) == recent


def test_the_figures_of_a_thousand_drawn_records_are_those_of_the_whole_record(clinic: RunningClinic) -> None:
    DrawnClinic(clinic, seed=3, weeks=True).write(1000)
    now = clinic.clock.now()
    seen: Counter[bool] = Counter()
    with clinic.db.read() as tx:
        everybody = standings(tx, clinic.clinic.id, now).episodes
        for start in range(0, len(everybody), 50):
            on_page = caseload.list_patients(tx, everybody[start : start + 50]).values()
            figures = recent_figures(tx, on_page, now)
            for item in on_page:
                record = load_record(tx, episodes.load(tx, item.episode_id), now)
                pains = [day.pain for day in record.rated_days if day.pain is not None and (record.today - day.day).days < 28]
                shown = figures[item.episode_id]
                assert (shown.adherence, shown.reply_rate, list(shown.pains)) == (adherence(record, DAYS), reply_rate(record, DAYS), pains)
                seen[shown.adherence is None] += 1
    assert min(seen.values()) > 50, seen
