"""Signing in: one link, one use, and nothing to learn from one that does not work."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import quote

import pytest

from bot_service.actions.sign_in_links import MOST_AN_HOUR
from bot_service.clock import real_now
from bot_service.settings import load_settings
from bot_service.storage import staff
from tests.notice_clinic import NoticeClinic, with_mail
from tests.running_clinic import SECRET, RunningClinic
from tests.web.lives import Browser, a_tick


def a_link(clinic: RunningClinic, age: timedelta = timedelta(0)) -> str:
    with clinic.db.begin() as tx:
        return f"/sign-in/{staff.add_link(tx, real_now() - age, clinic.physio.id)}"


def test_opening_the_link_uses_nothing_up_and_the_button_signs_in(stranger: Browser) -> None:
    link = a_link(stranger.clinic)
    for _ in range(3):
        assert "Sign in" in stranger.get(link)
    stranger.post(link)
    assert stranger.status == 200
    assert "Anna Reed" in stranger.words


def test_unknown_used_and_expired_links_look_the_same(sqlite_clinic: RunningClinic) -> None:
    used, expired = a_link(sqlite_clinic), a_link(sqlite_clinic, timedelta(hours=25))
    first = Browser(sqlite_clinic)
    first.get(used)
    first.post(used)
    answers = []
    for link in (used, expired, "/sign-in/never-made"):
        someone = Browser(sqlite_clinic)
        someone.get("/sign-in/x")
        answers.append((someone.post(link), someone.status))
    assert len(set(answers)) == 1
    assert answers[0][1] == 403
    assert "does not work any more" in answers[0][0]


def test_a_used_link_takes_somebody_who_is_signed_in_to_the_caseload(stranger: Browser) -> None:
    link = a_link(stranger.clinic)
    stranger.get(link)
    stranger.post(link)
    stranger.get(link)
    stranger.post(link)
    assert "Caseload" in stranger.words and stranger.status == 200


def test_the_cookie_is_kept_from_scripts_and_other_sites(stranger: Browser) -> None:
    link = a_link(stranger.clinic)
    stranger.get(link)
    answer = stranger.client.post(link, data={"token": stranger.token}, follow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("stepwise=")
    assert "httponly" in cookie and "samesite=lax" in cookie and "path=/" in cookie
    assert "secure" not in cookie and "domain" not in cookie


def test_with_https_the_cookie_is_bound_to_the_host(sqlite_clinic: RunningClinic) -> None:
    sqlite_clinic.service.settings = load_settings(public_url="https://stepwise.example", secret_key=SECRET)
    stranger = Browser(sqlite_clinic)
    link = a_link(sqlite_clinic)
    stranger.get(link)
    answer = stranger.client.post(link, data={"token": stranger.token}, follow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("__host-stepwise=") and "secure" in cookie and "path=/" in cookie and "domain" not in cookie


def test_signing_in_again_ends_the_sign_in_before(browser: Browser) -> None:
    old = browser.client.cookies["stepwise"]
    browser.sign_in()
    with browser.clinic.db.read() as tx:
        assert staff.find_signed_in(tx, real_now(), old) is None


def test_signing_out_ends_it_on_the_server_too(browser: Browser) -> None:
    session = browser.client.cookies["stepwise"]
    browser.get("/")
    browser.post("/sign-out")
    assert "one-time link" in browser.words
    with browser.clinic.db.read() as tx:
        assert staff.find_signed_in(tx, real_now(), session) is None


def test_a_disabled_member_is_out_at_once(browser: Browser) -> None:
    with browser.clinic.db.begin() as tx:
        staff.disable(tx, real_now(), browser.clinic.physio.id)
    assert browser.client.get("/", follow_redirects=False).headers["location"] == "/sign-in"


def links_sent(there: NoticeClinic) -> list[str]:
    """The links in the mails, after what is due is done."""
    a_tick(there.clinic)
    return [found[1] for mail in there.mail.taken if (found := re.search(r"http://127\.0\.0\.1:8000(/sign-in/\S+)", mail.text))]


def test_whoever_is_signed_out_is_sent_a_link_that_leads_back(stranger: Browser) -> None:
    there = with_mail(stranger.clinic)
    stranger.get("/forecast")
    assert 'name="to" value="/forecast"' in stranger.page
    stranger.post("/sign-in", email=f" {there.ben.email.upper()} ", to="/forecast")
    (link,) = links_sent(there)
    assert there.mail.taken[-1].address == there.ben.email
    stranger.get(link)
    answer = stranger.client.post(link, data={"token": stranger.token, "to": "/forecast"}, follow_redirects=False)
    assert answer.headers["location"] == "/forecast"
    assert 'name="to" value="/forecast"' in stranger.page


def test_the_answer_does_not_tell_who_works_there_and_a_mailbox_cannot_be_filled(stranger: Browser) -> None:
    there = with_mail(stranger.clinic)
    answers = []
    for email in ("nobody@example.org", *[there.ben.email] * (MOST_AN_HOUR + 2)):
        stranger.get("/sign-in")
        answers.append(stranger.post("/sign-in", email=email))
    assert len(set(answers)) == 1 and "a link is on its way" in answers[0]
    assert len(links_sent(there)) == MOST_AN_HOUR
    assert {mail.address for mail in there.mail.taken} == {there.ben.email}


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "/ok?x=//evil.example", "javascript:alert(1)"]
)
def test_no_link_of_ours_leads_elsewhere(stranger: Browser, elsewhere: str) -> None:
    link = a_link(stranger.clinic)
    stranger.get(f"{link}?to={quote(elsewhere)}")
    assert "evil" not in stranger.page and "javascript" not in stranger.page
    answer = stranger.client.post(link, data={"token": stranger.token, "to": elsewhere}, follow_redirects=False)
    assert answer.headers["location"] == "/"


def test_without_mail_it_says_whom_to_ask(stranger: Browser) -> None:
    stranger.get("/sign-in")
    assert "stepwise staff invite" in stranger.page and 'type="email"' not in stranger.page


def test_an_address_that_is_none_is_said_to_be_none(stranger: Browser) -> None:
    with_mail(stranger.clinic)
    stranger.get("/sign-in")
    stranger.post("/sign-in", email="ben")
    assert stranger.status == 422 and "Write the e-mail address" in stranger.words
