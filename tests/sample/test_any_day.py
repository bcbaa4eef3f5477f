"""The twelve stories hold whatever the date and the time of the first start, and the same start gives the same clinic."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.running_clinic import prompts_by_status
from tests.sample.rooms import Room, play_room

SHOWN = ("Maya", "Tom", "Priya", "Daniel", "Joan", "Kwame", "Ellen", "Marco", "Sofia", "Liam", "Hannah", "Peter")
STARTS = (
    datetime(2026, 3, 29, 0, 30, tzinfo=UTC),  # a Sunday night, half an hour before the clocks go forward in the United Kingdom
    datetime(2026, 10, 26, 6, 10, tzinfo=UTC),  # a Monday, early, the day after they go back
    datetime(2027, 1, 1, 22, 45, tzinfo=UTC),  # a Friday, late in the evening, the first of the year
)


@pytest.fixture(scope="module", params=STARTS, ids=lambda start: f"{start:%a %d %b %H:%M}")
def room(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    played = play_room(tmp_path_factory.mktemp("day") / "sample.db", request.param)
    yield played
    played.db.close()


def untold(room: Room) -> dict[str, object]:
    """The patients whose story does not show, with what shows instead."""
    told = {
        "Maya": _next_stage_waits(room),
        "Tom": {"A3", "B3"} <= room.rules("Tom"),
        "Priya": room.rules("Priya") == {"B3"},
        "Daniel": "D5" in room.rules("Daniel") and room.held("Daniel") == {"lost_contact"},
        "Joan": "D3" in room.rules("Joan"),
        "Kwame": "D1" in room.rules("Kwame") and room.held("Kwame") == {"red_flag"},
        "Ellen": _put_right(room),
        "Marco": room.held("Marco") == {"pause"},
        "Sofia": room.episode("Sofia").patient_status == "opted_in" and room.episode("Sofia").baseline == 4,
        "Liam": room.episode("Liam").zone == "Australia/Sydney" and _was_sent(room, "Liam") > 15,
        "Hannah": _near_sport(room),
        "Peter": room.patient("Peter").status == "opted_out" and "X1" in room.rules("Peter"),
    }
    well = {name: not room.rules(name) for name in ("Maya", "Ellen", "Marco", "Sofia", "Liam", "Hannah")}
    return {name: _standing(room, name) for name in SHOWN if not (told[name] and well.get(name, True))}


def test_every_story_shows(room: Room) -> None:
    assert untold(room) == {}


def test_every_prompt_that_fell_due_has_come_to_an_end(room: Room) -> None:
    assert not {"claimed", "sending"} & set(prompts_by_status(room.db, room.now))


def test_the_same_start_gives_the_same_clinic(tmp_path: Path) -> None:
    one, two = (play_room(tmp_path / f"{name}.db", STARTS[0], weeks=2) for name in ("one", "two"))
    for name in SHOWN:
        assert _lived(one, name) == _lived(two, name)
    for room in (one, two):
        room.db.close()


def _lived(room: Room, name: str) -> object:
    """What was said and recorded, by the day: how long a retry waits is drawn anew each time, by seconds."""
    shown = [(each.at.date(), each.kind, each.text) for each in room.shown(name)]
    return shown, [(each.at.date(), each.kind, each.score) for each in room.entries(name)]


def _next_stage_waits(room: Room) -> bool:
    proposal = room.pending("Maya")
    return proposal is not None and (proposal.rule, proposal.to_stage) == ("C2", "advanced") and _age(room, proposal.created_at) < 7


def _put_right(room: Room) -> bool:
    kept = [entry for entry in room.entries("Ellen") if entry.kind == "pain_during"]
    scores = {entry.id: entry.score for entry in kept}
    right = [(scores[entry.supersedes_id], entry.score) for entry in kept if entry.supersedes_id and _age(room, entry.at) < 3]
    return (7, 2) in right


def _near_sport(room: Room) -> bool:
    pending = room.pending("Hannah")
    unlocked = room.record("Hannah").prescription.plyometrics_unlocked
    return room.episode("Hannah").stage == "advanced" and unlocked and (pending is None or pending.rule != "C4")


def _was_sent(room: Room, name: str) -> int:
    return sum(shown.kind == "prompt" for shown in room.shown(name))


def _age(room: Room, at: datetime) -> float:
    return (room.now - at) / timedelta(days=1)


def _standing(room: Room, name: str) -> object:
    episode, pending = room.episode(name), room.pending(name)
    standing = (episode.stage, episode.patient_status, episode.baseline)
    return standing, sorted(room.rules(name)), sorted(room.held(name)), pending and (pending.rule, pending.created_at)
