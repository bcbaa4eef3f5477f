"""What a physio or admin types on the enrolment pages, for the journeys and for the look at every state."""

from __future__ import annotations

from playwright.sync_api import Page

from plans.model import CarePlan


def answer_questions(page: Page, plan: CarePlan) -> None:
    """Every eligibility question as the plan wants it."""
    for question in plan.eligibility:
        page.get_by_role("group", name=question.text).get_by_label("Yes" if question.must_be else "No").check()


def fill_form(page: Page, plan: CarePlan, name: str, **more: str) -> None:
    """A patient who fits, on the left side; `more` are the labels of text fields with what to write."""
    answer_questions(page, plan)
    page.get_by_label("Full name").fill(name)
    page.get_by_role("group", name="Treated side").get_by_label("Left").check()
    for label, text in more.items():
        page.get_by_label(label).fill(text)
