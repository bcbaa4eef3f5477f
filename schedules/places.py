"""Where somebody lives, as people write it, to the IANA zone: the zone's own name in any case, or a city that names exactly one zone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

_PARTS_OF_THE_WORLD = frozenset(
    ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
)
_NO_PLACE = frozenset(("factory", "localtime", "posixrules"))
"""Names of the zone files that stand for no place: the clock of a new machine, and that of the machine itself."""
_NO_CITY = frozenset(("north", "south", "east", "west"))
"""The last part of some zones' names that nobody lives in: "West" alone may be Australia's or Brazil's."""
_NEAR = 3
"""How many near ones are named (default)."""
_LIKE = 0.75
"""How like a known city what was written must be to be named as near it, 0 to 1 (default)."""
_MOMENTS = tuple(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=10 * number) for number in range(500))
"""Two names are one zone when their clocks agree at all of these."""


def zone_for(text: str) -> str:
    """The IANA name of a zone or city, whatever its case, spaces and accents. Raises ValueError with a sentence that names near ones."""
    cities = _cities().get(_plain(text), ())
    zone = cities[0] if len(cities) == 1 else _by_name().get(_plain(text))
    if zone is None:
        raise ValueError(f"There is no time zone called {text!r}; {_instead(text, cities)}.")
    return zone


def zone_names() -> list[str]:
    """The zones that a form offers."""
    return sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/", "right/")))


def _instead(text: str, cities: Sequence[str]) -> str:
    wanted = _plain(text).rpartition("/")[2]
    near = cities or [zone for city in get_close_matches(wanted, _cities(), _NEAR, _LIKE) for zone in _cities()[city]]
    return f"perhaps {' or '.join(near)} is meant" if near else "use a city such as London, or a name such as Europe/London"


@cache
def _by_name() -> Mapping[str, str]:
    return {_plain(name): name for name in sorted(available_timezones()) if _plain(name) not in _NO_PLACE}


@cache
def _cities() -> Mapping[str, tuple[str, ...]]:
    """Each city with its zones: one that goes by several names (Buenos Aires) once, by the most exact of them."""
    found: dict[str, list[str]] = {}
    for name in sorted(available_timezones(), key=lambda each: (-each.count("/"), each)):
        place, _, city = name.rpartition("/")
        if place.partition("/")[0] in _PARTS_OF_THE_WORLD and _plain(city) not in _NO_CITY:
            known = found.setdefault(_plain(city), [])
            if not any(_clock(name) == _clock(other) for other in known):
                known.append(name)
    return {city: tuple(names) for city, names in found.items()}


@cache
def _clock(name: str) -> tuple[timedelta | None, ...]:
    zone = ZoneInfo(name)
    return tuple(moment.astimezone(zone).utcoffset() for moment in _MOMENTS)


def _plain(text: str) -> str:
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(letter))
    return "/".join(" ".join(re.split(r"[\s_]+", part.strip())) for part in bare.split("/"))
