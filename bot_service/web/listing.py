"""What the caseload was asked for: read from the address of the page, and written back into every link on it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

from bot_service.clinical.needs import WANTS_SOMEBODY, Need
from bot_service.storage.staff import Member
from bot_service.storage.standing import Wanted
from bot_service.web.header import CHANNELS
from plans.model import CarePlan

LONGEST = 60
"""Letters of a search that are read."""
GROUPS: Mapping[str, tuple[str, frozenset[Need]]] = {
    "all": ("Everybody", frozenset(Need)),
    "needs": ("Needs somebody", WANTS_SOMEBODY),
    "red": ("Red flag", frozenset({Need.RED_FLAG})),
    "review": ("Review due", frozenset({Need.FLAG})),
    "step": ("Progression due", frozenset({Need.STEP})),
    "unreachable": ("Unreachable", frozenset({Need.UNREACHABLE})),
    "silent": ("Silent", frozenset({Need.SILENT})),
    "low": ("Low adherence", frozenset({Need.LOW})),
    "waiting": ("Not started", frozenset({Need.WAITING})),
    "track": ("On track", frozenset({Need.ON_TRACK})),
    "away": ("Paused or ended", frozenset({Need.AWAY})),
}
WHOSE = {
    "mine": "My patients",
    "queue": "Team queue: nobody looks after it yet",
    "team": "The team's patients",
    "all": "All, with those whose care has ended",
}
SIDES = {"left": "Left", "right": "Right", "both": "Both sides"}
UNSENT = {"week": "Not sent by us, last 7 days"}
"""Exercises that did not go out, or may not have."""
UNSENT_DAYS = 7
Filter = Literal["physio", "stage", "plan", "side", "channel", "unsent"]
FILTERS: Mapping[Filter, str] = {
    "stage": "Stage",
    "physio": "Physio",
    "plan": "Condition",
    "side": "Side",
    "channel": "Reached on",
    "unsent": "Exercises",
}
Choices = Mapping[Filter, Mapping[str, str]]


@dataclass(frozen=True)
class Asked:
    """Whose patients, which group, which words and filters, and the page; what is unknown counts as not asked."""

    whose: str
    show: str = "all"
    q: str = ""
    stage: str = ""
    physio: str = ""
    plan: str = ""
    side: str = ""
    channel: str = ""
    unsent: str = ""
    page: int = 1

    @property
    def filters(self) -> dict[Filter, str]:
        """The filters in force."""
        return {name: getattr(self, name) for name in FILTERS if getattr(self, name)}

    @property
    def narrowed(self) -> bool:
        return bool(self.q or self.filters)

    @property
    def cleared(self) -> str:
        """The address of the same list without words and filters."""
        return Asked(self.whose, self.show).link()

    def link(self, **changes: str | int) -> str:
        """The address of this list with `changes`; its first page unless one is named."""
        asked = replace(self, **{"page": 1, **changes})  # type: ignore[arg-type]  # names and types of the fields
        told = {"whose": asked.whose, "show": asked.show, "q": asked.q} | {str(name): value for name, value in asked.filters.items()}
        told["page"] = str(asked.page)
        left_out = {"show": "all", "q": "", "page": "1"}
        return "/?" + urlencode({name: value for name, value in told.items() if left_out.get(name) != value})

    def wanted(self, mine: Collection[UUID], now: datetime) -> Wanted:
        """The same for the database; `mine` are the physios whose patients are one's own."""
        return Wanted(
            mine=frozenset(mine) if self.whose == "mine" else None,
            ended=self.whose == "all",
            untaken=self.whose == "queue",
            physio=UUID(self.physio) if self.physio else None,
            stage=self.stage,
            plan=self.plan,
            side=self.side,
            channel=self.channel,
            unsent=now - timedelta(days=UNSENT_DAYS) if self.unsent else None,
            words=self.q,
        )


def read_asked(query: Mapping[str, str], choices: Choices, *, has_own: bool) -> Asked:
    """What the address asks for; without `whose`, one's own patients if there are any."""

    def one_of(name: str, known: Collection[str], otherwise: str = "") -> str:
        value = query.get(name, "").strip()
        return value if value in known else otherwise

    page = query.get("page", "")
    return Asked(
        whose=one_of("whose", WHOSE, "mine" if has_own else "team"),
        show=one_of("show", GROUPS, "all"),
        q="".join(c for c in query.get("q", "")[:LONGEST] if c.isprintable()).strip(),
        page=max(1, int(page)) if page.isascii() and page.isdecimal() and len(page) < 7 else 1,
        **{name: one_of(name, choices.get(name, {})) for name in FILTERS},
    )


def choices(team: Sequence[Member], plans: Collection[CarePlan], channels: Collection[str]) -> Choices:
    """What each filter offers; one that would leave nothing to choose is not shown."""
    found: dict[Filter, dict[str, str]] = {
        "stage": {stage.id: stage.title for plan in plans for stage in plan.stages},
        "physio": {str(member.id): member.name for member in team if member.role == "physio"},
        "plan": {plan.id: plan.title for plan in plans},
        "side": SIDES,
        "channel": {channel: CHANNELS.get(channel, channel) for channel in sorted(channels)},
    }
    return {name: offered for name, offered in found.items() if len(offered) > 1} | {"unsent": UNSENT}
