"""Twilio's forms forged (D7): changed somewhere, or the signed words of a patient cut into other fields; none of it is admitted."""

from __future__ import annotations

import random
import string
import sys
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from bot_service.channels.whatsapp_forms import can_be_signed_so
from tests.channels.test_whatsapp_forms import CHANNEL, PIECES, TOKEN, URL, a_form
from tests.fakes.twilio_api_process import encoded, signature

SEED = 20261122
CHANGED, TEXTS = 10_000, 1000
"""So many changed requests; so many bodies, each with so many profile names: a million forms."""
CUTS = ["ApiVersion", "Body", "G", "M", "NumMedia", "OriginalRepliedMessageSid", "ProfileName", "SmsMessageSid", "SmsStatus", "WaId"]
Check = Callable[[Mapping[str, str]], bool]


def test_of_ten_thousand_changed_requests_none_is_admitted() -> None:
    """A letter of the body, the address or the signature changed, dropped or added."""
    chance = random.Random(SEED)
    form = a_form(Body="my pain was 4 out of 10, thank you")
    body, signed = encoded(form).decode(), signature(TOKEN, URL, form)
    assert CHANNEL.admit(URL, body.encode(), signed) == form
    admitted = 0
    for _ in range(CHANGED):
        parts = [URL, body, signed]
        chosen = chance.randrange(3)
        changed = "https://" + altered(URL[8:], chance) if chosen == 0 else altered(parts[chosen], chance)
        if changed == parts[chosen] or (chosen == 1 and dict(parse_qsl(changed, keep_blank_values=True)) == form):
            continue
        parts[chosen] = changed
        admitted += CHANNEL.admit(parts[0], parts[1].encode(), parts[2]) is not None
    assert admitted == 0


def altered(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    letter = chance.choice(string.ascii_letters + string.digits + "+/=&%")
    return chance.choice([text[:at] + text[at + 1 :], text[:at] + letter + text[at + 1 :], text[:at] + letter + text[at:]])


def a_text(chance: random.Random) -> str:
    """What an attacker may write: most often the fields of a message in their order, some left out, with anything between them."""
    if chance.random() < 0.3:
        return "x" + "".join(chance.choices([*PIECES, "hello ", "4"], k=chance.randint(0, 6)))
    fields = [piece for piece in chance.choice([PIECES[:4], PIECES[1:4], [PIECES[0], "G"], PIECES[1:2]]) if chance.random() < 0.9]
    return "x" + "".join(piece + (chance.choice(PIECES) if chance.random() < 0.1 else "") for piece in fields)


def texts(chance: random.Random) -> list[str]:
    return [a_text(chance) for _ in range(TEXTS)]


def cut_anew(signed: str, names: list[str], later: int) -> dict[str, str]:
    """The signed string cut into fields at these names, at their first places or, where `later` has a bit, at the next ones."""
    cuts, at = [("AccountSid", 0)], 10
    for bit, name in enumerate(names):
        place = signed.find(name, at)
        if later >> bit & 1 and (following := signed.find(name, place + 1)) > 0:
            place = following
        if place >= at:
            cuts.append((name, place))
            at = place + len(name)
    ends = [place for _, place in cuts[1:]] + [len(signed)]
    return {name: signed[place + len(name) : end] for (name, place), end in zip(cuts, ends, strict=True)}


def forgeries(check: Check, forms: int) -> int:
    """How many of so many genuine forms, each cut anew in one way, pass for a message of another author or with an unused id."""
    chance, found = random.Random(SEED), 0
    bodies, profiles = texts(chance), texts(chance)
    ways = [sorted({"From", "MessageSid", "To", "Z", *chance.sample(CUTS, chance.randint(0, 4))}) for _ in range(200)]
    form = a_form(Body="\0", ProfileName="\1")
    before, between, after = "".join(name + form[name] for name in sorted(form)).replace("\1", "\0").split("\0")
    genuine = (form["From"], form["MessageSid"])
    for number in range(forms):
        signed = before + bodies[number % TEXTS] + between + profiles[number // TEXTS % TEXTS] + after
        cut = cut_anew(signed, ways[number % 200], chance.getrandbits(9))
        found += check(cut) and (cut["From"], cut["MessageSid"]) != genuine
    return found


def is_taken(form: Mapping[str, str]) -> bool:
    """What `admit` and the page ask of a form whose signature holds."""
    return CHANNEL.is_message(form) and can_be_signed_so(form)


def test_none_of_a_million_texts_can_be_cut_into_another_authors_message() -> None:
    found = forgeries(is_taken, TEXTS * TEXTS)
    sys.stdout.write(f"seed {SEED}: {found} of {TEXTS * TEXTS}; zero is below {3 / TEXTS / TEXTS:.4%} (95 %)\n")
    assert found == 0


def test_the_same_count_condemns_a_build_that_believes_the_signature_and_the_grammar() -> None:
    assert forgeries(CHANNEL.is_message, 20_000) > 0


def test_a_form_that_is_cut_anew_keeps_its_signature() -> None:
    chance = random.Random(SEED)
    for body in texts(chance)[:300]:
        form = a_form(Body=body)
        cut = cut_anew("".join(name + form[name] for name in sorted(form)), ["From", "MessageSid", "To", "Z"], chance.getrandbits(4))
        assert signature(TOKEN, URL, cut) == signature(TOKEN, URL, form)
