"""Reading plan files: what cannot be read is said in a sentence, a library is checked as a whole, and a hash follows the content."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from plans.loading import LIBRARY, PlanErrors, check_file, content_hash, load_library, load_plan
from plans.model import prescribe

HAMSTRING = LIBRARY / "proximal_hamstring_tendinopathy.toml"
ACHILLES = Path(__file__).with_name("fixtures") / "achilles.toml"


def saved(folder: Path, text: str, name: str = "plan.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_second_condition_loads_without_any_change_of_code() -> None:
    plan = load_plan(ACHILLES)
    prescription = prescribe(plan, "load")
    assert (prescription.rules.pain_ceiling, prescription.slots[0].at) == (4, time(18, 15))
    assert prescription.exercises[0].rung is None
    assert plan.flare_plan.startswith("After a session above 4, do the easier version until 2 settled")


def test_a_library_may_hold_several_conditions(tmp_path: Path) -> None:
    for path in (HAMSTRING, ACHILLES):
        saved(tmp_path, path.read_text(encoding="utf-8"), path.name)
    assert sorted(load_library(tmp_path)) == ["achilles", "proximal_hamstring_tendinopathy"]


def test_two_files_with_the_same_id_are_a_mistake(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        saved(tmp_path, ACHILLES.read_text(encoding="utf-8"), name)
    with pytest.raises(PlanErrors) as raised:
        load_library(tmp_path)
    assert [(Path(error.file).name, error.key) for error in raised.value.errors] == [("b.toml", "id")]


def test_the_mistakes_of_all_files_of_a_library_come_at_once(tmp_path: Path) -> None:
    saved(tmp_path, "id = ", "a.toml")
    saved(tmp_path, ACHILLES.read_text(encoding="utf-8").replace('days = ["tue", ', 'days = ["dienstag", '), "b.toml")
    with pytest.raises(PlanErrors) as raised:
        load_library(tmp_path)
    assert [Path(error.file).name for error in raised.value.errors] == ["a.toml", "b.toml"]


def test_a_folder_without_plans_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(PlanErrors, match="no plan in this folder"):
        load_library(tmp_path)


def test_a_file_that_does_not_exist_is_said_so(tmp_path: Path) -> None:
    (error,) = check_file(tmp_path / "nothing.toml")
    assert (error.key, error.sentence) == ("file", "The file nothing.toml does not exist. Check the name.")


def test_a_folder_given_as_a_file_is_said_so(tmp_path: Path) -> None:
    (error,) = check_file(tmp_path)
    assert "cannot be read" in error.sentence


def test_a_file_in_another_encoding_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_bytes('title = "Übungen"'.encode("latin-1"))
    (error,) = check_file(path)
    assert "Save it again with the encoding UTF-8" in error.sentence


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_bytes(b"\xef\xbb\xbf" + ACHILLES.read_bytes().replace(b"\n", b"\r\n"))
    assert check_file(path) == []


def test_the_hash_stays_the_same_when_only_the_layout_changes(tmp_path: Path) -> None:
    text = ACHILLES.read_text(encoding="utf-8")
    spaced = saved(tmp_path, "# a comment\n" + text.replace("18:15:00", '"18:15"').replace("sets = 3, reps = 12", "reps = 12, sets = 3"))
    assert content_hash(load_plan(spaced)) == content_hash(load_plan(ACHILLES))


@pytest.mark.parametrize(
    ("old", "new"),
    [("reps = 12", "reps = 11"), ("Carry on.", "Carry on!"), ('"1.2.0"', '"1.2.1"'), ("severe_min = 7", "severe_min = 8")],
)
def test_the_hash_changes_with_any_content(tmp_path: Path, old: str, new: str) -> None:
    text = ACHILLES.read_text(encoding="utf-8")
    changed = saved(tmp_path, text.replace(old, new, 1))
    assert content_hash(load_plan(changed)) != content_hash(load_plan(ACHILLES))


def test_the_hash_is_a_sha256_in_hexadecimal() -> None:
    digest = content_hash(load_plan(ACHILLES))
    assert len(digest) == 64
    assert int(digest, 16)


def test_the_exception_says_every_mistake_with_file_key_and_sentence(tmp_path: Path) -> None:
    path = saved(tmp_path, ACHILLES.read_text(encoding="utf-8").replace("sets = 3", "sets = 30").replace("overdue_days = 100\n", ""))
    with pytest.raises(PlanErrors) as raised:
        load_plan(path)
    assert len(raised.value.errors) >= 2
    assert all(f"{path}: {error.key}: {error.sentence}" in str(raised.value) for error in raised.value.errors)
