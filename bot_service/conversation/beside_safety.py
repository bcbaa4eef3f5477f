"""What is said while the safety question is open beside a question about pain: a number counts, and the question stays. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot_service.clinical.words import tokens
from bot_service.conversation.amounts import number_at
from bot_service.conversation.answers import record_score
from bot_service.conversation.choices import answer_choice
from bot_service.conversation.items import Item, items_of
from bot_service.conversation.language import language_for
from bot_service.conversation.parsing import Reading, read
from bot_service.conversation.reports import answer_told
from bot_service.conversation.showing import same_again
from bot_service.conversation.situation import Ask, Asked, Close, CountAgain, ForPhysio, Keep, Line, Situation, Told, Turn
from bot_service.conversation.states import KINDS
from bot_service.conversation.typed import means_nothing, names_a_number, plain_yes_or_no, typed_answer

_SAID_WITHOUT = frozenset({"exercises", "day_after_settled"})
_INTRODUCE = frozenset({"lead", "copula", "article", "filler", "now", "mark", "paren", "conj", "conj_and", "then", "emoji", "-", "thanks"})
"""What may stand between the answer about safety and the number without saying anything of its own."""
_OF_THE_NUMBER = _INTRODUCE | {"cue", "home"}
"""And, beyond a break, the name of what the number is: "none. pain 3"."""


def is_for_either(text: str, target: Asked | None, now: Situation) -> bool:
    """ "None" under a message that asks about safety and about pain may answer either: it is asked once which of the signs there is."""
    if target is None or target.kind != "safety" or not target.detail.get("beside") or target.asked_again:
        return False
    return any(KINDS[question.kind].scored for question in now.open) and means_nothing(text, now.language)


def answers_both(told: Told, target: Asked, now: Situation) -> Turn | None:
    """ "No, 3": what stands beside the number answers the safety question, and the number is the day after's that was asked with it.

    A yes wins over everything: the number is kept unconfirmed, as beside any red flag. None where the words are not both answers, or
    speak of exercises.
    """
    after = next((question for question in now.open if question.kind == "pain_24h"), None)
    asks_both = target.kind == "safety" and (after is not None or target.detail.get("beside"))
    if not asks_both or told.replied_to is not None or read(told.text, None, now.language, now.today).session is not None:
        return None
    answer, score = _split(told.text, target, now)
    if answer == "one_of_these":
        turn = answer_choice(answer, target, now)
        if after is None:
            return replace(turn, effects=(*turn.effects, ForPhysio("X3", told.text)))
        kept = Keep("pain_24h", after.day or now.today, after.slot, score, question_id=after.id, confirmed=False)
        return replace(turn, effects=(*turn.effects, kept))
    if answer is None or after is None:
        return None
    if "which" in target.detail and any(question.kind == "session" for question in now.open):
        which = {**target.detail["which"], "score": score}
        return answer_choice(answer, replace(target, detail={**target.detail, "which": which}), now)
    question = replace(after, detail={**after.detail, "show": target.detail.get("show", after.detail.get("show"))})
    closed = tuple(each for each in answer_choice(answer, replace(target, detail={}), now).effects)
    number = record_score(score, "pain_24h", after.day or now.today, after.slot, question, now, safe=True)
    return replace(number, effects=(*closed, *number.effects), lines=(Line("safety_none"), *number.lines))


def may_answer_both(text: str, target: Asked, now: Situation) -> bool:
    """Whether a number stands in words to a message that asks about safety and about pain: its "no" alone is then not all that was said."""
    beside = any(question.kind == "pain_24h" for question in now.open)
    return target.kind == "safety" and beside and names_a_number(text, now.language)


def _split(text: str, target: Asked, now: Situation) -> tuple[str | None, int]:
    """The answer about safety and the number beside it, where one number can be taken out so that nothing but an answer is left."""
    items = items_of(tokens(text), language_for(now.language))
    for at, item in enumerate(items):
        if item.tag != "num":
            continue
        amount = number_at(items, at)
        value = 0 <= amount.value <= 10 and amount.value == int(amount.value) and amount.standing in ("plain", "explicit")
        rest = [*items[:at], Item("break", ","), *items[amount.end :]]
        if value and (answer := _only_answer(rest, target, now)) is not None:
            return answer, int(amount.value)
    return None, 0


def _only_answer(items: Sequence[Item], target: Asked, now: Situation) -> str | None:
    """The one answer that the parts between breaks give; a "none" only where they say nothing else."""
    parts: list[list[Item]] = [[]]
    for item in items:
        if item.tag == "break":
            parts.append([])
        else:
            parts[-1].append(item)
    answers, silent = set(), True
    for part in parts:
        answer = _answer_of(part, target, now)
        answers |= {answer} if answer is not None else set()
        silent = silent and (answer is not None or {item.tag for item in part} <= _OF_THE_NUMBER)
    if "one_of_these" in answers:
        return "one_of_these"
    return "none" if answers == {"none"} and silent else None


def _answer_of(part: Sequence[Item], target: Asked, now: Situation) -> str | None:
    whole = " ".join(item.text for item in part)
    bare = " ".join(item.text for item in part if item.tag not in _INTRODUCE)
    found = (typed_answer(words, target, now.language, now.today) for words in (whole, bare))
    return next((answer for answer in found if answer is not None), None)


def session_before_safety(told: Told, reading: Reading, target: Asked, now: Situation) -> Turn | None:
    """ "Done, 4" to the message that asks about safety before today's exercises: recorded, and the question stays."""
    if target.kind != "safety" or target.detail.get("show") is None or reading.session is None:
        return None
    if read(told.text, None, now.language, now.today).session is None:  # "yes" is about the question, and says nothing of exercises
        return None
    session = Asked(target.id, "session", now.today, target.detail["show"])
    turn = answer_told(reading, replace(told, replied_to=session), session, now)
    if turn is None or (turn.ask is not None and turn.ask.kind == "safety"):
        return turn
    effects = tuple(effect for effect in turn.effects if effect != Close(target.id))
    return Turn(effects, (*turn.lines[:1], Line("again_safety")), same_again(target))


def safety_stays(turn: Turn | None, target: Asked) -> Turn | None:
    """The turn that recorded a number, with the safety question once more in the place of praise and of exercises, which wait for it."""
    if turn is None or target.kind != "safety" or not turn.read or (turn.ask is not None and turn.ask.kind != "session"):
        return turn
    lines = (*(line for line in turn.lines if line.key not in _SAID_WITHOUT), Line("again_safety"))
    if turn.ask is None:
        return replace(turn, lines=lines, ask=same_again(target))
    return replace(turn, lines=lines, ask=Ask("safety", target.day, target.slot, {**target.detail, "show": turn.ask.slot}))


def as_safety_answer(told: Told, reading: Reading, target: Asked | None, now: Situation) -> Told:
    """ "None of those" answers nothing that was asked since, and the safety question of the day before when that is still open."""
    safety = _older_safety(told, target, now)
    said_something_else = reading.score is not None or reading.session is not None or reading.answer != "ambiguous"
    if safety is None or said_something_else or plain_yes_or_no(told.text, now.language) is not None:
        return told
    answer = typed_answer(told.text, safety, now.language, now.today)
    return told if answer is None else replace(told, tapped=safety, answer=answer)


def asked_too(turn: Turn, told: Told, target: Asked | None, now: Situation) -> Turn:
    """A bare "no" may be the answer to the safety question of the day before as well: that is asked once more, and a number is not."""
    safety = _older_safety(told, target, now)
    if safety is None or turn.safety or plain_yes_or_no(told.text, now.language) is None:
        return turn
    ask = Ask("safety", safety.day, safety.slot, {**safety.detail, "again": True, "beside": False})
    if turn.ask is None:
        return replace(turn, lines=(*turn.lines, Line("again_safety")), ask=ask)
    if turn.read or turn.ask.again is None:
        return turn
    effects = tuple(effect for effect in turn.effects if not isinstance(effect, CountAgain))
    return replace(turn, effects=effects, lines=(Line("again_safety"),), ask=ask)


def _older_safety(told: Told, target: Asked | None, now: Situation) -> Asked | None:
    """The open safety question, where something about a session was asked since."""
    if told.tapped or told.replied_to or told.is_edit or target is None or not KINDS[target.kind].scored:
        return None
    return next((question for question in now.open if question.kind == "safety"), None)
