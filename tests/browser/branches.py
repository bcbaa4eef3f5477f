"""Which branches of the templates were shown: each `if`, `elif` and `else` says so when it is rendered."""

from __future__ import annotations

import re

from jinja2 import Environment
from jinja2.ext import Extension

BLOCK = re.compile(r"\{[%{#].*?[%}#]\}", re.DOTALL)
TAG = re.compile(r"\{%[-+]?\s*(?:if|elif|else)\b.*?%\}", re.DOTALL)
FOLLOWING = 24
"""Letters after a branch that name it, so that it keeps its name when lines move."""


class Branches(Extension):
    """Marks every branch in the source of a template, line breaks untouched; not those inside a tag, which set an attribute."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.all: set[str] = set()
        self.shown: set[str] = set()
        environment.globals["_branch"] = self.shown.add

    @property
    def unshown(self) -> set[str]:
        """The branches of the templates that were used, which nobody saw."""
        return self.all - self.shown

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002  # as Jinja calls it
        def mark(found: re.Match[str]) -> str:
            before = BLOCK.sub("", source[: found.start()])
            if before.rfind("<") > before.rfind(">"):
                return found[0]
            key = f"{name}: {found[0]}{source[found.end() : found.end() + FOLLOWING].strip().partition(chr(10))[0]}"
            self.all.add(key)
            return f"{found[0]}{{% set _shown = _branch({key!r}) %}}"

        return TAG.sub(mark, source)
