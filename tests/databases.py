"""A fresh database for each test in milliseconds: a template is built once per kind and copied."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Literal

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

Kind = Literal["sqlite", "postgresql"]
TemplateBuilder = Callable[[str], None]


class FreshDatabases:
    """Makes databases of both kinds and removes them; `build_template`, if given, is called once per kind with the template's URL."""

    def __init__(self, folder: Path, postgres_url: Callable[[], str], build_template: TemplateBuilder | None, prefix: str) -> None:
        self._folder = folder
        self._postgres_url = postgres_url
        self._build_template = build_template
        self._prefix = prefix
        self._templates: dict[Kind, str] = {}
        self._numbers = count(1)
        self._made: list[str] = []
        self._connection: psycopg.Connection[object] | None = None

    def make(self, kind: Kind) -> str:
        """The URL of a new database, empty or as the template left it."""
        if kind not in self._templates:
            self._templates[kind] = self._make_template(kind)
        name = f"{self._prefix}_{next(self._numbers)}"
        if kind == "sqlite":
            return self._copy_file(name)
        self._create(name, make_url(self._templates[kind]).database or "template0")
        self._made.append(name)
        return self._named(name)

    def drop_made(self) -> None:
        """Remove what was made since the last call, open connections or not. SQLite files go with their folder."""
        while self._made:
            self._drop(self._made.pop())

    def close(self) -> None:
        """Remove everything, the template included."""
        self.drop_made()
        if "postgresql" in self._templates:
            self._drop(f"{self._prefix}_template")
        if self._connection is not None:
            self._connection.close()

    def _make_template(self, kind: Kind) -> str:
        name = f"{self._prefix}_template"
        if kind == "sqlite":
            url = f"sqlite:///{self._folder / name}.db"
        else:
            self._create(name, "template0")
            url = self._named(name)
        if self._build_template is not None:
            self._build_template(url)
        return url

    def _copy_file(self, name: str) -> str:
        target = self._folder / f"{name}.db"
        source = Path(make_url(self._templates["sqlite"]).database or "")
        for suffix in ("", "-wal"):  # a template whose last connection is still open keeps its newest pages in the log
            beside = source.with_name(source.name + suffix)
            if beside.exists():
                shutil.copyfile(beside, target.with_name(target.name + suffix))
        return f"sqlite:///{target}"

    def _create(self, name: str, template: str) -> None:
        self._run(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))

    def _drop(self, name: str) -> None:
        self._run(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        if self._connection is None:
            plain = make_url(self._postgres_url()).set(drivername="postgresql")
            self._connection = psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True)
        self._connection.execute(statement)

    def _named(self, name: str) -> str:
        return make_url(self._postgres_url()).set(database=name).render_as_string(hide_password=False)
