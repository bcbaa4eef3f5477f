"""Every rule that puts something before the physio names the rows that made it speak, and the patient's page shows and marks them."""

from __future__ import annotations

from datetime import timedelta

from bot_service.actions.histories import load_record
from bot_service.clinical.catalogue import RULES
from bot_service.clinical.flags import flags_for
from bot_service.errors import RecipientStopped
from bot_service.storage import cases, reviews
from tests.actions.told import DAY1
from tests.running_clinic import Person, RunningClinic
from tests.web.lives import Browser, live, look

ROWS_OF_OURS = {
    "D4": "prompts without an answer",
    "D5": "prompts without an answer",
    "D6": "the prescription that began the stage",
    "D7": "the first prescription",
}
NO_CASE = {
    "A1": "feedback in the chat, which raises nothing",
    "A2": "feedback in the chat, which raises nothing",
    "B1": "feedback in the chat, which raises nothing",
    "B2": "a line in the digest; its flag has evidence",
    "E1": "a suggestion on another rule's flag, which has that rule's evidence",
    "E2": "a suggestion on another rule's flag, which has that rule's evidence",
    "E3": "a suggestion on another rule's flag, which has that rule's evidence",
    "C2": "a proposal made as that of C1 is, in another stage",
    "C3": "a proposal made as that of C1 is, over another time",
    "C4": "a proposal made as that of C1 is, in the last stage",
}
LIVES = {
    "A3": "done 6/1, done 2/1, done 6/1",
    "A4": "done 9/1",
    "B2": "done 2/3",
    "B3": "done 3/6",
    "D3": "no pain, no pain, no pain",
    "D5": "done 2/1" + ", missed" * 8,
    "X9": "done 2/1, unsent, unsent, unsent",
    "D4": "no time, missed, done 2/1, " * 6 + "missed",
    "E4": "done 2/1" + ", missed" * 15,
    "C0": ", ".join(["done 2/1"] * 16),
    "C1": ", ".join(["done 2/1"] * 18),
    "C5": ", ".join(["done 2/1, done 2/1, no time"] * 7),
    "B4": ", ".join(["done 1/1"] * 7 + ["done 2/1"] * 7 + ["done 4/1"] * 7),
    "D2": ", ".join(["done 4/2"] * 30),
    "D6": ", ".join(["done 4/2"] * 45),
    "D7": ", ".join(["done 4/2"] * 86),
}
"""The days of somebody of whom the rule speaks, in the words of `tests.builders.week`."""


async def told(clinic: RunningClinic) -> dict[str, Person]:
    """Somebody for each rule that speaks of what was said, or of what did not arrive or got no answer, three days later."""
    people = {name: clinic.in_care(name) for name in ("D1", "X3", "X4", "X7", "X8", "X1 said", "X1 blocked", "X1 refused")}
    people |= {name: await clinic.opted_in(name, baseline=None) for name in ("X2", "X6")}
    people["X5"] = quiet = Person(clinic, clinic.enrol("X5"), "sim:500")
    await quiet.say("hi", code=quiet.invitation.code)
    await quiet.tap("Yes")
    await people["X6"].say("sorry, 8")
    clinic.phones.fails = lambda sent: RecipientStopped("no such chat") if sent.address == people["X1 refused"].address else None
    await clinic.service.move_clock(DAY1 + timedelta(minutes=1))
    for name, words in {
        "D1": "I can't feel my legs",
        "X3": "can I talk to my physio",
        "X4": "9",
        "X7": "Please delete all my data",
    }.items():
        await people[name].say(words)
    for words in ("wobbly fish", "a bit floaty", "like a rainbow"):
        await people["X2"].say(words)
    await people["X8"].tap("Something's wrong")
    await people["X1 said"].say("STOP")
    await people["X1 blocked"].say("", kind="blocked")
    await clinic.service.move_clock(DAY1 + timedelta(days=2))
    return people


def lived(clinic: RunningClinic) -> dict[str, Person]:
    """Somebody for each rule that speaks of what was done."""
    people = {}
    for name, days in LIVES.items():
        people[name] = clinic.in_care(
            name, stage="intermediate" if name == "C0" else "early"
        )  # early, the stage itself is complete by then
        live(clinic, people[name], days)
        look(people[name])
        with clinic.db.read() as tx:
            flags = flags_for(load_record(tx, people[name].episode(), clinic.clock.now()))
        assert [flag.rule for flag in flags if not flag.evidence and flag.rule not in ROWS_OF_OURS] == []
        assert name != "B2" or "B2" in {flag.rule for flag in flags}
    return people


def shown(person: Person) -> dict[str, list[cases.Piece]]:
    """For each rule that spoke, the evidence of its cases or of its proposal."""
    found: dict[str, list[cases.Piece]] = {}
    with person.clinic.db.read() as tx:
        episode = person.episode()
        for case in (*cases.list_open(tx, episode), *cases.list_closed(tx, episode)):
            pieces = cases.list_evidence(tx, case.id)
            assert pieces, f"{case.rule} of {case.case_key}: nothing raised it"
            for rule in case.reasons:
                found.setdefault(rule, []).extend(piece for piece in pieces if piece.rule == rule)
        for item in reviews.list_proposals(tx, episode):
            found.setdefault(item.rule, []).extend(cases.Piece(item.rule, row) for row in item.detail["evidence"])
    return found


async def test_every_rule_has_evidence_or_says_why_there_can_be_none(clinic: RunningClinic) -> None:
    people = await told(clinic)
    people |= lived(clinic)
    rows = {name: shown(person).get(name.partition(" ")[0]) for name, person in people.items()}
    assert {name for name, found in rows.items() if not found} <= set(NO_CASE), rows
    assert {name.partition(" ")[0] for name in rows} | set(NO_CASE) == set(RULES)
    assert all(piece.outbox_id for piece in rows["D5"] or ()) and len(rows["D5"] or ()) == 7
    browser = Browser(clinic).sign_in()
    for name, words in {
        "D5": ("Exercises sent, no answer", "Evidence for: No reply for a week"),
        "X9": ("Exercises not sent: too late", "Evidence for: Exercises not sent"),
        "X1 refused": ("Exercises failed: the patient cannot be reached", "Evidence for: Cannot be reached"),
        "X1 said": ("Message STOP", "Evidence for: Cannot be reached"),
        "D6": ("Prescription Early Plan",),
        "D7": ("Prescription Early Plan",),
    }.items():
        browser.get(f"/patients/{people[name].invitation.ref}?all=1")
        assert [each for each in words if each not in browser.words] == [], browser.words
