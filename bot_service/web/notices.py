"""My notices: how a member of staff is told, the Telegram chat, leave and cover, and for an admin the clinic's limits and duties."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from bot_service.actions import notice_choices, staff_chats
from bot_service.actions.notices import limits_of
from bot_service.actions.stale import Stale
from bot_service.actions.voices import clinic_setting
from bot_service.clinical.in_words import plural
from bot_service.clock import real_now
from bot_service.errors import Conflict, NotFound, NotPermitted
from bot_service.storage import clinics, notices, staff
from bot_service.storage.clinics import Sender
from bot_service.storage.database import Tx
from bot_service.storage.notices import Leave, Notice
from bot_service.storage.staff import Member
from bot_service.web.access import Visit
from bot_service.web.forms import day_of
from bot_service.web.pages import page
from bot_service.web.stale import Clash, clash, showed
from bot_service.web.times import local_day, long_day, moment

DONE = {
    "saved": "Saved.",
    "unlinked": "Your chat is unlinked. Notices come by e-mail.",
    "leave": "Your leave is in. Your patients and notices go to your cover on these days.",
    "back": "The leave has ended.",
    "limits": "The clinic's limits are saved.",
    "duty": "Saved who is on duty.",
}
KINDS = {
    "flag_notice": "Urgent flag",
    "digest": "Daily digest",
    "weekly": "Weekly digest",
    "staff_answer": "Answer in the chat",
    "sign_in_link": "Sign-in link",
}
STATES = {
    "due": "waits",
    "claimed": "waits",
    "sending": "on its way",
    "in_doubt": "nobody knows whether it arrived; sent again",
    "failed": "did not get through",
    "expired": "too late to send",
    "cancelled": "not needed",
}
WAYS = {"email": "E-mail", "telegram": "Telegram"}


def show(visit: Visit) -> Response:
    """The page."""
    return _render(visit)


def save(visit: Visit) -> Response:
    """Keep how the member wants to be told."""
    form = visit.form
    boxes = {name: form.get(name) == "yes" for name in ("daily", "weekly", "at_night")}

    def carry_out(now: datetime) -> None:
        notice_choices.choose(visit.service.db, visit.who, visit.who, now, ways=form.get("ways", ""), **boxes, showed=showed(visit))

    return _carry_out(visit, "saved", carry_out)


def link_chat(visit: Visit) -> Response:
    """Make a one-time link, and show it once."""
    try:
        link = staff_chats.begin_link(visit.service.db, visit.who, real_now())
    except Conflict as error:
        return _render(visit, trouble=_sentence(error), status=409)
    return _render(visit, link=link)


def unlink_chat(visit: Visit) -> Response:
    """Go back to mail."""
    return _carry_out(visit, "unlinked", lambda now: staff_chats.unlink(visit.service.db, visit.who, now))


def go_on_leave(visit: Visit) -> Response:
    """Leave with a named cover."""
    form = visit.form

    def carry_out(now: datetime) -> None:
        first, last = (_day(form.get(name, "")) for name in ("from", "until"))
        notice_choices.go_on_leave(visit.service.db, visit.who, visit.who, _id(form.get("cover", "")), (first, last), now)

    return _carry_out(visit, "leave", carry_out)


def end_leave(visit: Visit) -> Response:
    """Back at work."""
    leave = visit.part("leave")
    return _carry_out(visit, "back", lambda now: notice_choices.end_leave(visit.service.db, visit.who, visit.who, _id(leave), now))


def set_limits(visit: Visit) -> Response:
    """The clinic's limits, by an admin."""
    form = visit.form

    def carry_out(now: datetime) -> None:
        texts = [form.get(name, "") for name in ("remind", "deputy", "lead")]
        if not all(text.isascii() and text.isdecimal() and len(text) < 6 for text in texts):
            raise Conflict("write the limits as whole numbers")
        remind, deputy, lead = map(int, texts)
        initials = form.get("initials") == "yes"
        notice_choices.set_limits(visit.service.db, visit.who, (remind, deputy, lead), now, initials=initials, showed=showed(visit))

    return _carry_out(visit, "limits", carry_out)


def set_duty(visit: Visit) -> Response:
    """Who is deputy or lead, by an admin."""
    form = visit.form
    return _carry_out(
        visit,
        "duty",
        lambda now: notice_choices.set_duty(visit.service.db, visit.who, _id(form.get("member", "")), form.get("duty") or None, now),
    )


def _carry_out(visit: Visit, done: str, do: Callable[[datetime], None]) -> Response:
    try:
        do(visit.service.clock.now())
    except Stale as error:
        subject, kind = (visit.who.clinic_id, "notice_limits_set") if done == "limits" else (visit.who.id, "notices_chosen")
        if found := clash(visit, error, subject, [kind]):
            return _render(visit, status=409, found=found)
    except NotPermitted as error:
        return _render(visit, trouble=_sentence(error), status=403)
    except (Conflict, NotFound) as error:
        return _render(visit, trouble=_sentence(error), status=409)
    return RedirectResponse(f"/notices?done={done}", 303)


def _render(visit: Visit, *, trouble: str = "", link: str = "", status: int = 200, found: Clash | None = None) -> Response:
    member, now = visit.who, visit.service.clock.now()
    with visit.service.db.read() as tx:
        clinic = clinics.load_clinic(tx, member.clinic_id)
        today = local_day(now, clinic.zone)
        everybody = [each for each in staff.list_of_clinic(tx, clinic.id) if each.status == "active"]
        names = {each.id: each.name for each in everybody}
        duties = {each.id: each.duty for each in notices.list_colleagues(tx, clinic.id).values()}
        senders = clinics.list_senders(tx)
        bot = staff_chats.find_bot(tx, clinic.id)
        view = {
            "kept": notice_choices.choice_fields(notices.load_choices(tx, member.id)),
            "kept_limits": notice_choices.limit_fields(clinic),
            "has_mail": any(each.channel == "email" and each.status != "unused" for each in senders),
            "linked": notices.load_chat(tx, member.id) is not None,
            "bot": bot.name if bot else "",
            "leaves": [_leave(each, names, member) for each in notices.list_leaves(tx, clinic.id, today)],
            "covers": [each for each in everybody if each.role == "physio" and each.id != member.id],
            "limits_in_words": _limits(clinic),
            "initials": clinic_setting(clinic, "notice_initials"),
            "on_duty": [(names[key], duty) for key, duty in duties.items() if duty and key in names],
            "may_be_on_duty": [each for each in everybody if each.role != "viewer"],
            "told": _told(tx, member, senders, clinic.zone),
        }
    done = DONE.get(visit.asked("done"), "")
    view |= {"trouble": trouble, "link": link, "done": done, "today": today.isoformat(), "clash": found}
    return page(visit, "notices.html", status=status, typed=found.fields if found else visit.form, **view)


def _limits(clinic: clinics.Clinic) -> str:
    limits = limits_of(clinic)
    return (
        f"An urgent flag that nobody acknowledges comes again after {_minutes(limits.remind_min)}, goes to the deputy after "
        f"{_minutes(limits.deputy_min)} and to the clinic lead after {plural(limits.lead_days, 'working day')}. "
        "Only the clinic's opening hours count."
    )


def _minutes(number: int) -> str:
    return plural(number // 60, "hour") if number % 60 == 0 else plural(number, "minute")


def _leave(each: Leave, names: Mapping[UUID, str], member: Member) -> dict[str, object]:
    return {
        "id": each.id,
        "who": names.get(each.staff_id, "Somebody who left"),
        "cover": names.get(each.cover_id, "somebody who left"),
        "days": f"{long_day(each.from_day)} to {long_day(each.until_day)}",
        "mine": each.staff_id == member.id,
    }


def _told(tx: Tx, member: Member, senders: list[Sender], zone: str) -> list[dict[str, str]]:
    channels = {sender.id: sender.channel for sender in senders}
    return [_row(each, channels, zone) for each in notices.list_told(tx, member.id)]


def _row(each: Notice, channels: Mapping[UUID, str], zone: str) -> dict[str, str]:
    way = channels.get(each.sender_id, "") if each.sender_id else ""
    state = STATES.get(each.status, each.status)
    return {
        "at": moment(each.status_at, zone),
        "kind": KINDS.get(each.kind, each.kind),
        "way": WAYS.get(way, way.title()),
        "state": f"{state}: {each.reason}" if each.reason and each.status in ("failed", "cancelled", "expired") else state,
    }


def _day(text: str) -> date:
    try:
        day = day_of(text)
    except ValueError as error:
        raise Conflict(str(error)) from None
    if day is None:
        raise Conflict("choose the first and the last day")
    return day


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("choose a colleague from the list") from None


def _sentence(error: Exception) -> str:
    words = str(error)
    return words[:1].upper() + words[1:].rstrip(".") + "."
