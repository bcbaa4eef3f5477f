"""The picture that goes with "how is it going": pain on each exercise day of four weeks, as a PNG with digits only, for any language."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise

from bot_service.clinical.record import STRIP_DAYS

WIDTH, HEIGHT = 680, 340
LEFT, RIGHT, TOP, BOTTOM = 56, 20, 24, 44
_PAPER, _GRID, _LIMIT, _INK, _DOT = b"\xff\xff\xff", b"\xdd\xdd\xdd", b"\xc8\x78\x00", b"\x44\x44\x44", b"\x1f\x5f\x8b"
_ROWS = ("75557", "26227", "71747", "71717", "55711", "74717", "74757", "71111", "75757", "75717")
"""Each digit as five rows of three dots, written as octal numbers."""


def draw_progress(pains: Mapping[date, int], ceiling: int, today: date) -> bytes:
    """Scores 0-10 by local day up to `today`, with a line at the plan's ceiling and a tick a week. The same values, the same bytes."""
    canvas = [bytearray(_PAPER * WIDTH) for _ in range(HEIGHT)]
    first = today - timedelta(days=STRIP_DAYS - 1)
    for score in range(0, 11, 5):
        _fill(canvas, LEFT, _y(score), WIDTH - RIGHT, _y(score) + 1, _GRID)
        _write(canvas, str(score), LEFT - 14 - 16 * len(str(score)), _y(score) - 10)
    _fill(canvas, LEFT, _y(ceiling) - 1, WIDTH - RIGHT, _y(ceiling) + 2, _LIMIT)
    for number in range(0, STRIP_DAYS, 7):
        _fill(canvas, _x(number), _y(0), _x(number) + 1, _y(0) + 8, _INK)
        _write(canvas, str((first + timedelta(days=number)).day), _x(number) - 8, _y(0) + 14)
    points = [((day - first).days, score) for day, score in sorted(pains.items()) if first <= day <= today]
    for (number, score), (after, then) in pairwise(points):
        _join(canvas, (_x(number), _y(score)), (_x(after), _y(then)))
    for number, score in points:
        _fill(canvas, _x(number) - 5, _y(score) - 5, _x(number) + 6, _y(score) + 6, _DOT)
    return _as_png(canvas)


def _x(number: int) -> int:
    return LEFT + 12 + number * (WIDTH - LEFT - RIGHT - 24) // (STRIP_DAYS - 1)


def _y(score: int) -> int:
    return HEIGHT - BOTTOM - score * (HEIGHT - TOP - BOTTOM) // 10


def _fill(canvas: list[bytearray], left: int, top: int, right: int, bottom: int, colour: bytes) -> None:
    for row in canvas[max(0, top) : bottom]:
        row[left * 3 : right * 3] = colour * (right - left)


def _join(canvas: list[bytearray], start: tuple[int, int], end: tuple[int, int]) -> None:
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    for step in range(steps + 1):
        x, y = (start[axis] + (end[axis] - start[axis]) * step // steps for axis in (0, 1))
        _fill(canvas, x - 1, y - 1, x + 1, y + 1, _DOT)


def _write(canvas: list[bytearray], digits: str, left: int, top: int) -> None:
    """Digits of 12 by 20 dots."""
    for place, digit in enumerate(digits):
        for down, row in enumerate(_ROWS[int(digit)]):
            for across in range(3):
                if int(row) & (4 >> across):
                    x, y = left + place * 16 + across * 4, top + down * 4
                    _fill(canvas, x, y, x + 4, y + 4, _INK)


def _as_png(canvas: list[bytearray]) -> bytes:
    """Eight bits a colour, no filter: the smallest form of the standard (W3C PNG, sections 5 and 11)."""
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    content = zlib.compress(b"".join(b"\0" + row for row in canvas), 9)
    chunks = ((b"IHDR", header), (b"IDAT", content), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
