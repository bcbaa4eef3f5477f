"""Whole pages counted again: who is not prompted and what was lost, a file of patients on its way in, and the numbers of the plan."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from bot_service.storage import tables
from bot_service.web.forecast import forecast
from tests.climbed_again import plan_file
from tests.drawn_records import NOW, Drawn
from tests.files_of_patients import a_file, crowd
from tests.running_clinic import RunningClinic
from tests.waiting_again import Waiting
from tests.web.lives import Browser

LISTED = 200
EDITED = 2
SHOWN, LEAFLETS, PENDING = 100, 50, 50


def test_the_forecast_says_of_everybody_who_is_not_prompted_why_and_lists_what_was_lost(drawn: Drawn) -> None:
    browser, since = Browser(drawn.clinic).sign_in(), NOW - timedelta(days=7)
    with drawn.clinic.db.read() as tx:
        waiting = Waiting(tx, NOW, drawn.clinic.clinic.zone)
        lost = [row for row in tx.all(select(tables.outbox)) if row.status in ("failed", "expired", "in_doubt") and row.status_at >= since]
    in_care = [row for row in waiting.episodes.values() if row.status == "active"]
    begun = [row for row in in_care if waiting.patients[row.patient_id].status not in ("invited", "asked")]
    stuck = {waiting.patients[row.patient_id].ref: why for row in begun if (why := waiting.not_prompted(row.id))}
    with drawn.clinic.db.read() as tx:
        told = {ref: why.partition(" Why:")[0] for ref, why in forecast(tx, drawn.clinic.clinic.id, NOW).stuck.items()}
    assert told == stuck
    assert all(
        sum(word in why for why in told.values()) > 5 for word in ("Stopped", "reached", "Paused.", "Paused until", "red flag until")
    )
    count = -(-len(stuck) // 50)
    pages = [browser.get(f"/forecast?page={number}") for number in (1, count)]
    for page, number, part in zip(pages, (1, count), (list(told.items())[:50], list(told.items())[50 * (count - 1) :]), strict=True):
        rows = re.findall(r'/patients/(\w+)">\w+</a></th><td>(.*?)</td></tr>', page.partition('id="lost-title"')[0])
        assert [
            (ref, unescape(why).partition(" Why:")[0]) for ref, why in rows
        ] == part and f"<span>Page {number} of {count}</span>" in page
    assert f"{len(in_care) - len(begun)} patients have not begun yet" in pages[0]
    rows = re.findall(
        r'<td data-label="Due" class="number">(.*?)</td>.*?/patients/(\w+)".*?data-label="State">([\w ]+)<', pages[0], re.DOTALL
    )
    zone, states = ZoneInfo(drawn.clinic.clinic.zone), {"failed": "Failed", "expired": "Too late", "in_doubt": "In doubt"}
    latest = sorted(lost, key=lambda row: (row.status == "expired", -row.status_at.timestamp(), row.id.hex))[:LISTED]
    assert rows == [(_moment(row.due_at.astimezone(zone)), waiting.patients[row.patient_id].ref, states[row.status]) for row in latest]
    assert f"And {len(lost) - LISTED} more that are older, or were only too late." in pages[0]


def _moment(at: Any) -> str:
    return f"{at:%a} {at.day} {at:%b, %H:%M}"


def test_an_import_counts_rows_as_the_file_and_the_database_have_them(sqlite_clinic: RunningClinic) -> None:
    clinic, browser = sqlite_clinic, Browser(sqlite_clinic).sign_in()
    rows, told = crowd(clinic.plan, 400, 120)
    good, raw = len(rows) - len(told), a_file(clinic.plan, rows)
    path = _choose(browser, raw, len(rows))
    assert _facts(browser) == {"Rows": 400, "Can be enrolled": good, "Here already, left as they are": 0, "Wrong": 120}
    assert [int(each) for each in re.findall(r'<span class="only-small">Row </span>(\d+)</th>', browser.page)] == sorted(told)[:SHOWN]
    assert f"And {len(told) - SHOWN} more, all in the download." in browser.words and _enrolled(clinic) == 0
    assert f"Download the {len(told)} wrong rows" in browser.words and f">Enrol {good} patients</button>" in browser.page
    browser.post(path, rows="good")
    browser.get(path)
    assert f"{good} patients are enrolled." in browser.words and _enrolled(clinic) == good
    assert _facts(browser) == {"Enrolled": good, "Here already, left as they are": 0, "Wrong, left out": 120}
    browser.get(f"{path}/leaflets")
    assert f"Page 1 of {-(-good // LEAFLETS)}" in browser.words and browser.page.count("<article") == LEAFLETS
    browser.get("/invitations")
    assert f"{good} patients have not begun yet." in browser.words and f"Page 1 of {-(-good // PENDING)}" in browser.words
    _choose(browser, raw, len(rows))
    assert _facts(browser) == {"Rows": 400, "Can be enrolled": 0, "Here already, left as they are": good, "Wrong": 120}
    assert f"Patients who are here already ({good})" in browser.words and browser.page.count("<li>Row ") == SHOWN


def _choose(browser: Browser, raw: bytes, rows: int) -> str:
    """Send the file and take its columns as they are guessed; the path of its import, whose check is open then."""
    browser.get("/import")
    answer = browser.client.post("/import", data={"token": browser.token}, files={"file": ("patients.csv", raw, "text/csv")})
    browser.page = answer.text
    (path,) = re.findall(r'action="(/import/[0-9a-f-]{36})/columns"', browser.page)
    assert f"{rows} rows, guessed by the headings." in browser.words
    columns = re.findall(r'<select id="(column-\d+)".*?<option value="([^"]*)" selected', browser.page, re.DOTALL)
    browser.post(f"{path}/columns", dict(columns), physio=str(browser.clinic.physio.id))
    return str(path)


def _facts(browser: Browser) -> dict[str, int]:
    return {name: int(number) for name, number in re.findall(r'<dt>(.*?)</dt><dd class="big">(\d+)</dd>', browser.page)}


def _enrolled(clinic: RunningClinic) -> int:
    with clinic.db.read() as tx:
        return int(tx.scalar(select(func.count()).select_from(tables.patients)))


def test_the_prescription_and_the_thresholds_show_the_numbers_of_the_plans_file(drawn: Drawn) -> None:
    plan, browser, stages = plan_file(), Browser(drawn.clinic).sign_in(), Counter[str]()
    for key in drawn.pages:
        if drawn.records[key][0].status != "active" or stages[drawn.lives[key].stage] == EDITED:
            continue
        document, page = drawn.climbed.documents[key][-1][1], browser.get(f"/patients/{drawn.lives[key].ref}/prescription")
        (stage,) = (each for each in plan["stages"] if each["id"] == document["stage"])
        low, high = stage["expected_weeks"]
        assert f"The plan expects {low} to {high} weeks in this stage, with at most {stage['hip_flexion_limit_deg']}° of hip bend" in page
        found = re.findall(r'name="own-([\w.]+)"[^>]*></td>\s*<td>(\d+) <span class="quiet">\((.*?); (\d+) to (\d+)\)</span>', page)
        _check(plan, stage, [(name, says, source, least, most) for name, says, source, least, most in found])
        values = dict(re.findall(r'<input id="((?:sets|amount|rest|effort)-\w+)"[^>]*value="(\d*)"', page))
        for item in document["exercises"]:
            name, dose = item["exercise"]["id"], item["dose"]
            amount = next(dose[each] for each in ("reps", "hold_s", "dist_m") if dose[each] is not None)
            shown = [values[f"{field}-{name}"] for field in ("sets", "amount", "rest")]
            assert shown == [str(dose["sets"]), str(amount), str(dose["rest_s"] or "")]
        stages[document["stage"]] += 1
    assert list(stages.values()) == [EDITED] * 3
    page = Browser(drawn.clinic).sign_in(drawn.clinic.admin).get("/clinic/thresholds")
    says = re.findall(r'<td data-label="The plan says">(\d+) <span class="quiet">Source: (.*?)</span>', page)
    names = re.findall(r'<label for="own-([\w.]+)">', page)
    limits = re.findall(r'id="limits-\d+">(\d+) to (\d+)</span>', page)
    _check(plan, plan["stages"][0], [(name, *said, *limit) for name, said, limit in zip(names, says, limits, strict=True)])
    quiet = plan["rules"]["delivery"]
    assert f"says {quiet['quiet_from']} to {quiet['quiet_until']};" in Browser(drawn.clinic).sign_in(drawn.clinic.admin).get("/clinic")
    page = browser.get("/enrol")
    assert f"Above {plan['rules']['baseline_physio_first_above']} see the patient first." in page


def _check(plan: Mapping[str, Any], stage: Mapping[str, Any], rows: list[tuple[str, str, str, str, str]]) -> None:
    """Each threshold says what the file says, and where from, and may be set around that; the ceiling never above 5."""
    assert len(rows) > 10
    for name, says, source, least, most in rows:
        table, _, last = name.rpartition(".")
        of = stage["progression"] if table == "progression" else plan["rules"][table] if table else plan["rules"]
        assert int(says) == of[last] and int(least) <= of[last] <= int(most), name
        told = plan["rules"]["sources"]
        short = told.get(f"stages.{stage['id']}.{name}") or told.get(name) or "default"
        whole = [plan["references"].get(each, each).rstrip(".") for each in short.split(", ")]
        assert unescape(source) == short or all(each in unescape(source) for each in whole), name
        assert name != "pain_ceiling" or int(most) == 5
