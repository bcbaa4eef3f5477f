"""WhatsApp's service window: outside it only a neutral template may go out, and what it stands for follows once the patient answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from bot_service.actions.histories import local_today
from bot_service.actions.prompt import queue_for_patient
from bot_service.channels.whatsapp_texts import MOST_BUTTONS
from bot_service.conversation.situation import Turn
from bot_service.storage import conversations, episodes, outbox, receipts
from bot_service.storage.conversations import Question
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.outbox import Message
from bot_service.storage.patients import Address
from bot_service.storage.receipts import UNSEEN

WINDOW = timedelta(hours=23, minutes=50)
"""24 hours with a margin (`channels.md` 1B)."""
WITH_A_WINDOW = ("whatsapp",)
TEMPLATE = "daily"
AS_TEMPLATE = "(Sent as the neutral WhatsApp template. The message itself follows when the patient answers.)"
"""What the transcript shows of it, for staff."""
REFUSED = "refused_outside_window"
"""Key of a message's content: the provider's id under which it was refused as free text. It is tried once more, as a template."""
IN_WORDS = "buttons_refused"
"""Key of a message's content: the provider's id under which its buttons were refused. It is tried once more, with the answers in words."""
STANDS_FOR = "stands_for"
"""Key of a message's content: what it would have said on the day, where its template stands for something else than its own content."""
LOOK_BACK = timedelta(days=3)
"""How long what a template stood for is still worth showing (default)."""
SHOWN_FOR = timedelta(hours=6)
STALE = timedelta(hours=12)
_OF_THE_PROGRAMME = ("prompt", "check_in", "nudge")


def needs_template(tx: Tx, message: Message, address: Address, now: datetime) -> bool:
    """Whether free text to this address would be refused: asked when it goes out, since the window may have closed meanwhile."""
    is_open = address.last_inbound_at is not None and now - address.last_inbound_at < WINDOW
    return REFUSED in message.content or (not is_open and receipts.channel_of(tx, address.sender_id) in WITH_A_WINDOW)


def form_of(message: Message, *, by_template: bool, clinic: str) -> dict[str, Any]:
    """The fields of an `Outbound` that say in which form it goes: as the template, with buttons, or with its answers in words."""
    if by_template:
        return {"template": TEMPLATE, "values": {"1": clinic}, "window_open": False}
    return {"plain": IN_WORDS in message.content}


def marked(content: Mapping[str, Any], *, stands_for: Mapping[str, Any] | None) -> dict[str, Any]:
    """The content of a message, remembering when the patient will see only a template, and what that stands for."""
    own = {key: value for key, value in content.items() if key not in (UNSEEN, STANDS_FOR)}
    if stands_for is None:
        return own
    return {**own, UNSEEN: "yes"} if stands_for is content else {**own, UNSEEN: "yes", STANDS_FOR: stands_for}


def back_to_template(tx: Tx, message: Message, provider_id: str | None, now: datetime) -> bool:
    """Put a message that was refused as free text back in line, once, as a template. False when it was one, or it is too late."""
    if UNSEEN in message.content or REFUSED in message.content or message.patient_id is None or message.expires_at <= now:
        return False
    return _again(tx, message, REFUSED, provider_id, now, "the service window had closed")


def back_to_words(tx: Tx, message: Message, provider_id: str | None, now: datetime) -> bool:
    """Put a message whose buttons were refused back in line, once, with the answers named in words. False when it can have had none."""
    if IN_WORDS in message.content or UNSEEN in message.content or message.patient_id is None or message.expires_at <= now:
        return False
    if not 1 <= receipts.count_buttons(tx, message.id) <= MOST_BUTTONS:
        return False
    return _again(tx, message, IN_WORDS, provider_id, now, "its buttons were refused")


def _again(tx: Tx, message: Message, key: str, provider_id: str | None, now: datetime, reason: str) -> bool:
    content = {**message.content, key: provider_id or "at once"}
    back = {"content": content, "provider_id": None, "sent_at": None, "claimed_by": None, "lease_until": None}
    moved = outbox.move(tx, message.id, ("sending", "in_doubt", "sent"), "due", now, reason, **back)
    if moved:
        conversations.withdraw(tx, message.id)
    return moved


def list_unseen(tx: Tx, episode: Episode, now: datetime) -> list[Message]:
    """What the patient has seen only a template of."""
    return receipts.list_unseen(tx, episode.patient_id, now - LOOK_BACK)


def is_worth_showing(tx: Tx, episode: Episode, unseen: Sequence[Message], now: datetime) -> bool:
    """Whether any of it still has a point."""
    return any(True for _ in _to_show(tx, episode, unseen, now))


def without_the_question(turn: Turn) -> Turn:
    """The turn, unless it says no more than that it could not read an answer: what the patient has not seen yet follows instead."""
    asked_again = all(line.key in ("not_understood", "nothing_asked") or line.key.startswith("again_") for line in turn.lines)
    return Turn(read=False) if not turn.read and asked_again else turn


def show_unseen(tx: Tx, episode: Episode, unseen: Sequence[Message], now: datetime) -> None:
    """Queue what the templates stood for, as far as it still has a point, and remember that it was shown."""
    for message, content in list(_to_show(tx, episode, unseen, now)):
        queue_for_patient(tx, episode, now, "reply", f"shown:{message.id}", now, now + SHOWN_FOR, dict(content), lane="now")
    for message in unseen:
        receipts.mark_seen(tx, message)


def _to_show(tx: Tx, episode: Episode, unseen: Sequence[Message], now: datetime) -> Iterator[tuple[Message, Mapping[str, Any]]]:
    """Each question once, by the message that says most about it; none that is answered, nothing of a programme that is on hold."""
    if episode.patient_status != "opted_in" or episode.status != "active":
        return
    today = local_today(now, episode.zone)
    held = bool(episodes.list_holds_in_force(tx, episode.id, today))
    waiting = conversations.list_open(tx, episode.id, now)
    asked: set[UUID] = set()
    for message in sorted(unseen, key=lambda each: each.kind == "nudge"):
        of_programme = message.kind in _OF_THE_PROGRAMME
        old = message.day is not None and message.day < today and now - message.due_at > STALE
        if of_programme and (held or (message.kind == "prompt" and old)):
            continue
        said = message.content.get(STANDS_FOR, message.content)
        content = {key: value for key, value in said.items() if key not in (UNSEEN, REFUSED, IN_WORDS)}
        ask = content.get("ask")
        if ask:
            question = _open_question(ask, waiting)
            if question is None or question.id in asked:
                continue
            asked.add(question.id)
            content["ask"] = {**ask, "again": str(question.id)}
        yield message, content


def _open_question(ask: Mapping[str, Any], waiting: Sequence[Question]) -> Question | None:
    """The open question that this message asks, whichever message opened it."""
    about = (ask["kind"], ask.get("day"), ask.get("slot"))
    return next((each for each in waiting if (each.kind, each.day and each.day.isoformat(), each.slot) == about), None)
