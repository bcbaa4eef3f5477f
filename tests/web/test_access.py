"""The doors: who may open which route, what a foreign page cannot do, and what every answer carries."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from bot_service.settings import load_settings
from bot_service.web.access import Door
from bot_service.web.forms import MOST_FIELDS
from bot_service.web.pages import STATIC
from bot_service.web.site import DOORS, build_site, check_doors
from tests.running_clinic import SECRET, RunningClinic
from tests.web.lives import ORIGIN, Browser

CHANGES = [door for door in DOORS if door.method == "POST" and door.access != "signed"]


def filled(door: Door, ref: str = "P001XXX") -> str:
    """The path with something in every place."""
    some_id = "11111111-1111-4111-8111-111111111111"
    return door.path.format(ref=ref, case=some_id, leave=some_id, file=some_id, member=some_id, token="x" * 20)


def named(door: Door) -> str:
    return f"{door.method} {door.path}"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": ""},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:8000.evil.example"},
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "https://evil.example", "sec-fetch-site": "same-site"},
    ],
    ids=["nothing", "null", "foreign", "lookalike", "cross-site", "same-site"],
)
def test_no_change_is_made_for_another_sites_page(browser: Browser, headers: dict[str, str]) -> None:
    browser.get("/")
    answers = {
        named(door): browser.client.post(filled(door), data={"token": browser.token}, headers=headers).status_code for door in CHANGES
    }
    assert answers == dict.fromkeys(answers, 403)
    assert len(answers) == len(CHANGES)


@pytest.mark.parametrize("token", ["", "0" * 64], ids=["without", "wrong"])
def test_no_change_is_made_without_the_token_of_the_form(browser: Browser, token: str) -> None:
    answers = {named(door): browser.client.post(filled(door), data={"token": token}).status_code for door in CHANGES}
    assert answers == dict.fromkeys(answers, 403)


def test_a_token_of_one_sign_in_does_not_fit_another(sqlite_clinic: RunningClinic, browser: Browser) -> None:
    browser.get("/")
    other = Browser(sqlite_clinic).sign_in()
    assert other.client.post("/sign-out", data={"token": browser.token}).status_code == 403


def test_staff_pages_are_shut_to_strangers(stranger: Browser) -> None:
    for door in (door for door in DOORS if door.access in ("staff", "decide")):
        answer = stranger.client.request(door.method, filled(door), follow_redirects=False)
        if door.method == "GET":
            assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/sign-in"), door
        else:
            assert answer.status_code == 403, door
            assert "you are signed out" in answer.text.lower()


def test_phones_exist_only_in_the_sample_clinic(sqlite_clinic: RunningClinic) -> None:
    sqlite_clinic.service.settings = load_settings(channels="simulator,telegram", telegram_token="1:x", secret_key=SECRET)
    elsewhere = Browser(sqlite_clinic)
    phones = [door for door in DOORS if door.access == "phone"]
    assert {named(door): elsewhere.client.request(door.method, filled(door)).status_code for door in phones} == {
        named(door): 404 for door in phones
    }


def test_phones_cannot_be_reached_under_another_name_of_this_machine(stranger: Browser) -> None:
    assert stranger.client.get("/phone").status_code == 200
    assert stranger.client.get("/phone", headers={"host": "evil.example:8000"}).status_code == 404


@pytest.mark.parametrize("path", ["/", "/sign-in", "/sign-in/x", "/phone", "/nowhere", "/static/site.css", "/static/nothing", "/healthz"])
def test_every_answer_carries_the_headers(browser: Browser, path: str) -> None:
    headers = browser.client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == ("public, max-age=86400" if path.startswith("/static/") else "no-store")


def test_pages_are_compressed_for_our_own_pages_and_people_and_never_where_another_site_asked(browser: Browser) -> None:
    def encoded(path: str, asked_by: str | None) -> str | None:
        answer = browser.client.get(path, headers={"sec-fetch-site": asked_by} if asked_by else {})
        assert len(answer.content) > 2_000
        return answer.headers.get("content-encoding")

    assert [encoded("/", asked_by) for asked_by in ("same-origin", "none")] == ["gzip", "gzip"]
    assert [encoded("/", asked_by) for asked_by in ("cross-site", "same-site", None)] == [None, None, None]
    assert [encoded("/static/site.css", asked_by) for asked_by in ("same-origin", "cross-site", None)] == ["gzip"] * 3


def test_with_https_the_browser_is_told_to_stay_with_it(sqlite_clinic: RunningClinic) -> None:
    sqlite_clinic.service.settings = load_settings(public_url="https://stepwise.example", secret_key=SECRET)
    assert "max-age=31536000" in Browser(sqlite_clinic).client.get("/sign-in").headers["strict-transport-security"]


def test_a_page_that_breaks_says_so_and_nothing_more(sqlite_clinic: RunningClinic) -> None:
    site = build_site(sqlite_clinic.service)
    sqlite_clinic.service.db = None  # type: ignore[assignment]  # as if something inside were broken
    answer = TestClient(site, base_url=ORIGIN, raise_server_exceptions=False).get("/sign-in")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert "NoneType" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("GET", "/", "Nothing was changed."),
        ("POST", "/import/5", "Part of the file may be taken in already."),
        ("POST", "/team/clinic", "It may or may not have been done."),
    ],
)
def test_a_page_that_breaks_promises_no_more_than_is_known(sqlite_clinic: RunningClinic, method: str, path: str, said: str) -> None:
    site = build_site(sqlite_clinic.service)
    sqlite_clinic.service.db = None  # type: ignore[assignment]  # as if something inside were broken
    client = TestClient(site, base_url=ORIGIN, headers={"origin": ORIGIN}, cookies={"stepwise": "x"}, raise_server_exceptions=False)
    answer = client.request(method, path)
    assert answer.status_code == 500 and said in answer.text
    assert answer.text.count("Nothing was changed") == (method == "GET")


def test_a_route_without_a_policy_does_not_start(sqlite_clinic: RunningClinic) -> None:
    app: FastAPI = build_site(sqlite_clinic.service)
    app.add_route("/quietly-added", lambda _: PlainTextResponse("hello"))
    with pytest.raises(RuntimeError, match="GET /quietly-added has no access policy"):
        check_doors(app)


def test_large_and_odd_bodies_are_refused(browser: Browser) -> None:
    browser.get("/")
    post = browser.client.post
    assert post("/sign-out", data={"token": browser.token, "x": "y" * 70_000}).status_code == 413
    assert post("/sign-out", json={"token": browser.token}).status_code == 415
    assert post("/sign-out", data={f"f{i}": "" for i in range(MOST_FIELDS + 1)}).status_code == 400
    assert browser.client.delete("/").status_code == 405


def test_every_style_sheet_closes_what_it_opens() -> None:
    """What stands after an unclosed block applies at one width only, and no page complains."""
    for sheet in STATIC.glob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert text.count("{") == text.count("}"), sheet.name
        inside = [block for block in text.split("\n@media")[1:] if "\n}" not in block]
        assert inside == [], sheet.name
