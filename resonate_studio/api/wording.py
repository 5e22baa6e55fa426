"""What is told of results, in words for the page: versions by name, warnings before notes, no server's path."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from resonate_assets.acceptance import (
    LEAST_QUALITY_DB,
    UNJUDGED,
    Measures,
    has_loudness,
    lacking,
    limits_gently,
    most_limiting_db,
    number,
    poor_stems,
    score,
    scores_enough,
)
from resonate_assets.sentences import sentence
from resonate_resources.quality.scales import ACCEPTED
from resonate_resources.recordings.recording import REBUILT
from resonate_resources.storage.manifest import Manifest
from resonate_resources.storage.sources import Source

_PATH = re.compile(r"(?<![\w:/.~])~?/(?:[^\s/'\",;:()<>]+/)+([^\s/'\",;:()<>]*)")
_LEFT_OUT = re.compile(r"(?P<engine>[^:]+): left out \((?!no licence key)")
"""A note of separation on an engine that it would have preferred; one that costs money is nobody's lack."""

_REBUILT = PurePath(REBUILT).stem
GROUPS: Mapping[str, str] = {
    "original": "original",
    "mix": "mix",
    "master": "master",
    "stems": "stems",
    "restored_track": "original",
    "restored_stems": "restored",
    "regenerated_stems": "regenerated",
    "generated_track": "regenerated",
}
"""What a version's name begins with → the group that the page shows it in."""
EARLIER: Mapping[str, str] = {"restored_track": "restored"}
"""The same of earlier results, where it is another."""


def without_paths(text: str) -> str:
    """Absolute paths as the names at their ends: where things lie on the server is nobody's business."""
    return _PATH.sub(lambda found: found[1] or "…", text)


def printable(text: str) -> str:
    """A file's name need not be UTF-8; JSON must be."""
    return os.fsencode(text).decode(errors="replace")


def called(source: Source | None, track: str) -> tuple[str, str | None]:
    """Title and artist of a track, as far as they are known: at worst its key."""
    if source is None:
        return track, None
    artist = None if source.artist is None else printable(source.artist)
    return printable(source.title or source.name), artist


def public_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a result as far as they are anybody's business."""
    public: dict[str, Any] = _public(settings)
    return public


def _public(value: Any) -> Any:
    if isinstance(value, str):
        return without_paths(value)
    if isinstance(value, Mapping):
        return {name: _public(inner) for name, inner in value.items()}
    return [_public(inner) for inner in value] if isinstance(value, list | tuple) else value


def label(kind: str, part: str | None) -> str:
    """What a version is called by people."""
    spoken = (part or "").replace("_", " ")
    return {
        "original": "Original",
        "restored_track": "Original, restored",
        "mix": "Mix",
        "master": f"Master, {spoken}" if spoken else "Master",
        "stems": spoken.capitalize(),
        "restored_stems": f"{spoken.capitalize()}, restored",
        "regenerated_stems": "All stems, played anew"
        if spoken == _REBUILT
        else f"{spoken.capitalize()}, played anew",
        "generated_track": {"generated": "Made anew", "blend": "Restored and made anew, blended"}.get(
            spoken, ""
        ),
    }[kind]


def warnings_of(manifest: Manifest) -> list[str]:
    """What a person should know before anything else of a stage, in sentences."""
    return [*_WARNINGS[manifest.stage](manifest.measures)] if manifest.stage in _WARNINGS else []


def left_out(manifest: Manifest) -> list[str]:
    """Engines that a separation would have preferred, and that can't run here; its notes tell why."""
    return [found["engine"] for note in manifest.notes if (found := _LEFT_OUT.match(note))]


def notes_of(manifest: Manifest, told: tuple[str, ...] = ()) -> list[str]:
    """What came of a stage, in a sentence, and what it noted on the way. told: what notes begin with that are told
    elsewhere."""
    came = sentence(manifest.stage, manifest.measures, manifest.recipe.get("settings"))
    notes = (note for note in manifest.notes if not note.startswith(told))
    return [_as_sentence(without_paths(_by_name(text))) for text in (came, *notes) if text]


_JUDGED = {"regenerated": "rebuilt track", "leave_one_out": "rebuilt, no note by its own recording"}
"""Candidates of quality control → what they are called in a note."""


def _by_name(note: str) -> str:
    begins, colon, told = note.partition(": ")
    return f"{_JUDGED.get(begins, begins)}{colon}{told}"


def _as_sentence(text: str) -> str:
    begins = text if "." in text.partition(" ")[0] else text[:1].upper() + text[1:]  # files keep their names
    return begins + ("" if text.endswith((".", "!", "?")) else ".")


_SUBJECTS = {
    "vocals": ("The vocals", True),
    "drums": ("The drums", True),
    "other": ("The stem with all other instruments", False),
}
"""Stem → what it is called in a sentence, and whether that is plural."""


def _of_stems(measures: Measures) -> list[str]:
    return [
        f"{subject} {'are' if many else 'is'} poor: at {quality:.1f} dB there is more of the other stems in "
        f"{'them than of themselves' if many else 'it than of itself'}."
        for stem, quality in poor_stems(measures).items()
        if quality < LEAST_QUALITY_DB
        for subject, many in [_SUBJECTS.get(stem, (f"The {stem}", False))]
    ]


def _of_master(measures: Measures) -> list[str]:
    told = []
    if "limiting_db" in measures and not limits_gently(measures):
        told.append(
            f"Peaks of the master are limited by {number(measures['limiting_db']):.1f} dB; over "
            f"{most_limiting_db(measures):g} dB is heard."
        )
    if not has_loudness(measures):
        told.append(f"The master is {UNJUDGED}: it has no integrated loudness.")
    elif measures.get("bounded"):
        told.append(
            f"The master is softer than was asked for, at {number(measures['loudness_lufs']):.1f} LUFS: louder, "
            "its peaks would be crushed. More limiting, in the brief's mastering, brings it nearer."
        )
    return told


def _of_quality(measures: Measures) -> list[str]:
    if "master_total" not in measures or scores_enough(measures):
        return []
    if wrong := lacking(measures):
        return [f"The master is not accepted: {wrong}."]
    return [f"The master scores {score(measures)} of 100; {ACCEPTED:g} are asked for."]


_WARNINGS = {"stems": _of_stems, "master": _of_master, "qc_scores": _of_quality}
"""Stage → what is to be warned of, by its measures."""
