"""The admin's pages: the team, the clinic's numbers and hours, the audit trail; for nobody else."""

from __future__ import annotations

import re
from threading import Thread

import pytest
from cryptography.exceptions import InvalidTag

from bot_service.actions import notice_choices, team
from bot_service.actions.staff_messages import sealed, unsealed
from bot_service.errors import Conflict, NotPermitted
from bot_service.storage import cases, clinics, notices, staff, tables
from bot_service.storage.cases import Case
from bot_service.storage.staff import Member
from tests.notice_clinic import with_mail
from tests.patience import PATIENT_S
from tests.running_clinic import Person, RunningClinic
from tests.web.lives import Browser, a_member, a_tick, another_clinic, say

HOURS = {f"{end}-{day}": at for day in ("mon", "wed") for end, at in (("from", "09:00"), ("to", "13:30"))}
LIMITS = ("remind", "deputy", "lead")
NUMBERS = {"emergency": "112", "urgent": "116 117", "crisis": "Telefonseelsorge on 0800 111 0 111"}


@pytest.fixture
def admin(clinic: RunningClinic) -> Browser:
    browser = Browser(clinic).sign_in(a_member(clinic, "admin", "al@example.org"))
    browser.get("/team")
    return browser


def members(clinic: RunningClinic) -> dict[str, Member]:
    with clinic.db.read() as tx:
        return {member.email: member for member in staff.list_of_clinic(tx, clinic.clinic.id)}


def audited(clinic: RunningClinic) -> list[str]:
    with clinic.db.read() as tx:
        return [row.what for row in tx.all(tables.audit.select().order_by(tables.audit.c.seq))]


def test_somebody_invited_signs_in_with_the_link_that_is_shown_once(admin: Browser) -> None:
    admin.post("/team/invite", email=" Kim@Example.org ", name="Kim  Lee", role="physio")
    link = re.search(r"http://127\.0\.0\.1:8000(/sign-in/[\w-]+)", admin.page)
    assert link
    kim = Browser(admin.clinic)
    kim.get(link[1])
    kim.post(link[1])
    assert "Kim Lee, physio" in kim.words
    admin.get("/team")
    assert "/sign-in/" not in admin.page
    assert members(admin.clinic)["kim@example.org"].role == "physio"
    admin.post("/team/invite", email="kim@example.org")
    assert "Nothing reaches Kim Lee" in admin.words and "/sign-in/" not in admin.page
    assert len(members(admin.clinic)) == len({*members(admin.clinic)})


def test_a_link_for_a_colleague_goes_to_the_colleague_and_to_nobody_else(admin: Browser) -> None:
    there = with_mail(admin.clinic)
    for email, name in ((there.ben.email, ""), ("kim@example.org", "Kim Lee")):
        admin.post("/team/invite", email=email, name=name, role="physio")
        assert "A sign-in link is on its way" in admin.words and "/sign-in/" not in admin.page
        a_tick(admin.clinic)
        mail = there.mail.taken[-1]
        link = re.search(r"http://127\.0\.0\.1:8000(/sign-in/[\w-]+)", mail.text)
        assert link and mail.address == email and mail.text.startswith("Your sign-in link for Stepwise\n")
        theirs = Browser(admin.clinic)
        theirs.get(link[1])
        theirs.post(link[1])
        assert f"{members(admin.clinic)[email].name}, physio" in theirs.words
    (row, _) = admin.clinic.messages(kind="sign_in_link")
    assert "sign-in/" not in str(row.content), "the link is sealed while it waits"


def test_what_is_sealed_for_a_member_of_staff_opens_in_its_own_row_only(clinic: RunningClinic) -> None:
    with clinic.db.begin() as tx:
        one, other = tx.new_id(), tx.new_id()
        content = sealed(tx, one, text="a link", chat="123")
        assert unsealed(tx, one, content) == {"text": "a link", "chat": "123"}
        for wrong in ({"text": content["chat"]}, {"chat": content["text"]}):
            with pytest.raises(InvalidTag):
                unsealed(tx, one, wrong)
        with pytest.raises(InvalidTag):
            unsealed(tx, other, content)


@pytest.mark.parametrize("act", ["role", "disable"])
def test_two_admins_who_remove_each_other_at_the_same_moment_do_not_both_succeed(clinic: RunningClinic, act: str) -> None:
    """The wrong build, without the lock, removes the second one while the first is still being removed: nobody is left."""
    now, one, other = clinic.clock.now(), clinic.admin, a_member(clinic, "admin", "al@example.org")
    refused: list[Exception] = []

    def remove() -> None:
        try:
            if act == "role":
                team.change_role(clinic.db, other, one.id, "viewer", now)
            else:
                team.disable(clinic.db, other, one.id, now, now)
        except (Conflict, NotPermitted) as error:
            refused.append(error)

    thread = Thread(target=remove)
    with clinic.db.begin() as tx:  # the first one, in the middle of it
        team.check_admin(tx, one)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive(), "the second one waits"
        staff.set_role(tx, other.id, "physio")
    thread.join(PATIENT_S)
    assert len(refused) == 1
    assert [each.email for each in members(clinic).values() if (each.role, each.status) == ("admin", "active")] == [one.email]


def test_what_two_admins_set_for_the_clinic_at_the_same_moment_is_both_kept(clinic: RunningClinic) -> None:
    """The wrong build, without the lock, writes what it read before the other was done: the quiet hours would be lost."""
    now, one, other = clinic.clock.now(), clinic.admin, a_member(clinic, "admin", "al@example.org")
    second = Thread(target=lambda: notice_choices.set_limits(clinic.db, other, (10, 20, 3), now, initials=True))
    with clinic.db.begin() as tx:  # the first one, in the middle of it
        team.check_admin(tx, one)
        clinics.change_settings(tx, clinic.clinic.id, {"quiet": ["20:00", "07:00"]})
        second.start()
        second.join(0.5)
        assert second.is_alive(), "the second one waits"
    second.join(PATIENT_S)
    with clinic.db.read() as tx:
        kept = clinics.load_clinic(tx, clinic.clinic.id).settings
    assert (kept["quiet"], kept["notice_remind_min"], kept["notice_initials"]) == (["20:00", "07:00"], 10, True)


def test_who_is_no_admin_any_more_sets_nothing_for_others_from_a_page_opened_before(clinic: RunningClinic) -> None:
    now, by, anna = clinic.clock.now(), a_member(clinic, "admin", "al@example.org"), clinic.physio
    cover, today = a_member(clinic, "physio", "ben@example.org"), now.date()
    before = audited(clinic)
    refused: list[Exception] = []

    def set_it() -> None:
        try:
            notice_choices.set_limits(clinic.db, by, (10, 20, 3), now, initials=True)
        except NotPermitted as error:
            refused.append(error)

    thread = Thread(target=set_it)
    with clinic.db.begin() as tx:  # somebody takes the role away at that moment
        team.check_admin(tx, clinic.admin)
        thread.start()
        thread.join(0.5)
        staff.set_role(tx, by.id, "viewer")
    thread.join(PATIENT_S)
    assert len(refused) == 1
    with pytest.raises(NotPermitted):
        notice_choices.choose(clinic.db, by, anna, now, ways="email", daily=False, weekly=False, at_night=False)
    with pytest.raises(NotPermitted):
        notice_choices.go_on_leave(clinic.db, by, anna, cover.id, (today, today), now)
    notice_choices.go_on_leave(clinic.db, anna, anna, cover.id, (today, today), now)
    with clinic.db.read() as tx:
        (leave,) = notices.list_leaves(tx, clinic.clinic.id, today)
    with pytest.raises(NotPermitted):
        notice_choices.end_leave(clinic.db, by, anna, leave.id, now)
    assert audited(clinic) == [*before, "leave_added"]


def test_a_viewer_is_never_on_duty_and_an_admin_on_duty_acknowledges_and_no_more(admin: Browser) -> None:
    clinic, who = admin.clinic, members(admin.clinic)["al@example.org"]
    viewer, person = a_member(clinic, "viewer", "vi@example.org"), clinic.in_care("Jo Park")
    say(person, "I can't feel my legs and I wet myself")
    admin.post("/notices/duty", member=str(viewer.id), duty="lead")
    assert "a viewer cannot acknowledge a flag" in admin.words
    case = open_case(person)
    path = f"/patients/{person.episode().ref}/cases/{case.id}"
    admin.post("/notices/duty", member=str(clinic.physio.id), duty="lead")
    admin.post(f"{path}/acknowledge")
    assert admin.status == 403, "somebody else is on duty"
    admin.post("/notices/duty", member=str(who.id), duty="lead")
    admin.get("/team")
    admin.post(f"/team/{who.id}", do="role", role="viewer")
    assert "is clinic lead, and a viewer cannot be" in admin.words
    admin.get(f"/patients/{person.episode().ref}")
    assert "I am looking after it" in admin.words and "Close it" not in admin.words
    admin.post(f"{path}/acknowledge")
    assert open_case(person).status == "acknowledged"
    admin.post(f"{path}/close", reason="fine")
    assert admin.status == 403 and open_case(person).status == "acknowledged"


def open_case(person: Person) -> Case:
    with person.clinic.db.read() as tx:
        return next(case for case in cases.list_open(tx, person.episode()) if case.case_key == "D1")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"email": "kim", "name": "Kim", "role": "physio"}, "Write an e-mail address"),
        ({"email": "kim@example.org", "name": " ", "role": "physio"}, "Write the name as patients and colleagues know it"),
        ({"email": "kim@example.org", "name": "Kim", "role": "owner"}, "Choose a role"),
    ],
)
def test_an_invitation_with_a_mistake_says_so_and_keeps_what_was_typed(admin: Browser, fields: dict[str, str], said: str) -> None:
    admin.post("/team/invite", fields)
    assert admin.status == 409
    assert said in admin.words
    assert f'value="{fields["email"]}"' in admin.page


def test_a_physio_with_patients_goes_only_after_they_are_handed_over(admin: Browser) -> None:
    clinic = admin.clinic
    person = clinic.in_care("Jo Park")
    other = a_member(clinic, "physio", "other@example.org")
    admin.post(f"/team/{clinic.physio.id}", do="disable")
    assert "has 1 patient in care; hand them over" in admin.words
    admin.post(f"/team/{clinic.physio.id}", do="role", role="viewer")
    assert "hand them over" in admin.words
    admin.post(f"/team/{clinic.physio.id}", do="hand_over", to=str(other.id))
    assert "The patients are handed over." in admin.words
    assert person.episode().physio_id == other.id
    signed_in = Browser(clinic).sign_in()
    admin.post(f"/team/{clinic.physio.id}", do="disable")
    assert "Disabled, and signed out everywhere." in admin.words
    signed_in.get("/")
    assert "Sign out" not in signed_in.words


def test_the_last_admin_stays_and_nobody_disables_themselves(admin: Browser) -> None:
    mine = members(admin.clinic)["al@example.org"]
    for member in members(admin.clinic).values():
        if member.role == "admin" and member.id != mine.id:
            admin.post(f"/team/{member.id}", do="disable")
    admin.post(f"/team/{mine.id}", do="role", role="physio")
    assert "last admin" in admin.words
    admin.post(f"/team/{mine.id}", do="disable")
    assert "You cannot disable yourself" in admin.words


def test_patients_read_the_clinics_own_numbers_and_hours(admin: Browser) -> None:
    admin.post("/team/clinic", NUMBERS | HOURS)
    assert "Saved." in admin.words
    assert "call 112" in admin.words
    with admin.clinic.db.read() as tx:
        settings = clinics.load_clinic(tx, admin.clinic.clinic.id).settings
    assert settings["urgent"] == "116 117"
    assert settings["hours"] == {"mon": ["09:00", "13:30"], "wed": ["09:00", "13:30"]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"emergency": ""}, "Write the emergency number"),
        ({"crisis": "call somebody"}, "has no digits in it"),
        ({"to-mon": "08:00"}, "Each day must close after it opens."),
        ({"to-mon": ""}, "both or neither on a day"),
        (dict.fromkeys(HOURS, ""), "Open on at least one day"),
    ],
)
def test_numbers_and_hours_that_cannot_be_are_refused_whole(admin: Browser, change: dict[str, str], said: str) -> None:
    with admin.clinic.db.read() as tx:
        before = clinics.load_clinic(tx, admin.clinic.clinic.id).settings
    admin.post("/team/clinic", NUMBERS | HOURS | change)
    assert said in admin.words
    with admin.clinic.db.read() as tx:
        assert clinics.load_clinic(tx, admin.clinic.clinic.id).settings == before


def test_the_trail_shows_who_did_what_and_checks_itself(admin: Browser) -> None:
    person = admin.clinic.in_care("Jo Park")
    physio = Browser(admin.clinic).sign_in()
    physio.get(f"/patients/{person.invitation.ref}")
    admin.get("/audit")
    assert "Looked at" in admin.words
    assert person.invitation.ref in admin.words
    assert "Jo Park" not in admin.words
    admin.get("/audit?verify=1")
    assert "The audit trail is whole." in admin.words


def test_the_trail_is_paged(admin: Browser) -> None:
    for number in range(105):
        admin.post("/team/clinic", NUMBERS | HOURS | {"emergency": f"{number + 100}"})
    admin.get("/audit")
    earlier = re.search(r'href="(/audit\?before=\d+)"', admin.page)
    assert earlier
    first = admin.page.count("<tr>")
    admin.get(earlier[1])
    assert 1 < admin.page.count("<tr>") < first


@pytest.mark.parametrize("role", ["physio", "viewer"])
def test_nobody_but_an_admin_may(sqlite_clinic: RunningClinic, role: str) -> None:
    browser = Browser(sqlite_clinic).sign_in(a_member(sqlite_clinic, role, "p@example.org"))
    browser.get("/")
    token = {"token": browser.token}
    assert browser.client.get("/team").status_code == 403
    assert browser.client.get("/audit").status_code == 403
    posted = browser.client.post("/team/invite", data=token | {"email": "x@example.org", "name": "X", "role": "admin"})
    assert posted.status_code == 403
    assert "x@example.org" not in members(sqlite_clinic)


def test_another_clinics_people_are_out_of_reach(admin: Browser) -> None:
    stranger = another_clinic(admin.clinic)
    admin.post(f"/team/{stranger.id}", do="disable")
    assert "No such member of staff." in admin.words
    with admin.clinic.db.read() as tx:
        assert staff.load(tx, stranger.id).status == "active"


def test_what_another_admin_saved_is_not_overwritten_by_a_page_opened_before_and_both_are_shown(admin: Browser) -> None:
    """Every form that saves a whole record: nothing is saved, who and what is said, and what was typed stays; saving again means it."""
    clinic = admin.clinic
    other, physio = Browser(clinic).sign_in(clinic.admin), str(clinic.physio.id)
    hours = NUMBERS | HOURS
    quiet, languages, ceiling = {"do": "quiet"}, {"do": "languages"}, {"own-pain_ceiling": "4", "own-session_pain.green_max": "2"}
    wording, approved = {"text": "welcome", "language": "en", "do": "save"}, {"approver": physio}
    for page, path, theirs, mine, said in (
        ("/team", "/team/clinic", hours, hours | {"emergency": "999", "from-wed": "07:30"}, "Emergency number is “112” now"),
        (
            "/clinic",
            "/clinic",
            quiet | {"from": "20:00", "until": "07:00"},
            quiet | {"from": "22:00", "until": "06:00"},
            "from is “20:00” now",
        ),
        ("/clinic", "/clinic", languages | {"language-en": "yes"}, languages | {"language-es": "yes"}, "Polish is not ticked now"),
        ("/clinic/thresholds",) * 2 + (approved | ceiling, approved | {"own-review.silent_days": "4"}, "is “4” now, and was empty when"),
        ("/clinic/wording",) * 2 + (wording | {"words": "Hello there."}, wording | {"words": "Good day."}, "is “Hello there.” now"),
        ("/notices", "/notices/limits", dict(zip(LIMITS, "123", strict=True)), dict(zip(LIMITS, "456", strict=True)), "is “1” now"),
        (
            "/team",
            f"/team/{physio}",
            {"do": "role", "role": "admin"},
            {"do": "role", "role": "viewer"},
            "Role is “admin” now, and was “physio”",
        ),
    ):
        for browser in (admin, other):
            browser.get(page)
        other.post(path, theirs)
        assert other.status == 200, other.words
        kept = stored(clinic)
        admin.post(path, mine)
        assert admin.status == 409 and stored(clinic) == kept, path
        assert said in admin.words and "Nothing is saved yet. Sam Okoro changed this on Mon 21 Sep, 10:00" in admin.words, path
        assert all(f'value="{text}"' in admin.page or text in admin.words for text in mine.values()), f"{path}: what was typed is lost"
        if mine.get("do") != "languages":
            admin.post(path, mine | (ceiling if "thresholds" in path else {}))
            assert admin.status == 200 and stored(clinic) != kept, f"{path}: seen by now, so saving again means it"


def test_pressing_save_twice_is_no_clash_with_oneself(admin: Browser) -> None:
    sent = {"token": admin.token, **NUMBERS, **HOURS, "showed": admin.showed("/team/clinic")}
    assert [admin.client.post("/team/clinic", data=sent).status_code for _ in range(2)] == [200, 200]
    assert audited(admin.clinic).count("clinic_changed") == 1


def test_a_page_opened_before_is_still_that_after_a_mistake_in_it(admin: Browser) -> None:
    other = Browser(admin.clinic).sign_in(admin.clinic.admin)
    other.get("/team")
    other.post("/team/clinic", NUMBERS | HOURS)
    for number, status, said in (
        ("none", 409, "has no digits in it"),
        ("999", 409, "Emergency number is “112” now"),
        ("999", 200, "Saved."),
    ):
        admin.post("/team/clinic", NUMBERS | HOURS | {"emergency": number})
        assert admin.status == status and said in admin.words, said


def stored(clinic: RunningClinic) -> object:
    with clinic.db.read() as tx:
        return clinics.load_clinic(tx, clinic.clinic.id).settings, sorted(each.role for each in staff.list_of_clinic(tx, clinic.clinic.id))
