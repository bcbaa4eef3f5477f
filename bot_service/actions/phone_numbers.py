"""Telephone numbers as people and spreadsheets write them, read into E.164; the only home of the library that knows them."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_ROUNDED = re.compile(r"\d(?:[.,]\d+)?[eE]\+?\d{1,2}")
_PARTS = re.compile(r"\+?[\d\s()./\-\u2010-\u2015]+")
_UNSEEN = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")


def read_phone(text: str, zone: str) -> str:
    """The number in E.164, national ones as in the country of that zone. Raises ValueError with what is wrong and what to do.

    A number that could exist is taken though nobody may have it: ranges change more often than the library does.
    """
    import phonenumbers  # a tenth of a second, which only enrolment needs

    written = _UNSEEN.sub("", text).replace("\xa0", " ").strip().removeprefix("tel:")
    if _ROUNDED.fullmatch(written):
        raise ValueError("the spreadsheet has rounded this number; make the column text, and enter the number again")
    if not _PARTS.fullmatch(written):
        raise ValueError("this is not a telephone number; write it with digits, such as +44 7700 900123")
    try:
        number = phonenumbers.parse(written, region_of(zone))
    except phonenumbers.NumberParseException:
        raise ValueError("this is not a telephone number; write it with its country code, such as +44 7700 900123") from None
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        length = {
            phonenumbers.ValidationResult.TOO_SHORT: "has too few digits",
            phonenumbers.ValidationResult.TOO_LONG: "has too many digits",
        }
        raise ValueError(f"this number {length.get(reason, 'cannot exist')}; check it, and write its country code, such as +44 7700 900123")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def show_phone(number: str) -> str:
    """An E.164 number with the spaces that make it readable."""
    import phonenumbers

    return str(phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL))


@cache
def region_of(zone: str) -> str | None:
    """The country of an IANA zone as its two letters; None for a zone that is no country's."""
    table = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if line and not line.startswith("#"))
    return next((country for country, _, name, *_ in rows if name == zone), None)
