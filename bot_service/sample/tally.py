"""What a played demo amounts to: the published numbers, what a week costs in messages, and the table that is printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from bot_service.storage import cases, figures, reviews
from bot_service.storage.database import Tx
from bot_service.storage.outbox import WENT_OUT

ENDS = ("sent", "expired", "in_doubt", "failed", "cancelled")
WIDTH = 80
CAPS = {"early": 21, "intermediate": 12, "advanced": 8, figures.WITH_PLYOMETRICS: 12}
"""What a week may cost in messages at most when everything is answered (`clinical.md` 0.12), in the order of the stages."""


@dataclass(frozen=True)
class DemoResult:
    """What was played. `as_object` gives the published keys; `messages_per_week` (bot messages by stage) is for the table only."""

    patients: int
    weeks: int
    seed: int
    prompts: Mapping[str, int]
    replies: Mapping[str, int]
    sessions: Mapping[str, int]
    flags: Mapping[str, int]
    progressions: Mapping[str, int]
    seconds: float
    messages_per_week: Mapping[str, float] = field(default_factory=dict)

    def as_object(self) -> dict[str, Any]:
        """The demo's JSON object, with the keys of the public contract and no others."""
        return {key: value for key, value in asdict(self).items() if key != "messages_per_week"}


def tally(tx: Tx, counted: Collection[UUID], last: date) -> dict[str, Mapping[str, Any]]:
    """The numbers of a run whose prompts are `counted` and whose last day is `last`. Every counted prompt is in an end state."""
    prompts = [prompt for prompt in figures.list_prompts(tx) if prompt.id in counted]
    ends = Counter("sent" if prompt.status in WENT_OUT else prompt.status for prompt in prompts)
    return {
        "prompts": {"due": len(prompts), **{end: ends[end] for end in ENDS}},
        "replies": _replies(tx),
        "sessions": _sessions(tx, prompts),
        "flags": _flags(tx),
        "progressions": _progressions(tx),
        "messages_per_week": _messages_per_week(tx, prompts, last),
    }


def table(result: DemoResult) -> str:
    """The result as plain text, at most 80 columns wide."""
    rows = [
        f"Weeks {result.weeks}, simulated patients {result.patients}, seed {result.seed}, played in {result.seconds:.0f} s",
        "",
        _row("Exercise prompts", {"due": result.prompts["due"], **{end.replace("_", " "): result.prompts[end] for end in ENDS}}),
        _row("Replies", {"read": result.replies["read"], "asked again": result.replies["asked_again"]}),
        _row("Sessions", {name.replace("_", " "): number for name, number in result.sessions.items()}),
        _row("Progressions", result.progressions),
        _row("Flags by rule", result.flags),
        _row("Messages a week", {stage: f"{number:.1f} of {CAPS[stage]}" for stage, number in result.messages_per_week.items()}),
        "",
        "Flags by rule: C0 to C4 are suggestions shown to the physio, all others are",
        "cases raised.",
        "Messages a week: what one patient gets from the service, by stage, all kinds,",
        "of what it may be when everything is answered.",
    ]
    return "\n".join(rows)


def _row(title: str, values: Mapping[str, object]) -> str:
    """`title   name number   name number …`, wrapped under the first number."""
    lines, line = [], f"{title:<18}" + ("" if values else "none")
    for name, value in values.items():
        cell = f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}"
        if len(line) + len(cell) + 3 > WIDTH:
            lines.append(line.rstrip())
            line = " " * 18
        line += cell + "   "
    return "\n".join([*lines, line.rstrip()])


def _replies(tx: Tx) -> dict[str, int]:
    again = figures.count_asked_again(tx)
    return {"read": figures.count_replies(tx) - again - figures.count_unread(tx), "asked_again": again}


def _sessions(tx: Tx, prompts: list[figures.Prompted]) -> dict[str, int]:
    """What was answered about each prompt that was sent; a pain score alone says that the session was done."""
    told: dict[tuple[UUID, date, int], str] = {}
    for entry in figures.list_outcomes(tx):
        key = (entry.episode_id, entry.day, entry.slot)
        told[key] = entry.outcome or told.get(key, "done")
    found = Counter(told.get((each.episode_id, each.day, each.slot), "no_reply") for each in prompts if each.status in WENT_OUT)
    return {name: found[name] for name in ("done", "partly", "not_done", "no_reply")}


def _flags(tx: Tx) -> dict[str, int]:
    """How often each rule fired: those that open or join a case, and the steps that are proposed (C5 is both, so it counts as a case)."""
    raised, proposed = cases.count_raised(tx), Counter[str]()
    for (rule, _), number in reviews.count_proposals(tx).items():
        proposed[rule] += number
    return dict(sorted({**proposed, **raised}.items()))


def _progressions(tx: Tx) -> dict[str, int]:
    states = Counter[str]()
    for (_, status), number in reviews.count_proposals(tx).items():
        states[status] += number
    return {"proposed": states.total(), "approved": states["approved"], "held": states["held"]}


def _messages_per_week(tx: Tx, prompts: list[figures.Prompted], last: date) -> dict[str, float]:
    """Messages that reached patients for each week in a stage, from enrolment to a week after the last prompt."""
    until = {prompt.episode_id: prompt.day + timedelta(days=7) for prompt in prompts}
    days: Counter[str] = Counter()
    for episode_id, starts in figures.list_stage_starts(tx).items():
        if episode_id in until:
            ends = [*(day for day, _ in starts[1:]), min(last, until[episode_id])]
            for (start, stage), end in zip(starts, ends, strict=True):
                days[stage] += max(0, (end - start).days)
    sent = figures.count_messages_by_stage(tx)
    return {stage: sent[stage] / (days[stage] / 7) for stage in _in_order(sent) if days[stage]}


def _in_order(stages: Collection[str]) -> list[str]:
    return sorted(stages, key=list(CAPS).index)
