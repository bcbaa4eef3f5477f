"""What is said at once when words may mean something serious: fixed texts by tier, never a diagnosis."""

from __future__ import annotations

from bot_service.clinical.red_flags import RedFlag
from bot_service.conversation.answers import ENTRY
from bot_service.conversation.parsing import Reading
from bot_service.conversation.situation import (
    Ask,
    Asked,
    AskedErasure,
    Close,
    Effect,
    Keep,
    Line,
    OptOut,
    RedFlagged,
    Situation,
    Told,
    Turn,
)
from bot_service.conversation.states import KINDS


def red_flag_turn(reading: Reading, told: Told, target: Asked | None, now: Situation) -> Turn:
    """The tier's fixed text, the case, and STOP too when the same message asked for it. A number in it stays unconfirmed."""
    flag = reading.red_flag
    if flag is None:
        return Turn()
    effects: list[Effect] = [RedFlagged(flag.tier, flag.family, told.text)]
    effects += [Close(question.id) for question in now.open if question.kind in ("safety", "what_is_wrong")]  # this is the answer
    if reading.stop and now.status != "opted_out":
        effects.append(OptOut(declined=now.status != "opted_in"))
    effects += asks_erasure(reading, told)
    if reading.score is not None and target is not None and KINDS[target.kind].scored and target.kind in ENTRY:
        day = target.day or now.today
        effects.append(Keep(ENTRY[target.kind], day, target.slot, reading.score, question_id=target.id, confirmed=False))
    if now.status == "discharged" and flag.family != "suicide":
        return Turn(tuple(effects), (Line(f"safety_ended_{flag.tier.lower()}"),), safety=True)
    if told_as(flag) in now.safety_told:
        return Turn(tuple(effects), (Line(_REPEAT[told_as(flag)]),), safety=True)
    if target is not None and target.kind == "seen" and flag.family == "hospital":
        return Turn((*effects, Close(target.id)), (Line("seen_noted"),), safety=True)
    ask = Ask("new_or_worse") if flag.tier == "PROMPT" and not reading.stop and now.status == "opted_in" else None
    stopped = (Line("stopped_too"),) if reading.stop and now.status == "opted_in" and flag.family != "suicide" else ()
    erased = (Line("erasure_told"),) if stopped and reading.erase else ()
    return Turn(tuple(effects), (*_text(flag, asks=ask is not None), *stopped, *erased), ask, safety=True)


def asks_erasure(reading: Reading, told: Told) -> tuple[AskedErasure, ...]:
    """That what is kept should be erased, if the message asks for it."""
    return (AskedErasure(told.text),) if reading.erase else ()


_REPEAT = {
    "EMERGENCY": "safety_repeat_short",
    "URGENT": "safety_repeat_short",
    "PROMPT": "safety_repeat_prompt",
    "suicide": "safety_repeat_suicide",
}


def told_as(flag: RedFlag | RedFlagged) -> str:
    """What counts as the same full text on one day: the tier, but for suicidal words, whose text is their own."""
    return "suicide" if flag.family == "suicide" else flag.tier


def something_is_wrong() -> Turn:
    """The *Something's wrong* button: the safety question's list, then the patient's own words."""
    return Turn(lines=(Line("what_is_wrong"),), ask=Ask("what_is_wrong"))


def _text(flag: RedFlag, *, asks: bool) -> tuple[Line, ...]:
    if flag.family == "suicide":
        return (Line("safety_suicide"),)
    if flag.tier == "PROMPT":
        return (Line("safety_prompt"), Line("new_or_worse")) if asks else (Line("safety_prompt"),)
    return (Line(f"safety_{flag.tier.lower()}"),)
