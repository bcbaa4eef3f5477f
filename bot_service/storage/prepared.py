"""Statements that run often, compiled once for a database and then given to the driver as they are.

SQLAlchemy writes them and knows the types; going through its execution each time costs thirty times what SQLite does (measured).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Connection, Date, Executable, Integer, Row, String, Uuid
from sqlalchemy.engine import Dialect, result_tuple
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.sql.visitors import replacement_traverse

from bot_service.storage.columns import Utc

_Convert = Callable[[Any], Any]
_Reading = tuple[Callable[[Iterable[Any]], Row[Any]], tuple[tuple[int, _Convert], ...]]
"""What makes a row, and the columns of which a driver's value has to be converted."""
_REMEMBERED = 20_000
"""How many ids and how many times read from SQLite's text are kept for the next time they are read."""


class Prepared:
    """One statement in one dialect. `values` shows which parameters it gets, and how long the lists among them are."""

    def __init__(self, statement: Executable, values: Mapping[str, Any], dialect: Dialect) -> None:
        source: Any = statement
        written: Any = replacement_traverse(source, {}, _constants_in_the_text)
        compiled = written.compile(dialect=dialect, column_keys=list(values))
        state = compiled.construct_expanded_state(dict(values), escape_names=False)
        self.sql: str = state.statement
        self._dialect = dialect
        fixed: dict[str, Any] = {}
        asked: dict[str, tuple[str, int | None, _Convert | None]] = {}
        for bound, key in compiled.bind_names.items():
            if bound in compiled.literal_execute_params:
                continue
            names = state.parameter_expansion.get(key)
            convert = _remembering_bound(bound.type, bound.type.dialect_impl(dialect).bind_processor(dialect), dialect.name)
            for place, name in enumerate(names if names is not None else [key]):
                if key in values:
                    asked[name] = (key, None if names is None else place, convert)
                else:
                    fixed[name] = convert(state.parameters[name]) if convert else state.parameters[name]
        order: Sequence[str] | None = state.positiontup
        self._names = None if order is not None else [*asked, *fixed]
        self._given = [fixed.get(name) for name in order or self._names or ()]
        self._slots: list[tuple[int, str, int | None, _Convert | None]] = [
            (at, *asked[name]) for at, name in enumerate(order or self._names or ()) if name in asked
        ]
        self._types = _types_of_result(statement)
        self._reading: _Reading | None = None

    def run(self, connection: Connection, cursor: Any, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """Run it in the transaction of `connection`; the rows it gives. Raises what SQLAlchemy would, without the values."""
        bound = self._bind(values)
        try:
            cursor.execute(self.sql, bound)
            found: Sequence[Any] = cursor.fetchall() if cursor.description else ()
        except Exception as error:
            self._explain(connection, cursor, error)
            raise
        if not found:
            return ()
        make, converts = self._reading or self._learn(cursor.description)
        if converts:
            columns = list(zip(*found, strict=True))
            for index, convert in converts:
                columns[index] = tuple(map(convert, columns[index]))
            found = list(zip(*columns, strict=True))
        return [make(row) for row in found]

    def _bind(self, values: Mapping[str, Any]) -> Any:
        bound = self._given.copy()
        try:
            for at, key, place, convert in self._slots:
                value = values[key] if place is None else values[key][place]
                bound[at] = value if convert is None else convert(value)
        except (TypeError, ValueError) as error:
            raise StatementError(str(error), self.sql, None, error, hide_parameters=True) from error
        return bound if self._names is None else dict(zip(self._names, bound, strict=True))

    def _learn(self, description: Sequence[Any]) -> _Reading:
        """How to read its rows, once the driver has said what is in them. Threads may learn at once: each publishes the whole."""
        converts: list[tuple[int, _Convert]] = []
        for index, (column, kind) in enumerate(zip(description, self._types, strict=True)):
            convert = kind.dialect_impl(self._dialect).result_processor(self._dialect, column[1])
            if convert is not None:
                converts.append((index, _remembering(type(kind), convert, self._dialect.name)))
        self._reading = (result_tuple([column[0] for column in description]), tuple(converts))
        return self._reading

    def _explain(self, connection: Connection, cursor: Any, error: Exception) -> None:
        """Raise a driver's error as SQLAlchemy does, and give up a connection that is lost. Anything else is left alone."""
        driver: Any = self._dialect.loaded_dbapi
        if not isinstance(error, driver.Error):
            return
        lost = self._dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor)
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            self.sql, None, error, driver.Error, hide_parameters=True, connection_invalidated=lost, dialect=self._dialect
        ) from error


def shape_of(values: Mapping[str, Any]) -> tuple[Any, ...]:
    """What of the values decides the text of a statement: their names, and the lengths of lists."""
    return tuple([(key, len(value)) if type(value) is list else key for key, value in values.items()])


def padded(ids: Sequence[UUID]) -> list[UUID]:
    """The same for a list in a statement, filled up with its last to one of few lengths: each is compiled and kept by itself."""
    length = 1 << max(0, len(ids) - 1).bit_length()
    return [*ids, *[ids[-1] if ids else _NOBODY] * (length - len(ids))]


_NOBODY = UUID(int=0)


def _constants_in_the_text(element: Any, **_: Any) -> Any:
    """A constant as a parameter would hide from both databases that a partial index fits; SQLite would plan anew each time to see."""
    constant = isinstance(element, BindParameter) and element.value is not None and isinstance(element.type, String | Integer)
    return element.render_literal_execute() if constant else None


def _types_of_result(statement: Any) -> list[Any]:
    """The types of the columns that a statement gives back, in order."""
    returned = statement.selected_columns if statement.is_select else getattr(statement, "exported_columns", ())
    return [column.type for column in returned]


def _remembering(kind: type[Any], convert: _Convert, dialect: str) -> _Convert:
    """On SQLite ids and times are parsed from text; parsed once, they are shared. They cannot be changed, so nobody notices."""
    if dialect != "sqlite" or kind not in (Uuid, Utc, Date):
        return convert
    return _memories.setdefault(kind, lru_cache(maxsize=_REMEMBERED)(convert))


_memories: dict[type[Any], _Convert] = {}


def _remembering_bound(kind: Any, convert: _Convert | None, dialect: str) -> _Convert | None:
    """On SQLite times are written as text; one transaction writes the same one many times over."""
    if dialect != "sqlite" or convert is None or not isinstance(kind, Utc):
        return convert
    return _written.setdefault(Utc, lru_cache(maxsize=_REMEMBERED)(convert))


_written: dict[type[Any], _Convert] = {}
