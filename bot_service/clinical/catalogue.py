"""Every rule by its id: a title, why it exists and where it comes from, for the clinician who asks; and what a flag is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Literal
from uuid import UUID

from plans.model import Rules

Urgency = Literal["now", "same_day", "three_days", "routine"]

URGENCIES: tuple[Urgency, ...] = ("now", "same_day", "three_days", "routine")
_STEPS = ("C4", "C3", "C2", "C1", "C5", "C0")
PRIORITY = (
    "D1",
    "A4",
    "X4",
    "B3",
    "A3",
    "B4",
    "X6",
    "X3",
    "X1",
    "X7",
    "X2",
    "X5",
    "X9",
    "E4",
    "D5",
    "D3",
    "D4",
    "D2",
    "D6",
    "D7",
    *_STEPS,
    "B2",
)
RED_FLAG, UNREACHABLE, MESSAGE = "D1", "X1", "X3"
"""The rules that more than their own code knows by name, each the key of its own case."""
ENGAGEMENT = "engagement"
ENGAGEMENT_RULES = ("D5", "D3", "D4", "C5")
"""The rules that are reasons on the engagement case, the most pressing first."""


@dataclass(frozen=True)
class Flag:
    """Something a physiotherapist should see.

    `evidence` are the rows that fired it and `days` the loading or scheduled days they belong to; `occurred` is the day this
    occurrence counts from (see `may_open`). Flags with the same `case` are reasons on one case. `basis` is where the threshold comes
    from, or "default". A `digest_only` flag is a line in the digest and opens no case. `since` is the day from which a reader counts.
    """

    rule: str
    urgency: Urgency
    sentence: str
    evidence: tuple[UUID, ...]
    days: tuple[date, ...]
    occurred: date
    basis: str
    suggestion: str | None
    case: str
    digest_only: bool = False
    since: date | None = None


@dataclass(frozen=True)
class RuleText:
    """A rule in words: what it is called, why it exists, and what that rests on."""

    title: str
    why: str
    basis: str


def basis_of(rules: Rules, *keys: str) -> str:
    """Where the thresholds of these dotted keys come from, each source once; "default" where the plan names none."""
    return "; ".join(dict.fromkeys(rules.sources.get(key, "default") for key in keys))


def rank(rule: str) -> int:
    """Place in the order in which several rules are shown; unknown rules come last."""
    return PRIORITY.index(rule) if rule in PRIORITY else len(PRIORITY)


LAWFUL_MONTH = "UK GDPR and EU GDPR, Article 12(3)"
"""Where the month comes from within which a request to erase is answered."""
_SEED = "Pure Physiotherapy's page on proximal hamstring tendinopathy"
_BANDS = "pain-monitoring model (Silbernagel 2007)"
_DEFAULT = "default"

RULES: Mapping[str, RuleText] = MappingProxyType(
    {
        "A1": RuleText("Session pain low", "Up to 3/10 in a session is the comfortable range for loading a tendon.", _BANDS),
        "A2": RuleText(
            "Session pain allowed",
            "4 or 5 is allowed if it settles by the next day. It earns no progression credit.",
            f"5 as the ceiling: {_SEED}; no credit: {_DEFAULT}",
        ),
        "A3": RuleText(
            "Session pain above the ceiling",
            "Above 5/10 the advice is less resistance or fewer repetitions until it settles. Once is a line in the digest; twice in 7 "
            "days, or not settled by the next day, is a flag.",
            f"ceiling and advice: {_SEED}; when it becomes a flag: {_DEFAULT}",
        ),
        "A4": RuleText(
            "Session pain severe or repeated",
            "8/10 or more, two loading days in a row above 5, or three of the last five, is beyond what advice in a chat should handle.",
            _DEFAULT,
        ),
        "B1": RuleText(
            "Settled by the next day", "Pain back to its usual level within a day says the load was tolerated.", f"{_SEED}; {_BANDS}"
        ),
        "B2": RuleText(
            "One point above usual the next day",
            "A single point is within what a 0-10 scale can tell apart: hold the load and ask again.",
            _DEFAULT,
        ),
        "B3": RuleText(
            "Clearly worse the next day",
            "Two points above usual, above 5, or one point above usual twice running says the load was too much.",
            f"reduce after a next-day increase: {_BANDS}; the numbers: {_DEFAULT}",
        ),
        "B4": RuleText(
            "Pain rising week on week",
            "A weekly median that climbs a point in each of two weeks running shows a slow slide that no single day does.",
            f"idea from the {_BANDS}; the numbers: {_DEFAULT}",
        ),
        "C0": RuleText(
            "Next rung due",
            "Two settled weeks at one rung of an exercise: the next rung is due, within the same stage. Where the clinician has agreed "
            "beforehand the patient is offered it instead; faster work always waits for the clinician.",
            f"progress by response, not by time: Goom 2016 as reported; two weeks: {_DEFAULT}",
        ),
        "C1": RuleText(
            "Early stage complete",
            "Pain has settled to manageable levels, the day after too, and enough of the plan was done to judge it. Only a clinician "
            "moves the stage.",
            f"principle: {_SEED}; 80 %: Bailey 2020 review; other numbers: {_DEFAULT}",
        ),
        "C2": RuleText(
            "Intermediate stage complete",
            "Loading is tolerated at 3 or below and settled at 2 or below; the physio tests single-leg strength before the stage moves.",
            f"criteria-based stages: Breda 2021; bridge numbers: Freckleton 2014; other numbers: {_DEFAULT}",
        ),
        "C3": RuleText(
            "Faster work may be considered",
            "The settled pattern has held for two weeks in this stage. Plyometrics are opened by a clinician only.",
            _DEFAULT,
        ),
        "C4": RuleText(
            "Return-to-sport conversation due",
            "Minimal pain during and 24 hours after, with the faster block done. It is a conversation: nothing here clears anyone for "
            "sport.",
            f"{_SEED}; 2 as minimal: Silbernagel 2015 as reported; days: {_DEFAULT}",
        ),
        "C5": RuleText(
            "Ready but for adherence",
            "Pain meets the criteria, with 60-79 % of the plan done. Most people do less than the plan says, so this is worth a look.",
            _DEFAULT,
        ),
        "D1": RuleText(
            "Words that need a check now",
            "The patient wrote something that can point to a problem outside this plan. Safety text was sent; exercises are held "
            "until a clinician clears it, for the two graver tiers always. While they are held the chat speaks of no exercises, and "
            "what cannot be read as an answer is kept for the physio, on this flag.",
            "red-flag sources in the clinical notes; fixed",
        ),
        "D2": RuleText(
            "No change for weeks",
            "Done as asked for four weeks and pain has moved less than a point: the plan may need another idea.",
            f"review of persistent cases: {_SEED}; 1 point: Salaffi 2004; shape: {_DEFAULT}",
        ),
        "D3": RuleText(
            "Not done three times running",
            "Three scheduled days in a row answered no: one question about the reason, and pain as the reason goes to the physio.",
            f"barriers: Jack 2010; three: {_DEFAULT}",
        ),
        "D4": RuleText(
            "Less than half done", "Under half of the scheduled days over two weeks is too little to expect a change.", _DEFAULT
        ),
        "D5": RuleText(
            "No reply for a week",
            "After seven silent days the daily prompts stop and a person should get in touch.",
            _DEFAULT,
        ),
        "D6": RuleText(
            "Stage longer than expected",
            "The stage has lasted longer than most need. Time alone moves nobody on; it is a reason to look.",
            f"{_DEFAULT}, inside the 3-6 months of {_SEED}",
        ),
        "D7": RuleText(
            "Planned review",
            "Improvement is expected over 3-6 months, so 12 and 26 weeks are the times to measure and decide.",
            _SEED,
        ),
        "E1": RuleText(
            "Suggest less volume",
            "After pain above the ceiling: 20-30 % fewer repetitions or less load, same exercises, for 2-3 sessions.",
            f"direction: {_SEED}; amount: {_DEFAULT}",
        ),
        "E2": RuleText(
            "Suggest a rest day or holds",
            "After a worse next day: one more rest day, or isometric holds instead of the next heavy day, then less volume.",
            f"patellar loading guidance as reported; {_DEFAULT}",
        ),
        "E3": RuleText(
            "Suggest one step back",
            "After severe or repeated pain: one rung or stage back. The physio decides.",
            _DEFAULT,
        ),
        "E4": RuleText(
            "Restart after a gap",
            "A tendon not loaded for a week restarts at about 60 % of the volume; after two weeks the physio looks first.",
            _DEFAULT,
        ),
        "X1": RuleText("Cannot be reached", "Messages no longer arrive, so silence says nothing about the patient.", _DEFAULT),
        "X2": RuleText(
            "Answer not understood", "The question was asked again twice and is still unanswered; read what was written.", _DEFAULT
        ),
        "X3": RuleText(
            "Message for the physio",
            "To be read within three working days, and the same working day after “Something's wrong” or a question about today. "
            "The patient asked for a person, or wrote something that is not an answer.",
            _DEFAULT,
        ),
        "X4": RuleText(
            "Safety question not answered",
            "After severe pain or a jump the patient is asked about signs of something else; without an answer they are not ruled out. "
            "It is asked again the next day before anything else, and only once. Shown at once when they stop all messages instead.",
            _DEFAULT,
        ),
        "X5": RuleText(
            "Usual pain not known",
            "The patient agreed but has not said how the usual pain is, and was asked twice. Exercises begin when it is known.",
            _DEFAULT,
        ),
        "X6": RuleText(
            "Usual pain high: physio first",
            "The patient's usual pain is above what loading may begin at. Exercises are held until a clinician lets them begin.",
            _DEFAULT,
        ),
        "X7": RuleText(
            "Asked for their data to be erased",
            "Messages stop, and the clinic answers the patient: what it erases, or why it has to keep it. This version of Stepwise erases "
            "nothing by itself. Due within three working days, so that somebody begins; the law leaves one month.",
            f"one month: {LAWFUL_MONTH}; three working days: {_DEFAULT}",
        ),
        "X8": RuleText(
            "Something's wrong, and no words",
            "The patient tapped “Something's wrong” and wrote nothing for an hour: long enough to type it, short enough for somebody to "
            "ask the same working day. At once when they stop all messages instead. Once for each tap; "
            "what they write afterwards closes it.",
            _DEFAULT,
        ),
        "X9": RuleText(
            "Exercises not sent",
            "On three exercise days in a row the exercises did not go out, or waited for an answer while the patient wrote something else. "
            "None of these days counts against the patient. The case closes by itself once exercises have gone out again.",
            _DEFAULT,
        ),
    }
)
