"""Where everybody of a clinic stands, decided and sorted by the database: what `web/attention.py` says of one patient, for all at once.

Nothing is kept, so nothing can be out of date; tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, bindparam, func, select, true

from bot_service.clinical.needs import WANTS_SOMEBODY, Need, needs_in_words
from bot_service.storage.database import Tx
from bot_service.storage.names import name_hashes
from bot_service.storage.patients import record_hash
from bot_service.storage.prepared import padded
from bot_service.storage.ranking import Shape, ranking, with_words
from bot_service.storage.tables import episodes, patients


@dataclass(frozen=True)
class Wanted:
    """Whom a list is about; None and "" leave a condition out. `mine` are some physios' patients, with everybody's red flags.

    `ended`: with those whose care has ended; otherwise they are listed only while something about them is open. `untaken`: those who need
    somebody, and nobody is looking after what presses most. `alone`: nobody else's red flags. `unsent`: exercises did not go out since.
    """

    mine: frozenset[UUID] | None = None
    ended: bool = False
    untaken: bool = False
    alone: bool = False
    physio: UUID | None = None
    stage: str = ""
    plan: str = ""
    side: str = ""
    channel: str = ""
    unsent: datetime | None = None
    words: str = ""


class Place(NamedTuple):
    """Where somebody stands: the `Need`, whether anything is due by the end of the clinic's day, and whether a step waits (1 or 0)."""

    need: int
    today: int
    step: int


@dataclass(frozen=True)
class Standings:
    """How many stand in each place, and the episodes that were asked for, those who need somebody first."""

    counts: Mapping[Place, int]
    episodes: Sequence[UUID]

    def count(self, needs: Collection[int]) -> int:
        """How many have one of these needs."""
        return sum(number for place, number in self.counts.items() if place.need in needs)

    def in_words(self) -> str:
        """3 patients need you today; 2 are ready for a step."""
        today = sum(number for place, number in self.counts.items() if place.today)
        steps = sum(number for place, number in self.counts.items() if place.step)
        late = (Need.STEP, *(Need(need) for need in Need if need not in WANTS_SOMEBODY))
        return needs_in_words(today, steps, sum(n for place, n in self.counts.items() if not place.today and place.need not in late))


@dataclass(frozen=True)
class Part:
    """The part of a list that is shown: those with these needs, from a place in the list on."""

    needs: Collection[int]
    start: int
    length: int


def load_standings(tx: Tx, clinic_id: UUID, wanted: Wanted, part: Part, now: datetime, tonight: datetime) -> Standings:
    """Everybody wanted is counted; one part is listed. `tonight` is when the clinic's day ends. One statement, so that all agrees."""
    days, hashes = _days(tx, clinic_id, now), name_hashes(tx, wanted.words)
    values: dict[str, Any] = {"clinic": clinic_id, "now": now, "tonight": tonight}
    values |= {"needs": sorted(map(int, part.needs)), "start": part.start, "length": part.length}
    values |= {f"day_{number}": day for number, day in enumerate(days)}
    if len(days) > 1:
        values |= {f"zones_{number}": zones for number, zones in enumerate(days.values())}
    if wanted.mine is not None:
        values["mine"] = padded(sorted(wanted.mine, key=str))
    values |= {name: value for name in _FILTERS if (value := getattr(wanted, name))}
    if wanted.words:
        values |= {"in_ref": f"%{_unmeant(wanted.words.upper())}%", "record": record_hash(tx, wanted.words)}
        values |= {f"word_{number}": each for number, each in enumerate(hashes)}
    with _joined_whole(tx):
        rows = tx.all(ranking(_shape(wanted, len(hashes), len(days))), values)
    counted = {Place(row.need, row.today, row.step): row.number for row in rows if row.number}
    return Standings(counted, [row.episode for row in rows if not row.number][: part.length])


_FILTERS = ("physio", "stage", "plan", "side", "channel", "unsent")


def _shape(wanted: Wanted, words: int, days: int) -> Shape:
    return Shape(
        mine=wanted.mine is not None,
        alone=wanted.alone,
        untaken=wanted.untaken,
        ended=wanted.ended,
        words=words if wanted.words else None,
        days=days,
        **{name: bool(getattr(wanted, name)) for name in _FILTERS},
    )


def _unmeant(words: str) -> str:
    """The same words for LIKE, to which nothing in them means anything."""
    return words.replace("/", "//").replace("%", "/%").replace("_", "/_")


def _days(tx: Tx, clinic_id: UUID, now: datetime) -> Mapping[date, list[str]]:
    """The dates it is for the clinic's patients, each with the zones where it is; where there are none, any."""
    found: dict[date, list[str]] = {}
    for row in tx.all(_ZONES, {"clinic": clinic_id}):
        found.setdefault(now.astimezone(ZoneInfo(row.zone)).date(), []).append(row.zone)
    return found or {now.date(): []}


_ZONES = select(patients.c.zone).where(patients.c.clinic_id == bindparam("clinic")).distinct()


@contextmanager
def _joined_whole(tx: Tx) -> Iterator[None]:
    """Tables are read once and joined whole: PostgreSQL, before it has counted a new clinic, would read them once for each patient."""
    if not tx.db.is_sqlite:
        tx.run(_JOIN_WHOLE, {})
    yield
    if not tx.db.is_sqlite:
        tx.run(_JOIN_FREELY, {})


_JOIN_WHOLE = select(*(func.set_config(name, "off", true()) for name in ("enable_nestloop", "jit")))
_JOIN_FREELY = select(func.set_config("enable_nestloop", "on", true()))


def has_patients(tx: Tx, physio_ids: Collection[UUID]) -> bool:
    """Whether anybody in care is one of these physios'."""
    return tx.first(_OWN, {"physios": list(physio_ids)}) is not None


_OWN = select(episodes.c.id).where(episodes.c.physio_id.in_(bindparam("physios", expanding=True)), episodes.c.ended_at.is_(None)).limit(1)


def named(tx: Tx, words: str) -> ColumnElement[bool]:
    """Whose name has words that begin with every one of `words`."""
    return with_words(name_hashes(tx, words))
