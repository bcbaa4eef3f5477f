"""The red-flag screen: over-sensitive, but not deaf to "no" nor to a figure of speech."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

from bot_service.clinical.red_flags import LANGUAGES, TIERS, find_red_flag
from bot_service.conversation.language import SHIPPED
from tests.conversation.labelled import rows
from tests.growth import TOO_STEEP, times_dearer

MEANT_AS_FLAGS = {"fell to", "bruised feeling"}  # said of the pain, but a fall and a bruise alone are worth a flag


def tier(text: str, language: str = "en") -> str | None:
    flag = find_red_flag(text, language)
    return None if flag is None else flag.tier


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("can't pee", "cauda_equina"), ("numb down below", "cauda_equina"), ("wet myself twice today", "cauda_equina"),
        ("lost control of my bowels", "cauda_equina"), ("I can't feel when I wipe", "cauda_equina"),
        ("pins and needles in both legs", "cauda_equina"), ("both legs weak", "cauda_equina"),
        ("can't get an erection since the back pain started", "cauda_equina"), ("my bum goes numb on hard chairs", "cauda_equina"),
        ("no feeling between my legs", "cauda_equina"), ("chest pain", "chest"), ("coughing up blood", "chest"),
        ("suddenly can't breathe", "chest"), ("want to end it all", "suicide"), ("I don't want to live any more", "suicide"),
        ("i'd be better off dead", "suicide"), ("just can't go on", "suicide"), ("i cant go on any longer", "suicide"),
        ("can't go on", "suicide"), ("cannot go on 😔", "suicide"),
    ],
)  # fmt: skip
def test_emergencies_in_english(text: str, family: str) -> None:
    flag = find_red_flag(text, "en")
    assert flag is not None and (flag.tier, flag.family) == ("EMERGENCY", family)


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("felt a pop in my bum", "tear"), ("my leg gave way and I heard a snap", "tear"), ("leg is black and blue", "tear"),
        ("can't put any weight on it", "tear"), ("can't straighten or lift the leg", "tear"), ("calf red and swollen one side", "dvt"),
        ("leg feels hot and swollen", "dvt"), ("I have a fever", "infection"), ("my foot is dropping", "neuro"),
        ("leg keeps giving way", "neuro"), ("my toes are numb", "neuro"), ("car accident today", "fall"),
        ("fell down the stairs", "fall"), ("went to A&E last night with my leg", "hospital"),
        ("on cipro and my tendon is sore", "fluoroquinolone"), ("new groin pain and I'm limping", "groin_limp"),
    ],
)  # fmt: skip
def test_urgent_signs_in_english(text: str, family: str) -> None:
    flag = find_red_flag(text, "en")
    assert flag is not None and (flag.tier, flag.family) == ("URGENT", family)


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("wakes me every night even lying still", "night_pain"), ("night sweats", "systemic"),
        ("lost a stone without trying", "systemic"), ("I have a history of cancer", "systemic"),
        ("tingling down the back of my leg", "neuro"), ("started antibiotics", "fluoroquinolone"),
        ("I have been put on ciprofloxacin", "fluoroquinolone"),
    ],
)  # fmt: skip
def test_prompt_signs_in_english(text: str, family: str) -> None:
    flag = find_red_flag(text, "en")
    assert flag is not None and (flag.tier, flag.family) == ("PROMPT", family)


@pytest.mark.parametrize(
    "text",
    [
        "3, no numbness or tingling", "no pop no bruise, 2/10", "no numbness, tingling or weakness", "not numb any more",
        "without any swelling in my calf", "haven't had any tingling", "never felt a pop", "didn't hear a snap", "no calf swelling",
        "my calf is not red or swollen", "no bruising or numbness just tired", "no fever, no chills", "no signs of infection",
        "no pins and needles", "no tingling and numbness today",
    ],
)  # fmt: skip
def test_a_denied_symptom_is_no_flag(text: str) -> None:
    assert find_red_flag(text, "en") is None


@pytest.mark.parametrize(
    "text",
    [
        "no numbness except between my legs, 3", "no numbness but weakness in both legs", "no my leg went numb", "no, my leg is numb",
        "no feeling in my foot", "I didn't do it my leg is numb", "not sure if it's numb", "no pop, calf swollen",
        "no better, still numb", "no, went to A&E", "not only numb but weak", "no idea why my leg is numb", "no pain, both legs numb",
        "no pain. can't pee",
    ],
)  # fmt: skip
def test_a_no_about_something_else_hides_no_symptom(text: str) -> None:
    assert find_red_flag(text, "en") is not None


@pytest.mark.parametrize(
    "text",
    [
        "pop music", "listening to a pop playlist", "popped to the shops", "killed it", "dying lol", "I'm dying to know",
        "my leg is killing me", "fell asleep", "fell off the wagon", "slipped my mind", "chest press 3 sets", "hay fever is bad",
        "warm up done", "hot bath after", "cracked on with it", "crack of dawn", "red band today", "number 3 hurt",
        "work at the hospital", "popped two paracetamol", "wear and tear", "legs tired but no pain", "both legs sore", "sore legs",
        "bus stop", "smashed it",
    ],
)  # fmt: skip
def test_a_figure_of_speech_is_no_flag(text: str) -> None:
    assert find_red_flag(text, "en") is None


@pytest.mark.parametrize(
    "text",
    [
        "the resistance band snapped", "my tights ripped, 3", "kids have a fever so no time", "my son is really poorly", "baby wet the bed",
        "lost weight on purpose", "trying to lose some weight", "I had a fever last year", "can't walk the dog tonight",
        "couldn't sleep because of the neighbours", "can't feel any difference yet", "race for cancer research",
        "shivering in this weather", "suddenly it's a lot better", "dragged my feet all week", "my chest is sore from press ups",
        "my mate tore his hamstring", "a bloke at football snapped his achilles", "mum is in hospital", "dad had a fall",
        "band snapped halfway",
    ],
)  # fmt: skip
def test_a_thing_or_a_child_or_a_purpose_is_no_symptom_of_the_patient(text: str) -> None:
    assert find_red_flag(text, "en") is None


@pytest.mark.parametrize(
    "text",
    [
        "the band snapped and I felt a pop in my hamstring", "snapped my hamstring on the band", "my kids and I have a fever",
        "my kids are well, I have a fever", "I have a fever, my kids too", "lost weight without being on a diet",
        "I can't walk, it's killing me", "it won't support me when I stand", "can't walk alone today", "can't walk to work, leg's gone",
        "fell last year, fell again today", "the band snapped. something snapped in me", "nothing really in my bum, numb",
        "loud pop at the back of my thigh", "leg weakness for two days", "popped my hamstring", "there was a crack at the back of my thigh",
        "crashed on my bike", "bladder not normal", "kids gave me a fever", "my son is fine but fever",
        "can't walk now but the dog is fine", "rain or shine I can't walk",
        "my mate tore my hamstring", "my son fell on my leg", "the band snapped his hamstring", "mum fell and can't put her foot down",
        "leg popped, mate saw his", "leg my mate tore his",
        "snapped his hamstring with my mate", "popped hamstring my mate says", "leg popped my son",
    ],
)  # fmt: skip
def test_a_thing_or_a_child_beside_it_hides_no_symptom_of_the_patient(text: str) -> None:
    assert find_red_flag(text, "en") is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("she can't feel her legs", "EMERGENCY"), ("he wants to end his life", "EMERGENCY"), ("she doesn't want to live", "EMERGENCY"),
        ("he wet himself", "EMERGENCY"), ("mum had a tumble and can't put her foot down", "URGENT"), ("it wakes her every night", "PROMPT"),
        ("cudnt feel my foot", "URGENT"), ("carnt breeth", "EMERGENCY"),
    ],
)  # fmt: skip
def test_a_relative_or_a_slip_of_the_finger_is_heard(text: str, expected: str) -> None:
    assert tier(text) == expected


def test_a_language_judges_only_what_would_be_a_flag_in_it_by_itself() -> None:
    assert find_red_flag("pop en la pierna", "es") is not None
    assert find_red_flag("música pop", "es") is None
    assert find_red_flag("never had cancer", "en") is None
    assert find_red_flag("never had cancer", "es") is not None


def test_a_long_message_of_excused_words_costs_no_more_for_each_of_them_than_a_shorter_one() -> None:
    assert times_dearer(lambda number: find_red_flag("the band snapped " * number, "en"), 1000) < TOO_STEEP


def test_the_highest_tier_wins() -> None:
    assert tier("tingling in my toes, a fever, and I can't pee") == "EMERGENCY"
    assert tier("night sweats and a big bruise") == "URGENT"


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("es", "no puedo orinar", "EMERGENCY"), ("es", "no siento las piernas", "EMERGENCY"), ("es", "me duele el pecho", "EMERGENCY"),
        ("es", "quiero morirme", "EMERGENCY"), ("es", "noté un chasquido en el muslo", "URGENT"),
        ("es", "la pantorrilla está hinchada", "URGENT"), ("es", "tengo fiebre", "URGENT"),
        ("es", "me caí por las escaleras", "URGENT"), ("es", "sudores nocturnos", "PROMPT"), ("es", "hormigueo en el pie", "PROMPT"),
        ("es", "no tengo fiebre", None), ("es", "sin adormecimiento ni hormigueo", None), ("pl", "nie mogę się wysikać", "EMERGENCY"),
        ("pl", "drętwieje mi krocze", "EMERGENCY"), ("pl", "ból w klatce piersiowej", "EMERGENCY"), ("pl", "chcę umrzeć", "EMERGENCY"),
        ("pl", "coś strzeliło w pośladku i nie mogę chodzić", "URGENT"), ("pl", "spuchła mi łydka", "URGENT"),
        ("pl", "mam gorączkę", "URGENT"), ("pl", "przewróciłem się", "URGENT"), ("pl", "nocne poty", "PROMPT"),
        ("pl", "mrowienie w stopie", "PROMPT"), ("pl", "bez drętwienia", None), ("pl", "nie mam gorączki", None),
        ("ar", "لا أستطيع التبول", "EMERGENCY"), ("ar", "تنميل بين الفخذين", "EMERGENCY"), ("ar", "ألم في صدري", "EMERGENCY"),
        ("ar", "أريد أن أموت", "EMERGENCY"), ("ar", "سمعت طقة في فخذي", "URGENT"), ("ar", "تورم في الساق", "URGENT"),
        ("ar", "عندي حمى", "URGENT"), ("ar", "وقعت على الدرج", "URGENT"), ("ar", "تعرق ليلي", "PROMPT"),
        ("ar", "وخز في القدم", "PROMPT"), ("ar", "لا يوجد تنميل", None), ("ar", "بدون حمى", None),
        ("hi", "peshab nahi ho raha", "EMERGENCY"), ("hi", "dono pair sunn ho gaye hain", "EMERGENCY"),
        ("hi", "सीने में दर्द", "EMERGENCY"), ("hi", "marna chahta hun", "EMERGENCY"), ("hi", "chatak ki awaz aayi", "URGENT"),
        ("hi", "पिंडली में सूजन", "URGENT"), ("hi", "bukhar hai", "URGENT"), ("hi", "main gir gaya", "URGENT"),
        ("hi", "raat ko pasina", "PROMPT"), ("hi", "पैर में झुनझुनी", "PROMPT"), ("hi", "sunn nahi hai", None),
        ("hi", "बुखार नहीं है", None),
    ],
)  # fmt: skip
def test_every_tier_is_found_in_every_shipped_language_and_its_negation_heard(language: str, text: str, expected: str | None) -> None:
    assert tier(text, language) == expected


DESPAIR = {
    "en": (
        "I hate this, I can't go on", "I can't do this anymore, what's the point", "hopeless, cant take it any more",
        "I hate this. I can't go on.", "My wife has left me. I can't go on 😭", "I just want to... die", "I don't want to\nlive anymore",
        "If I died. They'd all be happier.", "I took them. All the pills.", "Can't take this any more! What is the point?",
    ),
    "es": (
        "odio esto, no puedo seguir", "Odio esto. No puedo seguir.", "¿Para qué? No puedo más. Nada tiene sentido.",
        "ya no quiero... vivir", "No le veo sentido a seguir viviendo.",
    ),
    "pl": ("nienawidzę tego, nie mogę tak dalej", "Nienawidzę tego. Nie mogę tak dalej.", "nie chcę już... żyć"),
    "ar": ("أكره هذا، لا أستطيع الاستمرار", "أكره هذا. لا أستطيع الاستمرار.", "لا أريد... أن أعيش"),
    "hi": ("इससे नफरत है, अब और नहीं सहा जाता", "इससे नफरत है। अब और नहीं सहा जाता।", "अब जीना... नहीं चाहता"),
}  # fmt: skip
ONLY_THE_EXERCISES = {
    "en": (
        "can't go on holiday with this, I hate it", "can't go on with this exercise", "I hate this exercise, can't do this anymore",
        "I can't go on with this exercise, I hate it", "I hate it", "I hate this exercise. I can't do this anymore.",
        "I hate this. Can't go on holiday now.", "did 3 sets. couldn't go on", "ran 2k, can't go on", "Had enough. Of bridges.",
        "took paracetamol. all the exercises done", "I can't go on Tuesday", "took the pills. a whole box of leaflets came",
        "if I wasn't there. better off doing it at home", "cant do life admin today", "can't do life drawing class", "can't go on a run",
    ),
    "es": ("no puedo seguir con este ejercicio", "no puedo más, odio este ejercicio"),
    "pl": ("nie dam rady dalej ćwiczyć",),
    "ar": ("لا أستطيع الاستمرار في التمرين",),
    "hi": ("और नहीं कर सकता व्यायाम",),
}  # fmt: skip


@pytest.mark.parametrize("language", DESPAIR)
def test_who_cannot_go_on_in_despair_is_in_a_crisis_and_who_cannot_go_on_exercising_is_not(language: str) -> None:
    flags = [find_red_flag(text, language) for text in DESPAIR[language]]
    assert [flag and (flag.tier, flag.family) for flag in flags] == [("EMERGENCY", "suicide")] * len(flags)
    assert [text for text in ONLY_THE_EXERCISES[language] if find_red_flag(text, language)] == []


HOPELESS = {
    "en": (
        "1 but feeling pretty hopeless, dont see the point of anything anymore", "dont see the point of anything any more",
        "I feel hopeless about this", "feeling hopeless", "whats the point of anything", "theres no point going on",
        "it all feels hopeless", "feeling so hopeless at the moment, 3", "hopeless is how I feel",
        "did them, 2. I just don't see any point in it all any more",
        "nothing matters any more", "I've lost all hope", "no point in doing anything any more", "i do not see the point in anything 2",
    ),
    "es": (
        "1 pero me siento sin esperanza", "ya no le veo sentido a nada", "¿qué sentido tiene seguir así?", "me siento muy desesperanzada",
        "he perdido la esperanza", "ya nada me importa, 3",
    ),
    "pl": (
        "1 ale czuję się bez nadziei", "nie widzę już sensu w niczym", "nic nie ma sensu", "po co to wszystko", "straciłam nadzieję",
        "czuję się zupełnie beznadziejnie",
    ),
    "ar": ("أشعر باليأس", "1 لكن أشعر باليأس", "لا أرى معنى لأي شيء", "ما الفائدة من أي شيء", "فقدت الأمل", "ما فيه فايدة من أي شي"),
    "hi": (
        "1 lekin nirash mehsoos kar raha hoon", "kisi cheez ka koi matlab nahi", "किसी भी चीज़ का कोई मतलब नहीं", "निराश महसूस कर रही हूँ",
        "कोई उम्मीद नहीं बची", "is sab ka kya fayda", "main bahut hopeless feel kar raha hoon",
    ),
}  # fmt: skip
NOT_HOPELESS = {
    "en": (
        "I'm hopeless at remembering these", "my balance is hopeless", "no point doing them twice", "what's the point of the bridge?",
        "the point of the bridge is lost on me", "I feel hopeless at this balance one", "whats the point of these any more reps",
        "dont see the point of the warm up", "no point doing anything else today, 3", "no point going on holiday with this",
        "2, I don't feel hopeless",
        "hopefully a 2 tomorrow", "I see the point of it now", "did everything, no point stopping",
        "felt a bit pointless",
        "whats the point of all this stretching", "my signal is hopeless, everything is slow", "no point trying anything new",
        "at this point about a 2",
        "no pain at any point, 1",
        "a bit pointless this exercise", "whats the point of doing it 3 times", "I'm hopeless with technology",
        "any more than 10 is too much",
        "don't see any point in more exercises", "5 points better", "hopeless signal here, did them, 2",
    ),
    "es": (
        "no tiene sentido hacerlos dos veces", "estoy desesperado por correr", "soy un desastre con la memoria",
        "espero que mañana sea un 2", "¿qué sentido tiene el puente?", "no hice nada más, 2", "me sentí bien, 2",
    ),
    "pl": (
        "nie ma sensu robić ich dwa razy", "jestem beznadziejny w liczeniu", "po co ten mostek?", "nic mi nie jest, 1", "nic więcej, 2",
        "mam nadzieję że jutro 2", "po co mi ta guma", "nie czuję bólu, 0",
    ),
    "ar": ("لا فائدة من تكرارها مرتين", "ما الفائدة من هذا التمرين؟", "آمل أن يكون غدا 2", "أشعر بتحسن 2", "لا شيء، 2"),
    "hi": ("do baar karne ka koi fayda nahi", "kya matlab sab kuch karna hai?", "इस कसरत का क्या फायदा?", "umeed hai kal 2 hoga",
        "kuch nahi, 2", "अच्छा महसूस हो रहा है 2"),
}  # fmt: skip


@pytest.mark.parametrize("language", HOPELESS)
def test_who_has_no_hope_or_sees_no_point_in_anything_is_in_a_crisis_and_who_sees_none_in_an_exercise_is_not(language: str) -> None:
    flags = [(text, find_red_flag(text, language)) for text in HOPELESS[language]]
    assert [text for text, flag in flags if flag is None or (flag.tier, flag.family) != ("EMERGENCY", "suicide")] == []
    assert [(text, flag) for text in NOT_HOPELESS[language] if (flag := find_red_flag(text, language))] == []


def test_an_emergency_is_heard_over_a_pause_for_breath_and_not_over_a_full_stop() -> None:
    assert tier("I can't feel... my legs") == tier("numb …\nbetween my legs") == "EMERGENCY"
    assert tier("I can't feel. My legs are fine") == "URGENT"


def test_a_frightened_patient_may_write_in_any_shipped_language() -> None:
    assert tier("nie mogę się wysikać", "en") == tier("can't pee", "pl") == tier("لا أستطيع التبول", "de") == "EMERGENCY"


def test_no_other_labelled_reply_is_flagged_and_every_labelled_one_is() -> None:
    for name in ("replies.jsonl", "held_out_replies.jsonl"):
        different = [row.text for row in rows(name) if (find_red_flag(row.text, row.language) is not None) != (row.expect == "red_flag")]
        assert different == []


@pytest.mark.parametrize("code", SHIPPED)
def test_no_everyday_phrase_of_a_language_is_a_red_flag_in_it_or_in_another(code: str) -> None:
    """Folded, the Polish for bruises was "since", and "I feel no pain" was numbness: every phrase goes through every screen."""
    written = tomllib.loads(files("bot_service.conversation").joinpath(f"languages/{code}.toml").read_text(encoding="utf-8"))
    phrases = [phrase for phrases in written["context"].values() for phrase in phrases]
    assert [phrase for phrase in phrases if find_red_flag(phrase, code) and phrase not in MEANT_AS_FLAGS] == []


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("a bit stiff since Monday, 3", "en"), ("deleted the app by accident, 3", "en"), ("is this an emergency number?", "en"),
        ("3 at room temperature", "en"), ("caminé 5 kms, dolor 2", "es"), ("ran 5 kms, pain 2", "en"),
        ("me cambié de ropa y los hice, 2", "es"), ("temperatura ambiente, 2", "es"),
    ],
)  # fmt: skip
def test_an_everyday_word_that_is_a_symptom_elsewhere_is_no_flag(text: str, language: str) -> None:
    assert find_red_flag(text, language) is None


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_set_a_rule_names_is_written_in_english_and_no_other_language_has_a_set_that_no_rule_names(code: str) -> None:
    folder = files("bot_service.clinical").joinpath("red_flag_words")
    table = tomllib.loads(folder.joinpath("rules.toml").read_text(encoding="utf-8"))
    sets = tomllib.loads(folder.joinpath(f"{code}.toml").read_text(encoding="utf-8"))["sets"].keys()
    named = {name for rule in table["rules"] for key in ("sets", "unless", "unless_of") for name in rule.get(key, ())}
    assert sets <= named and set(table["plain"]) <= named
    assert code != "en" or named <= sets


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_covers_every_family_of_every_tier(code: str) -> None:
    folder = files("bot_service.clinical").joinpath("red_flag_words")
    rules = tomllib.loads(folder.joinpath("rules.toml").read_text(encoding="utf-8"))["rules"]
    sets = tomllib.loads(folder.joinpath(f"{code}.toml").read_text(encoding="utf-8"))["sets"]
    covered = {(rule["tier"], rule["family"]) for rule in rules if set(rule["sets"]) <= set(sets)}
    assert covered == {(rule["tier"], rule["family"]) for rule in rules}
    assert {rule["tier"] for rule in rules} == set(TIERS)


@pytest.mark.parametrize("text", ["", "\ud800", "no " * 3000, "numb " * 3000, "*", "\u0000can't pee"])
def test_any_text_can_be_screened(text: str) -> None:
    find_red_flag(text, "en")
    find_red_flag(text, "")
