"""Kinds of arguments whose mistakes are told in a sentence that says what to write instead."""

from __future__ import annotations

import re
from datetime import date, time
from uuid import UUID

import click


class Day(click.ParamType[date]):
    """A calendar day."""

    name = "day"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """2026-12-31"""
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a day; write year-month-day, such as 2026-12-31", param, ctx)


class TimeOfDay(click.ParamType[time]):
    """A local time of day."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> time:
        """07:30"""
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", str(value)):
            self.fail(f"{value!r} is not a time of day; write hours and minutes, such as 07:30", param, ctx)
        return time.fromisoformat(str(value))


class FlagId(click.ParamType[UUID]):
    """The id of a flag."""

    name = "flag"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> UUID:
        """As `flags list` prints it."""
        try:
            return UUID(str(value))
        except ValueError:
            self.fail(f"{value!r} is not the id of a flag; copy one from: stepwise flags list", param, ctx)
