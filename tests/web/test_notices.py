"""The page My notices: choices, the chat's link, leave with cover, an admin's limits, and what others may not do."""

from __future__ import annotations

from datetime import date

import pytest

from bot_service.actions import notice_choices
from bot_service.errors import NotPermitted
from bot_service.storage import clinics, notices, staff, tables
from bot_service.storage.staff import Member
from tests.notice_clinic import NoticeClinic, with_mail
from tests.running_clinic import RunningClinic
from tests.web.lives import Browser, a_member, another_clinic, say


@pytest.fixture
def here(sqlite_clinic: RunningClinic) -> NoticeClinic:
    return with_mail(sqlite_clinic)


def signed_in(here: NoticeClinic, member: Member) -> Browser:
    browser = Browser(here.clinic).sign_in(member)
    browser.get("/notices")
    return browser


def choices(here: NoticeClinic, member: Member) -> notices.Choices:
    with here.clinic.db.read() as tx:
        return notices.load_choices(tx, member.id)


def audited(here: NoticeClinic) -> list[str]:
    with here.clinic.db.read() as tx:
        return [row.what for row in tx.all(tables.audit.select().order_by(tables.audit.c.seq))]


@pytest.mark.parametrize("role", ["physio", "admin", "viewer"])
def test_everybody_chooses_for_themselves_and_it_is_kept(here: NoticeClinic, role: str) -> None:
    member = a_member(here.clinic, role, f"kim.{role}@riverside.example")
    browser = signed_in(here, member)
    assert f"E-mail to {member.email}" in browser.words and 'name="daily" value="yes" checked' in browser.page
    browser.post("/notices", {"ways": "email", "weekly": "yes"})
    assert browser.status == 200 and "Saved." in browser.words
    found = choices(here, member)
    assert (found.ways, found.daily, found.weekly, found.at_night) == ("email", False, True, False)
    assert 'name="daily" value="yes">' in browser.page and "notices_chosen" in audited(here)


def test_telegram_needs_a_linked_chat_first(here: NoticeClinic) -> None:
    browser = signed_in(here, here.anna)
    assert "This clinic has no Telegram bot." in browser.words
    for ways in ("telegram", "both", "pigeon"):
        browser.post("/notices", {"ways": ways})
        assert browser.status == 409
    browser.post("/notices/telegram")
    assert browser.status == 409 and "no Telegram bot" in browser.words
    with here.clinic.db.begin() as tx:
        bot = clinics.find_or_add_sender(tx, here.clinic.clinic.id, "telegram", "RiversideBot", None)
    browser.post("/notices/telegram")
    assert "https://t.me/RiversideBot?start=staff_" in browser.page
    assert "start=staff_" not in browser.get("/notices"), "shown once"
    with here.clinic.db.begin() as tx:
        notices.link_chat(tx, here.anna, bot.id, "42")
    browser.post("/notices", {"ways": "telegram"})
    assert browser.status == 200 and choices(here, here.anna).ways == "telegram"
    browser.post("/notices/telegram/unlink")
    assert "Your chat is unlinked" in browser.words
    with here.clinic.db.read() as tx:
        assert notices.load_chat(tx, here.anna.id) is None


def test_leave_moves_the_patients_into_the_covers_own_list_and_back(here: NoticeClinic) -> None:
    here.clinic.in_care("Jo Park")
    ben = signed_in(here, here.ben)
    assert "Jo Park" not in ben.get("/?whose=mine")
    anna = signed_in(here, here.anna)
    anna.post("/notices/leave", {"from": "2026-09-21", "until": "2026-09-25", "cover": str(here.ben.id)})
    assert anna.status == 200 and "Anna Reed: Mon 21 Sep 2026 to Fri 25 Sep 2026. Ben Cole looks after the patients." in anna.words
    assert "Jo Park" in ben.get("/?whose=mine") and "Jo Park" in anna.get("/?whose=mine")
    with here.clinic.db.read() as tx:
        (leave,) = notices.list_leaves(tx, here.clinic.clinic.id, date(2026, 9, 21))
    ben.get("/notices")
    ben.post(f"/notices/leave/{leave.id}/end")
    assert ben.status == 409, "it is not his to end"
    anna.get("/notices")
    anna.post(f"/notices/leave/{leave.id}/end")
    assert "The leave has ended." in anna.words and "Jo Park" not in ben.get("/?whose=mine")
    assert audited(here)[-2:] == ["leave_added", "leave_ended"]


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        ("", "2026-09-25", "Choose the first and the last day."),
        ("2026-09-25", "2026-09-24", "lies before the first"),
        ("2026-09-01", "2026-09-02", "These days have passed."),
        ("soon", "later", "year-month-day"),
    ],
)
def test_leave_that_cannot_be_is_refused_and_what_was_typed_stays(here: NoticeClinic, first: str, last: str, says: str) -> None:
    browser = signed_in(here, here.anna)
    browser.post("/notices/leave", {"from": first, "until": last, "cover": str(here.ben.id)})
    assert browser.status == 409 and says in browser.words and f'name="until" min="2026-09-21" value="{last}"' in browser.page


def test_nobody_covers_from_another_clinic_for_themselves_or_without_treating(here: NoticeClinic) -> None:
    browser, other = signed_in(here, here.anna), another_clinic(here.clinic)
    for cover in (str(other.id), str(here.anna.id), str(here.lead.id), "nobody", "11111111-1111-4111-8111-111111111111"):
        browser.post("/notices/leave", {"from": "2026-09-21", "until": "2026-09-25", "cover": cover})
        assert browser.status == 409, cover
    browser.post("/notices/leave", {"from": "2026-09-21", "until": "2026-09-25", "cover": str(here.ben.id)})
    browser.post("/notices/leave", {"from": "2026-09-25", "until": "2026-09-28", "cover": str(here.deputy.id)})
    assert browser.status == 409 and "some of these days already" in browser.words


def test_an_admin_sets_limits_and_duties_and_nobody_else_can(here: NoticeClinic) -> None:
    limits = {"remind": "30", "deputy": "90", "lead": "2", "initials": "yes"}
    for member in (here.anna, a_member(here.clinic, "viewer", "vi@riverside.example")):
        browser = signed_in(here, member)
        assert "Change the limits" not in browser.words
        browser.post("/notices/limits", limits)
        assert browser.status == 403
        browser.post("/notices/duty", {"member": str(member.id), "duty": "lead"})
        assert browser.status == 403
    admin = signed_in(here, here.lead)
    assert "again after 1 hour, goes to the deputy after 4 hours and to the clinic lead after 1 working day" in admin.words
    admin.post("/notices/limits", limits)
    assert "again after 30 minutes, goes to the deputy after 90 minutes and to the clinic lead after 2 working days" in admin.words
    assert "your clinic adds initials" in admin.words
    for wrong in ({"remind": "90"}, {"lead": "0"}, {"lead": "99"}, {"deputy": "x"}, {"remind": "-1"}):
        admin.post("/notices/limits", limits | wrong)
        assert admin.status == 409
    admin.post("/notices/duty", {"member": str(here.ben.id), "duty": "deputy"})
    assert "Ben Cole, deputy" in admin.words
    admin.post("/notices/duty", {"member": str(here.ben.id), "duty": ""})
    assert "Ben Cole, deputy" not in admin.words and choices(here, here.ben).duty is None
    stranger = another_clinic(here.clinic)
    admin.post("/notices/duty", {"member": str(stranger.id), "duty": "lead"})
    assert admin.status == 409 and choices(here, stranger).duty is None


def test_the_page_lists_what_went_out_and_says_so_when_nothing_can(here: NoticeClinic, sqlite_clinic: RunningClinic) -> None:
    person = here.clinic.in_care("Jo Park")
    assert "Nothing yet." in signed_in(here, here.anna).words
    say(person, "I can't feel my legs and I wet myself")
    browser = signed_in(here, here.anna)
    assert "Mon 21 Sep, 10:00 Urgent flag E-mail sent" in browser.words and "Jo Park" not in browser.words
    with sqlite_clinic.db.begin() as tx:
        clinics.mark_sender(tx, here.mail_sender.id, "unused", None)
    assert "No mail server is set up" in signed_in(here, here.anna).words


def test_who_is_no_admin_any_more_gives_no_duty_from_a_page_that_is_still_open(here: NoticeClinic) -> None:
    admin = a_member(here.clinic, "admin", "al@riverside.example")
    with here.clinic.db.begin() as tx:
        staff.set_role(tx, admin.id, "viewer")
    with pytest.raises(NotPermitted):
        notice_choices.set_duty(here.clinic.db, admin, here.ben.id, "lead", here.clinic.clock.now())
    assert choices(here, here.ben).duty is None
