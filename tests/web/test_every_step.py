"""Steps, loads, running, doses and the plan's weeks on the pages, read again from the bare documents of a thousand drawn records."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from datetime import date, timedelta

from bot_service.storage import entries, prescriptions
from bot_service.web.loads import ladders, load_chart, steps_taken
from tests.climbed_again import Climb, dose_of, long_day, plan_file, short_day
from tests.drawn_records import Drawn

CHARTED = 84


def test_every_ladder_shows_the_step_now_and_each_step_since_care_began(drawn: Drawn) -> None:
    seen = Counter[str]()
    with drawn.clinic.db.read() as tx:
        for key in drawn.latest:
            life, (episode, _) = drawn.lives[key], drawn.records[key]
            past = prescriptions.list_of_episode(tx, episode.patient_id, key)
            expected, shown = drawn.climbed.standing(key), ladders(past, life.today)
            assert [(each.name, each.number, each.steps, each.text, each.since, each.words) for each in shown] == [
                (*_last(steps), "; ".join(f"step {step.number} from {short_day(step.day)}" for step in steps)) for steps in expected
            ]
            for each, steps in zip(shown, expected, strict=True):
                _check_line(each.line, [(step.day, step.number) for step in steps], past[0].starts_on, life.today, each.steps)
                seen.update({"climbed": len(steps) > 1, "fell": any(a.number > b.number for a, b in itertools.pairwise(steps))})
            assert steps_taken(past) == [
                (long_day(step.day), step.name, f"step {step.number} of {step.of}: {step.words}")
                for _, step in reversed(drawn.climbed.climbs(key))
            ]
    assert seen["climbed"] > 500 and seen["fell"] > 100, seen


def _last(steps: list[Climb]) -> tuple[str, int, int, str, str]:
    step = steps[-1]
    return step.name, step.number, step.of, step.words, short_day(step.day)


def _check_line(line: str, steps: list[tuple[date, int]], first: date, today: date, most: int) -> None:
    """Each step is a level line from its day to the next one's, at its share of the height and of the width."""
    points = [tuple(float(part) for part in each.split(",")) for each in line.split()]
    days = [*[day for day, _ in steps for _ in range(2)][1:], today]
    assert len(points) == len(days)
    for (x, y), day, (_, step) in zip(points, days, [each for each in steps for _ in range(2)], strict=True):
        share = (day - first).days / max((today - first).days, 1)
        assert abs(x - (3 + 154 * share)) < 0.06 and abs(y - (30 - 26 * (step - 1) / (most - 1))) < 0.06


def test_every_load_that_was_named_is_charted_listed_and_summed_up(drawn: Drawn) -> None:
    seen = 0
    with drawn.clinic.db.read() as tx:
        for key in drawn.latest:
            life, (episode, record) = drawn.lives[key], drawn.records[key]
            chart, named = load_chart(entries.list_current(tx, episode), record.episode_start, life.today), drawn.climbed.loads(key)
            if chart is None:
                assert not named
                continue
            kilos = [each for _, each in named]
            assert chart.rows == tuple((long_day(day), f"{each:g} kg") for day, each in reversed(named))
            assert chart.summary == (
                f"{len(named)} load{'s' * (len(named) != 1)} named: first {kilos[0]:g} kg, latest {kilos[-1]:g} kg on "
                f"{short_day(named[-1][0])}, heaviest {max(kilos):g} kg."
            )
            drawn_days = [(day, each) for day, each in named if day >= max(life.start, life.today - timedelta(days=CHARTED - 1))]
            assert [(point.day, point.words) for point in chart.points] == [(short_day(day), f"{each:g} kg") for day, each in drawn_days]
            for point, (_, each) in zip(chart.points, drawn_days, strict=True):
                zero, top = (float(mark.text) for mark in (chart.scale[0], chart.scale[-1]))
                height = chart.scale[0].at - (chart.scale[0].at - chart.scale[-1].at) * (each - zero) / (top - zero)
                assert abs(point.y - height) < 1
            seen += 1
    assert seen > 200


def test_the_patients_page_shows_steps_doses_running_weeks_and_how_many_decisions_as_the_documents_say(drawn: Drawn) -> None:
    seen, stages = Counter[str](), {stage["id"]: stage for stage in plan_file()["stages"]}
    for key, page in drawn.pages.items():
        document = drawn.climbed.documents[key][-1][1]
        low, high = stages[document["stage"]]["expected_weeks"]
        assert f"({low} to {high} weeks expected in this stage)" in page
        (running,) = re.findall(r"<p(?: class=\"quiet\")?>(Open: step.*?|Closed. Nothing about running is sent.)</p>", page)
        assert running == drawn.climbed.running(key)
        exercises = {item["exercise"]["name"]: item for item in document["exercises"] if item["started"]}
        lines = re.findall(
            r"<li><strong>([^<(]+?)(?: \([\w, ]+ only\))?</strong><br>(.*?)(?: <span class=\"quiet\">\((.*?)\)</span>)?</li>", page
        )
        assert {name for name, *_ in lines} == set(exercises) | ({"Run"} if document["run_step"] else set())
        for name, dose, step in lines:
            if name == "Run":
                assert step == f"step {document['run_step']}"
                continue
            item = exercises[name]
            rungs = [rung["id"] for rung in item["exercise"]["rungs"]]
            assert Counter(int(each) for each in re.findall(r"\d+", dose)) == dose_of(item), dose
            assert step == (f"step {rungs.index(item['rung']) + 1} of {len(rungs)}" if item["rung"] else "")
        gaps = [slot["min_gap_h"] for slot in document["slots"] if slot["min_gap_h"]]
        assert [int(each) for each in re.findall(r"at least (\d+) h after the last", page)] == gaps
        table = re.findall(r'<td data-label="Step now"><strong>(\d+) of (\d+)</strong>, since ([^<]+)<', page)
        assert table == [(str(steps[-1].number), str(steps[-1].of), short_day(steps[-1].day)) for steps in drawn.climbed.standing(key)]
        in_care = drawn.records[key][0].status == "active"
        counted = {"offers": drawn.climbed.offers(key) - 1, "decisions": drawn.climbed.decisions(key)} if in_care else Counter[str]()
        for what, words in (("offers", r"Steps offered to the patient before \((\d+)\)"), ("decisions", r"Decisions so far \((\d+)\)")):
            assert re.findall(words, page) == [str(counted[what])] * (counted[what] > 0)
        shown = [
            ("kilos", " kg</td>"),
            ("running", "Now at step"),
            ("offers", "Offered to the patient;"),
            ("decisions", "Decisions so far"),
        ]
        seen.update({what: 1 for what, words in shown if words in page})
        assert page.count(" kg</td>") == len(drawn.climbed.loads(key))
        assert page.count("Offered to the patient;") == drawn.climbed.offers(key) * in_care
    assert all(seen[what] > 3 for what in ("kilos", "running", "offers", "decisions")), seen
