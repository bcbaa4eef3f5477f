"""Puts a mutant of the reader or of the red-flag screen into the running process, and takes it out again."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

from benchmarks.mutants import Mutant
from bot_service.clinical import red_flags, words
from bot_service.conversation import language

MODULES = (
    "bot_service.conversation.parsing",
    "bot_service.conversation.amounts",
    "bot_service.conversation.numbers",
    "bot_service.conversation.scores",
    "bot_service.conversation.sessions",
    "bot_service.conversation.requests",
    "bot_service.conversation.items",
    "bot_service.conversation.language",
    "bot_service.clinical.red_flags",
    "bot_service.clinical.words",
)
_MET_AT_LOADING = frozenset({"bot_service.conversation.language", "bot_service.clinical.words"})
_FILLING_CACHES = _MET_AT_LOADING | {"bot_service.clinical.red_flags"}
_LOADING = frozenset({"", "_screen", "_rule", "_written", "_with_same_words"})
Restore = Callable[[], None]


def source_of(name: str) -> str:
    """The source of a module."""
    return inspect.getsource(import_module(name))


def runs_at_loading(name: str, mutant: Mutant) -> bool:
    """Whether the mutated code runs when words are loaded, once for all texts, rather than for each text."""
    return name in _MET_AT_LOADING or mutant.inside in _LOADING


def plant(name: str, mutant: Mutant) -> Restore:
    """Exchange the code of the one function, or the constants, that the mutant changes. Raises whatever its loading raises."""
    module = import_module(name)
    namespace: dict[str, Any] = {"__name__": name, "__file__": module.__file__}
    exec(compile(mutant.tree(), name, "exec"), namespace)
    restore = _exchange_code(module, namespace, mutant.inside) if mutant.inside else _exchange_constants(module, namespace)
    return _with_fresh_caches(restore) if name in _FILLING_CACHES and runs_at_loading(name, mutant) else restore


def _exchange_code(module: ModuleType, namespace: Mapping[str, Any], inside: str) -> Restore:
    function, mutated = _function(vars(module), inside), _function(namespace, inside)
    before = function.__code__, function.__defaults__
    function.__code__, function.__defaults__ = mutated.__code__, mutated.__defaults__

    def restore() -> None:
        function.__code__, function.__defaults__ = before

    return restore


def _function(names: Mapping[str, Any], inside: str) -> FunctionType:
    first, *rest = inside.split(".")
    found = names[first]
    for name in rest:
        found = vars(found)[name]
    found = inspect.unwrap(found)
    assert isinstance(found, FunctionType), inside
    return found


def _exchange_constants(module: ModuleType, namespace: Mapping[str, Any]) -> Restore:
    """Let each constant of this module hold what the mutant's holds."""
    names = [name for name, value in vars(module).items() if _is_constant(name, value) and name in namespace]
    return _exchange([(name, vars(module)[name], namespace[name]) for name in names if namespace[name] != vars(module)[name]])


def _exchange(changed: Sequence[tuple[str, object, object]]) -> Restore:
    """Wherever a module of ours holds the old value under its name, let it hold the new one."""
    ours = [module for key, module in sys.modules.items() if key.startswith("bot_service.")]
    held = [(holder, name, old, new) for name, old, new in changed for holder in ours if vars(holder).get(name) is old]
    for holder, name, _, new in held:
        setattr(holder, name, new)

    def restore() -> None:
        for holder, name, old, _ in held:
            setattr(holder, name, old)

    return restore


def _is_constant(name: str, value: object) -> bool:
    return not name.startswith("__") and name.isupper() and not isinstance(value, FunctionType | type | ModuleType | words._Folding)


def _with_fresh_caches(restore: Restore) -> Restore:
    """Read everything anew while the mutant is in; what was read before is put back with it, since reading takes seconds."""
    folded = dict(words._FOLDING)
    words._FOLDING.clear()
    cached = {"load_language": language.load_language, "stop_words": language.stop_words, "_screen": red_flags._screen}
    put_back = _exchange([(name, function, cache(function.__wrapped__)) for name, function in cached.items()])

    def both() -> None:
        restore()
        put_back()
        words._FOLDING.clear()
        words._FOLDING.update(folded)

    return both
