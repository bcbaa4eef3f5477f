"""Reads plan files: one, or the whole library. The only module of the plans that touches a disk."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache, reduce
from pathlib import Path
from typing import Any

from plans.checks import PLACEHOLDERS, examine, filled, parse
from plans.mistakes import PlanError, PlanErrors, Spot
from plans.model import CarePlan, Prescription
from plans.tongues import EARLIER, Words, texts_of, translation_findings, words_of

__all__ = [
    "LIBRARY", "PlanError", "PlanErrors", "check_file", "content_hash", "flare_plan_text", "load_library", "load_plan", "load_words",
    "load_words_for", "numbers_in_words",
]  # fmt: skip

Own = tuple[tuple[str, int], ...]
"""Dotted keys under [rules] and the numbers of one patient's prescription."""
LIBRARY = Path(__file__).with_name("library")
TRANSLATIONS = "translations"
"""The folder beside the plans that holds their texts in other languages, one file for each plan and language."""


def load_plan(path: Path | str) -> CarePlan:
    """The plan in a file. Raises PlanErrors with every mistake at once; a file that cannot be read is one too."""
    return examine(_text(Path(path)), str(path))


def _tables(path: Path) -> dict[str, Any]:
    return parse(_text(path), str(path))


def _text(path: Path) -> str:
    try:
        # Some editors begin a file with a byte-order mark, which is no mistake of the author's.
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise _cannot_read(path, "is not saved as UTF-8 text. Save it again with the encoding UTF-8.") from None
    except FileNotFoundError:
        raise _cannot_read(path, "does not exist. Check the name.") from None
    except OSError as problem:
        raise _cannot_read(path, f"cannot be read ({problem.strerror or problem}).") from None


def check_file(path: Path | str) -> list[PlanError]:
    """Every mistake in a plan file or a translation of one; an empty list when it can be used."""
    if Path(path).parent.name == TRANSLATIONS:
        return _check_translation(Path(path))
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


def load_words_for(document: Prescription, language: str) -> Words:
    """The same for one patient, with the numbers of the prescription: those of its version, or set by a clinician."""
    return load_words(document.plan_id, language, own=numbers_in_words(document))


def numbers_in_words(document: Prescription) -> Own:
    """Every number of a prescription that may stand in a text of its plan."""
    rules: Any = document.rules
    return tuple((".".join(path), reduce(getattr, path, rules)) for path in PLACEHOLDERS.values())


@lru_cache(maxsize=512)
def load_words(plan_id: str, language: str, directory: Path = LIBRARY, own: Own = ()) -> Words:
    """A plan's texts in another language, by key; nothing where no translation of the plan's present version can be read.

    `own` are numbers that stand in the texts in the place of the plan's.
    """
    file = directory / TRANSLATIONS / f"{plan_id}.{language}.toml"
    try:
        if not file.is_file():
            return {}
        plan = _tables(directory / f"{plan_id}.toml")
        return words_of(plan, _tables(file), _rules(plan, own))
    except PlanErrors:
        return {}  # the check names what is wrong; a message must go out all the same


def flare_plan_text(plan: CarePlan, own: Mapping[str, int], directory: Path = LIBRARY) -> str:
    """The flare plan with a patient's own numbers in it. Raises ValueError when its text as it was in that version is not at hand."""
    if not own.keys() & {".".join(path) for path in PLACEHOLDERS.values()}:
        return plan.flare_plan
    tables = {"rules": plan.rules.model_dump(mode="json")}
    texts = [plan.flare_plan_written] if plan.flare_plan_written else _flare_plans(plan.id, directory)
    text = next((each for each in texts if filled(each, _rules(tables, ())) == plan.flare_plan), None)
    if text is None:
        raise ValueError("the flare plan is worded differently since; leave it unsigned, or its numbers as they are")
    return str(filled(text, _rules(tables, tuple(own.items()))))


def _flare_plans(plan_id: str, directory: Path) -> list[str]:
    """As written now and in earlier versions, for a version that was stored before the service kept its text as it was written."""
    try:
        texts = texts_of(_tables(directory / f"{plan_id}.toml"))
    except PlanErrors:
        return []
    return [text for key, text in texts.items() if key == "flare_plan" or (key.startswith(EARLIER) and key.endswith(".flare_plan"))]


def _rules(tables: Mapping[str, Any], own: Own) -> Spot:
    """The numbers under [rules], with a patient's own ones in their place."""
    rules = copy.deepcopy(tables.get("rules", {}))
    for key, value in own:
        *path, name = key.split(".")
        table = rules
        for step in path:
            table = table.get(step, {})
        table[name] = value
    return Spot(rules)


def _check_translation(file: Path) -> list[PlanError]:
    plan_file = file.parent.parent / f"{file.name.split('.')[0]}.toml"
    try:
        plan, written = _tables(plan_file), _tables(file)
    except PlanErrors as mistakes:
        return mistakes.errors
    return [PlanError(str(file), *finding) for finding in translation_findings(plan, written, file.suffixes[0][1:])]


def content_hash(plan: CarePlan) -> str:
    """SHA-256, in hexadecimal, of everything the plan says; equal for equal plans, whatever the layout of their files.

    Values that are left at their default do not count, so that a new optional key in the model changes no stored hash.
    """
    content = plan.model_dump(mode="json", exclude_defaults=True, exclude={"flare_plan_written"})
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _cannot_read(path: Path, problem: str) -> PlanErrors:
    return PlanErrors([PlanError(str(path), "file", f"The file {path.name} {problem}")])
