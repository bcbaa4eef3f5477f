"""How people write in a chat: answers, excuses and requests in many words, with a slip of the thumb now and then."""

from __future__ import annotations

from random import Random

SESSION_SCORE = (
    "{n}",
    "{n}",
    "{n}/10",
    "about a {n}",
    "done! worst was {n}",
    "all done this morning, {n}",
    "did them before work. {n}",
    "finished, pain {n} I'd say",
    "Got through the lot, {n} at its worst",
    "ok did it, {n} today",
    "just finished. {n} out of 10",
    "yep did them all {n}",
    "bit stiff to start with but done, {n}",
    "done, {w}",
    "Completed all sets. Pain: {n}",
    "managed everything, only a {n}",
    "exercises done 💪 {n}",
    "{n} I think",
    "{w} today",
    "Did the lot while the kettle boiled 😄 {n}",
)
PARTLY = (
    "only managed half of it, {n}",
    "did some of them. {n}",
    "got the first two done, pain {n}",
    "ran out of time halfway, {n}",
    "skipped the last one but did the rest, {n}",
    "a few of them, {n} or so",
)
NEXT_DAY_SCORE = (
    "{n}",
    "{n}",
    "{n}/10",
    "a {n} this morning",
    "{w}",
    "feels like a {n}",
    "{n} when I sat down for breakfast",
    "probably {n}",
    "morning! {n}",
    "it's at {n} now",
    "about {n} today",
    "{n}, same sort of spot",
)
USUAL_SCORE = ("{n}", "about {n}", "usually a {n}", "{n} most days", "I'd say {n}", "around {w}")
QUICK_SCORE = ("{n}", "{n}", "{w}", "{n}/10", "a {n}", "{n} at most", "erm {n}")
HARD_TO_DO = ("climb the stairs", "sit through a film", "run for the bus", "drive for an hour", "tie my shoes", "lift my daughter")
HARD_TO_READ = (
    "same as yesterday really",
    "not too bad actually",
    "bit sore but fine",
    "it was ok",
    "meh",
    "👍",
    "better than last week I think",
    "twinges here and there",
    "between the two, hard to say",
)
NOT_TODAY = (
    "not today sorry",
    "Couldn't fit it in today",
    "skipping this one, kids are ill",
    "no chance today, stuck in meetings till late",
    "didn't do them",
    "Sorry, haven't done it. Long day",
    "no, on the train all day",
    "nope, forgot completely",
)
NOT_TODAY_PAIN = (
    "no, it's too painful today",
    "didn't do them, much too sore",
    "skipped it because it hurt just sitting down",
)
AGREE = ("yes", "Yes please", "ok", "yes that's fine", "sure")
DECLINE = ("no thanks", "No, I'd rather not")
CORRECTIONS = ("sorry, {n}", "oops meant {n}", "sorry typo, it was {n}", "no wait, {n}")
PAUSES = ("Off on holiday, can you pause this for {d} days?", "can we pause for {d} days please, visiting family", "pause {d} days please")
TIMES = ("could you send it at {t} instead?", "can you send these at {t} please", "please send it at {t}")
STOPS = ("STOP", "please stop these messages", "Stop", "stop please, I have had enough of these")
TO_PHYSIO = (
    "Can I talk to my physio please?",
    "please ask my physio to ring me when they have a minute",
    "Could my physio call me about the bridges?",
)
CHAT = (
    "thank you!",
    "Thanks",
    "ok will do",
    "is it normal that it feels tight when I drive?",
    "the weather is finally good here :)",
    "help",
)
RED_FLAGS = (
    "Odd one, since last night I can't feel myself wiping on the toilet",
    "my calf is swollen and hot since the weekend",
    "felt a pop at the back of my thigh and now there's a huge bruise",
    "been having chest pain since this morning",
    "my foot keeps dropping when I walk, new since yesterday",
)
SEEN_ABOUT_IT = ("yes", "yes went to the walk in centre", "Yes, saw the GP")

_NUMBERS = "zero one two three four five six seven eight nine ten".split()
_NEXT_TO: dict[str, str] = dict(
    zip("qwertyuiopasdfghjklzxcvbnm", ("w", "e", "r", "t", "y", "u", "i", "o", "p", "o", *"sdfghjklk", *"xcvbnmn"), strict=True)
)


def pick(rng: Random, bank: tuple[str, ...], score: int | None = None, **values: object) -> str:
    """One of the bank's sentences, filled in: `{n}` the score in digits, `{w}` in words."""
    if score is not None:
        values |= {"n": score, "w": _NUMBERS[score]}
    return rng.choice(bank).format_map(values)


def typo(rng: Random, text: str) -> str:
    """The same with one letter wrong, doubled, swapped or left out; digits stay as they are."""
    places = [at for at in range(1, len(text)) if text[at].isascii() and text[at].isalpha()]
    if not places:
        return text
    at = rng.choice(places)
    match rng.randrange(4):
        case 0:
            return text[:at] + _NEXT_TO[text[at].lower()] + text[at + 1 :]
        case 1:
            return text[:at] + text[at] + text[at:]
        case 2 if text[at - 1].isalpha():
            return text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :]
        case _:
            return text[:at] + text[at + 1 :]


def as_typed(rng: Random, text: str, typos: float) -> str:
    """The same as thumbs write it: sometimes without capitals, sometimes with a typo."""
    if rng.random() < 0.35:
        text = text.lower()
    return typo(rng, text) if rng.random() < typos else text
