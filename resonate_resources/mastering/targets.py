"""Loudness by name: what the services turn music to, and what broadcast asks for."""

from __future__ import annotations

from collections.abc import Mapping

TARGETS_LUFS: Mapping[str, float] = {
    "spotify": -14.0,
    "youtube": -14.0,
    "apple": -16.0,
    "ebu-r128": -23.0,
    "club": -9.0,
}
"""Sources: docs/mixing.md. All that publish a ceiling ask for −1 dBTP at that loudness."""

LOUDEST_LUFS, SOFTEST_LUFS = -6.0, -36.0


def lufs_of(target: str) -> float:
    """Of a name, in whatever case, or a number. Raises ValueError for what is neither, or out of range."""
    known = TARGETS_LUFS.get(target.lower())
    if known is not None:
        return known
    try:
        lufs = float(target.replace("−", "-"))
    except ValueError as error:
        raise ValueError(f"{target!r} is neither a number nor one of {', '.join(TARGETS_LUFS)}") from error
    if not SOFTEST_LUFS <= lufs <= LOUDEST_LUFS:
        raise ValueError(f"{target} is not from {SOFTEST_LUFS:g} to {LOUDEST_LUFS:g} LUFS")
    return lufs


def label_of(target: str) -> str:
    """What files and measures of a target are called by: its name, or `9lufs` for −9 LUFS. Raises ValueError."""
    lufs = lufs_of(target)
    return target.lower() if target.lower() in TARGETS_LUFS else f"{-lufs:g}lufs"


def file_name(label: str, form: str) -> str:
    """Of the master for a target, "" for the brief's own, in a format: `master.wav`, `master-apple.mp3`."""
    return f"master-{label}.{form}" if label else f"master.{form}"


def label_and_form(name: str) -> tuple[str, str]:
    """The inverse of file_name."""
    stem, _, form = name.rpartition(".")
    return stem.removeprefix("master").removeprefix("-"), form


def measure_name(label: str, form: str, measure: str) -> str:
    """What a measure of such a file is called among those of all masters; form "" for what all formats share."""
    return "_".join(part for part in (label, "" if form == "wav" else form, measure) if part)
