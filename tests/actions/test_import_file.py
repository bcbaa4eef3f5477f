"""What spreadsheets do to a file is undone, and what cannot be read is said with a remedy; cells are read as people write them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_service.actions import import_cells as cells
from bot_service.actions.import_columns import columns_for, guess, mapping_problem
from bot_service.actions.import_file import LARGEST_FILE, MOST_ROWS, decode, plain, read_sheet, write_sheet
from bot_service.actions.phone_numbers import read_phone, show_phone
from bot_service.errors import Conflict
from plans.loading import load_library
from schedules.places import zone_for
from tests.files_of_patients import as_file

ROWS = [["Name", "Goals"], ["Zoë Müller", "climb, run"], ["José Peña", 'sit; "long"']]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_usual_encoding_separator_and_line_end_reads_the_same(encoding: str, separator: str, end: str) -> None:
    sheet = read_sheet(decode(as_file(ROWS, separator, encoding, end)))
    assert (list(sheet.headings), [list(row.cells) for row in sheet.rows]) == (ROWS[0], ROWS[1:])
    assert [row.number for row in sheet.rows] == [2, 3]


def test_rows_are_numbered_as_a_spreadsheet_shows_them() -> None:
    sheet = read_sheet('sep=;\r\nName;Goals;;\r\n\r\nAnn;"two\nlines";;\r\n;;;\r\nBea\r\n')
    assert sheet.headings == ("Name", "Goals")
    assert [(row.number, row.cells[0]) for row in sheet.rows] == [(3, "Ann"), (5, "Bea")]


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "empty"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"\xd0\xcf\x11\xe0rest", "old Excel"),
        (b"%PDF-1.7", "PDF"),
        (b"Name\x00\x81\x8d", "not a text file"),
        (b"Name\n" * LARGEST_FILE, "larger than 2 MB"),
        (b"\n\nName\nAnn", "headings"),
        (b"Name\n\n\n", "no patient below"),
        (b'Name\n"Ann\nBea\n', "quotation mark"),
        (b"Name\n" + b"Ann\n" * (MOST_ROWS + 1), "5,001 rows"),
        (b"a" + b",a" * 60 + b"\nAnn", "61 columns"),
        (b"Name\n" + b"x" * 2001, "longer than 2,000"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_to_do(raw: bytes, sentence: str) -> None:
    with pytest.raises(Conflict, match=sentence):
        read_sheet(decode(raw))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20), min_size=1, max_size=5))
def test_no_cell_that_is_written_begins_a_formula_and_all_come_back(row: list[str]) -> None:
    written = write_sheet([f"h{number}" for number in range(len(row))], [[*row]]).decode("utf-8-sig")
    cells_written = list(csv.reader(io.StringIO(written, newline="")))[-1]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells_written)
    assert [plain(cell) for cell in cells_written] == [plain(cell) for cell in row]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('="0770"', "0770"),
        ("'+44 7700", "+44 7700"),
        ("\xa0 Ann\u200b ", "Ann"),
        ("O'Neill", "O'Neill"),
        ("'Ann", "'Ann"),
        ('\'="07"', "07"),
    ],
)
def test_what_spreadsheets_wrap_around_a_cell_is_taken_off(cell: str, text: str) -> None:
    assert plain(cell) == text


@pytest.mark.parametrize(
    ("reader", "text", "value"),
    [
        (cells.time_of_day, "7:30", time(7, 30)),
        (cells.time_of_day, "07.30", time(7, 30)),
        (cells.time_of_day, "7:30:00", time(7, 30)),
        (cells.time_of_day, "7pm", time(19)),
        (cells.time_of_day, "12:15 a.m.", time(0, 15)),
        (cells.time_of_day, "0.3125", time(7, 30)),
        (cells.time_of_day, "0,75000", time(18)),
        (cells.weekdays, "Mon, Wed & Friday", ("mon", "wed", "fri")),
        (cells.weekdays, "daily", ("mon", "tue", "wed", "thu", "fri", "sat", "sun")),
        (cells.score, "4/10", 4),
        (cells.score, "0", 0),
        (cells.score, "10.0", 10),
        (cells.language, "en-GB", "en"),
        (cells.language, "Español", "es"),
        (zone_for, "europe / london", "Europe/London"),
        (cells.side, "Left leg", "left"),
        (cells.side, "R", "right"),
        (cells.yes_or_no, "TRUE", True),
        (cells.yes_or_no, "n", False),
        (cells.channel, "Whats App", "whatsapp"),
    ],
)
def test_a_cell_is_read_as_people_write_it(reader: Callable[[str], Any], text: str, value: object) -> None:
    assert reader(text) == value


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (cells.time_of_day, "7"),
        (cells.time_of_day, "24:00"),
        (cells.time_of_day, "13pm"),
        (cells.weekdays, "Mon Xyz"),
        (cells.weekdays, "1"),
        (cells.score, "4.5"),
        (cells.score, "11"),
        (cells.score, "-1"),
        (cells.language, "Latin"),
        (cells.side, "up"),
        (cells.yes_or_no, "maybe"),
        (cells.channel, "fax"),
    ],
)
def test_a_cell_that_is_not_clear_is_refused(reader: Callable[[str], Any], text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        reader(text)


@pytest.mark.parametrize(
    ("text", "zone", "number"),
    [
        ("07700 900123", "Europe/London", "+447700900123"),
        ("7700900123", "Europe/London", "+447700900123"),
        ("+44 (0)7700 900123", "Europe/Madrid", "+447700900123"),
        ("0044 7700 900123", "Europe/London", "+447700900123"),
        ("612 34 56 78", "Europe/Madrid", "+34612345678"),
        ("tel:+1-202-555-0123", "Etc/UTC", "+12025550123"),
    ],
)
def test_telephone_numbers_are_read_as_in_the_patients_country(text: str, zone: str, number: str) -> None:
    assert read_phone(text, zone) == number


@pytest.mark.parametrize("text", ["4.47701E+11", "call me", "123", "07700 900123", "+44 7700 900123 999 9999"])
def test_what_is_no_telephone_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"number"):
        read_phone(text, "Etc/UTC")


def test_a_number_is_shown_with_spaces() -> None:
    assert show_phone("+447700900123") == "+44 7700 900123"


def test_columns_are_guessed_by_heading_and_no_column_twice() -> None:
    columns = columns_for(load_library())
    headings = [
        "PATIENT NAME",
        "Mobile",
        "telephone",
        "Preferred language",
        "Usual pain (0-10)",
        "Acute tear",
        "Notes",
        "Baselin",
        "What to do",
    ]
    assert guess(headings, columns) == ["name", "phone", None, "language", "baseline", "answers.acute_tear", None, None, None]


def test_columns_that_cannot_do_are_refused() -> None:
    columns = columns_for(load_library())
    for fields, sentence in (
        (["name", "name", "eligible"], "two columns are Name"),
        (["first_name", "eligible"], "holds the name"),
        (["name", "phone"], "eligibility questions are missing"),
    ):
        assert sentence in str(mapping_problem(fields, columns))
    assert mapping_problem(["first_name", "last_name", "answers.adult"], columns) is None
