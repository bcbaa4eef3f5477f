"""What notices to staff say: a reference and a link, no patient's name, nothing the patient wrote, no score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot_service.clinical.catalogue import RED_FLAG, RULES
from bot_service.clinical.duty import Step

LINKED = "This chat now gets your notices from Stepwise. Nothing you write here is read or kept. To stop: My notices, in Stepwise."
STAFF_CHAT = "This chat only carries notices for staff. Nothing you write here is read, and it reaches no patient's record: use Stepwise."
ONE_CHAT_EACH = (
    "This chat gets the notices of a member of staff, so it cannot be a patient's as well. "
    "Use another Telegram account, or unlink this one under My notices first."
)
_WHY = {
    "tell": "You are told because this is your patient.",
    "check": "You are told because this is your patient. The first notice may not have reached you.",
    "remind": "Nobody has acknowledged it yet.",
    "deputy": "You are told as deputy: nobody has acknowledged it yet.",
    "lead": "You are told as clinic lead: nobody has acknowledged it within the clinic's limit.",
}
_COVERS = "You are told because you look after {name}'s patients while they are away."


@dataclass(frozen=True)
class FlagNotice:
    """What a notice about one flag needs. `covers`: whose patient it is, unless the reader's; `initials` where the clinic wants them."""

    ref: str
    rule: str
    step: Step
    link: str
    covers: str | None = None
    initials: str | None = None
    again: bool = False


def flag_text(notice: FlagNotice) -> str:
    """The notice: its first line is the subject of a mail."""
    kind = "Red flag" if notice.rule == RED_FLAG else "Flag"
    first = {"remind": "Reminder: ", "deputy": "Deputy: ", "lead": "Clinic lead: "}.get(notice.step, "")
    why = _COVERS.format(name=notice.covers) if notice.covers and notice.step in ("tell", "check") else _WHY[notice.step]
    lines = [
        f"{first}{kind.lower() if first else kind} for {notice.ref}{f' ({notice.initials})' if notice.initials else ''}",
        "",
        RULES[notice.rule].title if notice.rule in RULES else "Please look",
        notice.link,
        "",
        why,
        "Acknowledge it on that page, and nobody else is told.",
    ]
    if notice.again:
        lines += ["", "This was sent before, and it is not known whether that copy arrived."]
    return "\n".join(lines)


def digest_text(subject: str, lines: Sequence[str], link: str) -> str:
    """A digest: its first line is the subject of a mail."""
    return "\n".join([subject, "", *lines, "", link, "What you get and when: My notices, in Stepwise."])


def sign_in_text(link: str) -> str:
    """A one-time link: its first line is the subject of a mail."""
    return f"Your sign-in link for Stepwise\n\n{link}\n\nIt works once, within a day. Show it to nobody: whoever opens it is you."


def initials_of(name: str) -> str:
    """J.P. for Jo Park."""
    return "".join(f"{part[0].upper()}." for part in name.split() if part)[:8]
