"""No red-flag phrase is lost unseen: each listed one is tried in a sentence, and still raises what it raised."""

from __future__ import annotations

from bot_service.clinical.red_flags import TIERS, find_red_flag
from tests.clinical.kept_red_flags import kept


def test_every_kept_sentence_raises_its_tier_or_a_more_serious_one() -> None:
    """A phrase taken out on purpose: `python -m tests.clinical.kept_red_flags`, and judge each line of the diff."""
    lost = []
    for row in kept():
        flag = find_red_flag(row["text"], row["lang"])
        if flag is None or TIERS.index(flag.tier) > TIERS.index(row["tier"]):
            lost.append((row, flag))
    assert lost == []
