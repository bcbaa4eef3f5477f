"""What a physio decides on, figure by figure: criteria, weeks, waiting times and counts, judged again over a thousand drawn records."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any
from uuid import UUID

from sqlalchemy import select

from bot_service.actions.discharging import look_up
from bot_service.clinical.progression import standing
from bot_service.storage import clinics, patients, prescriptions, tables
from bot_service.web.header import header_of
from bot_service.web.progress_card import progress_card
from bot_service.web.strips import WORDS
from tests.drawn_records import NOW, PATIENTS, Drawn
from tests.judged_again import judge, proposed
from tests.read_again import Told, weeks
from tests.waiting_again import ORDER, WANT, Waiting
from tests.web.lives import Browser


def test_every_criterion_of_a_step_is_judged_as_the_rules_say(drawn: Drawn) -> None:
    seen: Counter[tuple[int, str]] = Counter()
    with drawn.clinic.db.read() as tx:
        for key in drawn.latest:
            life, (_, record) = drawn.lives[key], drawn.records[key]
            plan = prescriptions.load_plan_version(tx, record.prescription.plan_id, record.prescription.plan_version)
            stands = standing(record, plan, ())
            card = progress_card(stands, None, plan, record.prescription, record.zone)
            expected = list(judge(life))
            lines = [line for line in card.lines if line.state != "yours"]
            assert [(line.state, [int(each) for each in re.findall(r"\d+", line.text)], line.detail) for line in lines] == expected
            if stands.proposal and stands.proposal.rule != "C0":
                assert [int(each) for each in re.findall(r"\d+", stands.proposal.sentence)] == proposed(life)
                assert not any(each.state == "unmet" for each in expected) or stands.proposal.rule == "C5"
                seen.update([(9, "proposed")])
            assert (card.met, card.needed) == (sum(each.state == "met" for each in expected), len(expected))
            seen.update((at, each.state) for at, each in enumerate(expected))
    assert all(seen[at, state] > 20 for at in range(7) for state in ("met", "unmet")), seen
    assert seen[9, "proposed"] > 1 and seen[2, "unknown"] > 50 and seen[7, "unmet"] > 50 and seen[7, "met"], seen


def test_the_caseload_says_of_everybody_why_since_when_and_by_when(drawn: Drawn) -> None:
    with drawn.clinic.db.read() as tx:
        waiting = Waiting(tx, NOW, drawn.clinic.clinic.zone)
    expected = {
        drawn.lives[key].ref: (waiting.shown(key), max(0, len(waiting.reasons(key)) - 2), waiting.heard(key)) for key in waiting.latest()
    }
    shown = {}
    for page in drawn.caseload:
        for row in re.findall(r"<tr class=\"need-.*?</tr>", page, re.DOTALL):
            (ref,), (heard,) = re.findall(r'<a href="/patients/(\w+)">', row), re.findall(r'data-label="Last heard">(.*?)</td>', row)
            more = re.search(r"and (\d+) more", row)
            shown[ref] = ([_reason(each) for each in row.split('<div class="reason">')[1:]], int(more[1]) if more else 0, heard)
    assert len(shown) == PATIENTS and {ref: (found, expected[ref]) for ref, found in shown.items() if found != expected[ref]} == {}


def _reason(html: str) -> tuple[str, str, str, bool]:
    """The need, how its sentence ends, since when and by when, and whether that is marked as overdue."""
    (need,), says = re.findall(r'^\s*<span class="tag (\w+)">', html), re.search(r'<span class="quiet">((?:Waiting|<span|due).*?)\n', html)
    ends = re.search(r"(?:That was|Wrote again on|No longer so since) [\w ]+\.", html)
    return need, ends[0] if ends else "", re.sub("<[^>]+>", "", says[1]) if says else "", 'class="overdue"' in html


def test_the_groups_and_the_summary_of_the_caseload_count_everybody(drawn: Drawn) -> None:
    with drawn.clinic.db.read() as tx:
        waiting = Waiting(tx, NOW, drawn.clinic.clinic.zone)
    found = Counter(waiting.need(key) for key in waiting.latest())
    groups = [int(each) for each in re.findall(r'<span class="number">(\d+)</span></a></li>', drawn.caseload[0])]
    assert groups == [PATIENTS, sum(found[need] for need in WANT), *(found[need] for need in ORDER)] and min(found.values()) > 5
    (summary,) = re.findall(r'<p class="summary">(.*?)</p>', drawn.caseload[0])
    assert [int(each) for each in re.findall(r"\d+", summary)] == waiting.in_summary()


def test_the_head_of_every_patients_page_says_which_week_it_is_and_what_comes_next(drawn: Drawn) -> None:
    with drawn.clinic.db.read() as tx:
        told = Told(tx, Waiting(tx, NOW, drawn.clinic.clinic.zone))
        clinic = clinics.load_clinic(tx, drawn.clinic.clinic.id)
        for key in drawn.latest:
            life, (episode, _) = drawn.lives[key], drawn.records[key]
            header = header_of(tx, patients.load(tx, episode.patient_id), episode, clinic, NOW)
            assert (header.weeks, header.next_prompt) == (weeks(life, episode.patient_status), told.next_prompt(life, key)), life.ref


def test_the_patients_page_shows_days_criteria_and_evidence_as_the_rows_say(drawn: Drawn) -> None:
    seen = Counter[str]()
    with drawn.clinic.db.read() as tx:
        told = Told(tx, Waiting(tx, NOW, drawn.clinic.clinic.zone))
    for key, page in drawn.pages.items():
        life = drawn.lives[key]
        days, every = life.window(28), life.window(1000)
        usual, coming = (re.search(rf"<dt>{name}</dt><dd>(.*?)</dd>", page) for name in ("Usual pain", "Next prompt"))
        assert usual and usual[1] == ("not known yet" if life.usual is None else f"{life.usual}/10")
        assert coming and coming[1] == told.next_prompt(life, key)
        assert re.findall(r'<li class="(\w+)" title="', page) == [told.day(life, key, day) for day in days]
        assert re.findall(r"<mark>(\d+)</mark></span></li>", page) == [str(day.day) for day in days if day in told.marked(key)]
        legend = {state: int(number) for state, number in re.findall(r'<li class="(\w+)"><span class="cell".*?<strong>(\d+)', page)}
        assert +Counter(legend) == Counter(told.day(life, key, day) for day in days)
        months = reversed(re.findall(r'<table class="calendar">.*?</table>', page, re.DOTALL))
        squares = [each for month in months for each in re.findall(r'<td class="(\w+)">.*?(?:worst pain (\d+).*?)?</td>', month)]
        assert squares == [(told.day(life, key, day), _pain(life.worst(day))) for day in every]
        if counted := re.search(r"<p>(\d+) of (\d+) criteria met", page):
            states = [each.state for each in judge(life)]
            assert (int(counted[1]), int(counted[2])) == (states.count("met"), len(states))
        seen.update({"criteria": bool(counted)} | {state: 1 for state, number in legend.items() if number})
        _check_cases(page, told, key, seen)
    assert all(seen[each] > 5 for each in (*WORDS, "criteria", "earlier", "corrected", "closed")), seen


def _check_cases(page: str, told: Told, key: UUID, seen: Counter[str]) -> None:
    """The values of each open case's evidence, five of them at once, and how many cases were closed before."""
    articles = re.findall(r'<article class="card case.*?id="case-([^"]+)">(.*?)</article>', page, re.DOTALL)
    assert {case for case, _ in articles} == {str(row.id) for row in told.waiting.cases[key] if row.closed_at is None}
    for case, html in articles:
        values, earlier = told.values(UUID(case)), re.search(r"<summary>(\d+) earlier</summary>", html)
        shown = re.findall(r'<td class="number">(.*?)</td>', re.split(r"<summary>\d+ earlier", html)[0])
        assert [_plain(each) for each in shown] == values[:5] and (int(earlier[1]) if earlier else 0) == max(0, len(values) - 5)
        assert [_plain(each) for each in re.findall(r'<td class="number">(.*?)</td>', html)] == values
        seen.update({"earlier": bool(earlier), "corrected": html.count("<del>")})
    closed = sum(row.closed_at is not None for row in told.waiting.cases[key])
    assert re.findall(r"<summary>Closed before \((\d+)\)", page) == [str(closed)] * bool(closed)
    seen.update({"closed": bool(closed)})


def _plain(html: str) -> str:
    return re.sub(r"<span.*?</span>|<[^>]+>", "", html).strip()


def _pain(worst: int | None) -> str:
    return "" if worst is None else str(worst)


def test_the_pages_about_all_patients_count_who_is_in_care_and_who_has_not_begun(drawn: Drawn) -> None:
    with drawn.clinic.db.read() as tx:
        waiting = Waiting(tx, NOW, drawn.clinic.clinic.zone)
        mails = {row.id: row.email for row in tx.all(select(tables.staff)) if row.role == "physio"}
        sent: dict[UUID, Any] = {
            row.patient_id: row for row in tx.all(select(tables.invitations).order_by(tables.invitations.c.created_at))
        }
    in_care = [row for row in waiting.episodes.values() if row.status == "active"]
    state = {row.id: waiting.patients[row.patient_id].status for row in in_care}
    page = Browser(drawn.clinic).sign_in(drawn.clinic.admin).get("/team")
    counted = re.findall(r'<span class="quiet">([^<]*@[^<]*)</span></th>\s*<td>[^<]*</td>\s*<td class="number">(\d+)</td>', page)
    assert dict(counted) == {mail: str(sum(row.physio_id == key for row in in_care)) for key, mail in mails.items()}
    browser = Browser(drawn.clinic).sign_in()
    pages = [browser.get(f"/discharge?page={number}") for number in range(1, -(-len(in_care) // 100) + 1)]
    assert all(f"Page {number} of {len(pages)}, {len(in_care)} patients" in html for number, html in enumerate(pages, 1))
    opened = {waiting.patients[row.patient_id].ref: sum(case.closed_at is None for case in waiting.cases[row.id]) for row in in_care}
    with drawn.clinic.db.read() as tx:
        leaving, _ = look_up(tx, drawn.clinic.physio, opened)
    assert {each.ref: each.open_flags for each in leaving} == opened
    words = {"invited": "Not begun", "asked": "Not agreed yet", "opted_in": "In care", "opted_out": "Stopped messages"}
    assert Counter(re.findall(r'<td data-label="Now">(.*?)</td>', "".join(pages))) == Counter(words[each] for each in state.values())
    not_begun = [sent[row.patient_id] for row in in_care if state[row.id] in ("invited", "asked")]
    pages = [browser.get(f"/invitations?page={number}") for number in range(1, -(-len(not_begun) // 50) + 1)]
    assert f'<p class="summary">{len(not_begun)} patients have not begun yet.</p>' in pages[0]
    shown = re.findall(r'/patients/(\w+)">.*?data-label="Sent">([^<]*).*?data-label="Now">(.*?)</td>', "".join(pages), re.DOTALL)
    expected = sorted((_invited(waiting, row) for row in not_begun), key=lambda each: each[0])
    assert sorted((ref, at.strip(), now) for ref, at, now in shown) == expected and len({now.split()[0] for *_, now in shown}) == 5


def _invited(waiting: Waiting, row: Any) -> tuple[str, str, str]:
    """Whom, when in the clinic's zone, and where the latest invitation stands."""
    patient, at, end = waiting.patients[row.patient_id], row.created_at.astimezone(waiting.zone), row.expires_at.astimezone(waiting.zone)
    until = f"{end:%a} {end.day} {end:%b %Y}"
    state = "Taken back" if row.revoked_at else f"{'Works until' if row.expires_at > NOW else 'Expired'} {until}"
    state = "Opened; has not agreed yet" if patient.status == "asked" else "Opened" if row.used_at else state
    return patient.ref, f"{at:%a} {at.day} {at:%b, %H:%M}", state
