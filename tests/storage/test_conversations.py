"""Open questions: one of a kind about a session, closed once, and taken back with a message that never went out."""

from __future__ import annotations

from dataclasses import replace

from bot_service.storage import conversations, entries, outbox
from bot_service.storage.conversations import Question
from bot_service.storage.database import Database, Tx
from bot_service.storage.episodes import Episode
from tests.storage.rows import HOUR, NOW, ClinicRows, a_message, a_patient

TODAY = NOW.date()


def ask(tx: Tx, episode: Episode, clinic: ClinicRows, key: str, kind: str = "session", hours: int = 0, slot: int = 1) -> Question:
    """Open a question with a message of its own."""
    message = a_message(tx, episode, clinic.sender_id, key)
    at = NOW + hours * HOUR
    question = Question(tx.new_id(), episode.id, message, kind, TODAY, slot, {}, at, at + 30 * HOUR, None, None, 0)
    conversations.open_question(tx, question, episode.clinic_id)
    return question


def open_now(tx: Tx, episode: Episode, hours: int = 1) -> list[str]:
    return [str(question.id) for question in conversations.list_open(tx, episode.id, NOW + hours * HOUR)]


def test_asking_again_about_a_session_takes_the_place_of_the_first(db: Database, clinic: ClinicRows, episode: Episode) -> None:
    with db.begin() as tx:
        first = ask(tx, episode, clinic, "1")
        other_slot, other_kind = ask(tx, episode, clinic, "2", slot=2), ask(tx, episode, clinic, "3", kind="pain_24h")
        again = ask(tx, episode, clinic, "4", hours=1)
        assert set(open_now(tx, episode, 2)) == {str(each.id) for each in (other_slot, other_kind, again)}
        closed = conversations.find(tx, episode.id, first.id)
        assert closed is not None and closed.closed_why == "asked_again"


def test_a_question_is_closed_once_and_lapses_by_itself(db: Database, clinic: ClinicRows, episode: Episode) -> None:
    with db.begin() as tx:
        question = ask(tx, episode, clinic, "1")
        assert open_now(tx, episode, 29) and not open_now(tx, episode, 30)
        assert conversations.close(tx, question.id, NOW, "answered")
        assert not conversations.close(tx, question.id, NOW, "answered")


def test_another_patients_question_is_not_found(db: Database, clinic: ClinicRows, episode: Episode) -> None:
    with db.begin() as tx:
        question = ask(tx, episode, clinic, "1")
        stranger = a_patient(tx, clinic, "Sam", "P002")
        assert conversations.find(tx, stranger.id, question.id) is None
        assert conversations.find(tx, episode.id, question.id) == question


def test_taking_a_question_back_opens_again_what_it_displaced(db: Database, clinic: ClinicRows, episode: Episode) -> None:
    with db.begin() as tx:
        first = ask(tx, episode, clinic, "1")
        nudge = ask(tx, episode, clinic, "2", hours=1)
        assert nudge.outbox_id is not None
        conversations.withdraw(tx, nudge.outbox_id)
        assert open_now(tx, episode, 2) == [str(first.id)]
        assert conversations.find(tx, episode.id, nudge.id) is None


def test_taking_a_question_back_does_not_open_what_was_answered_or_closed_before(
    db: Database, clinic: ClinicRows, episode: Episode
) -> None:
    with db.begin() as tx:
        answered, stopped = ask(tx, episode, clinic, "1"), ask(tx, episode, clinic, "2", slot=2)
        conversations.close(tx, answered.id, NOW + HOUR, "answered")
        conversations.close_all(tx, episode.id, NOW + HOUR, "stopped")
        nudge = ask(tx, episode, clinic, "3", hours=1)
        assert nudge.outbox_id is not None
        conversations.withdraw(tx, nudge.outbox_id)
        assert open_now(tx, episode, 2) == []
        assert conversations.find(tx, episode.id, stopped.id) is not None


def test_a_question_that_was_answered_is_not_taken_back(db: Database, clinic: ClinicRows, episode: Episode) -> None:
    """An answer that came while the call was failing used to break the transaction that recorded the failure."""
    with db.begin() as tx:
        question = ask(tx, episode, clinic, "1")
        entries.add(tx, episode, NOW, kind="session", day=TODAY, slot=1, outcome="done", question_id=question.id)
        conversations.close(tx, question.id, NOW, "answered")
        assert question.outbox_id is not None
        conversations.withdraw(tx, question.outbox_id)
        kept = conversations.find(tx, episode.id, question.id)
        assert kept == replace(question, closed_at=NOW, closed_why="answered")


def test_the_message_with_a_providers_id_leads_to_its_question(db: Database, clinic: ClinicRows, episode: Episode) -> None:
    with db.begin() as tx:
        question = ask(tx, episode, clinic, "1")
        assert question.outbox_id is not None
        outbox.move(tx, question.outbox_id, ("due",), "sent", NOW, provider_id="p1")
        assert conversations.find_by_message(tx, episode.id, "p1") == question
        assert conversations.find_by_message(tx, episode.id, "p2") is None
