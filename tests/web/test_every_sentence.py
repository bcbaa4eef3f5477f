"""The figures inside sentences: of every rule, of what speaks against a step, and of what is due, over a thousand drawn records."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import date
from html import unescape

from sqlalchemy import select

from bot_service.app import Service
from bot_service.clinical.concerns import concerns
from bot_service.clinical.flags import flags_for
from bot_service.storage import tables
from tests.drawn_records import Drawn
from tests.said_again import Said
from tests.web.lives import Browser

LOOKED_AGAIN = 12


def test_every_figure_in_what_a_rule_says_is_that_of_the_rows(drawn: Drawn) -> None:
    seen = Counter[str]()
    for key in drawn.latest:
        record = drawn.records[key][1]
        said = {flag.rule: flag.sentence for flag in flags_for(record)}
        assert said == Said(drawn.lives[key]).all(), drawn.lives[key].ref
        seen.update(list(said))
    assert all(seen[rule] > 1 for rule in ("A3", "A4", "B2", "B3", "B4", "D2", "D3", "D4", "D5", "D6", "D7", "E4")), seen


class Unhurried(Service):
    """Shows pages and sends nothing, so that the drawn records stay as they are."""

    async def heed(self) -> None:
        """What was posted waits for a tick, and there is none."""


def test_what_speaks_against_a_step_is_said_with_its_figures_and_shown_with_the_last_days(drawn: Drawn) -> None:
    with drawn.clinic.db.read() as tx:
        cases = tx.all(select(tables.cases.c.episode_id, tables.cases.c.rule).where(tables.cases.c.closed_at.is_(None)))
    service = Unhurried(drawn.clinic.service.settings, drawn.clinic.db, drawn.clinic.service.library, drawn.clinic.clock, in_threads=False)
    browser, opened, seen = Browser(replace(drawn.clinic, service=service)).sign_in(), 0, Counter[int]()
    for key in drawn.latest:
        life, (episode, record) = drawn.lives[key], drawn.records[key]
        open_rules, said = {row.rule for row in cases if row.episode_id == key}, Said(life)
        expected = said.against_a_step(open_rules)
        assert list(concerns(record, record.prescription.progression, open_rules)) == expected
        seen.update({len(expected): 1})
        if opened < LOOKED_AGAIN and len(expected) > 2 and episode.status == "active" and life.stage != "advanced":
            browser.get(f"/patients/{life.ref}")
            browser.post(f"/patients/{life.ref}/decision", {"decision": "step_up", "reason": "fit"}, shown=str(episode.evidence_version))
            listed = [
                unescape(each)
                for each in re.findall(r"<li>(.*?)</li>", browser.page.partition('class="blockers"')[2].partition("</ul>")[0])
            ]
            assert listed == expected
            rows = re.findall(r'<th scope="row">(.*?)(?: <span.*?>(above 5)</span>)?</th><td.*?>(.*?)</td><td.*?>(.*?)</td>', browser.page)
            assert rows == [_row(*each) for each in life.loading()[:-9:-1]]
            opened += 1
    assert opened == LOOKED_AGAIN and all(seen[number] > 20 for number in range(4)), seen


def _row(day: date, during: int | None, after: int | None) -> tuple[str, str, str, str]:
    return f"{day:%a} {day.day} {day:%b %Y}", "above 5" * (max(during or 0, after or 0) > 5), _score(during), _score(after)


def _score(pain: int | None) -> str:
    return "–" if pain is None else f"{pain}/10"
