"""The admin's settings for the whole clinic beside its numbers and hours: quiet hours, languages, the plan's thresholds, and wording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from bot_service.actions import clinic_settings
from bot_service.actions.stale import Fields, Stale
from bot_service.actions.treating import physios_of
from bot_service.actions.voices import clinic_setting, hours_in_words, offered_languages
from bot_service.conversation.own_words import LONGEST, OWN_TEXTS, wording_problems
from bot_service.conversation.wording import SHIPPED, Voice, load_catalogue, render
from bot_service.errors import Conflict, NotFound, NotPermitted
from bot_service.storage import audit, clinics, staff
from bot_service.storage.clinics import Clinic
from bot_service.storage.database import Tx
from bot_service.web.access import Visit
from bot_service.web.enrolment_form import LANGUAGES
from bot_service.web.pages import page
from bot_service.web.prescription_form import LABELS, in_plain_words
from bot_service.web.stale import Clash, clash, showed
from bot_service.web.times import moment
from plans.editing import OF_CLINIC, THRESHOLDS, Unfit, threshold
from plans.mistakes import Finding
from plans.model import CarePlan, prescribe

DONE = {
    "quiet": "Saved. Quiet hours bind from now on.",
    "languages": "Saved. These languages are offered when a patient is enrolled.",
    "numbers": "Saved. They judge what is prescribed from now on.",
    "wording": "Saved. Patients read it from the next message on.",
    "product": "Patients read the product's words again.",
}
RIGHT_TO_LEFT = frozenset({"ar"})
_KINDS = {"quiet": ["quiet_hours_set"], "languages": ["languages_set"]}
CHANGES_SHOWN = 20


def show(visit: Visit) -> Response:
    """Quiet hours and languages."""
    return _settings(visit)


def change(visit: Visit) -> Response:
    """Either of them."""
    form, service = visit.form, visit.service
    now, do = service.clock.now(), "languages" if visit.form.get("do") == "languages" else "quiet"
    try:
        if do == "languages":
            codes = [code for code in SHIPPED if form.get(f"language-{code}")]
            clinic_settings.set_languages(service.db, visit.who, codes, now, showed(visit))
        else:
            clinic_settings.set_quiet(service.db, visit.who, form.get("from", ""), form.get("until", ""), now, showed(visit))
    except Stale as error:
        if found := clash(visit, error, visit.who.clinic_id, _KINDS[do]):
            return _settings(visit, found=found)
    except Conflict as error:
        return _settings(visit, trouble=error)
    return RedirectResponse(f"/clinic?done={do}", 303)


def show_numbers(visit: Visit) -> Response:
    """A plan's thresholds, and the clinic's own in their place."""
    return _numbers(visit)


def change_numbers(visit: Visit) -> Response:
    """Keep what was written, checked as a plan is."""
    form, plan, now = visit.form, _plan_asked(visit), visit.service.clock.now()
    wrong = [Finding(f"rules.{key}", "Write a whole number, or nothing for the plan's.") for key in OF_CLINIC if not _fits(form, key)]
    if wrong:
        return _numbers(visit, wrong=wrong)
    numbers = {key: int(text) if (text := form.get(f"own-{key}", "").strip()) else None for key in OF_CLINIC}
    try:
        clinic_settings.set_numbers(visit.service.db, visit.who, plan, numbers, _approver(form), now, showed(visit))
    except Unfit as error:
        return _numbers(visit, wrong=error.findings)
    except Stale as error:
        if found := clash(visit, error, visit.who.clinic_id, ["clinic_numbers_set"], {"plan": plan.id}):
            return _numbers(visit, found=found)
    except (Conflict, NotFound) as error:
        return _numbers(visit, trouble=error)
    return RedirectResponse(f"/clinic/thresholds?plan={plan.id}&done=numbers", 303)


def show_wording(visit: Visit) -> Response:
    """The sentences that may be changed, in one language, each as a patient reads it."""
    return _wording(visit, _shipped(visit.asked("language")))


def change_wording(visit: Visit) -> Response:
    """Check the clinic's words, keep them, or go back to the product's."""
    form, now = visit.form, visit.service.clock.now()
    key, text, do = form.get("text", ""), form.get("words", ""), form.get("do", "")
    language = _shipped(form.get("language", ""))
    if key not in OWN_TEXTS:
        raise NotFound("no such text")
    if do == "check":
        return _wording(visit, language, tried=(key, text))
    try:
        clinic_settings.set_wording(visit.service.db, visit.who, language, key, None if do == "reset" else text, now, showed(visit))
    except Stale as error:
        found = clash(visit, error, visit.who.clinic_id, ["wording_set"], {"language": language, "text": key})
        if found:
            return _wording(visit, language, tried=(key, found.fields["words"]), status=409, found=found)
    except Conflict:
        return _wording(visit, language, tried=(key, text), status=422)
    return RedirectResponse(f"/clinic/wording?language={language}&done={'product' if do == 'reset' else 'wording'}#{key}", 303)


def _settings(visit: Visit, trouble: Exception | None = None, found: Clash | None = None) -> Response:
    _check_admin(visit)
    with visit.service.db.read() as tx:
        clinic = clinics.load_clinic(tx, visit.who.clinic_id)
    kept, posted = (
        {"quiet": clinic_settings.quiet_fields(clinic), "languages": clinic_settings.language_fields(clinic)},
        visit.form.get("do"),
    )
    typed: dict[str, Fields] = {str(posted): found.fields if found else visit.form} if trouble or found else {}
    quiet, languages = (typed.get(name, fields) for name, fields in kept.items())
    return page(
        visit,
        "clinic.html",
        status=409 if trouble or found else 200,
        clinic=clinic,
        kept=kept,
        first=quiet.get("from", ""),
        last=quiet.get("until", ""),
        clash=found,
        plans=[
            (each.title, f"{each.rules.delivery.quiet_from:%H:%M}", f"{each.rules.delivery.quiet_until:%H:%M}") for each in _plans(visit)
        ],
        languages=[(code, LANGUAGES.get(code, code), bool(languages.get(f"language-{code}"))) for code in SHIPPED],
        trouble=_sentence(trouble),
        done=DONE.get(visit.asked("done"), ""),
    )


def _numbers(visit: Visit, *, wrong: Sequence[Finding] = (), trouble: Exception | None = None, found: Clash | None = None) -> Response:
    _check_admin(visit)
    plan = _plan_asked(visit)
    with visit.service.db.read() as tx:
        clinic = clinics.load_clinic(tx, visit.who.clinic_id)
        physios = physios_of(tx, clinic.id)
        history = _history(tx, clinic, plan)
    kept = clinic_settings.number_fields(clinic, plan)
    typed = found.fields if found else visit.form if wrong or trouble else kept
    document = prescribe(plan, plan.stages[0].id)
    told = [in_plain_words(each, document, plan) for each in wrong]
    return page(
        visit,
        "clinic_thresholds.html",
        status=422 if wrong else 409 if trouble or found else 200,
        clinic=clinic,
        kept=kept,
        clash=found,
        plan=plan,
        plans=_plans(visit),
        rows=[
            {
                "key": key,
                "label": LABELS[key],
                "plan_says": threshold(plan, plan.stages[0].id, key),
                "source": _source(plan, key),
                "least": THRESHOLDS[key][0],
                "most": THRESHOLDS[key][1],
                "value": typed.get(f"own-{key}", ""),
            }
            for key in OF_CLINIC
        ],
        physios=physios,
        approver=visit.form.get("approver", ""),
        wrong=dict(told),
        problems=[words for _, words in told] + ([_sentence(trouble)] if trouble else []),
        history=history,
        done=DONE.get(visit.asked("done"), ""),
    )


def _source(plan: CarePlan, key: str) -> str:
    """Where the plan's number comes from, in full."""
    named = plan.rules.sources.get(key, "default")
    return plan.references.get(named, named)


def _history(tx: Tx, clinic: Clinic, plan: CarePlan) -> list[str]:
    """Every change of this plan's numbers, the latest first."""
    names = {each.email: each.name for each in staff.list_of_clinic(tx, clinic.id)}
    found = audit.list_of_kinds(tx, clinic.id, ["clinic_numbers_set"], CHANGES_SHOWN)
    return [_change(each.at, each.who, each.detail, names, clinic.zone) for each in found if each.detail.get("plan") == plan.id]


def _change(at: datetime, who: str, detail: Mapping[str, Any], names: Mapping[str, str], zone: str) -> str:
    parts = (f"{LABELS[key]}: {was} to {now}" for key, (was, now) in detail["changed"].items() if key in LABELS)
    approver = detail["approved_by"]
    return f"{moment(at, zone)}, {names.get(who, who)}: {'; '.join(parts)}. Approved by {names.get(approver, approver)}."


def _wording(
    visit: Visit, language: str, *, tried: tuple[str, str] | None = None, status: int = 200, found: Clash | None = None
) -> Response:
    _check_admin(visit)
    now = visit.service.clock.now()
    with visit.service.db.read() as tx:
        clinic = clinics.load_clinic(tx, visit.who.clinic_id)
        physio = next((each.name for each in physios_of(tx, clinic.id)), "…")
    own = clinic_setting(clinic, "wording")
    voice = Voice(
        language, now.date(), clinic.name, physio, clinic_setting(clinic, "emergency"), clinic_setting(clinic, "urgent"),
        clinic_setting(clinic, "crisis"), hours_in_words(clinic, now, language),
    )  # fmt: skip
    return page(
        visit,
        "clinic_wording.html",
        status=status,
        clinic=clinic,
        language=language,
        direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
        languages=[(code, LANGUAGES.get(code, code), len(own.get(code, {}))) for code in offered_languages(clinic)],
        texts=[_text(key, language, own.get(language, {}).get(key), voice, tried) for key in OWN_TEXTS],
        longest=LONGEST,
        kept={key: clinic_settings.wording_fields(clinic, language, key) for key in OWN_TEXTS},
        stale=tried[0] if tried and found else "",
        clash=found,
        done=DONE.get(visit.asked("done"), ""),
    )


def _text(key: str, language: str, own: str | None, voice: Voice, tried: tuple[str, str] | None) -> dict[str, object]:
    """One sentence: the product's, the clinic's or what is being tried, what is wrong with that, and how it reads."""
    product, kind = load_catalogue(language).texts[key], OWN_TEXTS[key]
    written = tried[1] if tried and tried[0] == key else None
    words = written if written is not None else own or product
    problems = wording_problems(key, words, language) if written is not None else []
    return {
        "key": key,
        "title": kind.title,
        "when": kind.when,
        "unsolicited": kind.unsolicited,
        "product": product,
        "is_own": own is not None,
        "words": words,
        "tried": written is not None,
        "problems": problems,
        "preview": _preview(key, words, voice),
    }


def _preview(key: str, words: str, voice: Voice) -> str:
    """As a patient would read it; empty when it cannot be filled in."""
    filled = Voice(**{**vars(voice), "own_words": {key: words}})
    try:
        return render({"lines": [[key, {"by": voice.hours}]]}, filled)[0]
    except (KeyError, ValueError):
        return ""


def _plans(visit: Visit) -> list[CarePlan]:
    return list(visit.service.library.values())


def _plan_asked(visit: Visit) -> CarePlan:
    asked = visit.form.get("plan") or visit.asked("plan")
    return visit.service.library.get(asked) or _plans(visit)[0]


def _approver(form: Mapping[str, str]) -> UUID:
    try:
        return UUID(form.get("approver", ""))
    except ValueError:
        raise Conflict("choose the physiotherapist who approved these numbers") from None


def _shipped(asked: str) -> str:
    return asked if asked in SHIPPED else "en"


def _fits(form: Mapping[str, str], key: str) -> bool:
    text = form.get(f"own-{key}", "").strip()
    return not text or (text.isascii() and text.isdecimal() and len(text) < 5)


def _check_admin(visit: Visit) -> None:
    if visit.who.role != "admin":
        raise NotPermitted("Only an admin can change the clinic's settings.")


def _sentence(error: Exception | None) -> str:
    words = str(error or "")
    return words[:1].upper() + words[1:].rstrip(".") + "." if words else ""
