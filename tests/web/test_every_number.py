"""Every number on the pages against a count of a thousand drawn records from the bare rows, made in another way."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from html import unescape
from statistics import median
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from bot_service.actions.digests import build_all
from bot_service.clinical.needs import WANTS_SOMEBODY, Need
from bot_service.clinical.outcome_measures import due
from bot_service.sample.tally import tally
from bot_service.storage import care_records, clinics, episodes, patients, prescriptions, tables
from bot_service.storage.database import Tx
from bot_service.storage.rule_counts import DECISIONS
from bot_service.web.charts import pain_chart
from bot_service.web.outcomes import series_of
from bot_service.web.strips import WORDS, strip_of
from bot_service.web.summary import brief
from tests.counted_again import Life, as_percent, count_prompts_again, count_rules_again, count_suggestions_again
from tests.drawn_records import NOW, PATIENTS, Drawn
from tests.judged_again import became
from tests.listed import listed
from tests.said_again import due_again, last_day
from tests.web.lives import Browser

PAGES_OPENED = 20
NOT_SENT = {None: "refused", "on hold: pause": "paused"}


def cells(page: str, label: str) -> list[str]:
    return [
        unescape(re.sub(r"<[^>]+>", "", each)).strip() for each in re.findall(rf'<td data-label="{label}"[^>]*>(.*?)</td>', page, re.DOTALL)
    ]


def test_the_caseload_shows_what_was_counted_for_each_of_them_and_for_all(drawn: Drawn) -> None:
    seen: dict[str, tuple[str, str, str, str]] = {}
    for number, page in enumerate(drawn.caseload, 1):
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
        assert f"<span>Page {number} of {PATIENTS // 50}, {PATIENTS} patients</span>" in page
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
            life, (episode, record) = drawn.lives[key], drawn.records[key]
            strip, window = strip_of(record), life.window(28)
            assert [(cell.status, cell.number) for cell in strip.cells] == [(became(life, day), day.day) for day in window]
            states = Counter(became(life, day) for day in window)
            assert all(item.count == states[item.status] for item in strip.legend) and set(states) <= set(WORDS)
            chart = pain_chart(record.loading_days, (), record.rules, record.baseline, record.episode_start, record.today)
            drawn_days = [each for each in life.loading() if max(life.start, life.today - timedelta(days=83)) <= each[0]]
            assert [(point.day, point.score) for point in chart.during] == [(day, pain) for day, pain, _ in drawn_days if pain is not None]
            assert [(point.day, point.score) for point in chart.after] == [(day, pain) for day, _, pain in drawn_days if pain is not None]
            plan = prescriptions.load_plan_version(tx, record.prescription.plan_id, record.prescription.plan_version)
            text = "\n".join(brief(tx, patients.load(tx, episode.patient_id), episode, record, plan, clinic, NOW))
            assert f"done {as_percent(life.share('done'))} of scheduled days, replied on {as_percent(life.share('replied'))}." in text
            assert _pain_words(life) in text, text
            assert re.findall("Last loading day.*", text) == ([last_day(life)] if life.loading(14) else [])


def _pain_words(life: Life) -> str:
    recent = life.loading(14)
    if not recent:
        return f"No loading in 14 days. Usual pain {_usual(life)}."
    during, after = ([each[at] for each in recent if each[at] is not None] for at in (1, 2))
    said = [
        f"median {median(found):g}, worst {max(found)} of {len(found)} rated" if found else "no score"  # type: ignore[type-var]  # none of them is None
        for found in (during, after)
    ]
    days = f"Pain on {len(recent)} loading day{'s' * (len(recent) != 1)} in 14 days (usual {_usual(life)})"
    return f"{days}: in the session {said[0]}; 24 hours later {said[1]}."


def _usual(life: Life) -> str:
    return "not known" if life.usual is None else f"{life.usual}/10"


def test_the_patients_page_shows_those_figures(drawn: Drawn) -> None:
    for key, page in drawn.pages.items():
        life = drawn.lives[key]
        assert re.findall(r'<dd class="big">([^<]*)</dd>', page)[:2] == [as_percent(life.share("done")), as_percent(life.share("replied"))]
        done = [int(each) for each in re.findall(r'<li class="(?:done|partly)"><span class="cell"[^<]*</span> [a-z ]+ <strong>(\d+)', page)]
        assert done == [sum(life.points(day) == points for day in life.window(28)) for points in (2, 1)]
        score = r'<td class="number">(?:<mark>)?([\d–]+)(?:</mark> <span[^<]*</span>)?</td>'
        table = re.findall(rf'<tr><th scope="row">[^<]*</th>{score}{score}</tr>', page)
        loading = [tuple("–" if pain is None else str(pain) for pain in each[1:]) for each in reversed(life.loading())]
        assert not any(pain != "–" for each in loading for pain in each) or table == loading


def test_the_outcome_measures_are_due_charted_and_compared_as_they_were_entered(drawn: Drawn) -> None:
    browser, opened, weeks = Browser(drawn.clinic).sign_in(), 0, Counter[str]()
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
            taken, life = [(row.measure, row.day) for row in rows], drawn.lives[key]
            told = [f"{item.title}, for week {week}" for item, week in due(life.start, life.today, taken)]
            assert told == due_again(life, taken)
            weeks.update(each.rpartition(" ")[2] for each in told)
            words = sorted(_change_again(key[0], [row.value for row in found]) for key, found in groups.items())
            assert sorted(item.change for item in series) == words
            if number % (PATIENTS // PAGES_OPENED) == 0 and rows:
                page = browser.get(f"/patients/{episode.ref}/outcomes")
                shown = Counter(re.findall(r'<td class="number">([−\d]+)</td>', page))
                assert shown == Counter(str(row.value).replace("-", "−") for row in rows)
                assert (re.findall(r'<p class="hold">Due now: (.*?)\.</p>', page) or [""])[0] == "; ".join(told)
                opened += 1
    assert opened > 8 and all(weeks[week] > 10 for week in ("0", "6", "12", "26")), weeks


def _change_again(measure: str, values: list[int]) -> str:
    if len(values) < 2:
        return ""
    change, enough = values[-1] - values[0], {"psfs": 3}.get(measure)
    words = f"{'+' if change > 0 else '−'}{abs(change)} since the first" if change else "as at first"
    if enough is not None and abs(change) >= enough:
        return f"{words}: {'better' if change > 0 else 'worse'}"
    return f"{words}, not more than chance explains" if enough is not None and change else words


def test_the_page_of_rules_counts_every_case_raised_and_every_suggestion_shown(drawn: Drawn) -> None:
    page, since = Browser(drawn.clinic).sign_in().get("/rules"), NOW - timedelta(days=90)
    with drawn.clinic.db.read() as tx:
        raised = count_rules_again(tx, drawn.clinic.clinic.id, since, NOW, DECISIONS)
        suggested = count_suggestions_again(tx, since)
        cases = sum(row.opened_at >= since for row in tx.all(select(tables.cases)))
        told_by_the_demo = tally(tx, (), NOW.date())["flags"]
        before = count_rules_again(tx, drawn.clinic.clinic.id, NOW - timedelta(days=1000), NOW, DECISIONS), count_suggestions_again(tx)
    of_cases, of_suggestions = (_counts_by_rule(each) for each in page.split('<h2 id="suggested">'))
    order = ("raised", "acknowledged", "decided", "noise", "settled", "open")
    assert of_cases == {rule: [count[name] for name in order] for rule, count in raised.items()}
    assert sum(count["raised"] for count in raised.values()) > 500 and all(sum(count[name] for count in raised.values()) for name in order)
    became = ("shown", "approved", "held", "otherwise", "withdrawn", "waiting")
    assert of_suggestions == {rule: [count[name] for name in became] for rule, count in suggested.items()}
    assert all(count["shown"] == sum(count[name] for name in became[1:]) for count in suggested.values())
    assert all(sum(count[name] for count in suggested.values()) > 5 for name in became)
    (summary,) = re.findall(r'<p class="summary">(.*?)</p>', page)
    shown = sum(count["shown"] for count in suggested.values())
    assert summary == f"In the last 90 days {cases} cases raised; {shown} suggestions shown."
    # The demo counts the whole of its time, and a rule that does both as a case; of the same database it says the same.
    older = {"raised": {rule: count["raised"] for rule, count in before[0].items()}}
    older["shown"] = {rule: count["shown"] for rule, count in before[1].items()}
    assert told_by_the_demo == dict(sorted({**older["shown"], **older["raised"]}.items()))
    assert older["raised"]["A4"] > of_cases["A4"][0] and older["shown"]["C1"] > of_suggestions["C1"][0], "some of each are older"


def _counts_by_rule(html: str) -> dict[str, list[int]]:
    return {
        row[0].split()[0]: [int(number) for number in re.findall(r'<td class="number">(\d+)</td>', row[1])]
        for row in re.findall(r'<th scope="row">([^<]+).*?</th>(.*?)</tr>', html, re.DOTALL)
    }


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
    assert (int(found[1]), int(found[2])) == (prompts, len(stuck)) and prompts > 50 < len(stuck)


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
        statuses = {row.id: row.status for row in tx.all(select(tables.patients))}
        kept = [row for row in tx.all(select(tables.outbox)) if row.status in ("failed", "expired", "in_doubt", "cancelled")]
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
        week = tonight - timedelta(days=8)
        moved = [drawn.lives[key] for key in mine if statuses[active[key].patient_id] == "opted_in"]
        assert _under(digest.lines, "Who moved:") == sorted(
            f"- {life.ref}: {life.stage} stage since {life.stage_start.day} {life.stage_start:%b}"
            for life in moved
            if life.start < life.stage_start and life.stage_start > week.date()
        )
        lost = Counter(NOT_SENT.get(row.reason, row.reason) for row in kept if row.episode_id in mine and week <= row.due_at < NOW)
        assert sorted(_under(digest.lines, "What we did not send, or cannot be sure of:")) == sorted(
            f"- {number} exercise prompt{'s' * (number != 1)}: {why}" for why, number in lost.items()
        )
        assert lost and moved


def _under(lines: Sequence[str], title: str) -> list[str]:
    """The lines of a list beneath its title."""
    after = lines[lines.index(title) + 1 :]
    return list(after[: after.index("")] if "" in after else after)


def _mean(counted: list[Life], of: str, until: int) -> str:
    shares = [share for life in counted if (share := life.share(of, 7, until)) is not None]
    mean = round(sum(100 * got / asked for got, asked in shares) / len(shares) + 1e-9)
    return f"{mean} % over {len(shares)} patients"
