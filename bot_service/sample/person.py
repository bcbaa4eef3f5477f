"""One simulated patient with a phone: sees the words and buttons of what arrives, and answers when and how people do."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Literal
from zoneinfo import ZoneInfo

from bot_service.sample import phrases
from bot_service.sample.body import Body, draws
from bot_service.sample.personas import Moment, Outcome, Persona
from bot_service.sample.understanding import Asked, english, is_button, says, what_is_asked

_NOTHING_SPECIAL = Moment(promptly=False)
_OF_MEASURES = ("activity", "another", "function", "changed")
_REASONS = ("time", "forgot", "time", "unwell", "other", "unsure")
_CHANGES = ("same", "bit_better", "better", "much_better")


@dataclass(frozen=True)
class Seen:
    """A message as it shows on the phone."""

    at: datetime
    message_id: str
    text: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Act:
    """What the person does at a moment: types `words`, taps that button under `message_id`, edits the last words, or blocks.

    With `if_unanswered` only when no message has come since the person last did something.
    """

    at: datetime
    what: Literal["text", "tap", "edit", "blocked"]
    words: str = ""
    message_id: str | None = None
    answers: Asked = "nothing"
    if_unanswered: bool = False


@dataclass(frozen=True)
class _Meant:
    """What the last answer was about, for when it is not understood."""

    asked: Asked
    words: str


class Person:
    """A persona at the phone. What they do depends on the seed, on who they are and on what they were sent, and on nothing else."""

    def __init__(self, persona: Persona, seed: int, began: date) -> None:
        self.persona = persona
        self._seed = seed
        self._began = began
        self._zone = ZoneInfo(persona.zone)
        self._body = Body(persona.pain, seed, persona.name, began)
        self._answered: set[tuple[Asked, date]] = set()
        self._moved_on: date | None = None
        self._eased: set[date] = set()
        self._meant: _Meant | None = None

    def own_accord(self, since: datetime) -> list[Act]:
        """What the person says without being asked, after `since`."""
        acts = [Act(self._local(remark.day, remark.at), "text", remark.words) for remark in self.persona.remarks]
        if self.persona.blocks_on is not None:
            acts.append(Act(self._local(self.persona.blocks_on, time(20, 5)), "blocked"))
        return [act for act in acts if act.at > since]

    def notice(self, seen: Seen) -> None:
        """Take in what a message says, whether or not it is answered."""
        if says(seen.text, ("plan_changed_forward",)):
            self._moved_on = self._day(seen.at)
        if says(seen.text, ("easier_today", "easier_until")):
            self._eased.add(self._day(seen.at))

    def remember(self, at: datetime, asked: Asked) -> None:
        """An answer that was given before this person was brought back."""
        self._answered.add((asked, self._day(at)))

    def react(self, seen: Seen) -> list[Act]:
        """What a message makes the person do, each thing with its moment; nothing is common."""
        self.notice(seen)
        day, asked = self._day(seen.at), what_is_asked(seen.text, seen.labels)
        if asked == "nothing" or self.persona.is_silent(day):
            return []
        rng = draws(self._seed, self.persona.name, day, asked, len(seen.text))
        if says(seen.text, ("not_understood",)) and self._meant is not None:
            return self._once_more(seen, asked, rng)
        if asked == "which" and self._meant is not None:
            return self._which(seen, rng)
        if asked in _OF_MEASURES:
            return self._measure(seen, asked, rng)
        if (asked, day) in self._answered or (asked == "nudge" and ("exercises", day) in self._answered):
            return []
        acts = self._answer(seen, asked, day, rng)
        if acts:
            self._answered.add(("exercises" if asked == "nudge" else asked, day))
        return acts

    def _answer(self, seen: Seen, asked: Asked, day: date, rng: Random) -> list[Act]:
        match asked:
            case "exercises" | "nudge":
                return self._exercise(seen, asked, day, rng)
            case "next_day":
                return self._the_day_after(seen, day, rng)
            case "session_pain":
                self._answered.discard((asked, day))
                return self._score(seen, asked, self._during(day), phrases.QUICK_SCORE, self._soon(seen.at, rng), rng)
            case "usual_pain":
                usual = self._body.usual() if self.persona.usual is None else self.persona.usual
                return self._score(seen, asked, usual, phrases.USUAL_SCORE, self._soon(seen.at, rng), rng)
            case _:
                return self._choice(seen, asked, day, rng)

    def _exercise(self, seen: Seen, asked: Asked, day: date, rng: Random) -> list[Act]:
        """Exercises arrived: do them or not, and say so later, or never."""
        moment, habits = self._moment(day), self.persona.habits
        willing = habits.nudged if asked == "nudge" else habits.answers
        if moment.outcome is None and moment.during is None and rng.random() >= willing:
            return []
        outcome = moment.outcome or ("done" if moment.during is not None else self._outcome(rng))
        at = self._later(seen.at, moment.promptly, rng)
        if outcome in ("done", "partly"):
            return self._did(seen, asked, day, outcome, at, rng)
        if outcome == "pain":
            return [Act(at, "text", self._typed(phrases.pick(rng, phrases.NOT_TODAY_PAIN), rng), answers=asked)]
        return self._tap_or_type(seen, asked, _label("not_today"), phrases.pick(rng, phrases.NOT_TODAY), at, rng)

    def _did(self, seen: Seen, asked: Asked, day: date, outcome: Outcome, at: datetime, rng: Random) -> list[Act]:
        score, moment = self._during(day), self._moment(day)
        if moment.slip is not None:
            self._meant = _Meant(asked, str(score))
            wrong = Act(at, "text", str(moment.slip), answers=asked)
            return [wrong, Act(at + timedelta(minutes=2), "text", moment.fix or f"sorry, {score}", answers=asked)]
        if outcome == "partly":
            if rng.random() < self.persona.habits.taps and _label("some") in seen.labels:
                return [Act(at, "tap", _label("some"), seen.message_id, asked)]
            return [Act(at, "text", self._typed(phrases.pick(rng, phrases.PARTLY, score), rng), answers=asked)]
        return self._score(seen, asked, score, phrases.SESSION_SCORE, at, rng)

    def _the_day_after(self, seen: Seen, day: date, rng: Random) -> list[Act]:
        moment = self._moment(day)
        if moment.after is None and rng.random() >= self.persona.habits.next_day:
            return []
        score = self._body.after(day) if moment.after is None else moment.after
        quick = timedelta(minutes=rng.uniform(3, 25)) if moment.promptly else timedelta(minutes=rng.expovariate(1 / 40))
        return self._score(seen, "next_day", score, phrases.NEXT_DAY_SCORE, self._awake(seen.at + quick), rng)

    def _choice(self, seen: Seen, asked: Asked, day: date, rng: Random) -> list[Act]:
        """A question with its own buttons, or one that wants words."""
        at, say = self._soon(seen.at, rng), phrases.pick
        match asked:
            case "consent":
                key, words = ("yes", say(rng, phrases.AGREE)) if self.persona.agrees else ("no", say(rng, phrases.DECLINE))
                return self._tap_or_type(seen, asked, _label(key), words, at, rng)
            case "safety":
                return self._tap_or_type(seen, asked, _label("none"), "none of those", at, rng)
            case "reason":
                reason = self._moment(day).reason or rng.choice(_REASONS)
                return [Act(at, "tap", _label(reason), seen.message_id, asked)]
            case "new_or_worse":
                return [Act(at, "tap", _label("yes" if rng.random() < 0.5 else "no"), seen.message_id, asked)]
            case "seen":
                at = self._awake(seen.at + timedelta(minutes=rng.uniform(10, 90)))
                return self._tap_or_type(seen, asked, _label("yes"), say(rng, phrases.SEEN_ABOUT_IT), at, rng)
            case "confirm":
                return self._tap_or_type(seen, asked, _label("yes"), "yes please", at, rng)
            case "next_step":
                key, words = ("yes", "yes please") if self.persona.takes_steps else ("not_yet", "not yet")
                return self._tap_or_type(seen, asked, _label(key), words, at, rng)
            case "how_long":
                return [Act(at, "tap", _label("days_7"), seen.message_id, asked)]
            case "what_time":
                return [Act(at, "text", "send it at 6pm", answers=asked)]
            case "what_is_wrong":
                return [Act(at, "text", "the back of my thigh feels tight when I sit for long", answers=asked)]
        return []

    def _measure(self, seen: Seen, asked: Asked, rng: Random) -> list[Act]:
        """The questions that come every few weeks: most people answer them, and see some improvement."""
        at, weeks, habits = self._soon(seen.at, rng), (self._day(seen.at) - self._began).days // 7, self.persona.habits
        if rng.random() >= habits.answers:
            return [Act(at, "tap", _label("not_now"), seen.message_id, asked)] if _label("not_now") in seen.labels else []
        if asked == "function":
            value = str(max(0, min(10, 3 + weeks // 3 + rng.randint(0, 2))))
            return [Act(at, "tap", value, seen.message_id, asked)]
        if asked == "changed":
            return [Act(at, "tap", _label(rng.choice(_CHANGES)), seen.message_id, asked)]
        if asked == "another" and rng.random() < 0.6:
            return [Act(at, "tap", _label("that_is_all"), seen.message_id, asked)]
        return [Act(at, "text", phrases.pick(rng, phrases.HARD_TO_DO), answers=asked)]

    def _score(self, seen: Seen, asked: Asked, score: int, bank: tuple[str, ...], at: datetime, rng: Random) -> list[Act]:
        """Tell a number: by tap or in words, rarely too vague to read, rarely wrong and then put right."""
        habits = self.persona.habits
        self._meant = _Meant(asked, str(score))
        if rng.random() < habits.taps:
            return [Act(at, "tap", str(score), seen.message_id, asked)]
        if rng.random() < habits.vague:
            return [Act(at, "text", phrases.pick(rng, phrases.HARD_TO_READ), answers=asked)]
        if rng.random() < habits.slips:
            return self._slip(asked, score, at, rng)
        return [Act(at, "text", self._typed(phrases.pick(rng, bank, score), rng), answers=asked)]

    def _slip(self, asked: Asked, score: int, at: datetime, rng: Random) -> list[Act]:
        wrong = Act(at, "text", str(score + 1 if score < 10 else 1), answers=asked)
        if rng.random() < 0.4:
            return [wrong, Act(at + timedelta(minutes=1), "edit", str(score), answers=asked)]
        return [wrong, Act(at + timedelta(minutes=rng.uniform(1, 4)), "text", phrases.pick(rng, phrases.CORRECTIONS, score), answers=asked)]

    def _once_more(self, seen: Seen, asked: Asked, rng: Random) -> list[Act]:
        """Not understood: most people then use the buttons."""
        words = self._meant.words if self._meant and self._meant.asked in (asked, "nudge", "exercises") else None
        at = self._soon(seen.at, rng)
        if words is None:
            return self._answer(seen, asked, self._day(seen.at), rng)
        if rng.random() < min(0.12, 4 * (1 - self.persona.habits.answers)):
            return []
        how: Literal["tap", "text"] = "tap" if words in seen.labels and rng.random() < 0.7 else "text"
        return [Act(at, how, words, seen.message_id if how == "tap" else None, asked)]

    def _which(self, seen: Seen, rng: Random) -> list[Act]:
        """Two questions were open: tap the one that was meant."""
        wanted = "choice_pain_24h" if self._meant and self._meant.asked == "next_day" else "choice_session"
        label = next((label for label in seen.labels if is_button(label, wanted)), seen.labels[0])
        return [Act(self._soon(seen.at, rng), "tap", label, seen.message_id, "which")]

    def _tap_or_type(self, seen: Seen, asked: Asked, label: str, words: str, at: datetime, rng: Random) -> list[Act]:
        self._meant = _Meant(asked, label)
        if label in seen.labels and rng.random() < max(0.35, self.persona.habits.taps):
            return [Act(at, "tap", label, seen.message_id, asked)]
        return [Act(at, "text", words, answers=asked)]

    def _outcome(self, rng: Random) -> Outcome:
        habits, drawn = self.persona.habits, rng.random()
        if drawn < habits.done:
            return "done"
        return "partly" if drawn < habits.done + habits.partly else "pain" if rng.random() < 0.12 else "no"

    def _during(self, day: date) -> int:
        fixed = self._moment(day).during
        return self._body.during(day, day in self._eased, self._moved_on) if fixed is None else fixed

    def _moment(self, day: date) -> Moment:
        return self.persona.moments.get(day, _NOTHING_SPECIAL)

    def _typed(self, words: str, rng: Random) -> str:
        return phrases.as_typed(rng, words, self.persona.habits.typos)

    def _soon(self, at: datetime, rng: Random) -> datetime:
        """The phone is still in the hand."""
        return at + timedelta(seconds=rng.uniform(15, 150))

    def _later(self, at: datetime, promptly: bool, rng: Random) -> datetime:
        """After the exercises: sometimes soon, sometimes in the evening, always while awake."""
        if promptly:
            return at + timedelta(minutes=rng.uniform(12, 40))
        if rng.random() < self.persona.habits.evening:
            evening = self._local(self._day(at), time(18)) + timedelta(minutes=rng.uniform(0, 200))
            if evening > at:
                return evening
        minutes = self.persona.habits.minutes * math.exp(rng.gauss(0, 0.8))
        return self._awake(at + timedelta(minutes=min(minutes, 14 * 60)))

    def _awake(self, at: datetime) -> datetime:
        """Not at night: then the next morning, each at a minute of their own."""
        local = at.astimezone(self._zone)
        if 6 <= local.hour < 23:
            return at
        day = local.date() if local.hour < 6 else local.date() + timedelta(days=1)
        return self._local(day, time(7, local.minute))

    def _local(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, self._zone).astimezone(UTC)

    def _day(self, at: datetime) -> date:
        return at.astimezone(self._zone).date()


def _label(key: str) -> str:
    return english().buttons[key]


def at_once(act: Act, now: datetime) -> Act:
    """The same, not in the past."""
    return act if act.at >= now else replace(act, at=now)
