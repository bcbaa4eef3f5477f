"""What the contents kept at Twilio must be like for what is sent with them: variables, samples, buttons, language. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot_service.channels.whatsapp_texts import MOST_BUTTONS

TEMPLATES = {"daily": 1}
"""The templates that are sent outside the service window, and how many buttons each has. The one variable is the clinic's name."""
BUTTONS = {f"buttons{number}": number for number in range(1, MOST_BUTTONS + 1)}
"""The contents that show answers within it. Their variables are the question, and for each button its words and what a tap sends."""
_QUICK_REPLY = "twilio/quick-reply"
_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True)
class Content:
    """A content as Twilio keeps it: its language, the variables in it, those with a sample, and its number of quick replies."""

    language: str
    variables: frozenset[str]
    samples: frozenset[str]
    buttons: int


def read_content(language: object, variables: object, types: object) -> Content:
    """A content from the fields of Twilio's answer; what is not there, or not as documented, counts as empty."""
    kinds = types if isinstance(types, Mapping) else {}
    quick: Any = kinds.get(_QUICK_REPLY)
    actions = quick.get("actions") if isinstance(quick, Mapping) else None
    samples = variables if isinstance(variables, Mapping) else {}
    return Content(
        str(language or ""),
        frozenset(_VARIABLE.findall(json.dumps(kinds, default=str))),
        frozenset(str(name) for name, sample in samples.items() if str(sample or "").strip()),
        len(actions) if isinstance(actions, list) else 0,
    )


def is_used(name: str) -> bool:
    """Whether a content of this name (`daily:en`) is ever sent."""
    return name.partition(":")[0] in TEMPLATES | BUTTONS


def variables_of(name: str) -> list[str]:
    """The variables that are sent with the content `name`, in order."""
    kind = name.partition(":")[0]
    return [str(number) for number in range(1, 2 + 2 * BUTTONS.get(kind, 0))]


def faults(name: str, content: Content) -> Iterator[str]:
    """What is wrong with the content `name`, each as the rest of a sentence about it."""
    kind, _, language = name.partition(":")
    needed = variables_of(name)
    for variable in (each for each in needed if each not in content.variables):
        yield f"lacks the variable {{{{{variable}}}}}, which Stepwise fills in"
    for variable in sorted(content.variables - set(needed)):
        yield f"has the variable {{{{{variable}}}}}, which Stepwise does not fill in"
    if kind in TEMPLATES:
        for variable in (each for each in needed if each not in content.samples):
            yield f"has no sample for the variable {{{{{variable}}}}}"
        if content.language.replace("_", "-").partition("-")[0].lower() != language.partition("-")[0].lower():
            yield f"is in the language {content.language or 'of nobody'} at Twilio"
    expected = (TEMPLATES | BUTTONS)[kind]
    if content.buttons != expected:
        yield f"has {content.buttons} quick-reply buttons in place of {expected}"
