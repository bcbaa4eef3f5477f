"""What machines ask: alive, ready or why not, and the measures."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

from sqlalchemy import text

from bot_service.clock import real_now
from bot_service.errors import ChannelUnavailable
from bot_service.storage import clinics
from tests.actions.test_delivering import failing
from tests.running_clinic import RunningClinic
from tests.web.lives import Browser


def test_it_lives(stranger: Browser) -> None:
    answer = stranger.client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_it_is_ready_only_after_a_tick_and_while_ticks_are_fresh(stranger: Browser) -> None:
    service = stranger.clinic.service
    assert stranger.client.get("/readyz").json()["reason"] == "no tick has been completed yet"
    asyncio.run(service.tick())
    assert stranger.client.get("/readyz").status_code == 200
    service.last_tick = real_now() - timedelta(seconds=31)
    answer = stranger.client.get("/readyz")
    assert answer.status_code == 503
    assert "more than 30 s" in answer.json()["reason"]


def test_it_is_not_ready_with_a_schema_of_another_version_or_without_a_database(stranger: Browser) -> None:
    service = stranger.clinic.service
    service.last_tick = real_now()
    with service.db.begin() as tx:
        tx.run(text("update alembic_version set version_num = '9999'"))
    assert "newer version" in stranger.client.get("/readyz").json()["reason"]
    with service.db.begin() as tx:
        tx.run(text("drop table alembic_version"))
    assert "stepwise migrate" in stranger.client.get("/readyz").json()["reason"]


def test_a_stopped_sender_is_named_and_keeps_no_reply_out(stranger: Browser) -> None:
    service, sender = stranger.clinic.service, stranger.clinic.sender
    asyncio.run(service.tick())
    assert stranger.client.get("/readyz").json() == {"status": "ready"}
    with service.db.begin() as tx:
        clinics.mark_sender(tx, sender.id, "broken", "refused")
    answer = stranger.client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "stopped_senders": 1})
    assert measures(Browser(stranger.clinic))["stepwise_senders_stopped"] == 1


def measures(browser: Browser) -> dict[str, float]:
    found = browser.client.get("/metrics").text
    return {name: float(value) for name, value in re.findall(r"^(stepwise_[^ ]+) (\S+)$", found, flags=re.MULTILINE)}


def test_measures_count_messages_replies_flags_and_lateness(sqlite_clinic: RunningClinic) -> None:
    browser = Browser(sqlite_clinic)
    assert measures(browser)["stepwise_send_lateness_seconds_count"] == 0
    person = sqlite_clinic.in_care("Jo Park")
    asyncio.run(sqlite_clinic.service.move_clock(sqlite_clinic.clock.now() + timedelta(days=1)))
    asyncio.run(person.say("done, 9"))
    found = measures(browser)
    assert found['stepwise_messages{kind="prompt",state="sent"}'] == 1
    assert found['stepwise_messages{kind="check_in",state="due"}'] == 1
    assert found["stepwise_messages_overdue"] == 0
    assert found['stepwise_inbound{state="handled"}'] == 1
    assert found['stepwise_flags_open{urgency="same_day"}'] == 1
    assert found["stepwise_send_lateness_seconds_count"] == found['stepwise_send_lateness_seconds_bucket{le="1.0"}'] > 0
    assert measures(browser)["stepwise_send_lateness_seconds_count"] == found["stepwise_send_lateness_seconds_count"]
    assert "Jo" not in browser.client.get("/metrics").text


def test_a_message_that_had_to_be_tried_again_is_late_since_it_first_fell_due(sqlite_clinic: RunningClinic) -> None:
    browser = Browser(sqlite_clinic)
    sqlite_clinic.in_care("Jo Park")
    before = measures(browser)["stepwise_send_lateness_seconds_sum"]
    failing(sqlite_clinic, lambda: ChannelUnavailable("connection refused"), 2)
    asyncio.run(sqlite_clinic.service.move_clock(sqlite_clinic.clock.now() + timedelta(days=1)))
    assert measures(browser)["stepwise_send_lateness_seconds_sum"] - before >= 30 + 120
