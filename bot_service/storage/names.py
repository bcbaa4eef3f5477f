"""By which words a patient is found: keyed hashes of how the words of a name begin, in each way that a name of several parts is typed."""

from __future__ import annotations

import unicodedata
from uuid import UUID

from cryptography.exceptions import InvalidTag
from sqlalchemy import bindparam, exists, select
from sqlalchemy.exc import SQLAlchemyError

from bot_service.errors import SettingsError
from bot_service.storage.database import Database, Tx
from bot_service.storage.tables import name_tokens, patients

AT_ONCE = 200
"""Patients whose words are stored anew in one transaction (default): a fraction of a second in which nobody else writes."""
_PREFIX = 12
_SPLIT_THIS_WAY = "\0 2"
"""Stands among a patient's words, where no search reaches it, once they are split as they are below."""
_APOSTROPHES = str.maketrans(dict.fromkeys("'’‘ʼʻ`´＇"))
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})
"""Letters that have no plain letter in them by Unicode, as people type them without the mark."""


def tokens(name: str) -> list[str]:
    """The beginnings of the words of a name, of which hashes are kept: O'Neil-Smith is oneil, neil, smith and oneilsmith."""
    found = {word for chunk in name.split() for word in (*_parts(chunk), *_parts(chunk.translate(_APOSTROPHES)), "".join(_parts(chunk)))}
    return sorted({word[:length] for word in found for length in range(1, min(len(word), _PREFIX) + 1)})


def token_hashes(tx: Tx, name: str) -> list[bytes]:
    """What `name_tokens` holds for a patient of that name."""
    return [tx.db.keys.index("name", token) for token in (*tokens(name), _SPLIT_THIS_WAY)]


def name_hashes(tx: Tx, words: str) -> list[bytes]:
    """What is asked for to find a patient in whose name words begin with every one of `words`."""
    return [tx.db.keys.index("name", word[:_PREFIX]) for word in _parts(words.translate(_APOSTROPHES))]


def add_words(tx: Tx, clinic_id: UUID, patient_id: UUID, name: str) -> None:
    """Let a new patient be found."""
    for token in token_hashes(tx, name):
        tx.run(_ADD, {"token_hash": token, "patient_id": patient_id, "clinic_id": clinic_id})


def store_all_anew(db: Database) -> None:
    """The words of all patients whom an earlier version split otherwise. Raises SettingsError where that cannot be done."""
    try:
        while _some_anew(db):
            pass
    except SQLAlchemyError as error:
        kind = type(error).__name__
        raise SettingsError(
            f"the names of patients cannot be made ready for the search ({kind}); see that the database can be written to, and start again"
        ) from None


def _some_anew(db: Database) -> int:
    with db.begin() as tx:
        return store_anew(tx)


def store_anew(tx: Tx, at_once: int = AT_ONCE) -> int:
    """Words of `at_once` patients that an earlier version split otherwise; how many patients, none once all are done.

    Raises SettingsError, naming the patient's reference, for a name that does not open with its key.
    """
    there = exists().where(name_tokens.c.token_hash == bindparam("mark"), name_tokens.c.patient_id == patients.c.id)
    old = select(patients.c.id, patients.c.clinic_id, patients.c.ref, patients.c.name, patients.c.data_key).where(
        patients.c.name.is_not(None), patients.c.data_key.is_not(None), ~there
    )
    rows = tx.all(old.order_by(patients.c.id).limit(at_once), {"mark": tx.db.keys.index("name", _SPLIT_THIS_WAY)})
    for row in rows:
        tx.remember_key(row.id, row.data_key)
        try:
            name = tx.unseal(row.id, f"patients.name:{row.id}", row.name) or ""
        except InvalidTag:
            raise SettingsError(
                f"the name of patient {row.ref} is damaged in the database; restore it from a backup, and start again"
            ) from None
        wanted = token_hashes(tx, name)
        had = {each.token_hash for each in tx.all(_KEPT, {"patient": row.id, "hashes": wanted})}
        for token in wanted:
            if token not in had:  # or another replica that starts now is adding it
                tx.attempt(_ADD, {"token_hash": token, "patient_id": row.id, "clinic_id": row.clinic_id})
    return len(rows)


def find_by_name(tx: Tx, clinic_id: UUID, words: str) -> set[UUID]:
    """Patients of the clinic whose name has words that begin with every one of `words`."""
    found: set[UUID] | None = None
    for token in name_hashes(tx, words):
        query = select(name_tokens.c.patient_id).where(name_tokens.c.clinic_id == clinic_id, name_tokens.c.token_hash == token)
        ids = {row.patient_id for row in tx.all(query)}
        found = ids if found is None else found & ids
    return found or set()


_ADD = name_tokens.insert()
_KEPT = select(name_tokens.c.token_hash).where(
    name_tokens.c.token_hash.in_(bindparam("hashes", expanding=True)), name_tokens.c.patient_id == bindparam("patient")
)


def _parts(text: str) -> list[str]:
    """The words in plain small letters: without marks above and below, and apart wherever anything but a letter, its sign or a digit is."""
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
    kept = (c for c in plain if not unicodedata.combining(c))
    return "".join(" " if unicodedata.category(c)[0] in "PSZC" else c for c in kept).split()
