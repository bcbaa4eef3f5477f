"""The connection to the database: one code path over SQLite and PostgreSQL, with the few places where they differ."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Executable, Row, bindparam, create_engine, delete, event, select, update
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import IntegrityError, MultipleResultsFound, NoResultFound, OperationalError

from bot_service.clock import real_now
from bot_service.errors import SettingsError
from bot_service.logs import log
from bot_service.storage import sealing
from bot_service.storage.columns import SealedBytes
from bot_service.storage.database_files import make_folder, parsed_url
from bot_service.storage.kept import Kept
from bot_service.storage.prepared import Prepared, shape_of
from bot_service.storage.sealing import Keyring
from bot_service.storage.tables import installation, metadata, patients, unsealed
from plans.model import CarePlan, Prescription

Ids = Callable[[], UUID]
Values = Mapping[str, Any]
BUSY_TIMEOUT_MS = 30_000
_EPISODES_KEPT = 500
"""Episodes whose entries stay in memory: about 100 kB each after a year."""

_STATEMENTS_KEPT = 2000
"""Prepared statements; a list that is searched and filtered has one for each set of conditions that was asked for."""


class Database:
    """Where `with db.begin() as tx:` comes from. Reads that change nothing use `db.read()`, which takes no write lock on SQLite."""

    def __init__(self, engine: Engine, keys: Keyring, ids: Ids = uuid4) -> None:
        self.engine = engine
        self.keys = keys
        self.new_id = ids
        self.raw_key = b""
        self.documents: dict[UUID, Prescription] = {}
        self.rung_starts = Kept(_EPISODES_KEPT)
        self.entries = Kept(_EPISODES_KEPT)
        self.sessions = Kept(_EPISODES_KEPT)
        self.plans: dict[tuple[str, str], CarePlan] = {}
        self.patient_key = lru_cache(maxsize=4096)(keys.unwrap)
        self._prepared: dict[tuple[Executable, tuple[Any, ...]], Prepared] = {}
        self._idle: list[Connection] = []

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """One transaction: all of it or none."""
        with self._connected() as connection, connection.begin():
            yield Tx(connection, self)

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A consistent look without a write lock."""
        with self._connected() as connection:
            connection.connection.info["reading"] = True
            try:
                with connection.begin():
                    yield Tx(connection, self)
            finally:
                connection.connection.info.pop("reading", None)

    def prepare(self, statement: Executable, values: Values) -> Prepared:
        """The statement as the driver takes it, made once for each set of parameters."""
        key = (statement, shape_of(values))
        found = self._prepared.get(key)
        if found is None:
            found = self._prepared[key] = Prepared(statement, values, self.engine.dialect)
            if len(self._prepared) > _STATEMENTS_KEPT:
                self._prepared.pop(next(iter(self._prepared)), None)
        return found

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()
        self.engine.dispose()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """A connection of one's own. A file is not lost like a server: SQLite's are kept at hand, as the pool costs more than BEGIN."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self.engine.connect()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        if self.is_sqlite:
            self._idle.append(connection)
        else:
            connection.close()


class Tx:
    """A transaction in progress, and the keys that its rows need.

    `current` keeps an episode's entries as this transaction sees them; `written` names the episodes to which it added some;
    `heard` keeps when patients wrote.
    """

    def __init__(self, connection: Connection, db: Database) -> None:
        self.connection = connection
        self.db = db
        self.current: dict[UUID, Any] = {}
        self.written: set[UUID] = set()
        self.heard: dict[tuple[UUID, datetime], list[datetime]] = {}
        self._keys: dict[UUID, bytes] = {}
        self._cursor: Any = None

    def run(self, statement: Executable, values: Values | None = None) -> None:
        """Run a statement whose result does not matter."""
        if values is None:
            self.connection.execute(statement)
        else:
            self._run_prepared(statement, values)

    def all(self, statement: Executable, values: Values | None = None) -> Sequence[Row[Any]]:
        """Its rows. `values` of parameters say that the statement was built once, for good: then it costs a fraction."""
        return self.connection.execute(statement).all() if values is None else self._run_prepared(statement, values)

    def first(self, statement: Executable, values: Values | None = None) -> Row[Any] | None:
        rows = self.all(statement, values)
        return rows[0] if rows else None

    def one(self, statement: Executable, values: Values | None = None) -> Row[Any]:
        """Raises NoResultFound or MultipleResultsFound."""
        rows = self.all(statement, values)
        if len(rows) != 1:
            raise MultipleResultsFound if rows else NoResultFound
        return rows[0]

    def scalar(self, statement: Executable, values: Values | None = None) -> Any:
        row = self.first(statement, values)
        return None if row is None else row[0]

    def _run_prepared(self, statement: Executable, values: Values) -> Sequence[Row[Any]]:
        return self.db.prepare(statement, values).run(self.connection, self._open_cursor(), values)

    def _execute(self, command: str) -> None:
        """A command without values or rows."""
        self._open_cursor().execute(command)

    def _open_cursor(self) -> Any:
        if self._cursor is None:
            self._cursor = self.connection.connection.cursor()
        return self._cursor

    def attempt(self, statement: Executable, values: Values | None = None) -> bool:
        """Run an insert that may collide with a unique key; False when it did, with the transaction still usable.

        Raises IntegrityError for any other broken rule.
        """
        savepoint = not self.db.is_sqlite  # SQLite undoes a statement that broke a rule by itself, and goes on
        if savepoint:
            self._execute("SAVEPOINT attempt")
        try:
            self.run(statement, values)
        except IntegrityError as error:
            if not _is_duplicate(error):
                raise
            if savepoint:
                self._execute("ROLLBACK TO SAVEPOINT attempt")
            return False
        if savepoint:
            self._execute("RELEASE SAVEPOINT attempt")
        return True

    def shielded(self, work: Callable[[], object]) -> bool:
        """Do one piece of a batch; when it fails, undo that piece alone. False then, with the error's class in the log."""
        self._execute("SAVEPOINT piece")
        try:
            work()
        except OperationalError:
            raise  # the database itself: nothing in this transaction can go on
        except Exception as error:  # noqa: BLE001  # one patient's broken record must not stop everybody's messages
            log().error("set aside", error=type(error).__name__)
            self._execute("ROLLBACK TO SAVEPOINT piece")
            self.current.clear()
            return False
        self._execute("RELEASE SAVEPOINT piece")
        return True

    def new_id(self) -> UUID:
        return self.db.new_id()

    def key_of(self, patient_id: UUID) -> bytes:
        """The patient's data key."""
        if patient_id not in self._keys:
            self._keys[patient_id] = self.db.patient_key(self.scalar(_DATA_KEY, {"of_patient": patient_id}))
        return self._keys[patient_id]

    def remember_key(self, patient_id: UUID, wrapped: bytes) -> None:
        """Spare a look-up when the wrapped key was just read."""
        self._keys[patient_id] = self.db.patient_key(wrapped)

    def seal(self, patient_id: UUID, place: str, text: str | None) -> SealedBytes | None:
        return None if text is None else sealing.seal(self.key_of(patient_id), place, text)

    def unseal(self, patient_id: UUID, place: str, sealed: bytes | None) -> str | None:
        return None if sealed is None else sealing.unseal(self.key_of(patient_id), place, sealed)

    def seal_raw(self, place: str, text: str) -> SealedBytes:
        """Under the installation's key, while the patient is not known yet."""
        return sealing.seal(self.db.raw_key, place, text)

    def unseal_raw(self, place: str, sealed: bytes) -> str:
        return sealing.unseal(self.db.raw_key, place, sealed)


_DATA_KEY = select(patients.c.data_key).where(patients.c.id == bindparam("of_patient"))


def open_engine(url: str, *, synchronous: str = "FULL") -> Engine:
    """An engine for `url`. Raises SettingsError for anything but SQLite in a file or PostgreSQL through psycopg."""
    parsed = parsed_url(url)
    if parsed.drivername == "sqlite" and parsed.database:
        return _sqlite_engine(parsed, parsed.database, synchronous)
    if parsed.drivername == "postgresql+psycopg":
        return create_engine(url, hide_parameters=True, pool_size=8, max_overflow=8, pool_pre_ping=True)
    raise SettingsError("STEPWISE_DATABASE_URL must start with sqlite:/// and name a file, or with postgresql+psycopg://")


def open_database(url: str, secrets: Sequence[str], *, ids: Ids = uuid4, synchronous: str = "FULL") -> Database:
    """A database that is migrated already; makes its installation row on first use. Raises SettingsError for a wrong secret key."""
    db = Database(open_engine(url, synchronous=synchronous), Keyring(secrets), ids)
    try:
        _unlock(db)
        _seal_what_was_plain(db)
    except BaseException:
        db.close()
        raise
    return db


def _unlock(db: Database) -> None:
    with db.begin() as tx:
        row = tx.first(select(installation))
        if row is None:
            index_key, raw_key = db.keys.new_key(), db.keys.new_key()
            tx.attempt(installation.insert().values(id=1, index_key=index_key[1], raw_key=raw_key[1], created_at=real_now()))
            row = tx.one(select(installation))
    db.keys.use_index_key(db.keys.unwrap(row.index_key))
    db.raw_key = db.keys.unwrap(row.raw_key)


def _seal_what_was_plain(db: Database) -> None:
    """A migration has no keys: what it took out of plain columns waits in `unsealed` and is put in its place here."""
    with db.read() as tx:
        if tx.first(select(unsealed.c.row_id).limit(1)) is None:
            return
    with db.begin() as tx:
        for row in tx.all(delete(unsealed).returning(unsealed)):  # one replica takes them all
            table, column = row.place.split(".")
            sealed = tx.seal(row.patient_id, f"{row.place}:{row.row_id}", row.words)
            target = metadata.tables[table]
            tx.run(update(target).where(target.c.id == row.row_id).values({column: sealed}))


def _is_duplicate(error: IntegrityError) -> bool:
    """Whether a unique key was hit; a row that names somebody else's or leaves something out is a fault and must be heard of."""
    if isinstance(error.orig, sqlite3.IntegrityError):
        return error.orig.sqlite_errorname in ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")
    return getattr(error.orig, "sqlstate", None) == "23505"


class _WithHints(SQLiteCompiler):
    """Writes a statement's hints behind the names of its tables: SQLite has one (INDEXED BY), SQLAlchemy writes none for it."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:  # noqa: ARG002  # the base class's signature
        return text


def _sqlite_engine(url: URL, file: str, synchronous: str) -> Engine:
    make_folder(Path(file))
    engine = create_engine(
        url, hide_parameters=True, connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000, "cached_statements": 512}
    )

    engine.dialect.statement_compiler = _WithHints

    @event.listens_for(engine.pool, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        # The driver must not begin transactions by itself: it would begin deferred ones, and those fail under load.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    def _begin(connection: Any) -> None:
        connection.cursor().execute("BEGIN" if connection.info.get("reading") else "BEGIN IMMEDIATE")

    # In the dialect rather than as an event of the engine: with those, every statement looks for listeners (a tenth of all time).
    engine.dialect.do_begin = _begin  # type: ignore[method-assign,assignment]
    return engine
