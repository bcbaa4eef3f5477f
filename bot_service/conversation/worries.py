"""Words beside an answer that may worry, so that a person reads them: another part of the body, mood, sleep, or a question. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from bot_service.clinical.words import tokens
from bot_service.conversation.commands import for_physio
from bot_service.conversation.items import items_of
from bot_service.conversation.language import Language, language_for
from bot_service.conversation.parsing import Reading
from bot_service.conversation.requests import clauses_of
from bot_service.conversation.showing import same_again
from bot_service.conversation.situation import Asked, ForPhysio, Keep, Line, Situation, Told, Turn
from bot_service.conversation.states import KINDS
from bot_service.conversation.typed import is_question, says_help

_ABOUT_A_NUMBER = ("meant_instead", "meant_instead_24h", "which_done")
"""What is said of a number that nothing asks for."""
_PROMISED = {"words_kept": "passed_on"}
"""What is said instead of a question that will be read in time."""
_OF_A_NUMBER = frozenset(
    "num home correct withdraw retract break paren mark emoji lead article filler copula det cue scope during after now conj conj_and "
    "thanks okay greeting scale_of side no not".split()
)
"""What stands around a corrected number and says no more than it does."""


def words_for_physio(turn: Turn, told: Told, reading: Reading, target: Asked | None, now: Situation) -> Turn:
    """ "1 but I feel so low": the number counts, the words are for the physio, and nobody is told that this is what we want to see.

    Words that may worry in a message that could not be read are for the physio too, not for the list of what can be written here.
    """
    known = any(isinstance(effect, ForPhysio) for effect in turn.effects)
    left_over = reading.correction and names_the_body(told.text, now.language)
    if known or not turn.lines or not (left_over or may_worry(told.text, now.language, asking=reading.score is not None)):
        return turn
    first, effects, note = turn.lines[0].key, turn.effects, ForPhysio("X3", told.text)
    if any(isinstance(effect, Keep) and effect.score is not None for effect in effects):
        said = (line for line in turn.lines[1:] if line.key != "day_after_settled")
        return replace(turn, effects=(*effects, note), lines=(*turn.lines[:1], Line("words_kept"), *said))
    if first == "nothing_asked":
        return for_physio(told, None)
    if first in _ABOUT_A_NUMBER:
        return replace(turn, effects=(*effects, note), lines=(*turn.lines[:1], Line("words_kept"), *turn.lines[1:]))
    if first == "which":
        return replace(turn, effects=(*effects, note), lines=(Line("words_kept"), *turn.lines))
    if first in ("not_understood", "several_numbers"):
        return replace(turn, effects=(*effects, note), lines=(Line("words_kept"), *turn.lines[1:]))
    if first == "help" and not says_help(told.text, now.language):
        again = (
            (Line(f"again_{target.kind}", {"day": target.day.isoformat()} if target.day else {}),)
            if target is not None and KINDS[target.kind].scored
            else ()
        )
        return Turn((*effects, note), (Line("words_kept"), *again), same_again(target) if again else None, read=False)
    return turn


def for_today(turn: Turn, told: Told, now: Situation) -> Turn:
    """ "Can I go for a run today?" waits for an answer: it is read the same working day (default), and the patient hears by when."""
    notes = [each for each in turn.effects if isinstance(each, ForPhysio) and each.rule == "X3" and each.words == told.text]
    if not notes or not asks_for_today(told.text, now.language):
        return turn
    effects = tuple(replace(each, same_day=True, tell_when_read=True) if each in notes else each for each in turn.effects)
    return replace(turn, effects=effects, lines=tuple(replace(line, key=_PROMISED.get(line.key, line.key)) for line in turn.lines))


def asks_for_today(text: str, language: str) -> bool:
    """Whether words ask something about today, now or tomorrow, or whether the patient may do something, for which no day need be named."""
    known = language_for(language)
    if known is None:
        return False
    clauses = clauses_of(tokens(text), known)
    asking = [each for each in clauses if known.pattern("question").match(each)] + (clauses[-1:] if is_question(text) else [])
    return any(known.pattern("for_today").search(clause) for clause in asking)


def names_the_body(text: str, language: str) -> bool:
    """Whether a part of the body is named beside a corrected number, unless it has no pain; "3 in the hamstring" is the number's own."""
    items = items_of(tokens(text), language_for(language))
    tags = [item.tag for item in items]
    elsewhere = [at for at, tag in enumerate(tags) if tag == "elsewhere" and not {"no", "not", "no_pain"} & set(tags[max(0, at - 2) : at])]
    return bool(elsewhere) or ("home" in tags and not set(tags) <= _OF_A_NUMBER)


def may_worry(text: str, language: str, *, asking: bool) -> bool:
    """Whether words speak of another part of the body, of mood or sleep, or (`asking`) ask something. "No knee pain" does not."""
    known = language_for(language)
    if known is None:
        return False
    whole = " ".join(token.text for token in tokens(text))
    if asking and is_question(text) and known.pattern("asks").search(whole):
        return True
    return any(not _denied(whole[: hit.start()], hit.group(), known) for hit in known.pattern("worries").finditer(whole))


def _denied(before: str, hit: str, known: Language) -> bool:
    """Whether one of the two words before, in the same clause, is a no, or the words themselves say that there is no pain."""
    clause = re.split(r"[,.;!?]", before)[-1]
    near = tokens(clause)[-2:]
    no_pain = any(item.tag == "no_pain" for item in items_of([*near, *tokens(hit)], known))
    return no_pain or any(item.tag in ("no", "not") for item in items_of(near, known))
