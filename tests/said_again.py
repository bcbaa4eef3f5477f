"""What each rule says of a record today, with every figure of its sentence, worked out once more from `clinical.md` section 5 and 0."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from statistics import median

from tests.counted_again import Life
from tests.judged_again import CEILING, GATES, LAST, settles_at

WEEKS = {
    "visa_h": ("VISA-H total", (0, 12, 26)), "psfs": ("Patient-specific function", (0, 6, 12, 26)), "change": ("Global change", (12, 26)),
}  # fmt: skip
"""When each outcome measure is due (`clinical.md` 0.16)."""
EARLY, LATE = 14, 28
"""Days around its week in which a value counts for it, and in which it is asked for (default)."""
AGREED = 2
"""Days before care began from which agreeing to it counts as a reply (default)."""
SEVERE, WEEK, SILENT, LOST, LOW, GAP, LONG_GAP = 8, 7, 7, 14, 14, 7, 14
STAGES = {"early": ("Early Plan", 42), "intermediate": ("Intermediate Plan", 84), "advanced": ("Advanced Plan", 112)}
ORDINALS = ("", "", "second", "third", "fourth", "fifth", "sixth", "seventh")
REASONS = {"pain": "pain", "forgot": "forgot"}
BLOCKING = {"D1": "A red flag is open.", "A4": "The flag on severe or repeated session pain is open."}
Rated = tuple[date, int]


class Said:
    """The sentences of one life; `loading` are its loading days with the worst pain in the session and a day later."""

    def __init__(self, life: Life) -> None:
        self.life, self.today, self.loading = life, life.today, life.loading()
        self.rated: list[Rated] = [(day, worst) for day, worst, _ in self.loading if worst is not None]
        self.later: list[Rated] = [(day, after) for day, _, after in self.loading if after is not None]

    def all(self) -> dict[str, str]:
        """By rule, what it says; a rule that has nothing to say is missing."""
        rules: dict[str, Callable[[], str | None]] = {
            "A3": self._above, "A4": self._severe, "B2": self._slightly, "B3": self._worse, "B4": self._rising, "D2": self._plateau,
            "D3": self._refused, "D4": self._low, "D5": self._silent, "D6": self._overdue, "D7": self._planned, "E4": self._gap,
        }  # fmt: skip
        return {rule: words for rule, says in rules.items() if (words := says())}

    def _ago(self, day: date) -> int:
        return (self.today - day).days

    def _above(self) -> str | None:
        over = [(day, worst) for day, worst in self.rated if worst > CEILING]
        if not over or self._ago(over[-1][0]) >= WEEK:
            return None
        day, worst = over[-1]
        times = sum((day - each).days < WEEK for each, _ in over)
        again = f"{ORDINALS[times]} time above {CEILING} in {WEEK} days" if times > 1 else f"above {CEILING}"
        return f"Pain {worst}/10 during {_session(day)}, {again}; {self._next(day)}."

    def _severe(self) -> str | None:
        """One at 8 or more; two in a row above 5; three of the last five above 5: each as it was at the end of some recent day."""
        ends = [at for at in reversed(range(len(self.rated))) if self._ago(self.rated[at][0]) < WEEK and self.rated[at][1] > CEILING]
        for at in ends:
            day, worst = self.rated[at]
            if worst >= SEVERE:
                return f"Pain {worst}/10 during {_session(day)}; {self._next(day)}."
        for at in ends:
            if at and self.rated[at - 1][1] > CEILING:
                return f"Pain above {CEILING} on loading days in a row: {_listed(self.rated[at - 1 : at + 1])}."
        for at in ends:
            last = self.rated[max(0, at - 4) : at + 1]
            over = [each for each in last if each[1] > CEILING]
            if len(over) >= 3:
                return f"Pain above {CEILING} on {len(over)} of the last {len(last)} loading days: {_listed(over)}."
        return None

    def _slightly(self) -> str | None:
        """One point above usual, once: neither clearly worse nor the second time running."""
        if self.life.usual is None or not self.later or self._ago(self.later[-1][0]) >= WEEK:
            return None
        day, after = self.later[-1]
        if not self._is_raised(after) or self._is_worse(after) or (len(self.later) > 1 and self._is_raised(self.later[-2][1])):
            return None
        return f"Pain {after}/10 the day after {_session(day)}, a step above the usual {self.life.usual}; load held."

    def _worse(self) -> str | None:
        if self.life.usual is None:
            return None
        recent = [(at, day, after) for at, (day, after) in enumerate(self.later) if self._ago(day) < WEEK]
        clearly = [(day, after) for _, day, after in recent if self._is_worse(after)]
        twice = {
            at - back
            for at, _, after in recent
            for back in (0, 1)
            if at and self._is_raised(after) and self._is_raised(self.later[at - 1][1])
        }
        if clearly:
            again = f", {ORDINALS[len(clearly)]} time in {WEEK} days" if len(clearly) > 1 else ""
            return f"Pain {clearly[-1][1]}/10 the day after {_session(clearly[-1][0])}, usual {self.life.usual}{again}."
        if not twice:
            return None
        scores = _joined(f"{self.later[at][1]}/10 after {_short(self.later[at][0])}" for at in sorted(twice))
        return f"Next-day pain above usual ({self.life.usual}) {len(twice)} times running: {scores}."

    def _rising(self) -> str | None:
        """The median of each of the last three spans of seven days, each a point higher; two rated days make a median."""
        weeks = [[worst for day, worst in self.rated if back * WEEK <= self._ago(day) < (back + 1) * WEEK] for back in (2, 1, 0)]
        if self.life.usual is None or min(len(each) for each in weeks) < 2:
            return None
        first, second, third = (median(each) for each in weeks)
        if second - first < 1 or third - second < 1:
            return None
        return f"Weekly median session pain has risen 2 weeks running: {first:g}, {second:g} and {third:g} out of 10."

    def _plateau(self) -> str | None:
        share = self.life.share("done", 28)
        in_stage = [(day, worst) for day, worst in self.rated if day >= self.life.stage_start]
        now, before = ([worst for day, worst in in_stage if back <= self._ago(day) < back + 14] for back in (0, 14))
        if self._ago(self.life.stage_start) < 28 or share is None or 100 * share[0] < 70 * share[1] or min(len(now), len(before)) < 3:
            return None
        if median(now) < 3 or median(before) - median(now) >= 1:
            return None
        medians = f"{median(now):g}/10 over the last 14 days, {median(before):g} in the 14 before"
        return f"Median session pain {medians}, with {_percent(share)} % done over 28 days."

    def _refused(self) -> str | None:
        """The last three days that were asked about and are over were all answered no."""
        days = [day for day in sorted(self.life.days) if day <= self.today and self.life.is_asked(day)][-3:]
        if len(days) < 3 or any(self.life.points(day) or not self.life.said(day) for day in days):
            return None
        given = [reason for day in days for reason in sorted(self.life.day(day).reasons)]
        because = f"reason given: {_joined(dict.fromkeys(REASONS[each] for each in given))}" if given else "no reason given yet"
        return f"Answered not done on 3 scheduled days in a row ({_joined(_short(day) for day in days)}); {because}."

    def _low(self) -> str | None:
        share, asked = self.life.share("done", LOW), [day for day in self.life.window(LOW) if self.life.is_asked(day)]
        if self._ago(self.life.start) < LOW or share is None or 100 * share[0] >= 50 * share[1] or len(asked) < 3:
            return None
        done = sum(self.life.points(day) == 2 for day in asked)
        return f"{_percent(share)} % done over {LOW} days: {done} of {len(asked)} scheduled days in full."

    def _silent(self) -> str | None:
        """Days without a word, but for those on which we or a hold kept the prompt back, and the rest days that follow them."""
        heard = [day for day, found in self.life.days.items() if found.heard and day >= self.life.start - timedelta(days=AGREED)]
        last = max(heard, default=self.life.start)
        silent, ours = 0, False
        for day in (last + timedelta(days=each) for each in range(1, self._ago(last) + 1)):
            asked = self.life.asked(day)
            ours = (ours and not asked) or bool(asked and not asked & {"sent", "waiting"})
            silent += not ours
        unanswered = sum(last < day <= self.today and bool(self.life.asked(day) & {"sent", "waiting"}) for day in list(self.life.days))
        if silent < SILENT or not unanswered:
            return None
        since = f"No reply since {'' if heard else 'the start on '}{_long(last)}"
        return f"{since}; {unanswered} prompt day{'s' * (unanswered != 1)} unanswered."

    def _overdue(self) -> str | None:
        title, limit = STAGES[self.life.stage]
        if (days := self._ago(self.life.stage_start)) < limit:
            return None
        due = self.life.stage_start + timedelta(days=limit)
        return f"{days // 7} weeks in {title}, since {_short(self.life.stage_start)}; review was due {_long(due)}."

    def _planned(self) -> str | None:
        days = self._ago(self.life.start)
        limit, words = (183, "beyond the usual 3-6 months") if days >= 183 else (84, "planned review")
        due = self.life.start + timedelta(days=limit)
        return f"{days // 7} weeks since the start on {_short(self.life.start)}: {words}, due {_long(due)}." if days >= 84 else None

    def _gap(self) -> str | None:
        if not self.loading or (gap := self._ago(self.loading[-1][0])) < GAP:
            return None
        how = "physio first, before loading restarts" if gap >= LONG_GAP else "restart at about 60 % of the volume"
        return f"No session since {_long(self.loading[-1][0])} ({gap} days): {how}."

    def against_a_step(self, open_rules: Iterable[str]) -> list[str]:
        """What stands on the page between a step up and its doing, by the limits of the stage."""
        gate = GATES[{"early": "C1", "intermediate": "C2"}.get(self.life.stage, "C4")]
        quiet = self.today - timedelta(days=gate.quiet_days - 1)
        since = min([quiet, *(day for day, _ in self.rated[-LAST:])])
        limit, usual = min(gate.session, CEILING), self.life.usual
        high = [(day, worst) for day, worst in self.rated if day >= since and worst > limit]
        after = [
            each for each in self.later if each[0] >= since and each[1] > min(gate.after, CEILING if usual is None else settles_at(usual))
        ]
        found = [BLOCKING[rule] for rule in BLOCKING if rule in open_rules]
        if high:
            found.append(f"Session pain above {limit}, this step's limit (the ceiling is {CEILING}): {_latest(high)}.")
        if after:
            known = "usual pain not known" if usual is None else f"usual pain {usual}"
            found.append(f"Pain 24 hours later above {gate.after}, or not settled ({known}): {_latest(after)}.")
        if left_out := [_short(day) for day in sorted(self.life.days) if day >= quiet and self.life.days[day].left_out]:
            found.append(f"Left out because of pain on {_joined(left_out)}.")
        return found

    def _next(self, day: date) -> str:
        """How the day after went."""
        after = dict(self.later).get(day)
        if after is None:
            return "no answer for the next day yet"
        if after > CEILING or (self.life.usual is not None and after > settles_at(self.life.usual)):
            return f"{after} the next day, not settled"
        return f"{after} the next day, usual pain not recorded" if self.life.usual is None else f"settled to {after} by the next day"

    def _is_raised(self, after: int) -> bool:
        return self.life.usual is not None and after >= max(self.life.usual, 1) + 1

    def _is_worse(self, after: int) -> bool:
        return after > CEILING or (self.life.usual is not None and after >= min(10, max(self.life.usual, 1) + 2))


def last_day(life: Life) -> str:
    """The last loading day as the summary has it."""
    day, *pains = life.loading()[-1]
    during, after = ("no score" if pain is None else f"{pain}/10" for pain in pains)
    return f"Last loading day {day:%a} {day.day} {day:%b %Y}: {during} in the session, {after} after 24 hours."


def due_again(life: Life, taken: Iterable[tuple[str, date]]) -> list[str]:
    """The measures that are due, each for the last of its weeks that was reached and is not long over; `taken` by measure and day."""
    found = []
    values, age = list(taken), (life.today - life.start).days
    for measure, (title, weeks) in WEEKS.items():
        asked = [week for week in weeks if 7 * week <= age <= 7 * week + LATE]
        if asked and not any(of == measure and (day - life.start).days >= 7 * asked[-1] - EARLY for of, day in values):
            found.append(f"{title}, for week {asked[-1]}")
    return found


def _latest(days: Sequence[Rated]) -> str:
    found = [f"{score} on {_short(day)}" for day, score in days]
    return _joined(found) if len(found) < 5 else f"{', '.join(found[-4:])} and on {len(found) - 4} days before"


def _listed(days: Iterable[Rated]) -> str:
    return _joined(f"{_short(day)} ({score}/10)" for day, score in days)


def _joined(parts: Iterable[str]) -> str:
    found = list(parts)
    return " and ".join([", ".join(found[:-1])] * (len(found) > 1) + found[-1:])


def _percent(share: tuple[int, int]) -> int:
    return (200 * share[0] + share[1]) // (2 * share[1])


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"


def _long(day: date) -> str:
    return f"{day:%A} {_short(day)}"


def _session(day: date) -> str:
    return f"{day:%A}'s session ({_short(day)})"
