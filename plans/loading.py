"""Reads plan files: one, or the whole library. The only module of the plans that touches a disk."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from plans.checks import examine
from plans.mistakes import PlanError, PlanErrors
from plans.model import CarePlan

__all__ = ["LIBRARY", "PlanError", "PlanErrors", "check_file", "content_hash", "load_library", "load_plan"]

LIBRARY = Path(__file__).with_name("library")


def load_plan(path: Path | str) -> CarePlan:
    """The plan in a file. Raises PlanErrors with every mistake at once; a file that cannot be read is one too."""
    path = Path(path)
    try:
        # Some editors begin a file with a byte-order mark, which is no mistake of the author's.
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise _cannot_read(path, "is not saved as UTF-8 text. Save it again with the encoding UTF-8.") from None
    except FileNotFoundError:
        raise _cannot_read(path, "does not exist. Check the name.") from None
    except OSError as problem:
        raise _cannot_read(path, f"cannot be read ({problem.strerror or problem}).") from None
    return examine(text, str(path))


def check_file(path: Path | str) -> list[PlanError]:
    """Every mistake in a file; an empty list when it can be used."""
    try:
        load_plan(path)
    except PlanErrors as mistakes:
        return mistakes.errors
    return []


def load_library(directory: Path | str | None = None) -> dict[str, CarePlan]:
    """All plans of a folder (without one: those that come with the product) by id. Raises PlanErrors with the mistakes of all files."""
    folder = Path(directory) if directory is not None else LIBRARY
    plans: dict[str, CarePlan] = {}
    errors: list[PlanError] = []
    paths = sorted(folder.glob("*.toml"))
    for path in paths:
        try:
            plan = load_plan(path)
        except PlanErrors as mistakes:
            errors += mistakes.errors
            continue
        if plan.id in plans:
            errors.append(
                PlanError(str(path), "id", f"The id {plan.id} is already taken by another file of the library. Give it another one.")
            )
        plans[plan.id] = plan
    if not paths:
        errors.append(PlanError(str(folder), "library", "There is no plan in this folder. A plan is a file whose name ends in .toml."))
    if errors:
        raise PlanErrors(errors)
    return plans


def content_hash(plan: CarePlan) -> str:
    """SHA-256, in hexadecimal, of everything the plan says; equal for equal plans, whatever the layout of their files.

    Values that are left at their default do not count, so that a new optional key in the model changes no stored hash.
    """
    canonical = json.dumps(plan.model_dump(mode="json", exclude_defaults=True), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _cannot_read(path: Path, problem: str) -> PlanErrors:
    return PlanErrors([PlanError(str(path), "file", f"The file {path.name} {problem}")])
