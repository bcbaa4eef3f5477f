"""A button's words typed out: people answer a question by writing what its button says, so that counts as tapping it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from string import Template
from typing import Literal

from bot_service.clinical.words import is_symbol, tokens
from bot_service.conversation.items import items_of
from bot_service.conversation.language import language_for
from bot_service.conversation.requests import clauses_of
from bot_service.conversation.scores import names_several
from bot_service.conversation.sessions import bare_answer
from bot_service.conversation.situation import Asked
from bot_service.conversation.states import KINDS
from bot_service.conversation.wording import Catalogue, load_catalogue

_HIGHEST = 10
_SHORT = 4
"""Words of an agreement at most (default): "yes but what is it" asks something first."""
_QUESTION_MARKS = frozenset("?؟")
_AGREEING_SIGNS = frozenset("👍🙏🙂✅")
_LAUGHS_TWICE = frozenset({"ha", "हा"})
"""A yes in Hindi said once; "ha ha" laughs."""
_POSSESSIVE = re.compile(r"'s(?!\w)")


def typed_answer(text: str, question: Asked, language: str, today: date) -> str | None:
    """The answer of the question's button that these words stand for; None when they are not a button's."""
    catalogue = load_catalogue(language)
    words = plain(text, catalogue)
    if not words or (question.kind == "consent" and is_question(text)):
        return None
    if question.kind == "which":
        return _choice(text, question.detail.get("choices", ()), catalogue, today)
    barred = "yes" if question.kind == "consent" and _is_doubtful(text) else None
    offered = [answer for row in KINDS[question.kind].rows for answer in row if not answer.isdecimal() and answer != barred]
    if question.detail.get("show") is not None and question.kind == "pain_24h":
        offered.append("show")
    for answer in offered:
        if words == plain(catalogue.buttons[answer], catalogue):
            return answer
    typed = catalogue.typed.get(question.kind, {})
    phrases = {answer: {plain(phrase, catalogue) for phrase in known} for answer, known in typed.items() if answer != barred}
    if question.kind == "reason":
        return _reason(words, phrases)
    if question.kind == "safety" and without_no(text, language) in {plain(catalogue.buttons["none"], catalogue), *phrases.get("none", ())}:
        return "none"  # "no, none of those"
    return next((answer for answer, known in phrases.items() if words in known), None)


def is_button(text: str, answer: str, language: str) -> bool:
    """Whether the words are the label of that button."""
    catalogue = load_catalogue(language)
    return plain(text, catalogue) == plain(catalogue.buttons[answer], catalogue)


def means_nothing(text: str, language: str) -> bool:
    """Whether the words are "none" and the like: no pain, or not one exercise."""
    catalogue = load_catalogue(language)
    return plain(text, catalogue) in _words(catalogue.words["nothing"])


def says_start(text: str, language: str) -> bool:
    """Whether the word itself is there: "I'm back" or "I changed my mind" does not undo a STOP."""
    catalogue = load_catalogue(language)
    return not set(_words(catalogue.words["start"])).isdisjoint(plain(text, catalogue).split())


def plain_yes_or_no(text: str, language: str) -> Literal["yes", "no"] | None:
    """A "yes" or "no" that is not about the exercises: "done" and "not today" answer nothing else."""
    known = language_for(language)
    found = bare_answer(clauses_of(tokens(text), known), known) if known else None
    return None if found == "partly" else found


def without_no(text: str, language: str) -> str:
    """What follows a "no" that stands first, as folded words; empty where none does."""
    first, _, rest = plain(text, load_catalogue(language)).partition(" ")
    return rest if plain_yes_or_no(first, language) == "no" else ""


def consents(text: str, language: str) -> Literal["yes", "no"] | None:
    """A plain no, or a short yes of which every word agrees: no question, no number, no "if", and not a longer thought.

    "Done, 6" reads as a yes to other questions, and agrees to nothing; nor do "yeah right" and "yes I suppose".
    """
    catalogue = load_catalogue(language)
    words = plain(text, catalogue).split()
    clear = (
        len(words) <= _SHORT and not is_question(text) and not _is_doubtful(text) and set(words) <= set(_words(catalogue.words["agreeing"]))
    )
    answer = plain_yes_or_no(text, language)
    return None if answer == "yes" and not clear else answer


def _is_doubtful(text: str) -> bool:
    """Whether a laugh or a sign other than a plain friendly one stands with it: "yes 👎", "ok 🙄", "ha ha"."""
    said = [token.text for token in tokens(text)]
    signs = {each for each in said if is_symbol(each) and unicodedata.category(each) == "So"}
    return not signs <= _AGREEING_SIGNS or any(said.count(laugh) > 1 for laugh in _LAUGHS_TWICE)


def says_help(text: str, language: str) -> bool:
    """Whether the words are the one that asks what can be written here, and no question of their own."""
    catalogue = load_catalogue(language)
    return plain(text, catalogue) in ("help", plain(catalogue.says["help"], catalogue))


def asks_about_the_chat(text: str, language: str) -> bool:
    """Whether a question is about the chat itself, what can be written or who writes; any other is for the physio, a bare "?" is not."""
    known = language_for(language)
    clauses = clauses_of(tokens(text), known)
    if not clauses or says_help(text, language) or known is None:
        return not clauses or says_help(text, language)
    whole = " , ".join(clauses)
    brief = len(whole.split()) <= _SHORT and known.pattern("help_whole").fullmatch(whole) is not None
    return brief or known.pattern("about_the_chat").fullmatch(whole) is not None


def says_seen(text: str, language: str) -> bool:
    """Whether somebody who may know has looked, in the patient's words: no question, no plan, and not "nobody has seen me yet"."""
    known = language_for(language)
    if known is None or is_question(text):
        return False
    whole = " , ".join(clauses_of(tokens(text), known))
    return known.pattern("was_seen").search(whole) is not None and known.pattern("not_seen").search(whole) is None


def says_talked(text: str, language: str) -> bool:
    """Whether the patient could talk to somebody, in their words, whatever they ask beside it: no plan, and nobody who did not answer."""
    known = language_for(language)
    clauses = clauses_of(tokens(text), known)
    if known is None or known.pattern("not_talked").search(" , ".join(clauses)):
        return False
    return any(known.pattern("has_talked").search(clause) for clause in clauses)


def asks_usual(text: str, language: str) -> bool:
    """Whether the words ask what usual pain is."""
    known = language_for(language)
    clauses = clauses_of(tokens(text), known)
    return known is not None and any(known.pattern("about_usual").search(clause) for clause in clauses)


def asks_progress(text: str, language: str) -> bool:
    """Whether the words are the one that asks how it is going."""
    catalogue = load_catalogue(language)
    return plain(text, catalogue) in ("progress", plain(catalogue.says["progress"], catalogue))


def names_a_number(text: str, language: str) -> bool:
    """Whether there is a number from 0 to 10 in it: "is 4 a lot?" asks about an answer of ours."""
    return any(item.tag == "num" and item.value <= _HIGHEST for item in items_of(tokens(text), language_for(language)))


def names_several_scores(text: str, language: str) -> bool:
    """Whether more than one number in it may be the score that was asked for."""
    return names_several(items_of(tokens(text), language_for(language)))


def is_question(text: str) -> bool:
    """Whether a question mark of any shipped script is there."""
    return not _QUESTION_MARKS.isdisjoint(text)


def names_today(text: str, language: str) -> bool:
    """Whether a word for today is there, by its first letters: "dziś" or "dzisiaj"."""
    today = tuple(word[:4] for word in _words(load_catalogue(language).words["today"]))
    return any(word.startswith(today) for word in _words(text))


def says_something(text: str, language: str) -> bool:
    """Whether any word is left beside signs and politeness: "thanks" is none, "hello?" is."""
    return bool(plain(text, load_catalogue(language))) or is_question(text)


def plain(text: str, catalogue: Catalogue) -> str:
    """The words alone: no signs, no capitals, no accents, no politeness."""
    polite = _words(catalogue.words["polite"])
    return " ".join(word for word in _words(text) if word not in polite)


def _words(text: str) -> list[str]:
    return [token.text for token in tokens(text) if not is_symbol(token.text)]


def _reason(words: str, phrases: Mapping[str, Collection[str]]) -> str | None:
    """The one reason whose words occur; people give it in a sentence."""
    named = {answer for answer, known in phrases.items() if any(f" {phrase} " in f" {words} " for phrase in known)}
    return named.pop() if len(named) == 1 else None


def _choice(text: str, choices: Sequence[Mapping[str, str]], catalogue: Catalogue, today: date) -> str | None:
    """The one choice of which some word is named that the other choices do not share."""
    labels = [_label_words(choice, catalogue, today) for choice in choices]
    words, said = plain(text, catalogue), _names(text, catalogue)
    named = set()
    for index, label in enumerate(labels):
        others = set().union(*labels[:index], *labels[index + 1 :])
        if said & (label - others) or words in catalogue.typed.get("which", {}).get(str(index), ()):
            named.add(str(index))
    return named.pop() if len(named) == 1 else None


def _label_words(choice: Mapping[str, str], catalogue: Catalogue, today: date) -> set[str]:
    day = catalogue.date(date.fromisoformat(choice["day"]), today)
    label = Template(catalogue.buttons[f"choice_{choice['kind']}"]).substitute(day=day)
    return {word for word in _names(label, catalogue) if len(word) > 2 and not word.isdecimal()}


def _names(text: str, catalogue: Catalogue) -> set[str]:
    """The words, with the day of "today's" as "today"."""
    return set(plain(_POSSESSIVE.sub("", text.casefold().replace("’", "'")), catalogue).split())
