"""What is said while a red flag holds the exercises: nothing about doing them, and the words are kept for the physio."""

from __future__ import annotations

from dataclasses import replace

from bot_service.conversation.parsing import Reading, read
from bot_service.conversation.showing import same_again
from bot_service.conversation.situation import (
    Ask,
    Asked,
    Close,
    CountAgain,
    Effect,
    ForPhysio,
    Line,
    OptIn,
    OptOut,
    Seen,
    Situation,
    Told,
    Turn,
)
from bot_service.conversation.typed import is_button, plain_yes_or_no, says_help, says_seen, says_something, says_talked

_ABOUT_EXERCISES = frozenset({"session", "session_pain", "pain_24h", "reason", "rung", "confirm_not_done"})
_SAID = frozenset(
    "recorded recorded_for recorded_24h_for recorded_done recorded_done_for recorded_partly recorded_partly_for corrected corrected_24h "
    "not_today not_today_pain not_done_for not_done_pain_for meant_instead meant_instead_24h baseline_fixed baseline_high which back_again "
    "which_done again_which rung_gone rung_not_yet nothing_to_change reason_pain reason_other reason_unwell welcome welcome_back "
    "ask_baseline again_baseline change_session change_session_pain change_pain_24h change_baseline progress help not_watched "
    "pause_planned ask_cancel_pause again_cancel_pause pause_cancelled pause_far_off "
    "pause_how_long again_pause_days confirm_pause again_confirm_pause paused paused_by_team pause_how_long_from "
    "confirm_pause_from paused_from stop_how again_which_time "
    "time_which time_half time_how confirm_time confirm_time_one again_confirm_time time_changed time_changed_one time_taken left_as_is "
    "given_to_physio safety_none also_wrote safety_before_which "
    "who_reads pause_withdrawn media_received late_24h again_safety again_new_or_worse again_seen "
    "recorded_function recorded_change measure_not_now measures_done measure_over change_function change_global_change".split()
)
"""Sentences that stay beside the one about the hold."""
_ALONE = frozenset(
    "too_much passed_on what_is_wrong "
    "safety_question new_or_worse new_or_worse_yes new_or_worse_no seen_yes seen_told seen_no seen_noted".split()
)
"""Sentences about the red flag itself, or about who reads what was sent: they need no reminder of it."""
_ABOUT_THE_FLAG = frozenset({"new_or_worse", "seen"})
_TALKED = {
    "again_seen": "again_talked",
    "seen_yes": "talked_yes",
    "seen_told": "talked_told",
    "seen_noted": "talked_yes",
    "seen_no": "talked_no",
}
"""What is said about having been seen, in the words for who wrote of suicide: whether they could talk to somebody, and nothing else."""
HOLD_TOLD = "held"
"""Among what was told today: that the exercises are on hold, in full."""
HOLD_IN_FULL = ("held_emergency", "held_urgent")
_TIERS = frozenset({"suicide", "EMERGENCY", "URGENT"})


def while_held(turn: Turn, told: Told, reading: Reading, now: Situation) -> Turn:
    """The turn as it may be said while a red flag holds the exercises; what was recorded stays.

    Whatever is written has an answer, but for thanks alone. What remains of an unreadable answer, and of "hello?", is the short sentence
    of the tier, the question about the red flag if one is open, and its words for the physio.
    """
    agreed = now.status == "opted_in" or any(isinstance(effect, OptIn) for effect in turn.effects)
    if turn.safety or not agreed or any(isinstance(effect, OptOut) for effect in turn.effects):
        return turn
    if not turn.lines:
        if not says_something(told.text, now.language):
            return turn
        turn = replace(turn, read=False)
    if any(line.key == "help" for line in turn.lines) and not says_help(told.text, now.language):
        turn = Turn(read=False)  # a question, and not for the list of what can be written here
    kept = tuple(line for line in turn.lines if line.key in _SAID | _ALONE)
    if now.red_flag in _TIERS:  # nobody who may need help today is sent to the team's working hours
        kept = tuple(line for line in kept if line.key != "passed_on")
    ask = _asked(turn, kept)
    if not kept and (asked := next((question for question in now.open if question.kind in _ABOUT_THE_FLAG), None)):
        kept, ask = (Line(f"again_{asked.kind}"),), same_again(asked)
    lines = kept if any(line.key in _ALONE for line in kept) else _with_hold(kept, ask, now)
    return Turn(_for_physio(turn, told, reading, now), lines, ask, turn.change, turn.read)


def about_talking(turn: Turn, question: Asked | None, now: Situation) -> Turn:
    """What follows "have you been able to talk to somebody?", also once a clinician has cleared the red flag: no word of being checked."""
    asked_so = question is not None and question.kind == "seen" and question.detail.get("of") == "suicide"
    if now.red_flag != "suicide" and not asked_so:
        return turn
    return replace(turn, lines=tuple(replace(line, key=_TALKED.get(line.key, line.key)) for line in turn.lines))


def what_it_answers(told: Told, now: Situation) -> Situation:
    """A yes or no answers the crisis text, or what was asked after it, and nothing that was asked about exercises before it."""
    if now.red_flag != "suicide" or told.tapped or told.replied_to or not _says_yes_or_no(told.text, now):
        return now
    return replace(now, open=tuple(question for question in now.open if question.kind not in _ABOUT_EXERCISES))


def _says_yes_or_no(text: str, now: Situation) -> bool:
    """A bare one, or any "I don't want to": only the words of the button say that of the exercises."""
    refuses = read(text, "did_you_exercise", now.language, now.today).session == "no" and not is_button(text, "not_today", now.language)
    return refuses or plain_yes_or_no(text, now.language) is not None


def seen_as_told(told: Told, reading: Reading, now: Situation) -> Turn | None:
    """ "Yes, the hospital said all fine": whether it was asked or not, an answer to "were you seen?", and no consent to anything else."""
    if "red_flag" not in now.held or told.tapped is not None or told.is_edit or reading.score is not None:
        return None
    talked = now.red_flag == "suicide" and says_talked(told.text, now.language)
    if not talked and not says_seen(told.text, now.language):
        return None
    asked = tuple(Close(question.id) for question in now.open if question.kind == "seen")
    return Turn((Seen(yes=True, unasked=True), ForPhysio("X3", told.text), *asked), (Line("seen_told"),))


def _asked(turn: Turn, kept: tuple[Line, ...]) -> Ask | None:
    """A correction is still taken, as a number; no other question about exercises is asked."""
    if turn.ask is None or turn.ask.kind not in _ABOUT_EXERCISES:
        return turn.ask
    if not any(line.key.startswith("change_") for line in kept):
        return None
    return replace(turn.ask, kind="session_pain") if turn.ask.kind == "session" else turn.ask


def _with_hold(kept: tuple[Line, ...], ask: Ask | None, now: Situation) -> tuple[Line, ...]:
    """The question, if any, comes last."""
    at = len(kept) - 1 if ask is not None and kept and kept[-1].key != "media_received" else len(kept)
    short = HOLD_TOLD in now.safety_told and not any(line.key == "back_again" for line in kept)
    hold = [line for line in _hold_lines(now, short=short) if line not in kept]
    return (*kept[:at], *hold, *kept[at:])


def _hold_lines(now: Situation, *, short: bool) -> tuple[Line, ...]:
    """That the exercises wait, and what to do in an emergency, in the words of what they wait for; in full once a day."""
    match now.red_flag:
        case "suicide":
            return (Line("held_suicide"),)
        case "EMERGENCY":
            return (Line("held_emergency_short" if short else "held_emergency"),)
        case "URGENT":
            return (Line("held_urgent_short" if short else "held_urgent"),)
    return (Line("held_for_physio"), Line("not_watched"))


def _for_physio(turn: Turn, told: Told, reading: Reading, now: Situation) -> tuple[Effect, ...]:
    effects = tuple(effect for effect in turn.effects if not isinstance(effect, CountAgain))
    words = bool(told.text.strip()) and (reading.answer != "none" or says_something(told.text, now.language))
    if turn.read or told.tapped is not None or not words or any(isinstance(effect, ForPhysio) for effect in effects):
        return effects
    return (*effects, ForPhysio("X3", told.text))
