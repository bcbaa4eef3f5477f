"""A plan's texts in other languages: complete, checked, and used only where they are still the text that was prescribed."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plans.loading import LIBRARY, TRANSLATIONS, check_file, load_plan, load_words
from plans.model import Prescription, prescribe
from plans.tongues import in_words, texts_of

HAMSTRING = LIBRARY / "proximal_hamstring_tendinopathy.toml"
SPANISH = LIBRARY / TRANSLATIONS / "proximal_hamstring_tendinopathy.es.toml"
ACHILLES = Path(__file__).with_name("fixtures") / "achilles.toml"
CODES = ["ar", "es", "hi", "pl"]
Check = Callable[..., list[str]]


def prescribed(stage: str = "early") -> Prescription:
    return prescribe(load_plan(HAMSTRING), stage, flare_plan_signed=True, plyometrics_unlocked=True)


def own_texts(plan: Prescription) -> list[str]:
    """Everything in a prescription that a patient may read."""
    texts = [plan.stage_title, plan.advice_green, plan.advice_amber, plan.advice_red, plan.flare_plan or ""]
    texts += [slot.label for slot in plan.slots] + [item.dose.load for item in plan.exercises if item.dose.load]
    return (
        texts
        + [getattr(item.exercise, field) for item in plan.exercises for field in ("name", "how", "easier", "harder")]
        + [rung.text for item in plan.exercises for rung in item.exercise.rungs]
    )


@pytest.fixture
def checked(tmp_path: Path) -> Check:
    """Puts the plan and the Spanish file, changed as told, into a folder, and says what the check finds in the latter."""

    def check(old: str, new: str, name: str = SPANISH.name) -> list[str]:
        (tmp_path / HAMSTRING.name).write_text(HAMSTRING.read_text(encoding="utf-8"), encoding="utf-8")
        (tmp_path / TRANSLATIONS).mkdir(exist_ok=True)
        text = SPANISH.read_text(encoding="utf-8")
        assert old in text
        file = tmp_path / TRANSLATIONS / name
        file.write_text(text.replace(old, new), encoding="utf-8")
        return [f"{mistake.key}: {mistake.sentence}" for mistake in check_file(file)]

    return check


def test_the_library_has_its_texts_in_every_language_that_patients_get() -> None:
    found = sorted(path.name for path in (LIBRARY / TRANSLATIONS).iterdir())
    assert found == sorted(f"{plan.stem}.{code}.toml" for plan in LIBRARY.glob("*.toml") for code in CODES)
    assert [mistake for name in found for mistake in check_file(LIBRARY / TRANSLATIONS / name)] == []


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("stage", ["early", "intermediate", "advanced"])
def test_nothing_that_a_patient_reads_stays_english(code: str, stage: str) -> None:
    plan = prescribed(stage)
    told = in_words(plan, load_words(plan.plan_id, code))
    assert [text for text in own_texts(told) if text in own_texts(plan)] == []
    assert "{" not in "".join(own_texts(told)), "numbers are filled in"
    assert told.flare_plan is not None and str(plan.rules.pain_ceiling) in told.flare_plan


def test_only_words_change_and_never_a_dose_a_day_or_a_rule() -> None:
    plan = prescribed("advanced")
    told = in_words(plan, load_words(plan.plan_id, "pl"))
    assert (told.rules, told.progression, told.stage, told.plan_version) == (plan.rules, plan.progression, plan.stage, plan.plan_version)
    assert [slot.model_copy(update={"label": ""}) for slot in told.slots] == [slot.model_copy(update={"label": ""}) for slot in plan.slots]
    doses = [item.dose.model_copy(update={"load": None}) for item in told.exercises]
    assert doses == [item.dose.model_copy(update={"load": None}) for item in plan.exercises]


def test_a_text_that_is_no_longer_the_plans_is_read_as_it_was_prescribed() -> None:
    """An old prescription keeps its words; a translation of other words must not stand for them."""
    plan = prescribed()
    first = plan.exercises[0]
    older = first.model_copy(update={"exercise": first.exercise.model_copy(update={"how": "Lie down. Hold for a minute."})})
    told = in_words(plan.model_copy(update={"exercises": (older, *plan.exercises[1:])}), load_words(plan.plan_id, "es"))
    assert told.exercises[0].exercise.how == "Lie down. Hold for a minute."
    assert told.exercises[0].exercise.name == "Puente mantenido, con los dos pies apoyados"


def test_a_flare_plan_that_nobody_signed_does_not_appear_in_another_language() -> None:
    plan = prescribe(load_plan(HAMSTRING), "early")
    assert in_words(plan, load_words(plan.plan_id, "es")).flare_plan is None


@pytest.mark.parametrize(("plan_id", "code"), [("proximal_hamstring_tendinopathy", "en"), ("achilles", "es"), ("nothing", "es")])
def test_without_a_translation_the_plans_own_words_stand(plan_id: str, code: str) -> None:
    assert load_words(plan_id, code) == {}
    assert in_words(prescribed(), {}) == prescribed()


def test_a_translation_of_another_version_is_not_used(tmp_path: Path) -> None:
    (tmp_path / TRANSLATIONS).mkdir()
    (tmp_path / SPANISH.relative_to(LIBRARY)).write_text(SPANISH.read_text(encoding="utf-8"), encoding="utf-8")
    plan = HAMSTRING.read_text(encoding="utf-8")
    for version, used in (("0.3.0", True), ("0.4.0", False)):
        (tmp_path / HAMSTRING.name).write_text(plan.replace('version = "0.3.0"', f'version = "{version}"'), encoding="utf-8")
        load_words.cache_clear()
        assert bool(load_words(HAMSTRING.stem, "es", tmp_path)) is used


def test_a_translation_that_cannot_be_read_is_not_used_and_stops_no_message(checked: Check, tmp_path: Path) -> None:
    assert checked("[stages.early]", "[stages.early") != []
    load_words.cache_clear()
    assert load_words(HAMSTRING.stem, "es", tmp_path) == {}


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ('version = "0.3.0"', 'version = "0.0.9"', "version", "is for version 0.0.9 of the plan, which is now 0.3.0"),
        ('plan = "proximal_hamstring_tendinopathy"', 'plan = "achilles"', "plan", "is for the plan achilles"),
        ('language = "es"', 'language = "pl"', "language", "its file name says es"),
        ('name = "De pie sobre una pierna"\n', "", "exercises.E4.name", "has no text for exercises.E4.name"),
        ('name = "De pie sobre una pierna"', 'name = " "', "exercises.E4.name", "has no text for exercises.E4.name"),
        ("por encima de {ceiling}", "por encima de 5", "flare_plan", "{ceiling} stands in only one of them"),
        ('title = "Plan inicial"', 'title = "Plan {inicial}"', "stages.early.title", "{inicial} stands in only one of them"),
        ("[exercises.E4]", "[exercises.E9]", "exercises.E9.name", "the plan does not have"),
        ('"light band" =', '"a light band" =', "loads.light band", "has no text for loads.light band"),
        (
            'slots = { 1 = "principal", 2 = "adicional" }',
            'slots = { 1 = "principal" }',
            "stages.early.slots.2",
            "until then patients read it in English",
        ),
        ('[earlier."0.2.0"]', '[earlier."0.1.9"]', "earlier.0.2.0.flare_plan", "until then patients read it in English"),
        ('language = "es"', "language = es", "line 6", "cannot be read"),
    ],
)
def test_what_a_translation_lacks_is_named(checked: Check, old: str, new: str, key: str, says: str) -> None:
    assert [said for said in checked(old, new) if said.startswith(f"{key}: ") and says in said]


def test_an_unchanged_translation_has_no_mistakes_and_one_without_its_plan_says_so(checked: Check) -> None:
    assert checked("plan =", "plan =") == []
    assert any("does not exist" in said for said in checked("plan =", "plan =", "unknown_plan.es.toml"))


def test_a_second_condition_is_one_more_file(tmp_path: Path) -> None:
    raw: dict[str, Any] = tomllib.loads(ACHILLES.read_text(encoding="utf-8"))
    (tmp_path / TRANSLATIONS).mkdir()
    (tmp_path / "achilles.toml").write_text(ACHILLES.read_text(encoding="utf-8"), encoding="utf-8")
    title = texts_of(raw)["stages.load.title"]
    file = tmp_path / TRANSLATIONS / "achilles.es.toml"
    file.write_text(
        f'plan = "achilles"\nversion = "{raw["version"]}"\nlanguage = "es"\nstages.load.title = "Fase de carga"\n', encoding="utf-8"
    )
    plan = prescribe(load_plan(ACHILLES), "load")
    told = in_words(plan, load_words("achilles", "es", tmp_path))
    assert (plan.stage_title, told.stage_title) == (title, "Fase de carga")
    assert told.advice_green == plan.advice_green
