"""What a patient's message means, as a value: the answer to the question asked, and everything else that was said in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, time
from typing import Literal

from bot_service.clinical.red_flags import RedFlag, find_red_flag
from bot_service.clinical.words import Token, tokens
from bot_service.conversation.items import Item, items_of
from bot_service.conversation.language import Language, language_for
from bot_service.conversation.loads import load_of
from bot_service.conversation.requests import Request, clauses_of, find_request, wants_erasure, wants_stop
from bot_service.conversation.scores import Score, score_of
from bot_service.conversation.sessions import Exercised, Session, bare_answer, exercised, of_the_day_before, tapped

Question = Literal["did_you_exercise", "session_pain", "next_day_pain", "usual_pain"]
Word = Literal["none", "ambiguous", "skip", "yes", "partly", "no", "stop", "start", "pause", "help", "red_flag"]

_LONGEST_READ, _LONGEST_WORD = 200, 60
_REQUESTS: dict[str, Literal["time", "remind", "how_to_stop", "pause", "privacy", "physio", "plan", "help"]] = {
    "time": "time",
    "remind": "remind",
    "how_to_stop": "how_to_stop",
    "pause": "pause",
    "privacy": "privacy",
    "physio": "physio",
    "plan": "plan",
    "help": "help",
}
_REQUEST_ANSWERS: dict[str, Word] = {"start": "start", "pause": "pause"}
_SESSION_ANSWERS: dict[int | Word, Session] = {"yes": "yes", "no": "no"}
_NO_ANSWER_EMOJI = frozenset("😂🤣🙏👋")
_NO_AND_A_NUMBER = frozenset({"no", "not", "num", "break", "mark", "emoji", "okay", "filler", "lead", "article", "copula", "thanks"})
_JUDGED = frozenset({"severe", "desc", "usual", "okay", "spoil"})
_POLITE = frozenset({"thanks", "greeting"})


@dataclass(frozen=True)
class Reading:
    """What one message says.

    `answer` is the answer to the question that was asked, as `stepwise understand` prints it: a score 0-10 or a word. `score` is a
    certain 0-10 value in the message even where the answer is a word ("done, 4"); beside a red flag it counts as unconfirmed.
    `session` says whether they exercised, `later` that a "no" is an intention to do so still, `reported` that it is told in words of
    doing ("did all of them"), `past` what is said of the session of the day before, `pain_mentioned` that pain is given as a
    reason. `since`, `until` and `days` belong to a pause, `time` to a change of time.
    `both` holds the labelled values of "6 during, 3 after", `load` the weight that was used ("8 kg"), `erase` a request to erase what
    is kept, which is a stop too.
    """

    answer: int | Word
    score: int | None = None
    session: Session | None = None
    correction: bool = False
    pain_mentioned: bool = False
    request: Literal["time", "remind", "how_to_stop", "pause", "privacy", "physio", "plan", "help"] | None = None
    time: time | None = None
    since: date | None = None
    until: date | None = None
    days: int | None = None
    red_flag: RedFlag | None = None
    stop: bool = False
    both: dict[str, int] = field(default_factory=dict, hash=False)
    load: str | None = None
    later: bool = False
    reported: bool = False
    past: Session | None = None
    erase: bool = False


def read(text: str, question: Question | None, language: str = "en", today: date | None = None) -> Reading:
    """Understand one message. Total: any string has a reading.

    Order: red flag, opt-out, requests and help, "did not exercise", number, else "ambiguous" or "none". Anything not certain is
    "ambiguous", which asks again: a wrong number recorded is worse than one more question. `today` is the patient's local date,
    needed only to place a date such as "the 14th".
    """
    said, known = tokens(text), language_for(language)
    words = _ends_of(said)
    flag = find_red_flag(text, language)
    clauses = clauses_of(words, known)
    erase = wants_erasure(clauses, known)
    stop = erase or wants_stop(words, clauses, language, known)
    items = items_of(words, known)
    done = exercised(clauses, items, known) if known else Exercised(None)
    score = _certain_score(question, items, done, clauses, known) if len(words) == len(said) else Score(None)
    request = find_request(clauses, " ".join(word.text for word in words), known, today) if known and not stop else None
    answer = _answer(question, flag, stop, request, done, score, items, clauses, known)
    return Reading(
        answer=answer,
        score=score.value,
        session=done.session or _session_answer(answer),
        correction=score.correction,
        pain_mentioned=done.pain_mentioned,
        request=_REQUESTS.get(request.kind) if request else None,
        time=request.time if request else None,
        since=request.since if request else None,
        until=request.until if request else None,
        days=request.days if request else None,
        red_flag=flag,
        stop=stop,
        both=dict(score.both),
        load=load_of(items),
        later=done.later,
        reported=done.reported,
        past=of_the_day_before(clauses, known) if known else None,
        erase=erase,
    )


def _certain_score(
    question: Question | None, items: Sequence[Item], done: Exercised, clauses: Sequence[str], language: Language | None
) -> Score:
    """The number in the message, unless it may be about something else than was asked."""
    not_during = question in ("next_day_pain", "usual_pain")
    waking = not not_during and done.session is None and _is_on_waking(clauses, language)
    if waking or (question == "did_you_exercise" and _is_no_and_a_number(items)) or _asks_what_a_number_means(items):
        return Score(None)
    return score_of(items, not_during, question == "usual_pain")


def _ends_of(words: Sequence[Token]) -> Sequence[Token]:
    """The words to read for requests: all of them, or both ends of a message longer than anyone answers a question with."""
    if len(words) <= _LONGEST_READ:
        return [word._replace(text=word.text[:_LONGEST_WORD]) for word in words]
    half = _LONGEST_READ // 2
    return [*_ends_of(words[: half - 1]), Token(".", False), *_ends_of(words[-half:])]


def _answer(
    question: Question | None,
    flag: RedFlag | None,
    stop: bool,
    request: Request | None,
    done: Exercised,
    score: Score,
    items: Sequence[Item],
    clauses: Sequence[str],
    language: Language | None,
) -> int | Word:
    if flag is not None:
        return "red_flag"
    if stop:
        return "stop"
    if request is not None:
        return _REQUEST_ANSWERS.get(request.kind, "help")
    if _no_answer(items):
        return "none"
    if question == "did_you_exercise":
        return _did_answer(done, items, clauses, language)
    return _pain_answer(question, done, score, items)


def _did_answer(done: Exercised, items: Sequence[Item], clauses: Sequence[str], language: Language | None) -> Word:
    if done.session is not None:
        return done.session
    if language is not None and clauses and not _is_no_and_a_number(items):
        return bare_answer(clauses, language) or "ambiguous"
    return "ambiguous" if clauses else tapped(items) or "ambiguous"


def _is_no_and_a_number(items: Sequence[Item]) -> bool:
    """ "No, 2": not done, or done and no worse than 2?"""
    tags = {item.tag for item in items}
    return "num" in tags and bool(tags & {"no", "not"}) and tags <= _NO_AND_A_NUMBER


def _is_on_waking(clauses: Sequence[str], language: Language | None) -> bool:
    """ "0 when i woke up": no pain of a session, of which nothing is said."""
    return language is not None and any(language.pattern("waking").search(clause) for clause in clauses)


def _pain_answer(question: Question | None, done: Exercised, score: Score, items: Sequence[Item]) -> int | Word:
    outweighed = score.value is not None and (question in ("next_day_pain", "usual_pain") or done.excuse_only)
    if done.session == "no" and not outweighed:
        return "ambiguous" if done.later else "skip"  # an intention is no answer: the question stays open
    if score.value is not None and not done.refused:
        return score.value
    if any(item.text == "?" for item in items):
        return "help"
    return "ambiguous"


def _asks_what_a_number_means(items: Sequence[Item]) -> bool:
    """ "5 a lot?" asks; "4?" and "5 I think?" answer."""
    judged = counted = False
    for item in items:
        judged, counted = judged or item.tag in _JUDGED, counted or item.tag == "num"
        if item.text == "?" and judged and counted:
            return True
        if item.tag == "break":
            judged = counted = False
    return False


def _session_answer(answer: int | Word) -> Session | None:
    return _SESSION_ANSWERS.get(answer)


def _no_answer(items: Sequence[Item]) -> bool:
    """Nothing but thanks, a greeting, a laugh or silence."""
    said = [item for item in items if item.tag not in {"break", "paren", "mark", "emoji"}]
    if said:
        tags = {item.tag for item in said}
        return bool(tags & _POLITE) and tags <= _POLITE | {"okay"}
    if any(item.text == "?" for item in items):
        return False
    return all(item.text in _NO_ANSWER_EMOJI for item in items if item.tag == "emoji")


__all__ = ["Question", "Reading", "Token", "read"]
