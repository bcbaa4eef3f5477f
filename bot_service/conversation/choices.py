"""Questions answered by a choice: the safety question, reasons, confirmations, and which session a number was for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from bot_service.conversation.answers import exercises_follow, record_score
from bot_service.conversation.parsing import Reading, read
from bot_service.conversation.showing import same_again
from bot_service.conversation.situation import (
    AnswerOffer,
    Ask,
    Asked,
    Close,
    ForPhysio,
    Keep,
    Line,
    OptOut,
    PauseUntil,
    RedFlagged,
    Resume,
    Seen,
    Situation,
    Turn,
)
from bot_service.conversation.states import FAR_OFF
from bot_service.conversation.typed import plain_yes_or_no, typed_answer
from bot_service.conversation.when import answer_time, confirm_time, hour_meant
from bot_service.conversation.which_one import then_which
from bot_service.conversation.wording import load_catalogue
from plans.model import PrescribedExercise, Rules, Rung

_DAY_AFTER_UNTIL = 2
"""Local days after a session in which its 24-hour question may still fall: 36 hours reach into the second."""
_SAYS_NOT_DONE = {"no": "yes", "yes": "no", "partly": "no"}
"""What is said of the exercises as an answer to "shall we note that they were not done?"."""
REASONS = ("pain", "forgot", "time", "unsure", "unwell", "other")


def answer_choice(answer: str, question: Asked, now: Situation) -> Turn:
    """A button of a choice question, or the same choice read from words."""
    match question.kind:
        case "consent":
            return _consent_again(answer, question)
        case "safety":
            return _safety(answer, question, now)
        case "new_or_worse":
            return _new_or_worse(answer, question)
        case "seen":
            return Turn((Seen(answer == "yes"), Close(question.id)), (Line("seen_yes" if answer == "yes" else "seen_no"),))
        case "reason":
            return give_reason(answer, "", question, now)
        case "pause_days" | "confirm_pause" | "cancel_pause":
            return _pause_choice(answer, question, now)
        case "confirm_time":
            return confirm_time(answer, question, now)
        case "confirm_not_done":
            return _confirm_not_done(answer, question, now)
        case "rung":
            return _next_rung(answer, question, now)
        case "which":
            return _which(answer, question, now)
        case "which_time":
            return Turn((Close(question.id),), (Line("left_as_is"),))
    return Turn(lines=(Line("nothing_asked"),))


def words_for_choice(text: str, reading: Reading, question: Asked, now: Situation) -> Turn | None:
    """Free words while a choice question is the youngest open one; None when they are no answer to it."""
    match question.kind:
        case "reason" if reading.score is None:
            return give_reason("pain" if reading.pain_mentioned else "other", text, question, now)
        case "safety" if reading.score is None and (plain := plain_yes_or_no(text, now.language)):
            return _safety("one_of_these" if plain == "yes" else "none", question, now)
        case "new_or_worse" | "seen" | "confirm_pause" | "cancel_pause" | "confirm_time" if reading.answer in ("yes", "no"):
            return answer_choice(str(reading.answer), question, now)
        case "confirm_not_done" if answer := plain_yes_or_no(text, now.language) or _SAYS_NOT_DONE.get(
            "" if reading.later else reading.session or ""
        ):
            return answer_choice(answer, question, now)
        case "pause_days":
            return _how_long(text, reading, question, now)
        case "which_time":
            return answer_time(text, reading, question, now)
        case "rung" if reading.answer == "no":  # "done" reads as yes, so only plain words of consent are one: see `typed.rung`
            turn = _next_rung("not_yet", question, now)
            return replace(turn, effects=(*turn.effects, ForPhysio("X3", text))) if reading.pain_mentioned else turn
    return None


def offer_line(item: PrescribedExercise, rung: Rung, rules: Rules) -> Line:
    """The offer of the next rung in the words that the patient reads."""
    values = {"exercise": item.exercise.name, "step": rung.text, "days": rules.deload.rung_settled_days}
    return Line("rung_offer", values) if item.started else Line("rung_offer_new", values)


def given_to_physio(text: str, question: Asked) -> Turn:
    """Whatever the patient writes after *Something's wrong* is for the physio to read, the same working day."""
    return Turn((ForPhysio("X3", text, tell_when_read=True, same_day=True), Close(question.id)), (Line("passed_on"),))


def _safety(answer: str, question: Asked, now: Situation) -> Turn:
    kept = Keep("safety", question.day or now.today, question.slot, outcome=answer, question_id=question.id)
    if answer == "one_of_these":
        flagged = RedFlagged("URGENT", "safety_question", "One of these")
        return Turn(
            (kept, *_closed(question, now), flagged),
            (Line("safety_urgent"), Line("safety_which")),
            Ask("what_is_wrong", detail={"flagged": True}),
            safety=True,
        )
    if follows := then_which(question, now):
        return replace(follows, effects=(kept, *_closed(question, now)), lines=(Line("safety_none"), *follows.lines))
    show = question.detail.get("show")
    shows = show is not None and exercises_follow(show, now)
    if (then := question.detail.get("then")) and _still_to_ask(date.fromisoformat(then["day"]), now):
        follow = (Line("exercises_follow", {"day": now.today.isoformat(), "slot": show}),) if shows else ()
        lines = (Line("safety_none"), Line("ask_24h", {name: then[name] for name in ("day", "at") if name in then}), *follow)
        ask = Ask("pain_24h", date.fromisoformat(then["day"]), then["slot"], {"show": show} if shows else {})
        return Turn((kept, *_closed(question, now)), lines, ask)
    if not shows:
        return Turn((kept, *_closed(question, now)), (Line("safety_none"),))
    values = {"day": now.today.isoformat(), "slot": show}
    return Turn((kept, *_closed(question, now)), (Line("safety_none"), Line("exercises", values)), Ask("session", now.today, show))


def _closed(question: Asked, now: Situation) -> tuple[Close, ...]:
    """An answer to the safety question answers the same question of earlier days."""
    asked = [each.id for each in now.open if each.kind == "safety"]
    return tuple(Close(each) for each in (asked[asked.index(question.id) :] if question.id in asked else [question.id]))


def _still_to_ask(day: date, now: Situation) -> bool:
    """Whether there was a session that day, and the day after it has no number yet and is not long over."""
    if now.record is None:
        return (now.today - day).days <= _DAY_AFTER_UNTIL
    done = [each for each in now.record.sessions if each.day == day and each.outcome != "not_done"]
    wait = timedelta(hours=now.record.rules.after_24h.window_h[0])
    opens = min((each.done_at + wait for each in done if each.done_at), default=None)
    told = any(each.day == day and (opens is None or each.at >= opens) for each in now.record.next_days)
    return bool(done) and not told and (now.today - day).days <= _DAY_AFTER_UNTIL


def _new_or_worse(answer: str, question: Asked) -> Turn:
    new = answer == "yes"
    note = ForPhysio("X3", "New or worse" if new else "Not new, not worse")
    return Turn((note, Close(question.id)), (Line("new_or_worse_yes" if new else "new_or_worse_no"),))


def give_reason(answer: str, words: str, question: Asked, now: Situation) -> Turn:
    """What got in the way, with the patient's own words if there are any; pain goes to the physio."""
    reason = answer if answer in REASONS else "other"
    kept = Keep("reason", question.day or now.today, question.slot, outcome=reason, note=words or None, question_id=question.id)
    effects = (kept, Close(question.id), ForPhysio("X3", words or "Too painful")) if reason == "pain" else (kept, Close(question.id))
    return Turn(effects, (Line(f"reason_{reason}"),))


def _consent_again(answer: str, question: Asked) -> Turn:
    """The first message's buttons, tapped again in care: No is a way to stop."""
    if answer == "no":
        return Turn((OptOut(), Close(question.id)), (Line("goodbye"),))
    return Turn(lines=(Line("already_on"),))


def _how_long(text: str, reading: Reading, question: Asked, now: Situation) -> Turn | None:
    """ "5", "a week", "until 14 June", or rather not. A day that is named is confirmed, a number of days from today is not."""
    if typed_answer(text, replace(question, kind="confirm_pause"), now.language, now.today) == "no":
        return Turn((Close(question.id),), (Line("left_as_is"),))
    first = date.fromisoformat(question.detail.get("from", now.today.isoformat()))
    asked = read(f"{load_catalogue(now.language).says['pause']} {text}", None, now.language, first)
    days = asked.days or (reading.score if not asked.until and not asked.since else None)
    if days and first == now.today:
        return _paused(first + timedelta(days=days), question, now)
    turn = ask_pause(asked.since or first, asked.until or (first + timedelta(days=days) if days else None), now)
    if turn.ask is None or (turn.ask.kind == "pause_days" and asked.since is None):
        return None if turn.ask else turn
    return replace(turn, effects=(Close(question.id), *turn.effects))


def ask_pause(first: date, until: date | None, now: Situation) -> Turn:
    """Whether to pause from one day to another, both named; for how long where the end is open, or no pause at all."""
    if "clinic_pause" in now.held:
        return Turn(lines=(Line("paused_by_team"),))
    later = {"from": first.isoformat()} if first > now.today else {}
    about = {"day": first.isoformat()} if later else {}
    far = (Line("pause_far_off"),) if first - now.today > FAR_OFF else ()
    if until is None or until <= max(first, now.today):
        return Turn(lines=(*far, Line("pause_how_long_from" if later else "pause_how_long", about)), ask=Ask("pause_days", detail=later))
    ends = {"until": until.isoformat()}
    said = Line("confirm_pause_from" if later else "confirm_pause", about | ends)
    return Turn(lines=(*far, said), ask=Ask("confirm_pause", detail=later | ends))


def _pause_choice(answer: str, question: Asked, now: Situation) -> Turn:
    """A length, a Yes or a No; nothing follows from a button that START has made void."""
    if answer == "no":
        return Turn((Close(question.id),), (Line("left_as_is"),))
    if question.withdrawn:
        return Turn(lines=(Line("pause_withdrawn"),))
    if question.kind == "cancel_pause":
        return Turn((Resume(planned=True), Close(question.id)), (Line("pause_cancelled"),))
    first = max(date.fromisoformat(question.detail.get("from", now.today.isoformat())), now.today)
    if question.kind == "pause_days":
        until = first + timedelta(days=int(answer.removeprefix("days_")))
        if first - now.today <= FAR_OFF:
            return _paused(until, question, now)
        asked = ask_pause(first, until, now)  # a length alone does not say that the far day was meant
        return replace(asked, effects=(Close(question.id), *asked.effects))
    return _paused(date.fromisoformat(question.detail["until"]), question, now)


def _paused(until: date, question: Asked, now: Situation) -> Turn:
    """Paused until a day that lies ahead, from today or a later day; a late tap on a day gone by is asked again."""
    if "clinic_pause" in now.held:
        return Turn((Close(question.id),), (Line("paused_by_team"),))
    if until <= now.today:
        return Turn((Close(question.id),), (Line("pause_how_long"),), Ask("pause_days"))
    first = date.fromisoformat(question.detail.get("from", now.today.isoformat()))
    if first > now.today:
        told = Line("paused_from", {"day": first.isoformat(), "until": until.isoformat()})
        return Turn((PauseUntil(until, first), Close(question.id)), (told,))
    return Turn((PauseUntil(until), Close(question.id)), (Line("paused", {"until": until.isoformat()}),))


def _confirm_not_done(answer: str, question: Asked, now: Situation) -> Turn:
    """Only a Yes while it is asked takes a score back; every other tap, an old one too, hears what stands."""
    day, slot, about = question.day or now.today, question.slot or 1, UUID(question.detail["about"])
    not_done = Line("not_done_for", {"day": day.isoformat()}) if day < now.today else Line("not_today")
    if answer == "yes" and question.is_open:
        kept = Keep("session", day, question.slot, outcome="not_done", question_id=about)
        return Turn((kept, Close(question.id), Close(about)), (not_done,), change=about)
    same = (each for each in now.record.sessions if (each.day, each.slot) == (day, slot)) if now.record else iter(())
    stands = next((each.pain for each in same if each.outcome != "not_done"), None)
    if stands is None:
        return Turn((Close(question.id),), (not_done,), change=about)
    recorded = Line("recorded_for", {"score": stands, "day": day.isoformat()}) if day < now.today else Line("recorded", {"score": stands})
    return Turn((Close(question.id),), (recorded,), change=about)


def _next_rung(answer: str, question: Asked, now: Situation) -> Turn:
    """An offer is taken or left while it holds; one that does not hold any more changes nothing."""
    offer = UUID(question.detail["offer"])
    if offer not in now.offers:
        return Turn((Close(question.id),), (Line("rung_gone"),))
    about = {name: question.detail[name] for name in ("exercise", "step") if name in question.detail}
    taken = answer == "yes"
    said = Line("rung_taken" if "exercise" in about else "run_taken", about) if taken else Line("rung_not_yet")
    return Turn((AnswerOffer(offer, taken), Close(question.id)), (said,))


def lapsed(question: Asked, now: Situation) -> bool:
    """Whether a question is over with its day; "which one is the number for?" too once one of its questions has been answered."""
    if question.kind not in ("which", "which_time"):
        return False
    is_another_day: bool = question.detail.get("on", now.today.isoformat()) != now.today.isoformat()
    if question.kind == "which_time":
        return is_another_day
    still_open = {str(each.id) for each in now.open}
    return is_another_day or any(choice["id"] and choice["id"] not in still_open for choice in question.detail["choices"])


def left_over(turn: Turn, now: Situation) -> Turn:
    """ "2" ("which one is it for?"), then "done. 3": the 2 is named beside the only question left that it may have been for."""
    which = next((question for question in now.open if question.kind == "which"), None)
    closed = {effect.question_id for effect in turn.effects if isinstance(effect, Close)}
    if which is None or which.id in closed or turn.safety or turn.ask is not None:
        return turn
    chosen_from = {choice["id"] for choice in which.detail["choices"]}
    left = [question for question in now.open if str(question.id) in chosen_from and question.id not in closed]
    if len(left) != 1 or len(left) == len(chosen_from):
        return turn
    (question,) = left
    about = {"day": question.day.isoformat()} if question.day else {}
    said = (Line("also_wrote", {"score": which.detail["score"]}), Line(f"again_{question.kind}", about))
    return replace(turn, effects=(*turn.effects, Close(which.id)), lines=(*turn.lines, *said), ask=same_again(question))


def _which(answer: str, question: Asked, now: Situation) -> Turn:
    choices = question.detail["choices"]
    if not question.is_open:
        return Turn(lines=(Line("which_done"),))
    if lapsed(question, now):
        return Turn((Close(question.id),), (Line("measure_over"),), read=False)
    index = int(answer) if answer.isdecimal() else -1
    if not 0 <= index < len(choices):
        return Turn(
            lines=(Line("which", {"score": question.detail["score"]}),),
            ask=Ask("which", detail=question.detail, again=question.id),
            read=False,
        )
    chosen = choices[index]
    score, kind = int(question.detail["score"]), chosen["kind"]
    about = next((asked for asked in now.open if str(asked.id) == chosen["id"]), None)
    if about is None and chosen["id"]:
        about = Asked(UUID(chosen["id"]), kind, date.fromisoformat(chosen["day"]), chosen["slot"], is_open=False)
    if about is not None and about.kind == "which_time":
        turn = hour_meant(score, about, now)
        return replace(turn, effects=(*turn.effects, Close(question.id)))
    corrected = about is None and kind == "session_pain"
    safe = bool(question.detail.get("safe"))
    turn = record_score(score, kind, date.fromisoformat(chosen["day"]), chosen["slot"], about, now, corrected=corrected, safe=safe)
    return Turn((*turn.effects, Close(question.id)), turn.lines, turn.ask, turn.change)
