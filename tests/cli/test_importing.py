"""`stepwise import`: a look that changes nothing, all or the good rows, the wrong ones as a file, and once more for nothing."""

from __future__ import annotations

import json
import sqlite3

from plans.loading import load_library
from tests.cli.running import Shell
from tests.files_of_patients import a_file, good_row

PLAN = load_library()["proximal_hamstring_tendinopathy"]
ANNA = ("--as", "anna@example.org")


def test_a_file_is_looked_at_corrected_and_imported_once(clinic: tuple[Shell, str]) -> None:
    shell, _ = clinic
    file, wrong, links = (shell.folder / name for name in ("patients.csv", "wrong.csv", "links.csv"))
    rows = [good_row(PLAN, 1), good_row(PLAN, 2) | {"baseline": "12"}]
    file.write_bytes(a_file(PLAN, rows))
    looked = shell.run("import", str(file), *ANNA, "--dry-run")
    assert looked.code == 1 and "row 3, Usual pain: write a whole number from 0 to 10" in looked.out, looked
    assert "2 rows: 1 can be enrolled, 1 are wrong." in looked.out and "nobody was enrolled" in looked.err
    assert shell.run("import", str(file), *ANNA, "--wrong", str(wrong)).code == 1
    assert len(json.loads(shell.run("patients", "list", "--json").out)) == 1

    done = shell.run("import", str(file), *ANNA, "--skip-wrong", "--links", str(links))
    assert done.code == 0 and "Enrolled 1 of 2, 1 left out." in done.out, done
    assert "/phone/" in links.read_text("utf-8-sig")
    assert [each.stat().st_mode & 0o777 for each in (links, wrong)] == [0o600, 0o600]
    found = sqlite3.connect(shell.database).execute("SELECT status, content FROM imports").fetchall()
    assert found == [("imported", None)], "the file itself is kept no longer than it takes"
    wrong.write_bytes(wrong.read_bytes().replace(b'"12"', b'"2"'))
    assert "Enrolled 1 of 1" in shell.run("import", str(wrong), *ANNA).out
    again = json.loads(shell.run("import", str(wrong), *ANNA, "--json").out)
    assert (again["rows"], again["new"], again["known"], again["enrolled"]) == (1, 0, 1, 0)
    assert len(json.loads(shell.run("patients", "list", "--json").out)) == 3


def test_a_file_that_is_none_and_a_physio_who_is_none_are_explained_in_one_line(clinic: tuple[Shell, str]) -> None:
    shell, _ = clinic
    file = shell.folder / "patients.xlsx"
    file.write_bytes(b"PK\x03\x04")
    assert "Save as" in shell.run("import", str(file), *ANNA).sentence
    file.write_bytes(a_file(PLAN, [good_row(PLAN, 1)]))
    assert "not an active physio" in shell.run("import", str(file), *ANNA, "--physio", "nobody@example.org").sentence


def test_a_patient_is_enrolled_with_telephone_days_and_goals_and_told_what_is_wrong_with_them(clinic: tuple[Shell, str]) -> None:
    shell, _ = clinic
    chosen = (
        "--eligible",
        "--phone",
        "07700 900123",
        "--record-number",
        "77",
        "--days",
        "Mon Thu",
        "--goals",
        "walk",
        "--channel",
        "telegram",
    )
    assert shell.run("enrol", "Lena Fischer", *ANNA, *chosen).code == 0
    assert "a patient already" in shell.run("enrol", "Bea Cole", *ANNA, "--eligible", "--phone", "+447700900123").sentence
    assert "not a telephone number" in shell.run("enrol", "Bea Cole", *ANNA, "--eligible", "--phone", "none").sentence
    assert "Write the days as" in shell.run("enrol", "Bea Cole", *ANNA, "--eligible", "--days", "some").sentence
