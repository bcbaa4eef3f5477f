"""The page of rules, made from the rules themselves and the shipped plan: `python -m tests.rules_page > docs/clinical-rules.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from datetime import time
from typing import Any

from bot_service.clinical.catalogue import RULES, RuleText
from plans.loading import load_library
from plans.model import CarePlan

PLAN = "proximal_hamstring_tendinopathy"
KEYS: Mapping[str, tuple[str, ...]] = {
    "A1": ("session_pain.green_max",),
    "A2": ("session_pain.amber_max",),
    "A3": ("pain_ceiling", "session_pain.twice_days"),
    "A4": ("session_pain.severe_min", "session_pain.in_a_row_over", "session_pain.repeat_over", "session_pain.repeat_window"),
    "B1": ("after_24h.baseline_floor", "after_24h.settled_max", "after_24h.window_h"),
    "B2": ("after_24h.repeat_delta",),
    "B3": ("after_24h.worse_delta", "after_24h.repeat_delta", "after_24h.repeat_count"),
    "B4": ("review.week_on_week.rise", "review.week_on_week.weeks", "review.week_on_week.min_rated_days"),
    "C0": ("deload.rung_settled_days",),
    "C1": ("stages.early.progression", "adherence_target_pct", "min_reply_rate_pct"),
    "C2": ("stages.intermediate.progression", "adherence_target_pct", "min_reply_rate_pct"),
    "C3": ("stages.advanced.plyometric_unlock", "adherence_target_pct", "min_reply_rate_pct"),
    "C4": ("stages.advanced.progression", "plyometric_block_settled_days", "adherence_target_pct", "min_reply_rate_pct"),
    "C5": ("adherence_soft_pct", "adherence_target_pct"),
    "D1": (),
    "D2": tuple(
        f"review.plateau.{name}" for name in ("days", "compare_days", "min_points", "floor", "min_adherence_pct", "min_rated_days")
    ),
    "D3": ("review.missed_in_a_row",),
    "D4": ("review.low_adherence_pct", "review.low_adherence_days", "review.low_adherence_min_scheduled"),
    "D5": ("review.silent_days", "review.stop_prompts_days", "review.lost_contact_days"),
    "D6": ("stages.early.overdue_days", "stages.intermediate.overdue_days", "stages.advanced.overdue_days"),
    "D7": ("review.planned_review_days", "review.late_review_days"),
    "E1": ("deload.volume_cut_pct", "deload.sessions"),
    "E2": ("deload.volume_cut_pct", "deload.sessions"),
    "E3": (),
    "E4": ("deload.gap_days_easier", "deload.restart_volume_pct", "deload.gap_days_physio_first"),
    "X1": (),
    "X2": (),
    "X3": (),
    "X4": ("session_pain.severe_min", "session_pain.jump_asks_safety"),
    "X5": (),
    "X6": ("baseline_physio_first_above",),
    "X7": (),
    "X8": (),
    "X9": (),
}
"""The thresholds that each rule reads."""
OTHERS = (
    "session_pain.jump_asks_safety", "deload.settled_days_to_return",
    "review.pain_case_closes_after_settled_days",
    "review.reopen_after_h", "review.no_nudge_after_silent_days", "delivery.messages_a_day", "delivery.expires_after_min",
    "delivery.nudge_after_min", "delivery.quiet_from", "delivery.quiet_until",
)  # fmt: skip
"""Thresholds of the conversation rather than of one rule."""
HEAD = """# The rules

Every rule that looks at a patient's answers: what it is called, why it exists, the numbers of the shipped plan, and what they rest on.
This page is made from the rules themselves (`python -m tests.rules_page > docs/clinical-rules.md`); a test fails when the two differ.

**Nothing here has been signed off by a clinician.** "default" means that the number is a proposal of ours without a direct source. Every
number can be changed in the [plan file](plans.md); a prescription keeps the numbers it was made with. A name such as
`session_pain.severe_min` is the number's place in the plan file, below `[rules]` unless it begins with `stages`.

What the rules never do: change a stage, a dose or a ceiling, open plyometrics or running. They put a case or a proposal before a
physiotherapist, who decides.

One thing a physiotherapist may decide beforehand: that the patient takes the next rung of an exercise when C0 says that it is due. Then
the patient is offered one rung at a time, at most one in 7 days (default), together with the answer to a pain score. One that the patient
leaves for now is offered again after as many further settled days as made it due (default). Nothing is offered while anything blocks
progression, on hold, in a flare, or while a bigger step waits for the physiotherapist. Plyometric exercises are never offered.

Return to running is closed until a physiotherapist opens a range of its steps. Inside the range the next step is offered after two settled
runs (`return_to_run.settled_runs_per_step`, default) at least 48 hours apart (`return_to_run.min_gap_h`, default), each done in full and
not in an easier version; never beyond the range, and never the last step. After a severe score no run is prompted until the physio has
looked.

- **Loading day**: a local day with at least one session done or partly done. Its pain is the worst of that day's sessions; slots that the
  plan marks `optional` count for nothing, but runs count: they are optional for adherence only. Rules count loading days, not messages.
  Of the 24-hour answers to the last six, today's session is left out: it is asked about tomorrow.
- **Adherence** counts days: a day with several slots is done when one of its sessions is done, and partly done when the best was. In the
  Early Plan the extra session can be the one that is done; the holds on days off of the Intermediate Plan are `optional`.
- **Usual pain** (baseline): entered by the physio, or asked once before loading. It never rises by itself.
- **Missing is not missed**: days that were paused, and days on which we failed to send, count against nobody.
"""


def page() -> str:
    """The whole page."""
    plan = load_library()[PLAN]
    rules = "\n".join(_rule(name, text, plan) for name, text in RULES.items())
    others = "\n".join(f"- {_number(key, plan)}" for key in OTHERS)
    used = sorted(_sources(plan))
    return f"{HEAD}\n{rules}\n## Numbers of the conversation\n\n{others}\n\n## Sources\n\n" + "\n".join(
        f"- **{name}**: {plan.references[name]}" for name in used
    )


def leaves(values: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """The dotted keys of all thresholds below `[rules]`."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{above}{name}.") if name != "sources" else ()
        else:
            yield above + name


def _rule(name: str, text: RuleText, plan: CarePlan) -> str:
    numbers = "".join(f"- {_number(key, plan)}\n" for key in KEYS[name])
    return f"## {name} · {text.title}\n\n{text.why}\n\n{numbers}{'' if not numbers else chr(10)}Rests on: {text.basis}.\n"


def _number(key: str, plan: CarePlan) -> str:
    if key.startswith("stages."):
        _, stage, rest = key.split(".", 2)
        value = getattr(plan.stage(stage), rest)
        if hasattr(value, "model_dump"):
            parts = {name: each for name, each in value.model_dump().items() if name != "checklist"}
            tests = "".join(f"; the physio tests: {line}" for line in value.checklist)
            return f"`{key}`: " + ", ".join(f"{name} {each}" for name, each in parts.items()) + tests
    else:
        value = plan.rules
        for part in key.split("."):
            value = getattr(value, part)
    return f"`{key}` = {_plain(value)} ({plan.rules.sources.get(key, 'default')})"


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return " to ".join(map(str, value))
    return f"{value:%H:%M}" if isinstance(value, time) else str(value)


def _sources(plan: CarePlan) -> set[str]:
    given = {plan.rules.sources.get(key, "default") for keys in (*KEYS.values(), OTHERS) for key in keys}
    return {name for name in plan.references if any(name in text.replace(",", " ").replace(":", " ").split() for text in given)}


if __name__ == "__main__":
    sys.stdout.write(page() + "\n")
