"""Before the patient has agreed, and after they stopped: who writes and why, the question whether they agree, and the way back."""

from __future__ import annotations

from bot_service.conversation.parsing import Reading
from bot_service.conversation.situation import Ask, Asked, Close, Effect, Line, OptIn, OptOut, Resume, Situation, Told, Turn
from bot_service.conversation.typed import consents, is_question

_WAITS = {"clinic_pause": "paused_by_team", "red_flag": "held_for_physio", "physio_first": "held_for_physio"}
"""What is said instead of when the exercises come, while they do not."""


def before_opt_in(told: Told, reading: Reading, target: Asked | None, now: Situation) -> Turn:
    """Yes, no, or the question once more; whoever asks who writes and why is told that first."""
    answer = told.answer or consents(told.text, now.language)
    if now.status == "asked" and target is not None and target.kind == "consent":
        if answer == "yes":
            effects: tuple[Effect, ...] = (OptIn(), Close(target.id))
            if now.baseline_known:
                return Turn(effects, (Line("welcome"), Line("first_prompt"), Line("not_watched")))
            return Turn(effects, (Line("welcome"), Line("ask_baseline")), Ask("baseline"))
        if answer == "no":
            return Turn((OptOut(declined=True), Close(target.id, "declined")), (Line("declined"),))
        if not told.started:
            asks = reading.answer == "help" or is_question(told.text)
            first = (Line("who_writes"), Line("not_watched")) if asks else ()
            return Turn(lines=(*first, Line("consent_again")), ask=Ask("consent", again=target.id), read=False)
    return _ask_consent()


def come_back(now: Situation) -> Turn:
    """START after a STOP: who had agreed is back at once, who never has is asked first."""
    if not now.ever_agreed:
        return _ask_consent()
    back: tuple[Effect, ...] = (OptIn(),) if "clinic_pause" in now.held else (OptIn(), Resume())
    waits = next((said for hold, said in _WAITS.items() if hold in now.held), None)
    welcome = Line("back_again" if waits else "welcome_back")
    if now.baseline_known:
        return Turn(back, (welcome, Line(waits or "first_prompt")))
    return Turn(back, (welcome, Line("ask_baseline")), Ask("baseline"))


def _ask_consent() -> Turn:
    return Turn(lines=(Line("consent"), Line("not_watched"), Line("consent_question")), ask=Ask("consent"))
