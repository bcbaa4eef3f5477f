"""A clinician's own words on their way to a patient: under the patient's key for as long as they are kept."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from bot_service.storage.database import Tx
from bot_service.storage.episodes import Episode


def seal_words(tx: Tx, episode: Episode, words: str) -> str:
    """The words as a message's content may hold them."""
    return b64encode(tx.seal(episode.patient_id, _place(episode), words) or b"").decode()


def with_words(tx: Tx, episode: Episode, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The content with its sealed words readable, for the moment of sending."""
    if not any("sealed" in values for _, values in content.get("lines", ())):
        return content
    return {**content, "lines": [[key, _opened(tx, episode, values)] for key, values in content["lines"]]}


def _opened(tx: Tx, episode: Episode, values: Mapping[str, Any]) -> dict[str, Any]:
    if "sealed" not in values:
        return dict(values)
    rest = {name: value for name, value in values.items() if name != "sealed"}
    return rest | {"words": tx.unseal(episode.patient_id, _place(episode), b64decode(values["sealed"]))}


def _place(episode: Episode) -> str:
    return f"outbox.content:{episode.id}"
