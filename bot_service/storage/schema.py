"""The schema's naming convention and the columns that recur in it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, MetaData, String, Uuid

from bot_service.storage.columns import Utc

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def key_id() -> Column[Any]:
    return Column("id", Uuid, primary_key=True)


def name(column: str, length: int = 40, *, null: bool = False) -> Column[Any]:
    return Column(column, String(length), nullable=null)


def at(column: str, *, null: bool = True) -> Column[Any]:
    return Column(column, Utc, nullable=null)


def ref(column: str, table: str, *, null: bool = True) -> Column[Any]:
    return Column(column, Uuid, ForeignKey(f"{table}.id"), nullable=null)


def clinic() -> Column[Any]:
    return Column("clinic_id", Uuid, ForeignKey("clinics.id"), nullable=False)


def of_patient(*, null: bool = False) -> list[Any]:
    """`clinic_id` and `patient_id`, tied together: no row can name a patient of another clinic."""
    return [
        clinic(),
        Column("patient_id", Uuid, nullable=null),
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
    ]


def of_episode(*, null: bool = False) -> list[Any]:
    """`clinic_id` and `episode_id`, tied together."""
    return [
        clinic(),
        Column("episode_id", Uuid, nullable=null),
        ForeignKeyConstraint(["clinic_id", "episode_id"], ["episodes.clinic_id", "episodes.id"]),
    ]
