"""Every trained model that Resonate can use: what for, from where, under which licence, and whether it has run."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class KnownModel:
    """megabytes and sha256 (in hex, or the digits of it that are published, or empty) are of the weights."""

    name: str
    purpose: str
    source: str
    licence: str
    commercial: str
    ran: str
    megabytes: float | None = None
    sha256: str = ""


@cache
def known_models() -> tuple[KnownModel, ...]:
    """In the order of known.toml: first what the base installation has."""
    text = (resources.files("resonate_resources.models") / "known.toml").read_text(encoding="utf-8")
    return tuple(
        KnownModel(purpose=entry.pop("for"), source=entry.pop("from"), **entry)
        for entry in tomllib.loads(text)["model"]
    )


def as_markdown() -> str:
    """The table of docs/models.md."""
    head = "| model | for | weights from | licence | commercial use | size | SHA-256 | has run here |"
    rows = [
        f"| {one.name} | {one.purpose} | {one.source} | {one.licence} | {one.commercial} | "
        f"{'' if one.megabytes is None else f'{one.megabytes:g} MB'} | {_short(one.sha256)} | {one.ran} |"
        for one in known_models()
    ]
    return "\n".join([head, "|---" * 8 + "|", *rows]) + "\n"


def _short(sha256: str) -> str:
    return f"`{sha256[:12]}…`" if len(sha256) == 64 else sha256
