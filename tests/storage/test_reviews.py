"""Cases and proposals: one open at a time, decided once, and only on the evidence that was shown."""

from __future__ import annotations

from threading import Barrier, Thread
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from bot_service.storage import cases, entries, episodes, reviews
from bot_service.storage.cases import Piece, Raised
from bot_service.storage.database import Database
from bot_service.storage.episodes import Episode
from bot_service.storage.tables import cases as case_table
from bot_service.storage.tables import proposals
from tests.kept_database import KeptDatabase
from tests.patience import PATIENT_S
from tests.running_clinic import open_quickly
from tests.storage.rows import HOUR, NOW, a_clinic, a_patient


def raised(rule: str = "A1", key: str = "pain", urgency: str = "three_days", evidence: tuple[UUID, ...] = ()) -> Raised:
    return Raised(key, rule, urgency, f"{rule} spoke", {"occurred": "2026-09-21"}, evidence)


class TestCases:
    def test_a_rule_that_speaks_again_joins_the_open_case(self, db: Database, episode: Episode) -> None:
        with db.begin() as tx:
            first, new = cases.raise_case(tx, NOW, episode, raised(), None)
            again, newer = cases.raise_case(tx, NOW + HOUR, episode, raised(), None)
            other, newest = cases.raise_case(tx, NOW + HOUR, episode, raised("B2"), None)
            assert first == again == other and (new, newer, newest) == (True, False, False)
            [case] = cases.list_open(tx, episode)
            assert set(case.reasons) == {"A1", "B2"} and case.rule == "A1"

    def test_new_evidence_makes_it_new_and_is_kept_once(self, db: Database, episode: Episode) -> None:
        with db.begin() as tx:
            entry = entries.add(tx, episode, NOW, kind="pain_during", day=NOW.date(), score=7)
            case_id, _ = cases.raise_case(tx, NOW, episode, raised(), None)
            assert cases.raise_case(tx, NOW, episode, raised(evidence=(entry.id,)), None) == (case_id, True)
            assert cases.raise_case(tx, NOW, episode, raised(evidence=(entry.id,)), None) == (case_id, False)
            assert cases.list_evidence(tx, case_id) == [Piece("A1", entry.id)]

    def test_something_more_urgent_opens_it_anew_and_something_less_does_not(self, db: Database, episode: Episode) -> None:
        with db.begin() as tx:
            case_id, _ = cases.raise_case(tx, NOW, episode, raised(urgency="same_day"), NOW + HOUR)
            assert cases.acknowledge_case(tx, NOW, case_id, "anna", episode.physio_id)
            cases.raise_case(tx, NOW, episode, raised("B2", urgency="routine"), None)
            [case] = cases.list_open(tx, episode)
            assert (case.status, case.urgency, case.due_at) == ("acknowledged", "same_day", NOW + HOUR)
            cases.raise_case(tx, NOW, episode, raised("D1", urgency="now"), NOW)
            [case] = cases.list_open(tx, episode)
            assert (case.status, case.urgency, case.rule, case.due_at) == ("open", "now", "D1", NOW)

    def test_it_is_acknowledged_once_and_closed_once(self, db: Database, episode: Episode) -> None:
        with db.begin() as tx:
            case_id, _ = cases.raise_case(tx, NOW, episode, raised(), None)
            assert cases.acknowledge_case(tx, NOW, case_id, "anna", episode.physio_id)
            assert not cases.acknowledge_case(tx, NOW, case_id, "sam", episode.physio_id)
            assert cases.close_case(tx, NOW, episode, case_id, "anna", "seen")
            assert not cases.close_case(tx, NOW, episode, case_id, "sam", "seen too")
            assert not cases.acknowledge_case(tx, NOW, case_id, "sam", episode.physio_id)
            [case] = cases.list_closed(tx, episode)
            assert (case.closed_by, case.close_reason) == ("anna", "seen")

    def test_after_it_closed_the_next_is_another_case(self, db: Database, episode: Episode) -> None:
        with db.begin() as tx:
            first, _ = cases.raise_case(tx, NOW, episode, raised(), None)
            cases.close_case(tx, NOW, episode, first, "anna", "seen")
            second, new = cases.raise_case(tx, NOW, episode, raised(), None)
            assert second != first and new

    def test_the_database_itself_refuses_a_second_open_case(self, db: Database, episode: Episode) -> None:
        with db.begin() as tx:
            cases.raise_case(tx, NOW, episode, raised(), None)
        row = {
            "id": db.new_id(), "clinic_id": episode.clinic_id, "episode_id": episode.id, "case_key": "pain", "rule": "A1", "urgency": "now",
            "status": "open", "sentence": "s", "reasons": {}, "opened_at": NOW,
        }  # fmt: skip
        with pytest.raises(IntegrityError), db.begin() as tx:
            tx.run(case_table.insert().values(row))

    def test_two_replicas_that_raise_it_at_once_raise_one(self, kept_postgres: KeptDatabase) -> None:
        db = open_quickly(kept_postgres.emptied())
        with db.begin() as tx:
            clinic = a_clinic(tx)
            people = [a_patient(tx, clinic, ref=f"P{number}") for number in range(20)]
        together, found = Barrier(2, timeout=PATIENT_S), set[UUID]()

        def work() -> None:
            for person in people:
                together.wait()
                with db.begin() as tx:
                    found.add(cases.raise_case(tx, NOW, person, raised(), None)[0])

        threads = [Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 20
        db.close()


class TestProposals:
    @pytest.fixture
    def proposal(self, db: Database, episode: Episode) -> UUID:
        with db.begin() as tx:
            made = reviews.propose(tx, NOW, episode, "C1", "early", "intermediate", {"sentence": "ready"})
        assert made is not None
        return made

    def decide(self, db: Database, episode: Episode, proposal: UUID, status: str = "approved", shown: int | None = 0) -> bool:
        with db.begin() as tx:
            return reviews.decide(tx, NOW, episode, proposal, status, episode.physio_id, shown, reason="steady", hold_until=None)

    def test_it_is_decided_once(self, db: Database, episode: Episode, proposal: UUID) -> None:
        assert self.decide(db, episode, proposal)
        assert not self.decide(db, episode, proposal, "held")
        with db.read() as tx:
            [kept] = reviews.list_proposals(tx, episode)
        assert (kept.status, kept.reason, kept.decided_by) == ("approved", "steady", episode.physio_id)

    def test_evidence_that_changed_since_it_was_shown_stops_the_decision(self, db: Database, episode: Episode, proposal: UUID) -> None:
        with db.begin() as tx:
            episodes.count_evidence(tx, episode.id)
            changed = episodes.load(tx, episode.id)
            assert reviews.propose(tx, NOW, changed, "C1", "early", "intermediate", {"sentence": "still ready"}) is None
        assert not self.decide(db, episode, proposal, shown=0)
        assert self.decide(db, episode, proposal, shown=1)

    def test_a_withdrawn_proposal_cannot_be_decided(self, db: Database, episode: Episode, proposal: UUID) -> None:
        with db.begin() as tx:
            assert reviews.withdraw_pending(tx, NOW, episode.id, keep="C1") == 0
            assert reviews.withdraw_pending(tx, NOW, episode.id) == 1
        assert not self.decide(db, episode, proposal)

    def test_another_patients_episode_does_not_decide_it(self, db: Database, proposal: UUID) -> None:
        with db.begin() as tx:
            stranger = a_patient(tx, a_clinic(tx, "theirs"))
        assert not self.decide(db, stranger, proposal)

    def test_the_database_itself_refuses_a_second_pending_one(self, db: Database, episode: Episode, proposal: UUID) -> None:
        row = {
            "id": db.new_id(), "clinic_id": episode.clinic_id, "episode_id": episode.id, "rule": "C1", "from_stage": "early", "detail": {},
            "evidence_version": 0, "status": "pending", "created_at": NOW,
        }  # fmt: skip
        with pytest.raises(IntegrityError), db.begin() as tx:
            tx.run(proposals.insert().values(row))
        assert self.decide(db, episode, proposal)


class TestOffers:
    def test_an_offer_is_the_patients_and_no_clinician_is_asked(self, db: Database, episode: Episode) -> None:
        with db.begin() as tx:
            reviews.propose(tx, NOW, episode, "C3", "advanced", None, {"sentence": "asked"})
            offer = reviews.offer(tx, NOW, episode, "C0", ("E1", "E1_2"), {"sentence": "offered"})
            assert [(item.id, item.offered, item.status) for item in reviews.list_offered(tx, episode)] == [
                (offer, ("E1", "E1_2"), "offered")
            ]
            pending = reviews.find_pending(tx, episode)
            assert pending and (pending.rule, pending.offered) == ("C3", None)
            assert reviews.withdraw_pending(tx, NOW, episode.id) == 1
            assert reviews.count_proposals(tx) == {("C3", "withdrawn"): 1}, "what patients were offered is not counted with it"
            assert reviews.count_proposals(tx, episode.clinic_id, NOW) == {("C3", "withdrawn"): 1}
            assert not reviews.count_proposals(tx, tx.new_id()), "another clinic's"
            assert not reviews.count_proposals(tx, episode.clinic_id, NOW + HOUR), "made before"
            assert [item.id for item in reviews.list_offered(tx, episode)] == [offer]

    def test_it_is_answered_once_and_the_next_one_takes_its_place(self, db: Database, episode: Episode) -> None:
        with db.begin() as tx:
            first = reviews.offer(tx, NOW, episode, "C0", ("E1", "E1_2"), {})
            second = reviews.offer(tx, NOW + HOUR, episode, "C0", ("E2", "E2_2"), {})
            assert not reviews.end_offer(tx, NOW + HOUR, first, "accepted"), "withdrawn when the second was made"
            assert reviews.end_offer(tx, NOW + HOUR, second, "accepted")
            assert not reviews.end_offer(tx, NOW + HOUR, second, "declined")
            assert [item.status for item in reviews.list_proposals(tx, episode)] == ["accepted", "withdrawn"]
