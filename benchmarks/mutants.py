"""Deliberate mistakes in Python source: one small change each to a comparison, a constant, a condition, a set, a return or a call."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple, cast

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.Mod: ast.Add,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.FloorDiv: ast.Mult,
}
_LEFT_ALONE = frozenset({"annotation", "returns", "decorator_list", "type_params"})
_Path = tuple[tuple[str, int | None], ...]
_Change = tuple[str, Callable[[ast.AST], ast.AST | None]]


class Mutant(NamedTuple):
    """One mistake: the lines of its statement (of its head when others are nested in it), the change, and the function ("" for none)."""

    line: int
    statement: range
    change: str
    inside: str
    source: str
    path: _Path
    make: Callable[[ast.AST], ast.AST | None]

    def tree(self) -> ast.Module:
        """The whole module with the mistake in it."""
        tree = ast.parse(self.source)
        _put(tree, self.path, self.make(_at(tree, self.path)))
        return ast.fix_missing_locations(tree)


def mutants_of(source: str) -> Iterator[Mutant]:
    """Every mutant of a module, in order; annotations, docstrings, imports, errors raised and names of types are left alone."""
    tree = ast.parse(source)
    for path, owner in _places(tree):
        node = _at(tree, path)
        for change, make in _changes(node):
            yield Mutant(getattr(node, "lineno", 0), _lines(tree, path), f"{_shown(node)}: {change}", owner, source, path, make)


def _places(tree: ast.Module) -> Iterator[tuple[_Path, str]]:
    for index, statement in enumerate(tree.body):
        if isinstance(statement, ast.Import | ast.ImportFrom) or _docstring(statement) or _only_names(statement):
            continue
        yield from _below(statement, (("body", index),), _name_of(statement, ""))


def _below(node: ast.AST, path: _Path, owner: str) -> Iterator[tuple[_Path, str]]:
    yield path, owner
    for field, value in ast.iter_fields(node):
        if field in _LEFT_ALONE or isinstance(node, ast.Raise | ast.JoinedStr) or (isinstance(node, ast.ClassDef) and field != "body"):
            continue
        children = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for index, child in children:
            told_by_its_holder = isinstance(child, ast.Constant) and isinstance(node, ast.Set | ast.Dict) and field != "values"
            field_of_class = isinstance(node, ast.ClassDef) and not isinstance(child, ast.FunctionDef)
            if isinstance(child, ast.AST) and not (_docstring(child) or told_by_its_holder or field_of_class):
                inner = _name_of(child, owner) if isinstance(node, ast.ClassDef) else owner
                yield from _below(child, (*path, (field, index)), inner)


def _name_of(node: ast.AST, owner: str) -> str:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return f"{owner}.{node.name}".lstrip(".")
    return owner


def _docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _only_names(node: ast.AST) -> bool:
    """`__all__` and the names of types, which nothing asks when the code runs."""
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return False
    names_a_type = isinstance(node.value, ast.Subscript) and ast.unparse(node.value).startswith("Literal[")
    return node.targets[0].id == "__all__" or names_a_type


def _at(node: ast.AST, path: _Path) -> ast.AST:
    for field, index in path:
        value = getattr(node, field)
        node = value if index is None else value[index]
    return node


def _lines(tree: ast.Module, path: _Path) -> range:
    """The lines of the innermost statement around a node, or of its head when others are nested in it."""
    around = [_at(tree, path[:length]) for length in range(1, len(path) + 1)]
    statement = next(node for node in reversed(around) if isinstance(node, ast.stmt))
    body = getattr(statement, "body", None)
    end = body[0].lineno - 1 if body else statement.end_lineno
    return range(statement.lineno, max(statement.lineno, end or 0) + 1)


def _put(tree: ast.Module, path: _Path, new: ast.AST | None) -> None:
    holder = _at(tree, path[:-1])
    field, index = path[-1]
    if index is None:
        setattr(holder, field, new)
    else:
        getattr(holder, field)[index] = new if new is not None else ast.Pass()


def _changes(node: ast.AST) -> Iterator[_Change]:
    for kind, make in _BY_KIND.items():
        if isinstance(node, kind):
            yield from make(node)


def _comparisons(node: ast.Compare) -> Iterator[_Change]:
    for at, operator in enumerate(node.ops):
        other = _COMPARED[type(operator)]
        yield f"{other.__name__} instead", _setting(lambda new, at=at, other=other: new.ops.__setitem__(at, other()))


def _parts(node: ast.BoolOp) -> Iterator[_Change]:
    other = ast.Or if isinstance(node.op, ast.And) else ast.And
    yield f"{other.__name__} instead", _setting(lambda new: setattr(new, "op", other()))
    for at, value in enumerate(node.values):
        yield f"without '{_shown(value)}'", partial(_fewer, at)


def _fewer(at: int, node: Any) -> ast.AST:
    left = node.values[:at] + node.values[at + 1 :]
    return ast.BoolOp(node.op, left) if len(left) > 1 else cast(ast.AST, left[0])


def _negations(_: ast.UnaryOp) -> Iterator[_Change]:
    yield "without its sign", _operand


def _operand(new: Any) -> ast.AST:
    return cast(ast.AST, new.operand)


def _constants(node: ast.Constant) -> Iterator[_Change]:
    if isinstance(node.value, bool):
        yield "the opposite", _setting(lambda new: setattr(new, "value", not new.value))
    elif isinstance(node.value, int | float):
        yield "one more", _setting(lambda new: setattr(new, "value", new.value + 1))
    elif isinstance(node.value, str) and len(node.value.split()) > 4 and "(?" not in node.value:
        for at, word in enumerate(node.value.split()):
            yield f"without '{word}'", _setting(lambda new, at=at: setattr(new, "value", _without(new.value, at)))
    elif isinstance(node.value, str) and not node.value.startswith("("):  # "(negator)" is only compared with itself
        yield "another text", _setting(lambda new: setattr(new, "value", f"XX{new.value}XX"))


def _without(text: str, at: int) -> str:
    words = text.split()
    return " ".join(words[:at] + words[at + 1 :])


def _sums(node: ast.BinOp) -> Iterator[_Change]:
    other = _COUNTED.get(type(node.op))
    if other is not None:
        yield f"{other.__name__} instead", _setting(lambda new: setattr(new, "op", other()))


def _conditions(_: ast.If | ast.IfExp) -> Iterator[_Change]:
    for always in (True, False):
        yield f"always {always}", _setting(lambda new, always=always: setattr(new, "test", ast.Constant(always)))


def _loops(_: ast.While) -> Iterator[_Change]:
    yield "never", _setting(lambda new: setattr(new, "test", ast.Constant(False)))


def _filters(node: ast.comprehension) -> Iterator[_Change]:
    for at in range(len(node.ifs)):
        yield "without its condition", _setting(lambda new, at=at: new.ifs.__delitem__(at))


def _members(node: ast.Set) -> Iterator[_Change]:
    for at, member in enumerate(node.elts):
        if len(node.elts) > 1:
            yield f"without {_shown(member)}", _setting(lambda new, at=at: new.elts.__delitem__(at))


def _entries(node: ast.Dict) -> Iterator[_Change]:
    for at, key in enumerate(node.keys):
        if key is not None:
            yield f"without {_shown(key)}", partial(_smaller, at)


def _smaller(at: int, node: Any) -> ast.AST:
    return ast.Dict(node.keys[:at] + node.keys[at + 1 :], node.values[:at] + node.values[at + 1 :])


def _returns(node: ast.Return) -> Iterator[_Change]:
    if node.value is not None and not (isinstance(node.value, ast.Constant) and not node.value.value):  # None serves as well as False
        yield "None instead", _setting(lambda new: setattr(new, "value", ast.Constant(None)))


def _statements(_: ast.stmt) -> Iterator[_Change]:
    yield "left out", _nothing


def _jumps(_: ast.Continue | ast.Break) -> Iterator[_Change]:
    yield "the other jump", _other_jump


def _nothing(_: ast.AST) -> None:
    return None


def _other_jump(new: ast.AST) -> ast.AST:
    return ast.Break() if isinstance(new, ast.Continue) else ast.Continue()


def _setting(change: Callable[..., object]) -> Callable[[ast.AST], ast.AST]:
    def changed(node: ast.AST) -> ast.AST:
        change(node)
        return node

    return changed


def _shown(node: ast.AST) -> str:
    text = ast.unparse(node).splitlines()[0]
    return text if len(text) <= 60 else f"{text[:57]}..."


_BY_KIND: dict[type | tuple[type, ...], Callable[..., Iterator[_Change]]] = {
    ast.Compare: _comparisons,
    ast.BoolOp: _parts,
    ast.UnaryOp: _negations,
    ast.Constant: _constants,
    ast.BinOp: _sums,
    (ast.If, ast.IfExp): _conditions,
    ast.While: _loops,
    ast.comprehension: _filters,
    ast.Set: _members,
    ast.Dict: _entries,
    ast.Return: _returns,
    (ast.Expr, ast.AugAssign): _statements,
    (ast.Continue, ast.Break): _jumps,
}
