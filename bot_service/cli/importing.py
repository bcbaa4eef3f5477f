"""`stepwise import`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bot_service.actions.enrol import check_may_enrol
from bot_service.actions.import_columns import columns_for, guess
from bot_service.actions.import_file import WHAT_TO_DO, decode, read_sheet
from bot_service.actions.importing import Checked, check, links_of, setting_for, take_in, upload
from bot_service.actions.invitations import doors_of
from bot_service.actions.treating import physios_of, treating_physio
from bot_service.cli.opening import acting, as_option, clinic_option, json_option, opened
from bot_service.clock import real_now
from bot_service.errors import Conflict
from bot_service.storage import imports
from plans.loading import load_library

SHOWN = 20
"""Wrong rows that are printed; all of them go into the file of `--wrong`."""
_File = click.Path(dir_okay=False, path_type=Path)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_option
@clinic_option
@click.option(
    "--physio", metavar="EMAIL", help="Who treats the patients whose row names nobody; the physiotherapist who imports when left out."
)
@click.option("--dry-run", is_flag=True, help="Look at every row and change nothing.")
@click.option("--skip-wrong", is_flag=True, help="Leave out the rows that are wrong; without it one wrong row stops everything.")
@click.option("--wrong", "wrong_file", type=_File, help="Write the wrong rows here, with a column that says what to do.")
@click.option("--links", "links_file", type=_File, help="Write each new patient's invitation here. It opens a record: keep it private.")
@json_option
def import_(
    file: Path, email: str, slug: str | None, physio: str | None, wrong_file: Path | None, links_file: Path | None, **how: bool
) -> None:
    """Enrol the patients of a CSV file. A file, or a patient, that is here already changes nothing."""
    with opened() as (settings, db, now):
        member, clinic = acting(db, email, slug)
        check_may_enrol(member)
        library = load_library()
        raw = file.read_bytes()
        sheet = read_sheet(decode(raw))
        fields = guess(sheet.headings, columns_for(library))
        with db.read() as tx:
            physios = physios_of(tx, clinic.id)
            treating = treating_physio(tx, member, physio) if physio or len(physios) == 1 or member in physios else None
            doors = doors_of(tx, settings, clinic)
            setting = setting_for(tx, clinic, library, doors, treating.id if treating else None)
            checked = check(tx, clinic.id, sheet, fields, setting)
        if wrong_file and checked.wrong:
            _write_private(wrong_file, checked.corrected())
        if how["dry_run"] or (checked.wrong and not how["skip_wrong"]):
            _report(checked, {}, as_json=how["as_json"])
            if checked.wrong:
                raise Conflict(f"{checked.wrong_rows} of {len(checked.rows)} rows are wrong; nobody was enrolled")
            return
        import_id = upload(db, member, raw, library, now)
        with db.begin() as tx:
            imports.set_fields(tx, import_id, fields, treating.id if treating else None)
        began = real_now()
        try:
            done = take_in(db, member, import_id, setting, lambda: now + (real_now() - began), skip_wrong=how["skip_wrong"])
            if links_file:
                _write_private(links_file, links_of(db, done, doors, now))
        finally:
            with db.begin() as tx:
                imports.drop(tx, import_id)
    _report(checked, dict(done.counts), as_json=how["as_json"])


def _write_private(path: Path, content: bytes) -> None:
    """A file that names patients, or lets in who has it, is its owner's alone."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(content)


def _report(checked: Checked, counts: dict[str, int], *, as_json: bool) -> None:
    wrong = [{"row": each.row, "column": each.column, "remedy": each.remedy} for each in checked.wrong]
    if as_json:
        totals = {"rows": len(checked.rows), "new": checked.new_rows, "known": len(checked.known), "wrong": checked.wrong_rows}
        click.echo(json.dumps({**totals, "enrolled": counts.get("enrolled", 0), "errors": wrong}, ensure_ascii=False, indent=2))
        return
    unread = [heading for heading, key in zip(checked.sheet.headings, checked.fields, strict=True) if key is None and heading != WHAT_TO_DO]
    if unread:
        click.echo(f"Columns that are not read: {', '.join(unread)}")
    for each in wrong[:SHOWN]:
        click.echo(f"row {each['row']}, {each['column']}: {each['remedy']}")
    if len(wrong) > SHOWN:
        click.echo(f"and {len(wrong) - SHOWN} more; --wrong FILE writes them all")
    known = f", {len(checked.known)} are here already" if checked.known else ""
    if counts:
        click.echo(f"Enrolled {counts.get('enrolled', 0)} of {len(checked.rows)}{known}, {checked.wrong_rows} left out.")
    else:
        click.echo(f"{len(checked.rows)} rows: {checked.new_rows} can be enrolled{known}, {checked.wrong_rows} are wrong.")
