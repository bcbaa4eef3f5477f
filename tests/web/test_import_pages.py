"""The import pages: a file on its way from the browser to patients, and what is refused on the way."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest

from bot_service.actions.import_file import decode, read_sheet
from bot_service.actions.importing import forget_old, setting_for, take_in
from bot_service.actions.invitations import doors_of
from bot_service.storage import patients
from bot_service.storage.database import open_database
from bot_service.web.importing import AT_ONCE
from tests.files_of_patients import Cells, a_file, good_row
from tests.running_clinic import SECRET, RunningClinic, seeded_ids
from tests.web.lives import Browser, another_clinic


def send(browser: Browser, raw: bytes) -> str:
    """Choose a file; the path of its import."""
    browser.get("/import")
    answer = browser.client.post("/import", data={"token": browser.token}, files={"file": ("patients.csv", raw, "text/csv")})
    browser.page, browser.status = answer.text, answer.status_code
    found = re.search(r'action="(/import/[0-9a-f-]{36})/columns"', browser.page)
    return found[1] if found else ""


def rows(clinic: RunningClinic, *changes: Cells) -> bytes:
    return a_file(clinic.plan, [good_row(clinic.plan, number) | change for number, change in enumerate(changes, 1)])


def columns(browser: Browser) -> dict[str, str]:
    """What the page has chosen for each column."""
    found = re.findall(r'<select id="(column-\d+)".*?</select>', browser.page, re.DOTALL)
    chosen = re.findall(r'<select id="column-\d+".*?<option value="([^"]*)" selected', browser.page, re.DOTALL)
    return dict(zip(found, chosen, strict=True))


def count(clinic: RunningClinic) -> int:
    with clinic.db.read() as tx:
        return patients.count_of_clinic(tx, clinic.clinic.id)


def test_a_file_goes_from_choosing_to_enrolled_with_its_wrong_rows_and_links_to_download(clinic: RunningClinic) -> None:
    browser = Browser(clinic).sign_in()
    path = send(browser, rows(clinic, {}, {"baseline": "lots"}, {}))
    browser.post(f"{path}/columns", columns(browser), physio=str(clinic.physio.id))
    assert "Rows 3 Can be enrolled 2" in browser.words and "3 Patient C Usual pain Write a whole number from 0 to 10." in browser.words
    assert count(clinic) == 0
    answer = browser.client.get(f"{path}/wrong.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="patients-to-correct.csv"'
    assert "Usual pain: write a whole number" in read_sheet(decode(answer.content)).rows[0].cells[-1]
    browser.post(path, rows="all")
    assert browser.status == 409 and "1 row is wrong, so nobody was enrolled" in browser.words and count(clinic) == 0
    browser.post(path, rows="good")
    assert "2 patients are enrolled." in browser.words and count(clinic) == 2
    browser.get(path)
    assert "2 patients are enrolled." in browser.words
    sheet = read_sheet(decode(browser.client.get(f"{path}/links.csv").content))
    assert [row.cells[2] for row in sheet.rows] == ["Patient B", "Patient D"]
    browser.get(f"{path}/leaflets")
    assert browser.page.count("<article") == 2 and all(row.cells[1] in browser.words for row in sheet.rows)
    assert "Patient" not in browser.page.partition("<article")[2]

    again = send(browser, rows(clinic, {}, {"baseline": "lots"}, {}))
    assert "This very file was imported before." in browser.words
    browser.post(f"{again}/columns", columns(browser), physio=str(clinic.physio.id))
    assert "Here already, left as they are 2" in browser.words and "There is nobody new" in browser.words


@pytest.mark.parametrize(("ids", "done"), [(1, 0), (350, 50)])
def test_an_import_that_stopped_is_shown_as_interrupted_with_what_is_done_what_not_and_what_to_do(
    sqlite_clinic: RunningClinic, ids: int, done: int
) -> None:
    clinic, browser = sqlite_clinic, Browser(sqlite_clinic).sign_in()
    raw = rows(clinic, *({} for _ in range(120)))
    path = send(browser, raw)
    browser.post(f"{path}/columns", columns(browser), physio=str(clinic.physio.id))
    assert "interrupted" not in browser.words.lower() and "interrupted" not in browser.get("/import").lower()
    dies_in_the_middle(clinic, UUID(path.rpartition("/")[2]), ids)
    browser = Browser(clinic).sign_in()  # of the service as it was started again, or of another replica
    browser.get("/import")
    assert (
        "Interrupted" not in browser.page and f"Being imported , begun Mon 21 Sep, 10:00 by Anna Reed: {done} of 120 rows" in browser.words
    )
    browser.post(path, rows="all")
    assert f"{done} of 120 rows are done." in browser.words and count(clinic) == done, "whoever may be doing it is not disturbed"
    clinic.clock.move_to(clinic.clock.now() + timedelta(minutes=1))
    browser.get("/import")
    assert "Interrupted import" in browser.words
    assert f"by Anna Reed: {done} of 120 rows are done. {done} enrolled, 0 here already, 0 wrong. The other {120 - done}" in browser.words
    browser.get(path)
    assert f"interrupted after {done} of 120 rows" in browser.words and f"Can be enrolled {120 - done}" in browser.words
    assert count(clinic) == done and f"{path}/columns" not in browser.page, "the columns can no longer be changed"
    clinic.clock.move_to(clinic.clock.now() + timedelta(days=2))
    forget_old(clinic.db, clinic.clock.now())
    browser.get("/import")
    assert f"{done} rows are done" in browser.words and "Its file is no longer kept. Import the same file again" in browser.words
    again = send(browser, raw)
    browser.post(f"{again}/columns", columns(browser), physio=str(clinic.physio.id))
    browser.post(again, rows="all")
    assert f"{120 - done} patients are enrolled." in browser.words and count(clinic) == 120
    assert "Interrupted" not in browser.get("/import")


def dies_in_the_middle(clinic: RunningClinic, import_id: UUID, ids: int) -> None:
    """The file is taken in by a process that has no more than so many ids to give."""
    left, some = iter(range(ids)), seeded_ids(79)

    def failing() -> UUID:
        if next(left, None) is None:
            raise OSError("the power went")
        return some()

    with clinic.db.read() as tx:
        doors = doors_of(tx, clinic.service.settings, clinic.clinic)
        setting = setting_for(tx, clinic.clinic, clinic.service.library, doors, clinic.physio.id)
    broken = open_database(clinic.db.engine.url.render_as_string(hide_password=False), [SECRET], ids=failing, synchronous="OFF")
    with pytest.raises(OSError, match="power"):
        take_in(broken, clinic.physio, import_id, setting, clinic.clock.now)
    broken.close()


def test_why_an_import_behind_the_page_did_not_begin_is_said_on_the_page(sqlite_clinic: RunningClinic, browser: Browser) -> None:
    clinic = sqlite_clinic
    path = send(browser, rows(clinic, *({} for _ in range(AT_ONCE + 1))))
    browser.post(f"{path}/columns", columns(browser), physio=str(clinic.physio.id))
    clinic.enrol("Ann Other", record_number=str(good_row(clinic.plan, 1)["record_number"]))
    browser.post(path, rows="all")
    assert "Not done 1 row is wrong, so nobody was enrolled" in browser.words and count(clinic) == 1
    assert "interrupted" not in browser.words and "Interrupted" not in browser.get("/import")


def test_columns_can_be_chosen_otherwise_and_must_do(sqlite_clinic: RunningClinic, browser: Browser) -> None:
    path = send(browser, b"Name,Zone\nJo Park,London\n")
    assert "Not ready yet: The answers to the eligibility questions are missing: add a column" in browser.words, (
        "before any row is looked at"
    )
    path = send(browser, b"Who,Ready\nJo Park,yes\nLena Fischer,yes\n")
    browser.post(f"{path}/columns", {"column-0": "", "column-1": "eligible"})
    assert browser.status == 422 and "Choose the column that holds the name" in browser.words
    browser.post(f"{path}/columns", {"column-0": "name", "column-1": "eligible", "physio": ""})
    assert "Physio Nobody treats this patient" in browser.words
    browser.post(f"{path}/columns", {"column-0": "name", "column-1": "eligible", "physio": str(sqlite_clinic.physio.id)})
    browser.post(path, rows="all")
    assert count(sqlite_clinic) == 2


def test_a_file_that_cannot_be_read_says_why(sqlite_clinic: RunningClinic, browser: Browser) -> None:
    for raw, sentence in (
        (b"PK\x03\x04", "Save as, then CSV UTF-8"),
        (b"", "The file is empty"),
        (b"Name\n" * 600_000, "larger than 2 MB"),
    ):
        assert send(browser, raw) == ""
        assert browser.status == 422 and sentence in browser.words
    browser.get("/import")
    body = {"file": ("big.csv", b"x" * 5_000_000, "text/csv")}
    answer = browser.client.post("/import", data={"token": browser.token}, files=body)
    assert answer.status_code == 413 and "a file may have 2 MB" in answer.text
    assert count(sqlite_clinic) == 0


def test_a_file_is_taken_only_with_the_token_and_from_our_own_page(browser: Browser) -> None:
    browser.get("/import")
    files = {"file": ("p.csv", b"Name,Eligible\nJo,yes\n", "text/csv")}
    assert browser.client.post("/import", data={"token": "0" * 64}, files=files).status_code == 403
    assert (
        browser.client.post("/import", data={"token": browser.token}, files=files, headers={"origin": "https://evil.example"}).status_code
        == 403
    )
    assert browser.client.post("/import", content=b"x", headers={"content-type": "multipart/form-data"}).status_code == 400


def test_another_clinics_import_is_not_there(sqlite_clinic: RunningClinic, browser: Browser) -> None:
    path = send(browser, rows(sqlite_clinic, {}))
    other = Browser(sqlite_clinic).sign_in(another_clinic(sqlite_clinic))
    for page in (path, f"{path}/columns", f"{path}/wrong.csv", f"{path}/links.csv", f"{path}/leaflets", "/import/nonsense"):
        assert other.client.get(page).status_code == 404, page
    assert other.client.post(path, data={"token": other.token, "rows": "good"}).status_code == 404
    assert count(sqlite_clinic) == 0


def test_cells_are_shown_as_text(sqlite_clinic: RunningClinic, browser: Browser) -> None:
    path = send(browser, rows(sqlite_clinic, {"name": "<script>alert(1)</script> Jo", "at": "soon"}))
    assert "<script>alert" not in browser.page
    browser.post(f"{path}/columns", columns(browser), physio=str(sqlite_clinic.physio.id))
    assert "<script>alert" not in browser.page and "<script>alert(1)</script> Jo" in browser.words
