"""The commands that a chat app's menu offers, each with what it does in the patient's language."""

from __future__ import annotations

from collections.abc import Mapping

from bot_service.conversation.wording import load_catalogue

_ENGLISH = {
    "start": "Begin, or get your reminders back",
    "plan": "Show today's exercises",
    "progress": "See how it is going",
    "pause": "Pause your reminders for some days",
    "time": "Change the time of your reminders",
    "help": "See what you can write here",
    "stop": "End all messages",
}


def menu(language: str) -> Mapping[str, str]:
    """Command to description, in the order to show; English where a catalogue has none."""
    return getattr(load_catalogue(language), "commands", None) or _ENGLISH
