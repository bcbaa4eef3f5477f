"""Before the patient has agreed, and after they stopped: who writes and why, the question whether they agree, and the way back."""

from __future__ import annotations

from bot_service.conversation.commands import planned_pause
from bot_service.conversation.parsing import Reading
from bot_service.conversation.situation import Ask, Asked, Close, CountAgain, Effect, Line, OptIn, OptOut, Resume, Situation, Told, Turn
from bot_service.conversation.states import ASK_AGAIN_AT_MOST
from bot_service.conversation.typed import consents, is_question, says_something

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
        if answer == "no":  # closed first, as what it was: a STOP closes every question as stopped
            return Turn((Close(target.id, "declined"), OptOut(declined=True)), (Line("declined"),))
        if answer == "later" or (reading.answer == "no" and not _asks(told, reading)):
            return Turn(lines=(Line("consent_later"),), read=False)
        if not told.started and reading.answer != "start":
            return _once_more(told, reading, target)
    return _ask_consent()


def _once_more(told: Told, reading: Reading, target: Asked) -> Turn:
    """The question once more, after who writes and why for somebody who asks; whoever has been asked twice is left in peace."""
    reads = (Line("who_reads"),) if reading.request == "privacy" else ()
    first = (Line("who_writes"), *reads, Line("not_watched")) if _asks(told, reading) else ()
    if target.asked_again >= ASK_AGAIN_AT_MOST:
        return Turn(lines=(*first, Line("consent_later")), read=False)
    return Turn((CountAgain(target.id),), (*first, Line("consent_again")), Ask("consent", again=target.id), read=False)


def after_refusal(told: Told, now: Situation) -> Turn:
    """Who said no to the question hears how to begin when they write again; after a STOP there is silence."""
    return Turn(lines=(Line("how_to_begin"),)) if now.refused and says_something(told.text, now.language) else Turn()


def _asks(told: Told, reading: Reading) -> bool:
    return reading.answer == "help" or is_question(told.text)


def come_back(now: Situation) -> Turn:
    """START after a STOP: who had agreed is back at once, who never has is asked first."""
    if not now.ever_agreed:
        return _ask_consent()
    back: tuple[Effect, ...] = (OptIn(),) if "clinic_pause" in now.held else (OptIn(), Resume())
    waits = next((said for hold, said in _WAITS.items() if hold in now.held), None)
    welcome = Line("back_again" if waits else "welcome_back")
    planned, ask = planned_pause(now)
    if now.baseline_known:
        return Turn(back, (welcome, Line(waits or "first_prompt"), *planned), ask)
    return Turn(back, (welcome, *planned[:1], Line("ask_baseline")), Ask("baseline"))


def _ask_consent() -> Turn:
    return Turn(lines=(Line("consent"), Line("not_watched"), Line("consent_question")), ask=Ask("consent"))
