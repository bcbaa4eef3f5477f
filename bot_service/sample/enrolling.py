"""What the clinic enters when it enrols a simulated patient."""

from __future__ import annotations

from bot_service.actions.enrol import Enrolment
from bot_service.sample.personas import Persona
from plans.model import CarePlan


def enrolment_of(persona: Persona, plan: CarePlan) -> Enrolment:
    """The form filled in for a persona, who is eligible."""
    return Enrolment(
        name=persona.name,
        zone=persona.zone,
        stage=persona.stage,
        at=persona.at,
        baseline=persona.baseline,
        flare_plan_signed=persona.flare_plan_signed,
        rungs_preauthorised=persona.rungs_preauthorised,
        answers={question.id: question.must_be for question in plan.eligibility},
    )
