"""`stepwise simulate`: the headless demo."""

from __future__ import annotations

import json
import sys

import click

from bot_service.app import Service
from bot_service.clock import MovableClock
from bot_service.logs import set_up_logs
from bot_service.sample.demo import run_demo, table
from bot_service.settings import load_settings
from bot_service.storage.database import Database
from plans.loading import load_library


@click.command()
@click.option("--weeks", type=click.IntRange(1, 104), default=12, show_default=True)
@click.option("--patients", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def simulate(weeks: int, patients: int, seed: int, as_json: bool) -> None:
    """Play weeks of simulated patients through the real service with a moved clock, and print what came of it."""
    settings, library = load_settings(channels=("simulator",)), load_library()
    set_up_logs(settings.log_format, quiet=True)  # the simulated provider fails now and then, on purpose

    def make_service(db: Database, clock: MovableClock) -> Service:
        return Service(settings, db, library, clock, in_threads=False)

    with click.progressbar(length=1000, label=f"Playing {weeks} weeks of {patients} patients", file=sys.stderr) as bar:

        def progress(fraction: float, _label: str) -> None:
            bar.update(int(fraction * 1000) - bar.pos)

        result = run_demo(make_service, weeks=weeks, patients=patients, seed=seed, progress=progress)
    click.echo(json.dumps(result.as_object()) if as_json else table(result))
