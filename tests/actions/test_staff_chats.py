"""A chat is a member of staff's or a patient's, never both; the link that ties it works once, and signs nobody in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot_service.actions.staff_chats import CODE
from bot_service.clock import real_now
from bot_service.conversation.notices import LINKED, ONE_CHAT_EACH, STAFF_CHAT
from bot_service.errors import RecipientStopped
from bot_service.storage import notices, patients, staff, tables
from bot_service.storage.staff import Member
from tests.notice_clinic import EMERGENCY, NoticeClinic
from tests.running_clinic import Person, open_clinic

HOUR = timedelta(hours=1)
CHAT = "sim:staff"


def link(there: NoticeClinic, member: Member, *, ago: timedelta = timedelta()) -> str:
    with there.clinic.db.begin() as tx:
        return CODE + staff.add_chat_link(tx, real_now() - ago, member.id)


async def write(there: NoticeClinic, text: str, address: str = CHAT, **more: object) -> None:
    number = next(there.clinic.numbers)
    raw = {"id": f"u{number}", "address": address, "kind": "text", "text": text, "message_id": f"p{number}"}
    await there.clinic.hear(raw | more)
    await there.service.tick()


def texts(there: NoticeClinic, address: str = CHAT) -> list[str]:
    return [each.outbound.text for each in there.clinic.phones.at(address)]


def linked(there: NoticeClinic, member: Member) -> bool:
    with there.clinic.db.read() as tx:
        return notices.load_chat(tx, member.id) is not None


async def test_a_link_ties_the_chat_once_and_the_choice_decides_where_notices_come(there: NoticeClinic) -> None:
    code = link(there, there.anna)
    await write(there, "/start", code=code)
    assert texts(there) == [LINKED] and linked(there, there.anna)
    person = await there.clinic.opted_in()
    await person.say(EMERGENCY)
    assert len(there.mail.taken) == 1 and len(texts(there)) == 1, "mail is what she chose"
    there.choose(there.anna, ways="telegram")
    await person.say("my calf is swollen and hot")
    assert len(there.mail.taken) == 1 and texts(there)[1].startswith(f"Red flag for {person.episode().ref}")
    there.choose(there.anna, ways="both")
    await person.say("I have chest pain and cannot breathe")
    assert len(there.mail.taken) == 2 and len(texts(there)) == 3
    await write(there, "/start", "sim:thief", code=code)
    assert "notices" not in texts(there, "sim:thief")[0]
    with there.clinic.db.read() as tx:
        assert notices.load_chat(tx, there.anna.id) == (there.clinic.sender.id, CHAT)


async def test_a_link_that_is_old_replaced_or_for_signing_in_ties_nothing(here: NoticeClinic) -> None:
    old, first = link(here, here.anna, ago=timedelta(hours=25)), link(here, here.anna)
    second = link(here, here.anna)
    with here.clinic.db.begin() as tx:
        sign_in = staff.add_link(tx, real_now(), here.anna.id)
    for code in (old, first, CODE + sign_in, CODE, CODE + "x" * 43):
        await write(here, "/start", code=code)
    assert not linked(here, here.anna) and LINKED not in texts(here)
    with here.clinic.db.begin() as tx:
        assert staff.use_link(tx, real_now(), second.removeprefix(CODE)) is None, "nor does a chat's link sign anybody in"
        assert staff.use_link(tx, real_now(), sign_in) is not None
    await write(here, "/start", code=second)
    assert linked(here, here.anna)


async def test_nothing_that_staff_write_is_kept_or_becomes_a_patients_record(there: NoticeClinic) -> None:
    await write(there, "/start", code=link(there, there.anna))
    await write(there, "P-1 has 9/10 pain, STOP")
    await write(there, "hello?")
    assert texts(there) == [LINKED, STAFF_CHAT], "one answer a day"
    with there.clinic.db.read() as tx:
        rows = tx.all(tables.inbox.select())
        assert [(row.patient_id, row.text, row.raw, row.status) for row in rows] == [(None, None, None, "handled")] * 3
        assert tx.all(tables.entries.select()) == [] and tx.all(tables.cases.select()) == []


async def test_a_staff_chat_cannot_open_an_invitation_and_the_code_stays_good_for_the_patient(there: NoticeClinic) -> None:
    await write(there, "/start", code=link(there, there.anna))
    person = Person(there.clinic, there.clinic.enrol(), "sim:patient")
    await write(there, "/start", code=person.invitation.code)
    assert texts(there) == [LINKED, ONE_CHAT_EACH]
    with there.clinic.db.read() as tx:
        assert patients.find_active_address(tx, person.id) is None
    await person.say("hi", code=person.invitation.code)
    await person.tap("Yes")
    assert person.episode().patient_status == "opted_in"


async def test_a_patients_chat_cannot_become_staffs_and_what_it_showed_is_worth_nothing_after(there: NoticeClinic) -> None:
    person = await there.clinic.opted_in()
    code = link(there, there.anna)
    await person.say("/start", code=code)
    assert not linked(there, there.anna)
    await write(there, "/start", code=code)
    assert not linked(there, there.anna), "the code stood in the transcript"
    await person.say(EMERGENCY)
    assert any("999" in text for text in person.texts), "and the patient is heard as ever"


async def test_the_chat_of_a_former_member_is_heard_as_anybodys(there: NoticeClinic) -> None:
    await write(there, "/start", code=link(there, there.ben))
    with there.clinic.db.begin() as tx:
        staff.disable(tx, real_now(), there.ben.id)
    invitation = there.clinic.enrol("Kim Lee")
    await write(there, "hello", code=invitation.code)
    assert "Do you agree?" in texts(there)[-1]
    assert not linked(there, there.ben)
    await write(there, "yes")
    await write(there, EMERGENCY)
    assert "999" in texts(there)[-1]


async def test_one_chat_belongs_to_one_member(here: NoticeClinic) -> None:
    await write(here, "/start", code=link(here, here.anna))
    await write(here, "/start", code=link(here, here.ben))
    assert linked(here, here.anna) and not linked(here, here.ben)
    await write(here, "/start", "sim:other", code=link(here, here.anna))
    with here.clinic.db.read() as tx:
        assert notices.load_chat(tx, here.anna.id) == (here.clinic.sender.id, "sim:other"), "a new phone takes the place of the old"


async def test_a_link_of_another_clinics_member_is_unknown_to_this_bot(here: NoticeClinic) -> None:
    other = open_clinic(here.clinic.db, here.clinic.clock, "hillside")
    with here.clinic.db.begin() as tx:
        code = CODE + staff.add_chat_link(tx, real_now(), other.physio.id)
    await write(here, "/start", code=code)
    assert not linked(here, other.physio) and LINKED not in texts(here)


@pytest.mark.parametrize("how", ["says so", "refuses"])
async def test_a_blocked_chat_is_unlinked_and_the_notice_comes_by_mail(here: NoticeClinic, how: str) -> None:
    await write(here, "/start", code=link(here, here.anna))
    here.choose(here.anna, ways="telegram")
    if how == "says so":
        await write(here, "", kind="blocked")
    else:
        here.clinic.phones.fails = lambda outbound: RecipientStopped("blocked") if outbound.address == CHAT else None
    person = await here.clinic.opted_in()
    await person.say(EMERGENCY)
    assert not linked(here, here.anna)
    assert here.mail.subjects(here.anna) == [f"Red flag for {person.episode().ref}"]


async def test_when_the_chosen_way_does_not_answer_the_other_is_tried_within_fifteen_minutes(here: NoticeClinic) -> None:
    await write(here, "/start", code=link(here, here.anna))
    from bot_service.errors import ChannelUnavailable

    here.mail.fails = lambda _: ChannelUnavailable("down")
    person = await here.clinic.opted_in()
    at = here.clinic.clock.now()
    await person.say(EMERGENCY)
    await here.service.move_clock(at + HOUR / 4)
    assert [text.partition("\n")[0] for text in texts(here)[1:]] == [f"Red flag for {person.episode().ref}"]
