"""What somebody still writes in a chat that its patient has left for another: red-flag words and STOP count there all the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from bot_service.actions.apply import ANSWER_KEPT, apply_turn
from bot_service.actions.consent import say_to_stranger, stop_from_left_chat
from bot_service.actions.histories import local_today
from bot_service.actions.patient_cases import Heard, raise_erasure
from bot_service.actions.voices import voice_for
from bot_service.conversation.commands import without_slash
from bot_service.conversation.parsing import read
from bot_service.conversation.safety import red_flag_turn
from bot_service.conversation.situation import Situation, Told
from bot_service.messages import Inbound
from bot_service.storage import episodes
from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode
from bot_service.storage.inbox import Received
from bot_service.storage.patients import Address

_IN_WORDS = ("text", "media", "edit")
_FILLED = ("clinic", "emergency", "urgent", "crisis", "hours")


def heed_left_chat(tx: Tx, received: Received, inbound: Inbound, left: Address, now: datetime) -> bool:
    """Carry out red-flag words and STOP, which one message may hold both, and answer where they were written. False for anything else."""
    episode = episodes.find_of_patient(tx, left.patient_id, lock=True)
    in_words = inbound.heard in _IN_WORDS and not inbound.start_code
    if episode is not None and in_words and _flagged(tx, received, inbound, episode, now):
        return True
    if episode is not None and in_words and (words := _erasure(inbound, episode)):
        raise_erasure(tx, episode, words, Heard(received.id, received.at), now)
    return stop_from_left_chat(tx, received, inbound, left, now)


def _erasure(inbound: Inbound, episode: Episode) -> str:
    return inbound.text if read(inbound.text, None, episode.language).erase else ""


def _flagged(tx: Tx, received: Received, inbound: Inbound, episode: Episode, now: datetime) -> bool:
    told = without_slash(Told(text=inbound.text), episode.language)
    said = read(told.text, None, episode.language)
    if said.red_flag is None:
        return False
    status = episode.patient_status if episode.status == "active" else "discharged"
    turn = red_flag_turn(said, told, None, Situation(local_today(now, episode.zone), status, episode.language))
    apply_turn(tx, episode, replace(turn, lines=(), ask=None), told, Heard(received.id, received.at), now)
    voice = voice_for(tx, episode, now)  # the chat is nobody's any more, so nothing would fill in the clinic's numbers later
    filled = {name: getattr(voice, name) for name in _FILLED}
    lines: list[list[Any]] = [[line.key, filled] for line in turn.lines if turn.ask is None or line.key != turn.ask.kind]
    # Each such message is answered, also the second of a day.
    say_to_stranger(tx, received, inbound, f"safety:{received.id}", now, language=episode.language, lines=lines, kept=ANSWER_KEPT)
    return True
