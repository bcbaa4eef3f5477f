"""Twilio's forms: documented payloads, a signature that does not say where a field ends, and grammars that say who is who."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot_service import errors
from bot_service.channels.whatsapp import RETRIES, Account, WhatsApp
from bot_service.channels.whatsapp_forms import parse_form, parse_receipt
from bot_service.messages import Receipt
from tests.channels.contract import payloads, reads_a_payload
from tests.fakes.twilio_api_process import OURS, encoded, signature

ACCOUNT, TOKEN = "AC" + "0" * 31 + "1", "f" * 32
URL = "https://stepwise.example.org/webhooks/twilio/inbound"
SID, UNUSED = "SM" + "1" * 32, "SM" + "2" * 32
CHANNEL = WhatsApp(Account(ACCOUNT, (TOKEN,), OURS), "https://stepwise.example.org")


def a_form(**changes: str) -> dict[str, str]:
    return {
        "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "Body": "4", "From": "whatsapp:+447700900123", "MessageSid": SID,
        "NumMedia": "0", "ProfileName": "Pat", "SmsMessageSid": SID, "SmsStatus": "received", "To": f"whatsapp:{OURS}",
        "WaId": "447700900123",
    } | changes  # fmt: skip


def admit(form: dict[str, str], *, signed: dict[str, str] | None = None, url: str = URL, key: str = TOKEN) -> dict[str, str] | None:
    return CHANNEL.admit(URL, encoded(form), signature(key, url, form if signed is None else signed))


@pytest.mark.parametrize("payload", payloads("twilio"))
def test_documented_payloads_mean_what_is_written_beside_them(payload: dict[str, Any]) -> None:
    reads_a_payload(parse_form, payload)
    assert CHANNEL.is_message(payload["update"])
    assert admit(payload["update"]) == payload["update"]


@pytest.mark.parametrize("missing", ["From", "To", "MessageSid"])
def test_a_form_without_author_recipient_or_id_is_garbage(missing: str) -> None:
    form = a_form()
    del form[missing]
    assert not CHANNEL.is_message(form)
    with pytest.raises(ValueError, match="names no message"):
        parse_form(form)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("From", "+447700900123"), ("From", "whatsapp:447700900123"), ("From", "whatsapp:+447700900123;"), ("From", "whatsapp:+44\n"),
        ("From", "whatsapp:+٤٤٧٧٠٠٩٠٠١٢٣"), ("From", "whatsapp:gb.1"), ("To", "whatsapp:+447700900000"), ("To", ""),
        ("MessageSid", "SM123"), ("MessageSid", SID + "0"), ("MessageSid", "CA" + "1" * 32), ("MessageSid", " " + SID),
    ],
)  # fmt: skip
def test_grammars_are_strict_and_the_message_must_be_for_us(field: str, value: str) -> None:
    assert not CHANNEL.is_message(a_form(**{field: value}))


def test_a_signature_holds_for_one_url_one_token_one_account_and_one_form() -> None:
    form = a_form()
    assert admit(form) == form
    assert admit(form, key="0" * 32) is None
    assert admit(form, url=URL + "/") is None
    assert admit(form, url=URL.replace("https", "http")) is None
    assert admit(a_form(Body="5"), signed=form) is None
    assert admit(form | {"Extra": ""}, signed=form) is None
    assert admit(a_form(AccountSid="AC" + "9" * 32)) is None
    assert CHANNEL.admit(URL, encoded(form), "") is None
    assert CHANNEL.admit(URL, encoded(form), "é") is None


def test_the_address_may_carry_the_marks_that_make_twilio_try_again() -> None:
    assert admit(a_form(), url=URL + RETRIES) == a_form()


def test_while_a_token_is_replaced_both_hold() -> None:
    channel = WhatsApp(Account(ACCOUNT, ("new", "old"), OURS), "https://stepwise.example.org")
    form = a_form()
    assert channel.admit(URL, encoded(form), signature("old", URL, form)) == form
    assert channel.admit(URL, encoded(form), signature("new", URL, form)) == form


def test_blank_fields_are_signed_too() -> None:
    form = a_form(ButtonText="", ButtonPayload="", Body="")
    assert admit(form) == form


@pytest.mark.parametrize(
    "body", [b"", b"a=%ff", b"\xff", b"=x", b"a-b=1", b"Body=1&Body=1", b"&".join(b"a%d=1" % n for n in range(300)), b"{}", b"From"]
)
def test_what_twilio_does_not_post_is_not_even_looked_at(body: bytes) -> None:
    assert CHANNEL.admit(URL, body, "x") is None


@given(st.binary(max_size=200), st.text(max_size=40))
def test_nothing_unsigned_is_admitted_whatever_it_is(body: bytes, words: str) -> None:
    assert CHANNEL.admit(URL, body, words) is None


def test_words_of_a_patient_cannot_pose_as_another_sender() -> None:
    """The known attack: the names and values run together are signed, so a text can hold the rest of another form (channels.md 0.5)."""
    forged = f"hiFromwhatsapp:+15550001111MessageSid{UNUSED}NumMedia0To" + f"whatsapp:{OURS}Z"
    genuine = a_form(Body=forged)
    canonical = "".join(name + genuine[name] for name in sorted(genuine))
    rest = canonical.split(f"whatsapp:{OURS}Z", 1)[1]
    resplit = {
        "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "Body": "hi", "From": "whatsapp:+15550001111", "MessageSid": UNUSED,
        "NumMedia": "0", "To": f"whatsapp:{OURS}", "Z": rest,
    }  # fmt: skip
    assert signature(TOKEN, URL, resplit) == signature(TOKEN, URL, genuine), "the attack works against the signature alone"
    assert admit(resplit) is None


PIECES = [
    "Fromwhatsapp:+15550001111", f"MessageSid{UNUSED}", f"To{f'whatsapp:{OURS}'}", "Z", "x", f"OriginalRepliedMessageSid{UNUSED}",
    "OriginalReplied", f"SmsMessageSid{UNUSED}", "G",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=6).map(lambda chosen: "x" + "".join(chosen)) | st.just("x" + "".join(PIECES[:4]))


@st.composite
def resplits(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, str]]:
    """A genuine form with words of an attacker, and the same signed string cut into fields elsewhere."""
    genuine = a_form(Body=draw(TEXTS), ProfileName=draw(TEXTS))
    canonical = "".join(name + genuine[name] for name in sorted(genuine))
    chosen = draw(st.sets(st.sampled_from(["G", "M", "OriginalRepliedMessageSid", "ProfileName", "SmsMessageSid", "Z"])))
    cuts, at = [], 0
    for name in sorted({"AccountSid", "ApiVersion", "Body", "From", "MessageSid", "To", *chosen}):
        places = [place for place in range(at, len(canonical)) if canonical.startswith(name, place)][:3]
        if places:
            cuts.append((name, draw(st.sampled_from(places))))
            at = cuts[-1][1] + len(name)
    ends = [place for _, place in cuts[1:]] + [len(canonical)]
    return genuine, {name: canonical[place + len(name) : end] for (name, place), end in zip(cuts, ends, strict=True)}


@settings(max_examples=200)
@given(resplits())
def test_no_way_of_cutting_the_signed_words_gives_another_author_or_an_unused_id(pair: tuple[dict[str, str], dict[str, str]]) -> None:
    genuine, cut = pair
    admitted = admit(cut, signed=genuine)
    if admitted is not None and CHANNEL.is_message(admitted):
        assert (admitted["From"], admitted["MessageSid"]) == (genuine["From"], genuine["MessageSid"])


def test_a_message_cannot_be_made_to_count_again_under_another_id() -> None:
    genuine = a_form(ProfileName=f"xMessageSid{UNUSED}To" + f"whatsapp:{OURS}Z")
    cut = {name: genuine[name] for name in ("AccountSid", "ApiVersion", "Body", "From")}
    rest = "".join(name + genuine[name] for name in sorted(genuine) if name > "From")
    before, after = rest.split(f"MessageSid{UNUSED}To" + f"whatsapp:{OURS}Z", 1)
    cut |= {"M": before[1:], "MessageSid": UNUSED, "To": f"whatsapp:{OURS}", "Z": after}
    assert signature(TOKEN, URL, cut) == signature(TOKEN, URL, genuine), "the attack works against the signature alone"
    assert admit(cut) is None


@given(st.dictionaries(st.sampled_from(sorted(a_form())), st.text(max_size=30)))
def test_reading_a_form_gives_a_message_or_says_that_it_is_garbage(changes: dict[str, str]) -> None:
    try:
        heard = parse_form(a_form(**changes))
    except ValueError:
        return
    assert heard.address.startswith("whatsapp:")
    assert "\0" not in heard.text


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("accepted", "sent"), ("scheduled", "sent"), ("queued", "sent"), ("sending", "sent"), ("sent", "sent"), ("delivered", "delivered"),
        ("read", "read"), ("failed", "failed"), ("undelivered", "failed"), ("canceled", "failed"),
    ],
)  # fmt: skip
def test_a_receipt_says_one_of_four_things(said: str, status: str) -> None:
    receipt = parse_receipt({"MessageSid": SID, "MessageStatus": said}, "m")
    assert receipt is not None
    assert (receipt.provider_id, receipt.status, receipt.message_id) == (SID, status, "m")


def test_the_code_of_a_failure_says_what_it_means() -> None:
    failed = {"MessageSid": SID, "MessageStatus": "undelivered"}
    for code, meaning in {"63016": errors.OutsideServiceWindow, "63024": errors.RecipientStopped, "": errors.MessageRejected}.items():
        receipt = parse_receipt(failed | {"ErrorCode": code}, None)
        assert receipt is not None
        assert type(receipt.error) is meaning
    assert parse_receipt({"SmsSid": SID, "SmsStatus": "sent"}, None) == Receipt(SID, "sent")


@pytest.mark.parametrize(
    "form", [{}, {"MessageSid": SID}, {"MessageSid": "x", "MessageStatus": "sent"}, {"MessageSid": SID, "MessageStatus": "?"}]
)
def test_a_receipt_that_says_nothing_we_know_is_nothing(form: dict[str, str]) -> None:
    assert parse_receipt(form, None) is None
