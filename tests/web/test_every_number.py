"""Every number on the pages against a count of a thousand drawn records from the bare rows, made in another way."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from html import unescape
from statistics import median
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from bot_service.actions.digests import build_all
from bot_service.actions.histories import load_record
from bot_service.clinical.needs import WANTS_SOMEBODY, Need
from bot_service.clinical.outcome_measures import MEASURES
from bot_service.clock import MovableClock
from bot_service.storage import care_records, clinics, episodes, patients, prescriptions, tables
from bot_service.storage.database import Tx
from bot_service.storage.rule_counts import DECISIONS, TAKEN_BACK, UNDONE
from bot_service.web.charts import pain_chart
from bot_service.web.outcomes import series_of
from bot_service.web.strips import strip_of
from bot_service.web.summary import brief
from tests.counted_again import Life, as_percent, count_prompts_again, count_rules_again, lives
from tests.drawn_clinic import DrawnClinic
from tests.listed import listed, standings
from tests.running_clinic import START, RunningClinic, migrate_url, open_clinic, open_quickly
from tests.web.lives import Browser

PATIENTS = 1000
PAGES_OPENED = 20
NOW = START + timedelta(days=40)


@dataclass
class Drawn:
    """The clinic and what its rows say."""

    clinic: RunningClinic
    lives: dict[UUID, Life]
    latest: list[UUID]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    url = f"sqlite:///{tmp_path_factory.mktemp('drawn') / 'drawn.db'}"
    migrate_url(url)
    clinic = open_clinic(open_quickly(url), MovableClock(frozen=NOW))
    DrawnClinic(clinic, seed=11, weeks=True).write(PATIENTS)
    _add_the_rest(clinic, random.Random(12))
    with clinic.db.read() as tx:
        return Drawn(clinic, lives(tx, NOW), list(standings(tx, clinic.clinic.id, NOW).episodes))


def _add_the_rest(clinic: RunningClinic, draw: random.Random) -> None:
    """Answers a day later, cursors, outcome measures, and what became of flags: closed, acknowledged, followed by decisions."""
    at = {"clinic_id": clinic.clinic.id}
    with clinic.db.begin() as tx:
        rows: dict[str, list[dict[str, Any]]] = {"entries": [], "case_events": [], "audit": []}
        for entry in tx.all(select(tables.entries).where(tables.entries.c.kind == "pain_during")):
            if draw.random() < 0.6:
                copied = {"episode_id": entry.episode_id, "day": entry.day, "slot": entry.slot, "prescription_id": entry.prescription_id}
                rows["entries"].append(
                    at | copied | {"id": tx.new_id(), "seq": entry.seq + 500, "kind": "pain_24h", "score": draw.randint(0, 10),
                                   "at": entry.at, "confirmed": draw.random() < 0.9}
                )  # fmt: skip
        for case in tx.all(select(tables.cases.c.id, tables.cases.c.closed_at)):
            by = draw.choice(("settled by itself", "Anna Reed")) if case.closed_at else None
            tx.run(tables.cases.update().where(tables.cases.c.id == case.id).values(closed_by=by))
            for what in draw.sample(("acknowledged", "escalated", "seen_yes"), draw.randint(0, 2)):
                rows["case_events"].append({"id": tx.new_id(), "case_id": case.id, "what": what, "who": "x", "at": NOW})
        everybody = [row.id for row in tx.all(select(tables.patients.c.id))]
        for number in range(600):
            rows["audit"].append(
                at | {"seq": 10_000 + number, "at": NOW - timedelta(hours=draw.randint(0, 400)), "who": "x", "hash": b"x",
                      "detail": {"was": draw.choice(("approved", "held", "stepped_back"))}, "subject_id": draw.choice(everybody),
                      "what": draw.choice((*DECISIONS, "viewed", "outcome_told", UNDONE, TAKEN_BACK))}
            )  # fmt: skip
        for name, found in rows.items():
            tx.connection.execute(tables.metadata.tables[name].insert(), found)
        for address in tx.all(select(tables.addresses.c.id, tables.addresses.c.patient_id)):
            sealed = tx.seal(address.patient_id, f"addresses.address:{address.id}", "sim:1")
            tx.run(tables.addresses.update().where(tables.addresses.c.id == address.id).values(address=sealed))
        for row in tx.all(select(tables.episodes.c.id, tables.episodes.c.status, tables.episodes.c.prescription_id)):
            episode = episodes.load(tx, row.id)
            _add_outcomes(tx, clinic, episode, draw)
            if draw.random() < 0.8:
                slots = [slot for slot in prescriptions.load(tx, row.prescription_id).slots if slot.prompted]
                slot, day = draw.choice(slots), (NOW + timedelta(days=draw.randint(-1, 2))).date()
                due = datetime.combine(day, slot.at, ZoneInfo(episode.zone)).astimezone(UTC)
                episodes.change(tx, row.id, next_prompt_day=day, next_prompt_slot=slot.number, next_prompt_at=due)


def _add_outcomes(tx: Tx, clinic: RunningClinic, episode: episodes.Episode, draw: random.Random) -> None:
    for _ in range(draw.randint(0, 6)):
        measure = draw.choice(list(MEASURES.values()))
        care_records.add_outcome(
            tx, NOW - timedelta(minutes=draw.randint(0, 10_000)), episode, draw.choice((None, clinic.physio.id)), measure=measure.id,
            activity=draw.choice(("kneel", "Kneel", "drive")) if measure.has_activity else "",
            value=None if measure.has_activity and draw.random() < 0.1 else draw.randint(measure.low, measure.high),
            day=NOW.date() - timedelta(days=draw.randint(0, 60)),
        )  # fmt: skip


def cells(page: str, label: str) -> list[str]:
    return [
        unescape(re.sub(r"<[^>]+>", "", each)).strip() for each in re.findall(rf'<td data-label="{label}"[^>]*>(.*?)</td>', page, re.DOTALL)
    ]


def test_the_caseload_shows_what_was_counted_for_each_of_them_and_for_all(drawn: Drawn) -> None:
    browser = Browser(drawn.clinic).sign_in()
    seen: dict[str, tuple[str, str, str, str]] = {}
    for number in range(1, PATIENTS // 50 + 1):
        page = browser.get(f"/?whose=all&page={number}")
        refs = re.findall(r'<a href="/patients/(\w+)">', page)
        assert len(refs) == 50
        weeks = re.findall(r'<span class="quiet">[^<]*?, (week \d+|not started)</span>', page)
        pains = [
            re.search(r"last \d+ exercise days: ([\d, ]+)", each)
            for each in re.findall(r'<td data-label="Session pain".*?</td>', page, re.DOTALL)
        ]
        shown = zip(
            cells(page, "Done, 14 days"), cells(page, "Replies, 14 days"), weeks, [each[1] if each else "" for each in pains], strict=True
        )
        seen |= dict(zip(refs, shown, strict=True))
        assert f"Page {number} of {PATIENTS // 50}, {PATIENTS} patients" in browser.words
    with drawn.clinic.db.read() as tx:
        expected = {}
        for key in drawn.latest:
            life, episode = drawn.lives[key], episodes.load(tx, key)
            worst = [str(pain) for _, pain, _ in life.loading(28) if pain is not None][-12:]
            week = (life.today - episode.stage_start).days // 7 + 1
            started = episode.patient_status not in ("invited", "asked")
            expected[life.ref] = (
                as_percent(life.share("done")), as_percent(life.share("replied")), f"week {week}" if started else "not started",
                ", ".join(worst) if len(worst) > 1 else "",
            )  # fmt: skip
    assert len(expected) == PATIENTS and {ref: shown for ref, shown in seen.items() if expected[ref] != shown} == {}
    assert list(seen) == list(expected), "in the order of the list, fifty to a page"


def test_the_patients_figures_strip_chart_and_summary_are_what_was_counted(drawn: Drawn) -> None:
    with drawn.clinic.db.read() as tx:
        clinic = clinics.load_clinic(tx, drawn.clinic.clinic.id)
        for key in drawn.latest:
            life, episode = drawn.lives[key], episodes.load(tx, key)
            record = load_record(tx, episode, NOW)
            strip, window = strip_of(record), life.window(28)
            legend = {item.status: item.count for item in strip.legend}
            assert len(strip.cells) == len(window) == sum(legend.values())
            assert legend["done"] == sum(life.points(day) == 2 for day in window)
            assert legend["partly"] == sum(life.points(day) == 1 for day in window)
            assert [cell.number for cell in strip.cells] == [day.day for day in window]
            chart = pain_chart(record.loading_days, (), record.rules, record.baseline, record.episode_start, record.today)
            drawn_days = [each for each in life.loading() if max(life.start, life.today - timedelta(days=83)) <= each[0]]
            assert [(point.day, point.score) for point in chart.during] == [(day, pain) for day, pain, _ in drawn_days if pain is not None]
            assert [(point.day, point.score) for point in chart.after] == [(day, pain) for day, _, pain in drawn_days if pain is not None]
            plan = prescriptions.load_plan_version(tx, record.prescription.plan_id, record.prescription.plan_version)
            text = "\n".join(brief(tx, patients.load(tx, episode.patient_id), episode, record, plan, clinic, NOW))
            assert f"done {as_percent(life.share('done'))} of scheduled days, replied on {as_percent(life.share('replied'))}." in text
            assert _pain_words(life) in text, text


def _pain_words(life: Life) -> str:
    recent = life.loading(14)
    if not recent:
        return "No loading in 14 days."
    during, after = ([each[at] for each in recent if each[at] is not None] for at in (1, 2))
    said = [
        f"median {median(found):g}, worst {max(found)} of {len(found)} rated" if found else "no score"  # type: ignore[type-var]  # none of them is None
        for found in (during, after)
    ]
    days = f"Pain on {len(recent)} loading day{'s' * (len(recent) != 1)} in 14 days (usual 2/10)"
    return f"{days}: in the session {said[0]}; 24 hours later {said[1]}."


def test_the_patients_page_shows_those_figures(drawn: Drawn) -> None:
    browser = Browser(drawn.clinic).sign_in()
    for key in drawn.latest[:: PATIENTS // PAGES_OPENED]:
        life = drawn.lives[key]
        page = browser.get(f"/patients/{life.ref}")
        assert re.findall(r'<dd class="big">([^<]*)</dd>', page)[:2] == [as_percent(life.share("done")), as_percent(life.share("replied"))]
        done = [int(each) for each in re.findall(r'<li class="(?:done|partly)"><span class="cell"[^<]*</span> [a-z ]+ <strong>(\d+)', page)]
        assert done == [sum(life.points(day) == points for day in life.window(28)) for points in (2, 1)]
        score = r'<td class="number">(?:<mark>)?([\d–]+)(?:</mark> <span[^<]*</span>)?</td>'
        table = re.findall(rf'<tr><th scope="row">[^<]*</th>{score}{score}</tr>', page)
        loading = [tuple("–" if pain is None else str(pain) for pain in each[1:]) for each in reversed(life.loading())]
        assert not any(pain != "–" for each in loading for pain in each) or table == loading


def test_the_outcome_measures_are_charted_and_compared_as_they_were_entered(drawn: Drawn) -> None:
    browser, opened = Browser(drawn.clinic).sign_in(), 0
    with drawn.clinic.db.read() as tx:
        for number, key in enumerate(drawn.latest):
            episode = episodes.load(tx, key)
            rows = tx.all(select(tables.outcomes).where(tables.outcomes.c.episode_id == key, tables.outcomes.c.value.is_not(None)))
            groups: dict[tuple[str, str], list[Any]] = {}
            for row in sorted(rows, key=lambda row: (row.day, row.created_at, row.id)):
                name = tx.unseal(episode.patient_id, f"outcomes.activity:{row.id}", row.activity) or ""
                groups.setdefault((row.measure, name.lower()), []).append(row)
            series = series_of(care_records.list_outcomes(tx, episode), {})
            assert Counter(tuple(row.value for row in item.rows) for item in series) == Counter(
                tuple(row.value for row in reversed(found)) for found in groups.values()
            )
            words = sorted(_change_again(key[0], [row.value for row in found]) for key, found in groups.items())
            assert sorted(item.change for item in series) == words
            if number % (PATIENTS // PAGES_OPENED) == 0 and rows:
                page = browser.get(f"/patients/{episode.ref}/outcomes")
                shown = Counter(re.findall(r'<td class="number">([−\d]+)</td>', page))
                assert shown == Counter(str(row.value).replace("-", "−") for row in rows)
                opened += 1
    assert opened > 8


def _change_again(measure: str, values: list[int]) -> str:
    if len(values) < 2:
        return ""
    change, enough = values[-1] - values[0], {"psfs": 3}.get(measure)
    words = f"{'+' if change > 0 else '−'}{abs(change)} since the first" if change else "as at first"
    if enough is not None and abs(change) >= enough:
        return f"{words}: {'better' if change > 0 else 'worse'}"
    return f"{words}, not more than chance explains" if enough is not None and change else words


def test_the_page_of_rules_counts_every_flag(drawn: Drawn) -> None:
    browser = Browser(drawn.clinic).sign_in()
    page = browser.get("/rules")
    with drawn.clinic.db.read() as tx:
        expected = count_rules_again(tx, drawn.clinic.clinic.id, NOW - timedelta(days=90), NOW, DECISIONS)
    shown = {
        row[0].split()[0]: [int(number) for number in re.findall(r'<td class="number">(\d+)</td>', row[1])]
        for row in re.findall(r'<th scope="row">([^<]+).*?</th>(.*?)</tr>', page, re.DOTALL)
    }
    order = ("raised", "acknowledged", "decided", "noise", "settled", "open")
    assert shown == {rule: [count[name] for name in order] for rule, count in expected.items()}
    assert sum(count["raised"] for count in expected.values()) > 500 and all(
        sum(count[name] for count in expected.values()) for name in order
    )


def test_the_forecast_counts_every_prompt_of_the_next_day(drawn: Drawn) -> None:
    browser = Browser(drawn.clinic).sign_in()
    browser.get("/forecast")
    found = re.search(r"(\d+) prompts in the next 24 hours; (\d+) patients in care without", browser.words)
    assert found
    with drawn.clinic.db.read() as tx:
        active = [row.id for row in tx.all(select(tables.episodes.c.id).where(tables.episodes.c.status == "active"))]
        active = [key for key in active if episodes.load(tx, key).patient_status not in ("invited", "asked")]
        stuck = {key for key in active if _is_stuck(tx, key)}
        prompts = sum(count_prompts_again(tx, key, NOW) for key in active if key not in stuck)
    assert (int(found[1]), int(found[2])) == (prompts, len(stuck)) and prompts > 100 < len(stuck)


def _is_stuck(tx: Tx, episode_id: UUID) -> bool:
    episode = episodes.load(tx, episode_id)
    today = NOW.astimezone(ZoneInfo(episode.zone)).date()
    held = any(
        row.released_at is None and row.from_day <= today and (row.until_day is None or row.until_day > today)
        for row in tx.all(select(tables.holds).where(tables.holds.c.episode_id == episode_id))
    )
    present = [row.status for row in tx.all(select(tables.addresses).where(tables.addresses.c.patient_id == episode.patient_id))]
    return episode.patient_status != "opted_in" or held or "active" not in present


def test_the_digest_of_the_week_counts_who_waits_and_what_was_done(drawn: Drawn) -> None:
    with drawn.clinic.db.read() as tx:
        clinic = clinics.load_clinic(tx, drawn.clinic.clinic.id)
        found = build_all(tx, clinic, NOW, weekly=True, asked=True)
        tonight = datetime.combine(NOW.astimezone(ZoneInfo(clinic.zone)).date() + timedelta(days=1), time(), ZoneInfo(clinic.zone))
        active = {row.id: row for row in tx.all(select(tables.episodes).where(tables.episodes.c.status == "active"))}
        said = listed(tx, clinic.id, NOW)
    told = [each for each in found if each.member.role == "physio"]
    assert len(told) == 4
    for digest in told:
        theirs = [said[key][1] for key in drawn.latest if said[key][0].physio_id == digest.member.id]
        # Somebody silent with nothing open any more has been looked after: the hold that is left is shown and no longer told.
        open_ones = [each for each in theirs if not each.first.sentence.startswith("Prompts stopped after a week")]
        wants = [each for each in open_ones if each.first.need in WANTS_SOMEBODY and not each.first.acknowledged]
        today = [any(one.need is Need.RED_FLAG or (one.due_at and one.due_at < tonight) for one in each.reasons) for each in wants]
        steps = sum(any(one.need is Need.STEP for one in each.reasons) for each in wants)
        late = sum(not due and each.first.need is not Need.STEP for each, due in zip(wants, today, strict=True))
        assert [int(each) for each in re.findall(r"\d+", digest.lines[0])] == [each for each in (sum(today), steps, late) if each]
        mine = {key for key, row in active.items() if row.physio_id == digest.member.id}
        counted = [drawn.lives[key] for key in mine if active[key].next_prompt_at is not None]
        for of, word in (("done", "Done of what was asked"), ("replied", "Answered")):
            (line,) = (each for each in digest.lines if each.startswith(word))
            assert line == f"{word}: {_mean(counted, of, 1)}, before {_mean(counted, of, 8)}."


def _mean(counted: list[Life], of: str, until: int) -> str:
    shares = [share for life in counted if (share := life.share(of, 7, until)) is not None]
    mean = round(sum(100 * got / asked for got, asked in shares) / len(shares) + 1e-9)
    return f"{mean} % over {len(shares)} patients"
