"""What patients told us: only ever added to, and a correction supersedes exactly one entry, once."""

from __future__ import annotations

import inspect

import pytest
from sqlalchemy.exc import IntegrityError

from bot_service.storage import entries
from bot_service.storage.database import Database
from bot_service.storage.episodes import Episode
from bot_service.storage.tables import entries as table
from tests.running_clinic import open_quickly
from tests.storage.rows import HOUR, NOW

TODAY = NOW.date()


def test_no_function_of_storage_changes_or_removes_an_entry() -> None:
    source = inspect.getsource(entries)
    assert "update(" not in source and ".delete(" not in source


def test_a_correction_keeps_the_old_value_and_hides_it(db: Database, episode: Episode) -> None:
    with db.begin() as tx:
        first = entries.add(tx, episode, NOW, kind="pain_during", day=TODAY, slot=1, score=3)
        second = entries.add(tx, episode, NOW + HOUR, kind="pain_during", day=TODAY, slot=1, score=5, supersedes_id=first.id)
        third = entries.add(tx, episode, NOW + HOUR, kind="pain_during", day=TODAY, slot=1, score=4, supersedes_id=second.id)
        assert [entry.score for entry in entries.list_all(tx, episode)] == [3, 5, 4]
        assert [entry.id for entry in entries.list_current(tx, episode)] == [third.id]


def test_what_another_process_records_is_seen(db: Database, database_url: str, episode: Episode) -> None:
    other = open_quickly(database_url)
    with db.begin() as tx:
        first = entries.add(tx, episode, NOW, kind="pain_during", day=TODAY, slot=1, score=3)
    for one in (db, other):
        with one.read() as tx:
            assert [entry.score for entry in entries.list_current(tx, episode)] == [3]
    with other.begin() as tx:
        entries.add(tx, episode, NOW, kind="pain_during", day=TODAY, slot=1, score=5, supersedes_id=first.id)
        entries.add(tx, episode, NOW, kind="pain_24h", day=TODAY, score=1)
    other.close()
    with db.read() as tx:
        assert [entry.score for entry in entries.list_current(tx, episode)] == [5, 1]


def test_what_was_undone_is_not_remembered(db: Database, episode: Episode) -> None:
    def record_then_fail() -> None:
        entries.add(tx, episode, NOW, kind="pain_during", day=TODAY, slot=1, score=3)
        assert [entry.score for entry in entries.list_current(tx, episode)] == [3]
        raise ValueError("deliberate")

    with db.begin() as tx:
        assert not tx.shielded(record_then_fail)
        assert entries.list_current(tx, episode) == []
    with pytest.raises(ValueError, match="deliberate"), db.begin() as tx:
        record_then_fail()
    with db.begin() as tx:
        entries.add(tx, episode, NOW, kind="pain_during", day=TODAY, slot=2, score=7)
    with db.read() as tx:
        assert [entry.score for entry in entries.list_current(tx, episode)] == [7]


def test_an_entry_is_superseded_once(db: Database, episode: Episode) -> None:
    with db.begin() as tx:
        first = entries.add(tx, episode, NOW, kind="pain_during", day=TODAY, score=3)
        entries.add(tx, episode, NOW, kind="pain_during", day=TODAY, score=5, supersedes_id=first.id)
    with pytest.raises(IntegrityError), db.begin() as tx:
        entries.add(tx, episode, NOW, kind="pain_during", day=TODAY, score=6, supersedes_id=first.id)


@pytest.mark.parametrize("score", [-1, 11, 100])
def test_a_score_outside_0_to_10_is_refused_by_the_database(db: Database, episode: Episode, score: int) -> None:
    with pytest.raises(IntegrityError), db.begin() as tx:
        entries.add(tx, episode, NOW, kind="pain_during", day=TODAY, score=score)


def test_entries_are_numbered_in_the_order_recorded_whatever_their_times(db: Database, episode: Episode) -> None:
    with db.begin() as tx:
        for hours in (5, 1, 3):
            entries.add(tx, episode, NOW + hours * HOUR, kind="note", day=TODAY, note=str(hours))
        assert [(entry.seq, entry.note) for entry in entries.list_all(tx, episode)] == [(1, "5"), (2, "1"), (3, "3")]


def test_an_entry_names_the_prescription_it_was_made_under(db: Database, episode: Episode) -> None:
    with db.begin() as tx:
        assert entries.add(tx, episode, NOW, kind="session", day=TODAY, outcome="done").prescription_id == episode.prescription_id


def test_no_two_entries_of_an_episode_have_the_same_number(db: Database, episode: Episode) -> None:
    with db.begin() as tx:
        entries.add(tx, episode, NOW, kind="note", day=TODAY)
    row = {"id": db.new_id(), "clinic_id": episode.clinic_id, "episode_id": episode.id, "seq": 1, "kind": "note", "day": TODAY, "at": NOW}
    with pytest.raises(IntegrityError), db.begin() as tx:
        tx.run(table.insert().values(row))
