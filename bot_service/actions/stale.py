"""A form says what it showed: what somebody else saved since then is never overwritten unread."""

from __future__ import annotations

from collections.abc import Mapping

from bot_service.errors import Conflict

Fields = Mapping[str, str]
"""A form's fields by their names, as text; what is not ticked is empty."""


class Stale(Conflict):
    """What a form showed is not what is kept any more. `now` holds the fields that differ, as they are kept."""

    def __init__(self, now: Fields) -> None:
        super().__init__("nothing is saved, because this was changed after you opened the page; look at it again")
        self.now = now


def check_fresh(showed: Fields | None, kept: Fields) -> None:
    """Raise Stale when what is kept differs from what a form showed. None: it was no form. Call it with what is compared locked."""
    other = {} if showed is None else {name: text for name, text in kept.items() if showed.get(name) != text}
    if other:
        raise Stale(other)
