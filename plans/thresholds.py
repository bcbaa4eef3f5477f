"""The numbers of a plan: every threshold that judges an answer, and the strict base that all parts of a plan share."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Score = Annotated[int, Field(ge=0, le=10)]
Percent = Annotated[int, Field(ge=0, le=100)]
Days = Annotated[int, Field(ge=1, le=400)]
Text = Annotated[str, Field(min_length=1, max_length=900)]
Key = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,47}$")]


class Part(BaseModel):
    """Base of every part of a plan: immutable, and an unknown key is a mistake rather than ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ProgressionRule(Part):
    """When a stage may be proposed as complete (C1, C2, C4). Counts are loading days; scores 0-10."""

    min_days: Days
    last_n: Annotated[int, Field(ge=1, le=30)]
    min_answered_24h: Annotated[int, Field(ge=0, le=30)]
    session_max: Score
    next_max: Score
    adherence_days: Days
    quiet_days: Days
    checklist: tuple[Text, ...] = ()


class SessionPain(Part):
    """Bands of the worst pain in a session (A1-A4), how often is too often, and the jump that asks the safety question."""

    green_max: Score
    amber_max: Score
    severe_min: Score
    repeat_over: Annotated[int, Field(ge=2, le=10)]
    repeat_window: Annotated[int, Field(ge=2, le=20)]
    in_a_row_over: Annotated[int, Field(ge=2, le=10)] = 2
    twice_days: Days
    jump_asks_safety: Annotated[int, Field(ge=1, le=10)]


class NextDay(Part):
    """What pain about 24 hours later means (B1-B3), compared with the baseline; above `settled_max` it is never settled."""

    baseline_floor: Score
    worse_delta: Annotated[int, Field(ge=1, le=10)]
    repeat_delta: Annotated[int, Field(ge=1, le=10)]
    repeat_count: Annotated[int, Field(ge=2, le=10)]
    window_h: tuple[int, int]
    settled_max: Score


class Plateau(Part):
    """No progress (D2): days looked at, points of pain it should have fallen, the median from which it counts, adherence in percent."""

    days: Days
    min_points: Score
    floor: Score
    min_adherence_pct: Percent
    compare_days: Days = 14
    min_rated_days: Annotated[int, Field(ge=1, le=14)] = 3


class WeekOnWeek(Part):
    """A slow rise (B4): points that the weekly median goes up, and for how many weeks running."""

    rise: Score
    weeks: Annotated[int, Field(ge=2, le=8)]
    min_rated_days: Annotated[int, Field(ge=1, le=7)] = 2


class Review(Part):
    """When the physio should look again for reasons other than a single answer (D2-D7), and when cases close and reopen."""

    low_adherence_pct: Percent
    low_adherence_days: Days
    low_adherence_min_scheduled: Annotated[int, Field(ge=1, le=14)] = 3
    missed_in_a_row: Annotated[int, Field(ge=2, le=14)]
    silent_days: Days
    stop_prompts_days: Days
    no_nudge_after_silent_days: Days
    lost_contact_days: Days
    plateau: Plateau
    week_on_week: WeekOnWeek
    planned_review_days: Days
    late_review_days: Days
    pain_case_closes_after_settled_days: Annotated[int, Field(ge=1, le=30)]
    reopen_after_h: Annotated[int, Field(ge=1, le=720)]


class Deload(Part):
    """Advice after pain (E1-E4): percentages of volume, sessions it lasts, and the gaps that change a restart."""

    volume_cut_pct: tuple[Percent, Percent]
    sessions: tuple[int, int]
    gap_days_easier: Days
    gap_days_physio_first: Days
    settled_days_to_return: Annotated[int, Field(ge=1, le=14)]
    rung_settled_days: Days
    restart_volume_pct: Percent = 60


class Delivery(Part):
    """Defaults of the messages: minutes of lateness after which a prompt is not sent; quiet hours, local; nudge delay."""

    expires_after_min: Annotated[int, Field(ge=10, le=1440)]
    quiet_from: time
    quiet_until: time
    nudge_after_min: Annotated[int, Field(ge=30, le=1440)]
    messages_a_day: Annotated[int, Field(ge=1, le=4)]


class Rules(Part):
    """Every threshold that is the same in all stages. `sources` says for each dotted key where the number comes from, or "default"."""

    pain_ceiling: Score
    baseline_physio_first_above: Score
    session_pain: SessionPain
    after_24h: NextDay
    min_reply_rate_pct: Percent
    adherence_target_pct: Percent
    adherence_soft_pct: Percent
    plyometric_block_settled_days: Annotated[int, Field(ge=1, le=60)] = 4
    review: Review
    deload: Deload
    delivery: Delivery
    sources: dict[str, str]
