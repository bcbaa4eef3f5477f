"""The list that the database sorts and counts, against what the pages say of each patient, over a thousand drawn records."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from bot_service.clinical.needs import Need
from bot_service.clock import MovableClock
from bot_service.storage import tables
from bot_service.storage.caseload import Listed
from bot_service.storage.database import Database, Tx
from bot_service.storage.standing import Part, Place, Wanted, load_standings
from bot_service.web.attention import Attention
from bot_service.web.caseload import tonight
from bot_service.web.times import local_day
from tests.drawn_clinic import CHANNELS, SIDES, DrawnClinic
from tests.listed import EVERYBODY, listed, standings
from tests.running_clinic import RunningClinic, open_clinic

PATIENTS = 1000
Told = tuple[Listed, Attention]


@pytest.fixture
def drawn(db: Database, clock: MovableClock) -> RunningClinic:
    clinic = open_clinic(db, clock)
    DrawnClinic(clinic, seed=5).write(PATIENTS)
    return clinic


def latest(tx: Tx, clinic: RunningClinic) -> list[Told]:
    """Each patient once, with the active episode or the one that ended last, as the page sorts them by hand."""
    by_patient: dict[UUID, list[Told]] = {}
    for item, said in listed(tx, clinic.clinic.id, clinic.clock.now()).values():
        by_patient.setdefault(item.patient_id, []).append((item, said))
    chosen = [max(told, key=lambda each: _recency(each[0])) for told in by_patient.values()]
    return sorted(chosen, key=lambda each: each[1].order(each[0].ref))


def _recency(item: Listed) -> tuple[bool, object, str]:
    return item.ended_at is None, item.ended_at, item.episode_id.hex


def place(told: Told, clinic: RunningClinic) -> Place:
    today = local_day(clinic.clock.now(), clinic.clinic.zone)
    reasons = told[1].reasons
    due = any(each.need is Need.RED_FLAG or (each.due_at and local_day(each.due_at, clinic.clinic.zone) <= today) for each in reasons)
    return Place(told[1].first.need, int(due), int(any(each.need is Need.STEP for each in reasons)))


def test_the_database_sorts_and_counts_a_thousand_records_as_the_page_would_by_hand(drawn: RunningClinic) -> None:
    with drawn.db.read() as tx:
        by_hand = latest(tx, drawn)
        found = standings(tx, drawn.clinic.id, drawn.clock.now())
    assert len(by_hand) == PATIENTS and {told[1].first.need for told in by_hand} == set(Need)
    assert list(found.episodes) == [item.episode_id for item, _ in by_hand]
    assert found.counts == Counter(place(told, drawn) for told in by_hand)


def test_every_filter_leaves_exactly_those_whom_it_names(drawn: RunningClinic) -> None:
    draw = random.Random(1)
    with drawn.db.read() as tx:
        by_hand, channels, sides = latest(tx, drawn), channels_of(tx), sides_of(tx)
        physios = sorted({item.physio_id for item, _ in by_hand}, key=str)
        for _ in range(60):
            wanted = Wanted(
                mine=draw.choice((None, frozenset(draw.sample(physios, 2)), frozenset(draw.sample(physios, 1)))),
                ended=draw.random() < 0.5,
                physio=draw.choice((None, None, draw.choice(physios))),
                stage=draw.choice(("", "", "early", "advanced")),
                plan=draw.choice(("", "", by_hand[0][0].plan_id, by_hand[0][0].plan_id, "another_condition")),
                side=draw.choice(("", *SIDES)),
                channel=draw.choice(("", *CHANNELS)),
                words=draw.choice(("", "", "d01", "D0042")),
            )
            fits = [
                told
                for told in by_hand
                if wanted.mine is None or told[0].physio_id in wanted.mine or told[1].first.need is Need.RED_FLAG
                if wanted.ended or told[0].ended_at is None or told[1].first.need is not Need.AWAY
                if wanted.physio in (None, told[0].physio_id)
                and wanted.stage in ("", told[0].stage)
                and wanted.plan in ("", told[0].plan_id)
                if wanted.side in ("", sides[told[0].prescription_id])
                if not wanted.channel or (told[0].patient_id, wanted.channel) in channels
                if wanted.words.upper() in told[0].ref
            ]
            found = standings(tx, drawn.clinic.id, drawn.clock.now(), wanted)
            assert list(found.episodes) == [item.episode_id for item, _ in fits], wanted
            assert found.counts == Counter(place(told, drawn) for told in fits), wanted


def test_pages_put_one_after_another_are_the_whole_list_once(drawn: RunningClinic) -> None:
    now = drawn.clock.now()
    with drawn.db.read() as tx:
        whole = standings(tx, drawn.clinic.id, now).episodes
        parts = [
            load_standings(tx, drawn.clinic.id, EVERYBODY, Part(tuple(Need), start, 50), now, tonight(now, drawn.clinic.zone)).episodes
            for start in range(0, PATIENTS, 50)
        ]
        red = load_standings(tx, drawn.clinic.id, EVERYBODY, Part((Need.SILENT, Need.LOW), 3, 10), now, tonight(now, drawn.clinic.zone))
        by_hand = [item.episode_id for item, told in latest(tx, drawn) if told.first.need in (Need.SILENT, Need.LOW)]
    assert [each for part in parts for each in part] == list(whole)
    assert list(red.episodes) == by_hand[3:13]


def test_what_time_alone_changes_is_never_out_of_date(drawn: RunningClinic) -> None:
    for hours in (7, 12, 31):
        drawn.clock.move_to(drawn.clock.now() + timedelta(hours=hours))
        with drawn.db.read() as tx:
            by_hand = latest(tx, drawn)
            found = standings(tx, drawn.clinic.id, drawn.clock.now())
        assert list(found.episodes) == [item.episode_id for item, _ in by_hand], hours
        assert found.counts == Counter(place(told, drawn) for told in by_hand), hours


def channels_of(tx: Tx) -> set[tuple[UUID, str]]:
    """Where each patient can be reached, or could."""
    query = select(tables.addresses.c.patient_id, tables.senders.c.channel, tables.addresses.c.status).join_from(
        tables.addresses, tables.senders, tables.addresses.c.sender_id == tables.senders.c.id
    )
    return {(row.patient_id, row.channel) for row in tx.all(query) if row.status != "left"}


def sides_of(tx: Tx) -> dict[UUID, str]:
    """The side that each prescription says it treats."""
    query = select(tables.prescriptions.c.id, tables.prescriptions.c.document)
    return {row.id: row.document["exercises"][0]["treated_side"] for row in tx.all(query)}
