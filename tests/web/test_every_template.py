"""Which test counts the numbers of each template again; a template that is added has to be put among them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.source_tree import ROOT

TEMPLATES = ROOT / "bot_service" / "web" / "templates"
NUMBER, FIGURE, STEP, SENTENCE, COUNT = (f"test_every_{each}" for each in ("number", "figure", "step", "sentence", "count"))
CASELOAD = f"{NUMBER}: the_caseload_shows_what_was_counted_for_each_of_them_and_for_all"
GROUPS = f"{FIGURE}: the_groups_and_the_summary_of_the_caseload_count_everybody"
WHY = f"{FIGURE}: the_caseload_says_of_everybody_why_since_when_and_by_when"
PATIENT = f"{FIGURE}: the_patients_page_shows_days_criteria_and_evidence_as_the_rows_say"
CHART = f"{NUMBER}: the_patients_figures_strip_chart_and_summary_are_what_was_counted"
STEPS = f"{STEP}: the_patients_page_shows_steps_doses_running_weeks_and_how_many_decisions_as_the_documents_say"
SAID = f"{SENTENCE}: every_figure_in_what_a_rule_says_is_that_of_the_rows"
IMPORT = f"{COUNT}: an_import_counts_rows_as_the_file_and_the_database_have_them"
STOPPED = "test_import_pages: an_import_that_stopped_is_shown_as_interrupted_with_what_is_done_what_not_and_what_to_do"
PLAN = f"{COUNT}: the_prescription_and_the_thresholds_show_the_numbers_of_the_plans_file"
PEOPLE = f"{FIGURE}: the_pages_about_all_patients_count_who_is_in_care_and_who_has_not_begun"
AGAIN: Mapping[str, tuple[str, ...]] = {
    "audit": ("test_audit_page: it_is_narrowed_by_who_what_whom_and_when",),
    "caseload": (CASELOAD, GROUPS, WHY),
    "clinic": (PLAN,),
    "clinic_thresholds": (PLAN,),
    "clinic_wording": ("test_clinic_settings: a_patient_reads_the_clinics_words_in_their_language_until_the_products_are_taken_again",),
    "discharge": (PEOPLE,),
    "discharge_check": (PEOPLE,),
    "enrol": (PLAN,),
    "evidence_row": (PATIENT,),
    "forecast": (
        f"{COUNT}: the_forecast_says_of_everybody_who_is_not_prompted_why_and_lists_what_was_lost",
        f"{NUMBER}: the_forecast_counts_every_prompt_of_the_next_day",
    ),
    "import": (STOPPED,),
    "import_check": (IMPORT, STOPPED),
    "import_columns": (IMPORT,),
    "import_done": (IMPORT,),
    "import_running": (STOPPED,),
    "interruption": (f"{SENTENCE}: what_speaks_against_a_step_is_said_with_its_figures_and_shown_with_the_last_days",),
    "invitations": (PEOPLE, IMPORT),
    "leaflet": (IMPORT,),
    "notices": ("test_notices: an_admin_sets_limits_and_duties_and_nobody_else_can",),
    "outcomes": (f"{NUMBER}: the_outcome_measures_are_due_charted_and_compared_as_they_were_entered",),
    "pain_chart": (CHART,),
    "patient_cases": (PATIENT, SAID),
    "patient_header": (f"{FIGURE}: the_head_of_every_patients_page_says_which_week_it_is_and_what_comes_next", STEPS, PATIENT),
    "patient_loads": (
        f"{STEP}: every_ladder_shows_the_step_now_and_each_step_since_care_began",
        f"{STEP}: every_load_that_was_named_is_charted_listed_and_summed_up",
    ),
    "patient_notes": ("test_care: a_note_is_kept_sealed_for_colleagues_and_never_sent",),
    "patient_pain": (f"{NUMBER}: the_patients_page_shows_those_figures",),
    "patient_plan": (STEPS,),
    "patient_progress": (f"{FIGURE}: every_criterion_of_a_step_is_judged_as_the_rules_say", STEPS),
    "patient_running": (STEPS,),
    "patient_strip": (CHART, PATIENT),
    "patient_transcript": ("test_transcript: messages_that_were_not_needed_are_shown_only_on_request",),
    "phone": ("test_phone: time_passes_and_the_next_message_comes_with_its_buttons",),
    "prescription": (PLAN,),
    "prescription_check": ("test_rewriting: a_changed_dose_is_shown_before_it_is_prescribed_as_a_new_version",),
    "rules": (f"{NUMBER}: the_page_of_rules_counts_every_case_raised_and_every_suggestion_shown",),
    "summary": (CHART,),
    "team": (PEOPLE,),
}
"""By template, the tests that work its numbers out in another way; where there are several, each has some of them."""
NONE = (
    "base", "clash", "clinic_nav", "decision_fields", "invited", "message", "patient", "patient_care", "problem",
    "sign_in", "sign_in_confirm",
)  # fmt: skip
"""Templates that show words, forms, dates that were typed, and what they include, but no number that was worked out."""
COUNTS = r'class="(?:number|big)|\|\s*length\s*[}%]|\b(?:total|count|counts|days|pages)\b[\w.]*\s*}}'
"""How a number that was worked out stands in a template."""


def test_every_template_says_which_test_counts_its_numbers_again() -> None:
    there = {path.stem for path in TEMPLATES.glob("*.html")}
    assert there == {*AGAIN, *NONE} and not AGAIN.keys() & set(NONE)


@pytest.mark.parametrize("name", NONE)
def test_a_template_without_numbers_has_none(name: str) -> None:
    assert re.findall(COUNTS, (TEMPLATES / f"{name}.html").read_text(encoding="utf-8")) == []


def test_each_test_that_is_named_exists() -> None:
    folder = Path(__file__).parent
    for named in {each for tests in AGAIN.values() for each in tests}:
        module, _, name = named.partition(": ")
        assert f"def test_{name}(" in (folder / f"{module}.py").read_text(encoding="utf-8"), named
