"""The catalogue and the code name the same sentences, and every sentence gets the values it wants where it is said."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from bot_service.conversation.choices import REASONS
from bot_service.conversation.states import KINDS
from bot_service.conversation.wording import load_catalogue, placeholders
from tests.conversation.test_wording import UNSOLICITED
from tests.source_tree import parsed, python_files

CATALOGUE = load_catalogue("en")
FROM_VOICE = {"clinic", "physio", "emergency", "urgent", "crisis", "hours", "prompt_at", "stage"}
WRITTEN_BY_CODE = {"optional", "exercises", "how_to", "advice", "flare_plan", "changes"}
"""Lines whose words come from a prescription, or two."""
EXPANDED = {
    "again_": [f"again_{kind}" for kind in KINDS if kind != "what_is_wrong"],
    "change_": [f"change_{kind.name}" for kind in KINDS.values() if kind.scored],
    "reason_": [f"reason_{reason}" for reason in REASONS],
    "safety_": ["safety_emergency", "safety_urgent"],
    "safety_ended_": [f"safety_ended_{tier}" for tier in ("emergency", "urgent", "prompt")],
}
"""What keys made at run time can become, by how they begin."""
TREES = [parsed(path) for path in python_files() if str(path).startswith(("bot_service/conversation/", "bot_service/actions/"))]


def _nodes() -> Iterator[ast.AST]:
    for tree in TREES:
        yield from ast.walk(tree)


def _lines() -> Iterator[tuple[str, set[str] | None]]:
    """Every key that is said, with the names of its values; None where they cannot be read off the page."""
    for node in _nodes():
        match node:
            case ast.Call(func=ast.Name(id="Line"), args=[key, *values]):
                yield from ((each, _names(values[0]) if values else set()) for each in _keys(key))
            case ast.List(elts=[key, ast.Dict() as values]):
                yield from ((each, _names(values)) for each in _keys(key))
            case ast.Call(func=ast.Attribute(attr="text"), args=[key, values]):
                yield from ((each, _names(values)) for each in _keys(key))
            case ast.Call(func=ast.Name(id="tell_patient" | "_say_to_stranger"), args=arguments):
                yield from ((each, None) for each in _keys_among(arguments))


def _keys(node: ast.expr) -> list[str]:
    match node:
        case ast.Constant(value=str() as key):
            return [key]
        case ast.IfExp(body=body, orelse=orelse):
            return _keys(body) + _keys(orelse)
        case ast.JoinedStr(values=[ast.Constant(value=str() as prefix), *_]):
            return EXPANDED.get(prefix, [])
    return []


def _keys_among(arguments: list[ast.expr]) -> list[str]:
    return [key for argument in arguments for key in _keys(argument) if "_" in key or key == "stranger"]


def _names(node: ast.expr) -> set[str] | None:
    if isinstance(node, ast.Dict) and all(isinstance(key, ast.Constant) for key in node.keys):
        return {str(key.value) for key in node.keys if isinstance(key, ast.Constant)}
    return {"day"} if isinstance(node, ast.Call) and ast.unparse(node.func) == "_about" else None


def test_every_key_that_the_code_names_is_in_the_catalogue() -> None:
    said = {key for key, _ in _lines()}
    assert len(said) > 80
    assert sorted(said - set(CATALOGUE.texts) - WRITTEN_BY_CODE) == []


def test_every_key_of_the_catalogue_is_named_in_the_code() -> None:
    constants = {node.value for node in _nodes() if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert sorted(set(CATALOGUE.texts) - constants - {key for keys in EXPANDED.values() for key in keys}) == []
    assert sorted(set(CATALOGUE.words) - constants) == []
    answers = {answer for kind in KINDS.values() for row in kind.rows for answer in row if not answer.isdecimal()}
    choices = {f"choice_{kind.name}" for kind in KINDS.values() if kind.scored or kind.name == "which_time"}
    assert set(CATALOGUE.buttons) == answers | choices | {"show", "change"}


def test_every_placeholder_of_a_sentence_is_given_where_it_is_said() -> None:
    lacking = {
        key: placeholders(CATALOGUE.texts[key]) - FROM_VOICE - names
        for key, names in _lines()
        if names is not None
        and key in CATALOGUE.texts
        and key not in ("progress", "passed_on")  # whose values only the history and the clinic's hours know
    }
    assert {key: names for key, names in lacking.items() if names} == {}


def test_the_list_of_messages_that_nobody_asked_for_is_complete() -> None:
    """They are the ones that something other than a turn of the conversation puts in line."""
    queued: set[str] = set()
    for node in _nodes():
        match node:
            case ast.Dict(keys=[ast.Constant(value="lines"), *_], values=[ast.List(elts=[ast.List(elts=[key, *_]), *_]), *_]):
                queued |= set(_keys(key))
            case ast.Call(func=ast.Name(id="tell_patient"), args=arguments):
                queued |= set(_keys_among(arguments))
    assert queued & set(CATALOGUE.texts) == set(UNSOLICITED)


def test_the_menu_fits_what_telegram_takes() -> None:
    for name, description in CATALOGUE.commands.items():
        assert re.fullmatch("[a-z0-9_]{1,32}", name)
        assert 1 <= len(description) <= 256
