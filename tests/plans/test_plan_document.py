"""The page on writing plans names every key that a plan may have."""

from __future__ import annotations

from pathlib import Path

import pytest

import plans.exercises
import plans.model
import plans.thresholds
from plans.checks import PLACEHOLDERS

PAGE = (Path(__file__).parents[2] / "docs" / "plans.md").read_text(encoding="utf-8")
PARTS = [
    *(plans.model.CarePlan, plans.model.Stage, plans.model.ReturnToRun, plans.model.Tip, plans.model.Question),
    *(plans.exercises.Dose, plans.exercises.Rung, plans.exercises.Exercise, plans.exercises.Extra, plans.exercises.Slot),
    *(plans.thresholds.ProgressionRule, plans.thresholds.SessionPain, plans.thresholds.NextDay, plans.thresholds.Plateau),
    *(plans.thresholds.WeekOnWeek, plans.thresholds.Review, plans.thresholds.Deload, plans.thresholds.Delivery, plans.thresholds.Rules),
]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_key_is_on_the_page(part: type[plans.model.Part]) -> None:
    assert [name for name in part.model_fields if name not in PAGE] == []


def test_every_placeholder_is_on_the_page() -> None:
    assert [name for name in PLACEHOLDERS if f"`{{{name}}}`" not in PAGE] == []
