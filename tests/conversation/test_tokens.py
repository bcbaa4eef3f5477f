"""What a button carries: it comes back as it went out, fits into 64 bytes, and garbage is nobody's button."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_service.conversation.states import CHANGE, KINDS
from bot_service.conversation.tokens import MAX_BYTES, button_data, parse_button

ANSWERS = sorted({answer for kind in KINDS.values() for row in kind.rows for answer in row} | {CHANGE, "show", "0", "1", "2"})


@given(st.uuids(), st.sampled_from(ANSWERS))
def test_every_button_comes_back_as_it_went_out_and_fits(question: UUID, answer: str) -> None:
    data = button_data(question, answer)
    assert len(data.encode()) <= MAX_BYTES
    assert parse_button(data) == (question, answer)


@given(st.text() | st.text("v1:AQ_-=", max_size=70) | st.none())
def test_anything_else_is_nobodys_button_or_reads_without_an_error(data: str | None) -> None:
    found = parse_button(data)
    assert found is None or (len(found[1]) > 0 and found[0].int >= 0)


@pytest.mark.parametrize(
    "data", ["", "v1", "v1::", "v1:AAAA:3", "v2:AAAAAAAAAAAAAAAAAAAAAA:3", "v1:AAAAAAAAAAAAAAAAAAAAAA:", "v1:!!!!!!!!!!!!!!!!!!!!!!:3"]
)
def test_broken_buttons_are_nobodys(data: str) -> None:
    assert parse_button(data) is None


def test_an_answer_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        button_data(UUID(int=1), "x" * 60)
