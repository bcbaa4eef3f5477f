"""Telegram's updates: the documented payloads, and what a hostile or broken client makes of them."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_service.channels.telegram_updates import parse_update
from bot_service.messages import Inbound
from tests.channels.contract import PAYLOADS, payloads, reads_a_payload

UPDATES = [json.loads(file.read_text(encoding="utf-8"))["update"] for file in sorted(PAYLOADS.glob("telegram_*.json"))]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("payload", payloads("telegram"))
def test_a_documented_update_means_what_is_written_beside_it(payload: dict[str, Any]) -> None:
    reads_a_payload(parse_update, payload)


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"update_id": "8"},
        {"update_id": True, "message": {}},
        {"update_id": 2**64},
        {"update_id": 8, "message": None},
        {"update_id": 8, "message": {"message_id": 1}},
        {"update_id": 8, "message": {"message_id": 1, "chat": {"id": "1001", "type": "private"}}},
        {"update_id": 8, "message": {"message_id": None, "chat": {"id": 1001, "type": "private"}, "text": "4"}},
        {"update_id": 8, "message": {"message_id": 1, "chat": {"id": 1001, "type": "private"}, "text": ["4"]}},
        {"update_id": 8, "message": {"message_id": 1, "chat": {"id": 1001, "type": "private"}, "text": "4", "date": 10**17}},
        {"update_id": 8, "callback_query": {"data": "v1:q:3"}},
        {"update_id": 8, "my_chat_member": {"chat": {"id": 1001, "type": "private"}}},
    ],
)
def test_what_cannot_be_an_update_is_refused_without_quoting_it(raw: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (any sentence, so long as it quotes nothing)
        parse_update(raw)
    assert "1001" not in str(caught.value)


@given(st.sampled_from(UPDATES), st.data())
def test_an_update_with_any_one_field_replaced_or_removed_raises_nothing_but_value_error(
    update: dict[str, Any], data: st.DataObject
) -> None:
    broken = copy.deepcopy(update)
    target: Any = broken
    while isinstance(target, dict) and target:
        key = data.draw(st.sampled_from(sorted(target)))
        if not isinstance(target[key], dict) or not target[key] or data.draw(st.booleans()):
            if data.draw(st.booleans()):
                del target[key]
            else:
                target[key] = data.draw(JSON)
            break
        target = target[key]
    _reads_or_refuses(broken)


@given(st.dictionaries(st.sampled_from(["update_id", "message", "edited_message", "callback_query", "my_chat_member"]), JSON))
def test_any_json_is_read_or_refused(raw: dict[str, Any]) -> None:
    _reads_or_refuses(raw)


def _reads_or_refuses(raw: dict[str, Any]) -> None:
    try:
        heard = parse_update(raw)
    except ValueError:
        return
    assert heard is None or isinstance(heard, Inbound)
    if heard is not None:
        assert heard.address.isdigit() or heard == Inbound(heard.provider_id, heard.address, "group")
        heard.text.encode("utf-8")
        assert "\0" not in heard.text
