from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Foreseen:
    over_db: float = 0.0
    missing_lu: float = 0.0


def foreseen(recording, form, target):
    return Foreseen()
