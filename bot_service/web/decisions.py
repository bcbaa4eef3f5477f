"""What a clinician posts from the patient's page; every decision is carried out by actions/review.py and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from bot_service.actions import review, undoing
from bot_service.actions.deciding import LONGEST_REASON, Decision, PainIsHigh, TooShort
from bot_service.actions.stale import Stale
from bot_service.actions.undoing import UNDO_FOR
from bot_service.errors import Conflict, NotFound, NotPermitted
from bot_service.web.access import Visit
from bot_service.web.episode import Trouble, find, render
from bot_service.web.forms import day_of
from bot_service.web.interruption import look_again
from bot_service.web.progress_card import own_checks
from bot_service.web.stale import clash
from bot_service.web.writing import still_writing, writing

Do = Callable[[Decision, datetime], None]
LONGEST_MESSAGE = 1500


class Unfit(Exception):
    """What was typed cannot be used; the text says why."""


def decide(visit: Visit) -> Response:
    """Approve what is proposed, step up, hold, or step back."""
    service, form = visit.service, visit.form
    what = form.get("decision", "")

    def carry_out(decision: Decision, now: datetime) -> None:
        decision = _with_ticks(visit, decision, now)
        if what == "approve":
            review.approve(service.db, decision, id_posted(form.get("proposal", "")), now)
        elif what == "step_up":
            review.step_up(service.db, decision, now)
        elif what == "hold":
            proposal = id_posted(form["proposal"]) if form.get("proposal") else None
            review.hold(service.db, decision, proposal, day_posted(form.get("until", "")), now)
        elif what == "step_back":
            answered = [id_posted(name.removeprefix("close-")) for name in form if name.startswith("close-")]
            review.step_back(service.db, decision, now, answered=answered)
        else:
            raise Unfit("Choose approve, hold or step back.")

    done = {"approve": "approved", "step_up": "approved", "hold": "held", "step_back": "stepped_back"}
    return submit(visit, "decision", done.get(what, ""), carry_out, needs_reason=True, grace=UNDO_FOR)


def undo(visit: Visit) -> Response:
    """Take the last decision back, or a message, of which nothing has gone out; a message comes back as a draft."""
    decided, message = visit.form.get("decided", ""), visit.form.get("message", "")
    if not message:
        return submit(visit, "undo", "undone", lambda decision, now: undoing.undo(visit.service.db, decision, id_posted(decided), now))
    taken = ""

    def take_back(decision: Decision, now: datetime) -> None:
        nonlocal taken
        taken = undoing.take_message_back(visit.service.db, decision, id_posted(message), now)

    answer = submit(visit, "undo", "", take_back)
    return writing(visit, taken, "Taken back. Nothing was sent, and your words are still here.") if taken else answer


def release(visit: Visit) -> Response:
    """Let steps be proposed again."""
    return submit(visit, "release", "released", lambda decision, now: review.release_hold(visit.service.db, decision, now))


def acknowledge(visit: Visit) -> Response:
    """Somebody looks after a case."""
    case = visit.part("case")
    return submit(
        visit,
        f"case-{case}",
        "acknowledged",
        lambda decision, now: review.acknowledge_case(visit.service.db, decision, id_posted(case), now),
    )


def close(visit: Visit) -> Response:
    """Close a case with a reason; a red flag with one that says what was done."""
    case = visit.part("case")

    def carry_out(decision: Decision, now: datetime) -> None:
        review.close_case(visit.service.db, decision, id_posted(case), now)

    return submit(visit, f"case-{case}", "closed", carry_out, needs_reason=True)


def pause(visit: Visit) -> Response:
    """Pause prompts."""

    def carry_out(decision: Decision, now: datetime) -> None:
        review.pause(visit.service.db, decision, day_posted(visit.form.get("until", "")), now)

    return submit(visit, "pause", "paused", carry_out, needs_reason=True)


def resume(visit: Visit) -> Response:
    """End a pause."""
    return submit(visit, "resume", "resumed", lambda decision, now: review.resume(visit.service.db, decision, now))


def run(visit: Visit) -> Response:
    """Open a range of running steps, or close running."""
    closing = visit.form.get("run") == "close"

    def carry_out(decision: Decision, now: datetime) -> None:
        steps = [visit.form.get(name, "") for name in ("first", "last")]
        if not closing and not all(step.isascii() and step.isdecimal() and len(step) < 3 for step in steps):
            raise Unfit("Choose the first and the last step to open.")
        review.set_running(visit.service.db, decision, None if closing else (int(steps[0]), int(steps[1])), now)

    return submit(visit, "run", "run_closed" if closing else "run_opened", carry_out, needs_reason=True)


def reopen(visit: Visit) -> Response:
    """Open a closed case again."""
    case = visit.part("case")

    def carry_out(decision: Decision, now: datetime) -> None:
        undoing.reopen_case(visit.service.db, decision, id_posted(case), now)

    return submit(visit, f"closed-{case}", "reopened", carry_out, needs_reason=True)


def show_message(visit: Visit) -> Response:
    """The page on which a message is written: no other form on it can lose the draft."""
    return writing(visit, "", "")


def write(visit: Visit) -> Response:
    """Send the patient the clinician's own words."""
    words = visit.form.get("words", "")

    def carry_out(decision: Decision, now: datetime) -> None:
        if len(words.strip()) > LONGEST_MESSAGE:
            raise Unfit(f"The message is longer than {LONGEST_MESSAGE} characters; make it shorter.")
        review.write_to_patient(visit.service.db, decision, words, now)

    return submit(visit, "message", "written", carry_out, grace=UNDO_FOR)


# fmt: off
def submit(
    visit: Visit, form: str, done: str, do: Do, *, needs_reason: bool = False, grace: timedelta = timedelta(0), kinds: Collection[str] = ()
) -> Response:
    # fmt: on
    """Do it and come back to the page; if it cannot be done, the page says why and keeps what was typed.

    `kinds` are the changes in the trail by which somebody else may have changed what the form had shown.
    """
    now = visit.service.clock.now()
    if visit.form.get("back"):
        return render(visit, Trouble("Nothing was changed. What you typed is still in the form.", 200, form, visit.form))
    with visit.service.db.read() as tx:
        patient, episode = find(tx, visit)
    again = render if form != "message" else still_writing
    try:
        reason, despite = _reason(visit, needed=needs_reason), visit.form.get("despite", "").strip()
        do(Decision(visit.who, episode.id, reason, shown_posted(visit), grace=grace, despite=despite), now)
    except PainIsHigh as problem:
        return look_again(visit, problem.found)
    except Stale as error:
        if found := clash(visit, error, patient.id, kinds):
            return again(visit, Trouble(found.sentence, 409, form, found.fields, found.lines))
    except Unfit as error:
        return again(visit, Trouble(str(error), 422, form, visit.form))
    except TooShort as error:
        return again(visit, Trouble(_as_sentence(error), 422, form, visit.form))
    except NotPermitted as error:
        return again(visit, Trouble(_as_sentence(error), 403, form, visit.form))
    except (Conflict, NotFound) as error:
        return again(visit, Trouble(_as_sentence(error), 409, form, visit.form))
    return RedirectResponse(f"/patients/{patient.ref}?done={done}", 303)


def _with_ticks(visit: Visit, decision: Decision, now: datetime) -> Decision:
    """With the clinician's own checks: those that were ticked on the page, and the others."""
    with visit.service.db.read() as tx:
        checks = own_checks(tx, find(tx, visit)[1], now)
    ticked = {number for number in range(len(checks)) if visit.form.get(f"tick-{number}")}
    return replace(
        decision,
        ticked=tuple(text for number, text in enumerate(checks) if number in ticked),
        unticked=tuple(text for number, text in enumerate(checks) if number not in ticked),
    )


def _reason(visit: Visit, *, needed: bool) -> str:
    reason = visit.form.get("reason", "").strip()
    if needed and not reason:
        raise Unfit("Write a short reason: it stays in the patient's record.")
    if len(reason) > LONGEST_REASON:
        raise Unfit(f"The reason is longer than {LONGEST_REASON} characters; make it shorter.")
    return reason


def shown_posted(visit: Visit) -> int:
    """The evidence version that was on the page. Without a proper one the page counts as out of date, never as unchecked."""
    text = visit.form.get("shown", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


def id_posted(text: str) -> UUID:
    """The id that a form names. Raises NotFound."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("this is no longer on the page; look again") from None


def day_posted(text: str) -> date | None:
    """The day that a form names, None when empty. Raises Unfit."""
    try:
        return day_of(text)
    except ValueError as error:
        raise Unfit(str(error)) from None


def _as_sentence(error: Exception) -> str:
    words = str(error)
    return words[:1].upper() + words[1:].rstrip(".") + "."
