"""Files of patients: every wrong row is named with its column and a remedy, nobody is taken in half or twice, whatever interrupts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from threading import Thread
from uuid import UUID

import pytest
from sqlalchemy import func, select

from bot_service.actions.import_file import WHAT_TO_DO, decode, read_sheet
from bot_service.actions.importing import Checked, check, links_of, setting_for, take_in, template, upload
from bot_service.actions.invitations import doors_of
from bot_service.errors import Conflict, NotFound, NotPermitted
from bot_service.storage import episodes, imports, tables
from bot_service.storage.database import Database, open_database
from bot_service.storage.imports import ImportFile
from tests.files_of_patients import WAYS, Cells, a_file, crowd, good_row, headings
from tests.running_clinic import SECRET, START, RunningClinic, seeded_ids
from tests.web.lives import a_member

PER_PATIENT = (tables.patients, tables.episodes, tables.prescriptions, tables.invitations)


def loaded(clinic: RunningClinic, raw: bytes) -> UUID:
    return upload(clinic.db, clinic.physio, raw, clinic.service.library, clinic.clock.now())


def looked_at(clinic: RunningClinic, import_id: UUID) -> Checked:
    with clinic.db.read() as tx:
        file = imports.load(tx, clinic.clinic.id, import_id)
        setting = setting_for(
            tx, clinic.clinic, clinic.service.library, doors_of(tx, clinic.service.settings, clinic.clinic), file.physio_id
        )
        assert file.content is not None
        return check(tx, clinic.clinic.id, read_sheet(file.content), file.fields, setting)


def taken_in(clinic: RunningClinic, import_id: UUID, *, skip_wrong: bool = True, db: Database | None = None) -> ImportFile:
    with clinic.db.read() as tx:
        file = imports.load(tx, clinic.clinic.id, import_id)
        setting = setting_for(
            tx, clinic.clinic, clinic.service.library, doors_of(tx, clinic.service.settings, clinic.clinic), file.physio_id
        )
    return take_in(db or clinic.db, clinic.physio, import_id, setting, clinic.clock.now, skip_wrong=skip_wrong)


def counts(clinic: RunningClinic) -> list[int]:
    """How many rows each table has that every patient needs one in; then how many enrolments the audit trail knows."""
    with clinic.db.read() as tx:
        enrolled = tx.scalar(select(func.count()).select_from(tables.audit).where(tables.audit.c.what == "enrolled"))
        return [*(tx.scalar(select(func.count()).select_from(table)) for table in PER_PATIENT), enrolled]


def named(checked: Checked) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for each in checked.wrong:
        assert len(each.remedy) > 10
        found.setdefault(each.row, []).append(each.column)
    return found


def problems_of(clinic: RunningClinic, rows: Sequence[Cells]) -> dict[int, list[str]]:
    return named(looked_at(clinic, loaded(clinic, a_file(clinic.plan, rows))))


def test_five_thousand_rows_of_which_three_hundred_are_wrong_in_thirty_ways(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    rows, told = crowd(clinic.plan, 5000, 300)
    assert len(told) == 300 and len(WAYS) >= 20
    import_id = loaded(clinic, a_file(clinic.plan, rows))
    checked = looked_at(clinic, import_id)
    assert named(checked) == {row: [heading] for row, heading in told.items()}
    assert checked.new_rows == 4700
    with pytest.raises(Conflict, match="300 rows are wrong, so nobody was enrolled"):
        taken_in(clinic, import_id, skip_wrong=False)
    assert counts(clinic) == [0] * 5
    done = taken_in(clinic, import_id)
    assert (done.status, done.counts) == ("imported", {"enrolled": 4700, "wrong": 300})
    assert counts(clinic) == [4700] * 5
    again = looked_at(clinic, loaded(clinic, a_file(clinic.plan, rows)))
    assert (again.new_rows, len(again.known), again.wrong_rows) == (0, 4700, 300)


def test_an_interrupted_import_leaves_whole_patients_and_goes_on_where_it_was(clinic: RunningClinic) -> None:
    rows = [good_row(clinic.plan, number) for number in range(1, 121)]
    import_id = loaded(clinic, a_file(clinic.plan, rows))
    ids, made = seeded_ids(77), 0

    def failing() -> UUID:
        nonlocal made
        made += 1
        if made > 350:
            raise OSError("the power went")
        return ids()

    broken = open_database(clinic.db.engine.url.render_as_string(hide_password=False), [SECRET], ids=failing, synchronous="OFF")
    with pytest.raises(OSError, match="power"):
        taken_in(clinic, import_id, db=broken)
    broken.close()
    so_far = counts(clinic)
    assert len(set(so_far)) == 1 and 0 < so_far[0] < 120, so_far
    with clinic.db.read() as tx:
        assert imports.load(tx, clinic.clinic.id, import_id).rows_done == so_far[0]
    done = taken_in(clinic, import_id)
    assert counts(clinic) == [120] * 5 and done.counts == {"enrolled": 120}
    assert taken_in(clinic, import_id) == done, "once more changes nothing"


def test_an_interrupted_import_does_not_take_its_own_patients_for_namesakes(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    rows = [good_row(clinic.plan, number) | {"record_number": "", "phone": ""} for number in range(1, 61)]
    import_id, ids, left = loaded(clinic, a_file(clinic.plan, rows)), seeded_ids(78), iter(range(220))

    def failing() -> UUID:
        if next(left, None) is None:
            raise OSError("the power went")
        return ids()

    broken = open_database(clinic.db.engine.url.render_as_string(hide_password=False), [SECRET], ids=failing, synchronous="OFF")
    with pytest.raises(OSError, match="power"):
        taken_in(clinic, import_id, db=broken, skip_wrong=False)
    broken.close()
    assert counts(clinic) == [50] * 5
    assert taken_in(clinic, import_id, skip_wrong=False).counts == {"enrolled": 60}


def test_one_file_taken_in_by_two_at_once_enrols_everybody_once(clinic: RunningClinic) -> None:
    raw = a_file(clinic.plan, [good_row(clinic.plan, number) for number in range(1, 121)])
    imports_of_both = [loaded(clinic, raw), loaded(clinic, raw)]
    both = [Thread(target=taken_in, args=(clinic, import_id)) for import_id in imports_of_both]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert counts(clinic) == [120] * 5
    with clinic.db.read() as tx:
        results = [imports.load(tx, clinic.clinic.id, import_id).counts for import_id in imports_of_both]
    assert sum(each.get("enrolled", 0) for each in results) == sum(each.get("known", 0) for each in results) == 120


def test_the_same_patient_is_known_by_number_or_telephone_and_a_name_alone_is_asked_about(clinic: RunningClinic) -> None:
    clinic.enrol("Jo  Park", phone="+447700900001")
    clinic.enrol("Lena Fischer", record_number="AB 12")
    maria = clinic.enrol("Maria Lopez")
    rows = [
        good_row(clinic.plan, 1) | {"name": "JO PARK", "phone": "07700 900001", "record_number": ""},
        good_row(clinic.plan, 2) | {"name": "Lena Fischer", "record_number": "ab12"},
        good_row(clinic.plan, 3) | {"name": "maria lopez", "record_number": "", "phone": ""},
        good_row(clinic.plan, 4) | {"name": "Maria Lopez"},
    ]
    import_id = loaded(clinic, a_file(clinic.plan, rows))
    checked = looked_at(clinic, import_id)
    assert sorted(checked.known) == [2, 3] and named(checked) == {4: ["Name"]}
    assert checked.wrong[0].remedy == f"same name as {maria.ref}; add a record number or phone"
    assert taken_in(clinic, import_id).counts == {"known": 2, "wrong": 1, "enrolled": 1}
    assert counts(clinic) == [4] * 5


def test_a_row_of_a_patient_whose_care_has_ended_is_wrong_and_not_passed_over(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    rows = [good_row(clinic.plan, 1), good_row(clinic.plan, 2) | {"record_number": ""}]
    taken_in(clinic, loaded(clinic, a_file(clinic.plan, rows)))
    with clinic.db.begin() as tx:
        for episode in episodes.list_of_clinic(tx, clinic.clinic.id):
            episodes.end(tx, clinic.clock.now(), episode, "discharged", "better")
    checked = looked_at(clinic, loaded(clinic, a_file(clinic.plan, rows)))
    assert named(checked) == {2: ["Record number"], 3: ["Phone"]} and checked.known == {}
    assert "whose care has ended; leave the row out" in checked.wrong[0].remedy


def test_a_number_that_is_somebody_elses_is_wrong(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    clinic.enrol("Jo Park", phone="+447700900001", record_number="7")
    rows = [
        good_row(clinic.plan, 1) | {"name": "Ann Other", "phone": "07700 900001"},
        good_row(clinic.plan, 2) | {"name": "Bea Other", "record_number": "7"},
    ]
    assert problems_of(clinic, rows) == {2: ["Phone"], 3: ["Record number"]}


def test_two_rows_for_one_patient_are_told_apart(sqlite_clinic: RunningClinic) -> None:
    plan = sqlite_clinic.plan
    bare = {"record_number": "", "phone": ""}
    rows = [good_row(plan, 1), good_row(plan, 2) | {"phone": good_row(plan, 1)["phone"]}]
    rows += [good_row(plan, 3) | bare, good_row(plan, 4) | bare | {"name": good_row(plan, 3)["name"].upper()}]
    assert problems_of(sqlite_clinic, rows) == {3: ["Phone"], 5: ["Name"]}


def test_who_treats_must_be_said_when_an_admin_imports(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    rows = [good_row(clinic.plan, 1), good_row(clinic.plan, 2) | {"physio": "ANNA REED"}]
    a_member(clinic, "physio", "bo@example.org")
    import_id = upload(clinic.db, clinic.admin, a_file(clinic.plan, rows), clinic.service.library, clinic.clock.now())
    assert named(looked_at(clinic, import_id)) == {2: ["Physio"]}
    with clinic.db.begin() as tx:
        assert imports.set_fields(tx, import_id, imports.load(tx, clinic.clinic.id, import_id).fields, clinic.physio.id)
    assert looked_at(clinic, import_id).wrong == ()
    taken_in(clinic, import_id)
    with clinic.db.read() as tx:
        assert {row.physio_id for row in tx.all(select(tables.episodes))} == {clinic.physio.id}
        assert {row.staff_id for row in tx.all(select(tables.prescriptions))} == {clinic.physio.id}


def test_the_corrected_file_says_what_to_do_runs_no_formula_and_can_be_imported(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    rows = [
        good_row(clinic.plan, 1),
        good_row(clinic.plan, 2) | {"baseline": "12", "phone": "+447700900222", "goals": "=1+1", "at": "soon"},
    ]
    corrected = looked_at(clinic, loaded(clinic, a_file(clinic.plan, rows, separator=";"))).corrected()
    sheet = read_sheet(decode(corrected))
    assert sheet.headings == (*headings(clinic.plan), WHAT_TO_DO) and sheet.separator == ";" and len(sheet.rows) == 1
    told = sheet.rows[0].cells[-1]
    assert "Usual pain: " in told and "Time: write the time" in told and "Goals: this is a formula" in told
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in sheet.rows[0].cells)
    put_right = corrected.replace(b"soon", b"07:00").replace(b'"12"', b'"2"').replace(b"'=1+1", b"walk")
    checked = looked_at(clinic, loaded(clinic, put_right))
    assert (checked.wrong, checked.new_rows) == ((), 1) and checked.rows[0].enrolment is not None
    assert checked.rows[0].enrolment.phone == "+447700900222"


def test_the_template_has_every_column_and_is_understood(sqlite_clinic: RunningClinic) -> None:
    import_id = loaded(sqlite_clinic, template(sqlite_clinic.service.library) + b"Jo Park")
    with sqlite_clinic.db.read() as tx:
        assert None not in imports.load(tx, sqlite_clinic.clinic.id, import_id).fields


def test_an_import_is_the_clinics_own_and_no_viewers(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    viewer = a_member(clinic, "viewer", "vic@example.org")
    with pytest.raises(NotPermitted):
        upload(clinic.db, viewer, a_file(clinic.plan, [good_row(clinic.plan, 1)]), clinic.service.library, clinic.clock.now())
    import_id = loaded(clinic, a_file(clinic.plan, [good_row(clinic.plan, 1)]))
    with clinic.db.read() as tx, pytest.raises(NotFound):
        imports.load(tx, clinic.db.new_id(), import_id)


async def test_a_file_is_forgotten_after_a_day_without_another_one_coming(sqlite_clinic: RunningClinic) -> None:
    clinic = sqlite_clinic
    loaded(clinic, a_file(clinic.plan, [good_row(clinic.plan, 1)]))
    for hours, kept in ((24, True), (25, False)):
        await clinic.service.move_clock(START + timedelta(hours=hours))
        await clinic.service.tick()
        with clinic.db.read() as tx:
            assert (tx.scalar(select(tables.imports.c.content)) is not None) is kept


def test_a_file_is_sealed_and_its_links_are_of_the_patients_in_it(clinic: RunningClinic) -> None:
    import_id = loaded(clinic, a_file(clinic.plan, [good_row(clinic.plan, 1)]))
    done = taken_in(clinic, import_id)
    with clinic.db.read() as tx:
        kept = tx.one(select(tables.imports))
        assert b"Patient" not in bytes(kept.content) and b"07700" not in bytes(kept.content)
        links = links_of(clinic.db, done, doors_of(tx, clinic.service.settings, clinic.clinic), clinic.clock.now())
    (row,) = read_sheet(decode(links)).rows
    ref, code = row.cells[1], row.cells[4]
    assert row.cells[2] == "Patient B" and f"/phone/{ref}" in row.cells[5]
    with clinic.db.read() as tx:
        patient = tx.one(select(tables.patients))
        assert (patient.ref, tx.scalar(select(tables.invitations.c.code_hash))) == (ref, clinic.db.keys.index("code", code))


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_be_wrong_keeps_its_own_row_out_alone(sqlite_clinic: RunningClinic, way: str) -> None:
    heading, spoil = WAYS[way]
    rows: list[Mapping[str, str]] = [
        good_row(sqlite_clinic.plan, 1),
        spoil(good_row(sqlite_clinic.plan, 2)),
        good_row(sqlite_clinic.plan, 3),
    ]
    assert problems_of(sqlite_clinic, [dict(row) for row in rows]) == {3: [heading]}
