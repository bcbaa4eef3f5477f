"""What the patient will read of what is agreed beforehand, whether it is ticked yet or not: the flare plan and the next steps."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from bot_service.actions.prescribing import with_own_words
from bot_service.clinical.rungs import agreed_beforehand
from bot_service.conversation.choices import offer_line
from bot_service.conversation.wording import load_catalogue
from plans.editing import Unfit
from plans.loading import load_words_for
from plans.model import CarePlan, Prescription
from plans.tongues import in_words


@dataclass(frozen=True)
class Agreed:
    """The words in one language: the signed flare plan, and each offer of a next step."""

    language: str
    flare_plan: str
    offers: tuple[str, ...]


def agreed_words(document: Prescription, plan: CarePlan, patients_language: str) -> list[Agreed]:
    """The words in the patient's language, and in English beside it where that is another."""
    ticked = document.model_copy(update={"flare_plan": plan.flare_plan, "rungs_preauthorised": True})
    with suppress(Unfit):  # numbers that the flare plan cannot hold: signing it is refused with the remedy
        ticked = with_own_words(ticked, plan)
    return [_in_language(ticked, each) for each in dict.fromkeys((load_catalogue(patients_language).language, "en"))]


def _in_language(document: Prescription, language: str) -> Agreed:
    catalogue = load_catalogue(language)
    told = in_words(document, load_words_for(document, language))
    lines = (offer_line(item, item.next_rung, told.rules) for item in told.exercises if agreed_beforehand(item, told) and item.next_rung)
    return Agreed(language, told.flare_plan or "", tuple(catalogue.text(line.key, line.values) for line in lines))
