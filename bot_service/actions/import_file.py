"""A file of comma-separated values as people save it: any usual encoding and separator in, a safe one out. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot_service.errors import Conflict

LARGEST_FILE = 2 * 1024 * 1024
MOST_ROWS = 5000
MOST_COLUMNS = 60
LONGEST_CELL = 2000
"""Limits of one file (defaults): a file beyond them is nearly always not a list of patients."""
SEPARATORS = ",;\t"
WHAT_TO_DO = "What to do"
_NO_TEXT = {
    b"PK\x03\x04": "this is an Excel workbook, not a CSV file: in Excel choose Save as, then CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "this is an old Excel workbook, not a CSV file: in Excel choose Save as, then CSV UTF-8",
    b"%PDF": "this is a PDF, not a CSV file: export the list as CSV UTF-8",
}
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_TEXT_MARK = re.compile(r"'(?=[=+\-@\t\r'])")


@dataclass(frozen=True)
class Row:
    """A row with something in it; `number` is the one that a spreadsheet shows beside it, the headings being row 1."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """A file's headings and rows, and what separates its cells. Rows may be shorter or longer than the headings."""

    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    separator: str


def decode(raw: bytes) -> str:
    """The text of a file, whichever program saved it. Raises Conflict with what to do."""
    if not raw.strip():
        raise Conflict("the file is empty; choose the one with the patients")
    if len(raw) > LARGEST_FILE:
        raise Conflict("the file is larger than 2 MB; divide it into smaller ones")
    for start, sentence in _NO_TEXT.items():
        if raw.startswith(start):
            raise Conflict(sentence)
    for encoding in _encodings(raw):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Conflict("this is not a text file that can be read; save the list again as CSV UTF-8")


def read_sheet(text: str) -> Sheet:
    """The rows of a file. Raises Conflict with what to do."""
    told = re.match(r"sep=(.)\r?\n?", text)  # Excel's own way to say it; Excel does not count that line
    text = text[told.end() :] if told else text
    separator = told[1] if told and told[1] in SEPARATORS else _separator(text)
    records = list(_records(text, separator))
    if not records or not any(records[0]):
        raise Conflict("the first row must hold the headings; add them above the patients")
    headings = _without_empty_end(records[0])
    rows = tuple(Row(number, cells) for number, cells in enumerate(records[1:], 2) if any(cells))
    if len(headings) > MOST_COLUMNS:
        raise Conflict(f"the file has {len(headings)} columns and may have {MOST_COLUMNS}; delete those that are not needed")
    if not rows:
        raise Conflict("there is no patient below the headings; add one row for each")
    if len(rows) > MOST_ROWS:
        raise Conflict(f"the file has {len(rows):,} rows and may have {MOST_ROWS:,}; divide it into smaller ones")
    return Sheet(headings, rows, separator)


def write_sheet(headings: Sequence[str], rows: Iterable[Sequence[str]], separator: str = ",") -> bytes:
    """A file that any spreadsheet opens as text, in UTF-8 with its mark: no cell of it is taken for a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for row in (headings, *rows):
        writer.writerow([_safe(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig", "replace")


def plain(cell: str) -> str:
    """A cell without what spreadsheets wrap around text: spaces of every kind, ="…" and the mark of `write_sheet`."""
    text = _TEXT_MARK.sub("", re.sub(r"[\u200b\u200e\u200f\ufeff]", "", cell).replace("\xa0", " ").strip(), count=1)
    wrapped = re.fullmatch(r'="([^"]*)"', text)
    return (wrapped[1] if wrapped else text).strip()


def _safe(cell: str) -> str:
    """A spreadsheet runs what begins so (CWE-1236); an apostrophe in front makes it text."""
    return f"'{cell}" if re.match(r"[=+\-@\t\r']", cell) else cell


def _encodings(raw: bytes) -> list[str]:
    for mark, encoding in _MARKS.items():
        if raw.startswith(mark):
            return [encoding]
    head = raw[:400]
    if head[1::2].count(0) > len(head) // 4:
        return ["utf-16-le"]
    if head[0::2].count(0) > len(head) // 4:
        return ["utf-16-be"]
    return ["utf-8", "cp1252"]


def _separator(text: str) -> str:
    """The one that gives the headings most columns; a comma for a single column."""
    first = text.lstrip("\r\n").partition("\n")[0]
    return max(SEPARATORS, key=lambda separator: len(next(csv.reader([first], delimiter=separator), [])))


def _records(text: str, separator: str) -> Iterable[tuple[str, ...]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    try:
        for number, record in enumerate(reader, 1):
            cells = tuple(cell.strip() for cell in record)
            if any(len(cell) > LONGEST_CELL for cell in cells):
                raise Conflict(f"a cell of row {number} is longer than {LONGEST_CELL:,} characters; is a quotation mark not closed there?")
            yield cells
    except csv.Error:
        raise Conflict(f"row {number + 1} cannot be read; a quotation mark is not closed, or stands in the middle of a cell") from None


def _without_empty_end(cells: Sequence[str]) -> tuple[str, ...]:
    last = max(index for index, cell in enumerate(cells) if cell)
    return tuple(cells[: last + 1])
