"""Every table in one place to import from; importing it fills the metadata."""

from __future__ import annotations

from bot_service.storage.care_tables import notes, outcomes
from bot_service.storage.message_tables import entries, inbox, media_links, outbox, questions
from bot_service.storage.notice_tables import alerts, leaves, notice_choices
from bot_service.storage.people_tables import (
    addresses,
    clinics,
    episodes,
    holds,
    imports,
    installation,
    invitations,
    name_tokens,
    patients,
    plan_versions,
    prescriptions,
    rates,
    senders,
    sign_ins,
    staff,
    unsealed,
)
from bot_service.storage.review_tables import audit, case_events, case_evidence, cases, proposals
from bot_service.storage.schema import metadata

__all__ = [
    "addresses",
    "alerts",
    "audit",
    "case_events",
    "case_evidence",
    "cases",
    "clinics",
    "entries",
    "episodes",
    "holds",
    "imports",
    "inbox",
    "installation",
    "invitations",
    "leaves",
    "media_links",
    "metadata",
    "name_tokens",
    "notes",
    "notice_choices",
    "outbox",
    "outcomes",
    "patients",
    "plan_versions",
    "prescriptions",
    "proposals",
    "questions",
    "rates",
    "senders",
    "sign_ins",
    "staff",
    "unsealed",
]
