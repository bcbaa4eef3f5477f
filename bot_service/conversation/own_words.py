"""Which sentences a clinic may word itself, and what its words must keep: the rest, and every safety text, stays the product's. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Template

from bot_service.conversation.wording import load_catalogue, placeholders

LONGEST = 600
"""Characters, so that what stands around them still fits into one message (default)."""
_ANYWHERE = frozenset({"clinic", "physio", "emergency", "urgent", "crisis", "hours"})


@dataclass(frozen=True)
class OwnText:
    """A sentence that may be changed. `unsolicited`: its first line may show on a locked phone. `word`: the command that it must name."""

    title: str
    when: str
    unsolicited: bool = False
    word: str = ""


OWN_TEXTS: Mapping[str, OwnText] = {
    "prompt_intro": OwnText("Daily greeting", "Begins the message with the day's exercises.", unsolicited=True),
    "welcome": OwnText("Welcome", "Answers the patient's yes."),
    "welcome_back": OwnText("Welcome back", "Answers START after a stop."),
    "recorded_done": OwnText("Well done", "Answers a session that is done."),
    "silence": OwnText("After a week of silence", "The last message before daily exercises stop.", unsolicited=True),
    "back_from_silence": OwnText("Back after silence", "Answers the first word after that."),
    "passed_on": OwnText("Who reads a message to the physio, and when", "Answers a message that somebody at the clinic will read."),
    "goodbye": OwnText("Sign-off", "Answers STOP.", word="start"),
    "discharged": OwnText("Care has ended", "Answers a patient whose care has ended: how to reach the clinic."),
}
_HIDDEN = {
    "en": r"\b(?:pain|ach(?:e|ing)|hurt|sore|hamstring|tend[io]|buttock|hip|legs?\b|thigh|knee|sit|bone|muscle|physio|therap|clinic|injur)"
    r"|\b(?:rehab|patient|groin|glute(?!n)|spin(?:e|al)|lumbar|back (?:exercise|stretch))|\b(?:lower|your|my|the|bad|stiff)[ -]back\b",
    "es": r"dolor|duele|molest|isquio|\btend[oi]|gl[uú]te|nalga|cadera|pierna|muslo|rodilla|hueso|m[uú]scul|fisio|terap|cl[ií]nic"
    r"|lesi[oó]n|rehabilit|paciente|\bingles?\b|espalda|lumbar|\bcolumna|\bespina|trasero",
    "pl": r"b[oó]l|ścięgn|poślad|biod[er]|\bnog|\bnóg|\bud[oa]\b|kolan|koś[cć]|mięś|fizjo|terap|klinik|poradni|uraz|rehab|pacjent"
    r"|pachwin|\bplec|krzyż|lędźwi|kręg|kulszow|siedz",
    "ar": r"ألم|وجع|وتر|أوتار|ورك|ساق|فخذ|ركبة|عظم|عظام|عضل|علاج|معالج|عيادة|إصاب|تأهيل|مريض"
    r"|مغبن|أربية|(?<!بعد )(?<!قبل )\b(?:[وب]?ال|لل)?ظهر(?:ك|كم)?\b(?!ً)|قطني|ألوي|أرداف|ردف|مؤخرة|فقري|فقار|حوض",
    "hi": r"दर्द|नस|कूल्ह|पैर|जाँघ|जांघ|घुटन|हड्ड|मांसपेश|फिजियो|थेरेप|क्लिनिक|चोट|पुनर्वास|मरीज|रोगी"
    r"|ग्रोइन|उरुसंधि|वंक्षण|कमर(?![ाेो])|पीठ|ग्लूट|नितंब|नितम्ब|री[ढ\u095d]|मेरुदंड|हिप",
}
"""What a locked phone must not show: words for pain, a part of the body, a condition, a profession.

Where a word has another meaning it counts with what stands around it: "welcome back" and "بعد الظهر" (afternoon) tell nothing.
"""
_TIME = re.compile(r"(?<![\d.])(?:[01]?\d|2[0-3])[:.][0-5]\d(?!\.?\d)")
_APART = r"[\s().+/‐‑–—-]"
_NUMBER = re.compile(rf"\d{{3}}|\d{{2}}\s+\d|\d\s+\d{{2}}|\d{_APART}+\d+{_APART}+\d")
"""A telephone number, also a piece at a time: three digits together, or three groups apart; "10-15" and "08:00-18:00" are none."""


def wording_problems(key: str, text: str, language: str) -> list[str]:
    """What keeps the clinic's words from being sent in the place of the product's, each with what to do; empty when nothing does."""
    product, wanted = load_catalogue(language).texts[key], OWN_TEXTS[key]
    if not text.strip():
        return ["Write something, or go back to the product's words."]
    found = [f"It has {len(text)} characters; {LONGEST} fit. Make it shorter."] if len(text) > LONGEST else []
    found += _about_placeholders(text, placeholders(product))
    if wanted.unsolicited:
        found += _about_first_line(text.strip().split("\n")[0], language)
    word = load_catalogue(language).says[wanted.word] if wanted.word else ""
    # In capitals, as a word of its own: who reads "you may restart" does not know what to write.
    if word and not re.search(rf"(?<!\w){re.escape(word.upper())}(?!\w)", text):
        found.append(f"It must tell the patient to write {word.upper()}: that is how messages begin again.")
    if _NUMBER.search(_TIME.sub(":", re.sub(r"\$\{\w+\}", "", text))):
        found.append("It has a telephone number in it. Write ${emergency} or ${urgent}, which are filled in from the clinic's numbers.")
    return found


def _about_placeholders(text: str, needed: set[str]) -> list[str]:
    if any(match["invalid"] is not None for match in re.finditer(Template.pattern, text)):
        return ["A lone $ cannot be sent. Names to fill in are written as ${clinic}."]
    known = sorted(_ANYWHERE | needed)
    unknown = sorted(placeholders(text) - set(known))
    found = [f"Nothing fills in {_in_braces(unknown)}. Known are {_in_braces(known)}."] if unknown else []
    missing = sorted(needed - placeholders(text))
    return found + ([f"It must say {_in_braces(missing)}, as the product's words do."] if missing else [])


def _about_first_line(first: str, language: str) -> list[str]:
    """The first line may show on a locked phone, beside whoever holds it."""
    found = []
    if hit := re.search(_HIDDEN[language], first, re.IGNORECASE):
        found.append(f"The first line may show on a locked phone, so it must not say “{hit[0]}”. Begin with a line that tells nothing.")
    if named := sorted(placeholders(first) & _ANYWHERE):
        found.append(f"The first line may show on a locked phone, so {_in_braces(named)} must stand further down.")
    return found


def _in_braces(names: list[str]) -> str:
    return ", ".join(f"${{{name}}}" for name in names)
