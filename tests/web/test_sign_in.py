"""Signing in: one link, one use, and nothing to learn from one that does not work."""

from __future__ import annotations

from datetime import timedelta

from bot_service.clock import real_now
from bot_service.settings import load_settings
from bot_service.storage import staff
from tests.running_clinic import SECRET, RunningClinic
from tests.web.lives import Browser


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
