"""What a physio decides on, figure by figure: criteria, weeks, waiting times and counts, judged again over a thousand drawn records."""

from __future__ import annotations

import re
from collections import Counter
from uuid import UUID

from bot_service.clinical.progression import standing
from bot_service.storage import clinics, patients, prescriptions
from bot_service.web.header import header_of
from bot_service.web.progress_card import progress_card
from bot_service.web.strips import WORDS
from tests.drawn_records import NOW, PATIENTS, Drawn
from tests.judged_again import judge
from tests.read_again import Told, weeks
from tests.waiting_again import ORDER, WANT, Waiting
from tests.web.lives import Browser

PAGES_OPENED = 50


def test_every_criterion_of_a_step_is_judged_as_the_rules_say(drawn: Drawn) -> None:
    seen: Counter[tuple[int, str]] = Counter()
    with drawn.clinic.db.read() as tx:
        for key in drawn.latest:
            life, (_, record) = drawn.lives[key], drawn.records[key]
            plan = prescriptions.load_plan_version(tx, record.prescription.plan_id, record.prescription.plan_version)
            card = progress_card(standing(record, plan, ()), None, plan, record.prescription, record.zone)
            expected = list(judge(life))
            lines = [line for line in card.lines if line.state != "yours"]
            assert [(line.state, [int(each) for each in re.findall(r"\d+", line.text)], line.detail) for line in lines] == expected
            assert (card.met, card.needed) == (sum(each.state == "met" for each in expected), len(expected))
            seen.update((at, each.state) for at, each in enumerate(expected))
    assert all(seen[at, state] > 20 for at in range(7) for state in ("met", "unmet")), seen
    assert seen[2, "unknown"] > 50 and seen[7, "unmet"] > 50 and seen[7, "met"], seen


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


def _reason(html: str) -> tuple[str, str, bool]:
    """The need, since when and by when, and whether that is marked as overdue."""
    (need,), says = re.findall(r'^\s*<span class="tag (\w+)">', html), re.search(r'<span class="quiet">((?:Waiting|<span|due).*?)\n', html)
    return need, re.sub("<[^>]+>", "", says[1]) if says else "", 'class="overdue"' in html


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
    browser, seen = Browser(drawn.clinic).sign_in(), Counter[str]()
    with drawn.clinic.db.read() as tx:
        told = Told(tx, Waiting(tx, NOW, drawn.clinic.clinic.zone))
    for key in drawn.latest[:: PATIENTS // PAGES_OPENED]:
        life, page = drawn.lives[key], browser.get(f"/patients/{drawn.lives[key].ref}")
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
        shown = re.findall(r'<td class="number">(.*?)</td>', html.partition("<details")[0])
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
