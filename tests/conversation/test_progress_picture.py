"""The picture of pain over four weeks: a PNG as the standard has it, with a dot where a score is."""

from __future__ import annotations

import struct
import zlib
from datetime import date, timedelta

import pytest

from bot_service.clinical.record import STRIP_DAYS
from bot_service.conversation.progress_picture import HEIGHT, LEFT, RIGHT, WIDTH, draw_progress

TODAY = date(2026, 10, 20)
DOT = b"\x1f\x5f\x8b"


def rows_of(png: bytes) -> list[bytes]:
    """The lines of dots, three bytes each; fails on anything that a reader of PNG would not take."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, at = {}, 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + body),)
        chunks[kind], at = body, at + 12 + length
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    flat, length = zlib.decompress(chunks[b"IDAT"]), 1 + 3 * WIDTH
    assert len(flat) == length * HEIGHT
    return [flat[start + 1 : start + length] for start in range(0, len(flat), length)]


def dots(png: bytes) -> set[tuple[int, int]]:
    return {(x, y) for y, row in enumerate(rows_of(png)) for x in range(WIDTH) if row[x * 3 : x * 3 + 3] == DOT}


@pytest.mark.parametrize("score", range(11))
@pytest.mark.parametrize("ago", [0, 13, STRIP_DAYS - 1])
def test_one_score_is_one_dot_inside_the_picture(score: int, ago: int) -> None:
    found = dots(draw_progress({TODAY - timedelta(days=ago): score}, 5, TODAY))
    assert len(found) == 11 * 11, "whole, so not cut by an edge"
    across, down = (sorted(place[axis] for place in found) for axis in (0, 1))
    assert across[0] >= LEFT and across[-1] < WIDTH - RIGHT
    assert down[0] > 0 and down[-1] < HEIGHT


def test_more_pain_is_higher_and_later_is_further_right() -> None:
    centres = [min(dots(draw_progress({TODAY - timedelta(days=10 - score): score}, 5, TODAY))) for score in range(11)]
    assert [x for x, _ in centres] == sorted({x for x, _ in centres})
    assert [y for _, y in centres] == sorted({y for _, y in centres}, reverse=True)


def test_days_outside_the_four_weeks_are_left_out_and_the_same_values_give_the_same_bytes() -> None:
    outside = {TODAY - timedelta(days=STRIP_DAYS): 9, TODAY + timedelta(days=1): 9}
    assert draw_progress(outside, 5, TODAY) == draw_progress({}, 5, TODAY)
    assert dots(draw_progress({}, 5, TODAY)) == set()
    assert draw_progress({}, 5, TODAY) != draw_progress({}, 3, TODAY), "the ceiling is drawn"
