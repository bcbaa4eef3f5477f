"""What is asked of us rather than answered: START, pause, another time, help, the plan, a correction; in every shipped language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

from bot_service.conversation.choices import ask_pause
from bot_service.conversation.language import language_for
from bot_service.conversation.late_answers import LATE, question_of
from bot_service.conversation.measured import ask_measure_anew, mentions_pain
from bot_service.conversation.parsing import Reading
from bot_service.conversation.requests import time_alone
from bot_service.conversation.safety import something_is_wrong
from bot_service.conversation.showing import how_to, how_to_named, once_more, same_again, show_exercises
from bot_service.conversation.situation import Ask, Asked, Close, ForPhysio, Line, Resume, Situation, Told, Turn
from bot_service.conversation.states import CHANGE, KINDS, MEASURED, WRONG
from bot_service.conversation.typed import asks_about_the_chat, asks_progress, asks_usual, is_button, names_a_number, plain
from bot_service.conversation.when import ask_time, time_named, which_time
from bot_service.conversation.wording import SHIPPED, load_catalogue


def without_slash(told: Told, language: str) -> Told:
    """A command of the chat's menu (/stop, /plan@bot) as the words that mean the same; whatever follows it stays."""
    command, _, rest = told.text.strip().partition(" ")
    meant = load_catalogue(language).says.get(command[1:].split("@")[0].casefold()) if command.startswith("/") else None
    return told if meant is None else replace(told, text=f"{meant} {rest}".strip())


def in_own_words(told: Told, language: str) -> Told:
    """A command in another shipped language as the patient's own words for it: "pausa" on an English phone, or "pausa 5"."""
    catalogue, commands = load_catalogue(language), _of_other_languages(language)
    words, pause = plain(told.text, catalogue), catalogue.says["pause"]
    if words in commands:
        return replace(told, text=commands[words])
    begun = (known for known, own in commands.items() if own == pause and words.startswith(f"{known} "))
    rest = next((words.removeprefix(known).strip() for known in begun), "")
    return replace(told, text=f"{pause} {rest}") if rest[:1].isdecimal() else told


@cache
def _of_other_languages(language: str) -> Mapping[str, str]:
    """The commands of every other shipped language, as the own command for the same; none that begins with a word known in this one."""
    own, known = load_catalogue(language), language_for(language)
    found: dict[str, str] = {}
    for other in (load_catalogue(code) for code in SHIPPED if code != own.language):
        for name, said in other.says.items():
            words = plain(said, other)
            if known is None or words.split()[0] not in known.known:
                found.setdefault(words, own.says[name])
    return found


def asked_of_us(reading: Reading, target: Asked | None, told: Told, now: Situation) -> Turn | None:
    """What follows from a request; None when the message is none."""
    if asked := _in_own_right(reading, target, told, now):
        return asked
    match reading.answer, reading.request:
        case ("start", _):
            return _resume(now)
        case ("pause", _):
            return _pause(reading, now)
        case (_, "time"):
            return which_time(now) if reading.time is None else ask_time(reading.time, now)
        case (_, "privacy"):
            return Turn(lines=(Line("who_reads"), Line("not_watched"), *once_more(target)), ask=same_again(target))
        case (_, "remind" | "how_to_stop"):
            return Turn(lines=(Line("stop_how" if reading.request == "how_to_stop" else "no_second_reminder"),))
        case (_, "physio"):
            return Turn((ForPhysio("X3", told.text, tell_when_read=True),), (Line("passed_on"),))
        case (_, "plan"):
            return show_exercises(None, now)
        case ("help", _):
            return _helped(reading, target, told, now)
    return None


def _in_own_right(reading: Reading, target: Asked | None, told: Told, now: Situation) -> Turn | None:
    """What the words themselves ask, whatever they read as: a button's label, an exercise, a time, what usual pain is."""
    if asks_progress(told.text, now.language):
        return Turn(lines=(Line("progress"),))
    if _asks_what_usual_is(reading, target, told, now):
        return Turn(lines=(Line("usual_means"), *once_more(target)), ask=same_again(target))
    if is_button(told.text, WRONG, now.language):
        return something_is_wrong()
    if is_button(told.text, CHANGE, now.language):
        return _change_last(now)
    return _how_to(told.text, target, now) or _at_another_time(told.text, reading, now)


def _asks_what_usual_is(reading: Reading, target: Asked | None, told: Told, now: Situation) -> bool:
    asked = target is not None and target.kind == "baseline" and reading.score is None and reading.request != "physio"
    return asked and asks_usual(told.text, now.language)


def _at_another_time(text: str, reading: Reading, now: Situation) -> Turn | None:
    """ "Half past ten": a time and nothing else is what we asked for, and no score; it is confirmed first."""
    if (at := time_alone(text, now.language)) is not None:
        return ask_time(at, now)
    asked = next((question for question in now.open if question.kind == "which_time"), None)
    if asked is None or reading.score is not None:
        return None
    return time_named(text, asked, now)


def _helped(reading: Reading, target: Asked | None, told: Told, now: Situation) -> Turn:
    """What can be written here, for who asks about the chat, or about a number while we ask for one; else it is for the physio."""
    asks_us = asks_about_the_chat(told.text, now.language) and not mentions_pain(told.text, reading, now.language)
    asks_for_number = any(question.kind in MEASURED or KINDS[question.kind].scored for question in now.open)
    if asks_us or (asks_for_number and names_a_number(told.text, now.language)):
        return Turn(lines=(Line("help"), Line("not_watched"), *once_more(target)), ask=same_again(target))
    return for_physio(told, target)


def for_physio(told: Told, target: Asked | None) -> Turn:
    """The words for the physio, who will read them; a question that is open stays, and is said once more."""
    return Turn((ForPhysio("X3", told.text, tell_when_read=True),), (Line("passed_on"), *once_more(target)), same_again(target))


def _how_to(text: str, target: Asked | None, now: Situation) -> Turn | None:
    if is_button(text, "how", now.language):
        return how_to(next((question for question in now.open if question.kind == "session"), None), now)
    return how_to_named(text, target, now)


def ask_anew(kind: str, day: date | None, slot: int | None) -> Turn:
    """*Change*: the question once more, about the same session."""
    return Turn(lines=(Line(f"change_{kind}", {"day": day.isoformat()} if day else {}),), ask=Ask(kind, day, slot, {"anew": True}))


def _change_last(now: Situation) -> Turn:
    """*Change* typed out is about the value recorded last."""
    if now.measured is not None:
        return ask_measure_anew(now.measured, now)
    if now.last is None:
        return Turn(lines=(Line("nothing_to_change"),), read=False)
    turn = ask_anew(question_of(now.last.kind), now.last.day, now.last.slot)
    return replace(turn, ask=replace(turn.ask, detail={})) if turn.ask and now.last.kind == LATE else turn  # it stays a late one


def _resume(now: Situation) -> Turn:
    """START ends the patient's own pause, and any question about one; what a clinician or a rule holds back stays so."""
    moot = tuple(Close(question.id, "withdrawn") for question in now.open if question.kind in ("pause_days", "confirm_pause"))
    if "clinic_pause" in now.held:
        return Turn(moot, (Line("paused_by_team"),))
    if {"red_flag", "physio_first"} & now.held:
        return Turn((Resume(), *moot), (Line("held_for_physio"),))
    planned, ask = planned_pause(now)
    return Turn((Resume(), *moot), (Line("pause_over" if "pause" in now.held else "already_on"), *planned), ask)


def planned_pause(now: Situation) -> tuple[tuple[Line, ...], Ask | None]:
    """That a pause of the patient's own is still planned, and the question whether to cancel it."""
    if now.planned_pause is None:
        return (), None
    first, until = now.planned_pause
    told = Line("pause_planned", {"day": first.isoformat(), "until": until.isoformat()})
    asked = next((each for each in now.open if each.kind == "cancel_pause"), None)
    return (told, Line("ask_cancel_pause")), same_again(asked) or Ask("cancel_pause")


def _pause(reading: Reading, now: Situation) -> Turn:
    first = reading.since or now.today
    return ask_pause(first, reading.until or (first + timedelta(days=reading.days) if reading.days else None), now)
