"""Deliberate mistakes in the plan of the library, each with the key and the words by which it should be reported."""

from __future__ import annotations

from typing import NamedTuple

from plans.loading import LIBRARY

TEXT = (LIBRARY / "proximal_hamstring_tendinopathy.toml").read_text(encoding="utf-8")
TITLE = TEXT[: TEXT.index('title = "Early Plan"')].count("\n") + 1
STEPS = TEXT[TEXT.index("steps = [\n") : TEXT.index("]\n", TEXT.index("steps = [\n")) + 1]


class Slip(NamedTuple):
    """The first `old` in the file becomes `new`; the mistake is reported under `key` with `words` in its sentence."""

    old: str
    new: str
    key: str
    words: str


SLIPS = {
    "a slot names an unknown exercise": Slip(
        'exercises = ["E1"]\nextra',
        'exercises = ["E9"]\nextra',
        "stages.early.slots.2.exercises",
        "Stage early, slot 2 names exercise E9, which this plan does not define. Define it or remove it.",
    ),
    "an extra names an unknown exercise": Slip(
        'exercises = ["E3"] }',
        'exercises = ["E7"] }',
        "stages.early.slots.2.extra.exercises",
        "Stage early, slot 2 names exercise E7, which this plan does not define",
    ),
    "a slot names an exercise of a later stage": Slip(
        '["E1", "E2", "E4"]',
        '["E1", "I1", "E4"]',
        "stages.early.slots.1.exercises",
        "names exercise I1, which belongs to a later stage",
    ),
    "a slot names an exercise twice": Slip('["E1", "E2", "E4"]', '["E1", "E2", "E4", "E1"]', "stages.early.slots.1.exercises", "E1 twice"),
    "a slot has more than four exercises": Slip(
        '["A1", "A2", "A3", "A4"]',
        '["A1", "A2", "A3", "A4", "E1"]',
        "stages.advanced.slots.1.exercises",
        "has 5 exercises; people manage 4 at most",
    ),
    "an exercise is in no slot": Slip('["E1", "E2", "E4"]', '["E1", "E2"]', "stages.early.exercises.E4.id", "is in no slot"),
    "an unknown key": Slip(
        'tempo = "2-1-2" }\nside', 'temp = "2-1-2" }\nside', "stages.early.exercises.E3.dose.temp", 'Did you mean "tempo"?'
    ),
    "a tempo that no message can say": Slip(
        'tempo = "2-1-2" }\nside', 'tempo = "slow_lower" }\nside', "stages.early.exercises.E3.dose.tempo", 'has the tempo "slow_lower"'
    ),
    "an unknown key at the top": Slip('title = "Prox', 'name = "x"\ntitle = "Prox', "name", 'This plan has a key "name" that is not known'),
    "a missing key": Slip(
        'harder = "Add a third', '# harder = "', "stages.early.exercises.E3.harder", "has no harder (how to make it harder"
    ),
    "a missing table": Slip("[rules.session_pain]", "[rules.review.session_pain]", "rules.session_pain", "has no session_pain"),
    "a number in quotes": Slip("sets = 5", 'sets = "5"', "stages.early.exercises.E1.dose.sets", 'has "5" for sets, which must be a whole'),
    "half a set": Slip("sets = 5", "sets = 4.5", "stages.early.exercises.E1.dose.sets", "has 4.5 for sets, which must be a whole number"),
    "true instead of a number": Slip("sets = 5", "sets = true", "stages.early.exercises.E1.dose.sets", "has true for sets"),
    "a number instead of text": Slip(
        'title = "Early Plan"', "title = 7", "stages.early.title", "has 7 for title, which must be text in quotes"
    ),
    "a date instead of text": Slip('title = "Early Plan"', "title = 2026-01-01", "stages.early.title", "has 2026-01-01 for title"),
    "one thing instead of a list": Slip('["wed"]', '"wed"', "stages.advanced.slots.2.days", "must be a list in square brackets"),
    "a list instead of a table": Slip(
        "easier_dose = { sets = 2, reps = 8, ",
        "easier_dose = [2, 8] # ",
        "stages.early.exercises.E3.easier_dose",
        "must be a table of keys",
    ),
    "no instead of false": Slip(
        "reviewed_by_clinician = false", 'reviewed_by_clinician = "no"', "reviewed_by_clinician", "true or false, without quotes"
    ),
    "too many sets": Slip("sets = 5", "sets = 50", "stages.early.exercises.E1.dose.sets", "has 50 for sets, which must be at most 10"),
    "a pain above ten": Slip("severe_min = 8", "severe_min = 11", "rules.session_pain.severe_min", "must be at most 10"),
    "a negative rest": Slip("rest_s = 60", "rest_s = -1", "stages.early.exercises.E1.dose.rest_s", "must be at least 0"),
    "an unknown day": Slip(
        '"wed", "fri"], exe', '"mittwoch", "fri"], exe', "stages.early.slots.2.extra.days", "must be mon, tue, wed, thu, fri, sat or sun"
    ),
    "an unknown type": Slip('"balance"', '"wobble"', "stages.early.exercises.E4.type", 'has "wobble" for type, which must be isometric, '),
    "running that is not locked": Slip("locked = true\nmin_gap_h", "locked = false\nmin_gap_h", "return_to_run.locked", "must be true"),
    "one number of weeks": Slip("[2, 4]", "[2]", "stages.early.expected_weeks", "has too few numbers in expected_weeks"),
    "three numbers of weeks": Slip("[2, 4]", "[2, 4, 6]", "stages.early.expected_weeks", "lists more in expected_weeks than the 2"),
    "an empty list": Slip('["wed"]', "[]", "stages.advanced.slots.2.days", "lists 0 in days; it needs at least 1"),
    "an empty text": Slip('title = "Early Plan"', 'title = ""', "stages.early.title", "has nothing in title"),
    "a blank text": Slip('title = "Early Plan"', 'title = "  "', "stages.early.title", "has nothing in title"),
    "an id with a blank": Slip('id = "warm_up"', 'id = "warm up"', "tips.warm up.id", "must begin with a letter"),
    "a version with two numbers": Slip('"0.3.0"', '"0.1"', "version", "must be three numbers with dots between them"),
    "a text too long for a message": Slip(
        'advice_green = "',
        f'advice_green = "{"Well done. " * 90}',
        "stages.early.advice_green",
        "fit into a chat message. Make it shorter.",
    ),
    "a name too long for a phone": Slip(
        'name = "Side', f'name = "{"Long " * 20}Side', "stages.early.exercises.E3.name", "easy to read on a phone"
    ),
    "instructions too long together": Slip(
        "Lie on your side with", f"{'Lie down. ' * 70}", "stages.early.exercises.E3.how", "characters of instructions; 1000 fit"
    ),
    "a stage id twice": Slip('id = "intermediate"', 'id = "early"', "stages.early.id", "has the id early, which is already taken"),
    "an exercise id twice in the plan": Slip('id = "I1"', 'id = "E1"', "stages.intermediate.exercises.E1.id", "already taken"),
    "a slot number twice": Slip("number = 2", "number = 1", "stages.early.slots.1.number", "has the number 1, which is already taken"),
    "a tip id twice": Slip('id = "cushion"', 'id = "sitting"', "tips.sitting.id", "already taken"),
    "a rung id twice": Slip('"E1_2"', '"E1_1"', "stages.early.exercises.E1.rungs.E1_1.id", "already taken"),
    "rungs out of order": Slip(
        '"E1_2"', '"E1_3"', "stages.early.exercises.E1.rungs.E1_3.id", "is number 2 of the ladder, so its id must be E1_2"
    ),
    "a first rung with another dose": Slip(
        'effort.", dose = { sets = 5',
        'effort.", dose = { sets = 4',
        "stages.early.exercises.E1.rungs.E1_1.dose",
        "the same dose as the exercise",
    ),
    "repetitions and a hold": Slip(
        "hold_s = 30,", "hold_s = 30, reps = 3,", "stages.early.exercises.E1.dose", "exactly one of reps, hold_s and dist_m"
    ),
    "neither repetitions nor a hold": Slip("hold_s = 30, ", "", "stages.early.exercises.E1.dose", "but has none of them"),
    "a hold counted in repetitions": Slip(
        "hold_s = 30", "reps = 30", "stages.early.exercises.E1.dose.reps", "of type isometric is counted in hold_s"
    ),
    "two amounts in an easier dose": Slip(
        "easier_dose = { sets = 5,",
        "easier_dose = { sets = 5, dist_m = 4,",
        "stages.early.exercises.E1.easier_dose",
        "has hold_s and dist_m",
    ),
    "a later start without rungs": Slip(
        'rungs = [\n  { id = "P3_1"',
        'harders = [\n  { id = "P3_1"',
        "stages.advanced.exercises.P3.rungs",
        "starts later (start_after), but has no",
    ),
    "progress with pain above the ceiling": Slip(
        "session_max = 3", "session_max = 6", "stages.early.progression.session_max", "has session_max 6, above the ceiling of 5"
    ),
    "progress with a day after above the ceiling": Slip(
        "next_max = 3", "next_max = 7", "stages.early.progression.next_max", "above the ceiling of 5"
    ),
    "more answers wanted than days": Slip(
        "min_answered_24h = 5", "min_answered_24h = 7", "stages.early.progression.min_answered_24h", "It can be 6 at most"
    ),
    "due after overdue": Slip("min_days = 14", "min_days = 60", "stages.early.progression.min_days", "overdue after 42"),
    "a green band above the amber": Slip("green_max = 3", "green_max = 5", "rules.session_pain.green_max", "the green band ends below"),
    "an amber band beyond the ceiling": Slip("amber_max = 5", "amber_max = 6", "rules.session_pain.amber_max", "but the ceiling is 5"),
    "severe pain inside the amber band": Slip(
        "severe_min = 8", "severe_min = 5", "rules.session_pain.amber_max", "severe pain begins above"
    ),
    "a settled day above the ceiling": Slip("settled_max = 5", "settled_max = 6", "rules.after_24h.settled_max", "never settled"),
    "a repeat that cannot happen": Slip("repeat_window = 5", "repeat_window = 2", "rules.session_pain.repeat_over", "inside that window"),
    "weeks in the wrong order": Slip("[2, 4]", "[4, 2]", "stages.early.expected_weeks", "expects 4 to 2 weeks"),
    "overdue before it is expected": Slip(
        "overdue_days = 42", "overdue_days = 21", "stages.early.overdue_days", "is overdue after 21 days"
    ),
    "a window the wrong way round": Slip("[16, 36]", "[36, 16]", "rules.after_24h.window_h", "the smaller number first"),
    "a soft limit above the target": Slip(
        "adherence_soft_pct = 60", "adherence_soft_pct = 90", "rules.adherence_soft_pct", "below the target"
    ),
    "a review after the late one": Slip(
        "planned_review_days = 84", "planned_review_days = 200", "rules.review.planned_review_days", "comes before"
    ),
    "a plyometric exercise in an open slot": Slip(
        "locked = true", "locked = false", "stages.advanced.slots.2.exercises", "names the plyometric exercise P1, but is not locked"
    ),
    "an ordinary exercise in a locked slot": Slip(
        '["P1", "P2", "P3"]',
        '["P1", "P2", "P3", "E1"]',
        "stages.advanced.slots.2.exercises",
        "is locked, but exercise E1 is not plyometric",
    ),
    "a locked slot that nothing suggests to open": Slip(
        "[stages.plyometric_unlock]",
        "[stages.progression.x]",
        "stages.advanced.plyometric_unlock",
        "has a locked slot, but no plyometric_unlock",
    ),
    "plyometrics without a return to running": Slip(
        "[return_to_run]", "[rules.x]", "return_to_run", "but no [return_to_run] with its steps"
    ),
    "running with a single step": Slip("steps = [", 'steps = ["Run."]\nother = [', "return_to_run.steps", "it needs at least 2"),
    "a running step twice": Slip('"Gentle hills."', '"Intervals."', "return_to_run.steps", 'has the step "Intervals." twice'),
    "an exercise on more days than allowed": Slip(
        'days = ["mon", "fri"]',
        'days = ["mon", "wed", "fri"]',
        "stages.advanced.exercises.A4.max_per_week",
        "2 times a week, but slot 1 has it on 3 days",
    ),
    "days closer together than the gap": Slip(
        '["mon", "wed", "fri"]\nexercises = ["I1"',
        '["mon", "tue", "fri"]\nexercises = ["I1"',
        "stages.intermediate.slots.1.min_gap_h",
        "but leaves 24 hours between Monday and Tuesday",
    ),
    "a gap broken over the weekend": Slip(
        '["mon", "wed", "fri"]\nexercises = ["I1"',
        '["mon", "wed", "sun"]\nexercises = ["I1"',
        "stages.intermediate.slots.1.min_gap_h",
        "24 hours between Sunday and Monday",
    ),
    "a gap broken by another slot": Slip(
        '["wed"]', '["thu"]', "stages.advanced.slots.1.min_gap_h", "leaves 24 hours between Thursday and Friday"
    ),
    "a day twice": Slip('["wed"]', '["wed", "wed"]', "stages.advanced.slots.2.days", "names the day wed twice"),
    "an extra on a day without the slot": Slip(
        '"fri", "sat", "sun"]\nexercises = ["E1"]',
        '"sat", "sun"]\nexercises = ["E1"]',
        "stages.early.slots.2.extra.days",
        "has an extra on fri",
    ),
    "a number without a source": Slip('"pain_ceiling" = "SEED"\n', "", "rules.sources.pain_ceiling", "gives no source for pain_ceiling"),
    "a stage's number without a source": Slip(
        '"stages.early.overdue_days" = "default"\n',
        "",
        "rules.sources.stages.early.overdue_days",
        "gives no source for stages.early.overdue_days",
    ),
    "a source for nothing": Slip(
        '"pain_ceiling" = "SEED"', '"pain_ceiling" = "SEED"\n"ceiling" = "SEED"', "rules.sources.ceiling", "is no number of this plan"
    ),
    "a number from an unknown source": Slip(
        '"pain_ceiling" = "SEED"', '"pain_ceiling" = "L99"', "rules.sources.pain_ceiling", 'names the source "L99"'
    ),
    "an exercise from an unknown source": Slip('"L7", ', '"X7", ', "stages.early.exercises.E1.source", 'names the source "X7"'),
    "a source key without quotes": Slip(
        '"session_pain.green_max" =', "session_pain.green_max =", "rules.sources.session_pain", "must be text in quotes"
    ),
    "no references": Slip("\n[references]", "\n[rules.reference]", "references", "has no references"),
    "a prompt in the quiet hours": Slip(
        '"08:30"', '"07:30"', "stages.early.slots.1.suggested_time", "inside the quiet hours (21:00 to 08:00)"
    ),
    "a time that is none": Slip('"08:30"', '"8.30 am"', "stages.early.slots.1.suggested_time", 'must be a time of day such as "08:30"'),
    "a quiet hour that is none": Slip('"21:00"', '"25:00"', "rules.delivery.quiet_from", 'must be a time of day such as "08:30"'),
    "more prompts than messages": Slip(
        "prompted = false", "prompted = true", "stages.early.slots", "more prompted slots on mon than messages_a_day (1) allows"
    ),
    "two prompts at one time": Slip(
        '"18:30"\nprompted = false', '"08:30"', "stages.early.slots.2.suggested_time", "at the same time as another slot"
    ),
    "no slot that everybody is messaged about": Slip(
        '"08:30"', '"08:30"\noptional = true', "stages.early.slots", "has no slot that every patient"
    ),
    "an unknown placeholder": Slip(
        "above {ceiling}. Do", "above {limit}. Do", "flare_plan", 'has "{limit}" in flare_plan, which nothing fills in'
    ),
    "a placeholder left open": Slip("above {ceiling}. Do", "above {ceiling. Do", "flare_plan", "has a lone curly bracket in flare_plan"),
    "a text that is not closed": Slip(
        'title = "Early Plan"', 'title = "Early Plan', f"line {TITLE}", f"Line {TITLE} cannot be read: a text is not closed"
    ),
    "a key twice": Slip('title = "Early Plan"', 'title = "a"\ntitle = "b"', f"line {TITLE + 1}", "this key was already given above"),
    "no questions at enrolment": Slip(
        TEXT[TEXT.index("[[eligibility]]") : TEXT.index("\n[rules]\n")], "", "eligibility", "asks nothing at enrolment"
    ),
    "a ceiling above five": Slip("pain_ceiling = 5", "pain_ceiling = 8", "rules.pain_ceiling", "above 5 out of 10"),
    "a hip that may bend less in a later stage": Slip(
        "hip_flexion_limit_deg = 60",
        "hip_flexion_limit_deg = 20",
        "stages.intermediate.hip_flexion_limit_deg",
        "20, less than the 30 of the stage before",
    ),
    "a hip that may not bend at all": Slip(
        "hip_flexion_limit_deg = 30", "hip_flexion_limit_deg = 0", "stages.early.hip_flexion_limit_deg", "by 10 to 120 degrees"
    ),
    "too few steps back to running": Slip(
        STEPS, 'steps = ["A walk.", "A run."]', "return_to_run.steps", "has 2 steps. From walking to sprinting it takes at least 10"
    ),
}
